"""Annealing measured: Leeds from the fit and by the Flexible Modelling Framework's rules, the ordinary size, and CakeMap.

The yardstick is the Framework's loop as its source has it (Harland, NCRM working paper 06/13; code of 2015), written plainly for
numba: records drawn uniformly with replacement, the whole total absolute error recounted for every proposal. It draws from our
random streams, which make it half as fast again as numba's own generator would. All run on one core in this process, timed in
processor seconds, to the same measure: the TAE that a recount finds.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
from _measure import ROOT, figure
from numba import njit

from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["anneal_cakemap", "anneal_fmf", "anneal_leeds", "anneal_region", "framework", "recount"]

_UNFIT = ("7", "82", "84")  # rows 6, 81 and 83: full-time students and the never-worked, of whom the survey has too few


@njit
def _framework_zone(cell, targets, people, seed, chosen):
    """Anneal one zone by the Framework's rules. cell: (n_records, n_constraints). Returns (TAE, proposals)."""
    state = np.array([seed], np.uint64)
    n_records, n_constraints = cell.shape
    eligible, n_eligible = np.empty(n_records, np.int64), 0
    for r in range(n_records):
        free = True
        for k in range(n_constraints):
            free = free and targets[cell[r, k]] > 0
        if free:
            eligible[n_eligible] = r
            n_eligible += 1
    counts = np.zeros(len(targets), np.int64)
    for i in range(people):
        chosen[i] = eligible[next_below(state, n_eligible)]
        for k in range(n_constraints):
            counts[cell[chosen[i], k]] += 1
    error = np.abs(counts - targets).sum()
    temperature, proposals, same = 0.5, 0, 0
    for _ in range(100):
        if error == 0:
            break
        accepted, before = 0, error
        for _ in range(100 * people):
            proposals += 1
            i, new = next_below(state, people), eligible[next_below(state, n_eligible)]
            old = chosen[i]
            for k in range(n_constraints):
                counts[cell[old, k]] -= 1
                counts[cell[new, k]] += 1
            found = 0
            for c in range(len(targets)):
                found += abs(counts[c] - targets[c])
            if found <= error or next_uniform(state) < math.exp((error - found) / temperature):
                chosen[i], error = new, found
                accepted += 1
                if error == 0 or accepted >= 10 * people:
                    break
            else:
                for k in range(n_constraints):
                    counts[cell[old, k]] += 1
                    counts[cell[new, k]] -= 1
        same = same + 1 if error == before else 0
        if accepted == 0 or same >= 10:
            break
        temperature *= 0.9
    return error, proposals


def framework(problem, zones) -> tuple[np.ndarray, float, int]:
    """Anneal some zones by the Framework's rules over records: ((n, n_profiles) people, processor seconds, proposals)."""
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    cell = np.ascontiguousarray(problem.cell_of.T[profile].astype(np.int64))
    targets = np.rint(problem.targets[zones]).astype(np.int64)
    people = targets[:, : problem.constraint_start[1]].sum(axis=1)
    chosen = np.empty(people.max(), np.int64)
    _framework_zone(cell, np.ones_like(targets[0]), 1, 1, chosen)  # compiled
    made, proposals, seconds = np.zeros((len(zones), problem.n_profiles)), 0, 0.0
    for i, wanted in enumerate(targets):
        began = time.process_time()
        error, tried = _framework_zone(cell, wanted, people[i], 1, chosen)
        seconds, proposals = seconds + time.process_time() - began, proposals + tried
        made[i] = np.bincount(profile[chosen[: people[i]]], minlength=problem.n_profiles)
        assert error == np.abs(recount(problem, made[i : i + 1])[0] - wanted).sum(), "the yardstick miscounts"
    return made, seconds, proposals


def recount(problem, people: np.ndarray) -> np.ndarray:
    """(n, n_cells) people by cell, table by table, counted with NumPy."""
    out = np.zeros((len(people), problem.n_cells))
    for row in problem.cell_of:
        inside = row >= 0
        for z, found in enumerate(people):
            out[z] += np.bincount(row[inside], found[inside], problem.n_cells)
    return out


def anneal(problem, options: dict | None = None, *, seed: int = 1, repeats: int = 3):
    """Anneal on one core: (the Population, dense people, least processor seconds). Every status is recounted."""
    import warnings

    import synthpop_gb as sp

    warnings.simplefilter("ignore")
    settings = {"method": "anneal", "options": options or {}, "seed": seed, "workers": 1}
    sp.solve(problem.take(np.arange(1)), **settings)
    seconds = math.inf
    for _ in range(repeats):
        began = time.process_time()
        population = sp.solve(problem, **settings)
        seconds = min(seconds, time.process_time() - began)
    people = np.zeros((problem.n_zones, problem.n_profiles))
    people[np.repeat(np.arange(problem.n_zones), np.diff(population.indptr)), population.profile] = population.count
    missed = np.abs(recount(problem, people) - np.rint(problem.targets)).sum(axis=1)
    assert (missed == population.status["remainder"]).all(), "a remainder is not what a recount finds"
    return population, people, seconds


def _leeds():
    """Problem of Leeds and what judges it: per cent of people in the wrong cell of the held-out age x sex, mean over zones."""
    import synthpop_gb as sp

    aligned, _ = sp.pipeline.align(sp.load_study(ROOT / "inputs" / "leeds-2011.toml"))
    problem, table = sp.formulate(aligned), aligned.held_out[0]
    cell, true = table.record_cell[problem.donor[problem.donor_start[:-1]]], table.targets.to_numpy()

    def wrong(people, true=true):
        made = np.stack([people[:, cell == c].sum(axis=1) for c in range(true.shape[1])], axis=1)
        return float((50 * np.abs(made - true).sum(axis=1) / true.sum(axis=1)).mean())

    def independence():
        age, sex = true.reshape(len(true), -1, 2).sum(axis=2), true.reshape(len(true), -1, 2).sum(axis=1)
        made = (age[:, :, None] * sex[:, None, :] / true.sum(axis=1)[:, None, None]).reshape(true.shape)
        return float((50 * np.abs(made - true).sum(axis=1) / true.sum(axis=1)).mean())

    return problem, wrong, independence


def _told(problem, population, seconds: float) -> dict:
    """Figures that every run of annealing has."""
    status = population.status
    return {
        "zones": figure(problem.n_zones, "zones"),
        "zones_exact": figure(int((status["remainder"] == 0).sum()), "zones"),
        "tae": figure(int(status["remainder"].sum()), "people"),
        "ms_per_zone": figure(1e3 * seconds / problem.n_zones, "ms"),
        "zones_per_second": figure(problem.n_zones / seconds, "zones/s"),
        "proposals_per_zone": figure(float(status["proposals"].mean()), "proposals"),
    }


def anneal_leeds(*, folder: Path) -> tuple[str, dict]:
    """Leeds: exact people from each start, their held-out error beside the fractional fit's."""
    problem, wrong, independence = _leeds()
    population, people, seconds = anneal(problem)
    values = _told(problem, population, seconds)
    values["wrong"] = figure(wrong(people), "%")
    values["wrong_fractional"] = figure(fractional := wrong(population.fitted()), "%")
    values["wrong_independence"] = figure(independence(), "%")
    values["points_above_fractional"] = figure(wrong(people) - fractional, "points")
    for name, options in {
        "cube": {"start": "cube"}, "trs": {"start": "trs"}, "random": {"start": "random"}, "unguided": {"guided": 0.0},
    }.items():  # fmt: skip
        other, found, taken = anneal(problem, options)
        values[f"{name}_ms_per_zone"] = figure(1e3 * taken / problem.n_zones, "ms")
        values[f"{name}_proposals_per_zone"] = figure(float(other.status["proposals"].mean()), "proposals")
        values[f"{name}_tae"] = figure(int(other.status["remainder"].sum()), "people")
        values[f"{name}_wrong"] = figure(wrong(found), "%")
    return 'sp.solve(problem, method="anneal", workers=1)', values


def anneal_fmf(*, folder: Path) -> tuple[str, dict]:
    """Leeds by the Framework's rules: the preset, and the yardstick that recounts everything."""
    problem, wrong, independence = _leeds()
    population, people, seconds = anneal(problem, {"preset": "fmf"})
    values = _told(problem, population, seconds)
    values["wrong"] = figure(wrong(people), "%")
    values["wrong_independence"] = figure(independence(), "%")
    made, taken, tried = framework(problem, np.arange(problem.n_zones))
    values["yardstick_ms_per_zone"] = figure(1e3 * taken / problem.n_zones, "ms")
    values["yardstick_proposals_per_zone"] = figure(tried / problem.n_zones, "proposals")
    values["yardstick_tae"] = figure(int(np.abs(recount(problem, made) - problem.targets).sum()), "people")
    values["yardstick_wrong"] = figure(wrong(made), "%")
    return 'sp.solve(problem, method="anneal", options={"preset": "fmf"}, workers=1)', values


def anneal_region(*, folder: Path, compared: int = 100) -> tuple[str, dict]:
    """Anneal the ordinary size: all zones from the fit; the first ones by the preset and by the yardstick."""
    from _region import KEPT, make_region, region_problem, two_way_error

    problem = region_problem(made := make_region())
    population, people, seconds = anneal(problem)
    values = _told(problem, population, seconds)
    values["two_way"] = figure(float(two_way_error(made, people[:KEPT]).mean()), "%")
    values["two_way_fractional"] = figure(float(two_way_error(made, population.fitted(np.arange(KEPT))).mean()), "%")
    few = problem.take(np.arange(compared))
    return 'sp.solve(problem, method="anneal", workers=1)', values | _beside(
        problem, few, compared, problem.n_zones / seconds, lambda found: float(two_way_error(made, found[:compared]).mean())
    )


def _beside(problem, few, compared: int, ours: float, judge=None) -> dict:
    """Figures of the preset and the yardstick on some zones, beside our zones per second."""
    preset, found, taken = anneal(few, {"preset": "fmf"}, repeats=1)
    made, slow, tried = framework(problem, np.arange(compared))
    values = {
        "compared_zones": figure(compared, "zones"),
        "preset_zones_per_second": figure(compared / taken, "zones/s"),
        "preset_tae": figure(int(preset.status["remainder"].sum()), "people"),
        "preset_million_proposals_per_second": figure(float(preset.status["proposals"].sum()) / taken / 1e6, "M/s"),
        "yardstick_zones_per_second": figure(compared / slow, "zones/s"),
        "yardstick_tae": figure(int(np.abs(recount(problem, made) - problem.targets[:compared]).sum()), "people"),
        "yardstick_million_proposals_per_second": figure(tried / slow / 1e6, "M/s"),
        "times_the_yardstick": figure(ours * slow / compared, "times"),
    }
    if judge is not None:
        values |= {"preset_two_way": figure(judge(found), "%"), "yardstick_two_way": figure(judge(made), "%")}
    return values


def anneal_cakemap(*, folder: Path) -> tuple[str, dict]:
    """CakeMap: all zones, and the three that nothing can fit, over five seeds."""
    from _solving import aligned_problem

    problem, _ = aligned_problem("cakemap")
    population, _, seconds = anneal(problem)
    values = _told(problem, population, seconds)
    values |= _beside(problem, problem, problem.n_zones, problem.n_zones / seconds)
    three = np.flatnonzero(problem.zones.isin(_UNFIT))
    made, _, _ = framework(problem, three)
    theirs = np.abs(recount(problem, made) - problem.targets[three]).sum(axis=1)
    ours = np.stack([anneal(problem.take(three), seed=s, repeats=1)[0].status["remainder"] for s in range(5)])
    for zone, worst, best in zip(problem.zones[three], ours.max(axis=0), theirs, strict=True):
        values[f"zone_{zone}_tae"] = figure(int(worst), "people")
        values[f"zone_{zone}_yardstick_tae"] = figure(int(best), "people")
    fitted = ~problem.zones.isin(_UNFIT)
    values["zones_that_fit_exact"] = figure(int((population.status["remainder"][fitted] == 0).sum()), "zones")
    return 'sp.solve(problem, method="anneal", workers=1)', values
