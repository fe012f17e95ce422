"""Balance: weights of whole households that meet household and person tables together; then whole households.

Entropy balancing finds the weights nearest the start weights, in relative entropy, that meet every table, within its publisher's
noise where there is any (`kernels.balance`). What is kept of a fit is its duals, from which `Population.fitted` computes the
weights again. Whole households are drawn and brought onto household and person tables by `_whole_households`. A problem of
persons is balanced the same way: everybody is then a household of their own. Formulas: the methods page on households.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.kernels.links import Link
from synthpop_gb.kernels.streams import WHOLE
from synthpop_gb.methods._balance_options import BalanceOptions
from synthpop_gb.methods._balanced import ZoneFits, balance_link, fit_zones
from synthpop_gb.methods._method import BlockResult, Streams, register_method
from synthpop_gb.methods._nested import level_remainder
from synthpop_gb.methods._nested_balance import fit_zones_together
from synthpop_gb.methods._whole_households import whole_households
from synthpop_gb.problem import Problem

__all__ = ["Balance", "BalanceOptions"]


class Balance:
    """The method 'balance'; see the module.

    What it adds to the status of a zone, beside what placing whole households tells (`whole_households`):

    - tae_published: total absolute error of the whole population against the counts as published, households and people together.
    - shift: largest difference between the fit and a soft count as published.
    - level_remainder, where levels bind zones together: total absolute error of the areas that the zone lies in.
    - misfit: sum over soft cells of (fit - published)^2 / variance. Noise alone brings about 1 for every soft cell that says
      something of its own.
    """

    name, options, needs = "balance", BalanceOptions, "incidence"
    tilts, caps, nests = True, True, True

    def link(self, options: BalanceOptions) -> Link:
        """Return what makes weights of the duals."""
        return balance_link(options)

    def solve_block(self, problem: Problem, zones: np.ndarray, options: BalanceOptions, streams: Streams) -> BlockResult:
        """Balance the zones at these positions and place their whole households."""
        fits = fit_zones_together(problem, zones, options) if problem.levels else fit_zones(problem, zones, options)
        goals, settled = self._goals(problem, zones, fits, streams)
        states = streams.keys(problem.zone_keys[zones], WHOLE)
        most = None if problem.max_copies is None else _most(problem, zones)
        whole = whole_households(problem, zones, fits.weights, goals, options, states, most=most)
        extra = dict(whole.extra) | _told(problem, zones, fits, whole)
        if problem.levels:
            extra["level_remainder"] = level_remainder(problem, zones, *whole[:3])
        return BlockResult(
            whole.indptr, whole.profile, whole.count, fits.status, fits.steps, fits.residual, fits.worst, whole.remainder,
            fits.duals, extra, settled,
        )  # fmt: skip

    def _goals(self, problem: Problem, zones: np.ndarray, fits: ZoneFits, streams: Streams):
        """Whole targets of the zones, and the same where some of them are not the problem's, else None."""
        goals = np.rint(problem.targets[zones])
        return goals, None


def _most(problem: Problem, zones: np.ndarray) -> np.ndarray:
    """(n, n_profiles) int32: units that each zone may have of a profile, its donors times the limit on copies."""
    most = np.diff(problem.donor_start) * problem.caps(zones)[:, None]
    return np.minimum(most, np.iinfo(np.int32).max).astype(np.int32)


def _told(problem: Problem, zones: np.ndarray, fits: ZoneFits, whole) -> dict[str, np.ndarray]:
    """Columns of the status that tell how fit and whole households compare with what was published."""
    matrix, n = problem.members.matrix(), len(zones)
    published = problem.targets[zones] if problem.published is None else problem.published[zones]
    counted, shift, misfit = np.zeros((n, problem.n_cells)), np.zeros(n), np.zeros(n)
    for row in range(n):
        mine = slice(whole.indptr[row], whole.indptr[row + 1])
        counted[row] = whole.count[mine] @ matrix[whole.profile[mine]]
        soft = fits.variance[row] > 0
        if soft.any():
            gap = (fits.weights(row) @ matrix - published[row])[soft]
            shift[row], misfit[row] = np.abs(gap).max(), (gap**2 / fits.variance[row, soft]).sum()
    return {"tae_published": np.abs(counted - published).sum(axis=1), "shift": shift, "misfit": misfit}


register_method(Balance())
