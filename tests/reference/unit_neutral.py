"""Exchanges of whole households the slow way: gaps counted afresh from every unit, moves by trying every pair of swaps drawn."""

import math

import numpy as np

from synthpop_gb.kernels.streams import next_uniform

_CHAIN = 32  # swaps with the same changes that one is paired with at most, the last drawn first


def gaps(zone, profile, counted, place, target):
    """Count minus target in the row of gaps. zone, profile : of each unit; counted : (n_profiles, n_cells)."""
    gap = -np.asarray(target, np.int64)
    for z, p in zip(zone, profile, strict=True):
        for c, g in enumerate(place[z]):
            if g >= 0:
                gap[g] += counted[p, c]
    return gap


def exchanged(profile, i, q):
    """Return the profiles of all units once unit i is one of q."""
    return [q if unit == i else p for unit, p in enumerate(profile)]


def rise(before, after, price):
    """Change of the error from gaps to gaps, each at its price."""
    return sum(int(w) * (abs(int(b)) - abs(int(a))) for a, b, w in zip(before, after, price, strict=True))


def tried(zone, profile, swaps, temperature, price, counted, place, target, most, state):
    """Make swaps (unit, profile) unless one leads above a limit or chance refuses them: (whether, rise, profiles after)."""
    after, allowed = profile, True
    for i, q in swaps:
        after = exchanged(after, i, q)
        allowed &= sum((y, p) == (zone[i], q) for y, p in zip(zone, after, strict=True)) <= most[zone[i], q]
    more = rise(gaps(zone, profile, counted, place, target), gaps(zone, after, counted, place, target), price)
    if not allowed:
        return False, 0, profile
    if more > 0 and next_uniform(state) >= math.exp(-more / temperature):
        return False, 0, profile
    return True, more, after


def sorted_by_zone(zone, profile, n_zones):
    """Units zone by zone, in the order that they had: (zone, profile, where each zone begins)."""
    order = sorted(range(len(zone)), key=lambda i: zone[i])
    return [zone[i] for i in order], [profile[i] for i in order], [sum(y < z for y in zone) for z in range(n_zones + 1)]


def key_of(change, salts):
    """Number that changes are recognised by: their sum, each times its cell's salt, in 64 bits."""
    return sum(int(x) * int(salt) for x, salt in zip(change, salts, strict=True)) % 2**64


def wanted(gap, places, end, salts):
    """What a zone misses in gaps before `end`, and the key of changes that would mend it. places : (n_cells,) of the zone."""
    mine = [g for g in places if 0 <= g < end]
    return sum(abs(int(gap[g])) for g in mine), key_of([-gap[g] for g in mine], [salts[g] for g in mine])


def change_of(z, p, q, counted, place, n_gaps):
    """(n_gaps,) what a unit of q instead of one of p changes in zone z."""
    return gaps([z], [q], counted, place, np.zeros(n_gaps)) - gaps([z], [p], counted, place, np.zeros(n_gaps))


def neutral_moves(z, profile, drawn, first_area, room, counted, place, salts):
    """List moves of one zone that leave gaps before `first_area` alone: rows (unit, donor, unit, donor, profiles of both), key.

    profile : of the zone's units. drawn : iterator of swaps (unit, profile), no longer drawn from once there are `room` moves.
    """
    found, before = [], []
    while len(found) < room and (swap := next(drawn, None)):
        i, q = swap
        mine = change_of(z, profile[i], q, counted, place, len(salts))
        if not mine[:first_area].any():
            if mine.any():
                found.append(((i, q, -1, -1, profile[i], -1), key_of(mine, salts)))
            continue
        fitting = [(j, r, c) for j, r, c in reversed(before) if j != i and not (mine + c)[:first_area].any()]
        for j, r, change in fitting[:_CHAIN]:
            if (mine + change).any() and len(found) < room:
                found.append(((i, q, j, r, profile[i], profile[j]), key_of(mine + change, salts)))
        before.append((i, q, mine))
    return found
