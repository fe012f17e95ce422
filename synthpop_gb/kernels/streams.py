"""Random numbers as an argument: counter-based streams keyed by (seed, zone, replicate, purpose).

A stream is a uint64 array of one element, its state. Draw i of a stream depends on its key and i alone (SplitMix64: Steele,
Lea & Flood 2014, "Fast splittable pseudorandom number generators", OOPSLA; finaliser "variant 13" of Stafford), so a
zone's draws do not change when zones are added, blocks are cut differently, or the work moves to another machine.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = [
    "ANNEAL", "BOOTSTRAP", "ENGINE", "PLACE", "QUASI", "REZONE", "ROUND", "SCENARIO", "SETTLE", "START", "TABLES", "WHOLE", "mix",
    "next_below", "next_uniform", "shuffle", "stream_key", "stream_keys", "uniforms",
]  # fmt: skip

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)

# Purposes: one stream each, so that a change in how many numbers one step draws leaves the others alone.
WHOLE = 1  # whole counts per profile
PLACE = 2  # donors within a profile
SETTLE = 3  # disagreeing tables settled on one total
ANNEAL = 4  # proposals and acceptance of annealing
START = 5  # donors that annealing starts from
QUASI = 6  # shift of the Sobol points, and exchanges after them
ROUND = 7  # margins of a soft fit made whole
BOOTSTRAP = 8  # survey records resampled, for a replicate; keyed by records or strata instead of zones
TABLES = 9  # published counts perturbed anew, for a replicate
ENGINE = 50  # what a policy engine would draw of a donor; keyed by donors and their households instead of zones
REZONE = 40  # units of a zone that is divided between areas, dealt out to them
SCENARIO = 60  # exchanges of a population scenario, and at 61 its rounding; those of its second step are 62 and 63, and so on


@njit(inline="always")
def mix(x):
    """Scramble 64 bits: a bijection in which every input bit reaches every output bit."""
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@njit
def stream_key(seed, zone_key, replicate, purpose):
    """Key of one stream. seed, replicate, purpose: integers >= 0; zone_key: uint64 hash of the zone's code."""
    k = mix(np.uint64(seed) + _GAMMA)
    k = mix(k ^ zone_key)
    k = mix(k + np.uint64(replicate) * _GAMMA)
    return mix(k + np.uint64(purpose) * _GAMMA)


@njit
def stream_keys(seed, zone_keys, replicate, purpose):
    """Keys of the streams of many zones. zone_keys: (n_zones,) uint64. Returns (n_zones,) uint64."""
    out = np.empty(zone_keys.shape[0], np.uint64)
    for z in range(zone_keys.shape[0]):
        out[z] = stream_key(seed, zone_keys[z], replicate, purpose)
    return out


@njit(inline="always")
def _next(state):
    state[0] += _GAMMA
    return mix(state[0])


@njit
def next_uniform(state):
    """Next uniform draw in [0, 1) with 53 bits. state: (1,) uint64, advanced by one."""
    return (_next(state) >> _S11) * (1.0 / 9007199254740992.0)


@njit
def uniforms(keys, n):
    """First uniform draws in [0, 1) of many streams. keys: (n_keys,) uint64, left alone. Returns (n_keys, n) float64."""
    out = np.empty((keys.shape[0], n), np.float64)
    state = np.empty(1, np.uint64)
    for k in range(keys.shape[0]):
        state[0] = keys[k]
        for i in range(n):
            out[k, i] = next_uniform(state)
    return out


@njit
def next_below(state, n):
    """Next integer in 0..n-1 for 0 < n < 2**32 (multiply-shift; bias below n / 2**32). state: (1,) uint64, advanced by one."""
    return np.int64(((_next(state) >> _S32) * np.uint64(n)) >> _S32)


@njit
def shuffle(state, items, n):
    """Permute items[:n] in place (Fisher-Yates; Durstenfeld 1964). items: (>= n,) integers."""
    for i in range(n - 1, 0, -1):
        j = next_below(state, i + 1)
        items[i], items[j] = items[j], items[i]
