"""Quasirandom integer sampling in plain NumPy: every probability summed from its definition, no tree, points from SciPy."""

from itertools import pairwise

import numpy as np
from scipy.stats import qmc

from synthpop_gb.kernels.streams import next_below


def shifted_points(n_dimensions, n_points, state):
    """(n_points, n_dimensions) Sobol points in (0, 1), all shifted by the same random bits."""
    shift = [next_below(state, 65536) * 65536 + next_below(state, 65536) for _ in range(n_dimensions)]
    power = max(int(n_points - 1).bit_length(), 0)
    points = qmc.Sobol(n_dimensions, scramble=False, bits=32).random_base2(power)[:n_points]
    return (((points * 2.0**32).astype(np.uint64) ^ np.array(shift, np.uint64)) + 0.5) / 2.0**32


def with_outside(cell_of, n_cells):
    """Cells with being outside the universe of constraint k as cell n_cells + k."""
    return np.where(cell_of < 0, n_cells + np.arange(len(cell_of))[:, None], cell_of)


def margins(cells, weights, n):
    return sum(np.bincount(row, weights, n) for row in cells)


def apportion(shares, people):
    """Whole numbers that add up to `people`, by largest remainder; equal remainders to the last cell, then from the first on."""
    exact = shares * people / shares.sum()
    whole = np.floor(exact)
    rest = exact - whole
    for _ in range(people - int(whole.sum())):
        best = len(rest) - 1 if rest[-1] == rest.max() else int(np.argmax(rest))
        whole[best] += 1
        rest[best] -= 1
    return whole


def wanted(weights, targets, cell_of, start):
    """People to draw and, by cell, how many of them."""
    n_cells, cells = len(targets), with_outside(cell_of, len(targets))
    partial = (cell_of < 0).any(axis=1)
    rounded = np.rint(targets)
    totals = np.array([rounded[a:b].sum() for a, b in pairwise(start)])
    full = np.sort(totals[~partial])
    people = int(full[(len(full) - 1) // 2]) if len(full) else int(np.rint(weights.sum()))
    left = np.append(rounded, np.where(partial, np.maximum(people - totals, 0), 0))
    fitted = margins(cells, weights, len(left))
    for k, (a, b) in enumerate(pairwise(start)):
        if weights.sum() > 0 and (np.abs(fitted[a:b] - targets[a:b]) > 0.5).any():
            own = [*range(a, b), n_cells + k]
            left[own] = apportion(fitted[own], people)
    return people, left


def fit_remaining(weights, cells, left, factor, people, max_cycles):
    """Factors after cycles of proportional fitting to what is left; cells that no weight can fill keep theirs."""
    most = 10.0 ** (280 / len(cells))
    w = weights * factor[cells].prod(axis=0)
    for _ in range(max_cycles):
        wrong = 0.0
        for row in cells:
            now = np.bincount(row, w, len(left))
            able = (left > 0) & (now > 0) & np.isin(np.arange(len(left)), row)
            wrong = max(wrong, np.abs(now - left)[able].max(initial=0.0))
            scaled = np.clip(factor[able] * left[able] / now[able], 1 / most, most)
            ratio = np.ones(len(left))
            ratio[able] = scaled / factor[able]
            factor[able] = scaled
            w = w * ratio[row]
        if wrong <= 0.01 * people:
            break
    return factor


def qisi(weights, targets, cell_of, start, state, refit, max_cycles):
    """Whole counts by profile, and how many people were left when no profile had all its cells open."""
    cells = with_outside(cell_of, len(targets))
    n, left = wanted(weights, targets, cell_of, start)
    points = shifted_points(len(cells), max(n, 1), state)
    counts, stuck, marked = np.zeros(len(weights), int), 0, n
    factor = (left > 0).astype(float)
    scale, mark = factor.copy(), np.maximum(left, 1)
    for i in range(n):
        factor = np.where(left > 0, scale * left / mark, 0.0)
        if not stuck and n - i <= (1 - refit) * marked:
            factor = scale = fit_remaining(weights, cells, left, factor, n - i, max_cycles)
            marked, mark = n - i, np.maximum(left, 1)
        if stuck == 0 and not (weights * factor[cells].prod(axis=0)).sum() > 0:
            stuck = n - i
        if stuck:
            factor = np.maximum(left, 1e-12)
        chance = weights * factor[cells].prod(axis=0)
        if not chance.sum() > 0:
            break
        chosen = draw(chance, cells, points[i])
        counts[chosen] += 1
        left[cells[:, chosen]] -= 1
    return counts, stuck


def draw(chance, cells, point):
    """Choose category by category, each from its chance given those chosen; then among profiles that repeat."""
    able = chance > 0
    for row, u in zip(cells, point, strict=True):
        options = np.unique(row[able])
        sums = np.array([chance[able & (row == c)].sum() for c in options])
        ends = np.cumsum(sums)
        j = min(int(np.searchsorted(ends, u * chance[able].sum(), side="right")), len(options) - 1)
        before = np.append(0.0, ends)[j]
        part = u * chance[able].sum() - before
        able = able & (row == options[j])
    same = np.flatnonzero(able)
    return same[min(int(np.searchsorted(np.cumsum(chance[same]), part, side="right")), len(same) - 1)]
