"""Means of many values at once: what `means_of` says of one, with weights, replicates and descriptions shared between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from synthpop_gb.assessment.describing import describer
from synthpop_gb.assessment.estimates import Averaged, Means, fractional_means, replicate_means
from synthpop_gb.assessment.features import Design
from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.population import Population

__all__ = ["means_together"]

_MOST = 16_000_000  # sums or columns held at once, of each kind; more are made in several goes


def means_together(asked: Asked | Answers, population: Population, design: Design, values: Sequence[Averaged]) -> list[Means]:
    """Estimate means of values in each area and group, with their spread between replicates; these are not kept.

    The spread is summed up around the estimate (a shifted sum of squares), so that no replicate need be held.
    """
    describing, found = describer(design), []
    for some in _goes(values, len(asked.groups), max(len(asked.areas), population.problem.n_profiles)):
        means = fractional_means(asked, population, design, some, describing)
        spread = _spread(asked, population, some, np.stack([m.estimate for m in means], axis=-1))
        found += [replace(m, spread=spread[..., v]) for v, m in enumerate(means)]
    return found


def _goes(values: Sequence[Averaged], n_groups: int, n_rows: int) -> Iterator[Sequence[Averaged]]:
    """Divide values so that the arrays of one go fit into memory."""
    size = max(_MOST // max(n_rows * n_groups, 1), 1)
    yield from (values[i : i + size] for i in range(0, len(values), size))


def _spread(asked, population: Population, values: Sequence[Averaged], around: np.ndarray) -> np.ndarray:
    """Compute standard deviations between replicates, (n_areas, n_groups, n_values); `around`: where values lie."""
    n, first, second = (np.zeros(around.shape) for _ in range(3))
    for drawn in replicate_means(asked, population, values):
        off = drawn - around
        known = np.isfinite(off)
        off[~known] = 0.0
        n += known
        first += off
        second += off * off
    return np.sqrt(np.maximum(second - first * first / np.maximum(n, 1), 0.0) / np.maximum(n - 1, 1))
