"""Solving alone, without files: one core, 200 seeds, every way of cutting the work, and the ordinary size with known truth.

Times of one core are processor seconds, which neighbours on a shared machine disturb least. These groups run with one BLAS
thread: the plain NumPy that they are compared with is to have one core as well.
"""

from __future__ import annotations

import signal
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from _measure import ROOT, figure, run_timed

__all__ = ["aligned_problem", "fit_seconds", "one_core", "region", "same_bits", "unbiased", "whole_seconds"]


def aligned_problem(name: str):
    """Read and harmonise a study of inputs/ and return its Problem and seed."""
    import synthpop_gb as sp

    study = sp.load_study(ROOT / "inputs" / f"{name}.toml")
    return sp.formulate(sp.pipeline.align(study)[0]), study.seed


def fit_seconds(problem, *, relative: bool = False) -> tuple[float, np.ndarray]:
    """Fit every zone to a tolerance of 1e-6 on one core: (seconds, duals). The problem's layout is made once, inside the time."""
    from synthpop_gb.kernels.fit_layout import fit_layout
    from synthpop_gb.kernels.ipf import fit_block

    def fit(zones):
        layout = fit_layout(problem.start, problem.cell_of, problem.constraint_start)
        return fit_block(layout, problem.targets[zones], 1e-6, relative, 1000).duals

    fit(slice(0, 1))  # compiled, or loaded
    began = time.process_time()
    duals = fit(slice(None))
    return time.process_time() - began, duals


def whole_seconds(problem, seed: int = 1, integerise: str = "halving") -> tuple[float, object]:
    """Solve on one core: (seconds of whole people alone, the Population). The fit is measured beside it and taken off."""
    import synthpop_gb as sp

    sp.solve(problem.take(np.arange(2)), seed=seed, workers=1)
    fit, _ = fit_seconds(problem)
    began = time.process_time()
    population = sp.solve(problem, seed=seed, workers=1, options={"integerise": integerise})
    return time.process_time() - began - fit, population


def one_core(*, folder: Path) -> tuple[str, dict]:
    """England and Wales 2011: fit and whole people, one thread, nothing read or written."""
    import synthpop_gb as sp
    from synthpop_gb.testing import assert_fits

    problem, seed = aligned_problem("england-wales-2011")
    sp.solve(problem.take(np.arange(2)), seed=seed, workers=1)
    fits = [fit_seconds(problem)[0] for _ in range(3)]
    solved = []
    for _ in range(3):
        began = time.process_time()
        population = sp.solve(problem, seed=seed, workers=1)
        solved.append(time.process_time() - began)
    sample = np.sort(np.random.default_rng(1).choice(problem.n_zones, 500, replace=False))
    assert_fits(sp.solve(problem.take(sample), seed=seed, workers=1))
    began = time.process_time()
    placed = sum(len(block.n) for block in population.blocks())
    return "sp.solve(problem, seed=2011, workers=1)", {
        "zones": figure(problem.n_zones, "zones"),
        "people": figure(population.people, "people"),
        "seconds": figure(statistics.median(solved), "s"),
        "fit_seconds": figure(statistics.median(fits), "s"),
        "whole_seconds": figure(statistics.median(solved) - statistics.median(fits), "s"),
        "fit_us_per_zone": figure(1e6 * statistics.median(fits) / problem.n_zones, "us"),
        "zones_exact": figure(int((population.status["whole"] == "EXACT").sum()), "zones"),
        "largest_residual": figure(population.status["residual"].max(), "people"),
        "donors_placed": figure(placed, "rows"),
        "placement_seconds": figure(time.process_time() - began, "s"),
    }


def unbiased(*, folder: Path, seeds: int = 200) -> tuple[str, dict]:
    """Leeds: z of each profile's mean count against its weight, where the fraction f of it has variance f(1-f) above 0.02."""
    import synthpop_gb as sp

    problem, _ = aligned_problem("leeds-2011")
    total = np.zeros((problem.n_zones, problem.n_profiles))
    squares, exact = np.zeros_like(total), 0
    for seed in range(seeds):
        people = sp.solve(problem, seed=seed, workers=1)
        zone = np.repeat(np.arange(problem.n_zones), np.diff(people.indptr))
        total[zone, people.profile] += people.count
        squares[zone, people.profile] += people.count.astype(float) ** 2
        exact += int((people.status["whole"] == "EXACT").sum())
    weights = people.fitted()
    fraction = weights - np.floor(weights)
    variance = fraction * (1 - fraction)
    live = variance > 0.02
    mean = total / seeds
    z = ((mean - weights) / np.sqrt(np.where(live, variance, 1.0) / seeds))[live]
    spread = (squares / seeds - mean**2)[live].sum() * seeds / (seeds - 1)
    return f"sp.solve(problem, seed=s) for s = 0 ... {seeds - 1}", {
        "seeds": figure(seeds, "seeds"),
        "cells": figure(int(live.sum()), "profiles of a zone"),
        "rms_z": figure(float(np.sqrt((z**2).mean())), "", f"{np.sqrt((z**2).mean()):.3f}"),
        "mean_z": figure(float(z.mean()), "", f"{z.mean():+.4f}"),
        "largest_z": figure(float(np.abs(z).max()), "", f"{np.abs(z).max():.2f}"),
        "largest_z_of_as_many_normals": figure(_largest_normal(len(z)), "", f"{_largest_normal(len(z)):.2f}"),
        "variance_ratio": figure(float(spread / variance[live].sum()), "", f"{spread / variance[live].sum():.3f}"),
        "zones_exact": figure(100 * exact / seeds / problem.n_zones, "%", f"{100 * exact / seeds / problem.n_zones:g} %"),
    }


def _largest_normal(n: int) -> float:
    """Median of the largest |z| among n independent standard normals: what pure chance would show."""
    from scipy.special import ndtri

    return float(-ndtri((1 - 0.5 ** (1 / n)) / 2))


def same_bits(*, folder: Path) -> tuple[str, dict]:
    """Digest of the people of Leeds for every number of workers, size of blocks, order of zones and kind of executor."""
    import synthpop_gb as sp

    problem, seed = aligned_problem("leeds-2011")
    found = {
        f"{w} workers, blocks of {b}": sp.solve(problem, seed=seed, workers=w, block_size=b).digest()
        for w in (1, 2)
        for b in (1, 7, 256)
    }
    order = np.random.default_rng(3).permutation(problem.n_zones)
    found["shuffled zones"] = sp.solve(problem.take(order), seed=seed).digest()
    for title, pool in (("threads", ThreadPoolExecutor(2)), ("processes", ProcessPoolExecutor(2))):
        with pool as executor:
            found[title] = sp.solve(problem, seed=seed, executor=executor).digest()
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        found["dask"] = sp.solve(problem, seed=seed, executor=client.get_executor()).digest()
    found["killed half way and gone on"] = _after_kill(problem, seed, folder)
    return "sp.solve(problem, seed=2011, workers=..., block_size=..., executor=..., checkpoint=...)", {
        "ways": figure(len(found), "ways"),
        "digests": figure(len(set(found.values())), "different digests"),
        "digest": figure(next(iter(found.values()))[:16], ""),
        "list": figure("; ".join(found), ""),
    }


_KILLED = """
import os, signal, sys
sys.path.insert(0, {benchmarks!r})
from _solving import aligned_problem
import synthpop_gb as sp
problem, seed = aligned_problem("leeds-2011")
def die(done, total, seconds_left):
    if done > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
sp.solve(problem, seed=seed, workers=1, block_size=20, checkpoint={folder!r}, progress=die)
"""


def _after_kill(problem, seed: int, folder: Path) -> str:
    """Digest of the people when another process, killed with SIGKILL, had solved the first half of the zones."""
    import synthpop_gb as sp

    blocks, seen = folder / "blocks", []
    code = _KILLED.format(benchmarks=str(ROOT / "benchmarks"), folder=str(blocks))
    run_timed([sys.executable, "-c", code], codes=(-signal.SIGKILL,))
    digest = sp.solve(problem, seed=seed, checkpoint=blocks, progress=lambda done, *_: seen.append(done)).digest()
    assert seen[0] > problem.n_zones // 2, "finished blocks were solved again"
    return digest


def region(*, folder: Path) -> tuple[str, dict]:
    """Measure speed and fidelity at the ordinary size, one core; judged by the true people of the first 40 zones (and of 200)."""
    from _region import KEPT, make_region, numpy_ipf, region_problem, trs_records, two_way_error

    problem = region_problem(made := make_region())
    runs = [fit_seconds(problem, relative=True) for _ in range(3)]
    fit = statistics.median(seconds for seconds, _ in runs)
    wholes = [whole_seconds(problem) for _ in range(3)]
    whole, population = statistics.median(seconds for seconds, _ in wholes), wholes[-1][1]
    fitted, people = population.fitted(np.arange(KEPT)), _dense(population, KEPT)
    trs = np.array([trs_records(made, w, z) for z, w in enumerate(fitted)])
    errors = {name: two_way_error(made, counts) for name, counts in (("fractional", fitted), ("whole", people), ("trs", trs))}
    n_numpy, plain = 100, []
    for _ in range(3):
        began = time.process_time()
        theirs = numpy_ipf(made, n_numpy)
        plain.append(time.process_time() - began)
    assert np.abs(theirs[:40] - fitted[:40]).max() < 1e-3, "plain NumPy and the package do not agree"
    trs_tae = [_tae(problem, z, w) for z, w in enumerate(trs[:40])]
    cold, warm = _one_shot(made, folder)
    return "python benchmarks/figures.py --only region", {
        "zones": figure(problem.n_zones, "zones"),
        "people": figure(population.people, "people"),
        "profiles": figure(problem.n_profiles, "profiles"),
        "cells": figure(problem.n_cells, "cells"),
        "fit_zones_per_second": figure(problem.n_zones / fit, "zones/s"),
        "fit_ms_per_zone": figure(1e3 * fit / problem.n_zones, "ms"),
        "largest_relative_error": figure(_largest_relative(problem, runs[0][1]), ""),
        "numpy_zones_per_second": figure(n_numpy / statistics.median(plain), "zones/s"),
        "whole_ms_per_zone": figure(1e3 * whole / problem.n_zones, "ms"),
        "zones_exact": figure(int((population.status["whole"] == "EXACT").sum()), "zones"),
        "tae": figure(int(population.status["remainder"].sum()), "people"),
        "trs_tae_per_zone": figure(float(np.mean(trs_tae)), "people"),
        **{f"two_way_{name}": figure(float(e[:40].mean()), "%") for name, e in errors.items()},
        **{f"two_way_{name}_{KEPT}_zones": figure(float(e.mean()), "%") for name, e in errors.items()},
        "one_shot_cold_seconds": figure(cold.seconds, "s"),
        "one_shot_seconds": figure(warm.seconds, "s"),
        "one_shot_cpu_seconds": figure(warm.cpu_seconds, "s"),
        "one_shot_peak_gb": figure(warm.peak_gb, "GB"),
    }


def _dense(population, n: int) -> np.ndarray:
    """(n, n_profiles) whole people of the first zones."""
    out = np.zeros((n, population.problem.n_profiles))
    zone = np.repeat(np.arange(population.problem.n_zones), np.diff(population.indptr))
    out[zone[zone < n], population.profile[zone < n]] = population.count[zone < n]
    return out


def _tae(problem, zone: int, counts: np.ndarray) -> float:
    cells = np.zeros(problem.n_cells)
    for row in problem.cell_of:
        cells += np.bincount(row, counts, problem.n_cells)
    return float(np.abs(cells - problem.targets[zone]).sum())


def _largest_relative(problem, duals: np.ndarray) -> float:
    """Largest |fitted - target| / target over all zones and cells with a target, from the duals alone."""
    from synthpop_gb.kernels.ipf import weights_from_duals

    worst = 0.0
    for z in range(problem.n_zones):
        weights, t = weights_from_duals(problem.start, problem.cell_of, duals[z]), problem.targets[z]
        cells = sum(np.bincount(row, weights, problem.n_cells) for row in problem.cell_of)
        worst = max(worst, float((np.abs(cells - t)[t > 0] / t[t > 0]).max()))
    return worst


def _one_shot(made, folder: Path):
    """Time a process that loads records and targets, fits, makes people whole and ends: compiling first, then from the cache."""
    path = folder / "region.npz"
    np.savez(path, cats=made.cats, weight=made.weight, targets=made.targets)
    command = [sys.executable, str(ROOT / "benchmarks" / "_one_shot.py"), str(path)]
    cache = {"NUMBA_CACHE_DIR": str(folder / "cache")}
    cold = run_timed(command, **cache)
    return cold, sorted((run_timed(command, **cache) for _ in range(3)), key=lambda t: t.seconds)[1]
