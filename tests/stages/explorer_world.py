"""What the explorer is tried on: the grid with replicates and hostile names, made-up simulations, a page read back in Python."""

import base64
import json
import re
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.assessment.indicator import with_replicates
from synthpop_gb.pipeline import explore
from tests.stages.grid_world import on_grid, solved

CONDITIONS = [("Bad health", "health = 'bad'", None)]


@cache
def with_spread(**study):
    """(aligned, population) of the grid with twelve replicates."""
    aligned, population, _ = solved(**study)
    return aligned, with_replicates(population, 12)


def town(folder, *, replicates=True, boundaries=True, **study):
    """(aligned, population) of the grid, with names, districts and squares."""
    aligned, population = with_spread(**study) if replicates else solved(**study)[:2]
    zones, n = aligned.geography.zones, len(aligned.zones)
    extra = {} if study.get("hostile") else {"name": [f"Square {i + 1}" for i in range(n)]}
    districts = np.where(np.arange(n) % 4 < 2, "D1", "D2")
    zones = zones.assign(**extra, district=districts, district_name=np.where(districts == "D1", "Westside", "Eastside"))
    geography = replace(aligned.geography, zones=zones)
    aligned = replace(aligned, geography=geography)
    if boundaries:
        drawn, _, _ = on_grid(folder, **study)
        geography = replace(
            geography, boundary_file=drawn.geography.boundary_file, boundary_column=drawn.geography.boundary_column
        )
        aligned = replace(aligned, geography=geography)
    return aligned, population


def simulated(folder, aligned, *, name="child-benefit", label="double", donors=40):
    """Write made-up figures of a simulation: mean income by zone and of all, before and after, the change, by sex too."""
    rows = []

    def add(scenario, measure, estimate, half, **of):
        row = {"scenario": scenario, "outcome": "net_income", "measure": measure}
        rows.append(row | of | {"estimate": estimate, "half": half})

    for i, zone in enumerate(aligned.zones.astype(str)):
        add("baseline", "mean", 20_000.0 + 100 * i, 900.0, zone=zone)
        add(label, "mean", 20_000.0 + 100 * i + 50 * (i - 5), 900.0, zone=zone)
        add(label, "change", 50.0 * (i - 5), 20.0, zone=zone)
        for sex in ("female", "male"):
            add(label, "change", 40.0 * (i - 5), 30.0, zone=zone, sex=sex)
        add(label, "gainers", 0.02 * i, 0.05, zone=zone)
    add(label, "change", 25.0, 5.0, all="all")
    frame = pd.DataFrame(rows)
    half = frame.pop("half")
    frame = frame.assign(
        standard_error=half / 1.645, lower=frame["estimate"] - half, upper=frame["estimate"] + 2 * half,
        counted=frame["estimate"], people=100.0, replicate_error=1.0, finite_error=1.0, model_error=1.0,
        n_eff=30.0, donors=donors, largest_donor=0.1,
        reliability=np.where(half / 1.645 < 0.2 * frame["estimate"].abs(), "acceptable", "unreliable"),
    )  # fmt: skip
    share = frame["measure"] == "gainers"
    frame.loc[share, "lower"] = frame.loc[share, "lower"].clip(lower=0.0)
    place = folder / "simulations" / name
    place.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(place / "outcomes.parquet")
    facts = {"title": "Child benefit doubled", "units": {"net_income": "pounds a year"}, "level": 0.9}
    (place / "scenario.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder / "simulations"


def page_of(folder, *, simulations=None, title="Twelve squares", conditions=(), **study):
    """Write the explorer of the grid; the path."""
    aligned, population = town(folder, **study)
    found = explore(population, aligned, folder / "explorer.html", title=title, conditions=conditions, simulations=simulations)
    return found.path


class Read:
    """A page read back: plain values, and arrays unpacked as the browser does it."""

    def __init__(self, path: Path):
        self.text = Path(path).read_text(encoding="utf-8")
        self.meta = json.loads(re.search(r'id="meta">(.*?)</script>', self.text, re.DOTALL).group(1))
        self.blobs = [zlib.decompress(base64.b64decode(b), -15) for b in re.findall(r'id="blob-\d+">([^<]*)</script>', self.text)]

    def arrays(self, ref) -> list[np.ndarray]:
        at, out = 0, []
        for n, width in ref["s"]:
            planes = np.frombuffer(self.blobs[ref["b"]][at : at + n * width], np.uint8).reshape(width, n).astype(np.int64)
            out.append(sum(planes[p] << (8 * p) for p in range(width)))
            at += n * width
        return out

    def item(self, name) -> dict:
        return next(i for i in self.meta["items"] if i["name"] == name)

    def figures(self, packed, n) -> dict:
        """Estimate, half and class, (n_rows, n_areas) each, and people and records."""
        arrays = self.arrays(packed)
        codes = arrays[0].reshape(-1, n)
        low, step = (np.array(packed[k])[:, None] for k in ("low", "step"))
        out = {"estimate": np.where(codes == 65_535, np.nan, low + step * codes), "class": arrays[-1].reshape(-1, n)}
        for place, name in enumerate((k for k in ("h", "l") if k in packed), start=1):
            codes = arrays[place].reshape(-1, n)
            out[name] = np.where(codes == 65_535, np.nan, np.array(packed[name])[:, None] * codes)
        out["people"], out["donors"] = (a.reshape(-1, n) for a in self.arrays(packed["who"]))
        return out
