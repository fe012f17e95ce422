"""Truncate-replicate-sample and largest remainder, each in a few lines of NumPy."""

import numpy as np

from synthpop_gb.kernels.streams import next_uniform, shuffle
from tests.reference.cube import systematic


def trs(weights, state):
    """Whole parts, then a systematic draw of the fractions in random order."""
    counts = np.floor(weights)
    order = np.flatnonzero(weights > counts)
    shuffle(state, order, len(order))
    if len(order):
        counts[order] += systematic((weights - np.floor(weights))[order], next_uniform(state))
    return counts.astype(int)


def largest_remainder(weights):
    """Whole parts, then one more for the largest fractions, earlier profiles first among equals."""
    counts = np.floor(weights)
    missing = int(np.rint(weights.sum()) - counts.sum())
    counts[np.argsort(counts - weights, kind="stable")[:missing]] += 1
    return counts.astype(int)
