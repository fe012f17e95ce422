"""Studies with an income that no table tells: persons of the regional study, and a small demo county of whole households."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

import synthpop_gb as sp
from synthpop_gb.area_incomes import AreaIncomes
from synthpop_gb.pipeline.demo import demo_study
from tests.stages.starts_world import records, study


def persons(n_zones=8, n=400, year=2021):
    """Aligned study of persons with a column `income`: more in middle age, some noughts, a few millionaires."""
    survey = records(n=n)
    rng = np.random.default_rng(4)
    income = np.exp(rng.normal(9.8 + 0.4 * (survey["age"] == 1), 0.6, n)).round()
    income[rng.random(n) < 0.05] = 0.0
    income[:2] = 1e6
    aligned = study(n_zones=n_zones, size=200, survey=survey.assign(income=income))
    return replace(aligned, survey=replace(aligned.survey, year=year))


def published(values, error=0.03, index=None, **more):
    values = pd.Series(values, index=index)
    frame = pd.DataFrame({"value": values, "standard_error": error * values}).rename_axis("area")
    return AreaIncomes(**({"name": "net", "values": frame, "of": "person", "year": 2021} | more))


@cache
def county(folder, zones=20, seed=3):
    """A demo county of whole households, written to a folder, with its true mean equivalised incomes by zone and msoa."""
    made = sp.datasets.make_county("penmarrow", zones=zones, seed=seed, survey_persons=1500)
    made.write(folder)
    text = demo_study(".", households=True)
    homes, areas = made.households, made.lookup.set_index("zone")["msoa"]
    zone = homes["zone"].astype(str)
    truth = {name: homes["equivalised_income"].groupby(of).mean() for name, of in (("zone", zone), ("msoa", zone.map(areas)))}
    return SimpleNamespace(made=made, text=text, truth=truth, folder=folder, areas=areas)


def with_incomes(world, text, name="incomes"):
    """Study file of the county with `[[start.incomes]]` put in."""
    path = world.folder / f"{name}.toml"
    study = world.text.replace("[survey]", f"{text}\n[survey]", 1).replace('name = "demo-households"', f'name = "{name}"')
    path.write_text(study, encoding="utf-8")
    return path
