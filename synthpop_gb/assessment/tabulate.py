"""Figures of many variables at once: every category, in every group, at every level of place, each with its interval.

What `indicator` says of one question, for thousands of them: sums over the fit are made once for all columns, replicates are gone
through once, and areas are sums of their zones. Replicates are not kept: their spread is summed up on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix
from scipy.special import ndtri

from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.indicators.table import FEW_DONORS
from synthpop_gb.indicators.tabulated import Figures, Group, Level, Measured, reliability_codes
from synthpop_gb.population import DonorCounts, Population, resampled

__all__ = ["tabulate"]

_BLOCK = 512  # zones whose fractional weights are held at once
_MOST = 12_000_000  # sums held at once; more are made in several goes


def tabulate(
    population: Population,
    measured: Sequence[Measured],
    groups: Sequence[Group],
    levels: Sequence[Level],
    *,
    left_out: LeftOut | None = None,
    region: np.ndarray | None = None,
    level: float = 0.9,
    counts: Iterable[DonorCounts] | None = None,
) -> list[list[Figures]]:
    """Estimate everything measured in every group at every level.

    Figures, intervals and classes are those of `indicator` with the measure 'share' or 'mean', up to the order of sums.

    Parameters
    ----------
    population : Population
        With two replicates or more for intervals; without, `half` is NaN and only few records make a figure unreliable.
    measured : sequence of Measured
        Variables, conditions, numbers.
    groups : sequence of Group
        Of whom.
    levels : sequence of Level
        Where.
    left_out : LeftOut, optional
        From `leave_one_out`; needed for intervals.
    region : (n_records,) int64, optional
        Part of the country of each record, from `region_of`.
    level : float
        Nominal coverage of the intervals.
    counts : iterable of DonorCounts, optional
        The people as written; those that the population places otherwise.

    Returns
    -------
    list of list of Figures
        By level, then by what is measured.
    """
    sure = population.replicates is not None and len(population.replicates) > 1 and left_out is not None
    models = [_model(left_out, place, level) for place in levels] if sure else [None] * len(levels)
    pairs = _pairs(population, levels, population.blocks() if counts is None else counts)
    design = Design.of(population.problem, range(population.problem.n_constraints), region)
    out: list[list[Figures]] = [[] for _ in levels]
    for batch in _batches(measured, len(groups), sum(len(place.areas) for place in levels)):
        sums = _Sums(population, batch, groups, levels, design, sure)
        for k, place in enumerate(levels):
            out[k] += _figures(sums, k, models[k], pairs[k], len(place.areas), level)
    return out


def _model(left_out: LeftOut, place: Level, level: float) -> ModelError:
    """Learn the model error of a level from the tables left out, added up to its areas."""
    return ModelError.learn(left_out if place.name == "zone" else left_out.at(place.of_zone, place.areas), level)


def _batches(measured: Sequence[Measured], n_groups: int, n_areas: int) -> Iterator[list[Measured]]:
    """Divide what is measured so that the sums of one part fit into memory."""
    batch: list[Measured] = []
    for m in measured:
        if batch and sum(len(x.columns) for x in [*batch, m]) * n_groups * n_areas > _MOST:
            yield batch
            batch = []
        batch.append(m)
    if batch:
        yield batch


class _Sums:
    """Sums of one part of what is measured, by level: over the fit, and the spread of means between replicates.

    Columns are numbered over all that is measured; `of` says whose each is. Arrays are (n_groups, n_areas, n_columns), of bases
    (n_groups, n_areas, n_measured).
    """

    def __init__(self, population, measured: Sequence[Measured], groups, levels, design: Design, sure: bool):
        self.population, self.measured, self.groups = population, measured, groups
        self.of = np.repeat(np.arange(len(measured)), [len(m.columns) for m in measured])
        self.n_zones = population.problem.n_zones
        self.adding = [_adding(place, self.n_zones) for place in levels]
        values = csr_matrix(np.concatenate([m.values * m.base[:, None] for m in measured], axis=1))
        self.matrix = csr_matrix(np.concatenate([np.stack([m.base for m in measured], axis=1), values.toarray()], axis=1))
        self.features: list[list[Features]] = []
        scale, noise = [], []
        if sure:
            for group in groups:
                described = [d for m in measured for d in _described(m, group, design)]
                scale.append(np.stack([f.scale for f in described], axis=1))
                noise.append(np.stack([f.noise for f in described], axis=1))
                self.features.append(described)
        columns = self._columns(None)
        parts = [[c, s, n] for c, s, n in zip(columns, scale, noise, strict=True)] if sure else [[c] for c in columns]
        sums = self._fractional([np.concatenate(p, axis=1) for p in parts])
        n, k = len(measured), len(self.of)
        self.people = [s[..., :n] for s in sums]
        with np.errstate(invalid="ignore", divide="ignore"):
            self.estimate = [s[..., n : n + k] / s[..., :n][..., self.of] for s in sums]
            if sure:
                self.scale = [s[..., n + k : n + 2 * k] / s[..., :n][..., self.of] for s in sums]
                self.finite = [np.maximum(s[..., n + 2 * k :], 1e-6) / s[..., :n][..., self.of] ** 2 for s in sums]
        self.spread = self._spread() if sure else None

    def _columns(self, donor_weight: np.ndarray | None) -> list[np.ndarray]:
        """Find what one unit of a profile adds to bases and values of each group: (n_profiles, n_measured + n_columns)."""
        problem = self.population.problem
        profile, record, share = problem.people_shares(donor_weight)
        out = []
        for group in self.groups:
            inside = group.member[record]
            shape = (problem.n_profiles, self.matrix.shape[0])
            rows = csr_matrix((share[inside], (profile[inside], record[inside])), shape)
            out.append((rows @ self.matrix).toarray())
        return out

    def _fractional(self, columns: list[np.ndarray]) -> list[np.ndarray]:
        """Sum columns over the fractional fit, or the whole people where the method keeps no duals, by level and group."""
        population = self.population
        out = [np.zeros((len(columns), a.shape[0], columns[0].shape[1])) for a in self.adding]
        whole = None
        if population.duals is None:
            shape = (self.n_zones, population.problem.n_profiles)
            whole = csr_matrix((population.count.astype(float), population.profile, population.indptr), shape)
        for first in range(0, self.n_zones, _BLOCK):
            last = min(first + _BLOCK, self.n_zones)
            rows = population.fitted(np.arange(first, last)) if whole is None else whole[first:last]
            for g, values in enumerate(columns):
                used = np.flatnonzero(values.any(axis=1))
                zones = rows[:, used] @ values[used]
                for k, adding in enumerate(self.adding):
                    out[k][g] += adding[:, first:last] @ zones
        return out

    def _spread(self) -> list[np.ndarray]:
        """Find the standard deviation of each mean between replicates that have somebody in the base."""
        population, n = self.population, len(self.measured)
        made, problem = population.replicates, population.problem
        shapes = [e.shape for e in self.estimate]
        known, first, second = ([np.zeros(s) for s in shapes] for _ in range(3))
        again = "donors" in made.sources
        fixed = None if again else self._columns(None)
        for place, number in enumerate(made.numbers.tolist()):
            columns = self._columns(resampled(problem, population.provenance.seed, number)[1]) if again else fixed
            indptr, profile, count = made.indptr[place], made.profile[place], made.count[place]
            rows = csc_matrix(csr_matrix((count.astype(float), profile, indptr), (self.n_zones, problem.n_profiles)))
            for g, values in enumerate(columns):
                used = np.flatnonzero(values.any(axis=1))
                zones = rows[:, used] @ values[used]
                for k, adding in enumerate(self.adding):
                    sums = adding @ zones
                    with np.errstate(invalid="ignore", divide="ignore"):
                        off = sums[:, n:] / sums[:, :n][:, self.of] - self.estimate[k][g]
                    live = np.isfinite(off)
                    off = np.where(live, off, 0.0)
                    known[k][g] += live
                    first[k][g] += off
                    second[k][g] += off * off
        return [
            np.sqrt(np.maximum(s - f * f / np.maximum(n, 1), 0.0) / np.maximum(n - 1, 1))
            for n, f, s in zip(known, first, second, strict=True)
        ]


def _described(m: Measured, group: Group, design: Design) -> Iterator[Features]:
    base = m.base & group.member
    for c in range(len(m.columns)):
        yield describe(Variable(base, np.where(base, m.values[:, c], 0.0)), design)


def _adding(place: Level, n_zones: int) -> csr_matrix:
    """(n_areas, n_zones) matrix that adds zones up to areas."""
    inside = np.flatnonzero(place.of_zone >= 0)
    return csr_matrix((np.ones(len(inside)), (place.of_zone[inside], inside)), (len(place.areas), n_zones))


def _pairs(population: Population, levels, counts) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Area, record and people of every pair of these that occurs, by level."""
    zones, n_records = population.zones, len(population.problem.records)
    parts = [
        (np.repeat(zones.get_indexer(b.zones), np.diff(b.indptr)), b.record.astype(np.int64), b.n.astype(np.float64))
        for b in counts
    ]
    empty = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    zone, record, n = (np.concatenate(p) for p in zip(*(parts or [empty]), strict=True))
    out = []
    for place in levels:
        area = np.where(zone >= 0, place.of_zone[zone], -1)
        key, inverse = np.unique(area[area >= 0] * n_records + record[area >= 0], return_inverse=True)
        out.append((key // n_records, key % n_records, np.bincount(inverse.reshape(-1), n[area >= 0], len(key))))
    return out


def _donors(bases: list[np.ndarray], pairs, n_areas: int) -> np.ndarray:
    """(n_bases, n_areas) distinct records of each base."""
    area, record, _ = pairs
    present = csr_matrix((np.ones(len(area), np.float32), (area, record)), (n_areas, len(bases[0])))
    return (present @ np.stack(bases, axis=1).astype(np.float32)).T.astype(np.int64)


def _effective(base: np.ndarray, pairs, n_areas: int) -> np.ndarray:
    """(n_areas,) effective number of records of a base (Kish 1965)."""
    area, record, n = pairs
    inside = base[record]
    area, n = area[inside], n[inside]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.bincount(area, n, n_areas) ** 2 / np.bincount(area, n * n, n_areas)


def _figures(sums: _Sums, k: int, model: ModelError | None, pairs, n_areas: int, level: float) -> list[Figures]:
    """Put estimates, intervals and classes of one level together, one `Figures` for each that is measured."""
    out, z = [], ndtri((1 + level) / 2)
    bases = {(m.base & g.member).tobytes(): m.base & g.member for m in sums.measured for g in sums.groups}
    donors_of = dict(zip(bases, _donors(list(bases.values()), pairs, n_areas), strict=True))
    for i, m in enumerate(sums.measured):
        mine = np.flatnonzero(sums.of == i)
        estimate = sums.estimate[k][..., mine].transpose(0, 2, 1).copy()
        half = np.full(estimate.shape, np.nan)
        base = [m.base & group.member for group in sums.groups]
        donors = np.stack([donors_of[b.tobytes()] for b in base])
        for g in range(len(base)) if model is not None else ():
            few = donors[g] < FEW_DONORS
            n_eff = _effective(base[g], pairs, n_areas) if few.any() else 1.0
            for j, c in enumerate(mine):
                features = sums.features[g][c]
                error = model.deviation(features, sums.scale[k][g, :, c])
                own = np.where(few, features.variance / np.fmax(n_eff, 1.0), 0.0)
                half[g, j] = z * np.sqrt(sums.spread[k][g, :, c] ** 2 + sums.finite[k][g, :, c] + error**2 + own)
        if m.share:
            estimate = np.clip(estimate, 0.0, 1.0)
        elif m.values.min(initial=0.0) >= 0:
            estimate = np.maximum(estimate, 0.0)
        half[~np.isfinite(half)] = np.nan
        codes = reliability_codes(estimate, half / z, donors[:, None, :], share=m.share)
        out.append(Figures(estimate, half, codes, sums.people[k][..., i], donors))
    return out
