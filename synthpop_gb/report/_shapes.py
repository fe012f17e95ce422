"""Polygons as arrays: paths that matplotlib draws at once, and the borders between areas, found from shared vertices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

__all__ = ["borders", "curves"]


def curves(shapes: np.ndarray) -> list:
    """Turn polygons into matplotlib paths, one compound path a polygon, holes and islands included.

    shapes : (n,) shapely polygons, multipolygons or collections; what is no area is left out.
    Drawing them takes a second for 35,000 zones, where one patch a zone takes a minute.
    """
    import shapely
    from matplotlib.path import Path as Curve

    parts, whose = shapely.get_parts(shapes, return_index=True)
    is_area = shapely.get_type_id(parts) == 3
    rings, part = shapely.get_rings(parts[is_area], return_index=True)
    whose = whose[is_area][part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), Curve.LINETO, np.uint8)
    codes[np.flatnonzero(np.diff(ring, prepend=-1))] = Curve.MOVETO
    codes[np.flatnonzero(np.diff(ring, append=-1))] = Curve.CLOSEPOLY
    ends = np.searchsorted(whose[ring], np.arange(len(shapes) + 1))
    return [Curve(points[a:b], codes[a:b]) for a, b in pairwise(ends)]


def borders(shapes: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Line segments between zones of different areas, and around the outside.

    shapes : (n,) polygons that share vertices along their borders, as official boundaries do.
    area : (n,) int area of each.
    Returns (n_segments, 2, 2) float64; empty where polygons do not share vertices, since every line would then be a border.
    """
    import shapely

    lines = shapely.boundary(shapes)
    rings = shapely.get_parts(lines)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    whose = np.repeat(np.arange(len(shapes)), shapely.get_num_geometries(lines))[ring]
    joined = ring[1:] == ring[:-1]
    key = np.round(points).astype(np.int64) @ np.array([1 << 32, 1])
    first, second = np.minimum(key[1:], key[:-1])[joined], np.maximum(key[1:], key[:-1])[joined]
    owner, at = area[whose[1:][joined]], np.flatnonzero(joined)
    order = np.lexsort((owner, second, first))
    first, second, owner, at = first[order], second[order], owner[order], at[order]
    fresh = np.r_[True, (np.diff(first) != 0) | (np.diff(second) != 0)] & (first != second)
    again = np.r_[~fresh[1:], False]
    alone = fresh & ~again
    if alone.mean() > 0.5:
        return np.empty((0, 2, 2))
    between = np.r_[~fresh[1:] & (np.diff(owner) != 0), False]
    keep = at[alone | between]
    return np.stack([points[keep], points[keep + 1]], axis=1)
