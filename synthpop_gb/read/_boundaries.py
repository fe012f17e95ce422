"""Boundary files: which column holds the zone codes, which zones have no polygon, and in what detail polygons are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.geography.vintage import advice, kinds, lacking, published
from synthpop_gb.read._files import Sheet
from synthpop_gb.read._numbers import texts
from synthpop_gb.read.tidy_files import find_column

__all__ = ["boundary_column_of", "detail_findings"]

_SAMPLE = 200
"""Polygons of a file that tell in what detail it is drawn."""

_DETAILED = 400
"""Vertices a polygon above which a file is in full detail: published LSOAs have about 10 (BSC), 80 (BGC) and 1,000 (BFC)."""

_UNLIKE = 10
"""How many times more vertices a polygon one of several files has, before borders between them gape."""


def boundary_column_of(outline: Sheet, name: str | None, zones: pd.Index, findings: list[Finding]) -> str:
    """Column of zone codes in a boundary file; says which zones have no polygon, and whether year, level or column are wrong.

    Raises InputError (`boundaries-vintage`, `unknown-layout`) where no column that is named or could be found holds the zones.
    """
    shares = {
        c: len(set(zones).intersection(texts(outline.table[c])))
        for c in outline.columns
        if not pa.types.is_floating(outline.table[c].type)
    }
    best = max(shares, key=lambda c: shares[c]) if shares and max(shares.values()) else None
    if name is not None:
        column = find_column(outline, name, "zone codes of the boundaries")
        if best is not None and not shares.get(column, 0):
            message = f"{outline.place}: its column '{column}' holds none of the {len(zones):,} zones, '{best}' {shares[best]:,}."
            remedy = f"Name '{best}' (boundary_zone under [zones], boundary_column in Python), or no column."
            raise InputError([finding("boundaries-vintage", message, place=outline.place, level="error", remedy=remedy)])
    elif best is None:
        raise InputError([_strangers(outline, zones)])
    else:
        column = best
    drawn = texts(outline.table[column])
    findings += lacking(zones, drawn, outline.place)
    double = pd.Index(drawn[pd.notna(drawn)])
    if double.has_duplicates:
        twice = double[double.duplicated()].unique()
        message = f"{outline.place} has several polygons for {len(twice):,} zones (first: {twice[0]})."
        findings.append(finding("duplicate-zone", message, place=outline.place, count=len(twice), level="warning",
                                remedy="Dissolve them into one polygon a zone."))  # fmt: skip
    return column


def _strangers(outline: Sheet, zones: pd.Index) -> Finding:
    """Say what the polygons are of, where they are of none of the zones."""
    message = f"{outline.place} has no column with codes of these zones ({', '.join(list(zones)[:2])} ...)"
    coded = {c: kinds(texts(outline.table[c])) for c in outline.columns if not pa.types.is_floating(outline.table[c].type)}
    coded = {c: codes for c, codes in coded.items() if len(codes)}
    ours = kinds(zones)
    if not coded or ours.empty:
        remedy = "Use boundaries of the same kind and year as the zones, or name the column with `boundary_column`."
        return finding("unknown-layout", f"{message}.", place=outline.place, remedy=remedy)
    column = max(coded, key=lambda c: len(coded[c]))
    told = lacking(zones, coded[column].index, outline.place)[0]
    first = coded[column].index[0]
    remedy = told.remedy if told.code == "boundaries-vintage" else advice([published(ours.value_counts().index[0], None)])
    if told.code == "boundaries-vintage":
        are = told.rows.loc[told.rows["zones_are"] != ""].iloc[0]
        message += f": they are {are['zones_are']}, the polygons {are['polygons_are']}"
    message += f"; its column '{column}' holds {len(coded[column]):,} codes such as {first}."
    return finding("boundaries-vintage", message, place=outline.place, count=len(zones), level="error", remedy=remedy)


def detail_findings(paths: Sequence[Path], rows: Sequence[int]) -> list[Finding]:
    """Say which boundary files are in full detail, or in another detail than their neighbours: `boundaries-detail`.

    rows : how many polygons each file has.
    """
    detail = {path: _vertices(path, n) for path, n in zip(paths, rows, strict=True)}
    known = {path: n for path, n in detail.items() if n}
    found = []
    for path, n in known.items():
        if n > _DETAILED:
            message = f"{path.name} draws a zone with about {n:,.0f} points: it is in full detail."
            found.append(finding("boundaries-detail", message, place=str(path)))
    if len(known) > 1 and not found and max(known.values()) > _UNLIKE * min(known.values()):
        fine, coarse = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
        message = f"{fine.name} draws a zone with {known[fine]:,.0f} points, {coarse.name} with {known[coarse]:,.0f}: "
        message += "along their border they will not meet."
        found.append(finding("boundaries-detail", message, place=f"{fine}, {coarse}"))
    return found


_POINT = 40
"""Bytes of a point of GeoJSON, as it is usually written."""


def _vertices(path: Path, rows: int) -> float | None:
    """Median vertices of a file's first polygons, or None; of GeoJSON, which would be read whole, what its size says."""
    import shapely

    try:
        if path.suffix.lower() in (".geojson", ".json"):
            return path.stat().st_size / max(rows, 1) / _POINT
        if path.suffix.lower() == ".parquet":
            file = pq.ParquetFile(path)
            column = next(f.name for f in file.schema_arrow if pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type))
            batch = next(file.iter_batches(batch_size=_SAMPLE, columns=[column]))
            shapes = shapely.from_wkb(batch.column(0).to_pylist())
        else:
            import pyogrio

            shapes = pyogrio.read_dataframe(path, max_features=_SAMPLE, columns=[]).geometry.to_numpy()
        counts = shapely.get_num_coordinates(shapes)
        return float(np.median(counts[counts > 0])) if (counts > 0).any() else None
    except (StopIteration, OSError, ValueError, RuntimeError, TypeError, shapely.errors.ShapelyError, pa.ArrowException):
        return None  # reading the whole file says what is wrong with it
