"""QISI: whole people drawn one after another by Sobol points from the fit to what is left, so that margins are exact.

Quasirandom integer sampling (Smith, Lovelace & Birkin 2017), on the profiles of the survey. What is kept of the fit is its duals,
as by the method 'ipf'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthpop_gb.kernels.ipf import fit_block
from synthpop_gb.kernels.layout import whole_work
from synthpop_gb.kernels.quasi_layout import quasi_layout, quasi_work
from synthpop_gb.kernels.quasirandom import qisi_block
from synthpop_gb.kernels.repair import MAX_MOVES
from synthpop_gb.kernels.streams import QUASI
from synthpop_gb.methods._checks import check_above, check_whole
from synthpop_gb.methods._method import BlockResult, Streams, register_method
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._sobol import sobol_directions
from synthpop_gb.methods.ipf import _layouts
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

__all__ = ["QISI", "QISIOptions"]


@dataclass(frozen=True)
class QISIOptions:
    """Options of the method 'qisi'.

    Attributes
    ----------
    tolerance : float
        Largest miss of a target by the fractional weights that people are drawn from, in persons.
    max_cycles : int
        Limit of cycles and Newton steps of that fit, a zone.
    refit : float
        Share of the people still to be drawn after whose draw weights are fitted to what remains anew, above 0 and at most 1.
        The last 1 / refit people are each followed by a fit; 1 never fits again.
    refit_cycles : int
        Limit of cycles of such a fit.
    max_moves : int
        Limit of exchanges that bring people onto the targets where the survey had no record for the last of them.

    Raises
    ------
    ValueError
        For a value outside its range.
    """

    tolerance: float = 1e-6
    max_cycles: int = 1000
    refit: float = 0.1
    refit_cycles: int = 5
    max_moves: int = MAX_MOVES

    def __post_init__(self):
        check_above("tolerance", self.tolerance)
        check_above("refit", self.refit)
        if self.refit > 1:
            raise ValueError(f"refit is a share, at most 1, not {self.refit}")
        for name, least in (("max_cycles", 1), ("refit_cycles", 1), ("max_moves", 0)):
            check_whole(name, getattr(self, name), least)


class QISI:
    """The method 'qisi'; see the module."""

    name, options, needs = "qisi", QISIOptions, "cells"

    def solve_block(self, problem: Problem, zones: np.ndarray, options: QISIOptions, streams: Streams) -> BlockResult:
        """Fit the zones at these positions and draw their people.

        `extra` says by zone: `stuck`, people still to be drawn when no profile had all its cells open; `moves`, exchanges made.
        """
        layouts, targets = _layouts(problem), problem.targets[zones]
        first = None if problem.first_duals is None else problem.first_duals[zones]
        fit = fit_block(layouts.fit, targets, options.tolerance, False, options.max_cycles, duals=first)
        tree = _tree(problem)
        told = np.empty((len(zones), 4))
        people = targets.sum(axis=1).max(initial=1.0)  # of all tables together: more than anybody draws
        indptr, profile, count = qisi_block(
            problem.start,
            problem.cell_of,
            fit.duals,
            fit.status,
            targets,
            tree,
            quasi_work(tree),
            layouts.whole,
            whole_work(layouts.whole),
            sobol_directions(problem.n_constraints, math.ceil(people) + 1),
            streams.keys(problem.zone_keys[zones], QUASI),
            options.refit,
            options.refit_cycles,
            options.max_moves,
            told,
        )
        worst_cell = np.where(fit.status == FitStatus.CONVERGED, -1, fit.worst_cell)
        remainder, stuck, _, moves = told.T
        extra = {"stuck": stuck, "moves": moves}
        return BlockResult(
            indptr, profile, count, fit.status, fit.cycles, fit.residual, worst_cell, remainder.copy(), fit.duals, extra
        )


_tree = Remembered(lambda problem: quasi_layout(problem.cell_of, problem.constraint_start), start=False)

register_method(QISI())
