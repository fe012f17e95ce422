"""Better starts against what was held out: age by sex and employment of census areas, poverty in zones of EU-SILC households.

Every variant is the same problem with other start weights, fitted exactly to the same tables. Errors are of the fractional fit,
mean over zones; whole people are given beside the noise floor (`sp.validate`). Nothing is chosen by what is held out.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import ROOT, figure

__all__ = ["census", "households"]

AREAS = {
    "leeds": ("lad", "Leeds"), "yorkshire": ("region", "Yorkshire and The Humber"), "tower_hamlets": ("lad", "Tower Hamlets"),
    "london": ("region", "London"), "wales": ("region", "Wales"),
}  # fmt: skip
_REGION_ONLY = 1 - 1e-9  # what `better_start` refuses: everybody else keeps a billionth, so that every target can be met
_EVERY = 10**6


def census(*, folder: Path) -> tuple[str, dict]:
    """Age by sex (age, sex, health and ethnic group fitted) and share employed, in five areas of the 2011 census."""
    import synthpop_gb as sp

    data = Path(os.environ["SYNTHPOP_GB_DATA"]) / "census2011-lsoa-ew"
    work = pd.read_parquet(data / "employment3.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    counts = {
        "zone": work["zone_id"],
        "in employment": work["employment"],
        "not in employment": work["not_working"] + work["u16_75pl"],
    }
    pd.DataFrame(counts).to_csv(folder / "work.csv", index=False)
    whole = sp.load_study(ROOT / "inputs" / "yorkshire-2011.toml")
    extra = type(whole.tables[0])(
        path=str(folder / "work.csv"), zone="zone", variables=["in_employment"], universe="usual residents", year=2011
    )
    base = whole.model_copy(update={"tables": [*whole.tables, extra], "maps": [], "held_out": ["age x sex", "in_employment"]})
    inputs, values = sp.pipeline.read_inputs(base), {}
    for name, (level, code) in AREAS.items():
        study = base.model_copy(update={"zones": base.zones.model_copy(update={"parent": {level: code}})})
        values |= {f"{name}_{key}": value for key, value in _area(study, inputs).items()}
        print(name, {k: v["text"] for k, v in values.items() if k.startswith(name)}, flush=True)
    return "python benchmarks/figures.py --only starts", values


def _area(study, inputs) -> dict:
    import synthpop_gb as sp
    from synthpop_gb.assessment.starts import better_start, judged_errors
    from synthpop_gb.assessment.starts.regions import blended, find_regions
    from synthpop_gb.pipeline.starting import start_study
    from synthpop_gb.spec.start import LearntModel, StartModel

    aligned, problem = sp.pipeline.examine_study(study, inputs)[0], None
    problem = sp.formulate(aligned)
    joint, work = aligned.held_out
    regions = find_regions(problem, aligned)
    learnt = StartModel(learnt=[LearntModel(table="age x sex"), LearntModel(table="in_employment")])
    auto = better_start(problem, aligned, own_region="auto")
    smooth = better_start(problem, aligned, smooth=True)
    taught = start_study(study.model_copy(update={"start": learnt}), aligned, inputs)
    variants = {
        "all_donors": problem,
        **{f"blend_{int(100 * b)}": blended(problem, regions, b) for b in (0.1, 0.25, 0.5)},
        "region_only": blended(problem, regions, _REGION_ONLY),
        "blend_auto": auto.problem, "smoothed": smooth.problem, "learnt": taught.problem,
    }  # fmt: skip
    values = {"zones": figure(len(aligned.zones), "zones"), "donors": figure(len(problem.donor), "records"),
              "own_donors": figure(int((regions.of_unit >= 0).sum()), "records"),
              "blend_chosen": figure(auto.facts["own_region"]["strength"], ""),
              "smoothing_chosen": figure(smooth.facts["smooth"]["strength"], "")}  # fmt: skip
    for name, made in variants.items():
        values[name] = figure(judged_errors(made, [joint], zones=_EVERY)[joint.name], "%")
        values[f"{name}_employed"] = figure(_share_error(made, work), "points")
    for name, made in (("all_donors", problem), ("learnt", taught.problem)):
        population = sp.solve(made, seed=1)
        row = sp.validate(population, aligned)["held_out"].set_index("table").loc[joint.name]
        values[f"{name}_whole"] = figure(float(row["zone_mean_whole"]), "%")
        values[f"{name}_whole_people"] = figure(float(row["wrong_whole"]), "%")
        values["independence"], values["floor"] = (
            figure(float(row["zone_mean_independence"]), "%"),
            figure(float(row["floor"]), "%"),
        )
    return values


def _share_error(problem, table) -> float:
    """Root mean squared error over zones of the share of people in the table's first cell, in percentage points."""
    from synthpop_gb.assessment.starts._joint import Joint

    found, expected = Joint.of(problem, table).counts(np.arange(problem.n_zones)), table.targets.to_numpy()
    gap = found[:, 0] / found.sum(axis=1) - expected[:, 0] / expected.sum(axis=1)
    return float(100 * np.sqrt(np.mean(gap**2)))


_SURVEYS, _HOUSEHOLDS = 5, 2_000


def households(*, folder: Path) -> tuple[str, dict]:
    """Zones of 250 households of eusilcP, poorer and richer, from five random surveys of 2,000 households in nine regions.

    Household size and the age, sex, activity and citizenship of people are fitted by the method 'balance'. Held out: the share of
    people whose income is below 60 % of the median, by zone.
    """
    from _intervals import _income_zones

    import synthpop_gb as sp
    from synthpop_gb.assessment.refits import zone_weights
    from synthpop_gb.assessment.starts import better_start
    from synthpop_gb.assessment.starts.regions import blended, find_regions

    truth = pd.read_parquet(Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "simpop" / "eusilcP.parquet")
    truth["zone"], truth["region"] = _income_zones(truth), truth["region"].astype(str)
    truth["poor"] = truth["eqIncome"] < 0.6 * truth["eqIncome"].median()
    bands, names = [-5, 16, 25, 45, 65, 200], ["0-15", "16-24", "25-44", "45-64", "65+"]
    truth["age_band"] = pd.cut(truth["age"], bands, right=False, labels=names).astype(str)
    truth["size"] = np.minimum(truth["hsize"].astype(int), 5).astype(str)
    for column in ("ecoStat", "citizenship"):
        truth[column] = truth[column].astype(object).where(truth["age"] >= 16, "child").fillna("child").astype(str)
    expected = truth.groupby("zone")["poor"].mean()
    results: dict[str, list[float]] = {}
    chosen = []
    for number in range(_SURVEYS):
        aligned = _household_study(truth, number, folder / str(number))
        problem = sp.formulate(aligned)
        regions = find_regions(problem, aligned)
        auto, smooth = better_start(problem, aligned, own_region="auto"), better_start(problem, aligned, smooth=True)
        chosen.append(auto.facts["own_region"]["strength"])
        variants = {
            "all_donors": problem, **{f"blend_{int(100 * b)}": blended(problem, regions, b) for b in (0.25, 0.5, 0.75)},
            "region_only": blended(problem, regions, _REGION_ONLY), "blend_auto": auto.problem, "smoothed": smooth.problem,
        }  # fmt: skip
        poor = truth.set_index("pid_all")["poor"].reindex(aligned.records).to_numpy(float)
        for name, made in variants.items():
            profile, record, share = made.people_shares()
            answer = np.bincount(profile, share * poor[record], made.n_profiles)
            people = made.people_of
            rate = np.concatenate([w @ answer / (w @ people) for w in zone_weights(made, np.arange(made.n_zones))])
            gap = rate - expected.reindex(aligned.zones).to_numpy()
            results.setdefault(name, []).append(100 * float(np.sqrt(np.mean(gap**2))))
        print(number, {n: round(v[-1], 2) for n, v in results.items()}, chosen, flush=True)
    values = {name: figure(float(np.mean(found)), "points") for name, found in results.items()}
    values["zones"], values["surveys"] = figure(len(expected), "zones"), figure(_SURVEYS, "surveys")
    values["blend_chosen"] = figure(float(np.mean(chosen)), "", ", ".join(f"{c:g}" for c in chosen))
    everywhere = float(100 * np.sqrt(np.mean((expected - truth["poor"].mean()) ** 2)))
    return "python benchmarks/figures.py --only starts_households", values | {"national_rate": figure(everywhere, "points")}


def _household_study(truth: pd.DataFrame, number: int, folder: Path):
    """Aligned study of one random survey."""
    import synthpop_gb as sp
    from synthpop_gb.spec import Study

    folder.mkdir(parents=True, exist_ok=True)
    truth["pid_all"] = np.arange(len(truth))
    homes = truth["hid"].unique()
    drawn = np.random.default_rng([7, number]).choice(homes, _HOUSEHOLDS, replace=False)
    survey = truth[truth["hid"].isin(drawn)]
    columns = {"household_size": "size", "age": "age_band", "sex": "gender", "work": "ecoStat", "citizenship": "citizenship"}
    survey[["pid_all", "hid", "region", *columns.values()]].to_parquet(folder / "survey.parquet")
    first = truth.drop_duplicates("hid")
    for name, column in columns.items():
        counted = first if name == "household_size" else truth
        pd.crosstab(counted["zone"], counted[column]).rename_axis("zone").to_csv(folder / f"{name}.csv")
    first.drop_duplicates("zone")[["zone", "region"]].to_csv(folder / "lookup.csv", index=False)
    variables = {
        n: {"column": c, "categories": {str(v): str(v) for v in sorted(truth[c].astype(str).unique())}}
        for n, c in columns.items()
    }
    universe = {n: "households" if n == "household_size" else "usual residents" for n in columns}
    study = Study.model_validate({
        "name": "silc", "seed": 1, "constraints": list(columns),
        "survey": {"path": str(folder / "survey.parquet"), "id": "pid_all", "household": "hid", "region": "region",
                   "licence": "open", "universe": "usual residents", "variables": variables},
        "tables": [{"path": str(folder / f"{n}.csv"), "universe": universe[n], "variables": [n]} for n in columns],
        "zones": {"lookup": str(folder / "lookup.csv"), "zone": "zone"},
    })  # fmt: skip
    return sp.pipeline.align(study)[0]
