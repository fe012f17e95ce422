"""Demo counties with known truth, made from nothing, and small simulated problems.

    county = make_county("penmarrow", seed=2021)     # 60 zones, 90,000 people; scale=20 for 1.8 million
    county.survey, county.tables["health"], county.held_out["age_by_sex"], county.boundaries
    county.persons, county.households                # the truth
    county.write("inputs/penmarrow")                 # the same as files

The model, in the order in which it draws. *Places*: zones tessellate an invented outline and nest in msoas, districts and one
county. *Landscape*: every zone gets effects that vary smoothly over the map (deprivation towards the main town, age towards the
coast, students around a campus, ethnic groups, tenure) and slopes of its own for associations that only joint tables show.
*Households* and their members, then what people are and how they live, each given all that was drawn before. *Survey*: unequal
probabilities, here and in other counties, incomplete response, weights that repair part of it. *Tables*: counted from the truth.
Margins imitate published shares (`_figures`), associations are documented loadings; everybody lives in a private household.

Files that `DemoCounty.write(folder)` makes:

| file | holds |
| --- | --- |
| `survey.csv`, `codebook.csv` | persons with `weight`; variables and codes |
| `tables/<variable>.csv`, `tables.csv` | counts by zone, one column a category; list of all tables with universes |
| `held_out/<a>_by_<b>.csv` | joint counts in long form: zone, a column a variable, count |
| `lookup.csv`, `boundaries.geo.parquet` | nesting with names; polygons in EPSG:27700 |
| `truth/` | persons.parquet, households.parquet, outcomes.csv, effects.csv |
| `README.txt`, `county.json` | what each file is; parameters, seed, versions |
"""

from synthpop_gb.datasets._categories import CATEGORIES, DOES_NOT_APPLY, OUTCOMES, UNIVERSES, codebook
from synthpop_gb.datasets._county import DemoCounty, make_county
from synthpop_gb.datasets._simulate import SimulatedProblem, simulate_problem
from synthpop_gb.datasets._stand_in import stand_in_survey
from synthpop_gb.datasets._tables import simulate_perturbation
from synthpop_gb.datasets._worlds import WORLDS, World

__all__ = [
    "CATEGORIES",
    "DOES_NOT_APPLY",
    "OUTCOMES",
    "UNIVERSES",
    "WORLDS",
    "DemoCounty",
    "SimulatedProblem",
    "World",
    "codebook",
    "make_county",
    "simulate_perturbation",
    "simulate_problem",
    "stand_in_survey",
]
