"""Replicates: time on one core, memory beside one population's, the same bits for each by itself; and methods side by side."""

from __future__ import annotations

import json
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from _measure import ROOT, figure, run_timed
from _solving import aligned_problem

__all__ = ["methods", "replicates", "same_bits"]

_NUMBER = 40
_SOLVE = """
import sys, time, json, warnings
sys.path.insert(0, {here!r})
import synthpop_gb as sp
from _solving import aligned_problem
problem, seed = aligned_problem({study!r})
sp.solve(problem.take(range(4)), seed=seed, workers=1, replicates=1)  # compiled, or loaded
began = time.process_time()
population = sp.solve(problem, seed=seed, workers=1, replicates={number})
seconds = time.process_time() - began
made = population.replicates
arrays = () if made is None else (*made.indptr, *made.profile, *made.count)
exact = None if made is None else int((made.remainder == 0).sum())
print(json.dumps([seconds, population.people, len(population.zones), exact, sum(a.nbytes for a in arrays) / 1e6]))
"""


def _solved(study: str, number: int) -> tuple[float, float, list]:
    """Solve in a process of its own on one core: (processor seconds of solving alone, peak memory in GB, what it printed)."""
    code = _SOLVE.format(here=str(Path(__file__).parent), study=study, number=number)
    run = run_timed([sys.executable, "-c", code])
    found = json.loads(run.out.splitlines()[-1])
    return found[0], run.peak_gb, found


def replicates(*, folder: Path) -> tuple[str, dict]:
    """Yorkshire and the Humber, 2011: 40 replicates of donors and whole people, on one core."""
    alone, peak_alone, _ = _solved("yorkshire-2011", 0)
    seconds, peak, (_, people, zones, exact, held) = _solved("yorkshire-2011", _NUMBER)
    values = {
        "number": figure(_NUMBER, "replicates"),
        "people": figure(people, "people"),
        "zones": figure(zones, "zones"),
        "zones_exact": figure(exact, "zones", f"{exact:,} of {_NUMBER * zones:,}"),
        "seconds": figure(seconds, "s"),
        "seconds_alone": figure(alone, "s"),
        "peak_gb": figure(peak, "GB"),
        "peak_gb_alone": figure(peak_alone, "GB"),
        "peak_beside_alone": figure(peak / peak_alone, "", f"{peak / peak_alone:.2f}"),
        "replicates_mb": figure(held, "MB"),
        **_by_itself(),
    }
    return "sp.solve(problem, replicates=40, workers=1)", values


def _by_itself() -> dict:
    """Leeds of 2021 with perturbed tables: each of 40 replicates made by itself beside the 40 made together."""
    import synthpop_gb as sp

    problem, seed = aligned_problem("leeds-2021")
    began = time.process_time()
    together = sp.solve(problem, seed=seed, replicates=_NUMBER).replicates
    seconds = time.process_time() - began
    same = 0
    for number in range(1, _NUMBER + 1):
        alone = sp.solve(problem, seed=seed, replicates=[number], block_size=37).replicates
        pairs = zip(alone.rows(0), together.rows(together.place(number)), strict=True)
        same += all((a == b).all() for a, b in pairs)
    return {
        "sources_2021": figure(", ".join(together.sources), ""),
        "same_by_itself": figure(same, "replicates", f"{same} of {_NUMBER}"),
        "zones_exact_2021": figure(
            float((together.remainder == 0).mean()), "", f"{100 * (together.remainder == 0).mean():.2f} %"
        ),
        "seconds_2021": figure(seconds, "s"),
    }


def methods(*, folder: Path) -> tuple[str, dict]:
    """Every method on Leeds, 2011, as `synthpop-gb compare-methods` prints it."""
    import synthpop_gb as sp

    frame = sp.pipeline.compare_methods(ROOT / "inputs" / "leeds-2011.toml")
    print(sp.pipeline.show_comparison(frame))
    values = {}
    for name, row in frame.iterrows():
        key = "leeds_" + re.sub(r"[^a-z0-9]+", "_", {"fractional fit of ipf": "fit"}.get(name, name)).strip("_")
        values[f"{key}_wrong"] = figure(row["wrong age x sex"], "%")
        if row["zones_exact"] == row["zones_exact"]:  # a method, not a yardstick
            values |= {
                f"{key}_exact": figure(row["zones_exact"], "%"), f"{key}_tae": figure(int(row["tae_above_floor"]), "people"),
                f"{key}_two_way": figure(row["two_way_from_fit"], "%"), f"{key}_ms": figure(row["ms_a_zone"], "ms"),
                f"{key}_donors": figure(row["donors_a_zone"], "records"), f"{key}_peak_mb": figure(row["peak_mb"], "MB"),
            }  # fmt: skip
    return "synthpop-gb compare-methods inputs/leeds-2011.toml", values


_EVERY = {
    "ipf": ("leeds-2021", "ipf", {}),
    "calibrate": ("leeds-2021", "calibrate", {}),
    "anneal": ("leeds-2021", "anneal", {}),
    "anneal, FMF": ("leeds-2011", "anneal", {"preset": "fmf"}),
    "qisi": ("leeds-2011", "qisi", {}),
}


def same_bits(*, folder: Path) -> tuple[str, dict]:
    """Digests of the people and of two replicates, by every method, for every way of cutting the work."""
    values = {}
    for title, (study, method, options) in _EVERY.items():
        problem, seed = aligned_problem(study)
        problem = problem.take(np.arange(0, problem.n_zones, 4))  # donors stay, so that digests can be taken
        found = {}
        for ways, arguments in _ways(problem):
            cut, executor, rest = arguments
            solved = {"seed": seed, "method": method, "options": options, "replicates": 2, **rest}
            if executor is None:
                found[ways] = _digest(cut, solved)
            else:
                with executor() as pool:
                    found[ways] = _digest(cut, {**solved, "executor": pool})
        key = re.sub(r"[^a-z]+", "_", title.lower())
        values[f"{key}_ways"] = figure(len(found), "ways")
        values[f"{key}_digests"] = figure(len(set(found.values())), "different digests")
    return "sp.solve(problem, method=..., replicates=2, workers=..., block_size=..., executor=...)", values


def _ways(problem):
    """Ways of doing the work: (name, (problem, what makes an executor or None, arguments of solve))."""
    for workers in (1, 2):
        for size in (1, 7, 256):
            yield f"{workers} workers, blocks of {size}", (problem, None, {"workers": workers, "block_size": size})
    order = np.random.default_rng(3).permutation(problem.n_zones)
    yield "shuffled zones", (problem.take(order), None, {})
    yield "threads", (problem, lambda: ThreadPoolExecutor(2), {})
    yield "processes", (problem, lambda: ProcessPoolExecutor(2), {})
    yield "dask", (problem, _dask, {})


@contextmanager
def _dask():
    from distributed import Client, LocalCluster

    local = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**local) as cluster, Client(cluster) as client:
        yield client.get_executor()


def _digest(problem, arguments: dict) -> str:
    import warnings

    import synthpop_gb as sp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.FitWarning)
        population = sp.solve(problem, **arguments)
    return " ".join([population.digest(), *(population.replicate(r).digest() for r in (1, 2))])
