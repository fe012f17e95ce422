# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which neighbourhoods stand out, and can QGIS show it?
#
# One figure by zone can be drawn in several ways, and each answers another question: where is it high, for whom, together with
# what else, and how sure are we. Then the same figures go to QGIS as a file that opens as a map. On a made-up county; where the
# folder of open data is set, on Calderdale at the 2011 census.

# %%
import os
import tempfile
from pathlib import Path

import geopandas
import pandas as pd
import pyogrio

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
# where this is run from, up to the folder that holds `inputs/`; the data that it names are found by SYNTHPOP_GB_DATA
here = next((p for p in [Path.cwd(), *Path.cwd().parents] if (p / "inputs" / "leeds-2011.toml").is_file()), None)
if here is not None and "SYNTHPOP_GB_DATA" in os.environ:
    study = sp.load_study(here / "inputs" / "leeds-2011.toml")
    zones = study.zones.model_copy(update={"parent": {"lad": "Calderdale"}})
    study = study.model_copy(update={"name": "calderdale-2011", "title": "Calderdale, 2011 census", "zones": zones, "maps": []})
    run = sp.run(study, output=folder, report=False)
else:
    run = sp.pipeline.run_demo(folder, scale=0.3, seed=2021)
places, aligned = run.aligned.geography, run.aligned
run.population

# %% [markdown]
# ## Where is it high?
#
# Zones whose figure should not be used by itself are faded and hatched. Colours are told apart by every kind of colour vision.

# %%
ill = sp.indicator(run.population, "health in ('fair', 'bad', 'very bad') and age >= 45", aligned=aligned)
frame = ill.frame.set_index("zone")
title = "Aged 45 or over and not in good health"
sp.report.draw_map(100 * frame["estimate"], places, folder / "ill", title=title, unit=ill.shown_unit,
                   unreliable=frame["reliability"] == "unreliable")  # fmt: skip

# %% [markdown]
# ## How sure are we?
#
# The same with colours that fade class by class, so that the eye rests on what is known; then half the length of the interval
# on a map of its own.

# %%
sp.report.draw_map(100 * frame["estimate"], places, folder / "sure", title=title, unit=ill.shown_unit,
                   reliability=frame["reliability"])  # fmt: skip

# %%
half = (frame["upper"] - frame["lower"]) / 2
sp.report.draw_pair(100 * frame["estimate"], 100 * half, places, folder / "pair", title=title, unit=ill.shown_unit,
                    width_unit="points of per cent", level=ill.level)  # fmt: skip

# %% [markdown]
# ## For whom?
#
# Small multiples: one map an age group, all in one scale. The share is of the people of that age.

# %%
counts = list(run.population.blocks())
bad = sp.indicators.parse_condition("health in ('bad', 'very bad')").matches(aligned)


def share(condition):
    """Share in bad health among those who meet a condition, by zone."""
    among = sp.indicators.parse_condition(condition).matches(aligned)
    return sp.indicators.share_by_zone(counts, bad, aligned.zones, among)["share"]


ages = {"under 45": "age < 45", "45 to 64": "age >= 45 and age < 65", "65 or over": "age >= 65"}
by_age = pd.DataFrame({name: share(condition) for name, condition in ages.items()})
sp.report.draw_multiples(100 * by_age, places, folder / "ages", title="In bad health, by age", unit="% of the people of that age")

# %% [markdown]
# ## Together with what else?
#
# Two figures in one map: blue grows with the first, orange with the second, and where both are high it is black.

# %%
old = sp.indicators.parse_condition("age >= 65").matches(aligned)
aged = sp.indicators.share_by_zone(counts, old, aligned.zones)["share"]
unwell = sp.indicators.share_by_zone(counts, bad, aligned.zones)["share"]
sp.report.draw_bivariate(100 * unwell, 100 * aged, places, folder / "both", title="Ill, or only old?",
                         labels=("In bad or very bad health", "Aged 65 or over"), units=("% of people",) * 2)  # fmt: skip

# %% [markdown]
# ## To QGIS
#
# A GeoPackage in the British National Grid: one layer of zones and one of each level above, columns with names and units, and a
# style with classes, a legend and hatching that QGIS takes by itself. Drag the file into its window. Other programs read
# GeoParquet, web maps PMTiles.

# %%
fields = sp.export.estimate_fields(title, ill.unit, share=True, level=ill.level, of="people")
values = frame.assign(half_width=half)
package = sp.export.geopackage(values, places, folder / "ill.gpkg", fields=fields, show=["estimate", "half_width"])
parquet = sp.export.geopackage(values, places, folder / "ill.geo.parquet")
tiles = sp.export.geopackage(values, places, folder / "ill.pmtiles")
pyogrio.list_layers(package)

# %%
styles = pyogrio.read_dataframe(package, layer="layer_styles")[["f_table_name", "styleName", "useAsDefault"]]
styles

# %% [markdown]
# What this notebook says, checked:

# %%
zones = geopandas.read_file(package, layer="zones")
levels = {name for name, kind in pyogrio.list_layers(package) if kind is not None}
assert len(set(frame["reliability"])) > 1  # else fading would show nothing
assert zones.crs.to_epsg() == 27700
assert zones["zone"].tolist() == list(aligned.zones)
assert ((zones["estimate"] - frame["estimate"].to_numpy()).abs() < 1e-12).all()
assert levels == {"zones", *(p for p in places.covering if places.zones[p].nunique() < len(places.codes))}
assert styles.set_index("f_table_name")["useAsDefault"].groupby(level=0).sum().eq(1).all()
west, south, east, north = geopandas.read_parquet(parquet).total_bounds
corner = geopandas.read_parquet(parquet, bbox=(west, south, (west + east) / 2, (south + north) / 2))
assert 0 < len(corner) < len(zones)
assert pyogrio.read_info(tiles)["crs"] == "EPSG:3857"
assert by_age["65 or over"].median() > by_age["45 to 64"].median() > by_age["under 45"].median()
