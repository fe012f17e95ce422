"""The ordinary size: 1,000 zones of about 1,300 adults, eight tables, 30,000 records in about 16,000 profiles; truth known.

Records come from a factor model cut into categories, with unequal design weights. The true people of a zone are a multinomial
draw of the survey's profiles, tilted by zone-specific log-linear effects of every category. So tables are whole, agree with
each other, and some whole population meets all of them; and the two-way tables, which nobody is told, are known. Those of the
first `KEPT` zones are what `two_way_error` judges by.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

__all__ = ["KEPT", "N_CATS", "Region", "make_region", "numpy_ipf", "region_problem", "trs_records", "two_way_error"]

N_CATS = (2, 14, 5, 6, 4, 5, 8, 3)
"""Categories of car, age by sex, ethnic group, household type, tenure, qualification, NS-SEC and health."""
KEPT = 200
"""Zones whose true people are kept."""
_SEED, _RECORDS, _MEAN_PEOPLE = 2026, 30_000, 1_300
_LOADING, _FACTORS, _TILT, _SPREAD = 0.75, 3, 0.5, 0.8
_SKEWED = {2: (0.86, 0.09, 0.03, 0.015, 0.005)}  # shares of the ethnic groups: few people are in most of them


@dataclass(frozen=True, eq=False)
class Region:
    """Arrays of the problem.

    Attributes
    ----------
    cats : (n_records, 8) int16
        Category of each record.
    weight : (n_records,) float64
        Design weights, mean 1.
    targets : (n_zones, 47) int32
        Tables side by side.
    truth : (KEPT, n_profiles) int16
        True people of the first zones, profiles in order of `profiles`.
    profile_cats : (n_profiles, 8) int16
        Category of each profile, in lexicographic order.
    profile_of : (n_records,) int64
        Profile of each record.
    """

    cats: np.ndarray
    weight: np.ndarray
    targets: np.ndarray
    truth: np.ndarray
    profile_cats: np.ndarray
    profile_of: np.ndarray

    @property
    def start(self) -> np.ndarray:
        """(n_profiles,) float64: design weight of each profile."""
        return np.bincount(self.profile_of, weights=self.weight)


def make_region(n_zones: int = 1_000) -> Region:
    """Make the problem; records do not depend on the number of zones."""
    rng = np.random.default_rng(_SEED)
    cats = _records(rng)
    weight = np.exp(_SPREAD * rng.standard_normal(_RECORDS))
    weight /= weight.mean()
    key = np.ravel_multi_index(tuple(cats.T.astype(np.int64)), N_CATS)
    _, first, profile_of = np.unique(key, return_index=True, return_inverse=True)
    profile_cats = cats[first]
    targets, truth = _zones(np.random.default_rng(_SEED + 1), profile_cats, np.bincount(profile_of, weights=weight), n_zones)
    return Region(cats, weight, targets, truth, profile_cats, profile_of)


def _records(rng: np.random.Generator) -> np.ndarray:
    """Categories of the records: normal latents that share three factors, cut where uneven shares say."""
    common = rng.standard_normal((_RECORDS, _FACTORS))
    cats = np.empty((_RECORDS, len(N_CATS)), np.int16)
    for j, k in enumerate(N_CATS):
        loading = rng.standard_normal(_FACTORS)
        loading *= _LOADING / np.linalg.norm(loading)
        latent = common @ loading + np.sqrt(1 - _LOADING**2) * rng.standard_normal(_RECORDS)
        share = np.maximum(rng.dirichlet(np.full(k, 3.0)), 0.25 / k)
        share = np.array(_SKEWED[j]) if j in _SKEWED else share
        share = share / share.sum()
        cats[:, j] = np.searchsorted(np.quantile(latent, np.cumsum(share)[:-1]), latent)
    return cats


def _zones(rng, profile_cats, start, n_zones) -> tuple[np.ndarray, np.ndarray]:
    """Tables and, for the first zones, true people."""
    offset = np.concatenate([[0], np.cumsum(N_CATS)])
    people = np.maximum(rng.normal(_MEAN_PEOPLE, 0.2 * _MEAN_PEOPLE, n_zones), 0.3 * _MEAN_PEOPLE).astype(int)
    targets = np.empty((n_zones, offset[-1]), np.int32)
    truth = np.zeros((min(n_zones, KEPT), len(start)), np.int16)
    base = np.log(start)
    for z in range(n_zones):
        logit = base.copy()
        for j, k in enumerate(N_CATS):
            logit += (_TILT * rng.standard_normal(k))[profile_cats[:, j]]
        share = np.exp(logit - logit.max())
        share /= share.sum()
        counts = rng.multinomial(people[z], share)
        if z < KEPT:
            truth[z] = counts
        for j, k in enumerate(N_CATS):
            targets[z, offset[j] : offset[j + 1]] = np.bincount(profile_cats[:, j], weights=counts, minlength=k)
    return targets, truth


def region_problem(region: Region):
    """Return the `Problem` that the package solves: profiles of the records, one constraint a table."""
    import pandas as pd

    from synthpop_gb.problem import Problem, zone_key

    offset = np.concatenate([[0], np.cumsum(N_CATS)])
    zones = pd.Index([f"E{9_000_000 + z:08d}" for z in range(len(region.targets))], name="zone")
    donor = np.argsort(region.profile_of, kind="stable")
    cells = [(f"table {j}", f"category {c}") for j, k in enumerate(N_CATS) for c in range(k)]
    return Problem(
        start=region.start,
        cell_of=region.profile_cats.T + offset[:-1, None],
        constraint_start=offset,
        targets=region.targets,
        zone_keys=np.array([zone_key(z) for z in zones], np.uint64),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(region.profile_of))]),
        donor=donor,
        donor_weight=region.weight[donor],
        zones=zones,
        records=pd.RangeIndex(len(region.weight), name="record"),
        cells=pd.MultiIndex.from_tuples(cells, names=["constraint", "category"]),
    )


def two_way_error(region: Region, counts: np.ndarray, first: int = 0) -> np.ndarray:
    """Per cent of people in the wrong cell of a two-way table, mean over the 28 pairs of tables, by zone.

    counts: (n, n_profiles) people of zones first to first + n - 1, all below `KEPT`.
    """
    pairs = list(itertools.combinations(range(len(N_CATS)), 2))
    wrong = np.zeros((len(counts), len(pairs)))
    for p, (a, b) in enumerate(pairs):
        cell = region.profile_cats[:, a].astype(np.int64) * N_CATS[b] + region.profile_cats[:, b]
        for i, found in enumerate(counts):
            true = np.bincount(cell, region.truth[first + i], N_CATS[a] * N_CATS[b])
            wrong[i, p] = 50 * np.abs(np.bincount(cell, found, len(true)) - true).sum() / true.sum()
    return wrong.mean(axis=1)


def trs_records(region: Region, weights: np.ndarray, seed: int) -> np.ndarray:
    """Truncate, replicate, sample one zone over *records* (Lovelace & Ballas 2013): the usual way, as a yardstick.

    weights: (n_profiles,) persons. Returns (n_profiles,) whole people.
    """
    rng = np.random.default_rng(seed)
    record = weights[region.profile_of] * region.weight / region.start[region.profile_of]
    whole = np.floor(record)
    missing, rest = round(weights.sum() - whole.sum()), record - whole
    if missing > 0:
        whole[rng.choice(len(record), missing, replace=False, p=rest / rest.sum())] += 1
    return np.bincount(region.profile_of, whole, len(weights))


def numpy_ipf(region: Region, n_zones: int, *, tolerance: float = 1e-6, most_cycles: int = 500, chunk: int = 50) -> np.ndarray:
    """Iterative proportional fitting in plain NumPy, fifty zones at once, to the same relative error: the bar to beat.

    Returns (n_zones, n_profiles) weights.
    """
    offset, start = np.concatenate([[0], np.cumsum(N_CATS)]), region.start
    one_hot = [np.eye(k)[region.profile_cats[:, j]] for j, k in enumerate(N_CATS)]
    out = np.empty((n_zones, len(start)))
    for first in range(0, n_zones, chunk):
        targets = region.targets[first : first + chunk].astype(float)[: n_zones - first]
        weights = np.tile(start, (len(targets), 1)) * (targets[:, : N_CATS[0]].sum(axis=1) / start.sum())[:, None]
        for _ in range(most_cycles):
            worst = 0.0
            for j in range(len(N_CATS)):
                wanted = targets[:, offset[j] : offset[j + 1]]
                found = weights @ one_hot[j]
                factor = np.divide(wanted, found, out=np.zeros_like(wanted), where=found > 0)
                worst = max(worst, (np.abs(found - wanted)[wanted > 0] / wanted[wanted > 0]).max())
                weights *= factor[:, region.profile_cats[:, j]]
            if worst < tolerance:
                break
        out[first : first + chunk] = weights
    return out
