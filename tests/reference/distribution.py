"""Slow twin of kernels/distribution.py: plain definitions over a list of (people, value) of one area and group."""

import numpy as np


def distribution(weight, value, levels, lines):
    """Returns people, total, Gini, quantiles, sums of the poorest shares, people at or below each line."""
    order = np.argsort(value, kind="stable")
    w, v = np.asarray(weight, float)[order], np.asarray(value, float)[order]
    people, total = w.sum(), (w * v).sum()  # Gini: mean difference over twice the mean
    gini = (w[:, None] * w[None, :] * np.abs(v[:, None] - v[None, :])).sum() / (2 * people * total)
    quantile, poorest = [], []
    for level in levels:
        wanted, have, mine = level * people, 0.0, 0.0
        for wi, vi in zip(w, v, strict=True):
            if wi > 0:
                take = min(wi, wanted - have)
                have, mine, last = have + take, mine + take * vi, vi
                if have >= wanted * (1 - 1e-12):
                    break
        quantile.append(last)
        poorest.append(mine)
    return people, total, gini, np.array(quantile), np.array(poorest), np.array([w[v <= line].sum() for line in lines])
