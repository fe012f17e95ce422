"""Reading a study file: TOML to a checked study, with every mistake at once and the line it stands on.

The file is data. Nothing in it is executed, paths are the only values in which `${NAME}` is replaced, and it cannot say where
results are written beyond their folder's name.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from pathlib import Path

from pydantic import BaseModel, ValidationError

from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.spec.model import (
    CardModel,
    DistributionModel,
    IndicatorRequest,
    MapRequest,
    Method,
    RecodeModel,
    ReplicatesModel,
    Study,
    Survey,
    SurveyVariable,
    Table,
    Truth,
    Zones,
    with_method,
)
from synthpop_gb.spec.options import method_findings
from synthpop_gb.spec.start import IncomeModel, LearntModel, StartModel

__all__ = ["ask_for", "load_study", "place_of", "placed_lines"]


def load_study(path: str | Path) -> Study:
    """Read a study file (`.toml`), or the study inside a finished run's `run.json`.

    Paths come back absolute: relative ones count from the study file, `${NAME}` from the environment.

    Raises
    ------
    InputError
        With every mistake in the file: syntax, unknown keys with the nearest known one, wrong values, missing keys, paths
        that use unset variables. Each place is `file:line: key`.
    """
    path = Path(path)
    raw, lines = _parse(path)
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            [_explain(e, path, lines) for e in error.errors(include_url=False)]
            + _method(raw, path, lines)
            + _paths(raw, path, lines)[1]
        ) from None
    resolved, findings = _paths(study.model_dump(exclude_none=True), path, lines)
    refuse([*_method(raw, path, lines), *findings])
    return Study.model_validate(resolved)


def _parse(path: Path) -> tuple[dict, dict[str, int]]:
    """Read the file into plain values, with the line of each key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError([finding("missing-file", f"There is no study file {path}.", place=str(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([finding("unreadable-file", f"{path} cannot be read as text: {error}.", place=str(path))]) from None
    try:
        if path.suffix == ".json":
            return dict(json.loads(text)["study"]), {}
        return tomllib.loads(text), placed_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([finding("study-syntax", f"{path.name}: {error}.", place=str(path))]) from None
    except (ValueError, KeyError, TypeError):
        raise InputError([finding("unreadable-file", f"{path} is not a run.json of a finished run.", place=str(path))]) from None


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


def place_of(location: tuple, path: Path, lines: dict[str, int]) -> str:
    """Where a key stands, as `file:line: key`."""
    dotted = ".".join(map(str, location))
    probe = list(map(str, location))
    while probe and ".".join(probe) not in lines:
        probe.pop()
    line = f":{lines['.'.join(probe)]}" if probe else ""
    return f"{path.name}{line}: {dotted}"


def _explain(error: dict, path: Path, lines: dict[str, int]) -> Finding:
    """Turn one pydantic error into a finding with its place and the nearest known key."""
    location = tuple(error["loc"])
    place = place_of(location, path, lines)
    if error["type"] == "extra_forbidden":
        key = str(location[-1])
        known = _known_keys(location[:-1])
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else f" Known keys: {', '.join(known)}."
        return finding("study-key", f"{place}: unknown key '{key}'.{hint}", place=place)
    if error["type"] == "missing":
        return finding("study-missing", f"{place}: this key is needed.", place=place)
    given = repr(error.get("input"))
    given = given if len(given) <= 80 else given[:77] + "..."
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and isinstance(error.get("input"), dict):  # of a whole table: the words name its keys
        return finding("study-value", f"{place}: {said}.", place=place)
    return finding("study-value", f"{place}: {said}; got {given}.", place=place)


def ask_for(**asked) -> IndicatorRequest:
    """Make the request for one indicator from values by name, None for what is not asked.

    Raises InputError (`study-value`) with everything that is wrong.
    """
    try:
        return IndicatorRequest.model_validate({key: value for key, value in asked.items() if value is not None})
    except ValidationError as error:
        findings = [
            finding("study-value", f"{'.'.join(map(str, e['loc']))}: {e['msg']}; got {e['input']!r}.", place="indicator")
            for e in error.errors()
        ]
        raise InputError(findings) from None


def _method(raw: dict, path: Path, lines: dict[str, int]) -> list[Finding]:
    """Find what is wrong with [method], beyond the type of its name."""
    method = with_method(raw).get("method")
    if not isinstance(method, dict) or not isinstance(name := method.get("name", Method().name), str):
        return []
    given = {key: value for key, value in method.items() if key != "name"}
    return method_findings(name, given, lambda key: place_of(tuple(key.split(".")), path, lines))


_CHILDREN = {
    "survey": Survey, "tables": Table, "zones": Zones, "recode": RecodeModel, "method": Method, "maps": MapRequest,
    "truth": Truth, "variables": SurveyVariable, "indicators": IndicatorRequest, "replicates": ReplicatesModel,
    "distributions": DistributionModel, "card": CardModel, "start": StartModel, "learnt": LearntModel,
    "incomes": IncomeModel,
}  # fmt: skip


def _known_keys(location: tuple) -> list[str]:
    """Keys that may stand at a place in the file."""
    model: object = Study
    for part in location:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        model = _CHILDREN.get(str(part), model)
    return [field.alias or name for name, field in model.model_fields.items()]


_PATHS = (("survey", "path"), ("survey", "households"), ("zones", "lookup"), ("zones", "boundaries"), ("truth", "persons"),
          ("truth", "households"))  # fmt: skip


def _paths(raw: dict, path: Path, lines: dict[str, int]) -> tuple[dict, list[Finding]]:
    """Make every path absolute; returns the study with them and what could not be resolved."""
    findings: list[Finding] = []

    def resolve(text, location: tuple):
        if isinstance(text, list):
            return [resolve(one, location) for one in text]
        if not isinstance(text, str):
            return text
        place = place_of(location, path, lines)
        missing = [n for n in re.findall(r"\$\{(\w+)\}", text) if not os.environ.get(n)]
        if missing:
            names = ", ".join(missing)
            findings.append(finding("study-environment", f"{place}: the environment variable {names} is not set.", place=place))
            return text
        text = re.sub(r"\$\{(\w+)\}", lambda m: os.environ[m[1]], text)
        return os.path.normpath(path.parent.resolve() / Path(text).expanduser())

    resolved = dict(raw)
    for group, key in _PATHS:
        if isinstance(raw.get(group), dict) and key in raw[group]:
            resolved[group] = {**resolved[group], key: resolve(raw[group][key], (group, key))}
    asked = raw.get("indicators")
    if isinstance(asked, list):
        resolved["indicators"] = [
            {**a, "benchmark": resolve(a["benchmark"], ("indicators", i, "benchmark"))}
            if isinstance(a, dict) and "benchmark" in a else a
            for i, a in enumerate(asked)
        ]  # fmt: skip
    tables = raw.get("tables")
    if isinstance(tables, list):
        resolved["tables"] = [
            {**t, **{k: resolve(t[k], ("tables", i, k)) for k in ("path", "lookup") if k in t}} if isinstance(t, dict)
            else resolve(t, ("tables", i)) if isinstance(t, str) else t
            for i, t in enumerate(tables)
        ]  # fmt: skip
    if isinstance(raw.get("distributions"), list):
        resolved["distributions"] = [
            {**d, "path": resolve(d["path"], ("distributions", i, "path"))} if isinstance(d, dict) and "path" in d else d
            for i, d in enumerate(raw["distributions"])
        ]  # fmt: skip
    start = raw.get("start")
    if isinstance(start, dict) and isinstance(start.get("incomes"), list):
        incomes = [
            {**d, **{k: resolve(d[k], ("start", "incomes", i, k)) for k in ("path", "lookup") if k in d}} if isinstance(d, dict)
            else d
            for i, d in enumerate(start["incomes"])
        ]  # fmt: skip
        resolved["start"] = {**start, "incomes": incomes}
    return resolved, findings
