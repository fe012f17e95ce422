"""A population of two columns as large as Great Britain's adults, made by the demo model; read, checked, summarised by zone.

The file has the shape of the largest published: 52,853,971 rows ZoneID,pidp, 32,008 adult donors, 41,726 zones of 2011. The demo
county is fitted; each zone of the file takes the fitted weights of one of the county's zones, and draws its adults by them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from _measure import figure, run_timed

__all__ = ["great_britain", "make_file", "two_populations"]

ROWS, DONORS = 52_853_971, 32_008
_ZONES = (("E01", 1, 32_844), ("W01", 1, 1_909), ("S01", 6_506, 6_973))
_SEED, _BLOCK = 2011, 2_000


def make_file(folder: Path) -> None:
    """Write people.csv (as published, unquoted), people.parquet and survey.csv."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv, parquet

    records, weight = _fitted()
    rng = np.random.default_rng(_SEED)
    pidp = np.sort(rng.choice(np.arange(68_001_367, 1_653_000_000, 680), DONORS, replace=False))
    records.assign(pidp=pidp).set_index("pidp").to_csv(folder / "survey.csv")
    codes = np.array([f"{kind}{first + i:06d}" for kind, first, n in _ZONES for i in range(n)])
    size = np.maximum(rng.normal(1_267, 250, len(codes)), 300)
    size = np.floor(size / size.sum() * ROWS).astype(np.int64)
    size[: ROWS - int(size.sum())] += 1
    like = rng.integers(0, len(weight), len(codes))
    cumulated = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    schema = pa.schema([("ZoneID", pa.string()), ("pidp", pa.int64())])
    options = csv.WriteOptions(quoting_style="none")
    with (
        csv.CSVWriter(folder / "people.csv", schema, write_options=options) as text,
        parquet.ParquetWriter(folder / "people.parquet", schema, compression="zstd") as packed,
    ):
        for first in range(0, len(codes), _BLOCK):
            block = np.arange(first, min(first + _BLOCK, len(codes)))
            drawn = [np.minimum(np.searchsorted(cumulated[like[z]], rng.random(size[z])), DONORS - 1) for z in block]
            zone = pa.array(codes[block]).take(pa.array(np.repeat(np.arange(len(block)), size[block])))
            table = pa.table([zone, pa.array(pidp[np.concatenate(drawn)])], schema=schema)
            text.write_table(table)
            packed.write_table(table)
    assert pd.read_csv(folder / "survey.csv", nrows=1).columns[0] == "pidp"


def _fitted():
    """Records of the demo county's adults, and (n_zones, DONORS) weights that its own fit gives them."""
    import tempfile

    import synthpop_gb as sp
    from synthpop_gb.pipeline.demo import demo_study
    from synthpop_gb.spec import load_study

    county = sp.datasets.make_county("penmarrow", seed=_SEED, survey_persons=45_000)
    with tempfile.TemporaryDirectory() as folder:
        county.write(folder)
        path = Path(folder, "study.toml")
        path.write_text(demo_study(".").split("[truth]")[0].replace("replicates = 40", "replicates = 0"), encoding="utf-8")
        aligned, _ = sp.pipeline.align(load_study(path))
        problem = sp.formulate(aligned)
        population = sp.solve(problem, seed=_SEED)
    frame = aligned.frame().iloc[problem.donor]
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    weight = population.fitted()[:, profile] * problem.donor_weight / np.bincount(profile, problem.donor_weight)[profile]
    adult = np.flatnonzero(frame["age"].to_numpy(float) >= 16)[:DONORS]
    assert len(adult) == DONORS, f"only {len(adult):,} adults in the survey"
    kept = [v.column for v in aligned.survey.variables.values() if v.column in frame]
    return frame.iloc[adult][list(dict.fromkeys(kept))], weight[:, adult]


_READ = """
import json, time
import pandas as pd
from synthpop_gb import read
records = pd.Index(pd.read_csv({survey!r}, usecols=["pidp"])["pidp"])
began = time.perf_counter()
made = read.two_column({path!r}, records=records)
seconds = time.perf_counter() - began
zones = made.summary()
found = [f.code for f in made.findings]
print(json.dumps([made.people, made.rows, len(zones), int(zones["people"].sum()), len(made.counts.n), seconds, found]))
"""


def great_britain(*, folder: Path) -> tuple[str, dict]:
    """Read, check and summarise the file by zone, as CSV and as Parquet, each in a process of its own."""
    folder = Path(folder)
    run_timed([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
               f"from pathlib import Path; from _two_column import make_file; make_file(Path({str(folder)!r}))"])  # fmt: skip
    values = {"rows": figure(ROWS, "rows"), "donors": figure(DONORS, "records")}
    for ending in ("csv", "parquet"):
        path = folder / f"people.{ending}"
        run = run_timed([sys.executable, "-c", _READ.format(survey=str(folder / "survey.csv"), path=str(path))])
        people, rows, zones, counted, pairs, _, found = json.loads(run.out.splitlines()[-1])
        assert people == rows == counted == ROWS, (people, rows, counted)
        values |= {
            f"{ending}_gb": figure(path.stat().st_size / 1e9, "GB"), f"{ending}_seconds": figure(run.seconds, "s"),
            f"{ending}_peak_gb": figure(run.peak_gb, "GB"), f"{ending}_findings": figure(", ".join(found) or "none", ""),
        }  # fmt: skip
        values |= {"zones": figure(zones, "zones"), "pairs": figure(pairs, "pairs")}
        path.unlink()
    return "read.two_column(file, records=survey.index).summary()", values


def two_populations(*, folder: Path) -> tuple[str, dict]:
    """Leeds, 2011: the default population against another seed, against the Framework's rules, against a file made from it."""
    import synthpop_gb as sp
    from synthpop_gb.pipeline.comparing import compare
    from synthpop_gb.spec import load_study
    from synthpop_gb.spec.model import Method, ReplicatesModel

    study = load_study(Path(__file__).parent.parent / "inputs" / "leeds-2011.toml").model_copy(update={"maps": []})
    whole = ReplicatesModel(number=20, sources=["whole"])
    for name, change in {
        "default": {"replicates": whole}, "other-seed": {"seed": 7}, "fmf": {"method": Method(name="anneal", preset="fmf")},
    }.items():  # fmt: skip
        sp.run(study.model_copy(update={"name": name, **change}), folder, report=False)
    sp.pipeline.expand_run(folder / "default", folder / "file.csv", layout="two-column")
    values = {}
    for name, other in (("seed", "other-seed"), ("fmf", "fmf"), ("file", "file.csv")):
        checks = compare(folder / "default", folder / other).checks
        tables, groups = checks["compare_tables"], checks["compare_groups"]
        beyond = groups[groups["q"] <= 0.05]
        values |= {
            f"{name}_groups": figure(str(checks.headline["groups beyond noise, by zone"]), ""),
            f"{name}_groups_together": figure(str(checks.headline["groups beyond noise, all zones together"]), ""),
            f"{name}_zones": figure(int(checks.headline["zones beyond noise"]), "zones"),
            f"{name}_identical": figure(str(checks.headline["identical in all that was counted"]), ""),
        }  # fmt: skip
        if len(beyond):
            first = tables.iloc[0]
            values |= {
                f"{name}_worst_table": figure(first["variables"].replace("_", " "), ""),
                f"{name}_worst_ratio": figure(first["ratio"], "", f"{first['ratio']:.1f}"),
                f"{name}_worst": figure(beyond["words"].iloc[0], ""),
            }  # fmt: skip
    return "synthpop-gb compare outputs/default outputs/fmf", values
