"""Attacks: singling out, linkage and inference, each beside the same attack on strangers and a guess that needs no data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair
from synthpop_gb.validation.chance import wilson
from synthpop_gb.validation.disclosure._records import Mixed, combinations, mixed
from synthpop_gb.validation.disclosure.distance import distances
from synthpop_gb.validation.disclosure.rates import expected_singles, residual_risk
from synthpop_gb.validation.disclosure.singling_out import (
    Values,
    matches,
    multivariate,
    random_predicates,
    univariate,
    values_of,
)

__all__ = ["ATTACKS", "attack_table", "inference", "linkage", "singling_out"]

ATTACKS = {
    "singling out, one variable": "Somebody looks for a rare or extreme value in the synthetic data and says: one person has it.",
    "singling out, several variables": "Somebody takes a combination that one synthetic record has and says: one person has it.",
    "linkage": "Somebody holds two files on the same people, of different variables, and links them where both find one "
    "synthetic record nearest.",
    "inference": "Somebody knows some attributes of a person and takes another from the nearest synthetic record.",
}
"""What each attack is: the three criteria of the Article 29 Working Party, Opinion 05/2014 (WP 216)."""

_LINK, _INFER = 81, 83  # purposes of the streams that decide between records that are equally near


def attack_table(
    pair: Pair,
    *,
    seed: int,
    keys: Sequence[str] = (),
    targets: Sequence[str] | None = None,
    holdout: pd.DataFrame | None = None,
    n: int = 2000,
    conditions: int | None = None,
    tolerance: float = 0.05,
    level: float = 0.95,
) -> pd.DataFrame:
    """Run every attack on the real records, on the holdout's, and as a naive guess.

    Parameters
    ----------
    pair : Pair
        The real records are those that were synthesised from.
    seed : int
        Fixes targets, predicates and ties.
    keys : sequence of str
        What the intruder knows, for inference and as one of linkage's two files. Without keys he knows everything but the
        target, and linkage's files are every other variable.
    targets : sequence of str, optional
        What he infers; the pair's target, or else every variable that is no key.
    holdout : pandas.DataFrame, optional
        Records of people who were not synthesised from, in the pair's columns. Without them there is no control, and so no
        risk: how much of the success is knowledge of people at large cannot be said.
    n : int
        Attacks of each kind, at most as many as there are records or predicates.
    conditions : int, optional
        Variables of a predicate that singles out by several; half of the variables, and 2 at least, where absent.
    tolerance : float
        A number is inferred where it is at most this share of the true value away.
    level : float
        Of Wilson's intervals.

    Returns
    -------
    pandas.DataFrame
        attack, known (what the intruder holds), wanted, n, success, lower, upper, control_n, control, control_lower,
        control_upper, baseline (success of the naive guess), risk, risk_lower, risk_upper; shares of attacks between 0 and 1,
        NaN where nothing could be attacked. For singling out, success is counted among all real records; risk compares real
        records and holdout at the size of the smaller (see `expected_singles`), where success_same_size is the rate.

    Giomi, Boenisch, Wehmeyer & Tasnadi (2023), A Unified Framework for Quantifying Privacy Risk in Synthetic Data.
    """
    rows = singling_out(pair, seed=seed, holdout=holdout, n=n, conditions=conditions, level=level)
    rows.append(linkage(pair, seed=seed, keys=keys, holdout=holdout, n=n, level=level))
    if targets is None:
        targets = [pair.target] if pair.target else [v for v in pair.names if v not in keys]
    for target in targets:
        if target not in keys:
            rows.append(inference(pair, target, seed=seed, keys=keys, holdout=holdout, n=n, tolerance=tolerance, level=level))
    return pd.DataFrame(rows)


def _row(attack: str, known: str, wanted: str, hits, control, baseline: float, level: float, same=None) -> dict:
    """Put one attack's row together.

    hits, control : (successes, attacks), control None where there is no holdout; same : successes of the attack at the size of
    the holdout, where that is another number.
    """
    success, attacks = hits
    rate = _rate(success, attacks)
    lower, upper = wilson(success, attacks, level)
    at_size = success if same is None else same
    out = {"attack": attack, "known": known, "wanted": wanted, "n": attacks, "success": rate, "lower": lower, "upper": upper}
    gone = float("nan")
    control_successes, control_n = control or (gone, 0)
    control_rate = _rate(control_successes, control_n)
    control_lower, control_upper = wilson(control_successes, control_n, level)
    risk = residual_risk(
        (_rate(at_size, attacks), *wilson(at_size, attacks, level)), (control_rate, control_lower, control_upper)
    )
    return out | {
        "control_n": control_n, "control": control_rate, "control_lower": control_lower, "control_upper": control_upper,
        "baseline": baseline, "risk": risk[0], "risk_lower": risk[1], "risk_upper": risk[2],
        "success_same_size": _rate(at_size, attacks) if control else gone,
    }  # fmt: skip


def _rate(successes: float, n: int) -> float:
    return float(successes) / n if n else float("nan")


def singling_out(
    pair: Pair,
    *,
    seed: int,
    holdout: pd.DataFrame | None = None,
    n: int = 2000,
    conditions: int | None = None,
    level: float = 0.95,
) -> list[dict]:
    """Attack by predicates of one and of several variables: two rows of `attack_table`."""
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    real, synthetic, *other = values_of(frames, pair)
    rng = np.random.default_rng([seed, 1])
    conditions = max(2, len(pair.names) // 2) if conditions is None else conditions
    one = univariate(synthetic)
    if len(one) > n:
        one = [one[i] for i in np.sort(rng.choice(len(one), n, replace=False))]
    several = multivariate(synthetic, n, rng, conditions=conditions)
    rows = []
    for name, predicates, width in zip(ATTACKS, (one, several), (1, conditions), strict=False):
        naive = random_predicates(synthetic, max(len(predicates), 1), rng, conditions=width)
        rows.append(_singled(name, predicates, naive, real, other[0] if other else None, level))
    return rows


def _singled(name: str, predicates, naive, real: Values, other: Values | None, level: float) -> dict:
    found = np.array([matches(p, real) for p in predicates], np.int64)
    baseline = _rate(sum(matches(p, real) == 1 for p in naive), len(naive))
    hits = float((found == 1).sum()), len(found)
    if other is None:
        return _row(name, "the synthetic data", "who is the only one", hits, None, baseline, level)
    size = min(real.n, other.n)
    strangers = np.array([matches(p, other) for p in predicates], np.int64)
    control = float(expected_singles(strangers, other.n, size).sum()), len(found)
    same = float(expected_singles(found, real.n, size).sum())
    return _row(name, "the synthetic data", "who is the only one", hits, control, baseline, level, same)


def _targets(n_records: int, n: int, seed: int, purpose: int) -> np.ndarray:
    """Choose the records attacked: n of them at random."""
    rng = np.random.default_rng([seed, purpose])
    return np.sort(rng.choice(n_records, min(n, n_records), replace=False))


def linkage(
    pair: Pair, *, seed: int, keys: Sequence[str] = (), holdout: pd.DataFrame | None = None, n: int = 2000, level: float = 0.95
) -> dict:
    """Attack by two files of different variables on the same people: one row of `attack_table`.

    For each person attacked, the nearest synthetic record by the variables of either file; it succeeds where they are one
    record (k = 1). Where many are equally near, one is drawn for either file. The naive guess draws both: 1 in as many as there
    are synthetic records.
    """
    names = list(pair.names)
    one = [k for k in keys if k in names] if keys and len(set(keys)) < len(names) else names[::2]
    two = [v for v in names if v not in one]
    known = f"{', '.join(one)} | {', '.join(two)}"
    if not two or not len(pair.synthetic):
        return _row("linkage", known, "who is who", (float("nan"), 0), None, float("nan"), level)
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    files = [mixed(frames, pair, part) for part in (one, two)]

    def attack(side: int) -> tuple[float, int]:
        who = _targets(len(frames[side]), n, seed, _LINK)
        at = [distances(sets[side].rows(who), sets[1], seed=seed, purpose=_LINK + i).at for i, sets in enumerate(files)]
        return float((at[0] == at[1]).sum()), len(who)

    control = attack(2) if holdout is not None else None
    return _row("linkage", known, "who is who", attack(0), control, 1.0 / len(pair.synthetic), level)


def inference(
    pair: Pair, target: str, *, seed: int, keys: Sequence[str] = (), holdout: pd.DataFrame | None = None, n: int = 2000,
    tolerance: float = 0.05, level: float = 0.95,
) -> dict:  # fmt: skip
    """Attack by the nearest synthetic record in what is known: one row of `attack_table`.

    A category is inferred where it is the same (missing is one), a number where it is at most `tolerance` of the true value
    away. The naive guess is the best of one for all: the synthetic data's commonest label, or, of numbers, the better of their
    commonest value and their median.
    """
    known = [k for k in keys if k != target] or [v for v in pair.names if v != target]
    wanted = f"inference: {target}"
    if not known or not len(pair.synthetic):
        return _row(wanted, ", ".join(known), target, (float("nan"), 0), None, float("nan"), level)
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    sets = mixed(frames, pair, known)
    if pair.variable(target).kind == "number":
        answers = [f[target].to_numpy(np.float64) for f in frames]
    else:
        answers = [c.astype(np.float64) for c in combinations(frames, pair, [target])]
        tolerance = 0.0

    def attack(side: int) -> tuple[float, int]:
        who = _targets(len(frames[side]), n, seed, _INFER)
        guess = answers[1][_nearest(sets[side].rows(who), sets[1], seed)]
        return float(_right(guess, answers[side][who], tolerance).sum()), len(who)

    who = _targets(len(frames[0]), n, seed, _INFER)
    guesses = [_commonest(answers[1])]
    if pair.variable(target).kind == "number" and not np.isnan(answers[1]).all():
        guesses.append(float(np.nanmedian(answers[1])))
    naive = (
        max((float(_right(g, answers[0][who], tolerance).mean()) for g in guesses), default=float("nan")) if len(who) else np.nan
    )
    control = attack(2) if holdout is not None else None
    return _row(wanted, ", ".join(known), target, attack(0), control, float(naive), level)


def _nearest(records: Mixed, synthetic: Mixed, seed: int) -> np.ndarray:
    return distances(records, synthetic, seed=seed, purpose=_INFER).at


def _commonest(values: np.ndarray) -> float:
    distinct, count = np.unique(values, return_counts=True)  # missing values are one value here
    return float(distinct[count.argmax()])


def _right(guess, truth: np.ndarray, tolerance: float) -> np.ndarray:
    """Whether guesses are right; a missing value is right for a missing value."""
    guess = np.broadcast_to(np.asarray(guess, np.float64), truth.shape)
    return (np.isnan(guess) & np.isnan(truth)) | (np.abs(guess - truth) <= tolerance * np.abs(truth))
