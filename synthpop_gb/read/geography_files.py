"""Zones, the areas they nest in, and where their polygons lie: lookups however their columns are called, any boundary file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.geography import Geography
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._boundaries import boundary_column_of, detail_findings
from synthpop_gb.read._files import Sheet, open_sheet
from synthpop_gb.read._geographies import beside, each, several_areas, undrawn
from synthpop_gb.read._labels import bare
from synthpop_gb.read._numbers import factor, texts
from synthpop_gb.read._zones import code_share, zone_column
from synthpop_gb.read.tidy_files import find_column, unknown_layout

__all__ = ["boundaries", "geography", "named_column"]

_COLUMN = re.compile(r"(?P<stem>[a-z]+?)_?(?P<year>\d{2}|20\d{2})?_?(?P<kind>code|cd|id|name|nm)?(?P<more>w|h)?", re.IGNORECASE)
_SAME = {
    "rgn": "region",
    "la": "lad",
    "ctry": "country",
    "wd": "ward",
    "pcon": "constituency",
    "cty": "county",
    "intzone": "iz",
    "datazone": "dz",
    "oac": "oa",
}
"""Stems of column names that mean the same level."""
_LEVELS = (
    "oa", "lsoa", "dz", "sdz", "msoa", "iz", "ward", "constituency", "lad", "ltla", "utla", "council", "ca", "dea", "lgd",
    "district", "sicbl", "icb", "nhser", "cauth", "county", "region", "country",
)  # fmt: skip
"""Known levels; other columns of a lookup are parents only where zones nest in them and there are few."""
_SMALLER = {
    "lsoa": {"oa"}, "dz": {"oa"}, "sdz": {"oa", "dz"}, "msoa": {"oa", "lsoa", "dz"}, "iz": {"oa", "dz"},
    "ward": {"oa", "lsoa", "dz"}, "lad": {"oa", "lsoa", "dz", "msoa", "iz", "ward"},
    "ltla": {"oa", "lsoa", "dz", "msoa", "iz", "ward"},
}  # fmt: skip


def geography(
    lookup: str | Path | Sequence[str | Path] | None = None,
    *,
    zone: str | Sequence[str | None] | None = None,
    boundaries: str | Path | Sequence[str | Path] | None = None,
    boundary_column: str | Sequence[str | None] | None = None,
    parents: Mapping[str, str] | Iterable[str] | None = None,
    codes: Iterable[str] | None = None,
    levels: Iterable[str] = (),
) -> Geography:
    """Read the zones of a study area.

    Columns are known by stem and year (`LAD22CD` with `LAD22NM`, `ltla21_code`, `la_code`, `MSOA`, `RGN`); a level is called
    by its stem ('lad', 'msoa', 'region'). Rows of areas smaller than the zone are passed over; one row a zone is left.

    Several lookups are put side by side: zones of other nations are added, zones that are known get the areas that they had not.
    A level that only some nations have (data zones lie in 'iz', LSOAs in 'msoa') is blank in the zones of the others.

    Parameters
    ----------
    lookup : path or sequence of paths, optional
        CSV or Parquet files with zone codes and the areas they lie in.
    zone : str or sequence of str, optional
        Its column of zone codes, one for all files or one a file; the finest level where absent.
    boundaries : path or sequence of paths, optional
        GeoParquet, GeoPackage, GeoJSON or Shapefile. Without a lookup their zones are the zones.
    boundary_column : str or sequence of str, optional
        Column of zone codes in it, one for all files or one a file; the one that fits the zones best where absent.
    parents : mapping of level to column, or iterable of columns, optional
        Columns to take as parent levels; all known ones where absent.
    codes : iterable of str, optional
        Zone codes, where there is neither lookup nor boundary file.
    levels : iterable of str, optional
        Further columns to take as parent levels, by their name or its stem ('town' is also `town_code`), whatever it is.
        Case does not matter; columns that a file does not have are passed over.

    Raises
    ------
    InputError
        'missing-file', 'unreadable-file', 'unknown-layout', 'missing-column', 'no-zones'.
    """
    findings: list[Finding] = []
    levels = list(levels)
    lookups, drawings = _paths(lookup), _paths(boundaries)
    outlines = [_attributes(path) for path in drawings]
    files = [open_sheet(path) for path in lookups] or outlines
    if files:
        hint = outlines[0] if lookups and len(lookups) == len(outlines) == 1 else None
        named = each(zone if lookups else zone or boundary_column, len(files), "zone")
        frames = [_zones(sheet, of, parents, levels, hint, findings) for sheet, of in zip(files, named, strict=True)]
        zones = frames[0] if len(frames) == 1 else beside(frames, [f.place for f in files], _LEVELS, findings)
        findings += [f for sheet in files if sheet not in outlines for f in sheet.findings]
    elif codes is not None:
        zones = pd.DataFrame(index=pd.Index(list(dict.fromkeys(map(str, codes))), name="zone"))
    else:
        raise InputError([finding("no-zones", "Neither a lookup nor boundaries nor zone codes are named.", place="zones")])
    if not len(zones):
        what = ", ".join(map(str, lookups or drawings))
        raise InputError([finding("no-zones", f"{what or 'zones'} holds no zone codes.", place=what or "zones")])
    columns = _drawn(outlines, each(boundary_column, len(outlines), "boundary_column"), zones.index, findings)
    findings += detail_findings(drawings, [o.table.num_rows for o in outlines])
    several = len(drawings) > 1
    return Geography(
        zones,
        tuple(map(str, drawings)) if several else str(drawings[0]) if drawings else None,
        tuple(columns) if several else columns[0] if columns else None,
        tuple(InputFile.of(path) for path in (*lookups, *drawings)), tuple(findings),
    )  # fmt: skip


def _paths(given) -> list[Path]:
    """Paths of one file, several, or none."""
    return [] if given is None else [Path(given)] if isinstance(given, str | Path) else [Path(p) for p in given]


def _drawn(outlines: list[Sheet], named: list[str | None], zones: pd.Index, findings: list[Finding]) -> list[str]:
    """Column of zone codes in each boundary file; says which zones none of them has."""
    if len(outlines) < 2:
        return [boundary_column_of(o, n, zones, findings) for o, n in zip(outlines, named, strict=True)]
    said: list[Finding] = []
    columns = [boundary_column_of(o, n, zones, said) for o, n in zip(outlines, named, strict=True)]
    findings += [f for f in said if f.code not in ("missing-boundary", "boundaries-vintage")]
    drawn = [texts(o.table[c]) for o, c in zip(outlines, columns, strict=True)]
    findings += undrawn(zones, drawn, ", ".join(o.place for o in outlines))
    return columns


def boundaries(path: str | Path, lookup: str | Path | None = None, *, zone: str | None = None, **more) -> Geography:
    """Read the zones of a boundary file, with the areas they nest in from a lookup; `geography` with the other file first.

    Raises
    ------
    InputError
        As `geography`.
    """
    return geography(lookup, zone=zone, boundaries=path, **more)


def _attributes(path: Path) -> Sheet:
    """Columns of a boundary file without its polygons."""
    if not path.exists():
        raise InputError([finding("missing-file", f"There is no boundary file {path}.", place=str(path))])
    if path.suffix.lower() == ".parquet":
        try:
            names = [f.name for f in pq.read_schema(path) if not pa.types.is_binary(f.type) and not pa.types.is_nested(f.type)]
            return Sheet(path, pq.ParquetFile(path).read(columns=names))
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                [finding("unreadable-file", f"{path.name} is a damaged Parquet file: {error}.", place=str(path))]
            ) from None
    import geopandas

    try:
        frame = geopandas.read_file(path, ignore_geometry=True)
    except Exception as error:  # each driver has errors of its own
        message = f"{path.name} cannot be read as boundaries: {str(error).splitlines()[0]}."
        raise InputError([finding("unreadable-file", message, place=str(path))]) from None
    return Sheet(path, pa.Table.from_pandas(pd.DataFrame(frame), preserve_index=False))


def _named(column: str) -> tuple[str, int, str]:
    """Level, year and kind ('code', 'name' or '') that a column name says."""
    found = _COLUMN.fullmatch(bare(column).replace(" ", "_"))
    if found is None or found["more"]:
        return "", 0, ""
    kind = (found["kind"] or "").lower()
    stem = found["stem"].lower()
    return _SAME.get(stem, stem), int(found["year"] or 0), {"cd": "code", "id": "code", "nm": "name"}.get(kind, kind)


def named_column(sheet: Sheet, codes: str) -> str | None:
    """Column of names that goes with a column of codes: WD24NM with WD24CD, ward24_name with ward24_code. None without one."""
    stem, year, _ = _named(codes)
    return next((c for c in sheet.columns if stem and c != codes and _named(c) == (stem, year, "name")), None)


def _zones(
    sheet: Sheet, zone: str | None, parents, levels: Sequence[str], outline: Sheet | None, findings: list[Finding]
) -> pd.DataFrame:
    """One row a zone: its name and the areas it lies in."""
    name = find_column(sheet, zone, "zone codes") if zone else _guess_zone(sheet, outline)
    code, index = factor(sheet.table[name])
    zones = pd.DataFrame(index=pd.Index(index.tolist(), name="zone"))
    level, year, _ = _named(name)
    columns = _columns(sheet, name, level, year, parents)
    asked = _further(sheet, name, columns, levels)
    for column, title in (columns | asked).items():
        found = _of_each_zone(code, *factor(sheet.table[column]), len(index))
        if found is None:
            if parents is not None or column in asked:
                raise unknown_layout(sheet, f"zones do not nest in {column!r}.")
            continue
        chosen, rows = found
        if len(rows):
            findings.append(several_areas(rows.assign(zone=index[rows["zone"]]), title, len(index), sheet.place))
        zones[title] = pd.Series(chosen.tolist(), index=zones.index, dtype=object).infer_objects()
    order = [t for level in dict.fromkeys(c.removesuffix("_name") for c in zones) for t in (level, f"{level}_name") if t in zones]
    return zones[sorted(order, key=lambda c: c != "name")]


def _guess_zone(sheet: Sheet, outline: Sheet | None) -> str:
    """Column of zone codes of a lookup: where boundaries are given, the one whose codes they have; else the finest."""
    coded = [c for c in sheet.columns if code_share(sheet.table[c]) >= 0.5]
    if outline is not None:
        drawn = {c for n in outline.columns for c in (texts(outline.table[n]) if code_share(outline.table[n]) >= 0.5 else ())}
        shares = {c: len(drawn.intersection(texts(sheet.table[c]))) for c in coded}
        if shares and max(shares.values()) > 0:
            return max(coded, key=lambda c: shares[c])
    name = zone_column(sheet.table)
    if name is None:
        raise unknown_layout(sheet, "no column of zone codes was found.", "Name it with `zone`.")
    return name


def _columns(sheet: Sheet, zone: str, level: str, year: int, parents) -> dict[str, str]:
    """Columns to be kept, with the names they get: 'name', then each level and '<level>_name'."""
    if parents is not None:
        pairs = parents.items() if isinstance(parents, Mapping) else [(_named(c)[0] or c, c) for c in parents]
        return {find_column(sheet, column, "a parent"): title for title, column in pairs}
    found: dict[str, str] = {}
    levels: dict[str, tuple[bool, int, str]] = {}
    for column in sheet.columns:
        stem, of, kind = _named(column)
        if column == zone or not stem:
            continue
        if kind == "name" and ((stem, of) == (level, year) or bare(column).casefold() == "zone_name"):
            found[column] = "name"
        elif stem != level and stem not in _SMALLER.get(level, ()) and _is_level(sheet, column, stem):
            # codes before names, where a level has both; the latest year of several
            levels[stem] = max(levels.get(stem, (False, -1, "")), (kind != "name", of, column))
    for column in sheet.columns:
        stem, of, kind = _named(column)
        if column == levels.get(stem, (False, 0, ""))[2]:
            found[column] = stem
        elif kind == "name" and stem in levels and levels[stem][1] == of:
            found[column] = f"{stem}_name"
    if "name" not in found.values():
        plain = next((c for c in sheet.columns if bare(c).casefold() == "name"), None)
        if plain:
            found = {plain: "name", **found}
    return found


def _further(sheet: Sheet, zone: str, found: Mapping[str, str], levels: Sequence[str]) -> dict[str, str]:
    """Columns that are levels because they are asked for, by their name or stem: those that no level was taken from yet."""
    by_stem = sorted(sheet.columns, key=lambda c: (_named(c)[2] == "code", _named(c)[1]))  # codes before names, the latest year
    lower = {_named(c)[0]: c for c in by_stem} | {c.casefold(): c for c in reversed(sheet.columns)}
    columns = {lower[level.casefold()]: level for level in levels if level.casefold() in lower and level not in found.values()}
    return {column: level for column, level in columns.items() if column != zone and column not in found}


def _is_level(sheet: Sheet, column: str, stem: str) -> bool:
    """Whether a column names areas: of a known level, or with codes beside a column of names."""
    kind = sheet.table[column].type
    words = (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_dictionary(kind)
        or pa.types.is_string_view(kind)
    )
    if not words:
        return False
    named = any(_named(c) == (stem, _named(column)[1], "name") for c in sheet.columns)
    return stem in _LEVELS or code_share(sheet.table[column]) >= 0.5 or (named and column == stem)


def _of_each_zone(code: np.ndarray, area: np.ndarray, index: np.ndarray, n: int) -> tuple[np.ndarray, pd.DataFrame] | None:
    """Area of each zone (the one with most rows, the first of the file where two have as many), and the areas of the others.

    The frame has a row for each area of a zone in several: zone (its number), area, rows of the file, given (whether it got the
    zone). None where most zones lie in several: the areas are smaller.
    """
    used = (area >= 0) & (code >= 0)
    pair, count = np.unique(code[used] * np.int64(len(index) + 1) + area[used], return_counts=True)
    of, which = np.divmod(pair, len(index) + 1)
    order = np.lexsort((-count, of))
    of, which = of[order], which[order]
    first = np.r_[True, of[1:] != of[:-1]] if len(of) else np.zeros(0, bool)
    several = np.zeros(n, bool)
    several[of[~first]] = True
    if several.mean() > 0.2 or len(index) > n:
        return None
    chosen = np.full(n, None, dtype=object)
    chosen[of[first]] = index[which[first]]
    mine = several[of]
    return chosen, pd.DataFrame({"zone": of[mine], "area": index[which[mine]], "rows": count[order][mine], "given": first[mine]})
