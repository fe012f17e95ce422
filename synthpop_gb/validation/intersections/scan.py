"""The k-way scan: two sides' records in, every combination of up to three variables compared, what is wrong worst first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.coded import Coded
from synthpop_gb.errors import Finding, finding
from synthpop_gb.validation.intersections.cells import cell_rows, rarity_rows
from synthpop_gb.validation.intersections.judge import KINDS, Judged, Reference, judge, table_rows
from synthpop_gb.validation.intersections.plan import Plan, make_plan
from synthpop_gb.validation.intersections.points import point_rows
from synthpop_gb.validation.intersections.rules import Rule, impossible_cells, make_rules
from synthpop_gb.validation.intersections.tallies import CrossTable, cross_tables, merge_sides
from synthpop_gb.validation.intersections.words import group_sentence

__all__ = ["findings_of", "report_on", "rule_rows", "scan"]


def scan(
    reference: Coded,
    observed: Coded,
    *,
    orders: Iterable[int] = (1, 2, 3),
    also: Iterable[Iterable[str]] = (),
    protected: Iterable[str] = (),
    impossible: Iterable[str] = (),
    reference_name: str = "the real data",
    reference_kind: str = "sample",
    effective: float | None = None,
    left_out: Iterable[tuple[str, str]] = (),
    q: float = 0.05,
    control: str = "bh",
    most: int = 200,
    max_categories: int = 500,
    max_cells: int = 10_000_000,
    workers: int | None = None,
) -> Checks:
    """Compare every combination of variables of two sets of records. Nothing is drawn at random.

    Parameters
    ----------
    reference, observed : Coded
        What is expected, and what is judged: the same variables and labels, as `Pair.coded` makes them. Weights are people.
    orders : iterable of int
        How many variables at once.
    also : iterable of iterable of str
        Further combinations of any order, by name.
    protected : iterable of str
        Protected attributes; told by their names where empty (`protected_names`).
    impossible : iterable of str
        Structural zeros as conditions: "relationship = 'Husband' and sex = 'Female'".
    reference_name : str
        Stands in every row.
    reference_kind : str
        'sample': records of the same people, the population another sample of them; 'census': counts of everybody; 'survey
        cloned': the survey whose records the population copies; 'fit': a fractional fit that whole people were made from.
    effective : float, optional
        How many independent records the population is worth; by default `Coded.effective`, of a fit's people their number. For
        rows that repeat donors give the donors' effective number, or every table fails.
    left_out : iterable of (str, str)
        Variables that are not there, and why: for the table of what was not looked at.
    q : float
        False discovery rate among cells, and chance that a perfect sample fails any table's limit.
    control : str
        'bh' or 'by', see `adjusted`.
    most : int
        Cells listed: causes, and again as many lost categories and as many that follow.
    max_categories, max_cells : int
        See `make_plan`.
    workers : int, optional
        Threads; results do not depend on it.

    Returns
    -------
    Checks
        Tables 'scan_tables' (see `judge.table_rows`), 'scan_cells' (`cells.cell_rows`), 'scan_rarity' (`cells.rarity_rows`),
        'scan_points' (`points.point_rows`) and 'scan_coverage' (`Plan.coverage` and the rules, with the reference, and by how
        many of it a rule is contradicted);
        headline and findings, see `report_on` and `findings_of`. `passes` in the headline: no table fails (None where the
        records were copied, since they differ where they were made to).

    Raises
    ------
    InputError
        Where a rule cannot be understood or decided, all findings at once.
    KeyError
        Where `also` or `protected` names a variable that is not there.
    ValueError
        For an unknown `reference_kind` or `control`, or sides with other variables or labels.

    >>> labels = (("Husband", "Wife"), ("Female", "Male"))
    >>> codes = np.array([[0, 1]] * 500 + [[1, 0]] * 500)
    >>> real = Coded(("relationship", "sex"), labels, codes, np.ones(1000))
    >>> swapped = np.where(np.arange(1000)[:, None] % 10 == 0, codes ^ [0, 1], codes)
    >>> checks = scan(real, Coded(real.names, labels, swapped, np.ones(1000)), orders=(1, 2))
    >>> checks.headline["worst group"]
    'relationship = Husband and sex = Female: 50 people where 0 were expected'
    >>> checks.headline["passes"]
    False
    """
    if reference_kind not in KINDS:
        raise ValueError(f"reference_kind must be one of {', '.join(KINDS)}, not {reference_kind!r}")
    merged = merge_sides(reference, observed)
    names, sizes = reference.names, reference.sizes
    rules = make_rules(impossible, names, reference.labels)
    plan = make_plan(
        names, sizes, records=merged.values.shape[0], orders=orders,
        also=[*also, *([names[i] for i in rule.at] for rule in rules)], protected=protected, left_out=left_out,
        max_categories=max_categories, max_cells=max_cells,
    )  # fmt: skip
    tables = cross_tables(merged, sizes, plan.combinations, workers)
    people = float(observed.weight.sum())
    if effective is None:
        effective = people if reference_kind == "fit" else observed.effective
    known = reference_kind in ("census", "fit")
    against = Reference(reference_name, reference_kind, np.inf if known else reference.effective)
    return report_on(
        tables, plan, rules, names, reference.labels, against, people=people, effective=effective, q=q, control=control, most=most
    )


def report_on(
    tables: Sequence[CrossTable],
    plan: Plan,
    rules: Sequence[Rule],
    names: Sequence[str],
    labels: Sequence[Sequence[str]],
    reference: Reference,
    *,
    people: float,
    effective: float,
    q: float = 0.05,
    control: str = "bh",
    most: int = 200,
) -> Checks:
    """Judge cross-tables and put what is found into tables, a headline and findings. Parameters as for `scan`.

    Headline: 'intersections against', 'combinations scanned', 'combinations that fail', 'cells compared', 'impossible
    combinations' and 'people in impossible combinations', 'invented combinations' (how many; text where not applicable),
    'missing combinations', 'groups beyond chance' (causes), 'groups that follow from them', 'worst group' (in words, or None)
    and 'passes'.
    """
    bars = [impossible_cells(t, rules) for t in tables]
    judged = judge(tables, plan.protected, [b >= 0 for b in bars], reference, effective, q, control)
    by_table = table_rows(judged, names, reference, people, q)
    by_cell, causes = cell_rows(judged, names, labels, reference, most)
    rules_told = rule_rows(rules, tables, bars)
    coverage = plan.coverage.assign(contradicted=0.0)
    coverage = pd.concat([coverage, rules_told], ignore_index=True) if rules else coverage
    coverage.insert(0, "reference", reference.name)
    told = sum(int(t.sum()) for t in judged.told)
    new = sum(int(((t.expected == 0) & ~f).sum()) for t, f in zip(tables, judged.forbidden, strict=True))
    own = {rule.at for rule in rules}
    forbidden = [t.observed[f] for t, f in zip(tables, judged.forbidden, strict=True) if t.at in own]
    fails = by_table["passes"].eq(False)
    headline = {
        "intersections against": reference.name,
        "combinations scanned": len(tables),
        "combinations that fail": None if reference.cloned else int(fails.sum()),
        "cells compared": int(by_table["cells"].sum()),
        "impossible combinations": int(sum((o > 0).sum() for o in forbidden)),
        "people in impossible combinations": float(sum(o.sum() for o in forbidden)),
        "invented combinations": "not applicable: the reference's records were copied" if reference.cloned else new,
        "missing combinations": int(by_table["missing_cells"].fillna(0).sum()),
        "groups beyond chance": int(causes.sum()),
        "groups that follow from them": told - int(causes.sum()),
        "worst group": _worst(by_cell, judged),
        "passes": None if reference.cloned or by_table["passes"].isna().all() else bool(not fails.any()),
    }
    found = findings_of(by_cell, causes, coverage, reference, judged, people)
    frames = {
        "scan_tables": by_table, "scan_cells": by_cell, "scan_rarity": rarity_rows(judged, reference, people),
        "scan_points": point_rows(judged, reference),
        "scan_coverage": coverage,
    }  # fmt: skip
    return Checks(headline, frames, found)


def rule_rows(rules: Sequence[Rule], tables: Sequence[CrossTable], bars: Sequence[np.ndarray]) -> pd.DataFrame:
    """Rows of coverage for the rules: each, whether it was looked at, and how many of the reference it calls impossible."""
    rows, at = [], {t.at: i for i, t in enumerate(tables)}
    for number, rule in enumerate(rules):
        i = at.get(rule.at)
        row = {"what": "rule", "name": rule.text, "k": len(rule.at), "combinations": 1, "looked_at": i is not None}
        expected = 0.0 if i is None else float(tables[i].expected[bars[i] == number].sum())
        reason = "the cross-table of its variables was left out" if i is None else ""
        if expected:
            reason = f"{expected:,.0f} of the reference meet it themselves"
        rows.append(row | {"reason": reason, "contradicted": expected})
    return pd.DataFrame(rows, columns=["what", "name", "k", "combinations", "looked_at", "reason", "contradicted"])


def _worst(by_cell: pd.DataFrame, judged: Judged) -> str | None:
    """Name the first group, with the people expected at the population's size."""
    if by_cell.empty or not any(t.any() for t in judged.told):
        return None
    row = by_cell.iloc[0]
    return group_sentence(row["cell"], row["observed"], row["observed"] - row["excess"])


def findings_of(
    by_cell: pd.DataFrame,
    causes: pd.Series,
    coverage: pd.DataFrame,
    reference: Reference,
    judged: Judged,
    people: float,
) -> tuple[Finding, ...]:
    """Make the findings, worst first: impossible people, invented, misweighted and lost groups; then what was not looked at.

    Groups that differ from a survey whose records were copied are notes, since a place may differ from a country; impossible
    people are not.
    """
    if not judged.tables or not any(b.expected > 0 and b.observed > 0 for b in judged.bases):
        return (
            finding("nothing-to-compare", f"Against {reference.name}: one of the two sides has nobody.", place=reference.name),
        )
    level = {"level": "note"} if reference.cloned else {}
    cause, found = by_cell[by_cell["explained_by"] == ""], []
    for code, kinds, what in (
        ("impossible-combination", ("impossible",), "are impossible and have people"),
        ("invented-combination", ("invented",), "have people and nobody in the reference"),
        ("misweighted-group", ("too many", "too few"), "are larger or smaller than chance allows"),
    ):
        rows = cause[cause["kind"].isin(kinds)]
        if len(rows):
            first = rows.iloc[0]
            said = group_sentence(first["cell"], first["observed"], first["observed"] - first["excess"])
            many = int(sum(causes.get(kind, 0) for kind in kinds))
            message = f"Against {reference.name}, {_groups(many, what)} ({'worst: ' if many > 1 else ''}{said})."
            own = {} if code == "impossible-combination" else level
            found.append(finding(code, message, place=first["cell"], count=many, rows=rows, **own))
    found += _lost(by_cell, int(causes.get("missing", 0)), reference, people, judged, level)
    for name, reason in coverage[coverage["contradicted"] > 0][["name", "reason"]].itertuples(index=False):
        found.append(finding("rule-contradicted", f"{name}: {reason}.", place=name))
    if reference.cloned:
        message = f"Against {reference.name}: invented combinations are not applicable, since its records were copied."
        found.append(finding("not-applicable", message, place=reference.name))
    missed = coverage[~coverage["looked_at"].astype(bool) & (coverage["what"] != "order")]
    if len(missed):
        message = f"{len(missed):,} variables, combinations or rules were not looked at (first: {missed['name'].iloc[0]})."
        found.append(finding("not-looked-at", message, place=missed["name"].iloc[0], count=len(missed), rows=missed))
    return tuple(found)


def _groups(many: int, what: str) -> str:
    """Say how many groups something is true of.

    >>> _groups(1, "are impossible and have people")
    '1 group is impossible and has people'
    """
    if many != 1:
        return f"{many:,} groups {what}"
    return f"1 group {what.replace('are ', 'is ', 1).replace('have ', 'has ', 1)}"


def _lost(by_cell: pd.DataFrame, causes: int, reference: Reference, people: float, judged: Judged, level: dict) -> list[Finding]:
    """Say which groups are lost, and how likely a perfect sample of this size would have lost each."""
    rows = by_cell[(by_cell["kind"] == "missing") & (by_cell["explained_by"] == "")]
    if rows.empty:
        return []
    alone = zip(judged.tables, judged.bases, judged.told, judged.forbidden, strict=True)
    many = causes + sum(  # rows are listed up to a limit; all are counted
        int((~told & ~bars & (t.observed == 0)).sum()) for t, b, told, bars in alone if len(t.at) == 1 and b.observed > 0
    )
    total = max((b.expected for b in judged.bases), default=1.0) or 1.0
    chance = np.exp(people * np.log1p(-np.minimum(rows["expected"].to_numpy() / total, 1 - 1e-12)))
    named = "; ".join(
        f"{cell}: {e:,.0f} in the reference, lost by {100 * c:.0f} of 100 perfect samples"
        for cell, e, c in list(zip(rows["cell"], rows["expected"], chance, strict=True))[:5]
    )
    if chance.min() > 0.01:
        level = {"level": "note"}
    message = f"Against {reference.name}, {many:,} groups have nobody ({named}{' ...' if many > 5 else ''})."
    return [finding("lost-group", message, place=rows["cell"].iloc[0], count=many, rows=rows, **level)]
