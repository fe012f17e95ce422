"""Survey, tables and zones made to speak of the same people in the same categories, or everything that keeps them from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedLevel, AlignedTable
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.check import check_donors, check_years
from synthpop_gb.harmonisation.counts import Prepared, prepare
from synthpop_gb.harmonisation.joining import join_tables
from synthpop_gb.harmonisation.levels import look_above, settle_above
from synthpop_gb.harmonisation.members import live_together
from synthpop_gb.harmonisation.people import check_communal, check_people
from synthpop_gb.harmonisation.recode import Recode
from synthpop_gb.harmonisation.reconcile import Settled, Trusted, settle_drafts
from synthpop_gb.harmonisation.records import check_design, described_universe
from synthpop_gb.harmonisation.resolve import resolve
from synthpop_gb.harmonisation.universe import common_universe, signature
from synthpop_gb.harmonisation.view import View
from synthpop_gb.harmonisation.zones import choose_zones
from synthpop_gb.microdata import Microdata

__all__ = ["examine", "harmonise"]


def harmonise(
    survey: Microdata,
    tables: Mapping[str, BenchmarkTable],
    geography: Geography,
    *,
    constraints: Sequence[str],
    held_out: Sequence[str] = (),
    levels: Mapping[str, Sequence[str]] | None = None,
    held_out_levels: Mapping[str, Sequence[str]] | None = None,
    recodes: Mapping[str, Recode] | None = None,
    total_from: str | None = None,
    zones: Sequence[str] | None = None,
    parent: tuple[str, str | Sequence[str]] | None = None,
    seed: int = 0,
) -> Aligned:
    """Bring survey, tables and zones to common categories, universes and totals.

    Parameters
    ----------
    survey, tables, geography : as read; `tables` by name. Of a survey of whole households (`Microdata.household`) the
        households are what is placed, and tables of households are constraints beside those of persons, each in its own
        universe and total.
    constraints, held_out : names of what is to be fitted and of what is kept back: variables ('age', 'age x sex', taken from
        the table of exactly these variables, else as a margin of a larger one) or names of tables.
    levels, held_out_levels : names of what is to be fitted, and kept back, in the areas above the zones, by level:
        {"msoa": ["employment"]}. A level is a column of the geography; its tables have that level's codes, or say their `level`.
    recodes : coarser categories by variable.
    total_from : name of the table whose totals the others of its universe are moved to, instead of the median.
    zones, parent : codes, or (level, name or code, or several), that restrict the study area; all zones of the geography
        without them.
    seed : fixes the draws that settle tables which disagree. A zone's draw does not depend on the other zones.

    Returns
    -------
    Aligned

    Raises
    ------
    InputError
        With every finding, not only the first.

    Examples
    --------
    SimpleWorld (Lovelace & Dumont 2016, ch. 4): five people, three zones, two tables.

    >>> import pandas as pd
    >>> from synthpop_gb.benchmark import BenchmarkTable
    >>> from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
    >>> from synthpop_gb.geography import Geography
    >>> from synthpop_gb.microdata import Microdata
    >>> age = Variable("age", (Category("young", "0-49", age_atoms(0, 49)), Category("old", "50+", age_atoms(50))))
    >>> sex = Variable("sex", (Category("m", "male", frozenset("m")), Category("f", "female", frozenset("f"))))
    >>> everybody = Universe("usual residents")
    >>> def table(variable, rows):
    ...     cells = pd.MultiIndex.from_arrays([[c.code for c in variable.categories]], names=[variable.name])
    ...     return BenchmarkTable(variable.name, pd.DataFrame(rows, list("abc"), cells), (variable,), everybody)
    >>> tables = {"age": table(age, [(8, 4), (2, 8), (7, 4)]), "sex": table(sex, [(6, 6), (4, 6), (3, 8)])}
    >>> people = pd.DataFrame({"age": ["old", "old", "young", "old", "young"], "sex": list("mmmff")})
    >>> survey = Microdata("simpleworld", people, {"age": age, "sex": sex}, everybody)
    >>> places = Geography(pd.DataFrame(index=pd.Index(list("abc"), name="zone")))
    >>> aligned = harmonise(survey, tables, places, constraints=["age", "sex"])
    >>> aligned.constraints[0].targets.loc["a"].to_list(), aligned.constraints[0].record_cell.tolist()
    ([8.0, 4.0], [1, 1, 0, 1, 0])
    >>> [f.code for f in aligned.findings]
    ['no-weight', 'few-records']
    """
    aligned, findings = examine(
        survey, tables, geography, constraints=constraints, held_out=held_out, levels=levels, held_out_levels=held_out_levels,
        recodes=recodes, total_from=total_from, zones=zones, parent=parent, seed=seed,
    )  # fmt: skip
    refuse(findings)
    if aligned is None:
        raise InputError(findings)
    return aligned


def examine(
    survey: Microdata,
    tables: Mapping[str, BenchmarkTable],
    geography: Geography,
    *,
    constraints: Sequence[str],
    held_out: Sequence[str] = (),
    levels: Mapping[str, Sequence[str]] | None = None,
    held_out_levels: Mapping[str, Sequence[str]] | None = None,
    recodes: Mapping[str, Recode] | None = None,
    total_from: str | None = None,
    zones: Sequence[str] | None = None,
    parent: tuple[str, str | Sequence[str]] | None = None,
    seed: int = 0,
) -> tuple[Aligned | None, tuple[Finding, ...]]:
    """Find everything there is to say about the inputs; never raises for what is in them.

    Parameters as in `harmonise`. Returns the aligned inputs, or None where some finding is an error, and all findings, those
    of reading first. What does not depend on a fault is examined all the same: a table with a broken row is still compared
    with the survey on the other rows.
    """
    area, found = choose_zones(geography, zones, parent)
    above, said = look_above(tables, geography, area, levels, held_out_levels)
    chosen = area.codes if len(area.codes) else geography.codes.unique()
    own, joined = join_tables(above.own, [*constraints, *held_out], chosen, geography.codes)
    tables = {**tables, **own}
    requests, findings = resolve(own, constraints, held_out)
    findings += [*found, *said, *joined]
    used = list(dict.fromkeys([r.table for r in requests]))
    prepared: dict[str, Prepared] = {}
    for name in used:
        prepared[name], said = prepare(tables[name], chosen, geography.codes)
        findings += said
    survey, homes, said = live_together(survey)
    findings += said
    view = View(survey, described_universe(survey), dict(recodes or {}), tables, homes)
    findings += view.check([*requests, *above.requests], prepared | above.prepared)
    trusted, said = _trusted(total_from, prepared, chosen, geography.codes, view)
    findings += said
    settled, said = _settle_and_check(view, prepared, chosen, trusted, seed)
    said = [*check_design(survey, view.usable()), *said] if view.constraints else said
    nested: tuple[AlignedLevel, ...] = ()
    if settled is not None and above.places and not any(f.level == "error" for f in [*findings, *said]):
        nested, more = settle_above(view, above.places, area.codes, settled.targets, seed)
        said += more
    findings = [
        *survey.findings,
        *area.findings,
        *(f for name in {**prepared, **above.prepared} for f in tables[name].findings),
        *findings,
        *said,
    ]
    if settled is None or any(f.level == "error" for f in findings):
        return None, tuple(findings)
    return replace(_aligned(view, area, settled, tuple(findings)), levels=nested), tuple(findings)


def _trusted(
    total_from: str | None, prepared: dict[str, Prepared], zones: pd.Index, known: pd.Index, view: View
) -> tuple[Trusted | None, list[Finding]]:
    """Find the table named by `total_from`, with its totals and whom they count."""
    if total_from is None:
        return None, []
    requests, findings = resolve(view.tables, [total_from])
    if not requests:
        return None, [replace(f, place="total_from") for f in findings]
    name = requests[0].table
    if name not in prepared:
        prepared[name], findings = prepare(view.tables[name], zones, known)
    described = view.survey.variables
    draft = next((d for d in view.drafts if d.source == name), None)
    if draft is not None:
        return Trusted(name, draft.published.sum(axis=1), signature(draft.universe, described)), findings
    table = prepared[name].table
    universe, said = common_universe(table, requests[0].variables, view.covered, described, view.tables)
    if universe is None:
        return None, findings + said
    if universe.name != table.universe.name or not set(universe.members) <= set(described):
        message = f"{total_from!r} cannot give the total: the survey does not tell the people it counts from others."
        return None, [*findings, finding("study-reference", message, place="total_from")]
    return Trusted(name, prepared[name].values.sum(axis=1), signature(universe, described)), findings


def _settle_and_check(
    view: View, prepared: Mapping[str, Prepared], zones: pd.Index, trusted: Trusted | None, seed: int
) -> tuple[Settled | None, list[Finding]]:
    """Settle the constraints on the zones that every table has, and compare them with the survey."""
    drafts = view.constraints
    if not drafts:
        return None, []
    good = ~np.any([p.bad for p in prepared.values()], axis=0)
    findings = check_years(view.survey, drafts)
    if not good.any():
        return None, findings
    if not good.all():
        drafts = [replace(d, published=d.published[good], bad=d.bad[good]) for d in drafts]
        trusted = trusted and replace(trusted, total=trusted.total[good])
        zones = zones[good]
    usable = view.usable()
    weight = view.weight[usable]
    cells = [d.record_cell[usable] for d in drafts]
    shares = [np.bincount(c[c >= 0], weights=weight[c >= 0], minlength=len(d.cells)) for c, d in zip(cells, drafts, strict=True)]
    settled, said = settle_drafts(drafts, zones, view.survey.variables, shares, trusted=trusted, seed=seed)
    findings += said
    if view.homes is None:
        return settled, findings + check_donors(drafts, settled.targets, cells, weight, zones)
    unit = view.homes.unit[usable]
    findings += check_donors(drafts, settled.targets, cells, weight, zones, unit)
    findings += check_communal(view, zones)
    alone = view.homes.communal[unit]
    return settled, findings + check_people(drafts, settled.targets, cells, unit, alone, zones, view.survey.variables)


def _aligned(view: View, area: Geography, settled: Settled, findings: tuple[Finding, ...]) -> Aligned:
    """Put the pieces into the noun."""
    usable = view.usable()

    def finished(draft: Draft, targets: np.ndarray) -> AlignedTable:
        published = pd.DataFrame(draft.published, index=area.codes, columns=draft.cells)
        new = published if targets is draft.published else pd.DataFrame(targets, index=area.codes, columns=draft.cells)
        return AlignedTable(
            draft.name, draft.request.variables, draft.categories, new, draft.record_cell[usable], draft.universe,
            draft.standard_error, published, draft.merged, draft.source, draft.year, view.tables[draft.source].source,
            draft.errors,
        )  # fmt: skip

    return Aligned(
        survey=view.survey, records=view.survey.records.index[usable], weight=view.weight[usable],
        constraints=tuple(finished(d, t) for d, t in zip(view.constraints, settled.targets, strict=True)),
        held_out=tuple(finished(d, d.published) for d in view.held_out),
        geography=area, changes=settled.changes, floor=settled.floor, findings=findings,
        households=None if view.homes is None else view.homes.taken(usable, view.weight),
    )  # fmt: skip
