"""Data dictionary of a result's files: what each holds, what its columns mean, in which unit, and what its keys are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

__all__ = ["Column", "columns_of", "describe_file", "foreign_keys", "key_of", "shown_type"]

_TABLE_TYPES = {
    "bool": "boolean", "int8": "integer", "int16": "integer", "int32": "integer", "int64": "integer", "uint8": "integer",
    "uint16": "integer", "uint32": "integer", "uint64": "integer", "float": "number", "halffloat": "number", "double": "number",
    "date32[day]": "date", "string": "string", "large_string": "string",
}  # fmt: skip

_LABELS = {
    "indicators": "Area or group that is asked about",
    "people": "Code of an area that the zone lies in, or answer of the record that the person is a copy of",
}
"""What columns are that bear the names of a study's levels and variables."""


@dataclass(frozen=True)
class Column:
    """One column of a table: name, type in the words of Frictionless Table Schema, description, unit, categories if fixed."""

    name: str
    type: str
    description: str = ""
    unit: str = ""
    categories: tuple[str, ...] = ()


@cache
def _dictionary() -> dict:
    return tomllib.loads(Path(__file__).with_name("dictionary.toml").read_text(encoding="utf-8"))


def describe_file(path: str, said: str = "") -> str:
    """Say what a file of a result's folder holds, 'synthetic' included; 'File of the synthetic data' where it is not known.

    said : what is to be said of it instead, where somebody knows better.

    >>> describe_file("maps/health.png"), describe_file("notes.txt")
    ('Map of the synthetic population', 'File of the synthetic data')
    """
    known = _dictionary()["files"]
    if said:
        return said
    if path in known:
        return known[path]
    return next(
        (text for pattern, text in known.items() if "*" in pattern and fnmatchcase(path, pattern)), "File of the synthetic data"
    )


def columns_of(path: str, fields: Iterable[tuple[str, str]]) -> tuple[Column, ...]:
    """Describe the columns of a table.

    Parameters
    ----------
    path : str
        File within the folder.
    fields : iterable of (name, type)
        Columns with their Arrow types.

    Returns
    -------
    tuple of Column
        In order; a column that is not in the dictionary has no description.
    """
    return tuple(_column(path, name, kind) for name, kind in fields)


def _column(path: str, name: str, kind: str) -> Column:
    from synthpop_gb.status import FitStatus, WholeStatus

    known, stem = _dictionary(), PurePosixPath(path).name.split(".")[0]
    here = known["columns_of"].get(path, {}).get(name) or known["columns_of"].get(stem, {}).get(name)
    description, unit = ([*(here or known["columns"].get(name, [""])), ""])[:2]
    fixed = {("status", "fit"): FitStatus, ("status", "whole"): WholeStatus}.get((stem, name))
    if stem == "duals" and not description:
        description = "Dual of this cell of a constraint"
    if stem == "settled" and not description:
        description, unit = "Settled count of this cell", "people"
    if stem == "left_out_cells" and name.startswith("like "):
        description = "Likeness of this outcome to that constraint"
    if not description:
        description = next((text for folder, text in _LABELS.items() if path.startswith(f"{folder}/")), "")
    return Column(name, shown_type(kind), description, unit, tuple(s.name for s in fixed or ()))


def shown_type(kind: str) -> str:
    """Type in the words of Frictionless Table Schema, from an Arrow type.

    >>> shown_type("int32"), shown_type("dictionary<values=string, indices=int8, ordered=0>"), shown_type("binary")
    ('integer', 'string', 'any')
    """
    if kind.startswith("dictionary<values="):
        kind = kind.removeprefix("dictionary<values=").split(",")[0]
    return "datetime" if kind.startswith("timestamp") else _TABLE_TYPES.get(kind, "any")


def key_of(path: str, fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Columns that tell the rows of a table apart; () where that is not known."""
    key = _dictionary()["keys"].get(path, ())
    return tuple(key) if set(key) <= {n for n, _ in fields} else ()


def foreign_keys(path: str, fields: Iterable[tuple[str, str]], paths: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    """(column, file, column) for each column that points at another file.

    Zones point at `population/status.parquet`, people's households at `people/households.parquet`.
    """
    names, there = {n for n, _ in fields}, set(paths)
    homes = {"zone": "population/status.parquet"}
    if path.startswith("people/"):
        homes["household"] = "people/households.parquet"
    return tuple((n, home, n) for n, home in homes.items() if path != home and home in there and n in names)
