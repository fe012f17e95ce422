"""Values by zone with their polygons, for QGIS (GeoPackage), code (GeoParquet) and the web (GeoJSON, PMTiles)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._gpkg_tables import Described, aliases_of, describe, differences
from synthpop_gb.export._qml import LayerStyle, outline_style, value_style
from synthpop_gb.export._tiles import read_tiles, write_tiles
from synthpop_gb.export.fields import Field
from synthpop_gb.export.polygons import BRITISH_GRID, WORLD, dissolved, polygons
from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import classify, classify_widths

if TYPE_CHECKING:
    import geopandas

__all__ = ["column_names", "geopackage"]

_RESERVED = {"fid", "ogc_fid", "geom", "geometry", "zone", "id", "bbox", "covering", "rowid", "mvt_id"}
_KINDS = (".gpkg", ".parquet", ".geojson", ".pmtiles")


def geopackage(
    values: pd.DataFrame | pd.Series,
    geography: Geography,
    path: str | Path,
    *,
    layer: str = "zones",
    fields: Mapping[str, Field] | None = None,
    show: str | Sequence[str] | None = None,
    parents: Mapping[str, pd.DataFrame] | None = None,
    hatch: tuple[str, str] = ("reliability", "unreliable"),
    about: str = "",
) -> Path:
    """Write values by zone with names, parents and polygons; read the file back and compare.

    A GeoPackage opens in QGIS as a map: its default style divides the first column of `show` into classes of colours that
    everybody can tell apart, with the unit in the legend; areas without a value, and those that a word in another column marks,
    are hatched. Every parent level that covers the zones is a layer of its own, dissolved from them.

    Parameters
    ----------
    values : pandas.DataFrame or Series
        Indexed by zone code: numbers, truth values or text. Zones of the geography without a row have empty fields.
    geography : Geography
        Zones and boundaries.
    path : path
        '.gpkg': British National Grid, opens in QGIS by dragging; '.parquet' (usually '.geo.parquet'): GeoParquet 1.1 in degrees
        (WGS 84) with a box around every zone, so that readers fetch an area alone; '.geojson': RFC 7946, degrees; '.pmtiles':
        vector tiles for web maps, cut and simplified by zoom. An existing file is replaced once the new one is complete.
    layer : str
        Name of the layer of zones.
    fields : mapping of column to Field, optional
        Names for people, units and what maps show; `fields.estimate_fields` describes the columns of `Indicators.frame`.
    show : str or sequence of str, optional
        Columns to make styles of, the default first; the first column of numbers where absent.
    parents : mapping of level to pandas.DataFrame, optional
        Values of the areas of parent levels, indexed by their codes, to fill the layers of a GeoPackage; levels without are
        outlines.
    hatch : pair of str
        Column and word by which styles hatch an area; where there is no such column, none is.
    about : str
        What the layer is, and the line that its sources ask for; kept in the file.

    Returns
    -------
    Path
        The file. Columns are named as `column_names` says; zones without a polygon are kept, without geometry (tiles: left out).

    Raises
    ------
    InputError
        `study-value` for another ending; `missing-file` without boundaries; `output-locked`.
    OSError
        Where what was read back is not what was written: rows, reference system, polygons, aliases, styles.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _KINDS:
        message = f"{path.name} has none of the endings .gpkg, .geo.parquet, .parquet, .geojson, .pmtiles."
        raise InputError([finding("study-value", message, place=str(path))])
    shapes = polygons(geography, BRITISH_GRID if kind == ".gpkg" else WORLD)
    frame, names = _with_places(values, geography, shapes)
    if kind == ".gpkg":
        show = [show] if isinstance(show, str) else show
        first = _Layer(layer, frame, names, dict(fields or {}), show, hatch)
        layers = [first, *_parent_layers(geography, shapes, first, parents or {})]
        with replacing(path) as temporary:
            _write_geopackage(layers, about, temporary, path)
        return path
    with replacing(path) as temporary:
        if kind == ".pmtiles":
            frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
            write_tiles(frame, temporary, layer)
            _compare(read_tiles(temporary, layer, frame), frame, path)
        else:
            _write(frame, temporary, kind)
            _compare(_read(temporary, kind), frame, path)
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


@dataclass(frozen=True)
class _Layer:
    """One layer of a GeoPackage: its rows, how its columns of values are called in the file, what they are, which are shown."""

    name: str
    frame: geopandas.GeoDataFrame
    columns: Mapping[object, str]
    fields: Mapping[object, Field]
    show: Sequence | None
    hatch: tuple[str, str]
    code: str = "zone"

    def described(self, about: str) -> Described:
        """Say what the layer's columns are, and how they are drawn."""
        show = self._first() if self.show is None else [c for c in self.show if c in self.columns]
        told = {self.columns[c]: f for c, f in self.fields.items() if c in self.columns}
        told |= {self.columns[c]: Field(str(c)) for c in show if self.columns[c] not in told}
        title = next((c for c in ("name", f"{self.code}_name") if c in self.frame), None)
        around = {"n_areas": len(self.frame), "code": self.code, "name": title, "doubtful": None}
        if self.hatch[0] in self.columns:
            around["doubtful"] = (self.columns[self.hatch[0]], self.hatch[1])
        styles: list[LayerStyle] = []
        told_to = None
        for column in (self.columns[c] for c in show):
            field = told[column]
            numbers = pd.to_numeric(self.frame[column]).to_numpy(np.float64, na_value=np.nan) * field.scale
            width = column == "half_width" and told_to is not None
            classes = classify_widths(numbers, told_to) if width else classify(numbers, centre=field.centre)
            told_to = told_to or classes
            name, said, qml = value_style(column, field, classes, aliases=aliases_of(told), **around)
            again = any(name == taken for taken, *_ in styles)  # QGIS tells styles apart by their names
            styles.append((f"{name[:20]} {len(styles) + 1}" if again else name, said, qml))
        return Described(self.name, about, told, styles or [outline_style(self.name, self.code, title)])

    def _first(self) -> list:
        numeric = [c for c, safe in self.columns.items() if pd.api.types.is_numeric_dtype(self.frame[safe])]
        return numeric[:1]


def _parent_layers(geography: Geography, shapes, zones: _Layer, values: Mapping[str, pd.DataFrame]) -> list[_Layer]:
    """One layer a level that covers the zones, its polygons dissolved from theirs; coarser than the zones, finest first."""
    import geopandas

    places, layers = geography.zones, []
    levels = [level for level in geography.covering if places[level].nunique() < len(places)]
    for level, safe in zip(levels, column_names([zones.name, *levels])[1:], strict=True):
        outlines = dissolved(shapes, places[level].astype(str))
        by = places.groupby(places[level].astype(str), sort=False)
        told = pd.DataFrame({"zones": by.size()})
        if f"{level}_name" in places:
            told.insert(0, "name", by[f"{level}_name"].first())
        rows = values[level].rename(index=str) if level in values else pd.DataFrame(index=told.index)
        frame, names = _named(told, rows.reindex(told.index), "area")
        shape = outlines.reindex(told.index).to_numpy()
        frame = geopandas.GeoDataFrame(frame, geometry=shape, crs=shapes.crs)
        layers.append(_Layer(safe, frame, names, zones.fields, zones.show if level in values else [], zones.hatch, "area"))
    return layers


def _with_places(values: pd.DataFrame | pd.Series, geography: Geography, shapes):
    """Return codes, names, parents, values and polygons of all zones, and the columns of values by their old names."""
    import geopandas

    values = values.to_frame() if isinstance(values, pd.Series) else values
    if not values.index.is_unique:
        raise ValueError("values must have one row a zone")
    frame, names = _named(geography.zones, values.reindex(geography.codes), "zone")
    return geopandas.GeoDataFrame(frame, geometry=shapes.geometry.reindex(geography.codes).to_numpy(), crs=shapes.crs), names


def _named(places: pd.DataFrame, rows: pd.DataFrame, code: str) -> tuple[pd.DataFrame, dict]:
    """Put columns side by side under names that every format takes, after a column of codes."""
    frame = pd.concat([places, rows], axis=1)
    safe = column_names([*places.columns, *rows.columns])
    frame.columns = safe
    for column in frame:
        if frame[column].dtype.name in ("category", "object"):  # text, or numbers with gaps: drivers know neither as such
            frame[column] = frame[column].astype(object).infer_objects()
    frame.insert(0, code, places.index.astype(str))
    return frame.reset_index(drop=True), dict(zip(rows.columns, safe[len(places.columns) :], strict=True))


def _write_geopackage(layers: Sequence[_Layer], about: str, temporary: Path, path: Path) -> None:
    """Write all layers, describe them, read them back."""
    for number, layer in enumerate(layers):
        layer.frame.to_file(
            temporary, driver="GPKG", layer=layer.name, engine="pyogrio", mode="a" if number else "w", promote_to_multi=True
        )
    described = [layer.described(about) for layer in layers]
    describe(temporary, described)
    for layer in layers:
        _compare(_read(temporary, ".gpkg", layer.name), layer.frame, path, layer.code)
    if wrong := differences(temporary, described):
        raise OSError(f"{path} was not written: reading it back gave other {', '.join(wrong)}")


def _write(frame, path: Path, kind: str) -> None:
    if kind == ".parquet":
        frame.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True)
    else:
        frame.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")


def _read(path: Path, kind: str, layer: str | None = None):
    import geopandas

    if kind == ".parquet":
        return geopandas.read_parquet(path)
    return geopandas.read_file(path, engine="pyogrio", **({} if layer is None else {"layer": layer}))


def _compare(read, written, path: Path, code: str = "zone") -> None:
    """Raise OSError where zones, values or reference system differ from what was written."""
    wrong = []
    if read[code].astype(str).tolist() != written[code].tolist():
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
