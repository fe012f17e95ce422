"""Slow twin of kernels/settle: the points of a systematic sample, laid on the line of people one by one."""

import numpy as np

WORD = 2**64 - 1


def uniforms(keys):
    """First draw of SplitMix64 from each state, in plain integers."""
    return np.array([_draws(int(key), 1)[0] for key in keys])


def _draws(state, n):
    out = []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & WORD
        x = state
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & WORD
        out.append(((x ^ (x >> 31)) >> 11) / 2**53)
    return out


def points_in_cells(weights, drawn, u):
    """How many of the points (u + m) * size / drawn, m = 0 .. drawn - 1, fall in each cell's stretch of the line."""
    edges = np.concatenate([[0.0], np.cumsum(weights)])
    points = (u + np.arange(drawn)) * edges[-1] / max(drawn, 1)
    return np.bincount(np.searchsorted(edges, points, side="right") - 1, minlength=len(weights))[: len(weights)]


def settle(counts, block, totals, share, keys):
    out = np.zeros_like(counts)
    for z, key in enumerate(keys):
        for b, u in enumerate(_draws(int(key), totals.shape[1])):
            cells = np.flatnonzero(block == b)
            old, new = counts[z, cells], totals[z, b]
            if old.sum() == 0:
                out[z, cells] = points_in_cells(share[cells], int(new), u)
            elif (old != np.floor(old)).any():
                out[z, cells] = points_in_cells(old, int(new), u)
            else:
                change = int(new - old.sum())
                out[z, cells] = old + np.sign(change) * points_in_cells(old, abs(change), u)
    return out
