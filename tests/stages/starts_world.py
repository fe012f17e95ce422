"""A study whose zones differ in how age and sex go together, and its neighbours, where that is published."""

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedLevel
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from tests.stages.small_world import AGE, EVERYBODY, SEX, TENURE, WORK, aligned_table, cell, draw_people, tabulate

REGIONS = ("north", "south", "east")


def records(seed=0, n=400):
    """Records of the survey, each from a region."""
    rng = np.random.default_rng(seed)
    people = draw_people(rng, n)
    people["region"] = rng.choice(REGIONS, n, p=[0.6, 0.3, 0.1])
    people.index = pd.Index([f"r{i:04}" for i in range(n)], name="id")
    return people


def study(prefix="S", n_zones=12, seed=1, size=400, regions=("north",), survey=None):
    """Aligned study: age, sex, work fitted, 'age_sex' and 'work_sex' held out.

    The share of the old in a zone settles by how much old people are women, and middle-aged ones men.
    """
    rng = np.random.default_rng(seed)
    survey = records() if survey is None else survey
    zones = pd.Index([f"{prefix}{i:04}" for i in range(n_zones)], name="zone")
    zone = np.repeat(np.arange(n_zones), size)
    old = rng.uniform(0.1, 0.6, n_zones)
    age = np.where(rng.random(len(zone)) < old[zone], 2, (rng.random(len(zone)) < 0.6).astype(int))
    lean = 6 * (old[zone] - 0.35) * np.array([0.0, -1.0, 1.5])[age]
    sex = (rng.random(len(zone)) < 1 / (1 + np.exp(-lean))).astype(int)
    work = np.where(age == 0, -1, (rng.random(len(zone)) < 0.3 + 0.4 * (age == 2)).astype(int))
    tenure = (rng.random(len(zone)) < 0.3).astype(int)
    people = pd.DataFrame({"age": age, "sex": sex, "work": work, "tenure": tenure})

    def table(variables, name=None):
        return aligned_table(variables, tabulate(people, zone, zones, variables), cell(survey, variables), EVERYBODY, name=name)

    frame = pd.DataFrame({"district": [f"{prefix}D{i % 3}" for i in range(n_zones)],
                          "region": [regions[i % len(regions)] for i in range(n_zones)]}, index=zones)  # fmt: skip
    microdata = Microdata("regional", survey, {v.name: v for v in (AGE, SEX, WORK, TENURE)}, EVERYBODY, region="region")
    weight = np.random.default_rng(9).gamma(2.0, 1.0, len(survey)) + 0.1
    return Aligned(
        microdata, survey.index, weight, tuple(table([v]) for v in (AGE, SEX, WORK)),
        (table([AGE, SEX]), table([TENURE])), Geography(frame), pd.DataFrame(), pd.Series(0.0, zones),
    )  # fmt: skip


def with_level(aligned, areas):
    """The same study with 'age_sex' known for areas of a level 'msoa'; area of each zone by number."""
    joint = aligned.held_out[0]
    names = pd.Index([f"M{i}" for i in range(max(areas) + 1)], name="msoa")
    targets = joint.targets.groupby(np.asarray(areas)).sum().set_axis(names)
    level = AlignedLevel("msoa", names, np.asarray(areas, np.int32), (), (replace(joint, targets=targets, published=targets),))
    return replace(aligned, levels=(level,))
