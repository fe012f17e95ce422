"""What fitting anew costs and brings in quasirandom sampling: python benchmarks/bench_quasirandom.py [--quick]

Region: 1,000 zones (40 with --quick), eight tables, 16,255 profiles, judged by the true people's two-way tables. Leeds, where
SYNTHPOP_GB_DATA is set: 482 zones, judged by held-out age x sex. Processor seconds of one core. The kernel is compared with its
slow twin before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from _quasirandom import bias, solve_timed
from _region import KEPT, make_region, region_problem, two_way_error
from _solving import aligned_problem

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from synthpop_gb.kernels.streams import QUASI, stream_keys
from tests.reference import quasirandom as twin


def check(problem, zones=2) -> None:
    """Raise unless the first zones, before any exchange, are what the slow twin draws."""
    _, population = solve_timed(problem.take(np.arange(zones)), max_moves=0)
    states, start = stream_keys(1, problem.zone_keys, 0, QUASI), problem.constraint_start
    for z, weights in enumerate(population.fitted()):
        expected, _ = twin.qisi(weights, problem.targets[z], problem.cell_of, start, states[z : z + 1].copy(), 0.1, 5)
        found = np.zeros(problem.n_profiles, int)
        entries = slice(population.indptr[z], population.indptr[z + 1])
        found[population.profile[entries]] = population.count[entries]
        assert (found == expected).all(), f"zone {z} differs from the twin"


def report(title: str, problem, judge, seeds: int) -> None:
    """Print one line for each way of fitting anew."""
    print(f"\n{title}: {problem.n_zones:,} zones, {problem.n_profiles:,} profiles")
    for options in ({"refit": 1.0}, {"refit": 0.3}, {"refit": 0.1}, {"refit": 0.02, "refit_cycles": 20}):
        ms, population = solve_timed(problem, **options)
        status = population.status
        some = bias(problem.take(np.arange(0, problem.n_zones, max(problem.n_zones // 10, 1))), seeds, **options)
        print(
            f"  {options!s:40} {ms:8.2f} ms a zone; {(status['whole'] == 'EXACT').sum():,} zones exact;",
            f"people left {status['stuck'].mean():.2f} a zone, {status['moves'].mean():.2f} exchanges; {judge(population)};",
            f"mean off the weights by {some['rms_bias']:.4f} people beyond chance, rms z {some['rms_z_own']:.2f} ({seeds} seeds)",
            flush=True,
        )


def main() -> None:
    """Run both problems; --quick: fewer zones and seeds."""
    quick = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    quick.add_argument("--quick", action="store_true")
    asked = quick.parse_args()
    if os.environ.get("SYNTHPOP_GB_DATA"):
        import synthpop_gb as sp

        leeds, _ = aligned_problem("leeds-2011")
        check(leeds)

        def held_out(population):
            row = sp.validate(population, leeds.aligned)["held_out"].iloc[0]
            return f"age x sex {row['wrong_whole']:.3f} % wrong (fit {row['wrong_fit']:.3f} %)"

        report("Leeds", leeds, held_out, 20 if asked.quick else 200)
    else:
        print("SYNTHPOP_GB_DATA is not set: Leeds is left out")
    made = make_region(40 if asked.quick else 1000)

    def two_way(population):
        n = min(40, KEPT)
        counts = np.zeros((n, population.problem.n_profiles))
        for z in range(n):
            entries = slice(population.indptr[z], population.indptr[z + 1])
            counts[z, population.profile[entries]] = population.count[entries]
        return f"two-way tables {two_way_error(made, counts).mean():.3f} % wrong"

    report("region", region_problem(made), two_way, 5 if asked.quick else 50)


if __name__ == "__main__":
    main()
