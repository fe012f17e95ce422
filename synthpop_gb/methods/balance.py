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
from synthpop_gb.methods._balanced import balance_link, fit_zones
from synthpop_gb.methods._method import BlockResult, Streams, register_method
from synthpop_gb.methods._nested import level_remainder
from synthpop_gb.methods._nested_balance import fit_zones_together
from synthpop_gb.methods._nested_goals import nested_goals
from synthpop_gb.methods._nested_households import nested_households
from synthpop_gb.methods._whole_goals import whole_goals
from synthpop_gb.methods._whole_households import whole_households
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

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
        matrix = problem.members.matrix()
        soft = (fits.variance > 0) & (fits.status != FitStatus.EMPTY)[:, None]
        margins = np.zeros_like(fits.targets)
        for row in np.flatnonzero(soft.any(axis=1)):  # of the others they are not asked for
            margins[row] = fits.weights(int(row)) @ matrix
        goals, above, settled = self._goals(problem, zones, fits, margins, soft, streams)
        states = streams.keys(problem.zone_keys[zones], WHOLE)
        if problem.levels:
            whole = nested_households(problem, zones, fits.weights, goals, above, options, states)
        else:
            whole = whole_households(problem, zones, fits.weights, goals, options, states, most=fits.most)
        gap = np.where(soft, margins - fits.targets, 0.0)
        counted = np.zeros((len(zones), problem.n_cells))
        row = np.repeat(np.arange(len(zones)), np.diff(whole.indptr))
        np.add.at(counted, row, whole.count[:, None] * matrix[whole.profile].toarray())
        published = problem.targets[zones] if problem.published is None else problem.published[zones]
        extra = dict(whole.extra) | {
            "tae_published": np.abs(counted - published).sum(axis=1),
            "shift": np.abs(gap).max(axis=1, initial=0.0),
            "misfit": (gap**2 / np.where(soft, fits.variance, 1.0)).sum(axis=1),
        }
        if problem.levels:
            extra["level_remainder"] = level_remainder(problem, zones, *whole[:3], above)
        return BlockResult(
            whole.indptr, whole.profile, whole.count, fits.status, fits.steps, fits.residual, fits.worst, whole.remainder,
            fits.duals, extra, settled,
        )  # fmt: skip

    @staticmethod
    def _goals(problem, zones, fits, margins, soft, streams):
        """Find whole tables to meet: (of zones, of areas by level, `BlockResult.settled`)."""
        if not problem.levels:
            goals, some = whole_goals(problem, zones, fits.weights, margins, soft, streams)
            return goals, [], goals if some else None
        together = np.concatenate([soft, fits.variance_above > 0], axis=1)
        goals, above = nested_goals(problem, zones, fits.weights, together, streams)
        if not together.any():
            return goals, above, None
        of_areas = (level.by_zone(wanted, zones) for level, wanted in zip(problem.levels, above, strict=True))
        return goals, above, np.concatenate([goals, *of_areas], axis=1)


register_method(Balance())
