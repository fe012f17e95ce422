"""Slow twin of kernels/bootstrap: plain integers for the streams, scipy for the Poisson distribution."""

import numpy as np
from scipy.stats import poisson

from tests.reference.settle import WORD


def _word(state):
    x = state = (state + 0x9E3779B97F4A7C15) & WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & WORD
    return state, x ^ (x >> 31)


def poisson_multipliers(keys):
    uniform = [(_word(int(key))[1] >> 11) / 2**53 for key in keys]
    steps = poisson.cdf(np.arange(21), 1.0)
    return np.searchsorted(steps, uniform, side="right").astype(float)


def rao_wu_multipliers(stratum_start, keys):
    out = np.zeros(stratum_start[-1])
    for h, key in enumerate(keys):
        first, n = int(stratum_start[h]), int(stratum_start[h + 1] - stratum_start[h])
        state, drawn = int(key), []
        for _ in range(n - 1):
            state, word = _word(state)
            drawn.append(((word >> 32) * n) >> 32)
        if n:
            out[first : first + n] = np.bincount(drawn, minlength=n) * (n / (n - 1)) if n > 1 else 1.0
    return out
