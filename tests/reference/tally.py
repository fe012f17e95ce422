"""Tallies as anybody would write them: groupby, loops over zones and cells, and SciPy's Poisson."""

import numpy as np
import pandas as pd
from scipy.stats import poisson


def collapse_rows(codes, weight):
    """Rows of (first record, people, records), in order of first appearance."""
    found = {}
    for i, (row, w) in enumerate(zip(map(tuple, np.asarray(codes).tolist()), weight, strict=True)):
        first, people, records = found.get(row, (i, 0.0, 0))
        found[row] = (first, people + w, records + 1)
    return list(found.values())


def tally_cells(codes, columns, strides, values):
    """Numbers of the cells and sums by cell. codes: (n_variables, n_records)."""
    key = sum(
        (np.asarray(codes[c], np.int64) * s for c, s in zip(columns, strides, strict=True)), np.zeros(len(values), np.int64)
    )
    sums = pd.DataFrame(np.asarray(values)).groupby(key).sum()
    return sums.index.to_numpy(), sums.to_numpy().reshape(len(sums), np.shape(values)[1])


def poisson_p(observed, expected):
    """Two-sided p value: twice the smaller tail."""
    tail = poisson.sf(observed - 1, expected) if observed >= expected else poisson.cdf(observed, expected)
    return min(1.0, 2 * tail)


def deviation(mean):
    """E |X - mean| of a Poisson count, summed term by term."""
    k = np.arange(0, int(mean + 40 * np.sqrt(mean + 1)) + 2)
    return float((np.abs(k - mean) * poisson.pmf(k, mean)).sum())


def expected_by_zone(fitted, profile_start, member, share, cell_of, n_cells):
    """(n_zones, n_cells): every profile's people divided among its records, and these put into their cells."""
    out = np.zeros((len(fitted), n_cells))
    for p in range(fitted.shape[1]):
        for i in range(profile_start[p], profile_start[p + 1]):
            if cell_of[member[i]] >= 0:
                out[:, cell_of[member[i]]] += fitted[:, p] * share[i]
    return out


def compare(expected, indptr, record, n, cell_of):
    """Sums by zone (people, misplaced, its expectation, invented, missing, cells) and by cell."""
    n_zones, n_cells = expected.shape
    observed = np.zeros((n_zones, n_cells))
    for z in range(n_zones):
        for i in range(indptr[z], indptr[z + 1]):
            if cell_of[record[i]] >= 0:
                observed[z, cell_of[record[i]]] += n[i]
    gap, live = np.abs(observed - expected) / 2, (expected > 0) | (observed > 0)
    floor = np.array([[deviation(e) / 2 if e > 0 else 0.0 for e in row] for row in expected])
    invented, missing = np.where(expected == 0, observed, 0.0), np.where(observed == 0, expected, 0.0)
    by = [
        np.stack([a.sum(axis=axis) for a in (expected, observed, gap, floor, invented, missing, live.astype(float))], axis=1)
        for axis in (1, 0)
    ]
    return by[0], by[1], observed
