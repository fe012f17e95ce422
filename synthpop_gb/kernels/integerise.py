"""Whole counts without balancing: truncate-replicate-sample (TRS) and largest remainder. Fast, total kept, margins missed.

Both give every profile its whole part, then hand out the people still missing to fractions. They are here to compare with and to
start a repair from; `halving` is as quick and keeps the margins.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform, shuffle

__all__ = ["largest_remainder_zone", "split", "systematic", "trs_zone"]


@njit
def trs_zone(weights, work, state, counts):
    """Truncate, replicate, sample: fractions drawn by systematic sampling in random order, so that E[counts] = weights.

    Lovelace & Ballas (2013) sample the fractions without replacement with probabilities proportional to them, one after
    another, which favours small ones slightly; the systematic draw (Madow 1949, Ann. Math. Stat. 20) includes each with
    exactly its fraction.

    weights : (n_profiles,) float64, persons, finite and >= 0; work : of `whole_work`; state : (1,) uint64, advanced.
    counts : (n_profiles,) int32. Overwritten: floor(weights) or 1 more; their sum is the sum of weights, rounded up or down
        at random.
    """
    n = split(weights, 0.0, counts, work.fraction, work.undecided)
    shuffle(state, work.undecided, n)
    systematic(work.fraction, work.undecided, n, state, counts)


@njit
def split(weights, edge, counts, fraction, undecided):
    """Whole parts into counts, the rest into fraction; a fraction within `edge` of 0 or 1 counts as none.

    weights, fraction : (n_profiles,) float64; counts, undecided : (n_profiles,) int32. Returns how many profiles are listed
        in undecided.
    """
    n = 0
    for p in range(weights.shape[0]):
        whole = np.floor(weights[p] + edge)
        counts[p] = np.int32(whole)
        fraction[p] = max(weights[p] - whole, 0.0)
        if fraction[p] > edge:
            undecided[n] = p
            n += 1
    return n


@njit
def systematic(fraction, order, n, state, counts):
    """Add one person to some of the profiles order[:n], each with the probability of its fraction, in one systematic draw.

    fraction : (n_profiles,) float64 in [0, 1); order : (>= n,) int32, profiles; state : (1,) uint64; counts : (n_profiles,)
        int32.

    The sum of fractions is a whole number wherever a target gives the total; the fit's residual is taken off by rounding it, so
    that the total is met exactly (inclusion probabilities change by less than the residual).
    """
    total = 0.0
    for i in range(n):
        total += fraction[order[i]]
    wanted = np.rint(total)
    close = total > 0 and abs(wanted - total) < 1e-2
    scale = wanted / total if close else 1.0
    shift, reached, given = next_uniform(state), 0.0, 0
    for i in range(n):
        p = order[i]
        reached += fraction[p] * scale
        if close and i == n - 1:
            reached = wanted
        if np.floor(reached + shift) > given:
            counts[p] += 1
            given += 1


@njit
def largest_remainder_zone(weights, work, counts):
    """Apportion by largest remainder (Hare-Niemeyer): the largest fractions get the people missing, ties the earlier profile.

    Biased by construction: the same profiles win in every replicate.

    weights : (n_profiles,) float64, persons, finite and >= 0; work : of `whole_work`.
    counts : (n_profiles,) int32. Overwritten: floor(weights) or 1 more; their sum is the rounded sum of weights.
    """
    fraction = work.fraction
    split(weights, 0.0, counts, fraction, work.undecided)
    total, missing = 0.0, 0
    for p in range(weights.shape[0]):
        total += weights[p]
        missing -= counts[p]
    missing += np.int64(np.rint(total))
    low, high = 0, 1 << 53  # bisection for the least threshold that at most `missing` fractions reach, in units of 2^-53
    while low < high:
        middle = (low + high) // 2
        reach = 0
        for p in range(fraction.shape[0]):
            reach += fraction[p] >= middle * 2.0**-53
        if reach <= missing:
            high = middle
        else:
            low = middle + 1
    for rank in range(2):  # those that reach the threshold, then ties just below it
        for p in range(fraction.shape[0]):
            reached = fraction[p] >= low * 2.0**-53
            if missing > 0 and (reached if rank == 0 else not reached and fraction[p] >= (low - 1) * 2.0**-53):
                counts[p] += 1
                missing -= 1
