"""What repair must not leave undone: the best single move, by trying them all."""

import numpy as np


def tae(counts, cell_of, targets):
    """Total absolute error of whole counts, in persons."""
    return int(np.abs(margins(counts, cell_of, len(targets)) - np.rint(targets)).sum())


def margins(counts, cell_of, n_cells):
    """Counts by cell."""
    out = np.zeros(n_cells)
    for row in cell_of:
        np.add.at(out, row[row >= 0], np.asarray(counts)[row >= 0])
    return out


def best_move(counts, weights, cell_of, targets, total_free):
    """Lowest TAE within one swap (if `total_free`, addition or removal) of counts; only profiles with weight are filled."""
    best = tae(counts, cell_of, targets)
    down = [p for p in range(len(counts)) if counts[p] > 0] + ([None] if total_free else [])
    up = [q for q in range(len(counts)) if weights[q] > 0] + ([None] if total_free else [])
    for p in down:
        for q in up:
            moved = np.array(counts)
            if p is not None:
                moved[p] -= 1
            if q is not None:
                moved[q] += 1
            best = min(best, tae(moved, cell_of, targets))
    return best
