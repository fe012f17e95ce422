"""The survey: households drawn with unequal probabilities here and in five other counties, of which only some answer.

Primary sampling units are zones. Inclusion differs by county and, as in a boost sample, by ethnic group of the reference
person. Whether a household answers depends on tenure, age, qualification, deprivation and size; the weights know the design
exactly, but correct non-response only within county and age of the reference person. So weighted estimates are better than raw
ones and still biased, as real surveys are: what the tables of a county know, reweighting can repair; the rest it cannot.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.datasets._categories import labelled
from synthpop_gb.datasets._draws import ELSEWHERE, SURVEY, chance, stream, within
from synthpop_gb.datasets._frames import household_values, person_values
from synthpop_gb.datasets._households import STUDENTS, WHITE, Columns, draw_households, draw_members
from synthpop_gb.datasets._landscape import REGIONS, Landscape, landscape_elsewhere
from synthpop_gb.datasets._living import OUTRIGHT, PRIVATE, SOCIAL, draw_living
from synthpop_gb.datasets._people import draw_attributes
from synthpop_gb.datasets._worlds import World

OWN_SHARE = 0.06
"""Share of the sample that lives in the county itself; the other donors come from elsewhere."""
BOOST = 2.5
"""Inclusion of households with a minority reference person against others: an ethnic minority boost (Understanding Society)."""
CLUSTER = 20
"""Addresses issued in each primary sampling unit (Health Survey for England, Understanding Society: 18)."""
ISSUED = 5
"""Households listed for each that is wanted, from which the design draws."""
PERSONS_A_HOUSEHOLD = 2.3


def draw_survey(world: World, seed: int, zones: int, land: Landscape, hh: Columns, people: Columns, persons: int) -> pd.DataFrame:
    """Draw about `persons` members of responding households.

    Parameters
    ----------
    world, seed, zones
        What the county was made from; the key of the streams.
    land, hh, people
        The county itself: its zone effects, households and persons.
    persons : int
        Members wanted, about; a county smaller than its share of the sample gives fewer.

    Returns
    -------
    pandas.DataFrame
        One row a person: person, household, region, psu, weight (mean 1 over persons), then every variable of person and
        household with the county's labels. No zone: a survey does not say where its people live.
    """
    rng = stream(world, seed, zones, SURVEY)
    rates = np.array([r.households * r.boost for r in REGIONS], float)
    shares = np.r_[OWN_SHARE, (1.0 - OWN_SHARE) * rates / rates.sum()]
    wanted = shares * persons / PERSONS_A_HOUSEHOLD
    own = _own_candidates(land, hh, people, ISSUED * wanted[0], rng)
    parts = [_answering(world.county, *own, len(hh["zone"]), wanted[0], rng)]
    for i, region in enumerate(REGIONS):
        there = stream(world, seed, zones, ELSEWHERE, i)
        n_psu = max(2, round(ISSUED * wanted[i + 1] / CLUSTER))
        land_there = landscape_elsewhere(world, there, n_psu, region)
        hh_there = draw_households(world, land_there, np.full(n_psu, CLUSTER), there)
        people_there = draw_members(land_there, hh_there, there)
        draw_attributes(world, land_there, hh_there, people_there, there)
        draw_living(world, land_there, hh_there, people_there, there)
        candidates = (land_there, hh_there, people_there)
        parts.append(_answering(region.name, *candidates, region.households, wanted[i + 1], rng))
    return _joined(parts)


def _own_candidates(
    land: Landscape, hh: Columns, people: Columns, number: float, rng: np.random.Generator
) -> tuple[Landscape, Columns, Columns]:
    """Return households of the county in clusters: units drawn in proportion to their households, CLUSTER addresses in each."""
    count = np.bincount(hh["zone"])
    first = np.cumsum(count) - count
    psu = rng.choice(len(count), size=max(1, round(number / CLUSTER)), p=count / count.sum())
    psu = np.repeat(psu, CLUSTER)
    rows = np.unique(first[psu] + (rng.random(len(psu)) * count[psu]).astype(np.int64))
    rows = rng.permutation(rows)  # the order of the file must not tell the zone
    size = hh["size"][rows].astype(np.int64)
    start = np.cumsum(size) - size
    member = np.repeat(hh["start"][rows].astype(np.int64), size) + within(start, size)
    chosen = {name: values[rows] for name, values in hh.items()}
    chosen["start"] = start
    members = {name: values[member] for name, values in people.items()}
    members["household"] = np.repeat(np.arange(len(rows)), size)
    shift = np.repeat(start - hh["start"][rows], size)
    members["partner"] = np.where(members["partner"] >= 0, members["partner"] + shift, -1)
    return land, chosen, members


def _response_odds(land: Landscape, hh: Columns, people: Columns) -> np.ndarray:
    """Log odds that a household answers: about half do, as in the Family Resources Survey.

    Fewer renters, young, deprived, single and minority households answer, more graduates and pensioners: the directions
    that census-linked studies of British surveys report (Durrant & Steele 2009).
    """
    ref = hh["start"]
    age, qualification = people["age"][ref], people["qualification"][ref]
    odds = 0.15 - 0.25 * land.deprivation[hh["zone"]] - 0.1 * land.urban[hh["zone"]]
    odds += np.where(hh["tenure"] == PRIVATE, -0.4, 0.0) + np.where(hh["tenure"] == SOCIAL, -0.2, 0.0)
    odds += np.where(hh["tenure"] == OUTRIGHT, 0.2, 0.0) - np.where(hh["composition"] == STUDENTS, 0.6, 0.0)
    odds += np.where(qualification == 6, 0.35, 0.0) + np.where(qualification == 0, -0.3, 0.0)
    odds += np.where(age < 35, -0.35, 0.0) + np.where(age >= 65, 0.3, 0.0)
    odds += np.where(hh["size"] == 1, -0.2, 0.0) - np.where(hh["ethnic"] != WHITE, 0.25, 0.0)
    return odds


def _answering(
    region: str, land: Landscape, hh: Columns, people: Columns, population: int, wanted: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Select and weight the households of one region: design weight, then one ratio by age of the reference person."""
    n = len(hh["zone"])
    boost = np.where(hh["ethnic"] != WHITE, BOOST, 1.0)
    answers = chance(_response_odds(land, hh, people))
    inclusion = np.minimum(1.0, boost * wanted / (boost * answers).sum())
    issued = rng.random(n) < inclusion
    responds = issued & (rng.random(n) < answers)
    weight = population / n / inclusion
    age_class = np.searchsorted((35, 65), people["age"][hh["start"]], side="right")
    due = np.bincount(age_class, weight * issued, 3)
    got = np.bincount(age_class, weight * responds, 3)
    weight *= np.divide(due, got, out=np.ones(3), where=got > 0)[age_class]
    rows = np.flatnonzero(responds[people["household"]])
    home = people["household"][rows]
    frame = {
        "household": home,
        "region": region,
        "psu": hh["zone"][home],
        "weight": weight[home],
        **{name: values[rows] for name, values in person_values(people).items()},
        **{name: values[home] for name, values in household_values(hh).items()},
    }
    return pd.DataFrame(frame)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """All regions as one file with its own ids; units and households are numbered in the order of the file."""
    frame = pd.concat(parts, ignore_index=True)
    frame["region"] = frame["region"].astype("category")
    household = frame.groupby(["region", "household"], sort=False, observed=True).ngroup()
    psu = frame.groupby(["region", "psu"], sort=False, observed=True).ngroup()
    frame["weight"] = (frame["weight"] / frame["weight"].mean()).round(6)
    frame["household"] = [f"H{i + 1:06d}" for i in household]
    frame["psu"] = [f"U{i + 1:05d}" for i in psu]
    for name in frame.columns.intersection(list(_CODED)):
        frame[name] = labelled(name, frame[name].to_numpy())
    frame.insert(0, "person", [f"P{i + 1:07d}" for i in range(len(frame))])
    return frame


_CODED = (
    "role", "sex", "ethnic_group", "partnership", "qualification", "economic_activity", "health", "smokes",
    "composition", "tenure", "accommodation", "cars", "household_size", "low_income",
)  # fmt: skip
