"""Small populations for scenarios: persons of a demo county, and whole households."""

import tempfile
from functools import cache
from pathlib import Path

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from tests.stages import homes_world

CONSTRAINTS = ["age", "sex", "health"]


@cache
def county():
    """A made-up county of ten zones."""
    return sp.datasets.make_county("penmarrow", zones=10, seed=5, survey_persons=900)


@cache
def persons(replicates=3):
    """Its people, placed one by one: aligned and population."""
    with tempfile.TemporaryDirectory() as folder:
        county().write(folder)
        path = Path(folder) / "study.toml"
        path.write_text(demo_study("."), encoding="utf-8")
        changed = {"constraints": CONSTRAINTS, "held_out": [], "recode": {}, "maps": [], "truth": None}
        study = sp.load_study(path).model_copy(update=changed)
        aligned, _ = sp.pipeline.align(study)
    return aligned, sp.solve(sp.formulate(aligned), seed=7, replicates=replicates)


@cache
def households(replicates=2):
    """Whole households in six zones: aligned and population."""
    survey, tables, geography = homes_world.world(homes_a_zone=150)
    aligned = sp.harmonise(survey, tables, geography, constraints=["household_size", "tenure", "age", "sex"])
    return aligned, sp.solve(sp.formulate(aligned), method="balance", seed=7, replicates=replicates)
