"""A small study made by hand for tests of validation: records, tables, zones, a fit by plain iteration, and whole people."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import DonorCounts
from synthpop_gb.problem import Problem, zone_key

EVERYBODY = Universe("everybody")


def variable(name, labels):
    return Variable(name, tuple(Category(x, x, frozenset([f"{name}:{x}"])) for x in labels), name)


AGE, SEX, WORK, TENURE = (
    variable("age", ["young", "middle", "old"]),
    variable("sex", ["male", "female"]),
    variable("work", ["employed", "idle"]),  # of people who are not young
    variable("tenure", ["own", "rent"]),
)


def aligned_table(variables, counts, record_cell, universe=EVERYBODY, published=None, name=None):
    labels, names = [[c.label for c in v.categories] for v in variables], tuple(v.name for v in variables)
    columns = pd.MultiIndex.from_product(labels, names=names)
    targets = pd.DataFrame(counts.astype(float).to_numpy(), counts.index, columns)
    return AlignedTable(
        name or "_".join(names), names, tuple(v.categories for v in variables), targets, record_cell.astype(np.int32), universe,
        0.0, targets if published is None else pd.DataFrame(published, counts.index, columns),
    )  # fmt: skip


def draw_people(rng, n):
    age = rng.choice(3, n, p=[0.3, 0.4, 0.3])
    sex = (rng.random(n) < 0.5 + 0.1 * (age - 1)).astype(int)
    work = np.where(age == 0, -1, (rng.random(n) < 0.3 + 0.4 * (age == 2)).astype(int))
    tenure = (rng.random(n) < 0.2 + 0.3 * (age == 0)).astype(int)
    return pd.DataFrame({"age": age, "sex": sex, "work": work, "tenure": tenure})


def cell(frame, variables):
    """Cell of each row in the product of the variables; -1 where one of them does not apply."""
    out = np.zeros(len(frame), int)
    for v in variables:
        out = out * len(v.categories) + frame[v.name].to_numpy()
    return np.where((frame[[v.name for v in variables]] < 0).any(axis=1), -1, out)


def tabulate(people, zone, zones, variables):
    cells = cell(people, variables)
    out = np.zeros((len(zones), int(np.prod([len(v.categories) for v in variables]))), int)
    np.add.at(out, (zone[cells >= 0], cells[cells >= 0]), 1)
    return pd.DataFrame(out, zones)


@cache
def world(seed=0, n_zones=5, n_records=80, empty=None, noise=0, joint=False):
    """Aligned study, and the true people with their zones. noise: largest change of the first published cell of work."""
    rng = np.random.default_rng(seed)
    zones = pd.Index([f"E{i:03}" for i in range(n_zones)], name="zone")
    size = rng.integers(30, 90, n_zones)
    size[list(empty or ())] = 0
    zone = np.repeat(np.arange(n_zones), size)
    people = draw_people(rng, len(zone))
    records = draw_people(rng, n_records)
    records.index = pd.Index([f"r{i}" for i in range(n_records)], name="id")
    tables = []
    for variables in ([AGE], [SEX], [WORK]) if not joint else ([AGE, SEX], [WORK]):
        counts = tabulate(people, zone, zones, variables)
        published = counts.to_numpy(float).copy()
        if variables == [WORK] and noise:
            published[:, 0] += rng.integers(0, noise + 1, n_zones)
        universe = EVERYBODY if variables != [WORK] else Universe("not young")
        tables.append(aligned_table(variables, counts, cell(records, variables), universe, published))
    held = [[AGE, SEX], [AGE, TENURE]]
    held_out = tuple(aligned_table(v, tabulate(people, zone, zones, v), cell(records, v)) for v in held)
    floor = sum((abs(t.published.sum(axis=1) - t.targets.sum(axis=1)) for t in tables), pd.Series(0.0, zones))
    frame = pd.DataFrame({"district": [f"D{i % 2}" for i in range(n_zones)]}, index=zones)
    frame["district_name"] = "District " + frame["district"]
    microdata = Microdata("small", records, {v.name: v for v in (AGE, SEX, WORK, TENURE)}, EVERYBODY)
    weight = rng.gamma(2.0, 1.0, n_records) + 0.1
    aligned = Aligned(microdata, records.index, weight, tuple(tables), held_out, Geography(frame), pd.DataFrame(), floor)
    return aligned, people.assign(zone=zones[zone])


def formulate(aligned):
    """Problem of the study, the slow way."""
    cells = np.stack([t.record_cell for t in aligned.constraints])
    profiles, profile = np.unique(cells, axis=1, return_inverse=True)
    profile = profile.ravel()
    start = np.concatenate([[0], np.cumsum([t.targets.shape[1] for t in aligned.constraints])])
    order = np.argsort(profile, kind="stable")
    names = [(" x ".join(t.variables), x) for t in aligned.constraints for x in t.cell_labels]
    return Problem(
        start=np.bincount(profile, aligned.weight),
        cell_of=np.where(profiles >= 0, profiles + start[:-1, None], -1),
        constraint_start=start,
        targets=np.concatenate([t.targets.to_numpy() for t in aligned.constraints], axis=1),
        zone_keys=np.array([zone_key(z) for z in aligned.zones], np.uint64),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(profile))]),
        donor=order,
        donor_weight=aligned.weight[order],
        zones=aligned.zones,
        records=aligned.records,
        cells=pd.MultiIndex.from_tuples(names, names=["constraint", "category"]),
    )


@cache
def fitted_weights(aligned):
    return rake(formulate(aligned))


def rake(problem, cycles=100):
    """(n_zones, n_profiles) weights by plain iterative proportional fitting."""
    weights = np.tile(problem.start, (problem.n_zones, 1))
    for _ in range(cycles):
        for c in range(problem.n_constraints):
            inside = problem.cell_of[c] >= 0
            total = np.zeros((problem.n_zones, problem.n_cells))
            for p in np.flatnonzero(inside):
                total[:, problem.cell_of[c, p]] += weights[:, p]
            factor = np.divide(problem.targets, total, out=np.zeros_like(total), where=total > 0)
            weights[:, inside] *= factor[:, problem.cell_of[c, inside]]
    return weights


def exact_counts(people, aligned, rng):
    """True people as copies of records that agree with them on every constraint: TAE is 0 by construction."""
    variables = {v.name: v for v in (AGE, SEX, WORK)}
    keys = [tuple(r) for r in aligned.frame()[list(variables)].to_numpy()]
    rows = []
    for z, here in people.groupby("zone", observed=True):
        alike = [[i for i, k in enumerate(keys) if k == tuple(p)] for p in here[list(variables)].to_numpy()]
        rows.append((z, *np.unique([int(rng.choice(a)) for a in alike], return_counts=True)))
    return donor_counts(rows)


def donor_counts(rows):
    """DonorCounts from (zone, records, people) by zone."""
    indptr = np.concatenate([[0], np.cumsum([len(r) for _, r, _ in rows])]).astype(np.int64)
    record, n = (np.concatenate([np.zeros(0, np.int32), *(r[i] for r in rows)]).astype(np.int32) for i in (1, 2))
    return DonorCounts(pd.Index([r[0] for r in rows], name="zone"), indptr, record, n)


def cut(counts, lengths):
    """The same counts in blocks of the given numbers of zones."""
    first = 0
    for length in lengths:
        last = min(first + length, len(counts.zones))
        a, b = counts.indptr[first], counts.indptr[last]
        yield DonorCounts(counts.zones[first:last], counts.indptr[first : last + 1] - a, counts.record[a:b], counts.n[a:b])
        first = last


def population(aligned, counts, fit="CONVERGED", duals=True):
    """Stand-in with what validation reads of a Population: zones, problem, status, fitted weights, blocks of donors."""
    problem = formulate(aligned)
    weights = fitted_weights(aligned)
    people = pd.Series(counts.people, counts.zones).reindex(aligned.zones, fill_value=0)
    status = pd.DataFrame(
        {"fit": np.where(problem.targets.sum(axis=1) > 0, fit, "EMPTY"), "cycles": 300, "residual": 1e-9, "worst_cell": "",
         "whole": "EXACT", "remainder": 0.0, "people": people.to_numpy()},
        index=aligned.zones,
    )  # fmt: skip
    return SimpleNamespace(
        problem=problem, zones=problem.zones, status=status, duals=np.zeros(1) if duals else None,
        fitted=lambda where: weights[where], blocks=lambda: cut(counts, [2] * len(counts.zones)), settled=None,
    )  # fmt: skip
