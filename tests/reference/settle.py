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


def meet_margins(table, weight, block, totals, keys):
    table, wrong = table.copy(), np.zeros(len(table))
    for z, key in enumerate(keys):
        draws = iter(_draws(int(key), 100_000))
        tried = set()

        def excess(z=z):
            return np.array([table[z][(block == b).any(axis=0)].sum() - totals[z, b] for b in range(totals.shape[1])])

        def draw(chance, draws=draws):
            return int(np.flatnonzero(next(draws) * chance.sum() < np.cumsum(chance))[0])

        while True:
            over = excess()
            leave = np.array(
                [table[z, c] if c not in tried and (over[block[:, c]] > 0).any() else 0.0 for c in range(len(table[z]))]
            )
            if not leave.any():
                break
            source = draw(leave)
            enter = np.zeros(len(leave))
            for c in range(len(leave)):
                other = block[:, c] != block[:, source]
                if other.any() and (over[block[other, source]] > 0).all() and (over[block[other, c]] < 0).all():
                    enter[c] = weight[z, c]
            if not enter.any():
                tried.add(source)
                continue
            target = draw(enter)
            table[z, source] -= 1
            table[z, target] += 1
            tried = set()
        wrong[z] = np.abs(excess()).sum() / 2
    return table, wrong
