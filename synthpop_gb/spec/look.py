"""Look at the files of a folder and say what each is: survey, tables of counts, lookup, boundaries, or nothing known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata

__all__ = ["Found", "data_files", "look_at"]

_MAPS = {".gpkg", ".geojson", ".shp"}
_DATA = {".csv", ".tsv", ".tab", ".zip", ".gz", ".parquet", ".dta", ".sav", ".xlsx"}
_MANY = 200  # a folder with more files than this is somebody's disk, not a study's folder
_WEIGHT = re.compile(r"(^|_)(weights?|wt|wgt|gross\d?|pweight)$|_xw$", re.IGNORECASE)
_COMMON = {"age", "sex", "health", "ethnic_group", "economic_activity", "qualification", "legal_partnership", "nssec", "religion"}
_FEWEST_COMMON = 3  # variables that a file must share with the codebooks to be taken for a survey


@dataclass
class Found:
    """What each file turned out to be. `id` and `weight` are columns of the survey, guessed from names and values."""

    survey: str | None = None
    microdata: Microdata | None = None
    id: str | None = None
    weight: str | None = None
    tables: dict[str, dict[str, BenchmarkTable]] = field(default_factory=dict)
    lookup: str | None = None
    geography: Geography | None = None
    boundaries: str | None = None
    unknown: list[str] = field(default_factory=list)


def data_files(folder: Path) -> list[Path]:
    """List data files in the folder and one level below; hidden ones and the truth of made-up counties are left out.

    Raises InputError (`unknown-layout`) where there are more than anybody would keep for one study.
    """
    found = [
        p for pattern in ("*", "*/*") for p in sorted(folder.glob(pattern))
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
        and p.suffix.lower() in _DATA | _MAPS and "truth" not in p.parts
    ]  # fmt: skip
    if len(found) > _MANY:
        message = f"{folder} holds {len(found)} data files, too many to open one by one."
        remedy = "Name the files with --survey and --table."
        raise InputError([finding("unknown-layout", message, place=str(folder), remedy=remedy)])
    return found


def look_at(path: str, found: Found, *, as_table: bool = False) -> None:
    """Recognise one file by its contents and note what it is; a file named as a table is tried as nothing else."""
    from synthpop_gb import read

    if path == found.survey:
        _note_survey(path, found)
        return
    if not as_table and path != found.lookup and (Path(path).suffix.lower() in _MAPS or path.lower().endswith(".geo.parquet")):
        found.boundaries = found.boundaries or path
        return
    if not as_table and path != found.lookup and found.survey is None and _tried(lambda: read.census_microdata(path)):
        _note_survey(path, found)
        return
    if path != found.lookup and (tables := _tried(lambda: read.tables(path))):
        found.tables[path] = tables
        return
    if not as_table:
        geography = _tried(lambda: read.geography(path))
        if geography is not None and (geography.parents or path == found.lookup) and found.geography is None:
            found.lookup, found.geography = path, geography
            return
        if found.survey is None and _note_survey(path, found):
            return
    found.unknown.append(path)


def _tried(attempt):
    """Return what the attempt returns; None where it cannot be read so."""
    try:
        return attempt()
    except (InputError, ValueError, OSError):
        return None


def _note_survey(path: str, found: Found) -> bool:
    """Take a file for the survey if it was named as one, is a teaching file, or shares enough variables with the codebooks."""
    from synthpop_gb import read

    named = path == found.survey
    microdata = _tried(lambda: read.census_microdata(path))
    if microdata is None:
        microdata = _tried(lambda: read.survey(path))
        common = set(microdata.variables) & _COMMON if microdata else set()
        if not named and len(common) < _FEWEST_COMMON:
            return False
        if microdata is not None:
            columns = microdata.records.columns
            found.weight = next((str(c) for c in columns if _WEIGHT.search(str(c))), None)
            found.id = next((str(c) for c in columns[:3] if c != found.weight and microdata.records[c].is_unique), None)
    found.survey, found.microdata = path, microdata
    return True
