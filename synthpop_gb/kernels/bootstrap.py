"""The bootstrap of a survey: how often each record counts in a replicate, with strata and clusters where they are known.

A design weight times the multiplier is the record's weight in the replicate. Every multiplier has the mean 1, so that weights
keep their totals in expectation. Draws hang on the record's (or stratum's) own key, not on its place in the file.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["poisson_multipliers", "rao_wu_multipliers"]


@njit
def poisson_multipliers(keys):
    """Draw a Poisson(1) count for each record, independently: the bootstrap of a sample whose design is not known.

    keys : (n_records,) uint64. State of each record's stream; left as it is.
    Returns (n_records,) float64: whole numbers with mean 1 and variance 1. By inversion, one uniform a record.

    Counts of a resample of n records are multinomial; independent Poisson counts have the same limit, and the count of one record
    does not change when records are added (Hanley & MacGibbon 2006, Comput. Methods Programs Biomed. 83).
    """
    out = np.empty(keys.shape[0])
    state = np.empty(1, np.uint64)
    for i in range(keys.shape[0]):
        state[0] = keys[i]
        u, k, chance = next_uniform(state), 0, math.exp(-1.0)
        reached = chance
        while u >= reached and k < 20:  # P(more than 20) is below 2^-53
            k += 1
            chance /= k
            reached += chance
        out[i] = k
    return out


@njit
def rao_wu_multipliers(stratum_start, keys):
    """Resample the clusters of each stratum: n - 1 of its n, with replacement, each counting n / (n - 1).

    stratum_start : (n_strata + 1,) int64. Clusters of stratum h are stratum_start[h] to stratum_start[h + 1] - 1; where the
        survey has no clusters each record is one.
    keys : (n_strata,) uint64. State of each stratum's stream; left as it is.
    Returns (n_clusters,) float64: mean 1. The only cluster of a stratum keeps 1, since nothing tells its variance.

    Rao & Wu (1988, JASA 83, 231-241), with n - 1 draws, in which the multiplier is never negative.
    """
    out = np.zeros(stratum_start[-1])
    state = np.empty(1, np.uint64)
    for h in range(keys.shape[0]):
        first, n = stratum_start[h], stratum_start[h + 1] - stratum_start[h]
        if n == 1:
            out[first] = 1.0
            continue
        state[0] = keys[h]
        for _ in range(n - 1):
            out[first + next_below(state, n)] += 1.0
        for i in range(first, first + n):
            out[i] *= n / (n - 1)
    return out
