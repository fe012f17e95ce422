"""From targets to tilts: each target's linking line, the search itself, and what areas would get whose figure is left out."""

from __future__ import annotations

import numpy as np

from synthpop_gb.assessment.incomes._aims import Aim, Aims
from synthpop_gb.assessment.incomes._moments import Moments, moments_of
from synthpop_gb.assessment.incomes._search import Sought, link_aims, search

__all__ = ["LIMIT", "by_aim", "goals_of", "predicted", "scaled", "seek"]

LIMIT = 3.0
"""Largest tilt, in standard deviations of incomes: a survey that is to be moved further lacks the people."""
_FEW = 5  # areas from which a level and a spread can be learnt
_MANY = 10  # areas from which a slope can
_UNLEARNT = 0.5  # standard deviation of tilts where areas are too few to learn it from
_FOLDS = 10


def by_aim(aims: Aims, values: np.ndarray) -> list[np.ndarray]:
    """Divide numbers of areas, numbered through all aims, into one array an aim."""
    return np.split(values, np.cumsum([len(a.matched.areas) for a in aims.aims])[:-1])


def goals_of(aims: Aims) -> np.ndarray:
    """(n,) figures aimed at, NaN where nothing is published or it is kept back."""
    return np.concatenate([np.full(len(a.goal), np.nan) if a.matched.target.held_out else a.goal for a in aims.aims])


def scaled(aims: Aims, moments: Moments) -> np.ndarray:
    """(n,) fitted figures on the scale of goals."""
    return np.concatenate([a.linked(v) for a, v in zip(aims.aims, moments.ratio, strict=True)])


def seek(aims: Aims, before: tuple[np.ndarray, ...], prior: float | None, duals: np.ndarray | None = None) -> Sought:
    """Search the tilts.

    before : `Moments.ratio` without tilts; prior : as in `calibrate_incomes`; duals : as in `moments_of`.
    """

    def fit(tilt: np.ndarray) -> Moments:
        return moments_of(aims, aims.tilted(by_aim(aims, tilt)), duals=duals)

    error = np.concatenate([a.error for a in aims.aims])
    return search(
        fit, goals_of(aims), error, lambda m: scaled(aims, m), _of_aim(aims), _lines(aims, before), _taus(aims, prior), LIMIT
    )


def predicted(
    aims: Aims, sought: Sought, before: tuple[np.ndarray, ...], prior: float | None, duals: np.ndarray | None = None
) -> list[np.ndarray]:
    """Figures that areas would get if their own were not published: (n_areas,) of each aim, NaN where it is not.

    A tenth of an aim's areas at a time is left out of its linking model; each area's tilt is then what the line of the others
    says, other aims keep theirs, and every zone is fitted again. What is kept back is not left out twice: its own figure never
    counted.
    """
    error = np.concatenate([a.error for a in aims.aims])
    of_aim, lines, taus = _of_aim(aims), _lines(aims, before), _taus(aims, prior)
    rest = goals_of(aims) - scaled(aims, sought.moments)
    own, out = sought.moments.answer.diagonal(), []
    for i, aim in enumerate(aims.aims):
        if aim.matched.target.held_out:
            out.append(aim.shown(aim.linked(sought.moments.ratio[i])))
            continue
        mine, n = of_aim == i, len(aim.goal)
        tilt, fold = sought.tilt.copy(), np.arange(n) % min(_FOLDS, n)
        for f in range(min(_FOLDS, n)):
            left_out = np.zeros(len(rest), bool)
            left_out[np.flatnonzero(mine)[fold == f]] = True
            kept = np.where(left_out, np.nan, rest)
            linked = link_aims(sought.tilt, kept, own, error, of_aim, lines, taus)[i]
            tilt[left_out] = np.clip(linked.expected[fold == f], -LIMIT, LIMIT)
        ratio = moments_of(aims, aims.tilted(by_aim(aims, tilt)), answers=False, duals=duals).ratio[i]
        figures = aim.shown(aim.linked(ratio))
        out.append(np.where(np.isfinite(aim.goal), figures, np.nan))
    return out


def _of_aim(aims: Aims) -> np.ndarray:
    return np.repeat(np.arange(len(aims.aims)), [len(a.matched.areas) for a in aims.aims])


def _taus(aims: Aims, prior: float | None) -> list[float | None]:
    few = [np.isfinite(a.goal).sum() < _FEW for a in aims.aims]
    return [prior if prior is not None else _UNLEARNT if f else None for f in few]


def _lines(aims: Aims, before: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    return [_line(a, b) for a, b in zip(aims.aims, before, strict=True)]


def _line(aim: Aim, before: np.ndarray) -> np.ndarray:
    """Covariates of areas: ones, and their figure before, standardised; none where they are few, or kept back."""
    n, measured = len(before), np.isfinite(aim.goal)
    if measured.sum() < _FEW or aim.matched.target.held_out:
        return np.zeros((n, 0))
    if measured.sum() < _MANY:
        return np.ones((n, 1))
    implied = aim.linked(before)
    mean, spread = np.nanmean(implied[measured]), np.nanstd(implied[measured])
    return np.column_stack([np.ones(n), np.nan_to_num((implied - mean) / (spread or 1.0))])
