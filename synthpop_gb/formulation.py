"""Formulate: the one step from tables to arrays. Records, or households, alike on every constraint become one profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.distribution import Distribution
from synthpop_gb.errors import refuse
from synthpop_gb.incidence import Incidence
from synthpop_gb.level import Level
from synthpop_gb.problem import Problem, zone_key

__all__ = ["formulate"]


def formulate(aligned: Aligned, *, distributions: Sequence[Distribution] = ()) -> Problem:
    """Turn aligned inputs into the arrays that a solver needs.

    Profiles are the distinct combinations of cells among the records, in the order of their cells (the first constraint
    weighing most), so that the order does not depend on the order of the records; no method can tell the records of a
    profile apart (Müller & Axhausen 2011 and PopulationSim group households likewise). A profile starts with the sum of its
    records' design weights. Where whole households are placed (`Aligned.households`), a profile is households
    alike in size and in the members that each cell counts, and starts with the sum of the households' weights. Zones keep the
    order of `aligned`; nothing but `targets`, `zone_keys` and `zones` depends on it.

    Parameters
    ----------
    aligned : Aligned
        From `harmonise`.
    distributions : sequence of Distribution
        Distributions of statistics that no table counts, for methods that choose whole records ('anneal'), beside those that
        `aligned` carries. Their bins join the profiles: records alike on every constraint *and* bin are one.

    Raises
    ------
    InputError
        Where a distribution does not go with the survey's records or the zones: every finding.
    ValueError
        Where distributions are asked for beside whole households.

    Returns
    -------
    Problem
        (n_zones, n_cells) targets; (n_constraints, n_profiles) cells of the profiles, -1 = outside a constraint's universe;
        donors by profile, in the order of the records.

    Examples
    --------
    Three records, two of them alike, and one zone of four people.

    >>> import pandas as pd
    >>> from synthpop_gb.aligned import AlignedTable
    >>> from synthpop_gb.codebook import Category, Universe
    >>> from synthpop_gb.geography import Geography
    >>> from synthpop_gb.microdata import Microdata
    >>> everybody, zone = Universe("usual residents"), pd.Index(["E01000001"], name="zone")
    >>> sexes = tuple(Category(s, s, frozenset([s])) for s in ("female", "male"))
    >>> cells = pd.MultiIndex.from_arrays([["female", "male"]], names=["sex"])
    >>> targets = pd.DataFrame([[3.0, 1.0]], zone, cells)
    >>> sex = AlignedTable("sex", ("sex",), (sexes,), targets, np.array([1, 0, 1]), everybody, 0.0, targets)
    >>> survey = Microdata("three", pd.DataFrame({"sex": ["male", "female", "male"]}), {}, everybody)
    >>> place, weight = Geography(pd.DataFrame(index=zone)), np.array([2.0, 1.0, 3.0])
    >>> aligned = Aligned(survey, survey.records.index, weight, (sex,), (), place, pd.DataFrame(), pd.Series(0.0, zone))
    >>> problem = formulate(aligned)
    >>> problem.cell_of, problem.start, problem.donor
    (array([[0, 1]], dtype=int32), array([1., 5.]), array([1, 0, 2], dtype=int32))
    """
    if distributions:
        aligned = replace(aligned, distributions=(*aligned.distributions, *distributions))
    above = [c for level in aligned.levels for c in level.constraints]
    if aligned.households is None:
        units = _persons(aligned, above)
    elif aligned.distributions:
        raise ValueError("distributions are of people: they do not go with whole households")
    else:
        units = _whole(aligned, above)
    start = _first_cells(aligned.constraints)
    donor = np.argsort(units.profile, kind="stable")
    n_profiles = len(units.example)
    return Problem(
        start=np.bincount(units.profile, weights=units.weight, minlength=n_profiles),
        cell_of=units.cell_of[: len(aligned.constraints)],
        constraint_start=start,
        targets=np.concatenate([c.targets.to_numpy() for c in aligned.constraints], axis=1),
        zone_keys=np.fromiter((zone_key(code) for code in aligned.zones.tolist()), dtype=np.uint64, count=len(aligned.zones)),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(units.profile, minlength=n_profiles))]),
        donor=donor,
        donor_weight=units.weight[donor],
        zones=aligned.zones,
        records=aligned.records,
        cells=_labels(aligned.constraints),
        standard_error=_errors(aligned.constraints),
        published=np.concatenate([c.published.to_numpy() for c in aligned.constraints], axis=1),
        stratum=_numbered(aligned, aligned.survey.strata),
        cluster=_numbered(aligned, aligned.survey.cluster, alone=True),
        levels=_levels(aligned, units),
        aligned=aligned,
        **units.more,
    )


@dataclass(frozen=True, eq=False)
class _Units:
    """What is placed, collapsed to profiles.

    profile : (n_units,) profile of each unit; weight : (n_units,); example : (n_profiles,) a unit of each; cell_of :
    (n_constraints + those of levels, n_profiles), numbered within the zones' constraints and within each level's; counted :
    (n_profiles, n_cells + those of levels) members by cell, None for persons; more : further fields of the problem.
    """

    profile: np.ndarray
    weight: np.ndarray
    example: np.ndarray
    cell_of: np.ndarray
    counted: np.ndarray | None
    more: dict


def _first_cells(constraints: Sequence[AlignedTable]) -> np.ndarray:
    """First cell of each constraint, then their number."""
    return np.concatenate([[0], np.cumsum([c.targets.shape[1] for c in constraints])]).astype(np.int64)


def _labels(constraints: Sequence[AlignedTable]) -> pd.MultiIndex:
    return pd.MultiIndex.from_tuples(
        [(c.name, label) for c in constraints for label in c.cell_labels], names=["constraint", "category"]
    )


def _errors(constraints: Sequence[AlignedTable]) -> np.ndarray:
    """Put together the standard error of each target: (n_cells,), or (n_zones, n_cells) where zones differ in one."""
    errors = [c.standard_errors for c in constraints]
    if any(e.ndim == 2 for e in errors):
        errors = [np.broadcast_to(e, c.targets.shape) for e, c in zip(errors, constraints, strict=True)]
    return np.concatenate(errors, axis=-1)


def _numbers(aligned: Aligned) -> list[int]:
    """First cell of each constraint within the zones' or its level's: zones' constraints first, then level by level."""
    return [
        int(n) for tables in (aligned.constraints, *(v.constraints for v in aligned.levels)) for n in _first_cells(tables)[:-1]
    ]


def _persons(aligned: Aligned, above: list[AlignedTable]) -> _Units:
    """Collapse records alike on every constraint, of the levels above too, and bin."""
    from synthpop_gb.kernels.collapse import collapse

    tables = [*aligned.constraints, *above]
    cells = np.stack([c.record_cell for c in tables])
    bins, n_bins = _bins(aligned)
    first, profile = collapse(np.concatenate([cells, bins]), [*(c.targets.shape[1] for c in tables), *n_bins])
    mine = cells[:, first]
    cell_of = np.where(mine >= 0, mine + np.array(_numbers(aligned))[:, None], -1)
    return _Units(profile, aligned.weight, first, cell_of, None, _guides(aligned, bins[:, first], n_bins))


def _whole(aligned: Aligned, above: list[AlignedTable]) -> _Units:
    """Collapse households alike in size and in the members that every cell counts."""
    homes, tables = aligned.households, [*aligned.constraints, *above]
    unit, n_units, first = homes.of_record, len(homes.ids), _first_cells(tables)
    counted = np.zeros((n_units, first[-1] + 2), np.int32)
    for c, offset in zip(tables, first, strict=False):
        inside = c.record_cell >= 0
        np.add.at(counted, (unit[inside], c.record_cell[inside] + offset), 1)
    counted[:, -2], counted[:, -1] = homes.size, homes.communal
    # the fullest first cells first, as profiles of persons are ordered: negated, since unique() sorts upwards
    rows, example, profile = np.unique(-counted, axis=0, return_index=True, return_inverse=True)
    rows = -rows
    cell_of = np.full((len(tables), len(rows)), -1, np.int64)
    for c, (table, number) in enumerate(zip(tables, _numbers(aligned), strict=True)):
        if table.universe.unit == "household":
            mine = rows[:, first[c] : first[c + 1]]
            cell_of[c] = np.where(mine.any(axis=1), mine.argmax(axis=1) + number, -1)
    n_cells = _first_cells(aligned.constraints)[-1]
    more = {
        "incidence": Incidence.of_rows(rows[:, :n_cells]), "households": homes.ids, "member_start": homes.member_start,
        "member": homes.member, "size": rows[:, -2], "communal": rows[:, -1] > 0,
    }  # fmt: skip
    return _Units(profile.reshape(-1), homes.weight, example, cell_of, rows[:, :-2], more)


def _levels(aligned: Aligned, units: _Units) -> tuple[Level, ...]:
    """Constraints of the levels above as arrays."""
    made, row, cell = [], len(aligned.constraints), _first_cells(aligned.constraints)[-1]
    for level in aligned.levels:
        if not level.constraints:
            continue
        tables, first = level.constraints, _first_cells(level.constraints)
        if not tables:
            continue  # it only judges, or is learnt from
        members = None if units.counted is None else Incidence.of_rows(units.counted[:, cell : cell + first[-1]])
        made.append(Level(
            name=level.name, areas=level.areas, of_zone=level.of_zone,
            targets=np.concatenate([c.targets.to_numpy() for c in tables], axis=1),
            cell_of=units.cell_of[row : row + len(tables)], constraint_start=first, cells=_labels(tables),
            standard_error=_errors(tables),
            published=np.concatenate([c.published.to_numpy() for c in tables], axis=1), incidence=members,
        ))  # fmt: skip
        row, cell = row + len(tables), cell + first[-1]
    return tuple(made)


def _numbered(aligned: Aligned, column: str | None, *, alone: bool = False) -> np.ndarray | None:
    """Return a number for each value of a column over the units; those without one are each `alone`, or in one group.

    Of a household its reference speaks.
    """
    if column is None:
        return None
    spokesmen = aligned.records if aligned.households is None else aligned.records[aligned.households.reference]
    values = aligned.survey.records.loc[spokesmen, column]
    number, known = pd.factorize(values.astype(str).where(values.notna()), sort=True)
    missing = number < 0
    number[missing] = len(known)
    if alone:
        number[missing] += spokesmen[missing].astype(str).argsort().argsort()
    return number


def _bins(aligned: Aligned) -> tuple[np.ndarray, list[int]]:
    """(n_distributions, n_records) bin of each record, and how many bins each distribution has. Raises InputError."""
    if not aligned.distributions:
        return np.empty((0, len(aligned.records)), np.int64), []
    frame = aligned.frame()
    refuse([f for d in aligned.distributions for f in d.findings(frame, aligned.zones)])
    bins = np.stack([d.bins(frame[d.column].to_numpy(dtype=np.float64)) for d in aligned.distributions])
    return bins, [len(d.edges) + 1 for d in aligned.distributions]


def _guides(aligned: Aligned, bins: np.ndarray, n_bins: list[int]) -> dict:
    """Fields of the problem that tell of distributions; none where there are none."""
    if not n_bins:
        return {}
    first = np.concatenate([[0], np.cumsum(n_bins)])
    return {
        "guide_of": bins + first[:-1, None],
        "guide_start": first,
        "guide_targets": np.concatenate([d.shares(aligned.zones) for d in aligned.distributions], axis=1),
        "guides": pd.MultiIndex.from_tuples(
            [(d.column, label) for d in aligned.distributions for label in d.labels], names=["distribution", "bin"]
        ),
    }
