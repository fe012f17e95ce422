"""Distributions by area and group: quantiles, people below a line, what the poorest have, Gini's sum, in one pass."""

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["distribution_of_counts", "distribution_of_weights"]

_NEARLY = 1e-12  # of a total: a level that is reached but for rounding is reached


@njit
def _one(weight, value, group, levels, lines, people, total, pairs, quantile, poorest, reached, before, place):
    """Go through one area's values in ascending order; outputs by group, as in `distribution_of_weights`.

    weight, value, group : (n,), values ascending, weights >= 0.
    before, place : (n_groups,) float64 and int64. Work space.
    """
    n_levels, n_lines = levels.shape[1], lines.shape[1]
    people[:] = 0.0
    total[:] = 0.0
    pairs[:] = 0.0
    quantile[:] = 0.0
    poorest[:] = 0.0
    reached[:] = 0.0
    before[:] = 0.0
    place[:] = 0
    for i in range(weight.shape[0]):
        people[group[i]] += weight[i]
    for i in range(weight.shape[0]):
        w = weight[i]
        if w == 0.0:
            continue
        g = group[i]
        v = value[i]
        low = before[g]
        high = low + w
        before[g] = high
        pairs[g] += w * v * (low + high)
        k = place[g]
        while k < n_levels and high >= levels[g, k] * people[g] * (1.0 - _NEARLY):
            quantile[g, k] = v
            poorest[g, k] = total[g] + (levels[g, k] * people[g] - low) * v
            k += 1
        place[g] = k
        total[g] += w * v
        for j in range(n_lines):
            if v <= lines[g, j]:
                reached[g, j] += w


@njit
def distribution_of_weights(
    weights, slot, share, value, group, levels, lines, people, total, pairs, quantile, poorest, reached
):  # fmt: skip
    """Find the distributions of areas that are told by weights of profiles.

    weights  : (n_areas, n_slots) float64. Units of each slot, a profile in a class of place; below nought counts as nought.
    slot, share, value, group : (n_entries,) int32, float64, float64, int32, `value` ascending. One unit of the slot is `share`
               people with that value in that group.
    levels   : (n_areas, n_groups, n_levels) float64, ascending, above 0 and at most 1. Which quantiles.
    lines    : (n_areas, n_groups, n_lines) float64. Values that people lie at or below.
    people, total : (n_areas, n_groups) float64. Output: people W and the sum of their values T.
    pairs    : (n_areas, n_groups) float64. Output: sum of w_i v_i (C_i + C_(i-1)), C_i people at or before entry i; Gini's
               coefficient is pairs / (W T) - 1 (Sen 1973, in the form for weights).
    quantile : (n_areas, n_groups, n_levels) float64. Output: the least value that such a share of people lie at or below.
    poorest  : (n_areas, n_groups, n_levels) float64. Output: sum of the values of the poorest of that share; of those at the
               quantile, as many as make it up.
    reached  : (n_areas, n_groups, n_lines) float64. Output: people at or below each line.

    Of groups without people all outputs are nought.
    """
    n_groups = levels.shape[1]
    weight, before, place = np.empty(slot.shape[0]), np.empty(n_groups), np.empty(n_groups, np.int64)
    for a in range(weights.shape[0]):
        for i in range(slot.shape[0]):
            weight[i] = max(weights[a, slot[i]] * share[i], 0.0)
        _one(weight, value, group, levels[a], lines[a], people[a], total[a], pairs[a], quantile[a], poorest[a], reached[a],
             before, place)  # fmt: skip


@njit
def distribution_of_counts(
    indptr, slot, count, rank, value_of, group_of, levels, lines, people, total, pairs, quantile, poorest, reached
):  # fmt: skip
    """Find the distributions of areas that are told by whole people, slot by slot.

    indptr : (n_areas + 1,) int64; slot : (nnz,) int64; count : (nnz,) float64. Rows of each area: its slots, a record in a class
               of place, and how many people are copies of it; a slot may come more than once.
    rank, value_of, group_of : (n_slots,) int64, float64, int32. Place of each slot in the ascending order of values, its value,
               and its group, -1 = none.
    Others as in `distribution_of_weights`.
    """
    n_groups = levels.shape[1]
    before, place = np.empty(n_groups), np.empty(n_groups, np.int64)
    for a in range(indptr.shape[0] - 1):
        mine = slot[indptr[a] : indptr[a + 1]]
        n = 0
        key = np.empty(mine.shape[0], np.int64)
        for i in range(mine.shape[0]):
            if group_of[mine[i]] >= 0:
                key[n] = rank[mine[i]] * mine.shape[0] + i  # values of one rank in the order of the rows
                n += 1
        key = np.sort(key[:n])
        weight, value, group = np.empty(n), np.empty(n), np.empty(n, np.int32)
        for j in range(n):
            i = key[j] % mine.shape[0]
            weight[j] = count[indptr[a] + i]
            value[j] = value_of[mine[i]]
            group[j] = group_of[mine[i]]
        _one(weight, value, group, levels[a], lines[a], people[a], total[a], pairs[a], quantile[a], poorest[a], reached[a],
             before, place)  # fmt: skip
