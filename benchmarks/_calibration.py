"""Calibration measured: soft targets beside hard ones on perturbed tables, against a known truth, and how long a zone takes."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from _measure import figure, processor
from _solving import aligned_problem

__all__ = ["hard_and_soft", "perturbation", "prior", "speed", "times"]

_WAYS = {"hard": ("ipf", {}), "soft": ("calibrate", {})}
_TIMED = {
    "ipf": ("ipf", {}), "entropy": ("calibrate", {"soft": False}), "soft": ("calibrate", {}),
    "linear": ("calibrate", {"distance": "linear", "soft": False}), "logit": ("calibrate", {"distance": "logit"}),
}  # fmt: skip
_PERSONS = ("ts001", "ts004", "ts007a", "ts008", "ts015", "ts016", "ts018", "ts021", "ts030", "ts037", "ts038", "ts056")


def hard_and_soft(*, folder: Path) -> tuple[str, dict]:
    """Leeds 2021: every table against its publisher's noise, hard targets (method ipf) beside soft ones (method calibrate)."""
    from scipy.stats import chi2

    import synthpop_gb as sp

    problem, seed = aligned_problem("leeds-2021")
    values = {"zones": figure(problem.n_zones, "zones")}
    for way, (method, options) in _WAYS.items():
        population = sp.solve(problem, method=method, options=options, seed=seed, workers=1)
        fitted, whole = population.fitted() @ _incidence(problem), _whole_cells(population)
        values[f"{way}_converged"] = figure(int((population.status["fit"] == "CONVERGED").sum()), "zones")
        values[f"{way}_tae_published"] = figure(float(np.abs(whole - problem.published).sum()), "people")
        for name, cells in _tables(problem):
            error, n = problem.standard_error[cells], len(problem.standard_error[cells])
            within = np.abs(whole[:, cells] - problem.published[:, cells]) < 1.96 * error + 0.5
            values[f"{way}_{name}_cells"] = figure(100 * within.mean(), "%", f"{100 * within.mean():.2f} %")
            for kind, margins in (("fit", fitted), ("people", whole)):
                gap = ((margins[:, cells] - problem.published[:, cells]) / error) ** 2
                share = 100 * (gap.sum(axis=1) <= chi2.ppf(0.95, n)).mean()
                values[f"{way}_{name}_tables_{kind}"] = figure(share, "%", f"{share:.1f} %")
    return "python benchmarks/bench_calibrate.py --only hard_and_soft", values


def prior(*, folder: Path) -> tuple[str, dict]:
    """Leeds 2021 with a truth: whole people taken for true, every cell perturbed four-fold; who comes nearer, by `prior`."""
    import synthpop_gb as sp

    problem, seed = aligned_problem("leeds-2021")
    truth = _whole_cells(sp.solve(problem, seed=seed, workers=1))
    error = 4 * problem.standard_error  # 2 persons a published cell, as in data zones of small surveys
    rng = np.random.default_rng(seed)
    published = np.rint(truth + rng.normal(0, error, truth.shape)).clip(0)
    values = {"published": _tae(published - truth)}
    noisy = replace(problem, published=published, standard_error=error, aligned=None)
    for weight in (1.0, 0.1, 0.03, 0.01, 0.001, 0.0001):
        population = sp.solve(noisy, method="calibrate", options={"prior": weight}, seed=seed, workers=1)
        name = f"{weight:.4f}".rstrip("0").rstrip(".").replace(".", "_")
        values[f"fit_{name}"] = _tae(population.fitted() @ _incidence(problem) - truth)
        values[f"people_{name}"] = _tae(_whole_cells(population) - truth)
    return "python benchmarks/bench_calibrate.py --only prior", values


def times(*, folder: Path) -> tuple[str, dict]:
    """Leeds 2021: processor milliseconds a zone on one core, fit and whole people together, by distance."""
    problem, seed = aligned_problem("leeds-2021")
    return "python benchmarks/bench_calibrate.py --only times", _timed(problem, seed, 3)


def speed(*, folder: Path) -> tuple[str, dict]:
    """Time the ordinary size: eight tables, 16,255 profiles, known truth; milliseconds a zone on one core."""
    from _region import make_region, region_problem

    problem = region_problem(make_region(40))
    problem = replace(problem, standard_error=np.ones(problem.n_cells))
    return "python benchmarks/bench_calibrate.py --only speed", _timed(problem, 1, 1)


def perturbation(*, folder: Path) -> tuple[str, dict]:
    """Census 2021: standard deviation of one published cell, from how totals of the same people scatter between tables.

    A table's total is the sum of its cells, each perturbed by itself, so the variance of the difference of two tables' totals is
    the sum of their cells' variances. Least squares over all pairs of tables give the variance of each total.
    """
    import os

    import pandas as pd

    place, totals, cells = Path(os.environ["SYNTHPOP_GB_DATA"]) / "census2021-lsoa-ew", [], []
    for name in _PERSONS:
        frame = pd.read_parquet(place / f"{name}.parquet").set_index("geography code").sort_index()
        headers = [c.split("; measures")[0] for c in frame.columns]
        leaf = [i for i, c in enumerate(headers) if i and not any(o.startswith(f"{c}:") for o in headers)]
        total = frame.iloc[:, leaf].sum(axis=1).to_numpy(np.float64)
        assert (total == frame.iloc[:, 0]).all(), f"{name}: the total is not the sum of its cells"
        totals.append(total)
        cells.append(len(leaf))
    n = len(totals)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    design = np.zeros((len(pairs), n))
    for row, pair in zip(design, pairs, strict=True):
        row[list(pair)] = 1
    variance = np.linalg.lstsq(design, [np.var(totals[i] - totals[j]) for i, j in pairs], rcond=None)[0]
    each = np.sqrt(variance / cells)
    values = {name: figure(float(e), "people", f"{e:.2f}") for name, e in zip(_PERSONS, each, strict=True)}
    overall = float(np.sqrt(variance.sum() / sum(cells)))
    values |= {"all": figure(overall, "people", f"{overall:.2f}"), "zones": figure(len(totals[0]), "zones")}
    return "python benchmarks/bench_calibrate.py --only perturbation", values


def _tables(problem):
    """Names of the constraints and which cells are theirs."""
    bounds = problem.constraint_start
    return [(str(problem.cells[a][0]), slice(a, b)) for a, b in pairwise(bounds)]


def _incidence(problem) -> np.ndarray:
    """(n_profiles, n_cells) float64, 1 where the profile is in the cell."""
    return (problem.cell_of[:, :, None] == np.arange(problem.n_cells)).any(axis=0).astype(np.float64)


def _whole_cells(population) -> np.ndarray:
    """(n_zones, n_cells) whole people, counted again from the sparse rows."""
    problem, out = population.problem, np.zeros((population.problem.n_zones, population.problem.n_cells))
    zone = np.repeat(np.arange(problem.n_zones), np.diff(population.indptr))
    for row in problem.cell_of:
        cell = row[population.profile]
        np.add.at(out, (zone[cell >= 0], cell[cell >= 0]), population.count[cell >= 0])
    return out


def _tae(gap: np.ndarray) -> dict:
    mean = float(np.abs(gap).sum(axis=1).mean())
    return figure(mean, "people a zone", f"{mean:.1f}")


def _timed(problem, seed: int, repeats: int) -> dict:
    """Processor milliseconds a zone of `solve` on one core, the best of some runs, for every distance; all must converge."""
    import synthpop_gb as sp

    values = {"processor": figure(processor())}
    for name, (method, options) in _TIMED.items():
        sp.solve(problem.take(np.arange(2)), method=method, options=options, seed=seed, workers=1)
        taken = []
        for _ in range(repeats):
            began = time.process_time()
            population = sp.solve(problem, method=method, options=options, seed=seed, workers=1)
            taken.append(1e3 * (time.process_time() - began) / problem.n_zones)
        assert (population.status["fit"] == "CONVERGED").all(), f"{name}: {population!r}"
        values[f"{name}_ms"] = figure(min(taken), "ms", f"{min(taken):.2f} ms")
        steps = float(population.status["cycles"].mean())
        values[f"{name}_steps"] = figure(steps, "steps", f"{steps:.1f}")
    return values
