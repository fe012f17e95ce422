"""Polygons of the zones, valid and in the reference system that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthpop_gb.errors import InputError, finding
from synthpop_gb.geography import Geography

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

__all__ = ["BRITISH_GRID", "WORLD", "dissolved", "polygons"]

BRITISH_GRID, WORLD = 27700, 4326
"""EPSG codes: British National Grid in metres; longitude and latitude in degrees (WGS 84)."""


def polygons(geography: Geography, crs: int = BRITISH_GRID) -> geopandas.GeoDataFrame:
    """Read the zones' polygons, mend invalid ones, and project them.

    Parameters
    ----------
    geography : Geography
        With a boundary file. A file that names no reference system is taken for degrees where every coordinate could be one,
        else for the British National Grid.
    crs : int
        EPSG code wanted.

    Returns
    -------
    geopandas.GeoDataFrame
        Indexed by zone code, in the geography's order, one polygon a zone (pieces listed apart are joined); zones without one
        are left out.

    Raises
    ------
    InputError
        `missing-file` where the study names no boundaries; `unreadable-file`; `no-zones` where no polygon belongs to a zone.
    """
    import geopandas
    import shapely

    try:
        frame = geography.boundaries()
    except FileNotFoundError as error:
        raise InputError([finding("missing-file", f"The boundaries are missing: {error}.", place="zones.boundaries")]) from error
    except (OSError, RuntimeError, KeyError, ValueError) as error:  # each driver has its own
        place = ", ".join(geography.boundary_files)
        raise InputError([finding("unreadable-file", f"The boundaries cannot be read: {error}.", place=place)]) from error
    shapes = frame.geometry[frame.geometry.notna() & ~frame.geometry.is_empty]
    if shapes.empty:
        message = f"None of the {len(geography.codes):,} zones has a polygon in {', '.join(geography.boundary_files)}."
        raise InputError(
            [
                finding(
                    "no-zones",
                    message,
                    place=", ".join(geography.boundary_files),
                    remedy="Use boundaries of the same year as the zones.",
                )
            ]
        )
    if shapes.crs is None:
        degrees = (abs(shapes.total_bounds) <= (180, 90, 180, 90)).all()
        shapes = shapes.set_crs(WORLD if degrees else BRITISH_GRID)
    if not shapes.index.is_unique:
        shapes = geopandas.GeoSeries(shapes.groupby(level=0).agg(lambda s: s.union_all()), crs=shapes.crs)
        shapes = shapes.loc[geography.codes[geography.codes.isin(shapes.index)]]
    bad = ~shapely.is_valid(shapes.to_numpy())
    if bad.any():
        shapes = shapes.where(~bad, shapes.make_valid())
    return geopandas.GeoDataFrame(geometry=shapes.to_crs(crs).rename_axis("zone"))


def dissolved(shapes: geopandas.GeoDataFrame, area: pd.Series) -> geopandas.GeoSeries:
    """Join the polygons of zones to those of the areas that they nest in.

    Parameters
    ----------
    shapes : geopandas.GeoDataFrame
        Polygons, indexed by zone code.
    area : pandas.Series
        Area of each zone, indexed by zone code; zones without one are left out.

    Returns
    -------
    geopandas.GeoSeries
        Indexed by area, sorted; areas none of whose zones has a polygon are left out.
    """
    import geopandas

    frame = geopandas.GeoDataFrame(
        {"area": area.reindex(shapes.index).to_numpy()}, geometry=shapes.geometry.to_numpy(), crs=shapes.crs
    )
    return frame.dissolve("area").geometry
