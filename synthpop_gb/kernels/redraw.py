"""Tables perturbed anew: targets as another draw of the publisher's noise might have left them, agreeing with each other again.

Each count gets noise of the publisher's size; then tables are settled on one total and on the margins that they share, as in
harmonising. Which margins two tables share is read off the profiles: cells that some profile has in common hang together, and
whatever hangs together must hold equally many people in both tables. Age and age x sex share age; residents aged 16 and over by
occupation share with age how many are below 16, who stand *outside* the universe; sex and age share only the total.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.components import component_of
from synthpop_gb.kernels.settle import meet_margins, settle
from synthpop_gb.kernels.streams import mix, next_uniform

__all__ = ["RedrawLayout", "add_noise", "linked_cells", "redraw", "redraw_layout"]

_TWO_PI = 2.0 * math.pi
_FAINT = 1e-3  # weight of a cell that the noise has emptied, in people
_GAMMA = np.uint64(0x9E3779B97F4A7C15)


class RedrawLayout(NamedTuple):
    """What tables of one problem have in common, worked out once.

    constraint_start : (n_constraints + 1,) int32. First cell of each constraint.
    order : constraints in the order in which they are settled: those that count everybody first, coarse ones before fine ones.
    outside : per constraint, whether a cell of those outside its universe is added, so that it counts everybody.
    universe : per constraint, a number that constraints of the same people share.
    margins : per constraint, a list of (earlier constraint or -1 for the total, (n_cells + outside,) int32 block of each cell,
        (its n_cells + outside,) int32 block of each of the earlier one's cells). The finest first.
    share : per constraint, (n_cells + outside,) float64, start weights by cell.
    """

    constraint_start: np.ndarray
    order: tuple
    outside: tuple
    universe: tuple
    margins: tuple
    share: tuple


def redraw_layout(start, cell_of, constraint_start) -> RedrawLayout:
    """Work out which margins the tables share.

    start : (n_profiles,) float64; cell_of : (n_constraints, n_profiles), -1 = outside; constraint_start : (n_constraints + 1,).

    Where no table counts everybody, tables of one universe still share their total and margins; those of different universes
    are then not compared.
    """
    first = np.asarray(constraint_start, np.int32)
    cells = np.asarray(cell_of)
    inside = cells >= 0
    everybody = inside.all(axis=1)
    completed = bool(everybody.any())
    outside = tuple(bool(completed and not full) for full in everybody)
    universe = tuple(int(u) for u in np.unique(inside, axis=0, return_inverse=True)[1].reshape(-1))
    local = [np.where(inside[k], cells[k] - first[k], first[k + 1] - first[k]) for k in range(len(cells))]
    size = [int(first[k + 1] - first[k]) + outside[k] for k in range(len(cells))]
    order = sorted(range(len(cells)), key=lambda k: (not everybody[k], size[k], k))
    margins: list = [[] for _ in cells]
    for place, k in enumerate(order):
        for j in order[:place]:
            if completed or (inside[j] == inside[k]).all():
                used = np.flatnonzero(inside[j] & inside[k]) if not completed else slice(None)
                margins[k].append((j, *linked_cells(local[k][used], size[k], local[j][used], size[j])))
        margins[k].sort(key=lambda m: -int(m[1].max(initial=0)))
        finest = margins[k][:1] or [(-1, np.zeros(size[k], np.int32), None)]
        further = [m for m in margins[k][1:] if m[1].max(initial=0) > 0 and not (m[1] == finest[0][1]).all()]
        margins[k] = finest + further
    share = []
    for k in range(len(cells)):
        used = slice(None) if outside[k] else inside[k]
        share.append(np.maximum(np.bincount(local[k][used], np.asarray(start)[used], size[k]).astype(float), 1e-300))
    return RedrawLayout(first, tuple(order), outside, universe, tuple(map(tuple, margins)), tuple(share))


def linked_cells(a, n_a, b, n_b):
    """Find the connected components of the graph that links cell a[p] of one table to cell b[p] of another, for each profile.

    Returns the component of each cell of either table, from 0; a cell of no profile joins component 0.
    """
    codes = np.unique(np.asarray(a, np.int64) * n_b + b)
    left, right = codes // n_b, codes % n_b + n_a
    label = component_of(left, right, n_a + n_b)
    linked = np.zeros(n_a + n_b, bool)
    linked[left] = linked[right] = True
    names = np.unique(label[linked])
    number = np.where(linked, np.searchsorted(names, label), 0).astype(np.int32)
    return number[:n_a], number[n_a:]


@njit
def add_noise(targets, standard_error, states, out):
    """Add whole-numbered noise to every count above nought whose standard error is above nought; no count falls below nought.

    targets, standard_error : (n_zones, n_cells) float64, persons. A count of nought stays: publishers leave true noughts alone.
    states : (n_zones,) uint64. Each zone's stream; advanced by two draws a cell with noise.
    out : (n_zones, n_cells) float64, written. Normal deviates (Box & Muller 1958), rounded.
    """
    for z in range(targets.shape[0]):
        state = states[z : z + 1]
        for c in range(targets.shape[1]):
            t, s = targets[z, c], standard_error[z, c]
            out[z, c] = t
            if t > 0.0 and s > 0.0:
                radius = math.sqrt(-2.0 * math.log(1.0 - next_uniform(state)))
                out[z, c] = max(0.0, t + np.rint(s * radius * math.cos(_TWO_PI * next_uniform(state))))


@njit
def _next_keys(states):
    """Draw a key from each stream, for a step that has a stream of its own. states : (n,) uint64, advanced."""
    out = np.empty(states.shape[0], np.uint64)
    for z in range(states.shape[0]):
        states[z] += _GAMMA
        out[z] = mix(states[z] ^ _GAMMA)
    return out


def redraw(layout, targets, standard_error, states):
    """Draw targets anew for a block of zones.

    layout : of `redraw_layout`.
    targets : (n_zones, n_cells) float64, persons: whole numbers that agree with each other, as harmonising leaves them.
    standard_error : (n_cells,) or (n_zones, n_cells) float64, persons, of each count.
    states : (n_zones,) uint64, each zone's stream of purpose TABLES. Advanced.
    Returns (n_zones, n_cells) float64: whole numbers that agree with each other again. A zone whose counts are all exact keeps
    them; so does one whose noise no move of single people reconciles (very small zones with joint tables). The total of a
    universe is the median of its tables' perturbed totals, taken to a whole number.
    """
    targets = np.asarray(targets, np.float64)
    error = np.ascontiguousarray(np.broadcast_to(standard_error, targets.shape), np.float64)
    noisy = np.empty_like(targets)
    add_noise(np.ascontiguousarray(targets), error, states, noisy)
    first = layout.constraint_start
    before = np.zeros(len(targets))  # people in all, where some table counts everybody
    for k, outside in enumerate(layout.outside):
        if not outside:
            before = np.maximum(before, targets[:, first[k] : first[k + 1]].sum(axis=1))
    done: dict = {}
    stuck = np.zeros(len(targets), bool)
    for k in layout.order:
        keys = _next_keys(states)
        counts = noisy[:, first[k] : first[k + 1]]
        if layout.outside[k]:
            rest = before - targets[:, first[k] : first[k + 1]].sum(axis=1)
            counts = np.column_stack([counts, np.maximum(rest, 0.0)])
        counts = np.ascontiguousarray(counts)
        (j, block, theirs), *further = layout.margins[k]
        if j < 0:  # the first of its universe: everybody where such tables exist, else its own perturbed total
            wanted = _own_total(layout, k, noisy)[:, None]
        else:
            wanted = _by_block(done[j], theirs, int(block.max(initial=0)) + 1)
        out = np.empty_like(counts)
        settle(counts, block, np.ascontiguousarray(wanted), layout.share[k], keys, out)
        if further:
            blocks, sums, offset = [block], [wanted], wanted.shape[1]
            for j, block_j, theirs_j in further:
                n = int(block_j.max()) + 1
                blocks.append(block_j + offset)
                sums.append(_by_block(done[j], theirs_j, n))
                offset += n
            alive = counts + _FAINT * (counts + _grown(targets, layout, k) > 0.0)  # a count that noise emptied may fill again
            stack, total = np.stack(blocks).astype(np.int32), np.concatenate(sums, axis=1)
            stuck |= meet_margins(out, alive, stack, total, _next_keys(states)) > 0.0
        done[k] = out
    drawn = np.empty_like(targets)
    for k in range(len(first) - 1):
        drawn[:, first[k] : first[k + 1]] = done[k][:, : first[k + 1] - first[k]]
    kept = stuck | ~((error > 0) & (targets > 0)).any(axis=1)
    drawn[kept] = targets[kept]
    return drawn


def _grown(targets, layout, k):
    """Return the targets of constraint k, with a column of noughts for those outside where one is added."""
    first = layout.constraint_start
    mine = targets[:, first[k] : first[k + 1]]
    return np.column_stack([mine, np.zeros(len(mine))]) if layout.outside[k] else mine


def _own_total(layout, k, noisy):
    """Median of the perturbed totals of the tables whose universe is that of constraint k, taken to a whole number."""
    first, same = layout.constraint_start, [i for i, u in enumerate(layout.universe) if u == layout.universe[k]]
    return np.rint(np.median([noisy[:, first[i] : first[i + 1]].sum(axis=1) for i in same], axis=0))


def _by_block(counts, block, n):
    """Add counts up by block of cells: (n_zones, n)."""
    out = np.zeros((len(counts), n))
    for cell, b in enumerate(block):
        out[:, b] += counts[:, cell]
    return out
