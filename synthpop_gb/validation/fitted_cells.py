"""The fractional fit in the same cells as the recount: what the whole people were rounded from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.population import Population
from synthpop_gb.validation.recount import Ledger

__all__ = ["FittedCells"]

_LANES = 2**20
"""Weights handled at once: 8 MB, so that every table gathers whole vectors of zones from a copy that stays near."""


class FittedCells:
    """Fractional people by cell, computed from the duals a block at a time; dense weights exist for one block only.

    Cells of a table that was not fitted follow from the donors of each profile, by design weight, as they are placed.

    Parameters
    ----------
    population : Population
        Must have duals.
    ledger : Ledger
        The cells wanted.
    records : pandas.Index
        Records that the ledger counts; those of the population's problem.

    Raises
    ------
    ValueError
        Where the population was made from other records.
    """

    def __init__(self, population: Population, ledger: Ledger, records: pd.Index):
        from scipy.sparse import csr_array

        problem = population.problem
        if not problem.records.equals(records):
            raise ValueError("population and `aligned` have different records: harmonise the study that it was made from")
        profile, record, share = problem.people_shares()
        shape = (len(ledger.slot_start) - 1, problem.n_profiles)
        self._matrix = ledger.membership(csr_array((share, (ledger.class_of[record], profile)), shape=shape))
        self._fitted, self._lanes = population.fitted, max(4, _LANES // max(problem.n_profiles, 1))

    def __call__(self, where: np.ndarray) -> np.ndarray:
        """(n, n_columns) float64 people of some zones (positions in the problem)."""
        out = np.empty((len(where), self._matrix.shape[0]))
        weights = self._fitted(where)
        for first in range(0, len(where), self._lanes):
            some = slice(first, first + self._lanes)
            out[some] = (self._matrix @ np.ascontiguousarray(weights[some].T)).T
        return out
