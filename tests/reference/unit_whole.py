"""Whole households the slow way: the draw by least squares, gaps counted afresh, and every exact point by trying all counts."""

import itertools

import numpy as np

from synthpop_gb.kernels.streams import next_below, next_uniform
from tests.reference.cube import EDGE, _combination, _room, systematic


def balanced_draw(weights, counted, household, state, least=0.0, strata=()):
    """Let fractions below `least` meet within strata, then take two flights, with all cells kept and then with those of households.

    What is left open is drawn systematically. counted : (n_profiles, n_cells); household : (n_cells,) bool. Returns (counts, how many the first flight left open).
    """
    counts = np.floor(weights + EDGE)
    y = np.maximum(weights - counts, 0.0)
    units, left = [p for p in range(len(weights)) if y[p] > EDGE], []
    if least > 0:
        units = [p for stratum in strata for p in meet(y, [p for p in stratum if y[p] > EDGE], least, state)]
        counts += y > 1 - EDGE
        y[y > 1 - EDGE] = 0.0
    for a in (counted.T, counted.T[household]):
        y = _flight(y, units, a, state)
        counts[[p for p in units if y[p] > 1 - EDGE]] += 1
        units = [p for p in units if EDGE < y[p] <= 1 - EDGE]
        left.append(len(units))
    shift = next_uniform(state)
    if units:
        counts[units] += systematic(y[units], shift)
    return counts.astype(int), left[0]


def meet(y, units, least, state):
    """Let the last unit still below `least` and the next one meet: one arrives at 0 or 1. Returns the open."""
    kept = []
    for p in units:
        if not kept or y[kept[-1]] >= least:
            kept.append(p)
            continue
        last = kept.pop()
        both, draw = y[last] + y[p], next_uniform(state)
        full = both >= 1
        stays = last if (draw * (2 - both) >= 1 - y[p] if full else draw * both < y[last]) else p
        y[p] = y[last] = float(full)
        y[stays] = both - full
        if EDGE < y[stays] < 1 - EDGE:
            kept.append(stays)
    return kept


def _flight(y, units, a, state):
    y, basis = y.copy(), []
    for j in np.roll(units, -next_below(state, len(units))) if len(units) else ():
        u, depends = _combination(a[:, basis], a[:, j])
        if not depends:
            basis.append(j)
            continue
        moving, direction = np.array([*basis, j]), np.append(-u, 1.0)
        rise, fall = _room(y[moving], direction)
        y[moving] += direction * (rise if next_uniform(state) * (rise + fall) < fall else -fall)
        y[moving] = np.where(np.abs(y[moving] - np.rint(y[moving])) < 1e-7, np.rint(y[moving]), y[moving])
        basis = [i for i in moving if 0 < y[i] < 1]
    return y


def gaps(counts, counted, targets):
    """Count minus target by cell."""
    return counts @ counted - np.rint(targets).astype(int)


def exact_points(weights, counted, targets, most):
    """Find every whole vector, no profile above `most` or of weight 0, that meets the targets. For a handful of profiles."""
    high = []
    for w, row, limit in zip(weights, counted, most, strict=True):
        room = min((int(t) // int(c) for t, c in zip(targets, row, strict=True) if c), default=0)
        high.append(min(room, int(limit)) if w > 0 else 0)
    points = (np.array(p) for p in itertools.product(*(range(h + 1) for h in high)))
    return [p for p in points if not gaps(p, counted, targets).any()]
