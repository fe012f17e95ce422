"""Demo counties of whole households: eight tables met, and who lives with whom against the truth, persons by IPF beside."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure

COUNTIES, ZONES, SEED = ("penmarrow", "rutlow", "harrowmere"), 60, 2021
PERSON_TABLES = ["age", "sex", "ethnic_group", "economic_activity"]
_JOINT = "people: age x composition"


def households_demo(*, folder: Path) -> tuple[str, dict]:
    """Make three counties, rebuild each from its survey and eight tables, and set households beside the true ones."""
    from synthpop_gb.validation.explanation import zone_causes
    from synthpop_gb.validation.inside_households import household_checks

    values, mixes = {}, []
    for world in COUNTIES:
        place = _county(world, folder / world)
        aligned, population, seconds = _solved(place, households=True)
        persons, homes = (pd.read_parquet(place / "truth" / f"{name}.parquet") for name in ("persons", "households"))
        checks = household_checks(population, aligned, truth=persons, true_households=homes)
        mix = checks["household_mix"].set_index("distribution")
        mixes.append(mix)
        status, causes = population.status, zone_causes(population, aligned)
        exact = int((status["whole"] == "EXACT").sum())
        off = status.get("remainder_persons", status["remainder"]), status.get("remainder_households", 0 * status["remainder"])
        values |= {
            f"{world}_zones": figure(len(status), "zones"), f"{world}_exact": figure(exact, "zones"),
            f"{world}_people": figure(population.people, "people"),
            f"{world}_households": figure(int(status["households"].sum()), "households"),
            f"{world}_remainder_people": figure(int(off[0].sum()), "people"),
            f"{world}_remainder_households": figure(int(off[1].sum()), "households"),
            f"{world}_causes": figure(len(causes), "", _named(causes)),
            f"{world}_ms_a_zone": figure(1000 * seconds / len(status), "ms"),
            f"{world}_impossible": figure(int(checks["impossible_households"]["population"].sum()), "households"),
        }  # fmt: skip
        for name, row in mix.iterrows():
            short = re.sub(r"\W+", "_", name).strip("_")
            for part in ("zone_wrong", "zone_as_survey", "zone_floor", "wrong", "floor"):
                values[f"{world}_{short}_{part}"] = figure(row[part], "%")
        values[f"{world}_people_age_x_composition_zone_ipf"] = figure(_persons_alone(place, aligned, persons, homes), "%")
    together = pd.concat(mixes).groupby(level=0)[["zone_wrong", "zone_as_survey", "zone_floor"]].mean()
    for name, row in together.iterrows():
        short = re.sub(r"\W+", "_", name).strip("_")
        values |= {f"mean_{short}_{part}": figure(row[part], "%") for part in together.columns}
    ipf = np.mean([values[f"{w}_people_age_x_composition_zone_ipf"]["value"] for w in COUNTIES])
    values["mean_people_age_x_composition_zone_ipf"] = figure(float(ipf), "%")
    return "python benchmarks/figures.py --only households_demo", values


def _named(causes: pd.DataFrame) -> str:
    """Causes with the number of zones that each is told of."""
    return ", ".join(f"{cause} {n}" for cause, n in causes["cause"].value_counts().items()) or "none"


def _county(world: str, folder: Path) -> Path:
    import synthpop_gb as sp

    sp.datasets.make_county(world, zones=ZONES, seed=SEED).write(folder)
    return folder


def _solved(place: Path, *, households: bool):
    """Align and solve: whole households by `balance`, or persons by `ipf` from the tables of persons alone."""
    import tomllib

    import synthpop_gb as sp
    from synthpop_gb.pipeline.demo import demo_study
    from synthpop_gb.spec import Study

    study = tomllib.loads(demo_study(place.as_posix(), households=True))
    study = {k: v for k, v in study.items() if k not in ("indicators", "maps", "replicates", "truth", "held_out")}
    if not households:
        study["constraints"], study["method"] = PERSON_TABLES, {"name": "ipf"}
        study["survey"] = {k: v for k, v in study["survey"].items() if k != "household"}
    study = Study.model_validate(study)
    aligned, _ = sp.pipeline.align(study)
    problem = sp.formulate(aligned)
    began = time.perf_counter()
    population = sp.solve(problem, method=study.method.name, options=study.method.options(), seed=SEED, workers=1)
    return aligned, population, time.perf_counter() - began


def _persons_alone(place: Path, homes_aligned, persons: pd.DataFrame, homes: pd.DataFrame) -> float:
    """Per cent of people in the wrong cell of age x composition, zone by zone, where persons are placed by IPF one by one.

    A person keeps the composition that the household of its record has: what a population of persons can say of households.
    """
    from synthpop_gb.validation.inside_households.distributions import describe, together
    from synthpop_gb.validation.inside_households.view import of_survey, of_truth

    aligned, population, _ = _solved(place, households=False)
    view, real = of_survey(homes_aligned), of_truth(homes_aligned, persons, homes, "household")
    mine, true = next(p for p in together(describe(view)[0], describe(real)[0]) if p[0].name == _JOINT)
    cell = pd.Series(mine.cell, homes_aligned.records[homes_aligned.households.member]).reindex(aligned.records).to_numpy(int)
    n, width = len(aligned.zones), len(mine.labels)
    placed = population.donors()
    row = np.repeat(np.arange(n), np.diff(placed.indptr))
    counts, actual = np.zeros((n, width)), np.zeros((n, width))
    np.add.at(counts, (row, cell[placed.record]), placed.n)
    np.add.at(actual, (real.zone[true.of], true.cell), 1)
    people = actual.sum(axis=1)
    wrong = 50 * np.abs(counts / counts.sum(axis=1, keepdims=True) - actual / people[:, None]).sum(axis=1)
    return float(np.average(wrong, weights=people))
