"""Outlines for the page: zones simplified without gaps, cut into arcs that neighbours share, in whole numbers of a fine grid.

An arc is a line between two zones, or between a zone and the outside. Zones are rings of arcs; the border of an area of any level
is the arcs that have the area on one side only, so that one set of arcs serves every level (the idea of TopoJSON, Bostock 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas

__all__ = ["Outlines", "outlines_of"]

GRID = 65_535
"""Steps of the grid along the longer side: 2.5 m across Yorkshire and the Humber, finer than a screen shows when zoomed in."""

_ACROSS = 4_000  # outlines are kept to a fraction of this across the study area


@dataclass(frozen=True, eq=False)
class Outlines:
    """Arcs and the rings made of them.

    Attributes
    ----------
    west, south, step : float
        Longitude and latitude of the grid's corner, and its step along both, in degrees.
    points : (n_points, 2) int32
        Points of all arcs, in steps of the grid.
    arc_start : (n_arcs + 1,) int64
        Arc a has the points arc_start[a] to arc_start[a + 1] - 1.
    sides : (n_arcs, 2) int32
        Zones on both sides of each arc; -1 = outside.
    rings : (n_entries,) int32
        Arcs of all rings in order: a, or -1 - a where it runs backwards.
    ring_start : (n_rings + 1,) int64
    ring_zone : (n_rings,) int32
        Zone of each ring.
    ring_first : (n_rings,) bool
        Whether the ring is a polygon's outside; else it is a hole in the polygon before it.
    """

    west: float
    south: float
    step: float
    points: np.ndarray
    arc_start: np.ndarray
    sides: np.ndarray
    rings: np.ndarray
    ring_start: np.ndarray
    ring_zone: np.ndarray
    ring_first: np.ndarray


def outlines_of(shapes: geopandas.GeoDataFrame, position: np.ndarray) -> Outlines:
    """Simplify polygons together, put them on a grid of degrees and cut them into shared arcs.

    Parameters
    ----------
    shapes : geopandas.GeoDataFrame
        Polygons in metres; neighbours share the vertices of their border, as official boundaries do. Where they do not, each
        keeps its own line.
    position : (n_shapes,) int
        Number of each polygon's zone.

    Returns
    -------
    Outlines
        Rings that the grid makes thinner than a step are left out, but a zone keeps its largest.
    """
    import geopandas
    import shapely

    west, south, east, north = shapes.total_bounds
    geometry = shapes.geometry.to_numpy()
    polygonal = np.isin(shapely.get_type_id(geometry), (3, 6))
    if not polygonal.all():  # mended polygons may come with lines
        geometry = np.array([g if ok else _areas_of(g) for g, ok in zip(geometry, polygonal, strict=True)], dtype=object)
    simple = shapely.coverage_simplify(geometry, max(east - west, north - south) / _ACROSS)
    simple = np.where(shapely.is_empty(simple), geometry, simple)
    degrees = geopandas.GeoSeries(simple, crs=shapes.crs).to_crs(4326).to_numpy()
    parts, whose = shapely.get_parts(degrees, return_index=True)
    lines, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(lines, return_index=True)
    low, high = points.min(axis=0), points.max(axis=0)
    step = float((high - low).max()) / GRID or 1.0
    grid = np.round((points - low) / step).astype(np.int64)
    first = np.r_[True, np.diff(part) != 0]
    return _cut(grid, ring, first, position[whose[part]], float(low[0]), float(low[1]), step)


def _areas_of(geometry):
    """Return what of a geometry is an area."""
    import shapely

    parts = shapely.get_parts(geometry)
    return shapely.MultiPolygon([q for p in parts for q in shapely.get_parts(p) if shapely.get_type_id(q) == 3])


def _cut(grid, ring, first, zone, west, south, step) -> Outlines:
    """Cut rings at nodes: points where other than two edges meet, or where the zones on the sides change."""
    n_rings = len(zone)
    key = grid[:, 0] * (GRID + 2) + grid[:, 1]
    names, point = np.unique(key, return_inverse=True)
    point = point.reshape(-1)
    loops, kept = [], []
    for r, (a, b) in enumerate(_spans(ring, n_rings)):
        loop = point[a:b]
        loop = loop[np.r_[True, loop[1:] != loop[:-1]]]
        loop = loop[:-1] if len(loop) > 1 and loop[0] == loop[-1] else loop
        if len(loop) >= 3:
            loops.append(loop)
            kept.append(r)
    zone, first = zone[kept], _headed(first, kept)
    start = np.concatenate([[0], np.cumsum([len(x) for x in loops])]).astype(np.int64)
    here = np.concatenate(loops) if loops else np.empty(0, np.int64)
    after = np.concatenate([np.roll(x, -1) for x in loops]) if loops else here
    owner = np.repeat(zone, np.diff(start))
    edge, pair, of_edge = _edges(here, after, owner, len(names))
    degree = np.bincount(np.concatenate([edge[:, 0], edge[:, 1]]), minlength=len(names))
    before = np.concatenate([np.roll(of_edge[a:b], 1) for a, b in pairwise(start)]) if loops else of_edge
    node = (degree[here] != 2) | (pair[of_edge] != pair[before]).any(axis=1)
    return _arcs(here, node, start, zone, first, pair[of_edge], names, west, south, step)


def _spans(ring, n_rings):
    ends = np.searchsorted(ring, np.arange(n_rings + 1))
    return list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))


def _headed(first: np.ndarray, kept: list[int]) -> np.ndarray:
    """Say which rings that are kept begin a polygon: holes of an outside that was lost go with it, so each kept hole has one."""
    polygon = np.cumsum(first) - 1
    seen, out = set(), []
    for r in kept:
        out.append(polygon[r] not in seen)
        seen.add(polygon[r])
    return np.array(out, bool)


def _edges(here, after, owner, n_points):
    """Undirected edges, the zones on their sides (ascending; -1 first where there is one), and the edge of every step."""
    low, high = np.minimum(here, after), np.maximum(here, after)
    key = low * n_points + high
    names, of_edge = np.unique(key, return_inverse=True)
    of_edge = of_edge.reshape(-1)
    pair = np.full((len(names), 2), -1, np.int64)
    np.maximum.at(pair[:, 1], of_edge, owner)
    lowest = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(lowest, of_edge, owner)
    twice = np.bincount(of_edge, minlength=len(names)) > 1
    pair[:, 0] = np.where(twice, lowest, -1)
    return np.stack([names // n_points, names % n_points], axis=1), pair, of_edge


def _arcs(here, node, start, zone, first, pair, names, west, south, step) -> Outlines:
    """Give pieces between nodes numbers, each once whichever way its rings run along it."""
    known: dict[bytes, int] = {}
    pieces, sides, rings, ring_start = [], [], [], [0]
    for a, b in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        loop, cut = here[a:b], np.flatnonzero(node[a:b])
        at = cut if len(cut) else np.array([int(np.argmin(loop))])  # an island begins at its lowest point
        turned = np.r_[loop[at[0] :], loop[: at[0]], loop[at[0]]]
        stops = np.r_[at - at[0], len(loop)]
        for first_stop, last_stop in zip(stops[:-1].tolist(), stops[1:].tolist(), strict=True):
            piece = turned[first_stop : last_stop + 1]
            back = _runs_back(piece)
            named = (piece[::-1] if back else piece).astype(np.int64).tobytes()
            number = known.get(named)
            if number is None:
                number = known[named] = len(pieces)
                pieces.append(piece[::-1] if back else piece)
                sides.append(pair[a + (at[0] + first_stop) % (b - a)])
            rings.append(-1 - number if back else number)
        ring_start.append(len(rings))
    points = names[np.concatenate(pieces)] if pieces else np.empty(0, np.int64)
    lengths = np.cumsum([0, *(len(p) for p in pieces)])
    return Outlines(
        west, south, step, np.stack([points // (GRID + 2), points % (GRID + 2)], axis=1).astype(np.int32),
        lengths.astype(np.int64), np.array(sides, np.int32).reshape(-1, 2), np.array(rings, np.int32),
        np.array(ring_start, np.int64), zone.astype(np.int32), first,
    )  # fmt: skip


def _runs_back(piece: np.ndarray) -> bool:
    """Say whether a piece reads lower backwards: the same for whoever walks it either way."""
    back = piece[::-1]
    different = np.flatnonzero(piece != back)
    return bool(len(different) and back[different[0]] < piece[different[0]])
