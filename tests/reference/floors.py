"""The noise floor by drawing: what perfect samples of a distribution show, and by adding up a binomial term by term."""

import numpy as np
from scipy.stats import binom


def expected_tvd(share, n):
    """Half the sum of E |X / n - p|, each binomial written out."""
    k = np.arange(n + 1)
    return float(sum((np.abs(k / n - p) * binom.pmf(k, n, p)).sum() for p in share) / 2)


def drawn(share, n, times, seed):
    """TVD, SRMSE, missing mass and missing cells of multinomial samples: (times, 4)."""
    x = np.random.default_rng(seed).multinomial(n, share, times) / n
    tvd = np.abs(x - share).sum(axis=1) / 2
    srmse = np.sqrt(((x - share) ** 2).mean(axis=1)) / share.mean()
    return np.stack([tvd, srmse, np.where(x == 0, share, 0).sum(axis=1), (x == 0).sum(axis=1)], axis=1)
