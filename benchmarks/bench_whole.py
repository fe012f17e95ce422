"""Speed, exactness, bias and joint accuracy of every way to whole people: python benchmarks/bench_whole.py [--quick]

Set A, where SYNTHPOP_GB_DATA is set: all 34,753 LSOAs of England and Wales 2011, age(5), sex, health(5), ethnic group(5), 212
profiles of the 59,147 teaching records; judged by the held-out age x sex table. Region: 1,000 zones, eight tables, 16,255
profiles; judged by the true people's two-way tables. Processor seconds of one core; the fit is timed apart. Counts are
recounted with NumPy and compared with the slow twin before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _region import make_region, region_problem, two_way_error

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block, weights_from_duals
from synthpop_gb.kernels.layout import whole_layout, whole_work
from synthpop_gb.kernels.placement import place_zones, placement_guide
from synthpop_gb.kernels.repair import MAX_MOVES
from synthpop_gb.kernels.streams import PLACE, WHOLE, stream_keys
from synthpop_gb.kernels.whole import CUBE, HALVING, LARGEST_REMAINDER, TRS, whole_zone
from tests.reference import halving as twin

METHODS = {"halving": HALVING, "cube": CUBE, "trs": TRS, "largest remainder": LARGEST_REMAINDER}


@njit
def whole_all(method, weights, targets, layout, work, keys, max_moves, counts, out):
    """Whole counts of all zones. counts: (n_zones, n_profiles) int32, out: (n_zones, 2): remainder and moves."""
    state = np.empty(1, np.uint64)
    for z in range(weights.shape[0]):
        state[0] = keys[z]
        out[z, 0], out[z, 1] = whole_zone(method, weights[z], targets[z], layout, work, state, counts[z], max_moves)


class Problem:
    """A problem's arrays, its fit, and what whole people are judged by."""

    def __init__(self, name, start, cell_of, constraint_start, targets, judge, leeds=None):
        self.name, self.judge, self.leeds = name, judge, leeds
        self.cell_of, self.start = np.ascontiguousarray(cell_of, dtype=np.int32), np.asarray(start, float)
        self.targets = np.ascontiguousarray(targets, dtype=float)
        self.layout = whole_layout(self.cell_of, constraint_start)
        self.work = whole_work(self.layout)
        fit = fit_layout(self.start, self.cell_of, np.asarray(constraint_start, np.int32))
        fit_block(fit, self.targets[:16], 1e-6, False, 1000)
        began = time.thread_time()
        duals = fit_block(fit, self.targets, 1e-6, False, 1000).duals
        self.fit_seconds = time.thread_time() - began
        self.weights = weights_from_duals(self.start, self.cell_of, duals)
        miss = np.abs(self.margins(self.weights) - self.targets).max()
        assert miss < 1e-2, f"the fit misses a target by {miss}"

    def margins(self, counts):
        """(n_zones, n_cells) recount, table by table."""
        out = np.zeros((len(counts), self.targets.shape[1]))
        for row in self.cell_of:
            for c in np.unique(row):
                out[:, c] = counts[:, row == c].sum(axis=1)
        return out

    def draw(self, method, seed, max_moves=MAX_MOVES, zones=slice(None)):
        """Return counts, (remainder, moves) by zone, seconds."""
        weights, targets = self.weights[zones], self.targets[zones]
        keys = stream_keys(seed, np.arange(len(self.weights), dtype=np.uint64)[zones], 0, WHOLE)
        counts, out = np.zeros(weights.shape, np.int32), np.zeros((len(weights), 2), np.int64)
        began = time.thread_time()
        whole_all(method, weights, targets, self.layout, self.work, keys, max_moves, counts, out)
        return counts, out, time.thread_time() - began

    def check(self):
        """Raise unless the first zones equal the twin (hours for 16,000 profiles) and all remainders are what a recount finds."""
        for z in range(3 if self.weights.shape[1] < 1000 else 0):
            state = stream_keys(1, np.array([z], np.uint64), 0, WHOLE)
            expected, _ = twin.halve(self.weights[z], self.cell_of, state)
            drawn = self.draw(HALVING, 1, 0, slice(z, z + 1))[0][0]
            assert (drawn == expected).all(), "halving differs from its twin"
        for name, method in METHODS.items():
            counts, out, _ = self.draw(method, 2, zones=slice(0, 50))
            recount = np.abs(self.margins(counts) - self.targets[:50]).sum(axis=1)
            assert (recount == out[:, 0]).all(), f"{name}: the remainder is not what a recount finds"


def set_a(folder: Path) -> Problem:
    """Teaching file and 2011 tables: see the head of this file. Chinese people are counted with "other", as in the microdata."""
    people = pd.read_parquet(folder / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet")
    people = people[(people["Population Base"] == 1) & (people["Health"] > 0) & (people["Ethnic Group"] > 0)]
    age = np.array([0, 0, 1, 1, 1, 2, 2, 3, 4])[people["Age"]]
    cats = np.stack([age, people["Sex"] - 1, people["Health"] - 1, people["Ethnic Group"] - 1])
    sizes = np.array([5, 2, 5, 5])
    constraint_start = np.concatenate([[0], np.cumsum(sizes)])
    key, start = np.unique(np.ravel_multi_index(cats, sizes), return_counts=True)
    profiles = np.stack(np.unravel_index(key, sizes))

    tables = folder / "census2011-lsoa-ew"
    ages = pd.read_parquet(tables / "age9_by_sex.parquet").set_index("zone_id")
    health = pd.read_parquet(tables / "general_health5.parquet").set_index("zone_id").loc[ages.index]
    group = pd.read_parquet(tables / "ethnicity5.parquet").set_index("zone_id").loc[ages.index]
    output_areas = pd.read_parquet(tables / "ethnicity14_oa11_with_lookup.parquet").groupby("LSOA")
    chinese = output_areas["Chinese"].sum().loc[ages.index].to_numpy()
    bands = [["0_02", "03_04", "05_09", "10_15"], ["16_19", "20_44"], ["45_64"], ["65_74"], ["75_pl"]]
    joint = np.stack([ages[[f"{s}a{b}" for b in band]].sum(axis=1) for band in bands for s in "MF"], axis=1).astype(float)
    age_sex = joint.reshape(-1, 5, 2)
    ethnic = [group["white"], group["mixed"], group["asian"] - chinese, group["black"], group["other"] + chinese]
    targets = np.concatenate(
        [
            age_sex.sum(axis=2),
            age_sex.sum(axis=1),
            health[["verygood", "good", "fair", "bad", "verybad"]],
            np.stack(ethnic, axis=1),
        ],
        axis=1,
    )
    cell = profiles[0] * 2 + profiles[1]

    def wrong(counts, zones=slice(None)):
        """Per cent of people in the wrong age x sex cell, by zone."""
        made = np.stack([counts[:, cell == c].sum(axis=1) for c in range(10)], axis=1)
        return 50 * np.abs(made - joint[zones]).sum(axis=1) / joint[zones].sum(axis=1)

    leeds = np.flatnonzero((output_areas["LAD"].first().loc[ages.index] == "Leeds").to_numpy())
    return Problem("set A", start, profiles + constraint_start[:-1, None], constraint_start, targets, wrong, leeds)


def region(n_zones: int) -> Problem:
    """The ordinary size, judged by the two-way tables of its first 40 zones' true people."""
    made = make_region(n_zones)
    p = region_problem(made)
    return Problem("region", p.start, p.cell_of, p.constraint_start, p.targets, lambda counts: two_way_error(made, counts[:40]))


def bias(problem: Problem, method: int, zones: np.ndarray, seeds: int) -> str:
    """Rms and largest z of mean counts against weights, over profiles with f (1 - f) > 0.02."""
    total = np.zeros((len(zones), problem.weights.shape[1]))
    for seed in range(seeds):
        total += problem.draw(method, 1000 + seed, zones=zones)[0]
    weights = problem.weights[zones]
    fraction = weights - np.floor(weights)
    spread = fraction * (1 - fraction)
    judged = spread > 0.02
    z = (total / seeds - weights)[judged] / np.sqrt(spread[judged] / seeds)
    return f"rms z {np.sqrt((z**2).mean()):.3f}, largest |z| {np.abs(z).max():.2f} ({judged.sum():,} profiles, {seeds} seeds)"


def report(problem: Problem, seeds: int, bias_zones: np.ndarray) -> None:
    """Print the table of methods."""
    n = len(problem.weights)
    print(f"\n{problem.name}: {n:,} zones, {problem.weights.shape[1]:,} profiles, {problem.targets.shape[1]} cells")
    wrong = problem.judge(problem.weights)
    leeds = "" if problem.leeds is None else f" (Leeds, {len(problem.leeds)} LSOAs: {wrong[problem.leeds].mean():.3f} %)"
    print(f"fit {problem.fit_seconds:.2f} s; people in the wrong cell of the joint, fractional: {wrong.mean():.3f} %{leeds}")
    for name, method in METHODS.items():
        for max_moves in (0, MAX_MOVES):
            problem.draw(method, 1, max_moves, slice(0, 2))
            counts, out, seconds = problem.draw(method, 1, max_moves)
            wrong = problem.judge(counts)
            leeds = "" if problem.leeds is None else f" (Leeds {wrong[problem.leeds].mean():.3f} %)"
            far = (np.abs(counts - problem.weights) >= 1).sum(axis=1).mean()
            tae, moves = out.T
            print(
                f"  {name + (' + repair' if max_moves else ''):28}{1e6 * seconds / n:9.1f} us a zone, {seconds:6.2f} s;",
                f"TAE 0 in {(tae == 0).sum():,} zones, mean {tae.mean():.2f}, max {tae.max()}; {moves.mean():.2f} moves;",
                f"joint {wrong.mean():.3f} %{leeds}; profiles off by 1 or more {far:.2f} a zone",
                flush=True,
            )
    for name in ("halving", "cube"):
        print(f"  bias after repair, {name}: {bias(problem, METHODS[name], bias_zones, seeds)}")


def placement(problem: Problem) -> None:
    """Print the time to place donors for all zones: 59,147 records with unequal weights, blocks of 256 zones."""
    counts, _, _ = problem.draw(HALVING, 1)
    rng = np.random.default_rng(0)
    sizes = np.rint(problem.start * 59_147 / problem.start.sum()).astype(int).clip(1)
    donor_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    donor = rng.permutation(donor_start[-1]).astype(np.int32)
    guide = placement_guide(donor_start, np.exp(0.8 * rng.standard_normal(donor_start[-1])))
    keys = stream_keys(1, np.arange(len(counts), dtype=np.uint64), 0, PLACE)
    seconds, placed, distinct = 0.0, 0, 0
    for first in range(-256, len(counts), 256):  # the first round compiles
        block = counts[max(first, 0) : max(first, 0) + 256]
        zone, profile = np.nonzero(block)
        start = np.concatenate([[0], np.cumsum(np.bincount(zone, minlength=len(block)))]).astype(np.int64)
        number, mine = block[zone, profile], keys[max(first, 0) : max(first, 0) + 256]
        began = time.thread_time()
        _, record, people, unplaced = place_zones(
            start, profile.astype(np.int32), number, mine, donor_start, donor, *guide, len(donor), np.empty(0, np.int64)
        )
        if first >= 0:
            seconds, placed, distinct = seconds + time.thread_time() - began, placed + people.sum(), distinct + len(record)
        assert unplaced == 0
        assert people.sum() == block.sum()
    print(f"  donors placed: {placed:,} people from {distinct:,} donors in {len(counts):,} zones, {seconds:.2f} s")


def main() -> None:
    """Run both problems; --quick: fewer zones and seeds."""
    quick = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    quick.add_argument("--quick", action="store_true")
    asked = quick.parse_args()
    seeds = 20 if asked.quick else 200
    if os.environ.get("SYNTHPOP_GB_DATA"):
        problem = set_a(Path(os.environ["SYNTHPOP_GB_DATA"]))
        problem.check()
        report(problem, seeds, problem.leeds[:: len(problem.leeds) // 20][:20])
        placement(problem)
    else:
        print("SYNTHPOP_GB_DATA is not set: set A is left out")
    problem = region(60 if asked.quick else 1000)
    problem.check()
    report(problem, seeds, np.arange(3))


if __name__ == "__main__":
    main()
