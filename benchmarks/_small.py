"""Small worlds and waiting times: CakeMap, SimpleWorld, starting up, and the demo."""

from __future__ import annotations

import json
import re
import statistics
import sys
from pathlib import Path

from _measure import ROOT, figure, run_timed
from _studies import warm_up

__all__ = ["cakemap", "demo", "simpleworld", "start_up"]


def cakemap(*, folder: Path) -> tuple[str, dict]:
    """Which of CakeMap's zones cannot be fitted, and why; whether the others are exact above the floor."""
    import pandas as pd

    import synthpop_gb as sp

    command = [sys.executable, "-m", "synthpop_gb", "run", "inputs/cakemap.toml", "--output", str(folder), "--no-report"]
    warm_up()
    timing = run_timed(command, codes=(0, 3))
    zones = pd.read_parquet(folder / "cakemap" / "validation" / "zones.parquet").set_index("zone")
    unfit = zones[~zones["fit"].isin(["CONVERGED", "EMPTY"])]
    _, findings = sp.pipeline.check(ROOT / "inputs" / "cakemap.toml")
    causes = {str(r["zone"]): r["cause"] for f in findings if f.code == "structural-clash" for r in f.rows.to_dict("records")}
    values = {
        "zones": figure(len(zones), "zones"),
        "zones_converged": figure(len(zones) - len(unfit), "zones"),
        "zones_exact_above_floor": figure(int((zones["tae_above_floor"] == 0).sum()), "zones"),
        "zones_not_fitted": figure(", ".join(map(str, unfit.index)), ""),
        "tae_above_floor_of_fitted": figure(int(zones["tae_above_floor"].drop(unfit.index).sum()), "people"),
        "seconds": figure(timing.seconds, "s"),
    }
    for zone, row in unfit.iterrows():
        cause = causes.get(str(zone), f"{row['worst_cell']} misses {row['residual']:,.0f} people")
        values[f"zone_{zone}"] = figure(f"{row['fit']}: {cause}", "")
    return "synthpop-gb run inputs/cakemap.toml", values


def simpleworld(*, folder: Path) -> tuple[str, dict]:
    """Largest difference from the weights that the book prints to three decimals (Lovelace & Dumont 2016, chapter 5)."""
    import numpy as np
    import pandas as pd

    import synthpop_gb as sp
    from synthpop_gb.problem import Problem, zone_key

    printed = np.array(
        [[1.228, 1.228, 3.544, 1.544, 4.456], [1.725, 1.725, 0.550, 4.550, 1.450], [0.725, 0.725, 1.550, 2.550, 5.450]]
    )
    old, male = np.array([1, 1, 0, 1, 0]), np.array([0, 0, 0, 1, 1])  # ages 59, 54, 35, 73, 49; m, m, m, f, f
    cells, profile = np.unique(np.stack([old, 2 + male]), axis=1, return_inverse=True)
    donor, zones = np.argsort(profile, kind="stable"), pd.Index(["1", "2", "3"], name="zone")
    labels = [("age", "0-49"), ("age", "50+"), ("sex", "male"), ("sex", "female")]
    problem = Problem(
        start=np.bincount(profile).astype(float), cell_of=cells, constraint_start=np.array([0, 2, 4]),
        targets=np.array([[8, 4, 6, 6], [2, 8, 4, 6], [7, 4, 3, 8]]), zone_keys=np.array([zone_key(z) for z in zones], np.uint64),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(profile))]), donor=donor, donor_weight=np.ones(5),
        zones=zones, records=pd.RangeIndex(1, 6, name="id"),
        cells=pd.MultiIndex.from_tuples(labels, names=["constraint", "category"]),
    )  # fmt: skip
    population = sp.solve(problem, seed=1, workers=1)
    weights = population.fitted()[:, profile] / problem.start[profile]
    gap = float(np.abs(weights - printed).max())
    return "python benchmarks/figures.py --only simpleworld", {
        "largest_difference": figure(gap, "", f"{gap:.4f}"),
        "zones_exact": figure(int((population.status["whole"] == "EXACT").sum()), "zones"),
        "people": figure(population.people, "people"),
    }


def start_up(*, folder: Path) -> tuple[str, dict]:
    """Seconds until the command line has said something, and until the package is imported."""
    script = Path(sys.executable).with_name("synthpop-gb")
    commands = {
        "help_seconds": [str(script), "--help"],
        "version_seconds": [str(script), "--version"],
        "import_seconds": [sys.executable, "-c", "import synthpop_gb"],
        "python_alone_seconds": [sys.executable, "-c", "pass"],
    }
    values = {}
    for name, command in commands.items():
        run_timed(command)  # bytecode is compiled, files are in memory
        values[name] = figure(seconds := statistics.median(run_timed(command).seconds for _ in range(5)), "s", f"{seconds:.2f} s")
    return "synthpop-gb --help; python -c 'import synthpop_gb'", values


def demo(*, folder: Path) -> tuple[str, dict]:
    """What the demo takes, and how wrong the rebuilt county is about things no table says."""
    import pandas as pd

    warm_up()
    timing = run_timed([sys.executable, "-m", "synthpop_gb", "demo", "--output", str(folder)])
    place = folder / "demo-county"
    checks = json.loads((place / "validation" / "checks.json").read_text(encoding="utf-8"))["headline"]
    values = {
        "seconds": figure(timing.seconds, "s"),
        "peak_gb": figure(timing.peak_gb, "GB"),
        "zones": figure(checks["zones"], "zones"),
        "people": figure(checks["people"], "people"),
        "zones_converged": figure(checks["zones converged"], "zones"),
        "zones_exact": figure(checks["zones exact"], "zones"),
        "tae": figure(checks["total absolute error"], "people"),
        "report_mb": figure((place / "report.html").stat().st_size / 1e6, "MB"),
    }
    for row in pd.read_parquet(place / "validation" / "held_out.parquet").to_dict("records"):
        name = re.sub(r"\W+", "_", str(row["variables"])).strip("_").lower()
        values[f"{name}_wrong"] = figure(row["wrong_whole"], "%")
        values[f"{name}_wrong_independence"] = figure(row["wrong_independence"], "%")
    for row in pd.read_parquet(place / "validation" / "true_error.parquet").to_dict("records"):
        name = re.sub(r"\W+", "_", row["indicator"]).strip("_").lower()
        for part, column in (("", "rmse"), ("_fractional", "rmse_fit"), ("_survey", "rmse_survey"), ("_floor", "floor")):
            values[f"{name}_true_error{part}"] = figure(row[column], "points")
        values[f"{name}_correlation"] = figure(row["correlation"], "", f"{row['correlation']:.2f}")
    return "synthpop-gb demo", values
