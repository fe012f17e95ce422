"""A commented draft of a study file, from a folder or from flags: what was recognised, and what is left to choose."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata

__all__ = ["write_draft"]

_MAPS = {".gpkg", ".geojson", ".shp"}
_DATA = {".csv", ".tsv", ".tab", ".zip", ".gz", ".parquet", ".dta", ".sav", ".xlsx"}
_MANY = 200  # a folder with more files than this is somebody's disk, not a study's folder


@dataclass
class _Found:
    """What each file turned out to be."""

    survey: str | None = None
    microdata: Microdata | None = None
    tables: dict[str, dict[str, BenchmarkTable]] = field(default_factory=dict)
    lookup: str | None = None
    lookup_geography: Geography | None = None
    boundaries: str | None = None
    unknown: list[str] = field(default_factory=list)


def write_draft(
    folder: str | Path,
    output: str | Path | None = None,
    *,
    name: str | None = None,
    survey: str | None = None,
    tables: tuple[str, ...] = (),
    lookup: str | None = None,
    boundaries: str | None = None,
    parent: str | None = None,
    force: bool = False,
) -> Path:
    """Write a study file for the files in `folder` (or named by arguments) and return its path.

    Files that are named are taken as they are said to be; the others in the folder are recognised by their contents. What
    cannot be recognised is listed in a comment. Raises InputError where the study file exists and `force` is not set, or
    where nothing in the folder can be used.
    """
    folder = Path(folder)
    output = Path(output) if output else folder / "study.toml"
    if output.exists() and not force:
        raise InputError(
            [finding("output-exists", f"{output} exists already.", place=str(output), remedy="Pass --force to replace it.")]
        )
    found = _Found(survey=survey, lookup=lookup, boundaries=boundaries)
    for path in [survey, *tables, lookup] if survey or tables else _files(folder):
        if path is not None:
            _recognise(str(path), found, as_table=str(path) in tables)
    if not found.tables and found.survey is None:
        message = f"{folder} holds no file that could be recognised as a survey or a table of counts."
        raise InputError(
            [finding("unknown-layout", message, place=str(folder), remedy="Name the files with --survey and --table.")]
        )
    text = _text(found, _slug(name or output.resolve().parent.name), parent, output.resolve().parent)
    temporary = output.with_name(f".{output.name}.partial")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(output)
    return output


def _files(folder: Path) -> list[Path]:
    """List data files in the folder and one level below, hidden ones and results left out."""
    found = [
        p for pattern in ("*", "*/*") for p in sorted(folder.glob(pattern))
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
        and p.suffix.lower() in _DATA | _MAPS and "truth" not in p.parts
    ]  # fmt: skip
    if len(found) > _MANY:
        message = f"{folder} holds {len(found)} data files, too many to open one by one."
        raise InputError(
            [finding("unknown-layout", message, place=str(folder), remedy="Name the files with --survey and --table.")]
        )
    return found


def _recognise(path: str, found: _Found, as_table: bool = False) -> None:
    """Try a file as boundaries, lookup, survey and table in turn, and note what it is."""
    from synthpop_gb import read

    name = path.lower()
    if not as_table and (Path(name).suffix in _MAPS or name.endswith(".geo.parquet")):
        found.boundaries = found.boundaries or path
        return
    attempts = []
    if not as_table and path != found.lookup:
        attempts.append(("survey", lambda: read.census_microdata(path)))
    if path not in (found.survey, found.lookup):
        attempts.append(("table", lambda: read.tables(path)))
    if not as_table and path != found.survey:
        attempts.append(("lookup", lambda: read.geography(path)))
    for kind, attempt in attempts:
        try:
            result = attempt()
        except (InputError, ValueError, OSError):
            continue
        if kind == "survey" and found.microdata is None:
            found.survey, found.microdata = path, result
        elif kind == "table":
            found.tables[path] = result
        elif kind == "lookup" and (result.parents or path == found.lookup):
            found.lookup, found.lookup_geography = path, result
        else:
            continue
        return
    if Path(name).suffix in {".dta", ".sav", ".tab"} and found.survey is None:
        found.survey = path
    elif path != found.survey:
        found.unknown.append(path)


def _slug(text: str) -> str:
    """Turn any text into a name that a study may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "study"


def _quoted(text: str) -> str:
    """TOML string of any text: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _relative(path: str, folder: Path) -> str:
    """Path as the study file writes it, forward slashes on every system."""
    return _quoted(Path(os.path.relpath(Path(path).resolve(), folder)).as_posix())


def _text(found: _Found, name: str, parent: str | None, folder: Path) -> str:
    """Compose the study file."""
    survey_variables = set(found.microdata.variables) if found.microdata else set()
    tables = {t.name: t for group in found.tables.values() for t in group.values()}
    single = {v for t in tables.values() for v in t.variable_names}
    shared = [
        v
        for v in dict.fromkeys(v for t in tables.values() for v in t.variable_names)
        if not survey_variables or v in survey_variables
    ]
    joint = [" x ".join(t.variable_names) for t in tables.values() if len(t.variable_names) > 1]
    joint = [j for j in joint if set(j.split(" x ")) <= set(shared)]
    schema = Path(os.path.relpath(Path(__file__).with_name("study.schema.json"), folder)).as_posix()
    lines = [
        f"#:schema {schema}",
        "# A draft: read it through, then `synthpop-gb check` it. Keys are explained in the documentation, Keys of a study file.",
        f"name = {_quoted(name)}",
        "seed = 1  # fixes every random draw",
        "# Variables met in every zone. Found in the tables" + (" and in the survey:" if survey_variables else ":"),
        f"constraints = {_list(shared) if shared else _list(sorted(single))}",
        *(
            [f"held_out = {_list(joint)}  # kept back to judge by"]
            if joint
            else ["# held_out = []  # tables kept back to judge by"]
        ),
        "tables = [",
    ]
    for path, group in found.tables.items():
        said = "; ".join(
            f"{' x '.join(t.variable_names)}, {len(t.counts):,} zones, {t.universe.name if t.universe else 'universe unknown'}"
            for t in group.values()
        )
        lines.append(f"    {_relative(path, folder)},  # {_comment(said)}")
    lines += [
        "]",
        *(f"# not recognised: {_comment(os.path.relpath(p, folder))}" for p in found.unknown),
        "",
        *_survey_lines(found, folder),
    ]
    return "\n".join([*lines, "", *_zone_lines(found, parent, folder), *_closing()]) + "\n"


def _survey_lines(found: _Found, folder: Path) -> list[str]:
    """Lines of [survey]."""
    if found.survey is None:
        return ["[survey]", 'path = "survey.csv"  # the file of records: none was recognised']
    known = found.microdata
    lines = ["[survey]", f"path = {_relative(found.survey, folder)}" + (f"  # {_comment(repr(known))}" if known else "")]
    licence = _quoted(known.licence if known else "restricted")
    lines.append(f'licence = {licence}  # "open" only where the licence lets records be copied into results')
    if known is None:
        lines += [
            '# id = "pidp"', '# weight = "weight"',
            '# universe = "usual residents aged 16 and over"', "# [survey.variables.health]",
            '# column = "health"', '# categories = { 1 = "very good", 2 = "good" }',
        ]  # fmt: skip
    return lines


def _zone_lines(found: _Found, parent: str | None, folder: Path) -> list[str]:
    """Lines of [zones]."""
    lines = ["[zones]"]
    lines.append(
        f"lookup = {_relative(found.lookup, folder)}"
        if found.lookup
        else '# lookup = "lookup.csv"  # zones and the areas they nest in'
    )
    if parent:
        level, _, area = parent.partition("=")
        lines.append(f"parent = {{ {_key(level.strip())} = {_quoted(area.strip())} }}")
    else:
        levels = found.lookup_geography.parents if found.lookup_geography else ()
        lines.append(
            f'# parent = {{ {_key(levels[-1]) if levels else "lad"} = "..." }}  # one area; all zones otherwise'
            + (f"; levels: {', '.join(levels)}" if levels else "")
        )
    lines.append(f"boundaries = {_relative(found.boundaries, folder)}" if found.boundaries else '# boundaries = "zones.gpkg"')
    return lines


def _closing() -> list[str]:
    """Lines that show what else may be said."""
    return [
        "", "# [recode.age]", "# bands = [0, 16, 45, 65]", "# [method]", '# name = "ipf"', "# tolerance = 0.001  # people",
        "# [[maps]]", "# indicator = \"health in ('bad', 'very bad')\"",
    ]  # fmt: skip


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _list(values: list[str]) -> str:
    return "[" + ", ".join(_quoted(v) for v in values) + "]"


def _comment(text: str) -> str:
    """Keep text from a file inside one comment: no line breaks or control characters."""
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text)
