"""Look at the files of a folder and say what each is: survey, tables of counts, lookup, boundaries, or nothing known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata

__all__ = ["Found", "data_files", "look_at"]

_MAPS = {".gpkg", ".geojson", ".shp"}
_DATA = {".csv", ".tsv", ".tab", ".zip", ".gz", ".parquet", ".dta", ".sav", ".xlsx"}
_MANY = 200  # a folder with more files than this is somebody's disk, not a study's folder
_WEIGHT = re.compile(r"(^|_)(weights?|wt|wgt|gross\d?|pweight)$|_xw$|^(rb050|pb040)$", re.IGNORECASE)
_HOUSEHOLD = re.compile(
    r"^((household|hh|hhld|hld)_?(id|no|num|number|ref|key|serial)?|[a-z]{1,2}_hidp|hidp|hid|sernum|serial|(db|hb|rx|px)030|hhserial|hserial)$",
    re.IGNORECASE,
)
"""Names of household ids: Family Resources Survey, Understanding Society, EU-SILC, Labour Force and Health Surveys, our own."""
_HOUSEHOLD_WEIGHT = re.compile(
    r"^(db090|household_?weight|hh_?(weight|wt)|(wt|weight)_?(hh|household)|[a-z]_hhden[a-z0-9]*_xw)$", re.IGNORECASE
)
_COMMON = {"age", "sex", "health", "ethnic_group", "economic_activity", "qualification", "legal_partnership", "nssec", "religion"}
_LARGEST = 40  # more members than this, and a column of numbers is no household id
_FEWEST_COMMON = 3  # variables that a file must share with the codebooks to be taken for a survey


@dataclass
class Found:
    """What each file turned out to be; `id`, `weight` and the like are columns of the survey, guessed from names and values."""

    survey: str | None = None
    microdata: Microdata | None = None
    id: str | None = None
    weight: str | None = None
    household: str | None = None
    household_weight: str | None = None
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
    """Take a file for the survey if it was named as one, is a teaching file, or seems to be of people.

    It does where it shares enough variables with the codebooks; or one, with weights and households of several people.
    """
    from synthpop_gb import read

    named = path == found.survey
    microdata = _tried(lambda: read.census_microdata(path))
    if microdata is None:
        microdata = _tried(lambda: read.survey(path))
        common = set(microdata.variables) & _COMMON if microdata else set()
        guessed = Found()
        if microdata is not None:
            _note_columns(microdata.records, guessed)
        people = guessed.household is not None and guessed.weight is not None and common  # weighted, and living together
        if not named and len(common) < _FEWEST_COMMON and not people:
            return False
        found.id, found.weight = guessed.id, guessed.weight
        found.household, found.household_weight = guessed.household, guessed.household_weight
    found.survey, found.microdata = path, microdata
    return True


def _note_columns(records: pd.DataFrame, found: Found) -> None:
    """Guess the columns of weights and ids. A household's id repeats: on several records, on few more than a household has."""
    columns = records.columns
    named = [c for c in columns if _HOUSEHOLD.match(str(c))]
    found.household = next((str(c) for c in named if _lives_together(records[c])), None)
    if found.household is not None:
        found.household_weight = next((str(c) for c in columns if _HOUSEHOLD_WEIGHT.match(str(c))), None)
    found.weight = next((str(c) for c in columns if _WEIGHT.search(str(c)) and str(c) != found.household_weight), None)
    found.id = next((str(c) for c in columns[:3] if c != found.weight and records[c].is_unique), None)


def _lives_together(ids: pd.Series) -> bool:
    """Whether ids repeat as those of households do: some on several records, none on more than a large household has."""
    members = ids.value_counts()
    return len(members) > 1 and 2 <= members.iloc[0] <= _LARGEST
