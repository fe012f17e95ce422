"""A commented draft of a study file, from a folder or from flags: what was recognised, and what is left to choose."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from synthpop_gb.atomic import replacing
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.spec.look import Found, data_files, look_at

__all__ = ["write_draft"]

_HOUSEHOLD = {"tenure", "accommodation", "household_size", "household_composition", "cars", "rooms", "bedrooms", "heating"}
_COUNTED = {"household_size"}
"""What a survey of whole households tells without a column: its members are counted."""
_ADULT = {"qualification", "economic_activity", "nssec", "legal_partnership"}


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
    found = Found(survey=survey, lookup=lookup, boundaries=boundaries)
    named = [p for p in (survey, *tables, lookup) if p is not None]
    others = (
        [] if tables else [p for p in map(str, data_files(folder)) if Path(p).resolve() not in {Path(n).resolve() for n in named}]
    )
    for path in [*named, *others]:
        look_at(path, found, as_table=path in tables)
    if not found.tables and found.survey is None:
        message = f"{folder} holds no file that could be recognised as a survey or a table of counts."
        raise InputError(
            [finding("unknown-layout", message, place=str(folder), remedy="Name the files with --survey and --table.")]
        )
    text = _text(found, _slug(name or output.resolve().parent.name), parent, output.resolve().parent)
    with replacing(output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return output


def _slug(text: str) -> str:
    """Turn any text into a name that a study may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "study"


def _quoted(text: str) -> str:
    """TOML string of any text: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _relative(path: str, folder: Path) -> str:
    """Path as the study file writes it, forward slashes on every system."""
    return _quoted(Path(os.path.relpath(Path(path).resolve(), folder)).as_posix())


def _text(found: Found, name: str, parent: str | None, folder: Path) -> str:
    """Compose the study file."""
    tables = [t for group in found.tables.values() for t in group.values()]
    households = _whole_households(found)
    usable = tables if households else [t for t in tables if _universe(t) != "households"]
    known = set(found.microdata.variables) | (_COUNTED if households else set()) if found.microdata else None
    shared = [v for v in dict.fromkeys(v for t in usable for v in t.variable_names) if known is None or v in known]
    joint = [" x ".join(t.variable_names) for t in usable if len(t.variable_names) > 1 and set(t.variable_names) <= set(shared)]
    whose = "households and persons" if households else "persons"
    schema = Path(os.path.relpath(Path(__file__).with_name("study.schema.json"), folder)).as_posix()
    lines = [
        f"#:schema {schema}",
        "# A draft: read it through, then `synthpop-gb check` it. Keys are explained in the documentation, Keys of a study file.",
        f"name = {_quoted(name)}",
        "seed = 1  # fixes every random draw",
        f"# Variables met in every zone: those of the tables of {whose}" + (" that the survey has." if known else "."),
        f"constraints = {_list(shared)}",
        "# Tables kept back, to judge the population by.",
        f"held_out = {_list(joint)}",
        "tables = [",
        *(line for path, group in found.tables.items() for line in _table_lines(path, list(group.values()), folder)),
        "]",
        *(f"# not recognised: {_comment(os.path.relpath(p, folder))}" for p in found.unknown),
        "",
        *_survey_lines(found, folder),
    ]
    return "\n".join([*lines, "", *_zone_lines(found, parent, folder), *_closing(found)]) + "\n"


def _universe(table: BenchmarkTable) -> str:
    """Who is counted: as the file says, else whom such a table usually counts."""
    if table.universe is not None:
        return "households" if table.universe.unit == "household" else table.universe.name
    names = set(table.variable_names)
    return "households" if names & _HOUSEHOLD else "usual residents aged 16 and over" if names & _ADULT else "usual residents"


def _table_lines(path: str, tables: list[BenchmarkTable], folder: Path) -> list[str]:
    """Lines of one file of tables: a path where all was recognised, else with the universe that is usual, to be checked."""
    said = "; ".join(f"{' x '.join(t.variable_names)}, {len(t.counts):,} zones, {_universe(t)}" for t in tables)
    if all(t.universe is not None for t in tables):
        return [f"    {_relative(path, folder)},  # {_comment(said)}"]
    entry = f"{{ path = {_relative(path, folder)}, universe = {_quoted(_universe(tables[0]))} }}"
    return [f"    {entry},  # {_comment(said)}: the file does not say who is counted"]


def _survey_lines(found: Found, folder: Path) -> list[str]:
    """Lines of [survey]."""
    if found.survey is None:
        return ["[survey]", 'path = "survey.csv"  # the file of records: none was recognised']
    known = found.microdata
    lines = ["[survey]", f"path = {_relative(found.survey, folder)}" + (f"  # {_comment(repr(known))}" if known else "")]
    licence = _quoted(known.licence if known else "restricted")
    lines.append(f'licence = {licence}  # "open" only where the licence lets records be copied into results')
    if known is not None and known.year is not None:
        return lines
    guess = "guessed from its name: check it"
    lines += [
        f"id = {_quoted(found.id)}  # {guess}" if found.id else '# id = "pidp"',
        f"weight = {_quoted(found.weight)}  # {guess}" if found.weight else '# weight = "weight"',
        *_household_lines(found, guess),
        'universe = "usual residents"  # or "usual residents aged 16 and over"',
        "# year = 2021", "# [survey.variables.health]  # where columns or codes are not recognised", '# column = "health"',
        '# categories = { 1 = "very good", 2 = "good", 3 = "fair", 4 = "bad", 5 = "very bad" }', "# missing = [-9, -8]",
    ]  # fmt: skip
    return lines


def _whole_households(found: Found) -> bool:
    """Whether to place whole households: the survey seems to hold them, and some table counts them."""
    tables = [t for group in found.tables.values() for t in group.values()]
    return found.household is not None and any(_universe(t) == "households" for t in tables)


def _household_lines(found: Found, guess: str) -> list[str]:
    """Lines about who lives together."""
    if found.household is None:
        return ['# household = "hid"  # ids of households, where the survey holds whole ones: tables of households are met too']
    mark = "" if _whole_households(found) else "# "
    lines = [f"{mark}household = {_quoted(found.household)}  # {guess}: whole households are placed; persons without it"]
    if found.household_weight:
        lines.append(f"{mark}household_weight = {_quoted(found.household_weight)}  # {guess}")
    return [
        *lines,
        '# households = "households.csv"  # one row a household, where they have a file of their own',
        '# communal = "care_home"  # marks residents of communal establishments',
    ]


def _zone_lines(found: Found, parent: str | None, folder: Path) -> list[str]:
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
        levels = found.geography.parents if found.geography else ()
        lines.append(
            f'# parent = {{ {_key(levels[-1]) if levels else "lad"} = "..." }}  # one area; all zones otherwise'
            + (f"; levels: {', '.join(levels)}" if levels else "")
        )
    lines.append(f"boundaries = {_relative(found.boundaries, folder)}" if found.boundaries else '# boundaries = "zones.gpkg"')
    return lines


def _closing(found: Found) -> list[str]:
    """Lines that show what else may be said."""
    method = "balance" if _whole_households(found) else "ipf"
    return [
        "", "# [recode.age]", "# bands = [0, 16, 45, 65]", "# [method]", f'# name = "{method}"', "# tolerance = 0.001  # people",
        "# [[maps]]", "# indicator = \"health in ('bad', 'very bad')\"",
    ]  # fmt: skip


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _quoted(text)


def _list(values: list[str]) -> str:
    return "[" + ", ".join(_quoted(v) for v in values) + "]"


def _comment(text: str) -> str:
    """Keep text from a file inside one comment: no line breaks or control characters."""
    return re.sub(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+", " ", text)
