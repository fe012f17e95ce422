"""The search for tilts: Newton steps on all areas' multipliers at once, every zone fitted again after each.

The best tilts are the mode of what is known of them: published figures are normal about the fitted ones with their standard
errors, and tilts are normal about a line with the standard deviation tau (`_link`). Line and tau are found anew at every step
from the figures as the step sees them (penalised quasi-likelihood: Breslow & Clayton 1993, JASA 88).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.sparse.linalg import splu

from synthpop_gb.assessment.incomes._link import Linked, link_areas
from synthpop_gb.assessment.incomes._moments import Moments

__all__ = ["Sought", "link_aims", "search"]

_STEPS, _SETTLED, _LONGEST = 25, 1e-4, 1.0  # a tilt of 1e-4 moves a mean by a twenty-thousandth
_LEAST_ANSWER = 1e-6  # areas whose figure does not answer to tilts at all (nobody there) are left alone
_UNSURE = 1e-8  # added to variances, so that figures without error and areas all alike can be solved for


@dataclass(frozen=True, eq=False)
class Sought:
    """What was found.

    tilt : (n,) of every area, all aims numbered through; linked : of each aim; moments : the last fit's; steps : how many;
    settled : whether the last step was small enough; held : (n,) bool, tilts that stand at the limit.
    """

    tilt: np.ndarray
    linked: tuple[Linked, ...]
    moments: Moments
    steps: int
    settled: bool
    held: np.ndarray


def search(
    fit: Callable[[np.ndarray], Moments],
    goal: np.ndarray,
    error: np.ndarray,
    scale: Callable[[Moments], np.ndarray],
    of_aim: np.ndarray,
    line: list[np.ndarray],
    taus: list[float | None],
    limit: float,
) -> Sought:
    """Find the tilts.

    Parameters
    ----------
    fit : callable
        From (n,) tilts to the moments of a fit.
    goal, error : (n,) float64
        Published figures and their standard errors on the scale of goals; NaN where nothing is published, or it is kept back.
    scale : callable
        From moments to (n,) fitted figures on that scale.
    of_aim : (n,) int64
        Aim of each area.
    line : list of (n_areas, k) float64
        Covariates of each aim's linking model.
    taus : list of float or None
        Standard deviation of each aim's tilts about their line; learnt where None.
    limit : float
        Largest tilt either way.

    Returns
    -------
    Sought
    """
    tilt = np.zeros(len(goal))
    known = np.flatnonzero(np.isfinite(goal))
    moments, steps, settled = fit(tilt), 0, not len(known)
    linked = link_aims(tilt, goal - scale(moments), moments.answer.diagonal(), error, of_aim, line, taus)
    while not settled and steps < _STEPS:
        rest, answer = goal - scale(moments), moments.answer
        linked = link_aims(tilt, rest, answer.diagonal(), error, of_aim, line, taus, tested=not steps)
        # slopes are tested once: steps that leave one out and take it in again would not settle
        line = [x[:, : len(one.beta)] for x, one in zip(line, linked, strict=True)]
        spread = np.concatenate([np.full(len(one.expected), one.tau**2) for one in linked])
        wanted = _mode(tilt, rest, answer, error, _design(line), spread, known)
        step = np.clip(np.clip(wanted, -limit, limit) - tilt, -_LONGEST, _LONGEST)
        tilt, steps = tilt + step, steps + 1
        settled = bool(np.abs(step).max() < _SETTLED)
        moments = fit(tilt)
    return Sought(tilt, linked, moments, steps, settled, np.abs(tilt) >= limit)


def link_aims(tilt, rest, own, error, of_aim, line, taus, *, tested: bool = True) -> tuple[Linked, ...]:
    """Fit each aim's linking model to its areas' direct measurements of their tilts.

    tilt, rest, own, error : (n,) tilts, goals less fitted figures (NaN where there is no goal), how these answer to their own
    tilt, standard errors of goals. of_aim, line, taus : as in `search`; tested : as in `link_areas`.
    """
    out = []
    for i, (x, tau) in enumerate(zip(line, taus, strict=True)):
        mine = of_aim == i
        answers = np.where(own[mine] > _LEAST_ANSWER, own[mine], np.nan)
        direct = tilt[mine] + rest[mine] / answers
        if not np.isfinite(direct).any():  # kept back
            out.append(Linked(np.zeros(x.shape[1]), 0.0, np.zeros(len(x)), np.zeros(len(x))))
            continue
        out.append(link_areas(direct, (error[mine] / answers) ** 2, x, tau, tested=tested))
    return tuple(out)


def _mode(tilt, rest, answer: csr_array, error, design: csr_array, spread, known) -> np.ndarray:
    """Best tilts of the linear model y = J (X b + u) + e, where y = rest + J tilt, and u and e have the variances T and S.

    With V = J T J' + S, b = (X'J' V^-1 J X)^-1 X'J' V^-1 y and tilts are X b + T J' V^-1 (y - J X b) (Henderson 1975,
    Biometrics 31).
    Lines of all aims are found at once: two targets that both say how far the survey is off would else take turns.
    """
    mine = answer[known]
    carried = diags_array(spread + _UNSURE) @ mine.T
    solve = splu((mine @ carried + diags_array(error[known] ** 2) + _UNSURE * 1e-4 * eye_array(len(known))).tocsc()).solve
    measured = rest[known] + mine @ tilt
    sides = (mine @ design).toarray()
    line = np.zeros(0)
    if sides.shape[1]:
        line = np.linalg.pinv(sides.T @ solve(sides), hermitian=True) @ (sides.T @ solve(measured))
    return design @ line + carried @ solve(measured - sides @ line)


def _design(line: list[np.ndarray]) -> csr_array:
    """Lines of all aims side by side: (n, sum of k), those of other aims nought."""
    rows = np.cumsum([0, *(len(x) for x in line)])
    columns = np.cumsum([0, *(x.shape[1] for x in line)])
    out = np.zeros((rows[-1], columns[-1]))
    for i, x in enumerate(line):
        out[rows[i] : rows[i + 1], columns[i] : columns[i + 1]] = x
    return csr_array(out)
