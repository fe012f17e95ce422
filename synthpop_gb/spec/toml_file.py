"""A TOML file as read: plain values, the line of every key, mistakes in words with their place, paths made absolute.

The file is data. Nothing in it is executed, and paths are the only values in which `${NAME}` is replaced.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from synthpop_gb.errors import Finding, InputError, finding

__all__ = ["TomlFile", "placed_lines", "read_text"]

_HEADER = re.compile(r"^\s*\[(\[)?\s*([^\]]+?)\s*\]?\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\"'-]+)\s*=")


def placed_lines(text: str) -> dict[str, int]:
    """Line on which each key of a TOML text is set: {'survey.path': 7}. Keys inside inline tables are not told apart."""
    found: dict[str, int] = {}
    prefix, seen = "", {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            prefix = header[2].replace('"', "")
            above = max((k for k in seen if prefix.startswith(f"{k}.")), key=len, default=None)
            if above is not None:  # a table of the last entry of a list of tables
                prefix = f"{above}.{seen[above]}{prefix[len(above) :]}"
            if header[1]:
                seen[prefix] = seen.get(prefix, -1) + 1
                prefix = f"{prefix}.{seen[prefix]}"
            found.setdefault(prefix, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{prefix}.{key[1]}".strip(".").replace('"', ""), number)
    return found


@dataclass(frozen=True)
class TomlFile:
    """A file that says what is to be done.

    Attributes
    ----------
    path : Path
    raw : dict
        Its plain values.
    lines : dict of str to int
        Line on which each key is set, `placed_lines`; empty where nothing is known of lines.
    """

    path: Path
    raw: dict
    lines: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, what: str) -> TomlFile:
        """Read a file; `what` it is stands in messages: 'study'.

        Raises InputError: `missing-file`, `unreadable-file`, `study-syntax`.
        """
        text = read_text(path, what)
        try:
            return cls(path, tomllib.loads(text), placed_lines(text))
        except tomllib.TOMLDecodeError as error:
            raise InputError([finding("study-syntax", f"{path.name}: {error}.", place=str(path))]) from None

    def place(self, *location: str | int) -> str:
        """Say where a key stands: `file:line: key`."""
        dotted, probe = ".".join(map(str, location)), list(map(str, location))
        while probe and ".".join(probe) not in self.lines:
            probe.pop()
        line = f":{self.lines['.'.join(probe)]}" if probe else ""
        return f"{self.path.name}{line}" + (f": {dotted}" if dotted else "")

    def explain(self, error: dict, root: type[BaseModel], children: Mapping[str, type[BaseModel]]) -> Finding:
        """Turn one pydantic error into a finding with its place and the nearest known key.

        root, children : model of the whole file, and models of what stands in it, by key.
        """
        location = tuple(error["loc"])
        place = self.place(*location)
        if error["type"] == "extra_forbidden":
            key, known = str(location[-1]), _known_keys(location[:-1], root, children)
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else f" Known keys: {', '.join(known)}."
            return finding("study-key", f"{place}: unknown key '{key}'.{hint}", place=place)
        if error["type"] == "missing":
            return finding("study-missing", f"{place}: this key is needed.", place=place)
        said = error["msg"].removeprefix("Value error, ")
        if error["type"] == "value_error" and isinstance(error.get("input"), dict):  # of a whole table: the words name its keys
            return finding("study-value", f"{place}: {said}.", place=place)
        given = repr(error.get("input"))
        given = given if len(given) <= 80 else given[:77] + "..."
        return finding("study-value", f"{place}: {said}; got {given}.", place=place)

    def resolved(self, paths: Iterable[str], raw: dict | None = None) -> tuple[dict, list[Finding]]:
        """Make paths absolute: relative ones count from the file, `${NAME}` from the environment.

        Parameters
        ----------
        paths : iterable of str
            Where paths stand: 'survey.path', 'tables.*.lookup' ('*' = every entry of a list). A path may be a list of paths;
            where something else stands it is left as it is.
        raw : dict, optional
            Values in place of the file's own.

        Returns
        -------
        (dict, list of Finding)
            The values with absolute paths, and `study-environment` for each that uses an unset variable.
        """
        found: list[Finding] = []
        values = self.raw if raw is None else raw
        for pattern in paths:
            values = self._at(values, pattern.split("."), (), found)
        return values, found

    def _at(self, value, pattern: list[str], location: tuple, found: list[Finding]):
        if not pattern:
            if isinstance(value, list):
                return [self._at(one, [], location, found) for one in value]
            return self._absolute(value, location, found) if isinstance(value, str) else value
        head, rest = pattern[0], pattern[1:]
        if head == "*" and isinstance(value, list):
            return [self._at(one, rest, (*location, i), found) for i, one in enumerate(value)]
        if isinstance(value, dict) and head in value:
            return {**value, head: self._at(value[head], rest, (*location, head), found)}
        return value

    def _absolute(self, text: str, location: tuple, found: list[Finding]) -> str:
        missing = [name for name in re.findall(r"\$\{(\w+)\}", text) if not os.environ.get(name)]
        if missing:
            place = self.place(*location)
            message = f"{place}: the environment variable {', '.join(missing)} is not set."
            found.append(finding("study-environment", message, place=place))
            return text
        text = re.sub(r"\$\{(\w+)\}", lambda m: os.environ[m[1]], text)
        return os.path.normpath(self.path.parent.resolve() / Path(text).expanduser())


def read_text(path: Path, what: str) -> str:
    """Read a text file. Raises InputError (`missing-file`, `unreadable-file`)."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError([finding("missing-file", f"There is no {what} file {path}.", place=str(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([finding("unreadable-file", f"{path} cannot be read as text: {error}.", place=str(path))]) from None


def _known_keys(location: tuple, root: type[BaseModel], children: Mapping[str, type[BaseModel]]) -> list[str]:
    """Keys that may stand at a place in the file."""
    model = root
    for part in location:
        model = model if isinstance(part, int) else children.get(str(part), model)
    return [known.alias or name for name, known in model.model_fields.items()]
