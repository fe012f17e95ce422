"""Cells by zone against a reference by zone: misplaced, invented and missing people, what chance leaves, and the worst zone."""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.noise import poisson_deviation

__all__ = [
    "BINS", "BINS_PER_DECADE", "CELL_SUMS", "HALF", "NOBODY", "ZONE_SUMS", "compare_with_fit", "compare_with_table",
    "poisson_log10_p", "profile_cells",
]  # fmt: skip

NOBODY = 1e-9
"""Expected people up to which a cell counts as expecting nobody: a fit that shrinks a weight towards nought never reaches it."""

HALF = 0.5
"""Expected people that a count is tested against where nobody is expected: a nought among small counts is no impossibility."""

BINS_PER_DECADE, BINS = 20, 20 * 50
"""P values are counted in steps of a twentieth of a power of ten, down to 1e-50."""

ZONE_SUMS = (
    "expected", "observed", "misplaced", "floor", "variance", "invented", "missing", "missing_floor", "cells", "worst_p",
    "worst_cell",
)  # fmt: skip
"""Columns of `by_zone`: people of both sides; half the sum of |O - E|, its expectation and its variance for Poisson counts;
people where nobody is expected; people expected where nobody is; the expectation of that; cells that occur on either side;
-log10 of the smallest p value, and the number of its cell."""

CELL_SUMS = (
    "expected", "observed", "misplaced", "floor", "variance", "invented", "missing", "zones", "worst_p", "worst_expected",
    "worst_observed",
)  # fmt: skip
"""Columns of `by_cell`, over zones; worst_p is -log10 of the smallest p value, the others are of that zone."""


@njit
def poisson_log10_p(observed, expected):
    """Log10 of the two-sided p value of a Poisson count: twice the smaller tail, at most 1. expected > 0; observed >= 0, whole.

    Tails are summed from the count outwards until a term adds less than 1e-12 of the sum, so nothing underflows.
    """
    ratio = observed * math.log(expected) - expected - math.lgamma(observed + 1.0)
    total, term = 1.0, 1.0
    if observed >= expected:
        k = observed
        while term > 1e-12 * total:
            k += 1.0
            term *= expected / k
            total += term
    else:
        k = observed
        while k > 0.0 and term > 1e-12 * total:
            term *= k / expected
            k -= 1.0
            total += term
    return min(0.0, (ratio + math.log(total) + math.log(2.0)) / math.log(10.0))


@njit
def profile_cells(profile_start, member, share, cell_of, n_cells):
    """Tell how the people of each profile divide into cells, given how they divide into records.

    profile_start : (n_profiles + 1,) int64. Members of profile p are profile_start[p] to profile_start[p + 1] - 1.
    member, share : (n_members,) int32 record, float64 share of the profile's people who are copies of it.
    cell_of       : (n_records,) int32. Cell of each record, -1 = outside. n_cells: how many cells.
    Returns (start, cell, part): rows of a sparse matrix, profiles x cells: (n_profiles + 1,) int64, (nnz,) int32, (nnz,) float64.
    """
    n_profiles = profile_start.shape[0] - 1
    start = np.zeros(n_profiles + 1, np.int64)
    cell = np.empty(member.shape[0], np.int32)
    part = np.empty(member.shape[0], np.float64)
    place = np.full(n_cells, -1, np.int64)
    n = 0
    for p in range(n_profiles):
        for i in range(profile_start[p], profile_start[p + 1]):
            c = cell_of[member[i]]
            if c < 0:
                continue
            if place[c] < start[p]:
                place[c] = n
                cell[n] = c
                part[n] = 0.0
                n += 1
            part[place[c]] += share[i]
        start[p + 1] = n
    return start, cell[:n].copy(), part[:n].copy()


@njit
def _compare(expected, observed, zone, by_zone, by_cell, worst, bins):
    """Add one zone's cells to the sums. expected, observed: (n_cells,) people; by_zone: this zone's row."""
    for c in range(expected.shape[0]):
        e, o = expected[c], observed[c]
        if e <= NOBODY:
            e = 0.0
            if o == 0.0:
                continue
        by_zone[8] += 1.0
        by_cell[c, 7] += 1.0
        by_zone[0] += e
        by_zone[1] += o
        by_cell[c, 0] += e
        by_cell[c, 1] += o
        gap = abs(o - e)
        by_zone[2] += 0.5 * gap
        by_cell[c, 2] += 0.5 * gap
        if e == 0.0:
            by_zone[5] += o
            by_cell[c, 5] += o
            p = -poisson_log10_p(o, HALF)
        else:
            mean = poisson_deviation(e)
            by_zone[3] += 0.5 * mean
            by_cell[c, 3] += 0.5 * mean
            by_zone[4] += 0.25 * max(e - mean * mean, 0.0)
            by_cell[c, 4] += 0.25 * max(e - mean * mean, 0.0)
            by_zone[7] += e * math.exp(-e)
            if o == 0.0:
                by_zone[6] += e
                by_cell[c, 6] += e
            p = 0.0
            if gap * gap > 4.0 * e:  # within two standard deviations p is above 0.03, which no one among thousands needs told
                p = -poisson_log10_p(o, e)
        bins[min(np.int64(p * BINS_PER_DECADE), BINS - 1)] += 1
        if p > by_zone[9]:
            by_zone[9] = p
            by_zone[10] = c
        if worst[c] < 0 or p > by_cell[c, 8]:
            worst[c] = zone
            by_cell[c, 8] = p
            by_cell[c, 9] = e
            by_cell[c, 10] = o


@njit
def compare_with_fit(fitted, start, cell, part, indptr, record, n, cell_of, number, by_zone, by_cell, worst, bins):
    """Set the people of each zone beside the fractional fit of the zone, in one combination of variables.

    fitted : (n_zones, n_profiles) float64, people. start, cell, part : from `profile_cells`.
    indptr, record, n : (n_zones + 1,) int64, (nnz,) int32, (nnz,) int32. Records that live in each zone, and how many copies.
    cell_of : (n_records,) int32. Cell of each record, -1 = outside.
    number  : (n_zones,) int64. Number of each of these zones in the whole study.
    by_zone : (n_zones, 11) float64, by_cell : (n_cells, 11) float64. Added to: see `ZONE_SUMS`, `CELL_SUMS`.
    worst : (n_cells,) int64, -1 at first. Zone with the smallest p value. bins : (BINS,) int64. P values counted.
    """
    n_cells = by_cell.shape[0]
    expected = np.empty(n_cells)
    observed = np.empty(n_cells)
    for z in range(indptr.shape[0] - 1):
        expected[:] = 0.0
        observed[:] = 0.0
        for p in range(fitted.shape[1]):
            w = fitted[z, p]
            if w != 0.0:
                for i in range(start[p], start[p + 1]):
                    expected[cell[i]] += w * part[i]
        for i in range(indptr[z], indptr[z + 1]):
            c = cell_of[record[i]]
            if c >= 0:
                observed[c] += n[i]
        _compare(expected, observed, number[z], by_zone[z], by_cell, worst, bins)


@njit
def compare_with_table(expected, indptr, record, n, cell_of, number, by_zone, by_cell, worst, bins):
    """Set the people of each zone beside a table published by zone.

    expected : (n_zones, n_cells) float64, people. The others as in `compare_with_fit`.
    """
    observed = np.empty(by_cell.shape[0])
    for z in range(indptr.shape[0] - 1):
        observed[:] = 0.0
        for i in range(indptr[z], indptr[z + 1]):
            c = cell_of[record[i]]
            if c >= 0:
                observed[c] += n[i]
        _compare(expected[z], observed, number[z], by_zone[z], by_cell, worst, bins)
