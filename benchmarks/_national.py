"""Whole households for as many zones as England and Wales have: made-up counties side by side, run by the command a user gives.

The zones are those of eighteen made-up counties with other seeds, so that no two are alike; the survey is one county's. The run
is killed on the way and run again, which must give the people of an undisturbed run.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from _measure import ROOT, figure, run_timed

__all__ = ["dask_part", "national", "write_inputs"]

_ZONES = 34_753  # LSOAs of England and Wales in 2011
_COUNTY = 1_931  # zones of one made-up county: eighteen of them hold all
_PEOPLE = ("age", "sex", "ethnic_group", "economic_activity")
_HOUSEHOLDS = ("household_size", "tenure", "accommodation", "cars")
_SIXTEEN = "usual residents aged 16 and over"


def write_inputs(folder: Path, zones: int, *, survey_persons: int = 10_000) -> Path:
    """Write tables, lookup, survey and a study of that many zones; return the study file."""
    import pandas as pd

    from synthpop_gb.datasets import make_county

    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list] = {name: [] for name in (*_HOUSEHOLDS, *_PEOPLE)}
    lookups, left, number = [], zones, 0
    while left:
        size = min(left, _COUNTY)
        county = make_county(
            "rutlow", zones=max(size, 10), seed=number + 1, survey_persons=survey_persons if number == 0 else 500
        )
        if number == 0:
            county.survey.to_parquet(folder / "survey.parquet", index=False)
        mark = f"K{number:02d}-"
        for name, parts in tables.items():
            parts.append(county.tables[name].iloc[:size].rename(index=lambda code, mark=mark: mark + code))
        lookup = county.lookup.iloc[:size]
        areas = [c for c in lookup if c not in ("name",) and not c.endswith("_name")]
        lookups.append(lookup.assign(**{c: mark + lookup[c] for c in areas}))
        left, number = left - size, number + 1
    pd.concat(lookups).to_parquet(folder / "lookup.parquet", index=False)
    listed = []
    for name, parts in tables.items():
        pd.concat(parts).rename_axis("zone").reset_index().to_parquet(folder / f"{name}.parquet", index=False)
        universe = "households" if name in _HOUSEHOLDS else _SIXTEEN if name == "economic_activity" else "usual residents"
        listed.append(f'    {{ path = "{name}.parquet", universe = "{universe}" }},')
    constraints = ", ".join(f'"{name}"' for name in tables)
    study = "\n".join([
        f'name = "households-{zones}"', "seed = 2011", f"constraints = [{constraints}]", "tables = [", *listed, "]", "",
        "[survey]", 'path = "survey.parquet"', 'id = "person"', 'household = "household"', 'weight = "weight"',
        'universe = "usual residents"', 'licence = "open" # nobody in it is real', "", "[zones]", 'lookup = "lookup.parquet"', "",
    ])  # fmt: skip
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder / "study.toml"


def _run(study: Path, output: Path):
    """Run a study, timed. Zones that keep a remainder are a result (exit code 3)."""
    command = [sys.executable, "-m", "synthpop_gb", "run", str(study), "--output", str(output)]
    return run_timed(command, codes=(0, 3)), json.loads((output / study.parent.name / "run.json").read_text(encoding="utf-8"))


def _killed(study: Path, output: Path, name: str, blocks: int) -> float:
    """Start a run, kill it (SIGKILL) when so many blocks are on disk, and return the seconds that it had."""
    command = [sys.executable, "-m", "synthpop_gb", "run", str(study), "--output", str(output)]
    began = time.perf_counter()
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    kept = output / name / "population" / ".blocks"
    while running.poll() is None and len(list(kept.glob("*.block"))) < blocks:
        time.sleep(0.5)
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return time.perf_counter() - began


def _figures(prefix: str, run: dict, checks: dict) -> dict:
    return {
        f"{prefix}zones": figure(checks["zones"], "zones"),
        f"{prefix}people": figure(checks["people"], "people"),
        f"{prefix}households": figure(int(run["households"]["placed"]), "households"),
        f"{prefix}zones_exact": figure(checks["zones exact"], "zones"),
    }


def national(*, folder: Path) -> tuple[str, dict]:
    """Run the first county undisturbed; then all, killed on the way and resumed; compare the people of the zones they share."""
    from synthpop_gb import run_folder

    part, whole = _COUNTY, _ZONES
    found, digests = {}, {}
    for zones in (part, whole):
        study = write_inputs(folder / f"households-{zones}", zones)
        before = 0.0
        if zones == whole:
            before = _killed(study, folder / "runs", study.parent.name, blocks=30)
        timing, run = _run(study, folder / "runs")
        place, prefix = folder / "runs" / study.parent.name, "part_" if zones == part else ""
        checks = json.loads((place / "validation" / "checks.json").read_text(encoding="utf-8"))["headline"]
        found |= _figures(prefix, run, checks)
        found[f"{prefix}seconds"] = figure(before + timing.seconds, "s")
        found[f"{prefix}ms_a_zone"] = figure(1000 * (before + timing.seconds) / zones, "ms")
        found[f"{prefix}peak_gb"] = figure(timing.peak_gb, "GB")
        if zones == whole:
            found["seconds_before_kill"] = figure(before, "s")
        digests[zones] = dict(_zone_digests(place, run_folder))
    same = sum(digests[whole].get(zone) == digest for zone, digest in digests[part].items())
    found["same_zones"] = figure(same, "zones")
    return "python benchmarks/figures.py --only national_households", found


def _zone_digests(place: Path, run_folder):
    """Digest of every zone's people in the written counts."""
    import pandas as pd

    from synthpop_gb.population import zone_digests

    records = pd.Index(pd.read_parquet(place.parent.parent / place.name / "survey.parquet", columns=["person"])["person"])
    return zone_digests(run_folder.read_counts(place, records), records).items()


def dask_part(*, folder: Path) -> tuple[str, dict]:
    """Two hundred zones on a dask LocalCluster of two workers, beside the calling thread: the same people."""
    from dask.distributed import Client, LocalCluster

    import synthpop_gb as sp
    from synthpop_gb.pipeline.inputs import align

    aligned, _ = align(sp.load_study(write_inputs(folder / "households-200", 200)))
    problem = sp.formulate(aligned)
    alone = sp.solve(problem, method="balance", seed=2011, workers=1)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        shared = sp.solve(problem, method="balance", seed=2011, executor=client.get_executor())
    values = {
        "zones": figure(200, "zones"),
        "same_digest": figure(
            int(alone.digest() == shared.digest()), "", "the same" if alone.digest() == shared.digest() else "other"
        ),
        "digest": figure(alone.digest()[:16], ""),
    }
    return "python benchmarks/figures.py --only national_households_dask", values


def main() -> None:
    """Write the inputs of a run of some size, to try by hand."""
    print(write_inputs(Path(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
