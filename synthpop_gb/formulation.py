"""Formulate: the one step from tables to arrays. Records alike on every constraint become one profile."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.problem import Problem, zone_key

__all__ = ["formulate"]


def formulate(aligned: Aligned) -> Problem:
    """Turn aligned inputs into the arrays that a solver needs.

    Profiles are the distinct combinations of cells among the records, in the order of their cells (the first constraint
    weighing most), so that the order does not depend on the order of the records; no method can tell the records of a
    profile apart (Müller & Axhausen 2011 and PopulationSim group households likewise). A profile starts with the sum of its
    records' design weights. Zones keep the order of `aligned`; nothing but `targets`, `zone_keys` and `zones` depends on it.

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

    cells = np.stack([c.record_cell for c in aligned.constraints])
    sizes = [c.targets.shape[1] for c in aligned.constraints]
    start = np.concatenate([[0], np.cumsum(sizes)])
    first, inverse = collapse(cells, sizes)
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
        cluster=_numbered(aligned, aligned.survey.cluster),
        aligned=aligned,
    )


def _numbered(aligned: Aligned, column: str | None) -> np.ndarray | None:
    """Give the values of a column over the usable records numbers, in order; who has none is a group of their own."""
    if column is None:
        return None
    return np.unique(aligned.survey.records.loc[aligned.records, column].astype(str), return_inverse=True)[1].reshape(-1)
