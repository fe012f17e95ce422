"""Households and who is in them: composition, members, ages, sexes, ethnic groups, in one draw over all zones of a block.

Everything is held in columns: a dict of arrays for households, another for persons. Order of the draw: ethnic group of the
reference person given the zone, composition given both, children and their mother's age at birth, then everybody's age and sex.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.datasets import _figures as figures
from synthpop_gb.datasets._draws import chance, choose, choose_from, within
from synthpop_gb.datasets._landscape import Landscape, local_age, local_slope
from synthpop_gb.datasets._worlds import World

Columns = dict[str, np.ndarray]

REFERENCE, PARTNER, CHILD, OTHER = range(4)
FEMALE, MALE = 0, 1
WHITE, MIXED, ASIAN, BLACK = range(4)

# Composition codes: positions in CATEGORIES["composition"].
PENSIONER_ALONE, ADULT_ALONE, PENSIONER_COUPLE, COUPLE, COUPLE_DEPENDENT, COUPLE_GROWN = range(6)
LONE_DEPENDENT, LONE_GROWN, GENERATIONS, SHARING, STUDENTS = range(6, 11)

PENSION_AGE = 66
OLDEST = 100
MOTHER_AT_BIRTH = (31.0, 5.2)
"""Mean and sd of a mother's age at her youngest child's birth, years (ONS, births 2021: mean age of mothers at birth 30.9)."""
AGE_GAP = (2.3, 3.2)
"""Man's age minus woman's in a couple: location and scale of a t with 5 degrees of freedom (ONS marriages: mean 2 to 3 years)."""
SAME_SEX = 0.015
"""Couples of one sex (Census 2021: 1.1 % of married couples and civil partners, more of cohabiting ones)."""
SAME_GROUP = 0.93
"""Partners of one group among minorities; 0.985 where the reference person is white (Census 2011: 9 % of couples mixed)."""


def draw_households(world: World, land: Landscape, n_households: np.ndarray, rng: np.random.Generator) -> Columns:
    """Households without members yet. n_households: (n_zones,) integers.

    Returns columns zone, advantage (standard normal over the county, correlation -World.sorting with deprivation), ethnic,
    composition, partner (0 or 1), children, others (numbers of them).
    """
    zone = np.repeat(np.arange(len(n_households)), n_households)
    n = len(zone)
    advantage = -world.sorting * land.deprivation[zone] + np.sqrt(1.0 - world.sorting**2) * rng.standard_normal(n)
    ethnic = choose(rng, np.vstack([np.zeros(n), land.ethnic[:, zone]]))
    share = np.log(figures.COMPOSITION)[:, None] + figures.COMPOSITION_ETHNIC[ethnic].T
    share += figures.COMPOSITION_OLD[:, None] * land.old[zone] + figures.COMPOSITION_URBAN[:, None] * land.urban[zone]
    share += figures.COMPOSITION_DEPRIVED[:, None] * land.deprivation[zone]
    share[STUDENTS] += land.students[zone]
    composition = choose(rng, share)

    partner = np.isin(composition, (PENSIONER_COUPLE, COUPLE, COUPLE_DEPENDENT, COUPLE_GROWN))
    partner |= (composition == GENERATIONS) & (rng.random(n) < 0.65)
    children, others = np.zeros(n, np.int8), np.zeros(n, np.int8)
    for kind, shares in figures.CHILDREN.items():
        here = np.flatnonzero(composition == kind)
        children[here] = 1 + choose_from(rng, shares, len(here))
        if kind in (COUPLE_DEPENDENT, LONE_DEPENDENT):  # larger families of asian and black households (Census 2011)
            children[here] += (rng.random(len(here)) < np.where(np.isin(ethnic[here], (ASIAN, BLACK)), 0.4, 0.0)).astype(np.int8)
    for kind, shares in figures.OTHERS.items():
        here = np.flatnonzero(composition == kind)
        others[here] = 1 + choose_from(rng, shares, len(here))
    return {
        "zone": zone,
        "advantage": advantage,
        "ethnic": ethnic,
        "composition": composition,
        "partner": partner.astype(np.int8),
        "children": children,
        "others": others,
    }


def draw_members(land: Landscape, hh: Columns, rng: np.random.Generator) -> Columns:
    """Persons of the households, in household order: reference person, partner, children from the youngest, others.

    Returns columns household (row of hh), role, age (years), sex, ethnic, partner (row of the partner, -1 = none). Adds size
    and start (row of the reference person) to hh.
    """
    counts = np.stack([np.ones_like(hh["partner"]), hh["partner"], hh["children"], hh["others"]], axis=1)
    size = counts.sum(axis=1, dtype=np.int64)
    start = np.cumsum(size) - size
    hh["size"], hh["start"] = size.astype(np.int16), start
    household = np.repeat(np.arange(len(size)), size)
    role = np.repeat(np.tile(np.arange(4, dtype=np.int8), len(size)), counts.ravel())
    has_partner = hh["partner"] == 1
    partner = np.full(len(household), -1, np.int64)
    partner[start[has_partner]] = start[has_partner] + 1
    partner[start[has_partner] + 1] = start[has_partner]

    age, sex = np.zeros(len(household), np.int16), np.zeros(len(household), np.int8)
    age_ref, age_partner, male_ref, youngest = _adults(land, hh, rng)
    age[start], sex[start] = age_ref, male_ref
    same = rng.random(len(size)) < np.where(hh["children"] > 0, 0.3 * SAME_SEX, SAME_SEX)
    age[start[has_partner] + 1] = age_partner[has_partner]
    sex[start[has_partner] + 1] = np.where(same, male_ref, 1 - male_ref)[has_partner]
    parent = np.where(has_partner, np.minimum(age_ref, age_partner), age_ref)
    _children(hh, household, role, youngest, parent, age, sex, rng)
    _others(hh, household, role, age_ref, age, sex, rng)
    ethnic = _ethnic(hh, household, role, rng)
    return {"household": household, "role": role, "age": age, "sex": sex, "ethnic": ethnic, "partner": partner}


def _adults(land: Landscape, hh: Columns, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ages of reference person and partner, sex of the reference person, age of the youngest child (-1 = no children)."""
    kind, n = hh["composition"], len(hh["composition"])
    old = land.old[hh["zone"]]
    parts = (
        (PENSIONER_ALONE, (1.25, 2.8), (PENSION_AGE, 101)),
        (ADULT_ALONE, (1.45, 1.2), (19, 66)),
        (PENSIONER_COUPLE, (1.15, 2.9), (PENSION_AGE, 98)),
        (SHARING, (0.8, 1.5), (18, 84)),
    )
    age = np.zeros(n)
    spread = rng.random(n)  # one uniform a household: its place in its composition's distribution of ages
    for code, shape, (low, high) in parts:
        here = kind == code
        age[here] = low + (high - low) * _beta_quantile(spread[here], shape) ** np.exp(-0.08 * old[here])
    here = kind == COUPLE
    grown = rng.random(n) < np.clip(0.55 + 0.10 * old, 0.1, 0.95)  # couples whose children have left, or who never had any
    age[here & grown] = 40 + 26 * _beta_quantile(spread[here & grown], (2.2, 1.2))
    age[here & ~grown] = 20 + 20 * _beta_quantile(spread[here & ~grown], (1.8, 1.8))
    age[kind == STUDENTS] = 18 + 7 * spread[kind == STUDENTS] ** 1.4

    youngest = np.full(n, -1.0)
    dependent = np.isin(kind, (COUPLE_DEPENDENT, LONE_DEPENDENT, GENERATIONS))
    youngest[dependent] = np.floor(18.0 * spread[dependent] ** np.where(kind[dependent] == COUPLE_DEPENDENT, 1.3, 1.0))
    grown_up = np.isin(kind, (COUPLE_GROWN, LONE_GROWN))
    longer = np.where(kind == LONE_GROWN, 12.0, 7.0)  # years at home after 18: mean; lone parents grow old with a child
    youngest[grown_up] = np.minimum(19.0 - longer[grown_up] * np.log1p(-spread[grown_up] * 0.985), 62.0)
    mean = MOTHER_AT_BIRTH[0] + 1.2 * (hh["children"] - 1) + 1.3 * hh["advantage"] - np.where(kind == LONE_DEPENDENT, 2.0, 0.0)
    at_birth = np.clip(mean + MOTHER_AT_BIRTH[1] * rng.standard_normal(n), 17.0, 46.0)
    with_child = youngest >= 0
    age[with_child] = (youngest + at_birth)[with_child]

    male = (rng.random(n) < chance(_male_log_odds(land, hh, age))).astype(np.int8)
    gap = AGE_GAP[0] + AGE_GAP[1] * np.clip(rng.standard_t(5, n), -5.0, 6.0)
    ref = np.where((hh["partner"] == 1) & (male == 1), age + gap, age)
    other = np.where(male == 1, age, age + gap)
    low = np.where(kind == PENSIONER_COUPLE, PENSION_AGE, 18)
    low = np.where(with_child, np.maximum(low, youngest + 16), low)
    ref = np.where(np.isin(kind, (PENSIONER_ALONE, PENSIONER_COUPLE)), np.maximum(ref, PENSION_AGE), ref)
    ref, other = (np.clip(np.floor(a), low, OLDEST).astype(np.int16) for a in (ref, other))
    both_old = (kind == COUPLE) & (ref >= PENSION_AGE) & (other >= PENSION_AGE)
    other[both_old] = PENSION_AGE - 1
    return ref, other, male, np.floor(youngest).astype(np.int16)


def _male_log_odds(land: Landscape, hh: Columns, age: np.ndarray) -> np.ndarray:
    """Log odds that the reference person is a man (ONS, Families and households: six in seven lone parents are women)."""
    base = np.array([0.1, 0.42, 0.45, 0.45, 0.45, 0.45, -2.0, -1.4, 0.3, 0.3, -0.1])[hh["composition"]]
    base = np.where(hh["composition"] == PENSIONER_ALONE, -0.055 * (age - PENSION_AGE), base)
    base = np.where(hh["composition"] == ADULT_ALONE, 0.9 - 0.015 * (age - 20), base)  # fathers who live apart are mostly young
    base = np.where((hh["composition"] == GENERATIONS) & (hh["partner"] == 0), -1.5, base)
    single = (hh["partner"] == 0) & (hh["children"] == 0)
    local = -2.0 * local_slope(land, "age_sex", hh["zone"], local_age(age))  # young men here, old men there
    return base + np.where(single, local, 0.0)


def _children(
    hh: Columns,
    household: np.ndarray,
    role: np.ndarray,
    youngest: np.ndarray,
    parent: np.ndarray,
    age: np.ndarray,
    sex: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Ages (from the youngest, 1 to 7 years apart, 16 below the younger parent at least) and sexes of children, in place."""
    rows = np.flatnonzero(role == CHILD)
    home = household[rows]
    number = hh["children"][hh["children"] > 0].astype(np.int64)
    first = np.cumsum(number) - number
    order = within(first, number)
    step = np.where(order > 0, 1 + np.minimum(rng.poisson(1.7, len(rows)), 6), 0)
    total = np.cumsum(step)
    total -= np.repeat(total[first], number) if len(first) else 0
    age[rows] = np.minimum(youngest[home] + total, parent[home] - 16)
    sex[rows] = rng.random(len(rows)) < 0.513  # 105 boys to 100 girls at birth (ONS)


def _others(
    hh: Columns,
    household: np.ndarray,
    role: np.ndarray,
    age_ref: np.ndarray,
    age: np.ndarray,
    sex: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Ages and sexes of further adults: grandparents, siblings and friends, fellow students; in place."""
    rows = np.flatnonzero(role == OTHER)
    home, kind, n = household[rows], hh["composition"][household[rows]], len(rows)
    grandparent = (kind == GENERATIONS) & (rng.random(n) < 0.6)
    drawn = age_ref[home] + 8.0 * rng.standard_normal(n)
    drawn = np.where(grandparent, age_ref[home] + 27.0 + 5.0 * rng.standard_normal(n), drawn)
    drawn = np.where(kind == STUDENTS, 18.0 + 7.0 * rng.random(n) ** 1.4, drawn)
    age[rows] = np.clip(np.floor(drawn), 18, np.where(kind == STUDENTS, 24, OLDEST - 2))
    sex[rows] = rng.random(n) < np.where(grandparent, 0.3, np.where(kind == STUDENTS, 0.48, 0.57))


def _ethnic(hh: Columns, household: np.ndarray, role: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ethnic group of every member: mostly the reference person's; children of mixed couples are mostly mixed."""
    ref = hh["ethnic"]
    n = len(household)
    stays = np.where(ref == WHITE, 0.985, SAME_GROUP)
    other = np.where(ref == WHITE, choose_from(rng, (25, 35, 22, 18), len(ref)) + 1, WHITE)
    partner = np.where(rng.random(len(ref)) < stays, ref, other)
    child = np.where(partner == ref, ref, MIXED)
    member = np.select([role == PARTNER, role == CHILD], [partner[household], child[household]], ref[household])
    strays = np.where(role == CHILD, 0.02, np.where(role == OTHER, 0.12, 0.0))  # sharers and children who answer otherwise
    strays = np.where((role == OTHER) & (hh["composition"][household] == GENERATIONS), 0.02, strays)
    to = np.where(role == CHILD, MIXED, choose_from(rng, (70, 5, 12, 6, 7), n))
    return np.where(rng.random(n) < strays, to, member).astype(np.int8)


def _beta_quantile(u: np.ndarray, shape: tuple[float, float]) -> np.ndarray:
    """Quantiles of a beta distribution, by interpolation in a table of 513 (exact to a tenth of a year of age)."""
    from scipy.special import betaincinv

    grid = np.linspace(0.0, 1.0, 513)
    return np.interp(u, grid, betaincinv(*shape, grid))
