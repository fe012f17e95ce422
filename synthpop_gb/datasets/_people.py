"""What people are: partnership, qualification, health, economic activity, each given who they live with and where.

Margins by age and sex come from `_figures`; associations come from latents that share a household's advantage and the zone's
effects (ordered probit), or from shifts of log shares (economic activity). Constants are loadings: correlations of a latent
with standardised causes, of the size that the spread of Census 2021 shares over LSOAs implies.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.datasets import _figures as figures
from synthpop_gb.datasets._categories import ADULT_AGE, age_band
from synthpop_gb.datasets._draws import choose, cut
from synthpop_gb.datasets._households import ASIAN, BLACK, CHILD, FEMALE, STUDENTS, WHITE, Columns
from synthpop_gb.datasets._landscape import Landscape, local_age, local_slope
from synthpop_gb.datasets._worlds import World

# Positions in CATEGORIES.
NEVER, MARRIED = 0, 1
EMPLOYEE, SELF_EMPLOYED, UNEMPLOYED, STUDENT, RETIRED, HOME, SICK, OTHER_INACTIVE = range(8)

QUALIFICATION_ADVANTAGE = 0.62
"""Correlation of qualification with the household's advantage: gives partners a correlation of 0.4 (assortative mating)."""
ILL_ADVANTAGE, ILL_ZONE = 0.32, 0.06
"""Correlation of ill health with minus advantage, and with the zone's deprivation given it. In rutlow 8 % are in bad or very bad
health in the most deprived tenth of zones and 2.3 % in the least: as in England, 8.5 and 3.0 (TS037 by IMD 2025)."""
QUALIFICATION_SCORE = np.array([-1.3, -0.5, -0.6, -0.2, 0.0, 0.15, 0.65])
"""Qualification as a number for incomes and activity: about 15 % of pay a step (ASHE, Labour Force Survey)."""


def draw_attributes(world: World, land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> None:
    """Add partnership, qualification, health and activity to people, in place; -1 = does not apply (under 16)."""
    people["partnership"] = _partnership(hh, people, rng)
    people["qualification"] = _qualification(world, land, hh, people, rng)
    people["health"] = _health(world, land, hh, people, rng)
    people["activity"] = _activity(land, hh, people, rng)


def _zone(hh: Columns, people: Columns) -> np.ndarray:
    return hh["zone"][people["household"]]


def _adult_band(age: np.ndarray) -> np.ndarray:
    """Return the published age band counted from 16-24; children get band 0, to be masked."""
    return np.maximum(age_band(age) - 1, 0)


def _partnership(hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Legal status. Married people live with their husband or wife: those who do not count as separated."""
    age, sex, n = people["age"], people["sex"], len(people["age"])
    band = _adult_band(age)
    start = hh["start"]
    odds = figures.MARRIED[_adult_band(age[start])] + np.where(people["ethnic"][start] == ASIAN, 0.2, 0.0)
    odds -= np.where(people["ethnic"][start] == BLACK, 0.08, 0.0)
    married = ((hh["partner"] == 1) & (rng.random(len(start)) < odds))[people["household"]] & (people["partner"] >= 0)
    alone, cohabiting = np.cumsum(figures.UNPARTNERED, axis=2) / 100.0, np.cumsum(figures.COHABITING, axis=1) / 100.0
    point = rng.random(n)
    below = np.where((people["partner"] >= 0)[:, None], cohabiting[band], alone[sex, band])[:, :3]
    drawn = (point[:, None] >= below).sum(axis=1)
    status = np.where(married, MARRIED, np.where(drawn == 0, NEVER, drawn + 1))
    return np.where(age < ADULT_AGE, -1, status).astype(np.int8)


def _qualification(world: World, land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Highest qualification by age (ordered probit); the small constant keeps the margin against what students and others add."""
    age = people["age"]
    a = QUALIFICATION_ADVANTAGE
    latent = a * hh["advantage"][people["household"]] + np.sqrt(1.0 - a * a) * rng.standard_normal(len(age))
    zone = _zone(hh, people)
    latent += local_slope(land, "age_qualification", zone, local_age(age))
    latent /= np.sqrt(1.0 + world.local_joint**2)  # keeps the variance, and with it the margin, whatever the local strength
    latent += np.array([0.0, 0.15, 0.12, 0.15, 0.1])[people["ethnic"]]  # minorities are more often graduates (Census 2021 RM049)
    latent += np.where(hh["composition"][people["household"]] == STUDENTS, 0.9, 0.0)
    latent += -0.06 + 0.3 * land.private[zone]  # graduates rent in town centres, deprived or not
    group = np.maximum(np.searchsorted(figures.QUALIFICATION_AGES, age, side="right") - 1, 0)
    return np.where(age < ADULT_AGE, -1, cut(latent, figures.QUALIFICATION, group)).astype(np.int8)


def _health(world: World, land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """General health, 0 = very good to 4 = very bad: the qualification counts through the advantage it shares."""
    age, zone = people["age"], _zone(hh, people)
    noise = np.sqrt(1.0 - ILL_ADVANTAGE**2 - ILL_ZONE**2 - 2 * 0.5 * ILL_ADVANTAGE * ILL_ZONE)
    ill = -ILL_ADVANTAGE * hh["advantage"][people["household"]] + ILL_ZONE * land.deprivation[zone]
    ill += noise * rng.standard_normal(len(age))
    ill += local_slope(land, "age_health", zone, local_age(age))
    ill += local_slope(land, "minority_health", zone, (people["ethnic"] != WHITE).astype(float))
    ill /= np.sqrt(1.0 + 1.1 * world.local_joint**2)  # keeps the variance, and with it the margin, whatever the local strength
    ill += np.where((people["ethnic"] == ASIAN) & (age > 50), 0.25, 0.0)  # worse health of older Asian people (ONS, Census 2021)
    return cut(ill, figures.HEALTH, age_band(age))


def _activity(land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Economic activity from log shares by age and sex, shifted; whoever shares as a student is one."""
    result = np.full(len(people["age"]), -1, np.int8)
    adult = np.flatnonzero(people["age"] >= ADULT_AGE)
    age, sex, home = people["age"][adult], people["sex"][adult], people["household"][adult]
    zone = hh["zone"][home]
    group = np.searchsorted(figures.ACTIVITY_AGES, age, side="right") - 1
    log_share = np.log(figures.ACTIVITY)[sex, group].T.copy()
    score = QUALIFICATION_SCORE[people["qualification"][adult]]
    log_share[EMPLOYEE] += 0.3 * score
    log_share[SELF_EMPLOYED] -= 0.12 * land.urban[zone]
    log_share[UNEMPLOYED] += -0.5 * score + 0.28 * land.deprivation[zone] - 0.15
    log_share[UNEMPLOYED] += np.array([0.0, 0.4, 0.2, 0.6, 0.4])[people["ethnic"][adult]]
    log_share[STUDENT] += np.array([0.0, 0.2, 0.5, 0.5, 0.5])[people["ethnic"][adult]]
    log_share[SICK] += np.array([-2.2, -0.9, 0.6, 2.0, 2.7])[people["health"][adult]] - 0.45 * score + 0.05
    log_share[SELF_EMPLOYED] += 0.1
    log_share[OTHER_INACTIVE] += 0.15 - 0.3 * score + 0.1 * land.deprivation[zone]
    woman = (sex == FEMALE).astype(float)
    log_share[HOME] += woman * (_youngest_effect(hh, people)[home] + 0.9 * (people["ethnic"][adult] == ASIAN)) - 0.35 * score
    local = local_slope(land, "sex_activity", zone, woman)
    log_share[HOME] += 2.0 * local
    log_share[EMPLOYEE] -= 1.5 * local
    drawn = choose(rng, log_share)
    drawn[hh["composition"][home] == STUDENTS] = STUDENT
    result[adult] = drawn
    return result


def _youngest_effect(hh: Columns, people: Columns) -> np.ndarray:
    """Shift of log odds of looking after the home by the age of the household's youngest child: under 5, under 16, none."""
    youngest = np.full(len(hh["start"]), 99, np.int16)
    with_child = hh["children"] > 0
    first = hh["start"][with_child] + 1 + hh["partner"][with_child]
    youngest[with_child] = np.where(people["role"][first] == CHILD, people["age"][first], 99)
    return np.select([youngest < 5, youngest < 16], [1.0, 0.45], -0.4)
