"""How people live: tenure, accommodation, cars, incomes, poverty, smoking, given who they are and where."""

from __future__ import annotations

import numpy as np

from synthpop_gb.datasets import _figures as figures
from synthpop_gb.datasets._categories import ADULT_AGE, age_band
from synthpop_gb.datasets._draws import chance, choose, cut, logit
from synthpop_gb.datasets._households import (
    ASIAN,
    BLACK,
    FEMALE,
    LONE_DEPENDENT,
    PENSION_AGE,
    STUDENTS,
    WHITE,
    Columns,
)  # fmt: skip
from synthpop_gb.datasets._landscape import Landscape, local_age, local_slope
from synthpop_gb.datasets._people import (
    EMPLOYEE,
    NEVER,
    QUALIFICATION_SCORE,
    RETIRED,
    SELF_EMPLOYED,
    SICK,
    STUDENT,
    UNEMPLOYED,
)  # fmt: skip
from synthpop_gb.datasets._worlds import World

OUTRIGHT, MORTGAGE, SOCIAL, PRIVATE = range(4)

ALLOWANCE, HIGHER = 12_570.0, 50_270.0
"""Personal allowance and higher-rate threshold, pounds a year (2021/22)."""
CHILD_BENEFIT = (1_100.0, 728.0)
"""First child, each further child, pounds a year (2021/22: £21.15 and £14.00 a week)."""
UC_ADULT, UC_CHILD, UC_RENT, UC_TAPER = 4_000.0, 2_900.0, 4_500.0, 0.55
"""Universal credit, pounds a year: standard and child elements, typical rent help, taper of net earnings (late 2021)."""
TAKE_UP = 0.8
"""Households that take up what they are entitled to (DWP estimates differ by benefit; about four in five)."""


def draw_living(world: World, land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> None:
    """Add tenure, accommodation, cars, net_income, equivalised_income, low_income to hh; income, smokes to people."""
    hh["tenure"] = _tenure(land, hh, people, rng)
    hh["accommodation"] = _accommodation(land, hh, rng)
    hh["cars"] = _cars(land, hh, people, rng)
    people["income"] = _incomes(hh, people, rng)
    hh["net_income"], hh["equivalised_income"] = _net(hh, people, rng)
    hh["low_income"] = np.where(hh["equivalised_income"] < figures.POVERTY_LINE, 0, 1).astype(np.int8)
    people["smokes"] = _smokes(world, land, hh, people, rng)


def _tenure(land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Tenure from log shares by age of the reference person, shifted.

    Shifts imitate the English Housing Survey and Census 2021 (RM135, RM201): lone parents and black households rent from
    social landlords, Asian households buy, couples own; one sd of advantage multiplies the odds of owning against social
    renting by almost four.
    """
    age, zone, kind = people["age"][hh["start"]], hh["zone"], hh["composition"]
    share = np.log(figures.TENURE)[np.searchsorted(figures.TENURE_AGES, age, side="right") - 1].T.copy()
    advantage, ethnic = hh["advantage"], hh["ethnic"]
    share[OUTRIGHT] += 0.45 * advantage - 0.2 * (ethnic == BLACK)
    share[MORTGAGE] += 0.55 * advantage + 0.15 * (hh["partner"] == 1) + 0.3 * (ethnic == ASIAN)
    share[SOCIAL] += -0.85 * advantage + 0.25 * land.deprivation[zone] + land.social[zone] - 0.2 + 0.5 * (kind == LONE_DEPENDENT)
    share[SOCIAL] += np.array([0.0, 0.3, -0.5, 0.8, 0.3])[ethnic] - 0.4 * (hh["partner"] == 1)
    share[PRIVATE] += land.private[zone] + np.array([0.0, 0.4, 0.3, 0.2, 0.8])[ethnic] + 0.2 * land.urban[zone] - 0.1
    share[:2] += 1.7 * local_slope(land, "age_tenure", zone, local_age(age))  # 1.7: from the probit to the logit scale
    drawn = choose(rng, share)
    let = (kind == STUDENTS) & (rng.random(len(kind)) < 0.97)  # students rent privately
    drawn[let] = PRIVATE
    return drawn


def _accommodation(land: Landscape, hh: Columns, rng: np.random.Generator) -> np.ndarray:
    """Accommodation from log shares: flats in towns, for renters and small households; detached houses for well-off owners."""
    urban, tenure, size = land.urban[hh["zone"]], hh["tenure"], hh["size"]
    share = np.repeat(np.log(figures.ACCOMMODATION)[:, None], len(size), axis=1)
    share[0] += -0.75 * urban + 0.55 * hh["advantage"] + np.array([0.45, 0.25, -2.2, -0.9])[tenure] - 0.15
    share[1] += -0.25 * urban + 0.1 * hh["advantage"]
    share[2] += 0.25 * urban + np.array([0.0, 0.05, 0.2, 0.25])[tenure]
    share[3] += 0.65 * urban + np.array([-1.0, -0.9, 0.9, 0.9])[tenure] - 0.55 * np.minimum(size - 2, 3)
    return choose(rng, share)


def _cars(land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Cars by number of adults (ordered probit): fewer in towns, for renters, students and the over-80s (RM130)."""
    adults = np.bincount(people["household"], people["age"] >= 17, len(hh["size"])).astype(int)
    age = people["age"][hh["start"]]
    latent = 0.35 * hh["advantage"] - 0.28 * land.urban[hh["zone"]] + np.array([0.15, 0.25, -0.55, -0.35])[hh["tenure"]]
    latent += np.where(age >= 80, -0.5, 0.0) + np.where(hh["composition"] == STUDENTS, -0.9, 0.0)
    latent += 0.82 * rng.standard_normal(len(age))
    return cut(latent, figures.CARS, np.clip(adults, 1, 3) - 1)


def _incomes(hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Income of each adult before tax, pounds a year; 0 under 16 (lognormal by activity)."""
    age, activity = people["age"].astype(float), people["activity"]
    known = np.maximum(activity, 0)
    score = QUALIFICATION_SCORE[np.maximum(people["qualification"], 0)]
    advantage = hh["advantage"][people["household"]]
    log_income = np.log(figures.INCOME_MEDIAN)[known] + figures.INCOME_SPREAD[known] * rng.standard_normal(len(age))
    works = (activity == EMPLOYEE) | (activity == SELF_EMPLOYED)
    log_income += np.where(works, 0.30 * score + 0.10 * advantage - 0.0007 * (age - 45.0) ** 2 + 0.24, 0.0)
    log_income += np.where(works & (people["sex"] == FEMALE), -0.30, 0.0)  # fewer hours, lower pay (ASHE: -33 % a year)
    log_income += np.where(activity == RETIRED, 0.28 * score + 0.15 * advantage, 0.0)
    income = np.exp(log_income)
    return np.where(age < ADULT_AGE, 0.0, np.round(np.minimum(income, 2_000_000.0)))


def _net(hh: Columns, people: Columns, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Household income after tax and benefits, and the same equivalised to a couple without children, pounds a year.

    Income tax, national insurance (earnings only), child benefit and a one-line universal credit of 2021/22. Scale: modified
    OECD with couple = 1: 0.67 first adult, 0.33 each further person aged 14 and over, 0.20 each child.
    """
    n, home = len(hh["size"]), people["household"]
    income, activity, age = people["income"], people["activity"], people["age"]
    tax = 0.20 * np.clip(income - ALLOWANCE, 0.0, HIGHER - ALLOWANCE) + 0.40 * np.maximum(income - HIGHER, 0.0)
    works = (activity == EMPLOYEE) | (activity == SELF_EMPLOYED)
    tax += works * (0.12 * np.clip(income - 9_568.0, 0.0, HIGHER - 9_568.0) + 0.02 * np.maximum(income - HIGHER, 0.0))
    net = np.bincount(home, income - tax, n)
    children = np.bincount(home, age < ADULT_AGE, n)
    adults = np.bincount(home, age >= ADULT_AGE, n)
    net += np.where(children > 0, CHILD_BENEFIT[0] + CHILD_BENEFIT[1] * (children - 1), 0.0)
    rents = (hh["tenure"] == SOCIAL) | (hh["tenure"] == PRIVATE)
    of_age = (age[hh["start"]] < PENSION_AGE) & (hh["composition"] != STUDENTS)
    need = of_age * (UC_ADULT * np.minimum(adults, 2) + UC_CHILD * np.minimum(children, 3)) + rents * UC_RENT
    credit = np.maximum(need - UC_TAPER * np.maximum(net - 2_000.0 * children, 0.0), 0.0)
    net += credit * (rng.random(n) < TAKE_UP) * (hh["composition"] != STUDENTS)
    scale = 0.34 + np.bincount(home, np.where(age >= 14, 0.33, 0.20), n)
    return np.round(net), np.round(net / scale)


def _smokes(world: World, land: Landscape, hh: Columns, people: Columns, rng: np.random.Generator) -> np.ndarray:
    """Whether adults smoke (0 = yes, 1 = no, -1 under 16): the outcome that no table of the county publishes.

    Log odds = age + World.outcome_people x (qualification, activity, tenure, health, partnership, sex) + zone effect. Shifts
    imitate the Annual Population Survey 2021, rounded: a quarter of adults without qualifications against 7 % of graduates, a
    quarter of social renters against 7 % of outright owners. With outcome_people = 0 age drops out as well.
    """
    home, activity = people["household"], people["activity"]
    score = QUALIFICATION_SCORE[np.maximum(people["qualification"], 0)]
    tenure, strength = hh["tenure"][home], world.outcome_people
    shift = -0.75 * score + np.array([-0.45, -0.25, 0.75, 0.3])[tenure] + np.array([-0.2, 0.0, 0.2, 0.3, 0.3])[people["health"]]
    shift += 0.6 * (activity == UNEMPLOYED) + 0.5 * (activity == SICK) - 0.5 * (activity == STUDENT)
    shift += 0.2 * (people["partnership"] == NEVER) - 0.15 * (people["sex"] == FEMALE) - 0.4 * (people["ethnic"] != WHITE)
    by_age = logit(figures.SMOKERS)[np.maximum(age_band(people["age"]) - 1, 0)]
    base = by_age if strength > 0.0 else np.full_like(by_age, logit(0.135))
    log_odds = base + strength * shift - 0.18 * strength**2 + land.outcome[hh["zone"][home]]
    drawn = np.where(rng.random(len(home)) < chance(log_odds), 0, 1)
    return np.where(people["age"] < ADULT_AGE, -1, drawn).astype(np.int8)
