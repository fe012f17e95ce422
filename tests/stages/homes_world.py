"""A small world of households: a survey in which people live together, and tables that count them exactly."""

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from tests.stages.nouns import ADULTS, AGE, EVERYBODY, SEX, table, variable, zone_codes

HOMES = Universe("households", "household")
IN_HOMES = Universe("usual residents in households", members={"residence_type": frozenset(["household"])})
SIZE = Variable(
    "household_size",
    (
        Category("1", "1 person", frozenset(["1 person"])),
        Category("2", "2 people", frozenset(["2 people"])),
        Category("3", "3 people", frozenset(["3 people"])),
        Category("4+", "4 or more people", frozenset(["4 people", "5 people", "6 people", "7 people", "8 or more people"])),
    ),
    "household_size",
)
TENURE = variable("tenure", "owned", "rented")
WORK = variable("work", "works", "does not")
RESIDENCE = Variable(
    "residence_type",
    (
        Category("h", "lives in a household", frozenset(["household"])),
        Category("c", "communal", frozenset(["communal establishment"])),
    ),
)


def people(n_households=120, seed=3):
    """Records of households of one to five, adults first; ids and weights are the household's."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 6, n_households)
    size[:5] = range(1, 6)
    home = np.repeat(np.arange(n_households), size)
    place = np.arange(len(home)) - np.repeat(np.cumsum(size) - size, size)
    adult = (place < 2) & ~((place == 1) & (home % 3 == 0))
    codes = np.array([c.code for c in AGE.categories])
    age = np.where(adult, rng.integers(1, 5, len(home)), 0)
    return pd.DataFrame(
        {
            "hid": [f"H{h:04d}" for h in home],
            "age": codes[age],
            "sex": rng.integers(1, 3, len(home)),
            "work": np.where(age > 0, rng.integers(1, 3, len(home)), -9),
            "tenure": (1 + rng.integers(0, 2, n_households))[home],
            "weight": (rng.integers(50, 200, n_households) / 100)[home],
        },
        index=pd.Index([f"p{i:05d}" for i in range(len(home))], name="person"),
    )


def world(n_zones=6, seed=3, homes_a_zone=60, **kwargs):
    """Survey, tables by name (household_size, tenure; age, sex, work) and geography; zones hold households of the survey."""
    records = people(seed=seed)
    rng = np.random.default_rng(seed + 1)
    work = Variable("work", (*WORK.categories, Category("-9", "does not apply", frozenset())), "work")
    variables = {v.name: v for v in (AGE, SEX, TENURE, work)}
    survey = Microdata("survey", records, variables, EVERYBODY, weight="weight", year=2021, household="hid", **kwargs)
    zones = zone_codes(n_zones)
    homes = records["hid"].unique()
    drawn = np.stack([np.bincount(rng.integers(0, len(homes), homes_a_zone), minlength=len(homes)) for _ in zones])
    member = pd.Index(homes).get_indexer(records["hid"])
    first = ~records["hid"].duplicated().to_numpy()
    size = np.minimum(np.bincount(member), 4)[member] - 1

    def counted(code, n, mask):
        out = np.zeros((len(zones), n), int)
        for z in range(len(zones)):
            np.add.at(out[z], code[mask], drawn[z][member[mask]])
        return out

    everybody = np.ones(len(records), bool)
    age = np.array([[c.code for c in AGE.categories].index(a) for a in records["age"]])
    sex, tenure, working = (records[n].to_numpy() - 1 for n in ("sex", "tenure", "work"))
    tables = {
        "household_size": table("household_size", SIZE, counted(size, 4, first), zones, universe=HOMES),
        "tenure": table("tenure", TENURE, counted(tenure, 2, first), zones, universe=HOMES),
        "age": table("age", AGE, counted(age, 5, everybody), zones),
        "sex": table("sex", SEX, counted(sex, 2, everybody), zones),
        "work": table("work", WORK, counted(working, 2, age > 0), zones, universe=ADULTS),
    }
    return survey, tables, Geography(pd.DataFrame(index=pd.Index(zones, name="zone")))


def residence(zones, communal):
    """A table of residence type: 100 people in households, so many in communal establishments."""
    counts = np.column_stack([np.full(len(zones), 100), communal])
    columns = pd.MultiIndex.from_arrays([["h", "c"]], names=["residence_type"])
    frame = pd.DataFrame(counts, pd.Index(zones, name="zone"), columns)
    return BenchmarkTable("residence", frame, (RESIDENCE,), EVERYBODY)
