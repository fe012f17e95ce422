"""What makes a GeoPackage more than polygons: names, units and words of its columns, and styles that open it as a map.

Columns are described by the standard's schema extension (OGC 12-128r19, annex F.9: gpkg_data_columns), which GDAL reads as
alternative names and comments, QGIS as aliases. Styles lie where QGIS looks for them, in the table layer_styles. Both are plain
SQLite, so they do not depend on the version of GDAL that wrote the polygons.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from synthpop_gb.export._qml import LayerStyle, plain
from synthpop_gb.export.fields import RELIABILITY_CLASSES, Field

__all__ = ["Described", "aliases_of", "describe", "differences"]

_COLUMNS = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
  constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC,
  max_is_inclusive BOOLEAN, description TEXT, CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
"""
_STYLES = """
CREATE TABLE IF NOT EXISTS layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
  f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP);
"""
_SCHEMA = ("gpkg_schema", "http://www.geopackage.org/spec121/#extension_schema", "read-write")


@dataclass(frozen=True)
class Described:
    """What is said of one layer: what it is, its columns, and its styles, the first of which is the default."""

    layer: str
    about: str
    fields: Mapping[str, Field] = field(default_factory=dict)
    styles: Sequence[LayerStyle] = ()


def describe(path: Path, layers: Sequence[Described]) -> None:
    """Write descriptions and styles into a finished GeoPackage."""
    with closing(sqlite3.connect(path)) as file, file:
        for statement in (_COLUMNS + _STYLES).split(";\n"):
            file.execute(statement)
        for table in ("gpkg_data_columns", "gpkg_data_column_constraints"):
            file.execute("INSERT INTO gpkg_extensions VALUES (?, NULL, ?, ?, ?)", (table, *_SCHEMA))
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, 'attributes', ?)", ("layer_styles",) * 2
        )
        if any("reliability" in layer.fields for layer in layers):
            rows = [("reliability", "enum", name, said) for name, said in RELIABILITY_CLASSES.items()]
            into = "gpkg_data_column_constraints (constraint_name, constraint_type, value, description)"
            file.executemany(f"INSERT INTO {into} VALUES (?, ?, ?, ?)", rows)  # noqa: S608 (no word of it comes from data)
        for layer in layers:
            _describe(file, layer)


def _describe(file: sqlite3.Connection, layer: Described) -> None:
    (geometry,) = file.execute("SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer.layer,)).fetchone()
    file.execute("UPDATE gpkg_contents SET description = ? WHERE table_name = ?", (plain(layer.about), layer.layer))
    aliases = aliases_of(layer.fields)
    for column, told in layer.fields.items():
        domain = "reliability" if column == "reliability" else None
        row = (layer.layer, column, aliases[column], aliases[column], plain(told.note), None, domain)
        file.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    for number, (name, about, qml) in enumerate(layer.styles):
        file.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, "
            "styleSLD, useAsDefault, description, owner, update_time) "
            "VALUES ('', '', ?, ?, ?, ?, '', ?, ?, '', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            (layer.layer, geometry, name, qml, number == 0, about),
        )


def aliases_of(fields: Mapping[str, Field]) -> dict[str, str]:
    """Alias of each column; the standard wants them distinct within a layer."""
    found: dict[str, str] = {}
    for column, told in fields.items():
        alias = plain(told.alias)
        found[column] = f"{alias} [{column}]" if alias in found.values() else alias
    return found


def differences(path: Path, layers: Sequence[Described]) -> list[str]:
    """Read layers, aliases and styles back and say what is not as it was described: aliases by GDAL, styles by SQLite."""
    import pyogrio

    wrong = []
    there = [name for name, _ in pyogrio.list_layers(path)]
    with closing(sqlite3.connect(path)) as file:
        for layer in layers:
            if layer.layer not in there:
                wrong.append(f"layer {layer.layer}")
                continue
            with pyogrio.raw.open_arrow(path, layer=layer.layer, use_pyarrow=True) as (_, batches):
                told = {f.name: (f.metadata or {}).get(b"GDAL:OGR:alternative_name", b"").decode() for f in batches.schema}
            rows = file.execute(
                "SELECT column_name, title FROM gpkg_data_columns WHERE table_name = ?", (layer.layer,)
            ).fetchall()
            named = {**dict(rows), **{c: a for c, a in told.items() if a}}  # GDAL before 3.8 tells no alternative names
            wrong += [f"alias of {layer.layer}.{c}" for c, a in aliases_of(layer.fields).items() if named.get(c) != a]
            query = "SELECT styleName, styleQML FROM layer_styles WHERE f_table_name = ? ORDER BY useAsDefault DESC, id"
            if file.execute(query, (layer.layer,)).fetchall() != [(name, qml) for name, _, qml in layer.styles]:
                wrong.append(f"style of {layer.layer}")
    return wrong
