"""Slow twin of kernels/redraw: one zone at a time, shared margins found by walking from cell to cell through the profiles."""

import math

import numpy as np

from tests.reference import settle as settling
from tests.reference.bootstrap import _word

GAMMA = 0x9E3779B97F4A7C15


def finaliser(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & settling.WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & settling.WORD
    return x ^ (x >> 31)


def shared_blocks(mine, theirs):
    """Blocks of cells that hang together: mine[p] and theirs[p] are profile p's cells in two tables. Two dicts cell -> block."""
    left, right, block = {}, {}, 0
    for a in sorted(set(mine)):
        if a in left:
            continue
        reach_left, reach_right, grown = {a}, set(), True
        while grown:
            more_right = {t for m, t in zip(mine, theirs, strict=True) if m in reach_left}
            more_left = {m for m, t in zip(mine, theirs, strict=True) if t in more_right}
            grown = more_left != reach_left or more_right != reach_right
            reach_left, reach_right = more_left, more_right
        left |= dict.fromkeys(reach_left, block)
        right |= dict.fromkeys(reach_right, block)
        block += 1
    return left, right, block


def noise(targets, error, state):
    out = []
    for t, s in zip(targets, error, strict=True):
        if t > 0 and s > 0:
            state, one = _word(state)
            state, two = _word(state)
            radius = math.sqrt(-2.0 * math.log(1.0 - (one >> 11) / 2**53))
            t = max(0.0, t + np.rint(s * radius * math.cos(2.0 * math.pi * ((two >> 11) / 2**53))))
        out.append(t)
    return np.array(out), state


def redraw_zone(start, cell_of, constraint_start, targets, error, key):
    """Two tables at most share a margin finer than the total with an earlier one: what settling alone can do."""
    noisy, state = noise(targets, error, int(key))
    if not ((error > 0) & (targets > 0)).any():
        return targets
    n = len(cell_of)
    full = [k for k in range(n) if (cell_of[k] >= 0).all()]
    people = max(targets[constraint_start[k] : constraint_start[k + 1]].sum() for k in full)
    total = np.rint(np.median([noisy[constraint_start[k] : constraint_start[k + 1]].sum() for k in full]))
    sizes = [constraint_start[k + 1] - constraint_start[k] + (k not in full) for k in range(n)]
    order = sorted(range(n), key=lambda k: (k not in full, sizes[k], k))
    done = {}
    for place, k in enumerate(order):
        state = (state + GAMMA) & settling.WORD
        own_key = finaliser(state ^ GAMMA)
        cells = slice(constraint_start[k], constraint_start[k + 1])
        counts = list(noisy[cells])
        if k not in full:
            counts.append(max(people - targets[cells].sum(), 0.0))
        mine = [int(c) - constraint_start[k] if c >= 0 else sizes[k] - 1 for c in cell_of[k]]
        block, wanted = np.zeros(sizes[k], int), np.array([[total]])
        best = 1
        for j in order[:place]:
            theirs = [int(c) - constraint_start[j] if c >= 0 else sizes[j] - 1 for c in cell_of[j]]
            left, right, n_blocks = shared_blocks(mine, theirs)
            if n_blocks > best:
                best = n_blocks
                block = np.array([left.get(c, 0) for c in range(sizes[k])])
                wanted = np.array([[sum(done[j][c] for c in range(sizes[j]) if right.get(c, 0) == b) for b in range(n_blocks)]])
        share = np.maximum(np.bincount(mine, start, sizes[k]), 1e-300)
        done[k] = settling.settle(np.array([counts]), block, wanted, share, [own_key])[0]
    return np.concatenate([done[k][: constraint_start[k + 1] - constraint_start[k]] for k in range(n)])
