"""IPF: the weights nearest the start weights, in relative entropy, that meet every table; then whole people.

Iterative proportional fitting (Deming & Stephan 1940) and Newton's method on the dual lead to the same weights; the kernel takes
whichever is faster. What is kept of a fit is its duals, from which `Population.fitted` computes the weights again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from synthpop_gb.kernels.balance import balance_bounded, balance_work
from synthpop_gb.kernels.block import whole_block
from synthpop_gb.kernels.fit_layout import FitLayout, fit_layout
from synthpop_gb.kernels.ipf import fit_block, weights_from_duals
from synthpop_gb.kernels.layout import WholeLayout, whole_layout, whole_work
from synthpop_gb.kernels.repair import MAX_MOVES
from synthpop_gb.kernels.streams import WHOLE
from synthpop_gb.methods._checks import check_above, check_choice, check_whole
from synthpop_gb.methods._method import BlockResult, Streams, register_method
from synthpop_gb.methods._nested_people import people_that_nest
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._tilted import log_start, tilted_cells, with_tilt
from synthpop_gb.methods.integerise import INTEGERISE
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

__all__ = ["IPF", "IPFOptions"]


@dataclass(frozen=True)
class IPFOptions:
    """Options of the method 'ipf'.

    Attributes
    ----------
    tolerance : float
        Largest miss of a target by the fractional weights, in persons; with `relative` in shares of the target.
    relative : bool
        Measure the tolerance as a share of each target.
    max_cycles : int
        Limit of cycles and Newton steps a zone; a zone that contradicts itself is stopped long before.
    integerise : str
        How weights become whole people: 'halving', 'cube', 'trs' or 'largest_remainder' (see `methods.integerise`).
    max_moves : int
        Limit of moves that bring whole people onto the targets, a zone; real zones take 1 to 10.
    newton : bool
        Finish with Newton steps; False for plain cycles, which end at the same weights.

    Raises
    ------
    ValueError
        For a value outside its range.
    """

    tolerance: float = 1e-6
    relative: bool = False
    max_cycles: int = 1000
    integerise: Literal["halving", "cube", "trs", "largest_remainder"] = "halving"
    max_moves: int = MAX_MOVES
    newton: bool = True

    def __post_init__(self):
        check_above("tolerance", self.tolerance)
        check_whole("max_cycles", self.max_cycles, 1)
        check_whole("max_moves", self.max_moves, 0)
        check_choice("integerise", self.integerise, INTEGERISE)


class IPF:
    """The method 'ipf'; see the module.

    Where donors may stand only so often in a zone (`Problem.max_copies`), the weights are the nearest that keep to it: each is
    the smaller of what its duals say and what its profile may have. The column `at_limit` of the status counts those profiles.
    """

    name, options, needs = "ipf", IPFOptions, "cells"
    tilts, caps, nests = True, True, True

    def solve_block(self, problem: Problem, zones: np.ndarray, options: IPFOptions, streams: Streams) -> BlockResult:
        """Fit the zones at these positions and draw their whole people."""
        if problem.levels:
            return self._nested(problem, zones, options, streams)
        layouts, targets = _layouts(problem), problem.targets[zones]
        fit = fit_block(
            layouts.fit, targets, options.tolerance, options.relative, options.max_cycles, newton=options.newton,
            duals=None if problem.first_duals is None else problem.first_duals[zones],
            tilt=None if problem.tilt is None else problem.tilt[zones],
        )  # fmt: skip
        cell_of, duals = tilted_cells(problem)[0], with_tilt(problem, fit.duals, zones)
        most, extra = None, None
        if problem.max_copies is not None:
            most = np.diff(problem.donor_start), problem.caps(zones)
            extra = {"at_limit": _capped(problem, zones, cell_of, duals, most, options, fit)}
            duals = with_tilt(problem, fit.duals, zones)
        draw, repaired = INTEGERISE[options.integerise]
        max_moves, work = options.max_moves if repaired else 0, whole_work(layouts.whole)
        states, remainder = streams.keys(problem.zone_keys[zones], WHOLE), np.empty(len(zones))
        indptr, profile, count = whole_block(
            draw,
            problem.start,
            cell_of,
            duals,
            fit.status,
            targets,
            layouts.whole,
            work,
            states,
            max_moves,
            remainder,
            most=most,
        )
        worst_cell = np.where(fit.status == FitStatus.CONVERGED, -1, fit.worst_cell)  # within the tolerance: nowhere worth naming
        return BlockResult(indptr, profile, count, fit.status, fit.cycles, fit.residual, worst_cell, remainder, fit.duals, extra)

    def _nested(self, problem: Problem, zones: np.ndarray, options: IPFOptions, streams: Streams) -> BlockResult:
        """Fit zones together with the areas above them, from where each zone's own fit ends."""
        first = None if problem.first_duals is None else problem.first_duals[zones]
        if problem.max_copies is not None:
            raise ValueError(
                "caps on donors look at one zone alone, and the levels of this study bind zones together: leave one out"
            )
        if first is None:
            tilt = None if problem.tilt is None else problem.tilt[zones]
            targets, limits = problem.targets[zones], (options.tolerance, options.relative, options.max_cycles)
            alone = fit_block(_fit_layout(problem), targets, *limits, newton=options.newton, tilt=tilt).duals
            first = np.concatenate([alone, np.zeros((len(zones), problem.n_duals - problem.n_cells))], axis=1)
        return people_that_nest(problem, zones, options, streams, first)


def _capped(problem: Problem, zones, cell_of, duals, most, options: IPFOptions, fit) -> np.ndarray:
    """Bring weights under what each profile may have, `fit` with them; returns how many profiles of each zone stand at it.

    Zones in which the fit exceeds it nowhere stay as they are, to the bit. The others go on from their duals under the limit.
    """
    targets, held, donors, caps = problem.targets[zones], np.zeros(len(zones), np.int32), *most
    free, members, exact = np.empty(problem.n_profiles), problem.members, np.zeros(problem.n_cells)
    work = balance_work(problem.n_profiles, problem.n_cells)
    for z in np.flatnonzero(fit.status != FitStatus.EMPTY):
        high = (donors * caps[z]).astype(np.float64)
        if (weights_from_duals(problem.start, cell_of, duals[z], free) <= high * (1 + 1e-12)).all():
            continue
        lowest = targets[z][targets[z] > 0].min(initial=np.inf) if options.relative else 1.0
        before, mine = fit.cycles[z], fit.duals[z].copy()
        begin, low = log_start(problem, zones[z : z + 1])[0], np.zeros(len(high))
        fit.status[z], steps, fit.residual[z], fit.worst_cell[z] = balance_bounded(
            members.start, members.cell, members.count, begin, low, high, targets[z], exact,
            options.tolerance * lowest, options.max_cycles, mine, free, work,
        )  # fmt: skip
        fit.duals[z], fit.cycles[z] = mine, before + steps
        held[z] = (free >= high).sum()
    return held


class _Layouts(NamedTuple):
    """What the kernels work out once per problem."""

    fit: FitLayout
    whole: WholeLayout


def _layouts(problem: Problem) -> _Layouts:
    return _Layouts(_fit_layout(problem), _whole_layout(problem))


_fit_layout = Remembered(lambda p: fit_layout(p.start, *tilted_cells(p)))
_whole_layout = Remembered(lambda p: whole_layout(p.cell_of, p.constraint_start), start=False)

register_method(IPF())
