"""The demo: a made-up county written as files, a study file beside them, and the ordinary run on both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from synthpop_gb.errors import InputError, finding
from synthpop_gb.pipeline.run import Run, run

__all__ = ["demo_study", "run_demo"]

_HEAD = """\
#:schema {schema}
# A made-up county: everybody in it is known, so the report can show the true error.
# Its files are written by `synthpop-gb demo`.
"""

_PERSONS = """\
name = "demo-county"
title = "{county}, a made-up county"
seed = {seed}
replicates = 40 # other draws of people and survey: what intervals are made from
constraints = ["age", "sex", "health", "ethnic_group", "qualification", "economic_activity"]
held_out = ["age x sex", "age x health", "ethnic_group x health"]
tables = [
    "{data}/tables/age.csv",
    "{data}/tables/sex.csv",
    "{data}/tables/health.csv",
    "{data}/tables/ethnic_group.csv",
    {{ path = "{data}/tables/qualification.csv", universe = "usual residents aged 16 and over" }},
    {{ path = "{data}/tables/economic_activity.csv", universe = "usual residents aged 16 and over" }},
    "{data}/held_out/age_by_sex.csv",
    "{data}/held_out/age_by_health.csv",
    "{data}/held_out/ethnic_group_by_health.csv",
]

[survey]
path = "{data}/survey.csv"
id = "person"
weight = "weight"
year = 2021
universe = "usual residents"
licence = "open" # nobody in it is real

"""

_HOUSEHOLDS = """\
name = "demo-households"
title = "{county}, a made-up county of whole households"
seed = {seed}
# replicates = 40 # for [[indicators]] with intervals: forty populations more, and forty times the time
# Four tables of households and four of people, met together: a household is placed with everybody who lives in it.
constraints = [
    "household_size", "tenure", "accommodation", "cars", "age", "sex", "ethnic_group", "economic_activity",
]
held_out = ["health", "qualification", "age x sex", "age x economic_activity", "tenure x household_size", "tenure x cars"]
tables = [
    "{data}/tables/household_size.csv",
    "{data}/tables/tenure.csv",
    "{data}/tables/accommodation.csv",
    "{data}/tables/cars.csv",
    "{data}/tables/age.csv",
    "{data}/tables/sex.csv",
    "{data}/tables/ethnic_group.csv",
    "{data}/tables/economic_activity.csv",
    "{data}/tables/health.csv",
    "{data}/tables/qualification.csv",
    "{data}/held_out/age_by_sex.csv",
    "{data}/held_out/age_by_economic_activity.csv",
    "{data}/held_out/tenure_by_household_size.csv",
    "{data}/held_out/tenure_by_cars.csv",
]

[survey]
path = "{data}/survey.csv"
id = "person"
weight = "weight"
household = "household" # who lives together
cluster = "psu"
year = 2021
universe = "usual residents"
licence = "open" # nobody in it is real

"""

_REST = """\
[zones]
lookup = "{data}/lookup.csv"
boundaries = "{data}/boundaries.geo.parquet"

[truth]
persons = "{data}/truth/persons.parquet"
{truth}[truth.indicators] # nothing in the tables says these
"smokers" = "smokes = 'yes'"
"income of 40,000 pounds a year or more" = "age >= 16 and income >= 40000"
"aged 65 or over in bad health" = "age >= 65 and health in ('bad', 'very bad')"
"graduates aged 25 to 44" = "age >= 25 and age < 45 and qualification = 'level 4 or above'"

[[maps]]
indicator = "health in ('bad', 'very bad')"
title = "People in bad or very bad health"

"""

_INDICATORS = """\
[[indicators]] # with intervals, by zone
what = "smokes = 'yes'"
where = "age >= 16"
title = "Adults who smoke"
[[indicators]]
what = "income"
measure = "quantile" # the median
where = "age >= 16"
by = ["district", "sex"]
title = "Median income of adults, pounds a year"

"""

_CARD = """\
[card]
purpose = "To try the program: nobody in this county is real."
not_for = ["any statement about a real place"]
keywords = ["made-up county"]
"""


def demo_study(
    data: str,
    *,
    county: str = "Penmarrow",
    seed: int = 2021,
    schema: str = "../synthpop_gb/spec/study.schema.json",
    households: bool = False,
) -> str:
    """Text of the demo's study file, of persons or of whole households, for a county whose files lie in the folder `data`."""
    text = _HEAD + (_HOUSEHOLDS + _REST if households else _PERSONS + _REST + _INDICATORS) + _CARD
    truth = f'households = "{data}/truth/households.parquet"\n' if households else ""
    return text.format(data=data, county=county, seed=seed, schema=schema, truth=truth)


def run_demo(
    output: str | Path = "outputs",
    *,
    world: str = "penmarrow",
    scale: float = 1.0,
    seed: int = 2021,
    households: bool = False,
    workers: int | None = None,
    progress: Callable | None = None,
) -> Run:
    """Make a demo county, write its files and a study file, and run the study.

    Parameters
    ----------
    output : path
        Folder of runs; the county's files go to `demo-county-inputs` in it, the run to `demo-county`, or to `demo-households`.
    world : str
        Name in `datasets.WORLDS`.
    scale : float
        Multiplies zones and people.
    seed : int
        Fixes county and population.
    households : bool
        Place whole households, by tables of households and of people, instead of persons.

    Raises
    ------
    InputError
        `study-value` for an unknown world or a size that cannot be made.
    """
    from synthpop_gb.datasets import make_county
    from synthpop_gb.spec import draft

    try:
        county = make_county(world, scale=scale, seed=seed)
    except ValueError as error:
        raise InputError([finding("study-value", f"{error}.", place="demo")]) from None
    folder = Path(output) / "demo-county-inputs"
    county.write(folder)
    schema = Path(draft.__file__).with_name("study.schema.json").as_posix()
    text = demo_study(".", county=county.world.county, seed=seed, schema=schema, households=households)
    study = folder / ("households.toml" if households else "study.toml")
    study.write_text(text, encoding="utf-8")
    return run(study, output, workers=workers, overwrite=True, progress=progress)
