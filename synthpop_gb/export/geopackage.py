"""Values by zone with their polygons, for QGIS (GeoPackage), code (GeoParquet) and the web (GeoJSON)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export.polygons import BRITISH_GRID, WORLD, polygons
from synthpop_gb.geography import Geography

__all__ = ["column_names", "geopackage"]

_RESERVED = {"fid", "ogc_fid", "geom", "geometry", "zone", "id", "bbox", "covering", "rowid"}


def geopackage(values: pd.DataFrame | pd.Series, geography: Geography, path: str | Path, *, layer: str = "zones") -> Path:
    """Write values by zone with names, parents and polygons; read the file back and compare.

    Parameters
    ----------
    values : pandas.DataFrame or Series
        Indexed by zone code: numbers, truth values or text. Zones of the geography without a row have empty fields.
    geography : Geography
        Zones and boundaries.
    path : path
        '.gpkg': British National Grid, opens in QGIS by dragging; '.parquet' (usually '.geo.parquet'): GeoParquet 1.1 in degrees
        (WGS 84); '.geojson': RFC 7946, degrees. An existing file is replaced once the new one is complete.
    layer : str
        Name of the GeoPackage's layer.

    Returns
    -------
    Path
        The file. Columns are named as `column_names` says; zones without a polygon are kept, without geometry.

    Raises
    ------
    InputError
        `study-value` for another ending; `missing-file` without boundaries; `output-locked`.
    OSError
        Where what was read back is not what was written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".gpkg", ".parquet", ".geojson"):
        message = f"{path.name} has none of the endings .gpkg, .geo.parquet, .parquet, .geojson."
        raise InputError([finding("study-value", message, place=str(path))])
    frame = _with_places(values, geography, BRITISH_GRID if kind == ".gpkg" else WORLD)
    with replacing(path) as temporary:
        _write(frame, temporary, kind, layer)
        _compare(_read(temporary, kind, layer), frame, path)
    return path


def column_names(names: Iterable) -> list[str]:
    """Names that every format and QGIS accept: letters, digits and '_', starting with a letter, distinct whatever their case.

    >>> column_names(["share", "Share", "ethnic group = 'other'", "2011", "fid"])
    ['share', 'Share_2', 'ethnic_group_other', 'v_2011', 'v_fid']
    """
    out: list[str] = []
    taken = set(_RESERVED)
    for name in names:
        safe = re.sub(r"\W+", "_", str(name), flags=re.ASCII).strip("_")[:50] or "value"
        safe = safe if safe[0].isalpha() and safe.lower() not in _RESERVED else f"v_{safe}"
        stem, number = safe, 1
        while safe.lower() in taken:
            number += 1
            safe = f"{stem}_{number}"
        taken.add(safe.lower())
        out.append(safe)
    return out


def _with_places(values: pd.DataFrame | pd.Series, geography: Geography, crs: int):
    import geopandas

    values = values.to_frame() if isinstance(values, pd.Series) else values
    if not values.index.is_unique:
        raise ValueError("values must have one row a zone")
    shapes = polygons(geography, crs).geometry.reindex(geography.codes)
    places, rows = geography.zones, values.reindex(geography.codes)
    frame = pd.concat([places, rows], axis=1)
    frame.columns = column_names([*places.columns, *rows.columns])
    for column in frame:
        if frame[column].dtype.name in ("category", "object"):  # text, or numbers with gaps: drivers know neither as such
            frame[column] = frame[column].astype(object).infer_objects()
    frame.insert(0, "zone", geography.codes.astype(str))
    return geopandas.GeoDataFrame(frame.reset_index(drop=True), geometry=shapes.to_numpy(), crs=crs)


def _write(frame, path: Path, kind: str, layer: str) -> None:
    if kind == ".parquet":
        frame.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True)
    elif kind == ".gpkg":
        frame.to_file(path, driver="GPKG", layer=layer, engine="pyogrio")
    else:
        frame.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")


def _read(path: Path, kind: str, layer: str):
    import geopandas

    if kind == ".parquet":
        return geopandas.read_parquet(path)
    return geopandas.read_file(path, engine="pyogrio", **({"layer": layer} if kind == ".gpkg" else {}))


def _compare(read, written, path: Path) -> None:
    """Raise OSError where zones, values or reference system differ from what was written."""
    wrong = []
    if read["zone"].astype(str).tolist() != written["zone"].tolist():
        wrong.append("zones")
    if read.crs is None or read.crs.to_epsg() != written.crs.to_epsg():
        wrong.append("reference system")
    if (read.geometry.isna() | read.geometry.is_empty).tolist() != written.geometry.isna().tolist():
        wrong.append("polygons")
    for column in written.columns.drop(["geometry"]):
        if column not in read or not _equal(read[column], written[column]):
            wrong.append(column)
    if wrong:
        raise OSError(f"{path} was not written: reading it back gave other {', '.join(wrong)}")


def _equal(left: pd.Series, right: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(right) or pd.api.types.is_bool_dtype(right):
        numbers = [pd.to_numeric(s).to_numpy(np.float64, na_value=np.nan) for s in (left, right)]
        return bool(np.allclose(*numbers, rtol=1e-12, atol=0, equal_nan=True))
    texts = [s.astype(object).where(s.notna(), None).map(lambda v: None if v is None else str(v)).tolist() for s in (left, right)]
    return texts[0] == texts[1]
