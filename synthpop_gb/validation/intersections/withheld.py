"""What an audit may tell of a survey under licence: no group that fewer than ten of its records are in is named or counted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.coded import Coded
from synthpop_gb.errors import Finding, finding
from synthpop_gb.indicators import FEW_DONORS
from synthpop_gb.validation.intersections.rules import Rule, make_rules
from synthpop_gb.validation.intersections.tallies import strides_of
from synthpop_gb.validation.intersections.words import cell_words

__all__ = ["withhold_few"]


def withhold_few(
    checks: Checks,
    records: Coded,
    *,
    published: Collection[str] = (),
    impossible: Iterable[str] = (),
    few: int = FEW_DONORS,
) -> Checks:
    """Take what fewer than ten records stand behind out of an audit's tables, headline and findings.

    A category, or a combination of categories, that one record has is that record's answer, and its count with it. How many
    groups differ, and by how much combinations of variables do, stays: no label stands there.

    Parameters
    ----------
    checks : Checks
        Of `audit_population`.
    records : Coded
        The survey's records that were scanned, weighted by design weight (`survey_codes`).
    published : collection of str
        References whose cells are a publisher's ('published age x sex'): their groups are named however few records have them.
    impossible : iterable of str
        The rules that were declared.
    few : int
        Records that must stand behind.

    Returns
    -------
    Checks
        'scan_cells' and 'scan_zone_cells' without rows of such groups; 'scan_zones' with worst_cell empty; 'scan_points' without
        points of references known by weight that may be fewer records, 'scan_rarity' without the people of so few lost cells;
        'scan_coverage' without the number of a rule that so few contradict. Messages and the headline do not name them. A
        finding ('few-behind') says how many groups were taken out; nothing is said where none was.

    >>> records = Coded(("job",), (("cook", "spy"),), np.array([[0]] * 20 + [[1]]), np.ones(21))
    >>> cells = pd.DataFrame({"reference": "the fit", "combination": "job", "cell": ["job = cook", "job = spy"]})
    >>> found = withhold_few(Checks({"worst group": "job = spy: 3 people where 1 was expected"}, {"scan_cells": cells}), records)
    >>> found["scan_cells"]["cell"].tolist(), found.headline["worst group"]
    (['job = cook'], 'a group of fewer than 10 records: 3 people where 1 was expected')
    """
    named = _named(checks, published)
    behind = records_behind(named, records)
    hidden = {cell for cell, n in behind.items() if n < few}
    rules = {rule.text: _records_of(rule, records) for rule in make_rules(impossible, records.names, records.labels)}
    tables = {name: _table(name, frame, hidden, published, few) for name, frame in checks.tables.items()}
    if "scan_points" in tables:
        tables["scan_points"] = _points(tables["scan_points"], checks, records, few)
    broken = {text for text, n in rules.items() if 0 < n < few}
    if "scan_coverage" in tables and broken:
        tables["scan_coverage"] = _uncounted(tables["scan_coverage"], broken)
    words = _Words(hidden, few)
    headline = {k: words(v) if isinstance(v, str) else v for k, v in checks.headline.items()}
    findings = [_finding(f, words, hidden, broken, published) for f in checks.findings]
    if hidden:
        message = f"{len(hidden):,} groups are neither named nor counted: fewer than {few} records of the survey are in each."
        findings.append(finding("few-behind", message, place="audit", count=len(hidden)))
    return Checks(headline, tables, tuple(findings))


def records_behind(cells: Iterable[str], records: Coded) -> dict[str, int]:
    """Count the records in groups given in words; of words that can be read in two ways the smaller count, 0 of unreadable ones.

    >>> records = Coded(("a", "b"), (("x", "y"), ("x",)), np.array([[0, 0], [1, 0], [0, 0]]), np.ones(3))
    >>> records_behind(["a = x and b = x", "a = y", "a = z"], records)
    {'a = x and b = x': 2, 'a = y': 1, 'a = z': 0}
    """
    tokens = [
        {cell_words([name], [label]): code for code, label in enumerate(labels)}
        for name, labels in zip(records.names, records.labels, strict=True)
    ]
    heads = [cell_words([name], [""]) for name in records.names]
    wanted: dict[tuple[int, ...], dict[int, list[str]]] = {}
    cells = list(dict.fromkeys(cells))
    for cell in cells:
        for reading in _readings(cell, heads, tokens):
            at = tuple(v for v, _ in reading)
            key = int(strides_of(records.sizes[list(at)].tolist()) @ np.array([c for _, c in reading], np.int64))
            wanted.setdefault(at, {}).setdefault(key, []).append(cell)
    found: dict[str, int] = {}
    for at, mine in wanted.items():
        keys = np.array(sorted(mine), np.int64)
        of_record = records.codes[:, list(at)].astype(np.int64) @ strides_of(records.sizes[list(at)].tolist())
        place = np.minimum(np.searchsorted(keys, of_record), len(keys) - 1)
        counts = np.bincount(place[keys[place] == of_record], minlength=len(keys))
        for key, n in zip(keys.tolist(), counts.tolist(), strict=True):
            for cell in mine[key]:
                found[cell] = min(n, found.get(cell, n))
    return {cell: found.get(cell, 0) for cell in cells}


def _readings(
    cell: str, heads: Sequence[str], tokens: Sequence[dict[str, int]], start: int = 0, seen: tuple[int, ...] = ()
) -> Iterator[list[tuple[int, int]]]:
    """Every way to read 'a = x and b = y' as (variable, category) of different variables: a label may hold ' and ' itself."""
    for v, head in enumerate(heads):
        if v in seen or not cell.startswith(head, start):
            continue
        for token, code in tokens[v].items():
            end = start + len(token)
            if not cell.startswith(token, start):
                continue
            if end == len(cell):
                yield [(v, code)]
            elif cell.startswith(" and ", end):
                yield from ([(v, code), *rest] for rest in _readings(cell, heads, tokens, end + 5, (*seen, v)))


def _records_of(rule: Rule, records: Coded) -> int:
    key = records.codes[:, list(rule.at)].astype(np.int64) @ strides_of(records.sizes[list(rule.at)].tolist())
    return int(rule.holds[key].sum())


_NAMING = {"scan_cells": "cell", "scan_zone_cells": "cell", "scan_zones": "worst_cell"}


def _named(checks: Checks, published: Collection[str]) -> set[str]:
    """Every group that a table or a finding's rows name, but those of published tables."""
    frames = [(checks.tables[n], c) for n, c in _NAMING.items() if n in checks.tables and c in checks.tables[n]]
    frames += [(f.rows, "cell") for f in checks.findings if f.rows is not None and {"cell", "reference"} <= set(f.rows)]
    return {c for frame, column in frames for c in frame.loc[~frame["reference"].isin(published), column].astype(str) if c}


def _table(name: str, frame: pd.DataFrame, hidden: set[str], published: Collection[str], few: int) -> pd.DataFrame:
    """One table without what may not be told."""
    if name in _NAMING and _NAMING[name] in frame:
        column = _NAMING[name]
        gone = frame[column].isin(hidden) & ~frame["reference"].isin(published)
        return frame.assign(**{column: frame[column].mask(gone, "")}) if name == "scan_zones" else _without(frame, gone)
    if name == "scan_rarity" and {"missing", "people"} <= set(frame):
        few_lost = (frame["missing"] > 0) & (frame["missing"] < few) & ~frame["reference"].isin(published)
        return frame.assign(people=frame["people"].mask(few_lost))
    return frame


def _without(frame: pd.DataFrame, gone: pd.Series) -> pd.DataFrame:
    return frame[~gone].reset_index(drop=True)


def _points(points: pd.DataFrame, checks: Checks, records: Coded, few: int) -> pd.DataFrame:
    """Leave out points of the survey that may be fewer records: a weighted count below ten times the largest weight."""
    from_survey = [n for n in points["reference"].unique() if _is_survey(checks, n)] if len(points) else []
    total, people = float(records.weight.sum()), float(checks.tables["copies"]["people"].iloc[0])
    least = few * float(records.weight.max(initial=0.0)) * people / total if total else np.inf
    return _without(points, points["reference"].isin(from_survey) & (points["expected"] > 0) & (points["expected"] < least))


def _is_survey(checks: Checks, reference: str) -> bool:
    """Whether a reference is the survey itself: of it nothing is judged, so that no table passes or fails."""
    tables = checks.tables["scan_tables"]
    return bool(tables.loc[tables["reference"] == reference, "passes"].isna().all())


def _uncounted(coverage: pd.DataFrame, broken: set[str]) -> pd.DataFrame:
    """Say of a rule that few records contradict that some do, not how many."""
    mine = (coverage["what"] == "rule") & coverage["name"].isin(broken) & (coverage["contradicted"] > 0)
    reason = coverage["reason"].mask(mine, "some of the reference meet it themselves")
    return coverage.assign(reason=reason, contradicted=coverage["contradicted"].mask(mine))


class _Words:
    """Takes groups' names out of sentences; what stands in their place says why."""

    def __init__(self, hidden: Iterable[str], few: int):
        names = "|".join(re.escape(c) for c in sorted(hidden, key=len, reverse=True))
        self._pattern = re.compile(rf"(?<![^\s(])(?:{names})(?=: |$)") if names else None
        self.instead = f"a group of fewer than {few} records"

    def __call__(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(lambda _: self.instead, text)


def _finding(item: Finding, words: _Words, hidden: set[str], broken: set[str], published: Collection[str]) -> Finding:
    rows, message, place = item.rows, words(item.message), words(item.place)
    if rows is not None and {"cell", "reference"} <= set(rows):
        rows = _without(rows, rows["cell"].isin(hidden) & ~rows["reference"].isin(published))
    if item.code == "rule-contradicted" and item.place in broken:
        message = f"{item.place}: some of the reference meet it themselves."
    return replace(item, message=message, place=place, rows=None if rows is None or rows.empty else rows)
