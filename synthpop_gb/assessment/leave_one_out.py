"""Leave one table out: refit every zone without it, predict its cells, and see how far off they are.

The error made in a table that was published is all there is to tell of errors in what was not. Each cell of each table left out
is an outcome whose truth is known; `intervals` learns from them how wrong the population may be about any other outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.assessment.refits import untold_by, zone_weights
from synthpop_gb.population import Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["LeftOut", "leave_one_out", "shifted"]

REFITS = 8
"""Bootstrap refits of each table left out, from which the sampling error of its prediction is estimated."""

_ARRAYS = ("published", "predicted", "scale", "variance", "finite", "people")


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What leaving each table out gave.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row a cell of a table: table, cell, mean (its share of the survey), region, region_error, explained (see
        `features.Features`), and 'like <table>' for each other table.
    zones : pandas.Index
        Zone codes.
    published, predicted, scale, variance : (n_cells, n_zones) float64
        Share of the table's universe in the cell: published, and predicted without the table; how far a unit of logit moves it;
        variance of sampling the survey and of the zone's being finite. NaN where the universe is empty.
    finite : (n_cells, n_zones) float64
        The part of `variance` that comes of the zone's being finite, which is each zone's own.
    people : (n_cells, n_zones) float64
        People in the universe, as published.
    """

    cells: pd.DataFrame
    zones: pd.Index
    published: np.ndarray
    predicted: np.ndarray
    scale: np.ndarray
    variance: np.ndarray
    finite: np.ndarray
    people: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """(n_cells, n_zones) published - predicted, shares."""
        return self.published - self.predicted

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return tidy frames for a run's folder: 'left_out_cells' and 'left_out' (zone, table, cell and the six arrays)."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        n = len(self.zones)
        by_zone = pd.DataFrame(
            {
                "zone": np.tile(self.zones.astype(str), len(self.cells)),
                "table": np.repeat(self.cells["table"].to_numpy(), n),
                "cell": np.repeat(self.cells["cell"].to_numpy(), n),
                **{name: values.ravel().astype(np.float32) for name, values in arrays.items()},
            }
        )
        return {"left_out_cells": self.cells, "left_out": by_zone}

    @classmethod
    def of_tables(cls, tables: dict[str, pd.DataFrame], zones: pd.Index) -> LeftOut | None:
        """Read what `tables` wrote; None where it is not there, or not all, or of other zones."""
        if "left_out_cells" not in tables or "left_out" not in tables:
            return None
        cells, by_zone = tables["left_out_cells"], tables["left_out"]
        shape = (len(cells), len(zones))
        if not {"zone", *_ARRAYS} <= set(by_zone.columns):
            return None
        if len(by_zone) != shape[0] * shape[1] or list(by_zone["zone"][: len(zones)]) != list(zones.astype(str)):
            return None
        return cls(cells, zones, *(by_zone[n].to_numpy(np.float64).reshape(shape) for n in _ARRAYS))

    def at(self, area: np.ndarray, areas: pd.Index) -> LeftOut:
        """Add zones up to areas: area (n_zones,) position of each in `areas`, -1 = none.

        Shares are of the areas' people, in zones where both are known. Errors of sampling the survey are taken to be the same
        error in all zones of an area; those of the zones' being finite have nothing to do with each other.
        """
        inside = np.flatnonzero(area >= 0)
        where, known = area[inside], np.isfinite(self.error + self.scale + self.variance)
        weight = np.where(known, self.people, 0.0)[:, inside]

        def added(values, weight=weight):
            out = np.zeros((len(areas), len(self.cells)))
            np.add.at(out, where, np.where(weight > 0, values[:, inside] * weight, 0.0).T)
            return out.T

        people, sampling = added(np.ones_like(self.people)), np.sqrt(np.maximum(self.variance - self.finite, 0.0))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = [added(v) / people for v in (self.published, self.predicted, self.scale, sampling)]
            finite = added(self.finite, weight**2) / people**2
        return LeftOut(self.cells, areas, *means[:3], means[3] ** 2 + finite, finite, people)

    def benchmarked(self, parent: np.ndarray) -> LeftOut:
        """Bring every prediction onto its table's own share in each parent area, as an indicator is that has a benchmark.

        parent : (n_areas,) int, -1 = none. The shift is one on the logit scale for all areas of a parent.
        """
        predicted, scale = self.predicted.copy(), self.scale.copy()
        for c in range(len(self.cells)):
            goal = _mean_by(self.published[c], self.people[c], parent)
            predicted[c] = shifted(self.predicted[c], self.people[c], parent, goal)
            with np.errstate(invalid="ignore", divide="ignore"):
                change = predicted[c] * (1 - predicted[c]) / (self.predicted[c] * (1 - self.predicted[c]))
            scale[c] = np.minimum(self.scale[c] * np.nan_to_num(change, nan=1.0, posinf=1.0), 0.25)
        return replace(self, predicted=predicted, scale=scale)


def _mean_by(values: np.ndarray, people: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Mean over the people of each parent; NaN where there are none."""
    inside = (parent >= 0) & np.isfinite(values)
    n = int(parent.max(initial=-1)) + 1
    total = np.bincount(parent[inside], people[inside], n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.bincount(parent[inside], (values * people)[inside], n) / total


def shifted(share: np.ndarray, people: np.ndarray, parent: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Move shares by one amount on the logit scale in each parent, so that its mean over people is the goal.

    share, people : (n_areas,); parent : (n_areas,) int, -1 = none; goal : (n_parents,), NaN = leave alone. Returns (n_areas,).

    >>> shifted(np.array([0.2, 0.4]), np.array([10.0, 10.0]), np.array([0, 0]), np.array([0.3])).round(6).tolist()
    [0.2, 0.4]
    """
    out = share.copy()
    for g in np.flatnonzero(np.isfinite(goal)):
        mine = np.flatnonzero((parent == g) & np.isfinite(share) & (people > 0))
        if not len(mine):
            continue
        if not 0 < goal[g] < 1:
            out[mine] = goal[g]
            continue
        x = np.log(np.clip(share[mine], 1e-6, 1 - 1e-6))
        x -= np.log1p(-np.clip(share[mine], 1e-6, 1 - 1e-6))
        weight, move = people[mine] / people[mine].sum(), 0.0
        for _ in range(60):  # Newton's method on an increasing function, its steps bounded
            p = 1 / (1 + np.exp(-(x + move)))
            step = (goal[g] - weight @ p) / max(weight @ (p * (1 - p)), 1e-12)
            move += float(np.clip(step, -1, 1))
            if abs(step) < 1e-12:
                break
        out[mine] = 1 / (1 + np.exp(-(x + move)))
    return out


def leave_one_out(population: Population, region: np.ndarray | None = None, *, refits: int = REFITS) -> LeftOut:
    """Refit a population's zones without each of its tables in turn.

    Fits are fractional and by maximum entropy, whatever method made the population: what a table says of a zone is the same. Of
    whole households tables of either kind are left out in turn, and shares are of households or of people as the table counts.
    Tables that share a variable with the one left out go with it, since they would tell its margin; so do tilts of the start,
    since what was learnt for a zone goes with all its tables. With one table only the prediction is the survey's own
    distribution.

    Parameters
    ----------
    population : Population
        Supplies problem and seed.
    region : (n_records,) int, optional
        Code of the part of the country that each record is from, -1 where unknown; by position in `problem.records`.
    refits : int
        Bootstrap refits of each table, at least 2.

    Raises
    ------
    ValueError
        For fewer refits.
    """
    if refits < 2:
        raise ValueError(f"the number of refits is 2 or more, not {refits}")
    problem, seed = population.problem, population.provenance.seed
    starts = [resampled(problem, seed, r + 1)[0] for r in range(refits)]
    rows, arrays = [], []
    for k, name in enumerate(problem.constraint_names):
        kept = untold_by(problem, k)
        design = Design.of(problem, kept, region)
        described = [describe(v, design) for v in _cells(problem, k)]
        targets = problem.targets[:, problem.constraint_start[k] : problem.constraint_start[k + 1]]
        total = targets.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            published = (targets / total[:, None]).T
        duals = None if problem.incidence is None else np.zeros((problem.n_zones, _width(problem, kept)))
        predicted, scale, noise = _predict(problem, kept, described, problem.start, duals)
        bare = _bare(problem, k)
        drawn = [_predict(problem, kept, bare, start, None if duals is None else duals.copy())[0] for start in starts]
        finite = np.maximum(noise, 1e-6) / np.where(total > 0, total, np.nan)
        people = np.broadcast_to(total, published.shape)
        arrays.append((published, predicted, scale, np.var(drawn, axis=0, ddof=1) + finite, finite, people))
        labels = problem.cells.get_level_values(1)[problem.constraint_start[k] : problem.constraint_start[k + 1]]
        rows += [_row(name, str(label), f) for label, f in zip(labels, described, strict=True)]
    found = [np.concatenate(parts) for parts in zip(*arrays, strict=True)]
    return LeftOut(pd.DataFrame(rows), problem.zones, *found)


def _width(problem: Problem, kept: list[int]) -> int:
    """How many cells the constraints kept have."""
    return int(np.diff(problem.constraint_start)[kept].sum())


def _row(table: str, cell: str, f: Features) -> dict:
    likeness = {f"like {name}": value for name, value in f.likeness.items()}
    known = {"mean": f.mean, "region": f.region, "region_error": f.region_error, "explained": f.explained}
    return {"table": table, "cell": cell, **known, **likeness}


def _cells(problem: Problem, k: int) -> Iterator[Variable]:
    """Each cell of a constraint as a variable of the records in its universe.

    Of a household it is known how many members are in each cell, and only that is asked of a variable: so its first members stand
    for those in the first cell, and so on.
    """
    cell = np.full(len(problem.records), -1, np.int64)
    donor, record = problem.donor_people()
    place = np.arange(len(donor)) - np.searchsorted(donor, donor)
    cell[record] = _members_in(problem, k)[problem.donor_profile[donor], place]
    for c in range(problem.constraint_start[k], problem.constraint_start[k + 1]):
        yield Variable(cell >= 0, (cell == c).astype(float))


def _members_in(problem: Problem, k: int) -> np.ndarray:
    """(n_profiles, largest size) int64: cells of a constraint that members of a profile are in, ascending; -1 after them."""
    members = problem.members
    mine = (members.cell >= problem.constraint_start[k]) & (members.cell < problem.constraint_start[k + 1])
    profile = np.repeat(np.arange(members.n_profiles), np.diff(members.start))[mine]
    profile, cell = (np.repeat(a, members.count[mine]) for a in (profile, members.cell[mine]))
    first = np.searchsorted(profile, np.arange(problem.n_profiles))
    out = np.full((problem.n_profiles, int(problem.people_of.max(initial=1))), -1, np.int64)
    out[profile, np.arange(len(profile)) - first[profile]] = cell
    return out


def _bare(problem: Problem, k: int) -> list[Features]:
    """Cells of a constraint by profile: profiles hold them whole, so that no resample of the records changes them."""
    within = _members_in(problem, k)
    zero, base = np.zeros(problem.n_profiles), (within >= 0).sum(axis=1).astype(float)
    cells = range(problem.constraint_start[k], problem.constraint_start[k + 1])
    return [Features(0, 0, base, (within == c).sum(axis=1).astype(float), zero, zero, 0, 0, 0, {}) for c in cells]


def _predict(problem: Problem, kept: list[int], described: list[Features], start: np.ndarray, duals: np.ndarray | None):
    """Fit the zones to the tables kept and sum variables: share, scale and noise, each (n_variables, n_zones).

    duals : of households, where fits begin; overwritten by where they end.
    """
    base, answer = np.stack([f.base for f in described], 1), np.stack([f.answer for f in described], 1)
    scale, noise = np.stack([f.scale for f in described], 1), np.stack([f.noise for f in described], 1)
    columns, n = np.concatenate([base, answer, scale, noise], axis=1), len(described)
    # without tilts: a learnt one was made to go with the zone's own tables, and would tell of the one left out
    bare = replace(problem, start=start, tilt_of=None, tilt=None, aligned=None)
    weights = zone_weights(bare, np.arange(problem.n_zones), kept, duals=duals)
    sums = np.concatenate([block @ columns for block in weights])
    with np.errstate(invalid="ignore", divide="ignore"):
        people = sums[:, :n]
        return tuple((sums[:, i * n : (i + 1) * n] / people).T for i in (1, 2, 3))
