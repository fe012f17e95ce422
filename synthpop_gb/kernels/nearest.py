"""Nearest records under Gower's distance: exact, one record at a time against all others, without a table of distances."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import mix

__all__ = ["nearest_records"]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


@njit
def nearest_records(number, category, to_number, to_category, inverse, key, own, first, second, at, ties):
    """Find the nearest of some records, and the distance of the second nearest, for each of other records.

    number, to_number     : (n, n_numbers) and (n_to, n_numbers) float64; NaN = missing.
    category, to_category : (n, n_categories) and (n_to, n_categories) int32 codes; -1 = missing.
    inverse : (n_numbers,) float64. 1 / range of each number. Differences are divided, not values, so that the whole numbers 4
             and 7 are exactly as far apart as 7 and 10, and ties are ties.
    key    : (n,) uint64. Decides between records that are equally near: the smallest mix(key + (j + 1) * gamma) wins, so every
             one of them is as likely, whatever their order.
    own    : (n,) int64. Position of a record that is passed over (itself, where records are held against themselves), or -1.
    first  : (n,) float64. Output: smallest distance; NaN where there is nobody.
    second : (n,) float64. Output: distance of the second nearest record; NaN where there are fewer than two.
    at     : (n,) int64. Output: position of the nearest record; -1 where there is nobody.
    ties   : (n,) int64. Output: how many records are that near.

    Distance: mean over variables of |a - b| / range (at most 1) for numbers and of 0 or 1 for categories; a missing value is 1
    away from a value, as two categories are from each other, and 0 from another missing value (Gower 1971, Biometrics 27,
    leaves them out; so counted, the distance of two records does not hang on what a third one lacks). A sum that has passed the
    second smallest is given up, so categories that differ most often should come first. With no variables all distances are 0.
    """
    n_to = to_number.shape[0]
    n_numbers, n_categories = number.shape[1], category.shape[1]
    variables = float(max(n_numbers + n_categories, 1))
    for i in range(number.shape[0]):
        best = np.inf
        runner = np.inf
        where = -1
        many = 0
        lowest = np.uint64(0)
        for j in range(n_to):
            if j == own[i]:
                continue
            total = 0.0
            for k in range(n_categories):
                if category[i, k] != to_category[j, k]:
                    total += 1.0
                    if total > runner:
                        break
            if total > runner:
                continue
            for k in range(n_numbers):
                a = number[i, k]
                b = to_number[j, k]
                if np.isnan(a) or np.isnan(b):
                    if np.isnan(a) != np.isnan(b):
                        total += 1.0
                else:
                    total += min(abs(a - b) * inverse[k], 1.0)
                if total > runner:
                    break
            if total > runner:
                continue
            if total < best:
                runner = best
                best = total
                where = j
                many = 1
                lowest = mix(key[i] + np.uint64(j + 1) * _GAMMA)
            elif total == best:
                runner = best
                many += 1
                drawn = mix(key[i] + np.uint64(j + 1) * _GAMMA)
                if drawn < lowest:
                    lowest = drawn
                    where = j
            else:
                runner = total
        first[i] = best / variables if many > 0 else np.nan
        second[i] = runner / variables if runner < np.inf else np.nan
        at[i] = where
        ties[i] = many
