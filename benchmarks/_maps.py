"""Maps of a region and of two nations: seconds and bytes of every file, each read back; made-up figures on official polygons."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure

__all__ = ["files_of_maps"]

_TIMES = 3


def files_of_maps(*, folder: Path) -> tuple[str, dict]:
    """3,317 zones of Yorkshire and The Humber in every format, least of three; 34,753 zones of England and Wales once."""
    import pyogrio

    import synthpop_gb as sp
    from synthpop_gb.harmonisation.zones import choose_zones
    from synthpop_gb.pipeline.map_files import FORMATS

    data = Path(os.environ["SYNTHPOP_GB_DATA"])
    everywhere = sp.read.geography(data / "census2011-lsoa-ew" / "ethnicity14_oa11_with_lookup.parquet", zone="LSOA",
                                   boundaries=data / "boundaries" / "lsoa11.geo.parquet")  # fmt: skip
    region, _ = choose_zones(everywhere, parent=("region", "Yorkshire and The Humber"))
    out = {"zones": figure(len(region.codes), "zones"), "zones_all": figure(len(everywhere.codes), "zones")}
    for kind, ending in FORMATS.items():
        path = Path(folder, f"map{ending}")
        seconds = min(_timed(region, path) for _ in range(_TIMES))
        out[f"{kind}_seconds"] = figure(seconds, "s", f"{seconds:.1f} s")
        out[f"{kind}_mb"] = figure(path.stat().st_size / 1e6, "MB", f"{path.stat().st_size / 1e6:.1f} MB")
    path = Path(folder, "map.gpkg")
    out["layers"] = figure(sum(kind is not None for _, kind in pyogrio.list_layers(path)), "layers")
    for kind in ("gpkg", "pmtiles", "png"):
        path = Path(folder, f"all{FORMATS[kind]}")
        seconds = _timed(everywhere, path)
        out[f"all_{kind}_seconds"] = figure(seconds, "s", f"{seconds:.0f} s")
        out[f"all_{kind}_mb"] = figure(path.stat().st_size / 1e6, "MB", f"{path.stat().st_size / 1e6:.0f} MB")
    return "sp.export.geopackage(...), sp.report.draw_map(...)", out


def _timed(geography, path: Path) -> float:
    """Write one file with four columns of figures; seconds, reading back included."""
    import synthpop_gb as sp

    rng = np.random.default_rng(1)
    share = rng.beta(2, 20, len(geography.codes))
    values = pd.DataFrame({"estimate": share, "half_width": share / 5, "people": 1_500}, geography.codes)
    values["reliability"] = np.where(share < 0.02, "unreliable", "precise")
    begun = time.perf_counter()
    if path.suffix in (".png", ".svg"):
        doubtful = values["reliability"] == "unreliable"
        sp.report.draw_map(100 * values["estimate"], geography, path, title="Made up", unit="% of people", unreliable=doubtful)
    else:
        fields = sp.export.estimate_fields("Made up", "share of people", share=True)
        sp.export.geopackage(values, geography, path, fields=fields, show=["estimate", "half_width"])
    return time.perf_counter() - begun
