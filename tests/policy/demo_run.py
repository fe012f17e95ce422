"""A small demo county of whole households: run once, for the tests of models and of what other programs are given."""

import tempfile
from functools import cache
from pathlib import Path

import synthpop_gb as sp
from synthpop_gb.pipeline.after import opened

STUDY = """
name = "homes"
seed = 4
constraints = ["household_size", "tenure", "age", "sex"]
tables = ["tables/household_size.csv", "tables/tenure.csv", "tables/age.csv", "tables/sex.csv"]
[survey]
path = "survey.csv"
id = "person"
weight = "weight"
household = "household"
universe = "usual residents"
licence = "open"
[zones]
lookup = "lookup.csv"
"""


@cache
def inputs() -> Path:
    """The county's files, with study files for an open and a restricted survey, and one of persons."""
    folder = Path(tempfile.mkdtemp(prefix="synthpop-gb-homes-"))
    sp.datasets.make_county("penmarrow", zones=10, seed=5, survey_persons=1200).write(folder)
    persons = STUDY.replace('household = "household"\n', "").replace('"household_size", "tenure", ', "")
    persons = persons.replace('"tables/household_size.csv", "tables/tenure.csv", ', "")
    for name, text in {
        "homes": STUDY,
        "guarded": STUDY.replace('"open"', '"restricted"'),
        "persons": persons,
    }.items():
        (folder / f"{name}.toml").write_text(text.replace('name = "homes"', f'name = "{name}"'), encoding="utf-8")
    return folder


@cache
def _run(name: str) -> Path:
    return sp.run(inputs() / f"{name}.toml", output=inputs() / "outputs").folder


def run(name: str = "homes") -> Path:
    """A finished run's folder; not to be written to."""
    return _run(name)


@cache
def _population(name: str):
    return opened(run(name))[1:]


def population(name: str = "homes"):
    """Aligned inputs and the population of a run."""
    return _population(name)
