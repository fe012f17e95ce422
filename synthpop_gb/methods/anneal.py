"""Combinatorial optimisation: whole records chosen by simulated annealing until the tables are met.

Williamson, Birkin & Rees (1998) choose, for each zone, the combination of survey records that comes nearest its tables; Voas &
Williamson (2000) and Harland et al. (2012) do so by simulated annealing. Here annealing starts from whole people drawn from the
fit of `ipf`, so that there is little left to do, and can heed what no fit can: weights of tables, and distributions of
statistics that are no constraint (`formulate(aligned, distributions=...)`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from synthpop_gb.kernels import anneal as rules
from synthpop_gb.kernels.anneal import Schedule
from synthpop_gb.kernels.anneal_block import DESIGN, FITTED, RANDOM, RECORDS, anneal_block, anneal_out
from synthpop_gb.kernels.anneal_layout import AnnealLayout, anneal_layout, anneal_work
from synthpop_gb.kernels.fit_layout import FitLayout, fit_layout
from synthpop_gb.kernels.ipf import fit_block, weights_from_duals
from synthpop_gb.kernels.layout import WholeLayout, whole_layout, whole_work
from synthpop_gb.kernels.streams import ANNEAL, START, WHOLE
from synthpop_gb.kernels.whole import CUBE, HALVING, TRS
from synthpop_gb.methods._anneal_options import AnnealOptions
from synthpop_gb.methods._method import BlockResult, Streams, make_options, register_method
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

__all__ = ["FALLBACKS", "STOPPED", "Anneal", "AnnealOptions", "anneal_trace"]

STOPPED = {
    rules.MET: "met",
    rules.FLOOR: "floor",
    rules.NO_MOVE: "no move accepted",
    rules.UNCHANGED: "unchanged",
    rules.STEPS: "steps",
    rules.PROPOSALS: "proposals",
    rules.NOBODY: "nobody",
    rules.NO_DONORS: "no donors",
}
"""Words for the rule that ended a zone:

- 'met': every table (and distribution) is met. 'floor': nothing is missed but what tables that disagree on their total must miss.
- 'no move accepted': a whole step of temperature accepted no move. 'unchanged': so many steps left the objective unchanged.
- 'steps', 'proposals': the limit was reached while it was still moving.
- 'nobody': the zone has no people. 'no donors': no profile has a weight.
"""

FALLBACKS = {
    "": "",
    "fewest empty cells": "no donor was free of attributes of which the zone has nobody: those with the fewest were taken",
}
"""Words for what a zone did where the rule of eligible donors left nobody."""

_BEGIN = {"halving": HALVING, "cube": CUBE, "trs": TRS, "random": RANDOM}
_BY = {"fitted": FITTED, "design": DESIGN, "uniform": RECORDS}
UNFIT_HOTTER, UNFIT_ATTEMPTS, UNFIT_PLAINER = 10.0, 5.0, 8.0
"""Zones that no weights fit: times the temperature, times the proposals a step, fewer of them guided by this factor."""
_TRACED = 1000  # rows of a trace, about


class Anneal:
    """The method 'anneal'; see the module."""

    name, options, needs = "anneal", AnnealOptions, "cells"
    heeds_distributions = True

    def solve_block(self, problem: Problem, zones: np.ndarray, options: AnnealOptions, streams: Streams) -> BlockResult:
        """Fit the zones at these positions, draw people from the fit, and anneal them."""
        return _solve(problem, zones, options, streams, np.empty((0, 3)), 1)


def _solve(problem: Problem, zones: np.ndarray, options: AnnealOptions, streams: Streams, trace: np.ndarray, every: int):
    layouts, targets, keys = _layouts(problem), problem.targets[zones], problem.zone_keys[zones]
    first = None if problem.first_duals is None else problem.first_duals[zones]
    fit = fit_block(layouts.fit, targets, options.tolerance, False, options.max_cycles, duals=first)
    price = _price(problem, options)
    people = _people(problem, targets, price, fit)
    out = anneal_out(len(zones))
    indptr, profile, count = anneal_block(
        _BEGIN[options.start], _BY[options.donors], problem.start, np.diff(problem.donor_start).astype(np.float64),
        problem.cell_of, fit.duals, fit.status, targets, people, price, _over_targets(problem, zones, people),
        float(options.distribution_weight), layouts.whole, whole_work(layouts.whole), layouts.anneal,
        anneal_work(layouts.anneal), *_schedules(options, price),
        np.stack([streams.keys(keys, purpose) for purpose in (WHOLE, START, ANNEAL)]), out, trace, every,
    )  # fmt: skip
    extra = {
        "stopped": np.array([*STOPPED.values()])[out.stopped],
        "proposals": out.proposals,
        "accepted": out.accepted,
        "eligible": out.eligible,
        "fallback": np.array([*FALLBACKS])[(out.empty > 0).astype(int)],
    }
    if problem.n_guides:
        extra["distance"] = out.distance
    worst_cell = np.where(fit.status == FitStatus.CONVERGED, -1, fit.worst_cell)
    return BlockResult(indptr, profile, count, fit.status, out.steps, fit.residual, worst_cell, out.tae, fit.duals, extra)


def anneal_trace(problem: Problem, zone, options=None, seed: int = 0) -> pd.DataFrame:
    """Anneal one zone again, on the same random streams, and tell how its error fell.

    Parameters
    ----------
    problem : Problem
        As given to `solve`.
    zone : code of the zone
    options : mapping or AnnealOptions, optional
        As given to `solve`.
    seed : int
        As given to `solve`: the zone ends with the same people.

    Returns
    -------
    pandas.DataFrame
        About a thousand rows: proposals made so far, temperature (persons), tae (persons). The last row is how it ended.

    Raises
    ------
    KeyError
        Where the problem has no such zone.

    Examples
    --------
    >>> from synthpop_gb.testing import small_problem
    >>> trace = anneal_trace(small_problem(), "Z00001", {"start": "random"}, seed=1)
    >>> int(trace["tae"].iloc[0]), int(trace["tae"].iloc[-1])
    (4, 0)
    """
    options, streams = make_options(ANNEALING, options), Streams(seed)
    where = np.array([problem.zones.get_loc(zone)])
    made = _solve(problem, where, options, streams, np.empty((0, 3)), 1).extra["proposals"][0]
    trace = np.full((_TRACED + 3, 3), np.nan)
    _solve(problem, where, options, streams, trace, max(1, int(made) // _TRACED))
    frame = pd.DataFrame(trace, columns=["proposals", "temperature", "tae"]).dropna()
    frame = frame.drop_duplicates("proposals", keep="last").reset_index(drop=True)
    return frame.astype({"proposals": np.int64, "tae": np.int64})


def _price(problem: Problem, options: AnnealOptions) -> np.ndarray:
    """(n_cells + 1,) what a person too many or too few costs in each cell; raises ValueError for a table that is not there."""
    weights, names = dict(options.weights or {}), problem.cells.get_level_values(0)
    if unknown := sorted(set(weights) - set(names)):
        raise ValueError(
            f"weights names no constraint of this problem: {', '.join(unknown)}; there are {', '.join(dict.fromkeys(names))}"
        )
    return np.append(np.array([float(weights.get(name, 1.0)) for name in names]), 0.0)


def _schedules(options: AnnealOptions, price: np.ndarray) -> tuple[Schedule, Schedule]:
    """Schedules of zones that weights can fit, and of zones that none can; a preset has one for both.

    Temperatures become absolute: a move changes the objective by multiples of twice the smallest price of a cell. Where no
    weights meet the tables every state misses much, so that guided proposals, which cost several plain ones, find little, and
    another heating ends where the first did: such zones get more, and plainer, proposals and one cooling, from higher up.
    """
    move = 2.0 * price[:-1].min(initial=np.inf)
    framework = options.preset == "fmf"
    schedule = Schedule(
        temperature=float(options.temperature * (move if np.isfinite(move) else 2.0)), cooling=float(options.cooling),
        steps=int(options.steps), attempts=float(options.attempts), successes=float(options.successes),
        unchanged=int(options.unchanged), reheats=int(options.reheats), max_proposals=int(options.max_proposals),
        guided=float(options.guided), like=framework, best=not framework,
    )  # fmt: skip
    if framework:
        return schedule, schedule
    unfit = schedule._replace(
        temperature=UNFIT_HOTTER * schedule.temperature, attempts=UNFIT_ATTEMPTS * schedule.attempts,
        guided=schedule.guided / UNFIT_PLAINER, reheats=0,
    )  # fmt: skip
    return schedule, unfit


def _people(problem: Problem, targets: np.ndarray, price: np.ndarray, fit) -> np.ndarray:
    """(n_zones,) int64: how many people each zone gets.

    The total of the tables that count everybody; where they disagree, the one that costs least at their prices (a weighted
    median), of equals the first. Where no table counts everybody: the sum of the fitted weights.
    """
    first, counted = problem.constraint_start, (problem.cell_of >= 0).all(axis=1)
    everybody = np.flatnonzero(counted) if problem.n_profiles else np.arange(problem.n_constraints)
    if not len(everybody):
        sums = [weights_from_duals(problem.start, problem.cell_of, duals).sum() for duals in fit.duals]
        return np.rint(np.where(fit.status == FitStatus.EMPTY, 0.0, np.array(sums))).astype(np.int64).reshape(-1)
    totals = np.stack([np.rint(targets[:, first[k] : first[k + 1]]).sum(axis=1) for k in everybody], axis=1)
    cost = np.abs(totals[:, :, None] - totals[:, None, :]) @ price[first[everybody]]
    return totals[np.arange(len(totals)), cost.argmin(axis=1)].astype(np.int64)


def _over_targets(problem: Problem, zones: np.ndarray, people: np.ndarray) -> np.ndarray:
    """(n_zones, n_bins) int32: people up to and including each bin, as the distributions want them."""
    if not problem.n_guides:
        return np.zeros((len(zones), 0), np.int32)
    share = problem.guide_targets[zones]
    parts = [share[:, a:b] for a, b in zip(problem.guide_start[:-1], problem.guide_start[1:], strict=True)]
    return np.concatenate([np.rint(people[:, None] * np.cumsum(p, axis=1)) for p in parts], axis=1).astype(np.int32)


class _Layouts(NamedTuple):
    """What the kernels work out once per problem."""

    fit: FitLayout
    whole: WholeLayout
    anneal: AnnealLayout


def _lay_out(problem: Problem) -> _Layouts:
    arrays = problem.cell_of, problem.constraint_start
    guides = problem.guide_of, problem.guide_start
    return _Layouts(fit_layout(problem.start, *arrays), whole_layout(*arrays), anneal_layout(*arrays, *guides))


_layouts = Remembered(_lay_out)

ANNEALING = register_method(Anneal())
