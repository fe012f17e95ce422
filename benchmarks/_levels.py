"""Yorkshire and The Humber 2011 with tables known for larger areas only: what they are worth at LSOAs, and that people nest."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from _measure import ROOT, figure

__all__ = ["yorkshire"]

_EMPLOYED, _JOINT = "employee or self-employed", "age x sex"


def yorkshire(*, folder: Path) -> tuple[str, dict]:
    """Fit without levels, with tables of the region, of local authorities and of MSOAs; judge by the LSOAs' own tables.

    Employed: root mean square error of the share employed over LSOAs, in points of all residents. Age x sex: mean over LSOAs of
    the per cent in the wrong cell. Exact: areas whose every table is met, counted from the donors. Times are processor seconds.
    """
    import synthpop_gb as sp

    study = sp.load_study(ROOT / "inputs" / "yorkshire-2011-levels.toml")
    _, inputs = sp.pipeline.align(study)
    values: dict = {}
    for level in ("none", "region", "lad", "msoa"):
        asked = {} if level == "none" else {level: study.levels["msoa"]}
        used = {name: t for name, t in inputs.tables.items() if t.level is None or asked}
        tables = {name: replace(t, level=level) if t.level else t for name, t in used.items()}
        aligned = sp.harmonise(
            inputs.survey, tables, inputs.geography, constraints=study.constraints, held_out=study.held_out, levels=asked,
            parent=next(iter(study.zones.parent.items())), seed=study.seed,
        )  # fmt: skip
        problem = sp.formulate(aligned)
        few = np.flatnonzero(problem.component == problem.component[0])
        sp.solve(problem.take(few), seed=1, workers=1)  # compiled, or loaded
        began = time.process_time()
        population = sp.solve(problem, seed=study.seed, workers=1)
        values[f"{level}_solve_seconds"] = figure(time.process_time() - began, "s")
        values |= {f"{level}_{name}": value for name, value in _judged(population, aligned).items()}
    asked = 'levels={"msoa": ["age x sex", "economic_activity"]}'
    return f"sp.harmonise(..., {asked}); sp.solve(problem, seed=2011, workers=1)", values


def _judged(population, aligned) -> dict:
    """Errors at LSOAs, of the fit and of the whole people, and areas met."""
    import synthpop_gb as sp

    checks = sp.validate(population, aligned)
    held_out = checks["held_out"].set_index("table")
    table = next(t for t in aligned.held_out if t.name == "economic_activity")
    cell = list(table.targets.columns.get_level_values(0)).index(_EMPLOYED)
    problem, everybody = population.problem, aligned.constraints[1].targets.sum(axis=1).to_numpy()
    profile, record, share = problem.people_shares()
    employed = np.bincount(profile, share * (table.record_cell[record] == cell), problem.n_profiles)
    fitted = np.concatenate([population.fitted(np.arange(i, i + 1)) @ employed for i in range(problem.n_zones)])
    donors = population.donors()
    whole = np.add.reduceat(donors.n * (table.record_cell[donors.record] == cell), donors.indptr[:-1])
    truth = table.targets.iloc[:, cell].to_numpy()

    def rmse(people):
        return figure(float(100 * np.sqrt((((people - truth) / everybody) ** 2).mean())), "points")

    out = {
        "employed_fractional": rmse(fitted), "employed_whole": rmse(whole),
        "employed_correlation": figure(float(np.corrcoef(fitted / everybody, truth / everybody)[0, 1]), "", None),
        "age_sex_fractional": figure(held_out.loc[_JOINT, "zone_mean_fit"], "%"),
        "age_sex_whole": figure(held_out.loc[_JOINT, "zone_mean_whole"], "%"),
        "age_sex_independence": figure(held_out.loc[_JOINT, "zone_mean_independence"], "%"),
        "age_sex_floor": figure(held_out.loc[_JOINT, "zone_mean_floor"], "%"),
        "zones_exact": figure(checks.headline["zones exact"], "zones"),
        "zones_converged": figure(checks.headline["zones converged"], "zones"),
        "largest_residual": figure(checks.headline["largest residual before integerising"], "people"),
    }  # fmt: skip
    if aligned.levels:
        fit = checks["level_fit"]
        out["areas"] = figure(len(aligned.levels[0].areas), "areas")
        out["areas_exact"] = figure(int(fit.groupby("area")["exact"].all().sum()), "areas")
    return out
