"""Random draws over many people at once: one stream a purpose and block, categories from log weights, sums within groups."""

from __future__ import annotations

import numpy as np

from synthpop_gb.datasets._worlds import World

PLACES, LANDSCAPE, PEOPLE, SURVEY, KEYS, ELSEWHERE = range(6)
"""Purposes: one family of streams each, so that a change in how many numbers one draws leaves the others alone."""


def stream(world: World, seed: int, zones: int, purpose: int, block: int = 0) -> np.random.Generator:
    """Return the generator of one purpose and block of zones in one world of one size."""
    return np.random.default_rng(np.random.SeedSequence([seed, world.number, zones], spawn_key=(purpose, block)))


def choose(rng: np.random.Generator, log_weights: np.ndarray) -> np.ndarray:
    """Draw one category a column. log_weights: (n_categories, n) float64, overwritten. Returns (n,) int8."""
    log_weights -= log_weights.max(axis=0)
    np.exp(log_weights, out=log_weights)
    np.cumsum(log_weights, axis=0, out=log_weights)
    point = rng.random(log_weights.shape[1]) * log_weights[-1]
    drawn = np.zeros(log_weights.shape[1], np.int8)
    for row in log_weights[:-1]:
        drawn += point >= row
    return drawn


def choose_from(rng: np.random.Generator, shares: tuple[float, ...], n: int) -> np.ndarray:
    """Draw n categories from one set of shares (any scale). Returns (n,) int64."""
    edges = np.cumsum(np.asarray(shares, float))
    return np.searchsorted(edges[:-1], rng.random(n) * edges[-1], side="right")


def cut(latent: np.ndarray, shares: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Ordered category of each standard normal latent, so that group g has shares[g] where its latent is standard normal.

    latent: (n,) float64; shares: (n_groups, n_categories), any scale, first category at the lowest latent;
    group: (n,) integers. Returns (n,) int8. A latent with mean and correlation of its own gives the association; the
    thresholds give the margin (the ordered probit model: McKelvey & Zavoina 1975).
    """
    from scipy.special import ndtri

    below = np.cumsum(shares, axis=1)[:, :-1] / shares.sum(axis=1, keepdims=True)
    edges = ndtri(np.clip(below, 0.0, 1.0))
    drawn = np.zeros(latent.shape[0], np.int8)
    for edge in edges.T:
        drawn += latent > edge[group]
    return drawn


def within(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Position of each member within its group: 0, 1, ... for groups of `sizes` that begin at `starts`."""
    return np.arange(int(sizes.sum())) - np.repeat(starts, sizes)


def logit(p: np.ndarray | float) -> np.ndarray:
    """Log odds of a probability."""
    p = np.asarray(p, float)
    return np.log(p) - np.log1p(-p)


def chance(log_odds: np.ndarray) -> np.ndarray:
    """Probability of log odds."""
    return 1.0 / (1.0 + np.exp(-log_odds))
