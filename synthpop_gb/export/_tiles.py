"""Vector tiles in one file (PMTiles), for web maps: written by GDAL, every zone found again at the finest zoom."""

from __future__ import annotations

from pathlib import Path

import numpy as np

__all__ = ["read_tiles", "write_tiles", "zooms"]

_EARTH = 40_075_017.0
"""Metres around the equator, which a tile of zoom 0 spans (Web Mercator)."""

_GRID = 4_096
"""Steps across a tile."""

_STEPS = 256
"""Steps of the finest zoom that a middling zone is wide: its outline is then within half a per cent of its width."""


def zooms(bounds, widths: np.ndarray) -> tuple[int, int]:
    """First and last zoom: from where the study area fills a tile to where a middling zone is 256 steps wide.

    bounds : west, south, east, north in degrees. widths : width of each zone in metres.

    >>> zooms((-1.8, 53.7, -1.3, 53.9), np.array([800.0, 1000.0, 1500.0]))
    (9, 11)
    """
    west, south, east, north = bounds
    shrink = np.cos(np.radians((south + north) / 2))  # a degree of longitude is shorter up here; so is a tile
    across = max((east - west) / 360 * _EARTH * shrink, (north - south) / 360 * _EARTH, 1.0)
    first = int(np.clip(np.floor(np.log2(_EARTH * shrink / across)), 0, 10))
    last = int(np.ceil(np.log2(_EARTH * shrink * _STEPS / (_GRID * max(float(np.median(widths)), 1.0)))))
    return first, int(np.clip(last, first, 14))


def write_tiles(frame, path: Path, layer: str) -> None:
    """Write zones in degrees (EPSG:4326), each with a polygon, as tiles in Web Mercator (EPSG:3857)."""
    box = frame.geometry.bounds
    shrink = np.cos(np.radians((box["miny"] + box["maxy"]).to_numpy() / 2))
    first, last = zooms(frame.total_bounds, (box["maxx"] - box["minx"]).to_numpy() / 360 * _EARTH * shrink)
    # without these limits GDAL drops zones from crowded tiles, and what is dropped is the reader's loss, not an error
    limits = {"MAX_SIZE": 50_000_000, "MAX_FEATURES": 1_000_000}
    frame.to_file(path, driver="PMTiles", layer=layer, engine="pyogrio", MINZOOM=first, MAXZOOM=last, **limits)


def read_tiles(path: Path, layer: str, written):
    """Read the finest zoom back as a frame like the one written: one row a zone, in its order, with its polygons.

    Tiles cut polygons and leave empty values out, so outlines are not compared and columns that are empty stay so.
    """
    import geopandas

    found = geopandas.read_file(path, engine="pyogrio", layer=layer)
    crs = written.crs if found.crs is not None and found.crs.to_epsg() == 3857 else found.crs
    rows = found.drop(columns="geometry").drop_duplicates("zone").set_index("zone")
    there = written["zone"].isin(rows.index).to_numpy()
    rows = rows.reindex(written.loc[there, "zone"], columns=[c for c in written.columns if c not in ("zone", "geometry")])
    return geopandas.GeoDataFrame(rows.reset_index(), geometry=written.geometry.to_numpy()[there], crs=crs)
