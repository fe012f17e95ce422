"""Tables of levels drawn anew for a replicate: another perturbation, and agreement with the zones' tables as redrawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthpop_gb.execution._redrawn_units import redrawn_area_units
from synthpop_gb.kernels.redraw import add_noise, linked_cells
from synthpop_gb.kernels.settle import meet_margins, settle
from synthpop_gb.kernels.streams import TABLES, stream_keys
from synthpop_gb.level import Level
from synthpop_gb.problem import Problem, zone_key

__all__ = ["redrawn_levels"]


def redrawn_levels(problem: Problem, targets: np.ndarray, seed: int, replicate: int) -> tuple[Level, ...]:
    """Draw the tables of every level anew and move them to what the zones' redrawn tables add up to.

    targets : (n_zones, n_cells) float64, the zones' tables as redrawn, whole numbers.

    Of persons, margins that two tables share are read off the profiles, as in `kernels.redraw`: cells that a profile has in
    common hang together. Of households, see `redrawn_area_units`. Draws are keyed by the areas' codes. Levels that were exact are
    moved only as far as their zones' tables were.
    """
    below = [(np.arange(problem.n_zones), _tables(problem.cell_of, problem.constraint_start), targets, targets - problem.targets)]
    made = []
    for place, level in enumerate(problem.levels):
        keys = np.fromiter((zone_key(f"{level.name} {a}") for a in level.areas.tolist()), np.uint64, len(level.areas))
        error = np.zeros(level.n_cells) if level.standard_error is None else level.standard_error
        error = np.ascontiguousarray(np.broadcast_to(error, level.targets.shape))
        noisy, states = np.empty(level.targets.shape), stream_keys(seed, keys, replicate, TABLES)
        add_noise(level.targets, error, states, noisy)
        published = None
        if level.published is not None:  # the same noise
            published = np.empty_like(noisy)
            add_noise(level.published, error, stream_keys(seed, keys, replicate, TABLES), published)
        mine = _tables(level.cell_of, level.constraint_start)
        if level.incidence is None:
            known = [
                (cells, None if sums is None else sums[:, cells[1]])
                for of_zone, tables, counts, _ in below
                for sums in [_summed(of_zone, level, counts)]
                for cells in tables
            ]
            out = _settled(level, mine, noisy, known, states)
        else:
            moved = [_summed(of_zone, level, change) for of_zone, _, _, change in below]
            out = redrawn_area_units(problem, place, moved, noisy, error, states)
        made.append(replace(level, targets=out, published=published))
        below.append((level.of_zone, mine, out, out - level.targets))
    return tuple(made)


def _settled(level: Level, tables, noisy: np.ndarray, known: list, states: np.ndarray) -> np.ndarray:
    """Settle the tables of one level, one after another, on the margins of those below and of each other."""
    out, done = level.targets.copy(), []
    for local, part, inside in tables:
        moved = _moved(local, noisy[:, part], level.targets[:, part], inside, [*known, *done], states)
        out[:, part] = moved[:, : part.stop - part.start]
        done.append(((local, part, inside), moved))
    return out


def _tables(cell_of: np.ndarray, start: np.ndarray) -> list[tuple[np.ndarray, slice, bool]]:
    """List constraints: cell of each profile within its own (the one after its last = outside), columns, all inside."""
    return [
        (np.where(row >= 0, row - first, end - first), slice(int(first), int(end)), bool((row >= 0).all()))
        for row, first, end in zip(cell_of, start[:-1], start[1:], strict=True)
    ]


def _summed(of_zone: np.ndarray, level: Level, counts: np.ndarray) -> np.ndarray | None:
    """Add counts below up to the level's areas; None where its areas do not nest in them."""
    bound = level.of_zone >= 0
    lower, upper = of_zone[bound], level.of_zone[bound]
    pairs = np.unique(np.stack([lower, upper]), axis=1)
    if (lower < 0).any() or len(np.unique(pairs[0])) < pairs.shape[1] or np.isin(pairs[0], of_zone[~bound]).any():
        return None
    out = np.zeros((len(level.areas), counts.shape[1]))
    np.add.at(out, pairs[1], counts[pairs[0]])
    return out


def _moved(local, noisy, before, inside, known, states) -> np.ndarray:
    """Move one table of a level to the margins that it shares with settled ones; those outside its universe are one more cell."""
    everybody = next((total.sum(axis=1) for (_, _, complete), total in known if complete and total is not None), None)
    if not inside and everybody is None:
        return noisy.copy()
    size = noisy.shape[1] + (not inside)

    def completed(counts, total):
        return np.column_stack([counts, np.maximum(total - counts.sum(axis=1), 0.0)])

    counts = np.ascontiguousarray(noisy if inside else completed(noisy, everybody))
    margins = []
    for (theirs, _, complete), total in known:
        if total is None or (not complete and everybody is None):
            continue
        full = total if complete or total.shape[1] > theirs.max(initial=0) else completed(total, everybody)
        block, other = linked_cells(local, size, theirs, full.shape[1])
        sums = np.zeros((len(full), int(block.max(initial=0)) + 1))
        np.add.at(sums.T, other, full.T)
        margins.append((block, sums))
    if not margins:
        return counts
    margins.sort(key=lambda m: -m[1].shape[1])
    share, out = np.maximum(np.bincount(local, minlength=size), 1e-9).astype(np.float64), np.empty_like(counts)
    settle(counts, margins[0][0], np.ascontiguousarray(margins[0][1]), share, states, out)
    if len(margins) > 1:
        first = np.cumsum([0, *(s.shape[1] for _, s in margins[:-1])])
        blocks = np.stack([b + f for (b, _), f in zip(margins, first, strict=True)]).astype(np.int32)
        alive = counts + 1e-3 * (np.column_stack([before, np.ones(len(before))])[:, :size] + counts > 0)
        meet_margins(
            out, alive, blocks, np.ascontiguousarray(np.concatenate([s for _, s in margins], axis=1)), states + np.uint64(1)
        )
    return out
