"""Quasirandom whole people: are margins exact, what becomes of the joint, how long it takes, how far means are from the fit.

Times are processor seconds of one core, the fit included.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure
from _solving import aligned_problem

__all__ = ["bias", "quasirandom", "solve_timed", "tables_of"]


def solve_timed(problem, **options):
    """Solve with 'qisi' on one core: (milliseconds a zone, Population). Compiled before."""
    import synthpop_gb as sp

    sp.solve(problem.take(np.arange(1)), method="qisi", seed=1, workers=1, options=options)
    began = time.process_time()
    population = sp.solve(problem, method="qisi", seed=1, workers=1, options=options)
    return 1e3 * (time.process_time() - began) / problem.n_zones, population


def tables_of(problem) -> dict[str, pd.DataFrame]:
    """Targets of a problem as tables for `qis`, one a constraint."""
    targets = pd.DataFrame(np.rint(problem.targets), index=problem.zones, columns=problem.cells)
    names = problem.cells.get_level_values("constraint").unique()
    return {n: targets[n].rename_axis(columns=n) for n in names}


def bias(problem, seeds: int, **options) -> dict[str, float]:
    """Mean counts over seeds against fitted weights, over profiles of a zone whose fraction f has f (1 - f) > 0.02.

    rms_z would be 1 for an unbiased draw that rounds each weight up or down (variance f (1 - f)); people drawn one by one vary
    more, so z is taken by their own variance as well (rms_z_own). Shares are of all people of the zones.
    """
    import synthpop_gb as sp

    total = np.zeros((problem.n_zones, problem.n_profiles))
    squares = np.zeros_like(total)
    zone = np.arange(problem.n_zones)
    for seed in range(seeds):
        people = sp.solve(problem, method="qisi", seed=seed, workers=1, options=options)
        where = np.repeat(zone, np.diff(people.indptr)), people.profile
        total[where] += people.count
        squares[where] += people.count.astype(float) ** 2
    weights, mean = people.fitted(), total / seeds
    fraction = weights - np.floor(weights)
    live = fraction * (1 - fraction) > 0.02
    spread = np.maximum(squares / seeds - mean**2, 0) * seeds / (seeds - 1)
    off, chance = mean - weights, np.sqrt(spread / seeds)
    own = live & (spread > 0)
    beyond = np.sqrt(max((off[own] ** 2).mean() - (chance[own] ** 2).mean(), 0.0))
    return {
        "rms_z": float(np.sqrt((off[live] ** 2 / (fraction * (1 - fraction))[live] * seeds).mean())),
        "rms_z_own": float(np.sqrt(((off / np.where(own, chance, 1))[own] ** 2).mean())),
        "variance_ratio": float(spread[live].sum() / (fraction * (1 - fraction))[live].sum()),
        "mean_abs_deviation": float(np.abs(off[live]).mean()),
        "rms_bias": float(beyond),
        "share_misplaced": float(50 * np.abs(off).sum() / weights.sum()),
        "profiles": int(live.sum()),
    }


def quasirandom(*, folder: Path) -> tuple[str, dict]:
    """Leeds, CakeMap and the bench region by 'qisi'; Leeds and region by `qis`."""
    from _region import KEPT, make_region, region_problem, two_way_error

    import synthpop_gb as sp

    values = {}
    leeds, _ = aligned_problem("leeds-2011")
    ms, population = solve_timed(leeds)
    held_out = sp.validate(population, leeds.aligned)["held_out"].iloc[0]
    values |= _exact("leeds", leeds, population, ms)
    values |= {
        "leeds_held_out_error": figure(float(held_out["wrong_whole"]), "%"),
        "leeds_held_out_fractional": figure(float(held_out["wrong_fit"]), "%"),
        "leeds_held_out_independence": figure(float(held_out["wrong_independence"]), "%"),
    }
    some = bias(leeds.take(np.arange(0, leeds.n_zones, 10)), 200)
    values |= {
        "bias_seeds": figure(200, "seeds"),
        "bias_profiles": figure(some["profiles"], "profiles of a zone"),
        "bias_rms_z": figure(some["rms_z"], "", f"{some['rms_z']:.2f}"),
        "bias_rms_z_by_own_variance": figure(some["rms_z_own"], "", f"{some['rms_z_own']:.2f}"),
        "bias_variance_ratio": figure(some["variance_ratio"], "", f"{some['variance_ratio']:.2f}"),
        "bias_rms_beyond_chance": figure(some["rms_bias"], "people", f"{some['rms_bias']:.3f} people"),
        "bias_people_misplaced": figure(some["share_misplaced"], "%", f"{some['share_misplaced']:.2f} %"),
    }
    cakemap, _ = aligned_problem("cakemap")
    ms, population = solve_timed(cakemap)
    values |= _exact("cakemap", cakemap, population, ms)
    values["cakemap_zones_fitted"] = figure(int((population.status["fit"] == "CONVERGED").sum()), "zones")
    region = region_problem(made := make_region())
    ms, population = solve_timed(region)
    values |= _exact("region", region, population, ms)
    judged = np.arange(40)
    counts = np.zeros((KEPT, region.n_profiles))
    zone = np.repeat(np.arange(region.n_zones), np.diff(population.indptr))
    counts[zone[zone < KEPT], population.profile[zone < KEPT]] = population.count[zone < KEPT]
    values |= {
        "region_two_way": figure(float(two_way_error(made, counts[judged]).mean()), "%"),
        "region_two_way_200_zones": figure(float(two_way_error(made, counts).mean()), "%"),
        "region_two_way_fractional": figure(float(two_way_error(made, population.fitted(judged)).mean()), "%"),
    }
    values |= _without_survey("leeds", leeds) | _without_survey("region", region)
    return "python benchmarks/figures.py --only quasirandom", values


def _exact(name: str, problem, population, ms: float) -> dict:
    status = population.status
    return {
        f"{name}_zones": figure(problem.n_zones, "zones"),
        f"{name}_zones_exact": figure(int((status["whole"] == "EXACT").sum()), "zones"),
        f"{name}_ms_per_zone": figure(ms, "ms"),
        f"{name}_people_left": figure(int(status["stuck"][status["fit"] == "CONVERGED"].sum()), "people"),
        f"{name}_moves": figure(int(status["moves"].sum()), "exchanges"),
    }


def _without_survey(name: str, problem) -> dict:
    """Draw from the tables alone, recount every table, and say how many people have a profile that no record has."""
    import synthpop_gb as sp

    tables = tables_of(problem)
    sp.qis({n: t.iloc[:1] for n, t in tables.items()}, seed=1)
    began = time.process_time()
    drawn = sp.qis(tables, seed=1)
    seconds = time.process_time() - began
    exact = np.ones(problem.n_zones, bool)
    for variable, table in tables.items():
        found = drawn.counts.groupby(["zone", variable])["n"].sum().unstack(fill_value=0)  # noqa: PD010
        exact &= (found.reindex(index=table.index, columns=table.columns, fill_value=0) == table).to_numpy().all(axis=1)
    labels = problem.cells.get_level_values("category")
    known = pd.MultiIndex.from_arrays([labels[row] for row in problem.cell_of])
    there = pd.MultiIndex.from_frame(drawn.counts[list(tables)]).isin(known)
    unknown = 100 * drawn.counts["n"][~there].sum() / drawn.people
    ratio = drawn.status["chi_square"].sum() / drawn.status["degrees_of_freedom"].sum()
    return {
        f"qis_{name}_zones_exact": figure(int(exact.sum()), "zones"),
        f"qis_{name}_ms_per_zone": figure(1e3 * seconds / problem.n_zones, "ms"),
        f"qis_{name}_no_record": figure(float(unknown), "%"),
        f"qis_{name}_chi_square_per_degree": figure(float(ratio), "", f"{ratio:.2f}"),
    }
