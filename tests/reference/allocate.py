"""Units dealt out by the definition of systematic draws, one area after the other, along the order of kinds."""

import numpy as np

from synthpop_gb.kernels.streams import next_uniform, shuffle


def allocate(kind, share, key):
    """Part of each unit of one zone."""
    state, n = np.array([key], np.uint64), len(kind)
    part = np.full(n, -1)
    if len(share) == 1:
        return np.zeros(n, int)
    mixed = np.arange(n)
    shuffle(state, mixed, n)
    left = sorted(mixed.tolist(), key=lambda u: kind[u])  # stable: chance orders the units of one kind
    rest = 1.0
    for j in range(len(share) - 1):
        chance = min(share[j] / rest, 1.0)
        rest -= share[j]
        marks = np.floor(next_uniform(state) + np.arange(len(left) + 1) * chance)
        taken = np.diff(marks) > 0
        part[np.array(left, int)[taken]] = j
        left = [u for u, t in zip(left, taken, strict=True) if not t]
    part[left] = len(share) - 1
    return part
