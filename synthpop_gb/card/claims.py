"""Claims: sentences whose figures are looked up where they stand, so that none can be stated without one behind it."""

from __future__ import annotations

import dataclasses
import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Claim", "Facts", "Figure", "Source", "braced", "listed", "look_up", "pointer", "say", "spoken"]

_SUMMARIES = {"sum": "sum", "max": "max", "min": "min", "median": "median", "mean": "mean"}


@dataclass(frozen=True)
class Source:
    """Where a figure stands: a file of the folder and the place in it.

    Attributes
    ----------
    file : str
        Path within the folder: 'run.json', 'validation/held_out.parquet'.
    field : str
        Of JSON a pointer (RFC 6901): '/whole/EXACT'. Of a table a column.
    where : mapping of str to value
        Of a table: only rows in which these columns have these values.
    how : str
        Of a table: 'value' (of the first such row), 'sum', 'max', 'min', 'median', 'mean', or 'rows' (how many there are). Of
        JSON: 'value', or 'length' of a list or object.
    """

    file: str
    field: str = ""
    where: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    how: str = "value"

    def to_dict(self) -> dict:
        """Return plain values for JSON; what is usual is left out."""
        made = {"file": self.file, "field": self.field, "where": dict(self.where), "how": self.how}
        return {k: v for k, v in made.items() if v not in ("", {}, "value")}

    def __str__(self) -> str:
        """Return it in words: 'validation/held_out.parquet: wrong_whole where table = age x sex'."""
        what = self.field if self.how == "value" else f"{self.how} of {self.field}" if self.field else self.how
        rows = " and ".join(f"{k} = {v}" for k, v in self.where.items())
        return f"{self.file}: {what}" + f" where {rows}" * bool(rows)


@dataclass(frozen=True)
class Figure:
    """A value and where it stands; a value that is None, not a number or empty is no figure."""

    value: Any
    source: Source

    @property
    def known(self) -> bool:
        """Whether there is a figure."""
        return _known(self.value)


def _known(value: Any) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    return not (isinstance(value, str | list | tuple | dict) and len(value) == 0)


def look_up(source: Source, files: Mapping[str, Any]) -> Any:
    """Read a figure where its source says it stands.

    Parameters
    ----------
    source : Source
        Where.
    files : mapping of str to dict or pandas.DataFrame
        Contents by path within the folder.

    Returns
    -------
    value
        A plain value; None where the file, place or row does not exist.

    Examples
    --------
    >>> look_up(Source("run.json", "/whole/EXACT"), {"run.json": {"whole": {"EXACT": 482}}})
    482
    >>> zones = pd.DataFrame({"zone": ["a", "b", "c"], "exact": [True, True, False], "tae": [0.0, 0.0, 3.5]})
    >>> look_up(Source("zones.parquet", "tae", how="max"), {"zones.parquet": zones})
    3.5
    >>> look_up(Source("zones.parquet", where={"exact": True}, how="rows"), {"zones.parquet": zones})
    2
    """
    held = files.get(source.file)
    if held is None:
        return None
    return _in_table(source, held) if isinstance(held, pd.DataFrame) else _in_json(source, held)


def _in_json(source: Source, held: Any) -> Any:
    for part in source.field.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(held, Mapping):
            held = held.get(part)
        elif isinstance(held, list | tuple) and part.isdigit() and int(part) < len(held):
            held = held[int(part)]
        else:
            return None
    return _plain(len(held) if source.how == "length" and held is not None else held)


def _in_table(source: Source, held: pd.DataFrame) -> Any:
    rows = np.ones(len(held), bool)
    for column, value in source.where.items():
        if column not in held:
            return None
        rows &= (held[column] == value).to_numpy(bool, na_value=False)
    if source.how == "rows":
        return int(rows.sum())
    if source.field not in held or not rows.any():
        return None
    values = held.loc[rows, source.field]
    if source.how in _SUMMARIES:
        values = values.dropna()
        return _plain(getattr(values, _SUMMARIES[source.how])()) if len(values) else None
    return _plain(values.iloc[0])


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)) else value


@dataclass(frozen=True)
class Facts:
    """What is known of a result: contents of its files by path within its folder."""

    files: Mapping[str, Any]

    def get(self, file: str, pointer: str, how: str = "value") -> Figure:
        """Look a value up in a JSON file: `get('run.json', '/whole/EXACT')`."""
        return self._figure(Source(file, pointer, how=how))

    def of(self, name: str, column: str = "", /, how: str = "value", **where) -> Figure:
        """Look a figure up in a table: `of('validation/held_out', 'wrong_whole', table='age x sex')`."""
        return self._figure(Source(f"{name}.parquet", column, where, how))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table by its path without ending; an empty one where there is none."""
        held = self.files.get(f"{name}.parquet")
        return held if isinstance(held, pd.DataFrame) else pd.DataFrame()

    def _figure(self, source: Source) -> Figure:
        return Figure(look_up(source, self.files), source)


@dataclass(frozen=True)
class Claim:
    """One sentence of a card.

    Attributes
    ----------
    text : str
        The sentence with its figures written in; plain text, escaped only when a page is made of it.
    value : mapping of str to value
        The figures in it, unrounded, by name.
    source : mapping of str to Source
        Where each of them stands.

    Raises
    ------
    ValueError
        Where there is no figure, or one without a source.

    Examples
    --------
    >>> Claim("Everybody is happy.", {}, {})
    Traceback (most recent call last):
    ValueError: a claim needs a figure: 'Everybody is happy.'
    """

    text: str
    value: Mapping[str, Any]
    source: Mapping[str, Source]

    def __post_init__(self):
        missing = [name for name, value in self.value.items() if not _known(value) or name not in self.source]
        if missing or not self.value:
            raise ValueError(f"a claim needs a figure{''.join(f' {m}' for m in missing)}: {self.text!r}")

    def to_dict(self) -> dict:
        """Return plain values for JSON."""
        return {
            "text": self.text,
            "value": {k: _json(v) for k, v in self.value.items()},
            "source": {k: s.to_dict() for k, s in self.source.items()},
        }


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def say(template: str, **figures: Figure) -> Claim | None:
    """Write figures into a sentence; None where one of them is not known, so that nothing is said then.

    Numbers get thousands separators unless their field says otherwise; lists are joined in words; `{n:s}` is the 's' of a plural,
    `{n:name}` a name for people.

    Examples
    --------
    >>> facts = Facts({"run.json": {"zones": 3317, "constraints": ["age", "ethnic_group"]}})
    >>> claim = say("{zones} zones meet {tables}.", zones=facts.get("run.json", "/zones"),
    ...             tables=facts.get("run.json", "/constraints"))
    >>> claim.text, str(claim.source["zones"])
    ('3,317 zones meet age and ethnic group.', 'run.json: /zones')
    >>> say("{people} people.", people=facts.get("run.json", "/people")) is None
    True
    """
    if not figures or not all(f.known for f in figures.values()):
        return None
    text = _Words().vformat(template, (), {name: f.value for name, f in figures.items()})
    return Claim(text, {n: f.value for n, f in figures.items()}, {n: f.source for n, f in figures.items()})


class _Words(string.Formatter):
    """Formatting of figures: thousands separators, lists in words, a true minus sign."""

    def get_field(self, field_name, args, kwargs):
        return kwargs[field_name], field_name  # names only: no attribute or item of a value can be reached

    def format_field(self, value, format_spec):
        if format_spec == "s":
            return "" if value == 1 else "s"
        if format_spec == "name":
            return spoken(value)
        if isinstance(value, list | tuple):
            return listed(value)
        if isinstance(value, bool | str):
            return str(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{k} = {v}" for k, v in value.items())
        spec = format_spec or ("," if isinstance(value, int) or float(value).is_integer() else ",.4g")
        if spec == "," and isinstance(value, float):
            value = int(value)
        said = format(value, spec).replace("%", "\u00a0%")
        return said.replace("-", "−") if value < 0 else said


def braced(text: Any) -> str:
    """Text of others as part of a template: braces in it are no fields."""
    return str(text).replace("{", "{{").replace("}", "}}")


def pointer(*parts: Any) -> str:
    """JSON pointer (RFC 6901) of keys, whatever is in them.

    >>> pointer("files", "population/counts.parquet", "bytes")
    '/files/population~1counts.parquet/bytes'
    """
    return "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in parts)


def spoken(name: Any) -> str:
    """Write the name of a variable, table or cell for people: 'ethnic_group x age' as 'ethnic group × age'."""
    return str(name).replace("_", " ").replace(" x ", " × ")


def listed(names, most: int = 24) -> str:
    """Join names in words, the first `most` of them.

    >>> listed(["age", "sex", "ethnic_group x age"])
    'age, sex and ethnic group × age'
    """
    said = [spoken(n) for n in names]
    if len(said) > most:
        return f"{', '.join(said[:most])} and {len(said) - most:,} more"
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}" if said else ""
