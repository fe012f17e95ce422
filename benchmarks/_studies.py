"""Whole runs of the studies in inputs/, by the command a user gives, and what became of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from _measure import ROOT, figure, run_timed

__all__ = ["county_of_households", "measure_study", "warm_up"]


def warm_up() -> None:
    """Let the compiled code be cached, as it is from a user's second run on."""
    code = "from synthpop_gb import solve, testing; list(solve(testing.small_problem(), seed=1).blocks())"
    run_timed([sys.executable, "-c", code])


def county_of_households(name: str, *, zones: int, seed: int, folder: Path):
    """Inputs of a demo county of whole households, written to a folder, and its population; nothing else that its study asks."""
    import tomllib

    import synthpop_gb as sp
    from synthpop_gb.pipeline.demo import demo_study
    from synthpop_gb.spec import Study

    sp.datasets.make_county(name, zones=zones, seed=seed).write(folder)
    study = tomllib.loads(demo_study(folder.as_posix(), households=True))
    study = {k: v for k, v in study.items() if k not in ("indicators", "maps", "replicates", "truth", "held_out")}
    aligned, *_ = sp.pipeline.align(Study.model_validate(study))
    return aligned, sp.solve(sp.formulate(aligned), method="balance", seed=seed)


def measure_study(name: str, repeats: int, *, folder: Path) -> tuple[str, dict]:
    """Run a study `repeats` times (time: the median run) and read what it wrote. Exit code 3, zones unfitted, is a result."""
    import pandas as pd

    warm_up()
    command = [sys.executable, "-m", "synthpop_gb", "run", f"inputs/{name}.toml", "--output", str(folder), "--overwrite"]
    runs = sorted((run_timed(command, codes=(0, 3)) for _ in range(repeats)), key=lambda r: r.seconds)
    middle = runs[(len(runs) - 1) // 2]
    place = folder / name
    run = json.loads((place / "run.json").read_text(encoding="utf-8"))
    headline = json.loads((place / "validation" / "checks.json").read_text(encoding="utf-8"))["headline"]
    written = pd.read_parquet(place / "population" / "counts.parquet", columns=["n"])["n"].sum()
    assert written == headline["people"], "the written file does not hold the people of the headline"
    study = (ROOT / "inputs" / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    values = {
        "zones": figure(headline["zones"], "zones"),
        "people": figure(headline["people"], "people"),
        "profiles": figure(run["profiles"], "profiles"),
        "records": figure(headline["records"], "records"),
        "records_used": figure(headline["records used"], "records"),
        "zones_converged": figure(headline["zones converged"], "zones"),
        "zones_exact": figure(headline["zones exact"], "zones"),
        "largest_residual": figure(headline["largest residual before integerising"], "people"),
        "tae": figure(headline["total absolute error"], "people"),
        "tae_above_floor": figure(headline["total absolute error above the floor"], "people"),
        **_held_out(pd.read_parquet(place / "validation" / "held_out.parquet")),
        **_pairs(pd.read_parquet(place / "validation" / "intersections.parquet")),
        "seconds": figure(middle.seconds, "s"),
        "cpu_seconds": figure(middle.cpu_seconds, "s"),
        "slowest_seconds": figure(runs[-1].seconds, "s"),
        "peak_gb": figure(max(r.peak_gb for r in runs), "GB"),
        "run_folder_mb": figure(sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) / 1e6, "MB"),
        "counts_mb": figure((place / "population" / "counts.parquet").stat().st_size / 1e6, "MB"),
        "study_lines": figure(len(study), "lines"),
        "digest": figure(run["digest"][:16], ""),
    }
    return f"synthpop-gb run inputs/{name}.toml", {**values, **_settled(name, headline)}


def _held_out(table) -> dict:
    """Per cent of people in the wrong cell of the held-out table, counted over all people and as the mean of zones."""
    values = {}
    for row in table.to_dict("records"):
        for name, column in _YARDSTICKS.items():
            values[f"held_out_{name}"] = figure(row[f"wrong_{column}" if column != "floor" else "floor"], "%")
            mean = f"zone_mean_{column}"
            if mean in row:
                values[f"held_out_{name}_zone_mean"] = figure(row[mean], "%")
        gap = values["held_out_error"]["value"] - values["held_out_fractional"]["value"]
        values["held_out_above_fractional"] = figure(gap, "points", f"{gap:+.4f} points")
    return values


_YARDSTICKS = {"error": "whole", "fractional": "fit", "independence": "independence", "survey": "survey", "floor": "floor"}


def _pairs(table) -> dict:
    """How far the two-way tables of the whole people are from the fractional fit, all pairs of variables together."""
    row = table[(table["pair"] == "all pairs") & (table["reference"] == "fit")]
    return {"two_way_from_fit": figure(float(row["rounding"].iloc[0]), "%")} if len(row) else {}


def _settled(name: str, headline: dict) -> dict:
    """What settling tables that disagree has changed; nothing where they agree."""
    import synthpop_gb as sp

    aligned, _ = sp.pipeline.align(sp.load_study(ROOT / "inputs" / f"{name}.toml"))
    if aligned.changes.empty:
        return {}
    moved = int(aligned.changes["people_moved"].sum())
    changes = len(aligned.changes)
    counts = sum(c.targets.sum().sum() for c in aligned.constraints)
    return {
        "settled_zones": figure(int(aligned.changes["zone"].nunique()), "zones"),
        "settled_tables_of_zones": figure(changes, "tables of a zone"),
        "settled_people": figure(moved, "people"),
        "settled_share": figure(100 * moved / counts, "%"),
        "settled_people_per_zone": figure(moved / headline["zones"], "people"),
        "floor": figure(int(aligned.floor.sum()), "people"),
        "floor_mean": figure(float(aligned.floor.mean()), "people"),
        "floor_largest": figure(int(aligned.floor.max()), "people"),
        "zones_without_floor": figure(int((aligned.floor == 0).sum()), "zones"),
    }
