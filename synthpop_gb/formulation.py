"""Formulate: the one step from tables to arrays. Records alike on every constraint become one profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.distribution import Distribution
from synthpop_gb.errors import refuse
from synthpop_gb.problem import Problem, zone_key

__all__ = ["formulate"]


def formulate(aligned: Aligned, *, distributions: Sequence[Distribution] = ()) -> Problem:
    """Turn aligned inputs into the arrays that a solver needs.

    Profiles are the distinct combinations of cells among the records, in the order of their cells (the first constraint
    weighing most), so that the order does not depend on the order of the records; no method can tell the records of a
    profile apart (Müller & Axhausen 2011 and PopulationSim group households likewise). A profile starts with the sum of its
    records' design weights. Zones keep the order of `aligned`; nothing but `targets`, `zone_keys` and `zones` depends on it.

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
    from synthpop_gb.kernels.collapse import collapse

    if distributions:
        aligned = replace(aligned, distributions=(*aligned.distributions, *distributions))
    cells = np.stack([c.record_cell for c in aligned.constraints])
    sizes = [c.targets.shape[1] for c in aligned.constraints]
    start = np.concatenate([[0], np.cumsum(sizes)])
    bins, n_bins = _bins(aligned)
    first, inverse = collapse(np.concatenate([cells, bins]), [*sizes, *n_bins])
    profile_cells = cells[:, first]
    donor = np.argsort(inverse, kind="stable")
    return Problem(
        start=np.bincount(inverse, weights=aligned.weight, minlength=len(first)),
        cell_of=np.where(profile_cells >= 0, profile_cells + start[:-1, None], -1),
        constraint_start=start,
        targets=np.concatenate([c.targets.to_numpy() for c in aligned.constraints], axis=1),
        zone_keys=np.fromiter((zone_key(code) for code in aligned.zones.tolist()), dtype=np.uint64, count=len(aligned.zones)),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(inverse, minlength=len(first)))]),
        donor=donor,
        donor_weight=aligned.weight[donor],
        zones=aligned.zones,
        records=aligned.records,
        cells=pd.MultiIndex.from_tuples(
            [(c.name, label) for c in aligned.constraints for label in c.cell_labels], names=["constraint", "category"]
        ),
        standard_error=np.concatenate([c.standard_errors for c in aligned.constraints]),
        published=np.concatenate([c.published.to_numpy() for c in aligned.constraints], axis=1),
        stratum=_numbered(aligned, aligned.survey.strata),
        cluster=_numbered(aligned, aligned.survey.cluster, alone=True),
        aligned=aligned,
        **_guides(aligned, bins[:, first], n_bins),
    )


def _numbered(aligned: Aligned, column: str | None, *, alone: bool = False) -> np.ndarray | None:
    """Return a number for each value of a column over the usable records; those without one are each `alone`, or in one group."""
    if column is None:
        return None
    values = aligned.survey.records.loc[aligned.records, column]
    number, known = pd.factorize(values.astype(str).where(values.notna()), sort=True)
    missing = number < 0
    number[missing] = len(known)
    if alone:
        number[missing] += aligned.records[missing].astype(str).argsort().argsort()
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
