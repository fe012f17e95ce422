"""Coverage of intervals against known truth: Leeds and 300 random LSOAs of 2011, demo counties, EU-SILC zones.

Coverage is the share of zones whose true figure lies within the nominal 90 % interval. The interval score (Gneiting & Raftery
2007, eq. 43) is width plus 20 times the miss; lower is better. Beside `sp.indicator`: replicates alone (their spread, and that of
which of a profile's records a person is), and the plain rule that widens them by the median over tables left out of their 90 %
quantile of |error| / standard error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import ROOT, figure

__all__ = ["census", "demo_counties", "silc"]

LEVEL, Z = 0.9, 1.6448536269514722
_BAND = (0.85, 0.95)


@dataclass(frozen=True)
class Outcome:
    """One indicator with its truth. question : arguments of `sp.indicator`; truth : by zone, in the unit of the estimate."""

    name: str
    question: Mapping
    truth: pd.Series


def judge(aligned, outcomes, *, seed: int = 1, replicates: int = 40) -> pd.DataFrame:
    """Judge intervals of outcomes of one study: one row an outcome with coverage, median half-width, score by each rule."""
    import synthpop_gb as sp
    from synthpop_gb.assessment import leave_one_out, region_of

    population = sp.solve(sp.formulate(aligned), seed=seed, replicates=replicates)
    return judge_population(population, outcomes, leave_one_out(population, region_of(aligned)))


def judge_population(population, outcomes, left_out) -> pd.DataFrame:
    """Do the same of a population with replicates and of its tables left out."""
    import synthpop_gb as sp

    factor = _median_factor(left_out)
    rows = {}
    for outcome in outcomes:
        found = sp.indicator(population, **outcome.question, left_out=left_out).frame.set_index("zone")
        truth = outcome.truth.reindex(found.index).to_numpy(float)
        known = np.isfinite(truth) & np.isfinite(found["estimate"].to_numpy())
        found, truth = found[known], truth[known]
        estimate, plain = found["estimate"].to_numpy(), np.hypot(found["replicate_error"], found["finite_error"]).to_numpy()
        rules = {
            "ours": (found["lower"].to_numpy(), found["upper"].to_numpy()),
            "replicates": (estimate - Z * plain, estimate + Z * plain),
            "median": (estimate - Z * factor * plain, estimate + Z * factor * plain),
        }
        row = {"rmse": float(np.sqrt(np.mean((truth - estimate) ** 2)))}
        for name, (low, high) in rules.items():
            row[f"{name}_coverage"] = float(np.mean((truth >= low) & (truth <= high)))
            row[f"{name}_half"] = float(np.median(high - low) / 2)
            missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
            row[f"{name}_score"] = float(np.mean(high - low + 2 / (1 - LEVEL) * missed))
        rows[outcome.name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def _median_factor(left_out) -> float:
    """Median over tables of the 90 % quantile of |error| / standard error, in standard deviations of a normal."""
    ratio = np.abs(left_out.error) / np.sqrt(left_out.variance)
    tables = left_out.cells["table"].to_numpy()
    factors = [max(1.0, float(np.nanquantile(ratio[tables == t], LEVEL)) / Z) for t in dict.fromkeys(tables)]
    return float(np.median(factors))


def summary(frame: pd.DataFrame, prefix: str, *, each: bool = True) -> dict:
    """Figures of one set of outcomes: how many are covered well, scores beside the plain rule, and with `each` every coverage."""
    n = len(frame)
    out = {f"{prefix}_outcomes": figure(n, "outcomes")}
    for rule in ("ours", "replicates", "median"):
        coverage = frame[f"{rule}_coverage"]
        counts = {"in_band": int(coverage.between(*_BAND).sum()), "enough": int((coverage >= _BAND[0]).sum())}
        out |= {f"{prefix}_{rule}_{name}": figure(k, "outcomes", f"{k} of {n}") for name, k in counts.items()}
        out[f"{prefix}_{rule}_mean_coverage"] = figure(float(coverage.mean()), "", f"{coverage.mean():.2f}")
    ratio = float(np.exp(np.log(frame["ours_score"] / frame["median_score"]).mean()))
    out[f"{prefix}_score_beside_median"] = figure(ratio, "", f"{ratio:.2f}")
    for name, row in frame.iterrows() if each else ():
        ours, alone, plain = (row[f"{rule}_coverage"] for rule in ("ours", "replicates", "median"))
        key = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")
        text = f"{ours:.2f} (replicates alone {alone:.2f}, plain rule {plain:.2f})"
        out[f"{prefix}_{key}_coverage"] = figure(float(ours), "", text)
    return out


def _census_sets(area: str) -> Iterator[tuple[object, list[Outcome]]]:
    """Studies of 2011 with their outcomes: all four tables, then each table in turn as if held out."""
    import synthpop_gb as sp

    study = sp.load_study(ROOT / "inputs" / "england-wales-2011.toml")
    study = study.model_copy(update={"maps": []})
    inputs = sp.pipeline.read_inputs(study)
    if area == "leeds":
        chosen = inputs.geography.zones.index[inputs.geography.zones["lad"] == "Leeds"]
    else:
        codes = np.sort(inputs.geography.codes.to_numpy())
        chosen = pd.Index(np.sort(np.random.default_rng(11).choice(codes, 300, replace=False)))
    study = study.model_copy(update={"zones": study.zones.model_copy(update={"codes": chosen.tolist(), "parent": None})})
    whole = sp.pipeline.examine_study(study, inputs)[0]
    work = pd.read_parquet(Path(os.environ["SYNTHPOP_GB_DATA"]) / "census2011-lsoa-ew" / "employment3.parquet")
    employed = work.set_index("zone_id")["employment"]
    joint = whole.held_out[0].targets
    yield (
        whole,
        [
            Outcome("employed", {"what": "in_employment = 'in employment'", "measure": "count"}, employed),
            Outcome("women 75+", {"what": "sex = 'female' and age = '75+'", "measure": "count"}, joint[("75+", "female")]),
        ],
    )
    for k, table in enumerate(whole.constraints):
        rest = study.model_copy(update={"constraints": [c for i, c in enumerate(study.constraints) if i != k], "held_out": []})
        without = sp.pipeline.examine_study(rest, inputs)[0]
        cells = [str(c[0]) for c in table.targets.columns][: 1 if table.targets.shape[1] == 2 else None]
        quoted = {c: c.replace("'", "''") for c in cells}
        yield (
            without,
            [
                Outcome(f"{table.name} {c}", {"what": f"{table.name} = '{quoted[c]}'", "measure": "count"}, table.targets[(c,)])
                for c in cells
            ],
        )


def census(areas=("leeds", "random"), *, folder: Path) -> tuple[str, dict]:
    """Leeds, and 300 random LSOAs of England and Wales, 2011."""
    values = {}
    for area in areas:
        frame = pd.concat([judge(aligned, outcomes) for aligned, outcomes in _census_sets(area)])
        print(area)
        print(frame.round(3).to_string(), flush=True)
        values |= summary(frame, area)
    return "python benchmarks/bench_intervals.py", values


_TEN = {
    "smokers": {"what": "smokes = 'yes'", "measure": "count"},
    "income of 40,000 or more": {"what": "age >= 16 and income >= 40000", "measure": "count"},
    "65 and over in bad health": {"what": "age >= 65 and health in ('bad', 'very bad')", "measure": "count"},
    "graduates aged 25 to 44": {"what": "age >= 25 and age < 45 and qualification = 'level 4 or above'", "measure": "count"},
    "women of 75 and over": {"what": "age >= 75 and sex = 'female'", "measure": "count"},
    "married": {"what": "partnership = 'married'", "measure": "count"},
    "separated, divorced": {"what": "partnership in ('separated', 'divorced')", "measure": "count"},
    "employed in bad health": {"what": "economic_activity = 'employee' and health in ('bad', 'very bad')", "measure": "count"},
    "mean income of adults": {"what": "income", "measure": "mean", "where": "age >= 16"},
    "median income of adults": {"what": "income", "measure": "quantile", "where": "age >= 16"},
}


def demo_counties(*, folder: Path) -> tuple[str, dict]:
    """The fixed demo counties against their true people, ten indicators each."""
    import synthpop_gb as sp
    from synthpop_gb.indicators import parse_condition
    from synthpop_gb.pipeline.demo import demo_study

    values, frames = {}, {}
    for world in ("penmarrow", "rutlow", "calderholme", "harrowmere"):
        county = sp.datasets.make_county(world)
        place = folder / world
        county.write(place)
        text = demo_study(".").replace('weight = "weight"', 'weight = "weight"\ncluster = "psu"')
        (place / "study.toml").write_text(text, encoding="utf-8")
        study = sp.load_study(place / "study.toml")
        aligned = sp.pipeline.align(study)[0]
        people, zone = county.persons, county.persons["zone"]
        outcomes = []
        for name, question in _TEN.items():
            adults = people["age"] >= 16
            if question["measure"] == "count":
                truth = pd.Series(parse_condition(question["what"]).matches(people), people.index).groupby(zone).sum()
            else:
                grouped = people.loc[adults, "income"].astype(float).groupby(zone[adults])
                truth = grouped.mean() if question["measure"] == "mean" else grouped.median()
            outcomes.append(Outcome(name, question, truth))
        frames[world] = judge(aligned, outcomes)
        print(world)
        print(frames[world].round(3).to_string(), flush=True)
        values |= summary(frames[world], world)
    values |= summary(pd.concat(frames.values()), "all", each=False)
    return "python benchmarks/bench_intervals.py", values


def silc(*, folder: Path) -> tuple[str, dict]:
    """Zones cut within the nine regions of eusilcP, the synthetic population of the R package simPop; survey eusilcS.

    Each region's households are put in order of a mixture of chance and equivalised income, and cut into zones of about 250
    households: zones that differ. The survey's strata are the regions, its clusters the households.
    """
    import synthpop_gb as sp

    data = Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "simpop"
    truth, survey = pd.read_parquet(data / "eusilcP.parquet"), pd.read_parquet(data / "eusilcS.parquet")
    truth = truth.rename(columns={"gender": "rb090", "ecoStat": "pl030", "citizenship": "pb220a"})
    truth["zone"] = _income_zones(truth)
    bands = [0, 16, 25, 35, 45, 55, 65, 75, 200]
    names = ["0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+"]
    for frame in (truth, survey):
        frame["age_band"] = pd.cut(frame["age"].clip(lower=0), bands, right=False, labels=names).astype(str)
        frame["size"] = np.minimum(frame["hsize"].astype(int), 6).astype(str)
        for column in ("pl030", "pb220a", "rb090"):  # children have neither activity nor citizenship
            code = frame[column].astype(object)
            frame[column] = code.where(code.notna() & (frame["age"] >= 16) | (column == "rb090"), "child").astype(str)
            frame[column] = frame[column].str.removesuffix(".0")
        frame["id"] = np.arange(len(frame))
    columns = {"age": "age_band", "sex": "rb090", "work": "pl030", "citizenship": "pb220a", "size": "size"}
    folder.mkdir(exist_ok=True, parents=True)
    wanted = ["id", "db030", "db040", "rb050", *columns.values(), *_SILC]
    survey[wanted].to_parquet(folder / "survey.parquet")
    for name, column in columns.items():
        pd.crosstab(truth["zone"], truth[column]).rename_axis("zone").to_csv(folder / f"{name}.csv")
    study = _silc_study(folder, columns, survey)
    aligned = sp.pipeline.align(study)[0]
    outcomes = []
    for column in _SILC:
        outcomes.append(
            Outcome(
                f"{column} above 0",
                {"what": f"{column} > 0", "measure": "count"},
                (truth[column] > 0).groupby(truth["zone"]).sum(),
            )
        )
    for limit in (10_000, 20_000, 30_000):
        held = (truth["py010n"] >= limit).groupby(truth["zone"]).sum()
        outcomes.append(Outcome(f"py010n from {limit}", {"what": f"py010n >= {limit}", "measure": "count"}, held))
    outcomes.append(
        Outcome("mean of py010n", {"what": "py010n", "measure": "mean"}, truth["py010n"].groupby(truth["zone"]).mean())
    )
    frame = judge(aligned, outcomes)
    print(frame.round(3).to_string())
    return "python benchmarks/bench_intervals.py", summary(frame, "silc")


_SILC = ("py010n", "py050n", "py090n", "py100n", "py130n", "py140n")


def _income_zones(truth: pd.DataFrame) -> pd.Series:
    """Zone of each person: households of a region in order of half chance, half rank of equivalised income, cut every 250."""
    homes = truth.drop_duplicates("hid").set_index("hid")[["region", "eqIncome"]]
    rank = homes.groupby("region", observed=True)["eqIncome"].rank(pct=True)
    chance = np.random.default_rng(5).random(len(homes))
    homes["order"] = 0.5 * rank + 0.5 * chance
    homes["zone"] = ""
    for region, mine in homes.groupby("region", observed=True):
        place = mine["order"].rank(method="first").to_numpy() - 1
        n = max(1, round(len(mine) / 250))
        homes.loc[mine.index, "zone"] = [f"{str(region)[:4]}{int(k):03d}" for k in place * n // len(mine)]
    return truth["hid"].map(homes["zone"])


def _silc_study(folder: Path, columns: Mapping[str, str], survey: pd.DataFrame):
    """Study of the zones, its survey's variables described."""
    from synthpop_gb.spec import Study

    variables = {
        name: {"column": column, "categories": {str(c): str(c) for c in sorted(survey[column].unique())}}
        for name, column in columns.items()
    }
    return Study.model_validate(
        {
            "name": "silc", "seed": 1, "constraints": list(columns),
            "survey": {"path": str(folder / "survey.parquet"), "id": "id", "weight": "rb050", "strata": "db040",
                       "cluster": "db030", "region": "db040", "licence": "open", "universe": "usual residents",
                       "variables": variables},
            "tables": [{"path": str(folder / f"{n}.csv"), "universe": "usual residents", "variables": [n]} for n in columns],
        }
    )  # fmt: skip
