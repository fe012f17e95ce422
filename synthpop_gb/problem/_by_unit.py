"""The same problem with a profile for every donor: what a population is of whose single copies were exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.problem._problem import Problem

__all__ = ["by_unit"]


def by_unit(problem: Problem) -> Problem:
    """Return the same problem with a profile for every donor, in the donors' order.

    Cells, sizes and targets are the same; tables of larger areas, guides, tilts and caps, which only solving heeds, are gone.

    >>> from synthpop_gb.testing import small_problem
    >>> by_unit(small_problem()).n_profiles
    6
    """
    of = problem.donor_profile
    rows = None
    if problem.incidence is not None:
        matrix = problem.incidence.matrix()[of].tocsr()
        matrix.sort_indices()
        rows = Incidence(matrix.indptr, matrix.indices, matrix.data, problem.n_cells)
    return replace(
        problem, start=problem.donor_weight, cell_of=problem.cell_of[:, of], donor_start=np.arange(len(problem.donor) + 1),
        incidence=rows, size=None if problem.size is None else problem.size[of],
        communal=None if problem.communal is None else problem.communal[of], levels=(), first_duals=None, guide_of=None,
        guide_start=None, guide_targets=None, guides=None, tilt_of=None, tilt=None, max_copies=None,
    )  # fmt: skip
