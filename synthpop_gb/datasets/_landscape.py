"""What differs from zone to zone: deprivation, age, students, ethnic mix, tenure, and associations that only the joint shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.datasets._places import Places
from synthpop_gb.datasets._worlds import World

LOCAL = ("age_health", "age_tenure", "sex_activity", "age_qualification", "minority_health", "age_sex")
"""Zone-specific associations. Each zone has a coefficient for each, with mean 0 and standard deviation `World.local_joint`:
the slope of the second variable's latent on the first, which is centred within the zone, so that the tables of one variable
hardly move and the joint does."""

AGE_UNIT = 20.0
"""Years of age that count as one unit in a local association; differences beyond 30 years count as 30."""

GROUP_SPREAD = (0.4, 1.0, 0.9, 0.6)
"""How unevenly mixed, asian, black and other people live, against World.ethnic_segregation (TS021: mixed people least so)."""

SMOOTH = 5.0
"""Wavelength over which zones resemble each other, km: neighbourhoods of a town."""

MSOA_SHARE = 1 / 3
"""Share of the variance of local associations that the zones of one msoa have in common."""


@dataclass(frozen=True)
class Landscape:
    """Zone effects; each array (n_zones,) with mean 0 and sd 1 over the county unless said otherwise."""

    deprivation: np.ndarray
    urban: np.ndarray
    old: np.ndarray
    students: np.ndarray  # log weight added to 'students sharing', 0 where there are none
    ethnic: np.ndarray  # (4, n_zones) log odds of mixed, asian, black, other against white
    social: np.ndarray  # log odds of social renting beyond deprivation
    private: np.ndarray  # log odds of private renting
    local: np.ndarray  # (len(LOCAL), n_zones), sd World.local_joint
    outcome: np.ndarray  # log odds of smoking, sd World.outcome_zone

    def of(self, zones: np.ndarray | slice) -> Landscape:
        """Return the same for some zones."""
        return Landscape(**{name: values[..., zones] for name, values in vars(self).items()})


def make_landscape(world: World, places: Places, rng: np.random.Generator) -> Landscape:
    """Draw the zone effects of a county: smooth fields, gradients from the main town and the coast, and zones' own chance.

    The numbers weigh standardised parts before each sum is standardised again. They make town centres poorer, younger, more
    mixed and more often rented, leave tenure mostly to the single estate, and make neighbours alike: Moran's I of deprivation
    over six neighbours is 0.45 to 0.7. Local authorities with 60 or more LSOAs have a median of 0.32 and a 95th percentile of
    0.63 (Index of Multiple Deprivation 2025), so these counties are at the smooth end, where maps are easiest to read.
    """
    xy, n = places.points, len(places.points)
    inner = _unit(np.exp(-np.hypot(*(xy - places.centre).T) / (0.15 * np.sqrt(n) + 1.0)))  # fades over a sixth of the county
    deprivation = _unit(0.6 * inner + 0.25 * places.urban + 0.75 * _field(rng, xy) + 0.7 * rng.standard_normal(n))
    ageing = -0.5 * places.urban - 0.3 * inner + 3.0 * world.coast * places.coast
    old = _unit(ageing + 0.4 * _field(rng, xy) + 0.55 * rng.standard_normal(n))
    away = np.hypot(*(xy - places.centre - 0.6).T) / (0.06 * np.sqrt(n) + 0.3)
    together = 0.75 * inner + 0.9 * _field(rng, xy)  # minorities live near each other, and each near its own
    mix = np.stack([_unit(together + 0.8 * _field(rng, xy) + 0.35 * rng.standard_normal(n)) for _ in GROUP_SPREAD])
    own = rng.standard_normal((len(LOCAL), n))
    shared = rng.standard_normal((len(LOCAL), places.msoa.max() + 1))[:, places.msoa]
    return Landscape(
        deprivation=deprivation,
        urban=places.urban,
        old=old,
        students=world.campus * 5.5 * np.exp(-(away**2)),
        ethnic=_ethnic_odds(world, mix),
        social=world.tenure_segregation * _unit(0.4 * deprivation + 0.5 * _field(rng, xy) + rng.standard_normal(n)),
        private=0.6 * _unit(0.5 * inner + 0.5 * places.urban + 0.5 * places.coast + 0.6 * rng.standard_normal(n)),
        local=world.local_joint * (np.sqrt(MSOA_SHARE) * shared + np.sqrt(1.0 - MSOA_SHARE) * own),
        outcome=world.outcome_zone * rng.standard_normal(n),
    )


def landscape_elsewhere(world: World, rng: np.random.Generator, n: int, region: Region) -> Landscape:
    """Zone effects of n zones drawn from another county of the same super-population, which differs in its means.

    These zones have no map: their effects have the variances and correlations of `make_landscape`, without the smoothness.
    """

    def normal(mean: float = 0.0, sd: float = 1.0) -> np.ndarray:
        return mean + sd * rng.standard_normal(n)

    urban = normal(region.urban)
    deprivation = region.deprivation + 0.45 * (urban - region.urban) + 0.9 * rng.standard_normal(n)
    together = 0.3 * (urban - region.urban) + 0.7 * rng.standard_normal(n)
    mix = together + 0.65 * rng.standard_normal((len(GROUP_SPREAD), n))
    return Landscape(
        deprivation=deprivation,
        urban=urban,
        old=region.old - 0.4 * (urban - region.urban) + 0.9 * rng.standard_normal(n),
        students=np.where(rng.random(n) < 0.03, 4.0 * world.campus, 0.0),
        ethnic=region.ethnic + _ethnic_odds(world, mix),
        social=world.tenure_segregation * (0.35 * deprivation + 0.94 * rng.standard_normal(n)),
        private=normal(0.3 * region.urban, 0.6),
        local=world.local_joint * rng.standard_normal((len(LOCAL), n)),
        outcome=world.outcome_zone * rng.standard_normal(n),
    )


@dataclass(frozen=True)
class Region:
    """Another county of the survey: its means against the demo county's 0, its size, and how densely it is sampled."""

    name: str
    deprivation: float
    urban: float
    old: float
    ethnic: float
    households: int
    boost: float


REGIONS = (
    Region("Northfell", 0.35, -0.2, 0.2, -0.7, 420_000, 1.0),
    Region("Estermoor", -0.15, -0.5, 0.5, -0.8, 250_000, 2.2),
    Region("Vale of Tarn", -0.4, 0.0, 0.1, -0.2, 610_000, 1.0),
    Region("Southmarch", -0.3, 0.3, -0.1, 0.2, 880_000, 0.8),
    Region("Kelderwick", 0.2, 0.9, -0.5, 1.1, 1_150_000, 0.7),
)
"""Counties that share the survey with the demo county. Small ones are sampled more densely, as surveys do for the nations."""


def _ethnic_odds(world: World, mix: np.ndarray) -> np.ndarray:
    """Log odds of each minority from standardised fields. mix: (4, n_zones)."""
    return np.array(world.ethnic)[:, None] + world.ethnic_segregation * np.array(GROUP_SPREAD)[:, None] * mix


def local_slope(land: Landscape, name: str, zone: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Each zone's own slope times x centred within its zone. zone, x: (n,). Returns (n,), mean 0 in every zone."""
    n_zones = len(land.deprivation)
    mean = np.bincount(zone, x, n_zones) / np.maximum(np.bincount(zone, minlength=n_zones), 1)
    return land.local[LOCAL.index(name)][zone] * (x - mean[zone])


def local_age(age: np.ndarray) -> np.ndarray:
    """Age for local associations, in units of 20 years around 45, within 1.5 units. age: years."""
    return np.clip((age - 45.0) / AGE_UNIT, -1.5, 1.5)


def _field(rng: np.random.Generator, xy: np.ndarray, waves: int = 40) -> np.ndarray:
    """Return a smooth random field, mean 0 and sd about 1: random Fourier features of a Gaussian kernel (Rahimi & Recht 2007)."""
    frequency = rng.standard_normal((2, waves)) / SMOOTH
    return np.sqrt(2.0 / waves) * np.cos(xy @ frequency * np.sqrt(2.0) + rng.uniform(0.0, 2.0 * np.pi, waves)).sum(axis=1)


def _unit(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()
