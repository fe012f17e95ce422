"""The county's map: zones tessellating an invented outline, nested in msoas, districts and one county, with codes and names.

Zones are Voronoi cells of points that crowd in towns, clipped to an outline and bent by a smooth one-to-one warp, so that
borders look drawn by rivers and roads rather than by ruler. The county lies in the North Sea of the British National Grid
(EPSG:27700), so it can never be mistaken for, or cover, a real place.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.datasets._worlds import World

CENTRE = (540_000.0, 650_000.0)
"""Easting and northing of the middle of every county, metres: open sea, 100 km off Berwick."""

ZONE_AREA = 3.75
"""Mean area of a zone, square kilometres: 1,500 people at 4 a hectare, as in an English shire with one city."""

ZONES_PER_MSOA = 5
"""As in England and Wales, where 7,264 MSOAs hold 35,672 LSOAs."""

ZONES_PER_TOWN = 25
TOWN_SHARE = 0.75
"""A town per 25 zones, and three zones in four in a town: 82 % of England's people live in urban areas (RUC 2011)."""

_WAVES = ((7.0, 0.055), (1.8, 0.055))  # wavelength (km) and amplitude per wavelength; their slopes sum to 0.7, so no fold


@dataclass(frozen=True)
class Places:
    """Zones of one county in code order. Lengths in km from the middle; polygons in metres of EPSG:27700."""

    points: np.ndarray  # (n_zones, 2)
    polygons: np.ndarray  # (n_zones,) shapely polygons
    urban: np.ndarray  # (n_zones,) log of zones per square km, standardised
    coast: np.ndarray  # (n_zones,) closeness to the eastern coast, 0 to 1
    centre: np.ndarray  # (2,) largest town
    msoa: np.ndarray  # (n_zones,) index
    lookup: pd.DataFrame  # zone, name, msoa, msoa_name, district, district_name, county, county_name


def make_places(world: World, n_zones: int, rng: np.random.Generator) -> Places:
    """Draw the map of a county of n_zones zones."""
    import shapely

    radius = np.sqrt(n_zones * ZONE_AREA / np.pi)
    angle = np.linspace(0.0, 2.0 * np.pi, 361)[:-1]
    reach = radius * _outline(angle, rng)
    points, centre = _settle(rng, n_zones, radius, angle, reach)
    district, msoa, order = _nest(points, len(world.districts))
    points = points[order]
    shore = np.column_stack([np.cos(angle), np.sin(angle)]) * reach[:, None]
    polygons = _bend(_tessellate(points, shore, radius), rng)
    area = shapely.area(polygons) / 1e6
    bearing = np.arctan2(points[:, 1], points[:, 0])
    to_shore = np.interp(bearing % (2.0 * np.pi), angle, reach, period=2.0 * np.pi) - np.hypot(*points.T)
    coast = np.exp(-np.maximum(to_shore, 0.0) / 2.5) * (np.abs(bearing) < np.pi / 3)
    urban = -np.log(area)
    lookup = _lookup(world, district, msoa)
    return Places(points, polygons, (urban - urban.mean()) / urban.std(), coast, centre, msoa, lookup)


def _outline(angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Distance of the county's border from its middle in each direction, as a share of the mean."""
    reach = np.ones_like(angle)
    for k in range(2, 10):
        reach += 0.16 / k**0.9 * np.cos(k * angle + rng.uniform(0.0, 2.0 * np.pi))
    return reach / np.sqrt((reach**2).mean())


def _settle(
    rng: np.random.Generator, n: int, radius: float, angle: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Points of n zones, most in towns whose sizes fall as 1 / rank (Zipf), evened out; and the main town."""
    from scipy.spatial import cKDTree

    n_towns = max(2, round(n / ZONES_PER_TOWN))
    size = 1.0 / np.arange(1, n_towns + 1)
    towns = _inside(rng, n_towns, 0.75 * radius, angle, reach)
    towns[0] *= 0.5
    town = rng.choice(n_towns, size=4 * n, p=size / size.sum())
    spread = 0.42 * np.sqrt(TOWN_SHARE * n * size / size.sum())
    drawn = np.where(
        (rng.random(4 * n) < TOWN_SHARE)[:, None],
        towns[town] + spread[town, None] * rng.standard_normal((4 * n, 2)),
        _inside(rng, 4 * n, radius, angle, reach),
    )
    points = drawn[_share_of_reach(drawn, angle, reach) < 0.97][:n]
    for _ in range(10):  # neighbours nearer than usual push each other apart: no slivers
        distance, near = cKDTree(points).query(points, k=min(7, n))
        usual = distance[:, 1:].mean(axis=1)
        apart = points - points[near[:, 1]]
        push = np.clip(usual - distance[:, 1], 0.0, None) * 0.4
        moved = points + apart / np.maximum(distance[:, 1:2], 1e-9) * push[:, None]
        points = np.where((_share_of_reach(moved, angle, reach) < 0.97)[:, None], moved, points)
    return points, towns[0]


def _inside(rng: np.random.Generator, n: int, radius: float, angle: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return n points spread evenly over the county as far as `radius` goes."""
    theta = rng.uniform(0.0, 2.0 * np.pi, n)
    r = np.minimum(np.interp(theta, angle, reach, period=2.0 * np.pi), radius * 1.3) * np.sqrt(rng.random(n)) * 0.96
    return np.column_stack([r * np.cos(theta), r * np.sin(theta)])


def _share_of_reach(points: np.ndarray, angle: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """How far out each point lies, as a share of the way to the border in its direction."""
    theta = np.arctan2(points[:, 1], points[:, 0]) % (2.0 * np.pi)
    return np.hypot(points[:, 0], points[:, 1]) / np.interp(theta, angle, reach, period=2.0 * np.pi)


def _nest(points: np.ndarray, n_districts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compact groups of zones: district and msoa of each zone, in code order, and the order of the points that gives it."""
    n = len(points)
    n_districts = max(1, min(n_districts, n // (2 * ZONES_PER_MSOA)))
    order, district, msoa = [], [], []
    for d, members in enumerate(_bisect(points, np.arange(n), n_districts)):
        for group in _bisect(points, members, max(1, round(len(members) / ZONES_PER_MSOA))):
            order.append(group)
            district.append(np.full(len(group), d))
            msoa.append(np.full(len(group), len(msoa)))
    return np.concatenate(district), np.concatenate(msoa), np.concatenate(order)


def _bisect(points: np.ndarray, members: np.ndarray, k: int) -> list[np.ndarray]:
    """Split members into k groups of nearly equal number by halving across the longer side, again and again."""
    if k == 1:
        return [members]
    here = points[members]
    by = members[np.argsort(here[:, np.ptp(here, axis=0).argmax()], kind="stable")]
    left = k // 2
    at = round(len(members) * left / k)
    return _bisect(points, by[:at], left) + _bisect(points, by[at:], k - left)


def _tessellate(points: np.ndarray, shore: np.ndarray, radius: float) -> np.ndarray:
    """Voronoi cells clipped to the shore line. Far points around make every cell finite. Returns shapely polygons, km."""
    import shapely
    from scipy.spatial import Voronoi

    ring = np.linspace(0.0, 2.0 * np.pi, 17)[:-1]
    far = 20.0 * radius * np.column_stack([np.cos(ring), np.sin(ring)])
    diagram = Voronoi(np.vstack([points, far]))
    cells = [shapely.Polygon(diagram.vertices[diagram.regions[r]]) for r in diagram.point_region[: len(points)]]
    return shapely.intersection(np.array(cells, dtype=object), shapely.Polygon(shore))


def _bend(cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give borders a natural look: add vertices every 250 m and move each by a smooth field; then metres of EPSG:27700."""
    import shapely

    phase = rng.uniform(0.0, 2.0 * np.pi, (len(_WAVES), 2))

    def warp(xy: np.ndarray) -> np.ndarray:
        moved = xy.copy()
        for (length, share), (p, q) in zip(_WAVES, phase, strict=True):
            k = 2.0 * np.pi / length
            moved[:, 0] += share * length * np.sin(k * xy[:, 1] + p + np.sin(0.31 * k * xy[:, 0]))
            moved[:, 1] += share * length * np.sin(k * xy[:, 0] + q + np.sin(0.27 * k * xy[:, 1]))
        return np.round(moved * 1000.0 + CENTRE, 1)

    return shapely.make_valid(shapely.transform(shapely.segmentize(cells, 0.25), warp))


def _lookup(world: World, district: np.ndarray, msoa: np.ndarray) -> pd.DataFrame:
    """Codes and names of every level.

    Codes look like those of the GSS register, an entity of two digits and a number of six ('D01200017'), but begin with D,
    which the register gives to no country (E, N, S, W, and K, L, M, J, H for combinations): they can never collide. The first
    of the six digits is the world's number, so two worlds never share a code either.
    """
    first = np.r_[0, np.flatnonzero(np.diff(msoa)) + 1]
    letter = np.arange(len(msoa)) - np.repeat(first, np.diff(np.r_[first, len(msoa)]))
    first_msoa = msoa[np.searchsorted(district, np.arange(district.max() + 1))]
    number = msoa - first_msoa[district] + 1
    names = np.array(world.districts, dtype=object)[district]
    msoa_name = [f"{name} {i:03d}" for name, i in zip(names, number, strict=True)]

    def code(entity: str, index: np.ndarray) -> list[str]:
        return [f"D{entity}{world.number}{i + 1:05d}" for i in index]

    return pd.DataFrame(
        {
            "zone": code("01", np.arange(len(msoa))),
            "name": [f"{name}{string.ascii_uppercase[i]}" for name, i in zip(msoa_name, letter, strict=True)],
            "msoa": code("02", msoa),
            "msoa_name": msoa_name,
            "district": code("07", district),
            "district_name": names.astype(str),
            "county": f"D10{world.number}00001",
            "county_name": world.county,
        }
    )
