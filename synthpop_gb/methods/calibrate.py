"""Calibration: weights nearest the start weights under a chosen distance, tables met exactly or within their publisher's noise.

Deville & Sarndal (1992) for exact targets: the generalised regression estimator, raking, logit bounds. Where a publisher
perturbed or sampled a table, its counts are soft: the fit minimises the distance plus squared misses over their variances
(penalised maximum entropy; Nagle et al. 2014), so tables that disagree are settled by the fit itself, and whole people are drawn
to whole tables rounded from it. Formulas: the methods page on calibration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.block import whole_block
from synthpop_gb.kernels.calibrate import calibrate_block
from synthpop_gb.kernels.layout import WholeLayout, whole_layout, whole_work
from synthpop_gb.kernels.links import LINKS, Link, fitted_margins, zone_scales
from synthpop_gb.kernels.repair import MAX_MOVES
from synthpop_gb.kernels.rounding import Margins, round_margins, shared_margins
from synthpop_gb.kernels.streams import ROUND, WHOLE
from synthpop_gb.methods._checks import check_above, check_choice, check_whole, is_number
from synthpop_gb.methods._method import BlockResult, Streams, register_method
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._softness import check_softness, soft_targets
from synthpop_gb.methods.integerise import INTEGERISE
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

__all__ = ["Calibrate", "CalibrateOptions"]

_DISTANCES = ("entropy", "linear", "bounded", "logit")
_ZEROS = ("soft", "exact")


@dataclass(frozen=True)
class CalibrateOptions:
    """Options of the method 'calibrate'.

    Attributes
    ----------
    distance : str
        What is least between weights and start weights: 'entropy' (raking: weights above nought, the same as method 'ipf' where
        targets are exact), 'linear' (the generalised regression estimator; weights may be negative), 'bounded' (linear, cut at
        the bounds), 'logit' (smooth within the bounds).
    lower, upper : float
        Bounds of 'bounded' and 'logit' on a weight over its start weight brought to the zone's size: 0 <= lower < 1 < upper. The
        other distances read neither.
    soft : bool
        Meet perturbed or sampled tables within their standard error; False to meet every target exactly.
    standard_error : float or mapping of str to float, optional
        Of each count, persons; instead of the tables' own. One number for all tables, or by constraint; 0 = exact.
    prior : float
        What a person of the start weights counts for beside a person published, above 0: 1 takes the zone for a sample of the
        survey's people, the default for what a 1 % sample tells (Nagle et al. 2014: people asked over people living there); as
        it goes to 0, tables are settled on each other alone. Softness only: exact targets take no notice.
    zeros : str
        What a published nought of a soft table means: 'soft' (there may be somebody, as in any other cell) or 'exact' (nobody).
    tolerance : float
        Largest miss of an exact target by the fractional weights, and of the optimum at a soft one; persons.
    max_steps : int
        Limit of Newton steps a zone; 5 to 15 are usual.
    integerise : str
        How weights become whole people: 'halving', 'cube', 'trs' or 'largest_remainder' (see `methods.integerise`).
    max_moves : int
        Limit of moves that bring whole people onto the targets, a zone.

    Raises
    ------
    ValueError
        For a value outside its range.
    """

    distance: str = "entropy"
    lower: float = 0.0
    upper: float = 20.0
    soft: bool = True
    standard_error: float | Mapping[str, float] | None = None
    prior: float = 0.01
    zeros: str = "soft"
    tolerance: float = 1e-6
    max_steps: int = 200
    integerise: str = "halving"
    max_moves: int = MAX_MOVES

    def __post_init__(self):
        for name, known in (("distance", _DISTANCES), ("zeros", _ZEROS), ("integerise", tuple(INTEGERISE))):
            check_choice(name, getattr(self, name), known)
        check_above("tolerance", self.tolerance, "persons")
        check_above("prior", self.prior)
        check_whole("max_steps", self.max_steps, 1)
        check_whole("max_moves", self.max_moves, 0)
        if not (is_number(self.lower) and is_number(self.upper) and 0 <= self.lower < 1 < self.upper):
            raise ValueError(f"bounds are 0 <= lower < 1 < upper, not {self.lower!r} and {self.upper!r}")
        check_softness(self)


class Calibrate:
    """The method 'calibrate'; see the module.

    What it adds to the status of a zone:

    - negative: profiles with a weight below nought ('linear' only); they are cut off before whole people are drawn.
    - tae_published: total absolute error of the whole people against the counts as published, persons.
    - shift: largest difference between the fit and a soft count as published, persons.
    - misfit: sum over soft cells of (fit - published)^2 / variance. Noise alone brings about 1 for every soft table but one,
      since tables of the same people repeat their total.
    """

    name, options, needs = "calibrate", CalibrateOptions, "cells"

    def link(self, options: CalibrateOptions) -> Link:
        """Return what makes weights of the duals."""
        bounded = options.distance in ("bounded", "logit")
        return Link(LINKS[options.distance], *((float(options.lower), float(options.upper)) if bounded else ()))

    def solve_block(self, problem: Problem, zones: np.ndarray, options: CalibrateOptions, streams: Streams) -> BlockResult:
        """Calibrate the zones at these positions and draw their whole people."""
        known, link, n, n_cells = _layouts(problem), self.link(options), len(zones), problem.n_cells
        targets, variance = soft_targets(problem, zones, options)
        scale = zone_scales(link, problem.start, problem.cell_of, problem.constraint_start, problem.targets[zones])
        duals = np.zeros((n, n_cells)) if problem.first_duals is None else problem.first_duals[zones].copy()
        status, steps = np.empty(n, np.int8), np.empty(n, np.int32)
        residual, worst = np.empty(n), np.empty(n, np.int32)
        limits = float(options.tolerance), int(options.max_steps)
        softness = options.prior * variance
        calibrate_block(
            link, scale, problem.start, known.cells, targets, softness, *limits, duals, status, steps, residual, worst
        )
        margins, atoms, negative = fitted_margins(
            link, scale, problem.start, problem.cell_of, duals, known.margins.atom, known.margins.inside.shape[1]
        )
        goals = np.rint(problem.targets[zones])
        soft = (variance > 0) & (scale > 0)[:, None]
        if soft.any():
            keys = streams.keys(problem.zone_keys[zones], ROUND)
            rounded = round_margins(known.margins, problem.constraint_start, margins, atoms, known.share, keys)
            goals = np.where(soft, rounded, goals)
        draw, repaired = INTEGERISE[options.integerise]
        states, remainder = streams.keys(problem.zone_keys[zones], WHOLE), np.empty(n)
        indptr, profile, count = whole_block(
            draw, problem.start, problem.cell_of, duals, status, goals, known.whole, whole_work(known.whole), states,
            options.max_moves if repaired else 0, remainder, link, scale,
        )  # fmt: skip
        people = _by_cell(problem, indptr, profile, count)
        goals, remainder = _granted(people, goals, margins, soft)
        published = problem.targets[zones] if problem.published is None else problem.published[zones]
        gap = np.where(soft, margins - targets, 0.0)
        extra = {
            "negative": negative,
            "tae_published": np.abs(people - published).sum(axis=1),
            "shift": np.abs(gap).max(axis=1, initial=0.0),
            "misfit": (gap**2 / np.where(soft, variance, 1.0)).sum(axis=1),
        }
        worst = np.where(status == FitStatus.CONVERGED, -1, worst)
        return BlockResult(
            indptr, profile, count, status, steps, residual, worst, remainder, duals, extra, goals if soft.any() else None
        )


class _Layouts(NamedTuple):
    """What the kernels work out once per problem."""

    cells: np.ndarray  # (n_profiles, n_constraints) int32, n_cells outside
    margins: Margins
    share: np.ndarray  # (n_cells,) start weight in each cell
    whole: WholeLayout


def _lay_out(problem: Problem) -> _Layouts:
    cell_of, bounds = problem.cell_of, problem.constraint_start
    cells = np.ascontiguousarray(np.where(cell_of < 0, problem.n_cells, cell_of).T.astype(np.int32))
    share = np.bincount(cells.ravel(), np.repeat(problem.start, len(cell_of)), problem.n_cells + 1)[:-1]
    return _Layouts(cells, shared_margins(problem.start, cell_of, bounds), share, whole_layout(cell_of, bounds))


_layouts = Remembered(_lay_out)


def _by_cell(problem: Problem, indptr: np.ndarray, profile: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Count whole people by cell: (n, n_cells) float64."""
    n, width = len(indptr) - 1, problem.n_cells
    zone = np.repeat(np.arange(n), np.diff(indptr))
    out = np.zeros(n * width)
    for row in problem.cell_of:
        cell = row[profile]
        inside = cell >= 0
        out += np.bincount(zone[inside] * width + cell[inside], count[inside], n * width)
    return out.reshape(n, width)


def _granted(people, goals, margins, soft) -> tuple[np.ndarray, np.ndarray]:
    """Grant people who miss a rounded soft count what is another rounding of the fit; the rest is the remainder by zone."""
    slack = 1e-5  # persons: what counts as whole
    low, high = np.floor(margins + slack), np.ceil(margins - slack)
    goals = np.where(soft, np.clip(people, np.minimum(low, goals), np.maximum(high, goals)), goals)
    return goals, np.abs(people - goals).sum(axis=1)


register_method(Calibrate())
