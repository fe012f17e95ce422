"""Speed of fitting on one core: python benchmarks/bench_fit.py [--quick] [PROBLEM.npz ...]

Region: 1,000 zones, eight tables, 16,255 profiles, fitted to a largest relative error of 1e-6. Where SYNTHPOP_GB_DATA is set,
also set A (all 34,753 LSOAs of England and Wales 2011, four tables, 212 profiles) and CakeMap (124 wards, three of which cannot
be fitted). An .npz file holds cats (n_records, n_tables), ncat, weight, targets (n_zones, cells side by side).

Before anything is timed the first zones are compared with the slow twin, and afterwards every target of every zone is
recounted from weights. Speeds are by processor seconds of one core, the best of several runs, with wall clock beside them:
machines are shared.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _measure import run_timed
from _region import N_CATS, make_region, numpy_ipf

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block, weights_from_duals
from synthpop_gb.status import FitStatus
from tests.reference import ipf as twin


class Problem:
    """Arrays of one problem."""

    def __init__(self, name, start, cell_of, constraint_start, targets):
        self.name, self.start, self.targets = name, np.asarray(start, float), np.ascontiguousarray(targets, dtype=float)
        self.cell_of, self.constraint_start = np.ascontiguousarray(cell_of, np.int32), np.asarray(constraint_start, np.int32)
        self.layout = fit_layout(self.start, self.cell_of, self.constraint_start)

    def fit(self, tolerance, relative, zones=slice(None), newton=True):
        """Fit some zones."""
        return fit_block(self.layout, self.targets[zones], tolerance, relative, 1000, newton=newton)

    def misses(self, fit):
        """Largest miss of each zone, persons and share of a target, recounted from weights."""
        persons, share = np.zeros(len(self.targets)), np.zeros(len(self.targets))
        for z, target in enumerate(self.targets):
            weights = weights_from_duals(self.start, self.cell_of, fit.duals[z])
            miss = np.abs(twin.margins(self.cell_of, weights, len(target)) - target)
            persons[z], share[z] = miss.max(), (miss[target > 0] / target[target > 0]).max(initial=0)
        return persons, share

    def check(self, n_zones=3):
        """Raise unless the first zones are, to one in a million, what the twin's plain cycles lead to."""
        fit = self.fit(1e-9, True, slice(0, n_zones))
        plain = self.fit(1e-9, True, slice(0, n_zones), newton=False)
        for z in range(n_zones):
            weights = weights_from_duals(self.start, self.cell_of, fit.duals[z])
            expected = twin.fit_zone(self.start, self.cell_of, self.constraint_start, self.targets[z], plain.cycles[z])
            np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1e-9, err_msg=f"{self.name}, zone {z}")

    def report(self, tolerance, relative, repeats):
        """Print speeds to one tolerance, with Newton steps and by plain cycles."""
        for newton in (True, False):
            wall, cpu = [], []
            self.fit(tolerance, relative, slice(0, 40), newton)
            for _ in range(repeats):
                began = time.perf_counter(), time.process_time()
                fit = self.fit(tolerance, relative, newton=newton)
                wall.append(time.perf_counter() - began[0])
                cpu.append(time.process_time() - began[1])
            n, best = len(self.targets), min(cpu)
            persons, share = self.misses(fit)
            fits = fit.status == FitStatus.CONVERGED
            missed = (share if relative else persons)[fits].max()
            assert missed <= 1.001 * tolerance, f"{self.name}: a zone said to have converged misses by {missed}"
            np.testing.assert_allclose(fit.residual, persons, rtol=1e-3, atol=1e-9 * self.targets.max())
            print(
                f"  {tolerance:g} {'of each target' if relative else 'person'},",
                "cycles, then Newton:" if newton else "cycles alone:",
                f"{n / best:,.0f} zones/s, {1e6 * best / n:.2f} us a zone, {best:.3f} s in all (wall {min(wall):.3f} s);",
                f"{fits.sum():,} of {n:,} converged, cycles median {np.median(fit.cycles):.0f}, most {fit.cycles.max()};",
                f"largest recounted miss {missed:.2g}",
                flush=True,
            )
            if not fits.all():
                print(
                    "    not fitted:",
                    *(f"row {z} {FitStatus(fit.status[z]).name} by {persons[z]:,.0f}" for z in np.flatnonzero(~fits)),
                )


def set_a(folder: Path) -> Problem:
    """Teaching file and tables of 2011, as in bench_whole."""
    from bench_whole import set_a

    made = set_a(folder)
    return Problem("set A", made.start, made.cell_of, [0, 5, 7, 12, 17], made.targets)


def cakemap(folder: Path) -> Problem:
    """Leeds wards of Lovelace & Dumont (2016); each table scaled to the first one's totals, which it misses by rounding."""
    import pandas as pd

    people, tables = (pd.read_csv(folder / "classic" / "cakemap" / name) for name in ("ind.csv", "cons.csv"))
    variables = [people["Sex"].astype(str) + people["ageband4"], people["Car"], people["NSSEC8"]]
    codes = np.array([np.unique(v, return_inverse=True)[1] for v in variables])
    bounds, targets = np.concatenate([[0], np.cumsum(codes.max(axis=1) + 1)]), tables.to_numpy(float)
    for a, b in pairwise(bounds):
        targets[:, a:b] *= (targets[:, : bounds[1]].sum(axis=1) / targets[:, a:b].sum(axis=1))[:, None]
    profiles, start = np.unique(codes, axis=1, return_counts=True)
    return Problem("CakeMap", start, profiles + bounds[:-1, None], bounds, targets)


def stored(path: Path) -> Problem:
    """Read a problem from an .npz file; see the head of this file."""
    with np.load(path) as file:
        cats, sizes, weight, targets = file["cats"], file["ncat"], file["weight"], file["targets"]
    profiles, record = np.unique(cats, axis=0, return_inverse=True)
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    return Problem(path.stem, np.bincount(record.reshape(-1), weight), (profiles + bounds[:-1]).T, bounds, targets)


def one_shot(path: Path) -> None:
    """Print what a process costs that loads a problem, fits every zone and ends: compiling first, then from the cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, __file__, "--fit-only", str(path)]
        cold = run_timed(command, NUMBA_CACHE_DIR=cache)
        warm = [run_timed(command, NUMBA_CACHE_DIR=cache) for _ in range(3)]
        idle = min((run_timed([sys.executable, "-c", "import numba"]) for _ in range(3)), key=lambda t: t.seconds)
    best = min(warm, key=lambda t: t.seconds)
    print(
        f"  one process: {cold.seconds:.1f} s (cpu {cold.cpu_seconds:.1f} s) when it has to compile, then {best.seconds:.2f} s",
        f"(cpu {best.cpu_seconds:.2f} s, peak {1e3 * best.peak_gb:.0f} MB), of which importing numba {idle.seconds:.2f} s",
    )


def region(quick: bool) -> None:
    """Report the ordinary size, the bar that plain NumPy sets, and a process of its own."""
    made = make_region(200 if quick else 1000)
    bounds = np.concatenate([[0], np.cumsum(N_CATS)])
    problem = Problem("region", made.start, made.profile_cats.T + bounds[:-1, None], bounds, made.targets)
    head(problem)
    problem.report(1e-6, True, 3)
    problem.report(1e-9, False, 3)
    began = time.process_time()
    theirs = numpy_ipf(made, 50)
    seconds = time.process_time() - began
    ours = weights_from_duals(problem.start, problem.cell_of, problem.fit(1e-6, True, slice(0, 50)).duals)
    assert np.abs(ours - theirs).max() < 1e-3, "plain NumPy and the kernel do not agree"
    print(f"  plain NumPy, fifty zones at once: {50 / seconds:,.0f} zones/s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "region.npz"
        np.savez(path, cats=made.cats, ncat=np.array(N_CATS), weight=made.weight, targets=made.targets)
        one_shot(path)


def head(problem: Problem) -> None:
    """Say what the problem is, once its first zones have been found to equal the twin's."""
    problem.check()
    began = time.perf_counter()
    fit_layout(problem.start, problem.cell_of, problem.constraint_start)
    rows, columns = len(problem.layout.row_cells), len(problem.layout.column_cells)
    n_zones, n_cells = problem.targets.shape
    size = f"{n_zones:,} zones, {len(problem.start):,} profiles, {len(problem.cell_of)} tables, {n_cells} cells"
    print(f"{problem.name}: {size}; layout {rows} x {columns} in {1e3 * (time.perf_counter() - began):.1f} ms", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer zones and runs")
    parser.add_argument("--fit-only", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fit_only:
        fit = stored(asked.problems[0]).fit(1e-6, True)
        print(f"{len(fit.status)} zones, {(fit.status == FitStatus.CONVERGED).sum()} converged")
        return
    for path in asked.problems:
        head(problem := stored(path))
        problem.report(1e-6, True, 3)
    if asked.problems:
        return
    region(asked.quick)
    folder = os.environ.get("SYNTHPOP_GB_DATA")
    if not folder:
        print("SYNTHPOP_GB_DATA is not set: set A and CakeMap are left out")
        return
    head(problem := set_a(Path(folder)))
    for tolerance in (1e-2,) if asked.quick else (1e-2, 1e-6, 1e-9):
        problem.report(tolerance, False, 1 if asked.quick else 3)
    head(problem := cakemap(Path(folder)))
    problem.report(1e-6, True, 20)


if __name__ == "__main__":
    main()
