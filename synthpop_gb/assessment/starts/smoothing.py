"""Two-way smoothing: a start that believes the survey's pairs of answers, and less so what only whole profiles say.

Few donors stand behind most profiles, so that a profile's own weight is mostly luck. A log-linear model with all one-way and
two-way margins (Bishop, Fienberg & Holland 1975, ch. 3 and 5) keeps what is well known of the survey and smooths the rest. It is
fitted by iterative proportional fitting on the profiles that exist: no other can be placed, and structural zeros stay.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from synthpop_gb.assessment.starts.cross_validation import best
from synthpop_gb.problem import Problem

__all__ = ["STRENGTHS", "choose_strength", "smoothed", "two_way_fit"]

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Strengths that cross-validation chooses from; 0 = the profiles' own weights."""
_FOLDS = 5
_CYCLES, _TOLERANCE = 200, 1e-6  # cycles over all pairs; share of a margin
_MANY = 2  # members of a household in one cell: 0, 1, 2 or more are told apart


def two_way_fit(start: np.ndarray, features: np.ndarray, *, cycles: int = _CYCLES, tolerance: float = _TOLERANCE) -> np.ndarray:
    """Fit the log-linear model of all two-way margins to weighted profiles.

    Parameters
    ----------
    start : (n_profiles,) float64
        Weights whose margins are met.
    features : (n_features, n_profiles) int
        Value of each profile on each feature, from 0.

    Returns
    -------
    (n_profiles,) float64
        Weights of the same total and the same two-way margins, equal in all else as far as these allow.

    Examples
    --------
    With two features the margins are the table itself; of three, the three-way part goes.

    >>> features = np.array([[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1, 0, 1]])
    >>> two_way_fit(np.array([3.0, 1, 1, 3, 1, 3, 3, 1]), features).round(6).tolist()
    [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    """
    used = [f for f in features if f.max(initial=0) > 0]
    if len(used) < 2:
        used = [*used, np.zeros(len(start), np.int64)][:2] if used else []
    if len(used) < 2:
        return np.full(len(start), start.sum() / max(len(start), 1))
    codes = [
        np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1].reshape(-1) for a, b in itertools.combinations(used, 2)
    ]
    wanted = [np.bincount(c, start) for c in codes]
    weights = np.full(len(start), start.sum() / len(start))
    for _ in range(cycles):
        worst = 0.0
        for code, margin in zip(codes, wanted, strict=True):
            found = np.bincount(code, weights, len(margin))
            factor = np.divide(margin, found, out=np.zeros_like(margin), where=found > 0)
            worst = max(worst, float(np.abs(factor[margin > 0] - 1).max(initial=0.0)))
            weights *= factor[code]
        if worst < tolerance:
            break
    return weights


def _features(problem: Problem) -> np.ndarray:
    """List what the model sees of each profile: its cell on each constraint; of households also size, and members by cell."""
    first, of_units = problem.constraint_start, problem.counts_units
    rows = [np.maximum(problem.cell_of[k] - first[k] + 1, 0) for k in np.flatnonzero(of_units)]
    if problem.incidence is not None:
        of_people = np.repeat(~of_units, np.diff(first))
        rows.append(problem.size)
        rows += list(np.minimum(problem.incidence.matrix()[:, of_people].toarray().T, _MANY).astype(np.int64))
    return np.array(rows, np.int64)


@dataclass(frozen=True, eq=False)
class _Kinds:
    """Profiles that the model sees alike: features (n_features, n_kinds), and the kind of each profile."""

    features: np.ndarray
    of_profile: np.ndarray

    @classmethod
    def of(cls, problem: Problem) -> _Kinds:
        features, kind = np.unique(_features(problem), axis=1, return_inverse=True)
        return cls(features, kind.reshape(-1))

    def sums(self, weights: np.ndarray) -> np.ndarray:
        return np.bincount(self.of_profile, weights, self.features.shape[1])


def smoothed(problem: Problem, strength: float) -> Problem:
    """Move the start weights towards the log-linear model of all two-way margins; 0 = not at all, 1 = onto it.

    Profiles that the model sees alike, and donors within a profile, keep their proportions. Raises ValueError for a strength
    outside 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength of smoothing is from 0 to 1, not {strength}")
    if strength == 0:
        return problem
    kinds = _Kinds.of(problem)
    own = kinds.sums(problem.start)
    model = two_way_fit(own, kinds.features)
    ratio = (1 - strength) + strength * np.divide(model, own, out=np.zeros_like(own), where=own > 0)
    ratio = ratio[kinds.of_profile]
    weight = problem.donor_weight * ratio[problem.donor_profile]
    return replace(problem, start=problem.start * ratio, donor_weight=weight, first_duals=None)


def choose_strength(problem: Problem, seed: int = 0, strengths: tuple[float, ...] = STRENGTHS) -> tuple[float, dict]:
    """Choose the strength under which donors left out are likeliest: five folds of the survey, by clusters where it has any.

    Returns the strength, and facts for run.json: the mean log-likelihood of a donor left out, by strength, relative to that of
    the unsmoothed survey (with a thousandth of the model, since an unsmoothed survey gives new profiles no chance at all).
    """
    kinds = _Kinds.of(problem)
    of_donor, n = kinds.of_profile[problem.donor_profile], kinds.features.shape[1]
    whole = problem.donor if problem.cluster is None or not len(problem.cluster) else problem.cluster[problem.donor]
    group = np.unique(whole, return_inverse=True)[1].reshape(-1)
    fold = np.random.default_rng([seed, 5]).permutation(int(group.max(initial=0)) + 1)[group] % _FOLDS
    gained = dict.fromkeys(strengths, 0.0)
    for f in range(_FOLDS):
        mine = fold == f
        known = np.bincount(of_donor[~mine], problem.donor_weight[~mine], n)
        if known.sum() <= 0 or not mine.any():
            continue
        model = two_way_fit(known, kinds.features, cycles=50)
        model = 0.999 * model + 0.001 * known.sum() / n  # margins that the fold alone has are not impossible
        new = np.bincount(of_donor[mine], problem.donor_weight[mine], n)
        for s in strengths:
            share = max(s, 1e-3)
            chance = ((1 - share) * known + share * model) / known.sum()
            gained[s] += float(new @ np.log(chance)) / float(problem.donor_weight.sum())
    base = gained[strengths[0]]
    likely = {s: round(v - base, 6) for s, v in gained.items()}
    return best({s: -v for s, v in likely.items()}), {"likelihood": {str(s): v for s, v in likely.items()}}
