"""Small inputs for harmonising, built as nouns: a survey, tables that agree, zones in two districts."""

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable, age_atoms, age_label
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata

EVERYBODY = Universe("usual residents")
ADULTS = Universe("usual residents aged 16 and over", members={"age": age_atoms(16)})


def ages(*limits, name="age", column="age"):
    """Age in bands with these lower limits; codes are the limits."""
    ends = [x - 1 for x in limits[1:]] + [None]
    bands = [age_atoms(a, b) for a, b in zip(limits, ends, strict=True)]
    return Variable(name, tuple(Category(str(a), age_label(b), b) for a, b in zip(limits, bands, strict=True)), column)


def variable(name, *labels, column=None, **atoms):
    """A variable whose codes are 1, 2, ...; a label's atom is the label itself, unless `atoms` gives several."""
    made = [Category(str(i + 1), x, frozenset(atoms.get(x, [x]))) for i, x in enumerate(labels)]
    return Variable(name, tuple(made), column or name)


AGE = ages(0, 16, 25, 45, 65)
SEX = variable("sex", "male", "female")
HEALTH = variable("health", "good", "fair", "bad")


def table(name, variables, counts, zones, **kwargs):
    """A table from an array (n_zones, n_cells); cells in the order of the product of the variables' codes."""
    variables = (variables,) if isinstance(variables, Variable) else tuple(variables)
    codes = [[c.code for c in v.categories] for v in variables]
    columns = pd.MultiIndex.from_product(codes, names=[v.name for v in variables])
    frame = pd.DataFrame(np.asarray(counts), index=pd.Index(zones, name="zone"), columns=columns)
    return BenchmarkTable(name, frame, variables, **{"universe": EVERYBODY, **kwargs})


def zone_codes(n, kind="E01"):
    return [f"{kind}{i:06d}" for i in range(1, n + 1)]


def people(n, rng):
    """Survey records with some association between the variables, and every combination present."""
    age, sex = rng.integers(0, 5, n), rng.integers(0, 2, n)
    health = np.clip(rng.integers(0, 3, n) + (age > 3) - (rng.random(n) < 0.3), 0, 2)
    grid = np.array(np.meshgrid(range(5), range(2), range(3))).reshape(3, -1)
    m = min(n, grid.shape[1])
    age[:m], sex[:m], health[:m] = grid[:, :m]
    return pd.DataFrame(
        {
            "age": np.array([c.code for c in AGE.categories])[age],
            "sex": sex + 1,
            "health": health + 1,
            "weight": rng.integers(50, 200, n) / 100,
        },
        index=pd.Index([f"p{i:05d}" for i in range(n)], name="person"),
    )


def world(n_zones=12, n_records=400, seed=1, noise=0.0, people_a_zone=300):
    """Survey, tables by name (age, sex, health, age_by_sex) and geography; `noise` perturbs every cell independently."""
    rng = np.random.default_rng(seed)
    zones = zone_codes(n_zones)
    joint = rng.multinomial(people_a_zone, rng.dirichlet(np.full(30, 3.0)), n_zones).reshape(n_zones, 5, 2, 3)
    records = people(n_records, rng)
    survey = Microdata("survey", records, {v.name: v for v in (AGE, SEX, HEALTH)}, EVERYBODY, weight="weight", year=2021)

    def blurred(counts):
        counts = counts.reshape(n_zones, -1)
        return (
            np.maximum(0, counts + np.rint(rng.normal(0, noise, counts.shape)) * (counts > 0)).astype(np.int64)
            if noise
            else counts
        )

    tables = {
        "age": table("age", AGE, blurred(joint.sum((2, 3))), zones, year=2021, standard_error=noise),
        "sex": table("sex", SEX, blurred(joint.sum((1, 3))), zones, year=2021, standard_error=noise),
        "health": table("health", HEALTH, blurred(joint.sum((1, 2))), zones, year=2021, standard_error=noise),
        "age_by_sex": table("age_by_sex", (AGE, SEX), blurred(joint.sum(3)), zones, year=2021, standard_error=noise),
    }
    districts = ["Northby" if i < n_zones // 2 else "Southby" for i in range(n_zones)]
    frame = pd.DataFrame(
        {
            "name": [f"Zone {i}" for i in range(n_zones)],
            "lad": [f"E0700000{1 + (d == 'Southby')}" for d in districts],
            "lad_name": districts,
        },
        index=pd.Index(zones, name="zone"),
    )
    return survey, tables, Geography(frame)
