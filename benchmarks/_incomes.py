"""Calibrating to published incomes of MSOAs: demo counties whose true incomes are known, and Leeds with a stand-in survey."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure

__all__ = ["demo_counties", "leeds"]

COUNTIES = ("penmarrow", "rutlow", "calderholme", "harrowmere")
_ZONES = 120
_DRAWS = 3
_ERRORS = {"sure": 0.005, "three": 0.03, "six": 0.06}
"""Standard errors of made-up published means, as shares of them. Those of the ONS estimates for MSOAs are near 0.06."""


def demo_counties(*, folder: Path) -> tuple[str, dict]:
    """Mean equivalised income and low income of households by zone, in four counties of 120 zones, before and after.

    Published are true means by MSOA (five zones) times noise of the error given, three draws of it; or true means by district.
    Errors are means over zones of the fractional fit: of income in per cent of the true mean, of low income in percentage points.
    """
    values: dict = {}
    for name in COUNTIES:
        world = _World(name, folder / name)
        values |= {f"{name}_{key}": value for key, value in world.measured().items()}
        print(name, {k: v["text"] for k, v in values.items() if k.startswith(name)}, flush=True)
    names = dict.fromkeys(k.removeprefix(f"{COUNTIES[0]}_") for k in values if k.startswith(COUNTIES[0]))
    for key in names:
        unit = values[f"{COUNTIES[0]}_{key}"]["unit"]
        values[f"all_{key}"] = figure(float(np.mean([values[f"{c}_{key}"]["value"] for c in COUNTIES])), unit)
    return "python benchmarks/figures.py --only incomes", values


class _World:
    """One county: its study, its truth, and what fits are judged by."""

    def __init__(self, name: str, folder: Path):
        import synthpop_gb as sp
        from synthpop_gb.indicators import Question
        from synthpop_gb.pipeline.demo import demo_study

        county = sp.datasets.make_county(name, zones=_ZONES, seed=5)
        county.write(folder)
        (folder / "study.toml").write_text(demo_study(".", households=True), encoding="utf-8")
        self.aligned = sp.pipeline.align(sp.load_study(folder / "study.toml"))[0]
        self.problem = sp.formulate(self.aligned)
        homes, lookup = county.households, county.lookup.set_index("zone")
        zone = homes["zone"].astype(str)
        self.means = {
            level: homes["equivalised_income"].groupby(of).mean()
            for level, of in (("zone", zone), ("msoa", zone.map(lookup["msoa"])), ("district", zone.map(lookup["district"])))
        }
        self.poor = (homes["low_income"] == "yes").groupby(zone).mean().reindex(self.aligned.zones)
        self.income = Question("equivalised_income", "mean", of="household").ask(self.aligned)
        self.low = Question("low_income = 'yes'", "share", of="household").ask(self.aligned)

    def measured(self) -> dict:
        """Every figure of the county."""
        found: dict[str, list] = {"before": [self._judged(self.problem)]}
        told: dict[str, list] = {}
        rng = np.random.default_rng(3)
        for key, error in _ERRORS.items():
            for _ in range(_DRAWS):
                goal = self.means["msoa"] * np.exp(error * rng.standard_normal(len(self.means["msoa"])))
                made, seconds = self._calibrated(goal, error, "msoa")
                found.setdefault(key, []).append(self._judged(made.problem))
                told.setdefault(key, []).append((*self._areas(made), seconds))
        made, _ = self._calibrated(self.means["district"], 0.005, "district")
        found["district"] = [self._judged(made.problem)]
        values = {}
        for key, rows in found.items():
            mean = np.mean(rows, axis=0)
            values[f"{key}_income"] = figure(float(mean[0]), "%")
            values[f"{key}_poor"] = figure(float(mean[1]), "points")
            values[f"{key}_msoa"] = figure(float(mean[2]), "%")
        for key, rows in told.items():
            left_out, covered, seconds = np.mean(rows, axis=0)
            values[f"{key}_left_out"] = figure(float(left_out), "%")
            values[f"{key}_covered"] = figure(float(100 * covered), "%")
            values[f"{key}_seconds"] = figure(float(seconds), "s")
        return values

    def _calibrated(self, goal: pd.Series, error: float, level: str):
        from synthpop_gb.area_incomes import AreaIncomes
        from synthpop_gb.assessment.incomes import IncomeTarget, calibrate_incomes

        frame = pd.DataFrame({"value": goal, "standard_error": error * goal})
        target = IncomeTarget(AreaIncomes("net", frame, year=2021), "equivalised_income", level)
        began = time.process_time()
        return calibrate_incomes(self.problem, self.aligned, [target]), time.process_time() - began

    def _areas(self, made) -> tuple[float, float]:
        """Error of areas left out, and share of areas whose 90 % interval holds the truth."""
        frame = made.frame.set_index("area")
        truth = self.means["msoa"].reindex(frame.index)
        off = np.abs(frame["after"] - truth)
        return 100 * float(np.abs(frame["predicted"] / truth - 1).mean()), float((off <= 1.645 * frame["standard_error"]).mean())

    def _judged(self, problem) -> tuple[float, float, float]:
        """Mean absolute errors: income by zone, low income by zone, income by MSOA."""
        from synthpop_gb.assessment.refits import zone_weights

        profile, record, share = problem.people_shares()
        sums = [np.bincount(profile, share * v[record], problem.n_profiles)
                for v in (self.income.base.astype(float), self.income.value, self.low.value)]  # fmt: skip
        people, income, poor = np.concatenate(
            [w @ np.stack(sums, axis=1) for w in zone_weights(problem, np.arange(problem.n_zones))]
        ).T
        true = self.means["zone"].reindex(self.aligned.zones).to_numpy()
        by_msoa = (
            pd.DataFrame({"people": people, "income": income}).groupby(self.aligned.geography.zones["msoa"].to_numpy()).sum()
        )
        msoa = by_msoa["income"] / by_msoa["people"] / self.means["msoa"].reindex(by_msoa.index) - 1
        gaps = income / people / true - 1, poor / people - self.poor.to_numpy(), msoa.to_numpy()
        return tuple(100 * float(np.abs(g).mean()) for g in gaps)


_FLATS = (
    '["purpose-built flat", "converted or shared house", "other converted building", "commercial building", '
    '"caravan or temporary"]'
)
_TABLES = ("ts017", "ts054", "ts044", "ts045", "age6", "ts008", "ts037", "ts021")


def leeds(*, folder: Path) -> tuple[str, dict]:
    """Leeds 2021, whole households of the stand-in survey: total household income by MSOA (ONS), and by the district (HMRC).

    The survey is made up, so what it says of Leeds is nothing; what is measured is how far a survey of elsewhere is from the
    published MSOAs before and after, with a tenth of them left out in turn, and with HMRC's mean of the district alone.
    """
    import synthpop_gb as sp
    from synthpop_gb.pipeline.starting import start_study

    folder.mkdir(parents=True, exist_ok=True)
    people = sp.datasets.stand_in_survey(20_000)
    people["total_income"] = people.groupby("household")["income"].transform("sum")
    people.to_csv(folder / "survey.csv", index=False)
    data = Path(os.environ["SYNTHPOP_GB_DATA"])
    values: dict = {}
    for key, held_out in (("msoa", False), ("district", True)):
        (folder / f"{key}.toml").write_text(_study(data, key, held_out), encoding="utf-8")
        study = sp.load_study(folder / f"{key}.toml")
        aligned, inputs = sp.pipeline.inputs.align(study)
        began = time.process_time()
        told = start_study(study, aligned, inputs).facts["incomes"]
        values[f"{key}_seconds"] = figure(time.process_time() - began, "s")
        ons = next(t for t in told["targets"] if t["incomes"] == "ONS")
        values |= {f"{key}_{column}": figure(ons[f"error_{column}"], "%") for column in ("before", "predicted", "after")}
        values["areas"], values["noise"] = figure(ons["areas_published"], "areas"), figure(ons["noise"], "%")
        if key == "msoa":
            values["prior"] = figure(ons["prior"], "")
    values["zones"] = figure(len(aligned.zones), "zones")
    return "python benchmarks/figures.py --only incomes_leeds", values


def _study(data: Path, name: str, held_out: bool) -> str:
    tables = ", ".join(f'"{(data / "census2021-lsoa-ew" / f"{t}.parquet").as_posix()}"' for t in _TABLES)
    ons, lad = data / "income-small-area-ew-fye2020" / "msoa_income_estimates.parquet", data / "income-lad-targets-uk"
    hmrc = f"""[[start.incomes]]
name = "HMRC"
path = "{(lad / "spi_by_la.csv.gz").as_posix()}"
measure = "total_income_mean"
column = "income"
where = "income >= 12570" # taxpayers
level = "lad"
relative_error = 0.02
uprate = 1.0 # a made-up survey is of no year
"""
    return f"""name = "{name}"
seed = 2021
constraints = ["household_size", "tenure", "accommodation", "cars", "age", "sex", "health", "ethnic_group"]
tables = [{tables}]
[survey]
path = "survey.csv"
id = "person"
household = "household"
weight = "weight"
cluster = "psu"
region = "region"
year = 2021
universe = "usual residents"
licence = "open"
[zones]
lookup = "{(data / "lookups" / "oa21_lsoa21_msoa21_lad_region_uk.parquet").as_posix()}"
zone = "lsoa_code"
parent = {{ lad = "E08000035" }}
[recode]
age = {{ bands = [0, 16, 25, 35, 50, 65] }}
tenure = {{ merge = [["owned with mortgage", "shared ownership"], ["private landlord", "private rented, other", "rent free"]] }}
accommodation = {{ merge = [{_FLATS}] }}
household_size = {{ merge = [["5 people", "6 people", "7 people", "8 or more people"]] }}
{hmrc if held_out else ""}[[start.incomes]]
name = "ONS"
path = "{ons.as_posix()}"
measure = "total_annual_income"
column = "total_income"
level = "msoa"
lookup = "{(data / "lookups" / "msoa11_msoa21_ltla22.parquet").as_posix()}"
from = "msoa11_code"
to = "msoa21_code"
uprate = 1.0
held_out = {str(held_out).lower()}
"""
