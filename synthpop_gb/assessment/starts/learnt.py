"""Starts that are learnt: a joint table predicted for every zone from areas where it is published, as a tilt of the start.

Elsewhere, or for larger areas, a joint table is published that the zones lack. There it is compared with what fitting the survey
to the same tables gives: the logarithm of published over fitted, cell by cell, is regressed on the areas' shares of every
constraint, in logarithms, and their squares (ridge; a synthetic estimator in the sense of Rao & Molina 2015, Small Area
Estimation, ch. 4). For the zones of the study the fitted joint is multiplied by what the regression says and raked to what the
zone's tables fix. The tilt is the duals of that joint in a fit of the zone where it is one more table: starting from it, maximum
entropy under the zone's own tables gives the predicted joint again. Predictions are no counts: nothing is made to meet them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.assessment.refits import spread_zones
from synthpop_gb.assessment.starts._joint import Joint, bring_about
from synthpop_gb.assessment.starts._ridge import STRENGTHS, Ridge, fit_ridge
from synthpop_gb.errors import InputError, finding
from synthpop_gb.problem import Problem

__all__ = ["Learnt", "find_table", "learn", "tilted"]

TRAINING = 4_000
"""Areas learnt from, at most: more add nothing that shows."""
_FOLDS = 5
_BOUND = 3.0  # no cell is moved by more than exp(3) = 20-fold
_LEAST = 0.002  # added to a share before its logarithm is taken: three people of a zone
_NEAREST, _JUDGED = 10, 300  # areas like each zone of the study, and zones of the study looked at
_HALF = 0.5  # a person, added to both counts before a logarithm is taken


@dataclass(frozen=True)
class Learnt:
    """What to learn, and from where.

    Attributes
    ----------
    table : str
        Name of the table: of the held-out tables (or constraints) of `training`, or of a level of the problem's own.
    training : Aligned, optional
        Other zones, harmonised with the same constraints from the same survey, among whose held-out tables is this one.
    level : str, optional
        Name of a parent level of the study, where the table is published for its areas.
    """

    table: str
    training: Aligned | None = None
    level: str | None = None

    def __post_init__(self):
        if (self.training is None) == (self.level is None):
            raise ValueError(f"{self.table!r} is learnt either from other zones (training) or from a level: name one of them")


def learn(problem: Problem, aligned: Aligned, wanted: Learnt) -> tuple[AlignedTable, Ridge | None, dict]:
    """Learn how a published joint table differs from the one that a fit of the survey gives.

    Parameters
    ----------
    problem, aligned
        The study, with the survey's own start.
    wanted : Learnt

    Returns
    -------
    table : AlignedTable
        Cells of the joint, with the cell of every record of `aligned`.
    ridge : Ridge or None
        None where areas left out, those most like the study's zones, were not predicted better than by the fit.
    facts : dict
        For run.json: areas; per cent of people in the wrong cell of areas left out, `error_fit` of the fit, `error_learnt` with
        strengths chosen without the areas judged, `errors` by strength; the strength taken.

    Raises
    ------
    InputError
        `start-training`: every reason why the table cannot be learnt; `start-leak` where training zones are the study's own.
    """
    table, (features, fitted), published, groups = _training(problem, aligned, wanted)
    response = np.log((published + _HALF) / (_scaled(fitted, published) + _HALF))
    margins = Joint.of(problem, table).margins
    like, start = _likeness(features, shares(problem, spread_zones(problem, _JUDGED))), _scaled(fitted, published)

    def judged(train: np.ndarray, out: np.ndarray) -> np.ndarray:
        found = fit_ridge(features[train], response[train], fitted[train])
        predicted = [_predicted(ridge, features[out], start[out], margins) for ridge in found]
        return np.array([like[out] @ np.abs(p - published[out]).sum(axis=1) for p in predicted])

    errors, nested = _cross_validated(judged, groups % _FOLDS)
    in_per_cent = 50 / (like @ published.sum(axis=1))
    own, nested = in_per_cent * (like @ np.abs(start - published).sum(axis=1)), in_per_cent * nested
    strength = STRENGTHS[int(errors.argmin())]
    facts = {
        "table": wanted.table, "areas": len(features), "from": wanted.level or "other zones",
        "error_fit": round(float(own), 4), "error_learnt": round(float(nested), 4), "strength": strength,
        "errors": {str(s): round(float(in_per_cent * e), 4) for s, e in zip(STRENGTHS, errors, strict=True)},
    }  # fmt: skip
    if nested >= own:
        return table, None, facts | {"strength": None}
    (ridge,) = fit_ridge(features, response, fitted, [strength])
    return table, ridge, facts | {"ridge": ridge.plain()}


def _cross_validated(judged: Callable[[np.ndarray, np.ndarray], np.ndarray], fold: np.ndarray) -> tuple[np.ndarray, float]:
    """Leave out each fold in turn: error by strength, and that of strengths chosen without the fold that they are judged on.

    judged : of areas trained on and areas left out, both (n,) bool, the error of each strength. The least error of those tried
    flatters: folds that choose a strength say too little against it. So each fold is predicted with the strength that does best
    among the other folds, each of these left out in turn too (nested cross-validation: Stone 1974, JRSS B 36, section 4).
    """
    folds = np.unique(fold).tolist()
    errors = np.array([judged(fold != f, fold == f) for f in folds])
    chosen = [sum(judged((fold != f) & (fold != g), fold == g) for g in folds if g != f).argmin() for f in folds]
    return errors.sum(axis=0), float(errors[np.arange(len(folds)), chosen].sum())


def tilted(problem: Problem, plain: Problem, learnt: Sequence[tuple[AlignedTable, Ridge]]) -> Problem:
    """Tilt the start of every zone so that its fit has all the joints that are predicted for it.

    Parameters
    ----------
    problem : Problem
        With the start that is to be tilted. Profiles are split by the joints' cells where the constraints do not tell them.
    plain : Problem
        With the survey's own start, on which the regressions were fitted: predictions set out from its fits.
    learnt : sequence of (table, ridge)
        From `learn`.
    """
    zones, predicted = np.arange(plain.n_zones), []
    for table, ridge in learnt:
        joint = Joint.of(plain, table)
        predicted.append(_predicted(ridge, shares(plain, zones), joint.counts(zones), joint.margins))
    return bring_about(problem, [table for table, _ in learnt], predicted)


def shares(problem: Problem, zones: np.ndarray) -> np.ndarray:
    """Logarithms of the shares of every constraint's total in each zone, (n, n_cells); of the mean share where nobody counts.

    Of logarithms, since shares of small groups are so skewed that a city's would lie far beyond everything learnt from.
    """
    return _shares(problem.targets[zones], problem.constraint_start)


def _likeness(features: np.ndarray, ours: np.ndarray) -> np.ndarray:
    """(n_areas,) how often each area is among the nearest of our zones, by features in standard deviations of the areas'.

    Zones of a city are unlike most of the country: what is learnt must be shown to hold for areas like them.
    """
    from scipy.spatial import cKDTree

    scale = features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    near = cKDTree(features / scale).query(ours / scale, k=min(_NEAREST, len(features)))[1]
    return np.bincount(near.reshape(-1), minlength=len(features)).astype(np.float64)


def _shares(targets: np.ndarray, first: np.ndarray) -> np.ndarray:
    out = np.empty(targets.shape)
    for a, b in pairwise(first.tolist()):
        mine = targets[:, a:b]
        total, all_of_them = mine.sum(axis=1, keepdims=True), mine.sum(axis=0) / max(mine.sum(), 1.0)
        out[:, a:b] = np.log(np.where(total > 0, mine / np.where(total > 0, total, 1.0), all_of_them) + _LEAST)
    return out


def _scaled(fitted: np.ndarray, published: np.ndarray) -> np.ndarray:
    """Bring fitted joints to the published totals."""
    total = fitted.sum(axis=1, keepdims=True)
    return fitted * np.divide(published.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)


def _predicted(ridge: Ridge, features: np.ndarray, fitted: np.ndarray, margins: list[np.ndarray]) -> np.ndarray:
    """Multiply fitted joints by what the regression says, and rake to the fitted margins that tables fix."""
    found = fitted * np.exp(np.clip(ridge.predict(features), -_BOUND, _BOUND))
    sides = [np.eye(int(m.max()) + 1)[m] for m in margins]
    wanted = [fitted @ side for side in sides]
    for _ in range(200):
        worst = 0.0
        for side, goal in zip(sides, wanted, strict=True):
            sums = found @ side
            factor = np.divide(goal, sums, out=np.zeros_like(goal), where=sums > 0)
            worst = max(worst, float(np.abs(sums - goal).max(initial=0.0)))
            found *= factor @ side.T
        if worst < 1e-7:
            break
    return found


def find_table(aligned: Aligned, wanted: Learnt) -> AlignedTable:
    """Return the table that is to be learnt, with the cell of every record of the study. Raises InputError (`start-training`)."""
    if wanted.level is None:
        refuse_leaks(aligned, wanted.training, wanted.table)
        return _on_records(_named(wanted.training, wanted.table), wanted.training, aligned)
    level = next((v for v in aligned.levels if v.name == wanted.level), None)
    if level is None:
        raise _cannot(wanted, f"the study has no tables of the level {wanted.level!r}")
    table = next((t for t in (*level.constraints, *level.held_out) if t.name == wanted.table), None)
    if table is None:
        raise _cannot(wanted, f"no table of {wanted.level} is called so")
    return table


def _training(problem: Problem, aligned: Aligned, wanted: Learnt):
    """Find what to learn from: the table on the study's records, (features, fitted joint) and published joint of areas, folds."""
    own = find_table(aligned, wanted)
    if wanted.level is not None:
        return _of_level(problem, aligned, wanted, own)
    other = wanted.training
    table = _named(other, wanted.table)
    if [(c.name, c.cell_labels) for c in other.constraints] != [(c.name, c.cell_labels) for c in aligned.constraints]:
        raise _cannot(wanted, "its zones have other constraints, or other categories, than the study's")
    from synthpop_gb.formulation import formulate

    elsewhere = formulate(other)
    where = spread_zones(elsewhere, TRAINING)
    counts = Joint.of(elsewhere, table).counts(where)
    published = table.targets.to_numpy(np.float64)[where]
    live = (published.sum(axis=1) > 0) & (counts.sum(axis=1) > 0)
    if live.sum() < 2 * _FOLDS:
        raise _cannot(wanted, f"only {int(live.sum())} of its zones have anybody in the table")
    return own, (shares(elsewhere, where)[live], counts[live]), published[live], _folds(other, where[live], elsewhere)


def _of_level(problem: Problem, aligned: Aligned, wanted: Learnt, table: AlignedTable):
    level = next(v for v in aligned.levels if v.name == wanted.level)
    joint, inside = Joint.of(problem, table), np.flatnonzero(level.of_zone >= 0)
    n, area = len(level.areas), level.of_zone[inside]
    counts, targets = np.zeros((n, table.targets.shape[1])), np.zeros((n, problem.n_cells))
    np.add.at(counts, area, joint.counts(inside))
    np.add.at(targets, area, problem.targets[inside])
    published = table.targets.to_numpy(np.float64)
    live = (published.sum(axis=1) > 0) & (counts.sum(axis=1) > 0)
    if live.sum() < 2 * _FOLDS:
        raise _cannot(wanted, f"only {int(live.sum())} areas have anybody in the table")
    return table, (_shares(targets, problem.constraint_start)[live], counts[live]), published[live], np.arange(live.sum())


def refuse_leaks(aligned: Aligned, other: Aligned, table: str) -> None:
    """Raise InputError (`start-leak`) where zones to learn from are zones of the study: what is held out would be learnt."""
    shared = aligned.zones.intersection(other.zones)
    if len(shared):
        message = f"{table!r} would be learnt from {len(shared):,} of the study's own zones (first: {shared[0]})."
        raise InputError([finding("start-leak", message, place="start.learnt", count=len(shared))])


def _named(other: Aligned, name: str) -> AlignedTable:
    found = next((t for t in (*other.held_out, *other.constraints) if t.name == name), None)
    if found is None:
        known = ", ".join(t.name for t in (*other.held_out, *other.constraints))
        raise InputError([finding("start-training", f"The zones to learn from have no table {name!r}, only {known}.",
                                  place="start.learnt")])  # fmt: skip
    return found


def _cannot(wanted: Learnt, why: str) -> InputError:
    return InputError([finding("start-training", f"{wanted.table!r} cannot be learnt: {why}.", place="start.learnt")])


def _on_records(table: AlignedTable, other: Aligned, aligned: Aligned) -> AlignedTable:
    """Cells of the study's records: those of the same survey, harmonised for the other zones."""
    at = other.records.get_indexer(aligned.records)
    return replace(table, record_cell=np.where(at >= 0, table.record_cell[at], -1).astype(np.int32))


def _folds(other: Aligned, where: np.ndarray, elsewhere: Problem) -> np.ndarray:
    """Tell which zones are left out together, by number: those of one area of the coarsest level with ten or more."""
    zones = other.geography.zones.iloc[where]
    for level in reversed(other.geography.parents):
        codes = np.unique(zones[level].astype(str).to_numpy(), return_inverse=True)[1]
        if codes.max(initial=0) >= 2 * _FOLDS - 1:
            return codes
    return elsewhere.zone_keys[where].argsort().argsort()
