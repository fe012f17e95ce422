"""Small problems with known truth as plain arrays, for tests, benchmarks and docs: no names, no files, no units but counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOADING = 0.7
"""Loading of every variable on its mix of three common factors: associations like those of census variables."""
FACTORS = 3
TILT = 0.5
"""Standard deviation over zones of each category's log weight: zones differ as LSOAs do."""
SPREAD = 0.8
"""Standard deviation of the logarithm of a record's design weight: they differ up to tenfold."""


@dataclass(frozen=True, eq=False)
class SimulatedProblem:
    """A fitting problem that some whole population solves exactly (where it is feasible).

    Attributes
    ----------
    cats : (n_profiles, n_constraints) int16
        Category of each profile on each constraint; every profile is another combination.
    n_cats : (n_constraints,) int64
        Categories of each constraint.
    start : (n_profiles,) float64
        Start weights, mean 1: records of the profile times their design weights.
    targets : (n_zones, n_cells) int64
        Counts by zone, constraints side by side; every constraint has the same total in a zone.
    counts : (n_zones, n_profiles) int32
        The true population behind the targets, as far as the profiles cover it.
    """

    cats: np.ndarray
    n_cats: np.ndarray
    start: np.ndarray
    targets: np.ndarray
    counts: np.ndarray

    @property
    def cell_of(self) -> np.ndarray:
        """(n_constraints, n_profiles) int32: cell of each profile, numbered across all constraints."""
        first = np.cumsum(self.n_cats) - self.n_cats
        return np.ascontiguousarray((self.cats + first).T.astype(np.int32))


def simulate_problem(
    n_profiles: int, n_zones: int, n_cats: tuple[int, ...], seed: int, feasible: bool = True, mean_people: float = 1_300.0
) -> SimulatedProblem:
    """Simulate a person problem: correlated categories, unequal start weights, integer targets that agree with each other.

    Each zone's true people are a multinomial draw of the profiles with weights start x exp(zone tilts of every category), so its
    targets are integers, consistent, and met exactly by `counts`.

    Parameters
    ----------
    n_profiles, n_zones : int
        Size. Profiles are distinct combinations.
    n_cats : tuple of int
        Categories of each constraint.
    seed : int
        Fixes the draw; profiles and start weights do not depend on n_zones, nor a zone on the zones after it.
    feasible : bool
        False: the people of the last category of the last constraint are counted in the targets, but no profile has it, so
        that zones with a target there cannot be fitted (an empty cell) and the others can.
    mean_people : float
        Mean people of a zone; sd 20 % of it.

    Raises ValueError where there are fewer combinations than profiles.

    >>> problem = simulate_problem(40, 5, (2, 5, 5), seed=3)
    >>> problem.targets.shape, bool((problem.targets[:, :2].sum(axis=1) == problem.counts.sum(axis=1)).all())
    ((5, 12), True)
    """
    sizes = np.asarray(n_cats, np.int64)
    if n_profiles > np.prod(sizes.astype(float)):
        raise ValueError(f"{n_profiles:,} distinct profiles cannot be had from {np.prod(sizes):,} combinations of categories")
    rng = np.random.default_rng([seed, 0])
    cats, records = _distinct(rng, n_profiles, sizes)
    start = records * np.exp(SPREAD / np.sqrt(records) * rng.standard_normal(n_profiles))
    first = np.cumsum(sizes) - sizes
    cell_of = cats + first
    counts = np.empty((n_zones, n_profiles), np.int32)
    targets = np.zeros((n_zones, int(sizes.sum())), np.int64)
    zone_rng = np.random.default_rng([seed, 1])
    for z in range(n_zones):
        tilt = TILT * zone_rng.standard_normal(int(sizes.sum()))
        weight = start * np.exp(tilt[cell_of].sum(axis=1))
        people = max(1, round(mean_people * (1.0 + 0.2 * max(-3.0, zone_rng.standard_normal()))))
        counts[z] = zone_rng.multinomial(people, weight / weight.sum())
        for column in cell_of.T:
            targets[z] += np.bincount(column, counts[z], targets.shape[1]).astype(np.int64)
    if not feasible:
        keep = cats[:, -1] != sizes[-1] - 1
        cats, start, counts = cats[keep], start[keep], counts[:, keep]
    return SimulatedProblem(cats, sizes, start / start.mean(), targets, counts)


def _distinct(rng: np.random.Generator, n: int, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw records from a factor model, cut at uneven quantiles, until n combinations have occurred.

    Returns the combinations, in order of occurrence, and the number of records of each.
    """
    loadings = rng.standard_normal((FACTORS, len(sizes)))
    loadings *= LOADING / np.linalg.norm(loadings, axis=0)
    edges = [np.cumsum(0.5 / k + 0.5 * rng.dirichlet(np.full(k, 3.0)))[:-1] for k in sizes]
    place = np.cumprod(np.r_[1, sizes[:0:-1]])[::-1]
    key = np.empty(0, np.int64)
    batch = 0
    while True:
        latent = rng.standard_normal((2 * n, FACTORS)) @ loadings
        latent += np.sqrt(1.0 - LOADING**2) * rng.standard_normal(latent.shape)
        drawn = np.column_stack([_cut(latent[:, j], edge) for j, edge in enumerate(edges)])
        even = rng.random(2 * n) < 0.1 * batch  # ever more records spread evenly, so that rare combinations are found at last
        drawn[even] = rng.integers(0, sizes, (2 * n, len(sizes)))[even]
        key = np.r_[key, drawn @ place]
        _, first, records = np.unique(key, return_index=True, return_counts=True)
        if len(first) >= n:
            order = np.argsort(first)[:n]
            cats = key[first[order], None] // place % sizes
            return cats.astype(np.int16), records[order].astype(float)
        batch += 1


def _cut(latent: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Category of each standard normal latent, cut at the quantiles `edges`."""
    from scipy.special import ndtri

    return np.searchsorted(ndtri(edges), latent)
