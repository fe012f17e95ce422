"""Donors of a zone by the definition of a systematic draw."""

import numpy as np

from synthpop_gb.kernels.streams import next_uniform


def place(profiles, number, key, donor_start, donor, donor_weight):
    """Donor -> people of one zone; profile by profile in the order given."""
    state, people = np.array([key], np.uint64), {}
    for p, n in zip(profiles, number, strict=True):
        mine = slice(donor_start[p], donor_start[p + 1])
        cumulated = np.cumsum(donor_weight[mine])
        if n == 0 or len(cumulated) == 0 or cumulated[-1] == 0:
            continue
        points = (np.arange(n) + next_uniform(state)) * (cumulated[-1] / n)
        first = np.searchsorted(cumulated, points, side="right")
        last = np.searchsorted(cumulated, cumulated[-1])  # the last donor with weight
        for d in np.minimum(first, last):
            r = int(donor[mine][d])
            people[r] = people.get(r, 0) + 1
    return dict(sorted(people.items()))


def capped_share(number, weight, cap):
    """Expected use of each donor: min(cap, f * weight) with the f that makes them `number` in all, by bisection."""
    low, high = 0.0, number / weight[weight > 0].min()
    for _ in range(200):
        f = (low + high) / 2
        low, high = (f, high) if np.minimum(cap, f * weight).sum() < number else (low, f)
    return np.minimum(cap, high * weight)
