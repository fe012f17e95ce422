"""A small country whose people are known: zones in areas of three, those in areas of six; tables at every level."""

import numpy as np
import pandas as pd

from synthpop_gb import harmonise
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata

EVERYBODY = Universe("usual residents")
VARIABLES = {
    "age": Variable("age", (Category("y", "0-15", age_atoms(0, 15)), Category("m", "16-64", age_atoms(16, 64)),
                            Category("o", "65+", age_atoms(65)))),
    "sex": Variable("sex", tuple(Category(c, c, frozenset(c)) for c in "fm")),
    "work": Variable("work", tuple(Category(c, c, frozenset([c])) for c in ("none", "part", "full"))),
    "health": Variable("health", tuple(Category(c, c, frozenset([c])) for c in ("good", "bad"))),
}  # fmt: skip
CODES = {name: [c.code for c in v.categories] for name, v in VARIABLES.items()}


class World:
    """True people, one row each, by zone."""

    def __init__(self, seed=1, n_zones=12, people=120, orphan=False):
        rng = np.random.default_rng(seed)
        self.zones = pd.Index([f"E01{i:06d}" for i in range(1, n_zones + 1)], name="zone")
        self.msoa = pd.Series([f"E02{i // 3 + 1:06d}" for i in range(n_zones)], self.zones)
        self.lad = pd.Series([f"E06{i // 6 + 1:06d}" for i in range(n_zones)], self.zones)
        frames = []
        for zone in self.zones:
            n = int(rng.integers(people // 2, people * 2))
            age = rng.choice(3, n, p=rng.dirichlet([4, 6, 3]))
            sex = rng.choice(2, n)
            work = np.where(
                age == 0, 0, np.where(rng.random(n) < 0.3 + 0.2 * sex, 1, rng.choice(3, n, p=rng.dirichlet([2, 2, 2])))
            )
            health = (rng.random(n) < 0.1 + 0.2 * age).astype(int)
            frames.append(pd.DataFrame({"zone": zone, "age": age, "sex": sex, "work": work, "health": health}))
        self.people = pd.concat(frames, ignore_index=True)
        for name in VARIABLES:
            self.people[name] = np.array(CODES[name])[self.people[name]]
        parents = pd.DataFrame({"msoa": self.msoa, "lad": self.lad})
        if orphan:
            parents.loc[self.zones[0], "msoa"] = None
        self.geography = Geography(parents)
        sample = self.people.sample(frac=0.5, random_state=seed).drop(columns="zone").reset_index(drop=True)
        every = pd.MultiIndex.from_product(list(CODES.values()), names=list(CODES)).to_frame(index=False)  # no cell is empty
        self.survey = Microdata("survey", pd.concat([sample, every], ignore_index=True), VARIABLES, EVERYBODY)

    def table(self, names, level="zone", *, name=None, noise=0, seed=0, says=None, error=0.0):
        """A table of the truth; with noise of so many people a cell, either way."""
        where = self.people["zone"] if level == "zone" else self.people["zone"].map(getattr(self, level))
        cells = pd.MultiIndex.from_product([CODES[n] for n in names], names=names)
        people = self.people.assign(zone=where, n=1)
        counts = people.pivot_table(index="zone", columns=list(names), values="n", aggfunc="sum", fill_value=0)
        if len(names) == 1:
            counts.columns = pd.MultiIndex.from_arrays([counts.columns], names=names)
        counts = counts.reindex(columns=cells, fill_value=0).rename_axis("zone")
        if noise:
            counts = (counts + np.random.default_rng(seed).integers(-noise, noise + 1, counts.shape)).clip(lower=0)
        name = name or "_".join([*names, level])
        return BenchmarkTable(name, counts, tuple(VARIABLES[n] for n in names), EVERYBODY, level=says, standard_error=error)

    def tables(self, *wanted):
        """Tables by name: each (names, level) or (names, level, options)."""
        made = [self.table(tuple(w[0].split(" x ")), w[1], **(w[2] if len(w) > 2 else {})) for w in wanted]
        return {t.name: t for t in made}

    def aligned(self, *wanted, geography=None, **options):
        """Harmonise; by default ages and sexes of zones, age x sex and work of their areas, health of the larger ones."""
        wanted = wanted or (("age", "zone"), ("sex", "zone"), ("age x sex", "msoa"), ("work", "msoa"), ("health", "lad"))
        options = {"constraints": ["age", "sex"], "levels": {"lad": ["health"], "msoa": ["age x sex", "work"]}} | options
        return harmonise(self.survey, self.tables(*wanted), geography or self.geography, **options)
