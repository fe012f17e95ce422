"""Annealing beside the Flexible Modelling Framework's rules: python benchmarks/bench_anneal.py [--quick]

Leeds (482 LSOAs of 2011, judged by the held-out age x sex) and CakeMap where SYNTHPOP_GB_DATA is set; the ordinary size always:
1,000 zones, eight tables, 16,255 profiles, judged by the true people's two-way tables. Every remainder is recounted with NumPy,
and the kernel compared with its slow twin, before anything is timed. Processor seconds of one core; the fit is included in ours.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _annealing import anneal, anneal_cakemap, anneal_fmf, anneal_leeds, anneal_region

from synthpop_gb.kernels.anneal import Schedule, anneal_zone
from synthpop_gb.kernels.anneal_donors import make_alias
from synthpop_gb.kernels.anneal_layout import anneal_layout, anneal_work
from tests.reference import anneal as twin


def check() -> None:
    """Raise unless the kernel ends with the twin's people, by the twin's rule, after as many proposals."""
    from _region import make_region, region_problem

    problem = region_problem(make_region(1))
    some = np.random.default_rng(1).choice(problem.n_profiles, 300, replace=False)
    cell_of = np.ascontiguousarray(problem.cell_of[:, some])
    layout = anneal_layout(cell_of, problem.constraint_start)
    work, n = anneal_work(layout), 40
    work.eligible[:] = True
    make_alias(problem.start[some], work.chance, work.alias, work.small, work.large)
    truth = np.random.default_rng(2).integers(0, 300, n)
    targets = sum(np.bincount(row[truth], minlength=problem.n_cells) for row in cell_of).astype(float)
    targets.setflags(write=False)
    none = np.zeros(0, np.int32)
    shared = {
        "cell_of": cell_of, "constraint_start": problem.constraint_start, "targets": targets,
        "guide_of": np.zeros((0, 300), np.int32), "guide_start": np.zeros(1, np.int32), "over_targets": none,
    }  # fmt: skip
    schedule = Schedule(1.0, 0.9, 20, 2.0, 1.0, 3, 1, 300, 0.5, False, True)
    people, price = np.zeros(n, np.int32), np.append(np.ones(problem.n_cells), 0.0)
    theirs, states = people.tolist(), [np.array([7], np.uint64) for _ in range(2)]
    found = anneal_zone(people, targets, price, none, 0.25, layout, work, schedule, states[0], np.empty((0, 3)), 1)
    table = twin.alias_table(problem.start[some].tolist())
    expected = twin.anneal(theirs, shared, price[:-1], 0.25, table, work.eligible, schedule, states[1])
    assert tuple(found[:6]) == expected, "annealing differs from its twin"
    assert people.tolist() == theirs, "annealing differs from its twin"


def main() -> None:
    """Check, measure, print; --quick: the ordinary size with 60 zones only."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--quick", action="store_true")
    quick = asked.parse_args().quick
    check()
    if quick:
        from _region import make_region, region_problem

        problem = region_problem(make_region(60))
        population, _, seconds = anneal(problem)
        exact = int((population.status["remainder"] == 0).sum())
        print(f"the ordinary size: {60 / seconds:,.0f} zones/s, {exact} of 60 zones exact")
        return
    groups = {
        "Leeds": anneal_leeds,
        "Leeds, FMF rules": anneal_fmf,
        "CakeMap": anneal_cakemap,
        "the ordinary size": anneal_region,
    }
    if not os.environ.get("SYNTHPOP_GB_DATA"):
        print("SYNTHPOP_GB_DATA is not set: Leeds and CakeMap are left out")
        groups = {"the ordinary size": anneal_region}
    with tempfile.TemporaryDirectory() as folder:
        for name, measure in groups.items():
            print(f"\n{name}", flush=True)
            for key, entry in measure(folder=Path(folder))[1].items():
                print(f"  {key:42}{entry['text']} {entry['unit'] if entry['unit'] not in entry['text'] else ''}", flush=True)


if __name__ == "__main__":
    main()
