"""Reading a scenario file: TOML to a checked scenario, with every mistake at once and the line it stands on."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.spec.load import place_of, placed_lines
from synthpop_gb.spec.scenario import (
    DecilesModel,
    OutcomeRequest,
    PlacesModel,
    PopulationChange,
    PovertyModel,
    ReformModel,
    Scenario,
)
from synthpop_gb.spec.sources import Table

__all__ = ["load_scenario"]

_CHILDREN = {
    "places": PlacesModel, "reform": ReformModel, "outcome": OutcomeRequest, "deciles": DecilesModel, "poverty": PovertyModel,
    "population": PopulationChange, "tables": Table,
}  # fmt: skip


def load_scenario(path: str | Path, *, other_model: bool = False) -> Scenario:
    """Read a scenario file (`.toml`).

    The file is data: nothing in it is run, its model is the name of a registered one. Paths come back absolute: relative ones
    count from the file, `${NAME}` from the environment.

    other_model : another model takes the place of the one that the file names, which then need not be registered.

    Raises
    ------
    InputError
        With every mistake in the file: syntax, unknown keys with the nearest known one, wrong values, missing keys, models that
        there are none of. Each place is `file:line: key`.
    """
    path = Path(path)
    raw, lines = _parse(path)
    resolved, findings = _paths(raw, path, lines)
    findings += [] if other_model else _model(raw, path, lines)
    try:
        scenario = Scenario.model_validate(resolved)
    except ValidationError as error:
        raise InputError([*(_explain(e, path, lines) for e in error.errors(include_url=False)), *findings]) from None
    refuse(findings)
    return scenario


def _parse(path: Path) -> tuple[dict, dict[str, int]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError([finding("missing-file", f"There is no scenario file {path}.", place=str(path))]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([finding("unreadable-file", f"{path} cannot be read as text: {error}.", place=str(path))]) from None
    try:
        return tomllib.loads(text), placed_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError([finding("study-syntax", f"{path.name}: {error}.", place=str(path))]) from None


def _model(raw: dict, path: Path, lines: dict[str, int]) -> list[Finding]:
    """`unknown-policy-model` where the model named is not registered."""
    from synthpop_gb.policy import policy_models

    name = raw.get("model")
    if not isinstance(name, str) or name in policy_models():
        return []
    place = place_of(("model",), path, lines)
    near = difflib.get_close_matches(name, policy_models(), n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(policy_models()) or 'none'}."
    return [finding("unknown-policy-model", f"{place}: no policy model is called '{name}'.{hint}", place=place)]


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
    said = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and isinstance(error.get("input"), dict):  # of a whole table: the words name its keys
        return finding("study-value", f"{place}: {said}.".replace(f"{path.name}: : ", f"{path.name}: "), place=place)
    given = repr(error.get("input"))
    given = given if len(given) <= 80 else given[:77] + "..."
    return finding("study-value", f"{place}: {said}; got {given}.", place=place)


def _known_keys(location: tuple) -> list[str]:
    model: Any = Scenario
    for part in location:
        model = model if isinstance(part, int) else _CHILDREN.get(str(part), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _paths(raw: dict, path: Path, lines: dict[str, int]) -> tuple[dict, list[Finding]]:
    """Make every path absolute; returns plain values with them and what could not be resolved."""
    findings: list[Finding] = []

    def resolve(text, location: tuple):
        if not isinstance(text, str):
            return text
        missing = [n for n in re.findall(r"\$\{(\w+)\}", text) if not os.environ.get(n)]
        if missing:
            place = place_of(location, path, lines)
            message = f"{place}: the environment variable {', '.join(missing)} is not set."
            findings.append(finding("study-environment", message, place=place))
            return text
        text = re.sub(r"\$\{(\w+)\}", lambda m: os.environ[m[1]], text)
        return os.path.normpath(path.parent.resolve() / Path(text).expanduser())

    resolved = dict(raw)
    if isinstance(raw.get("places"), dict) and "path" in raw["places"]:
        resolved["places"] = {**raw["places"], "path": resolve(raw["places"]["path"], ("places", "path"))}
    if isinstance(raw.get("population"), list):
        resolved["population"] = [
            {**p, "tables": [_table(t, ("population", i, "tables", j), resolve) for j, t in enumerate(p["tables"])]}
            if isinstance(p, dict) and isinstance(p.get("tables"), list) else p
            for i, p in enumerate(raw["population"])
        ]  # fmt: skip
    return resolved, findings


def _table(table, location: tuple, resolve):
    if isinstance(table, dict):
        return {**table, **{key: resolve(table[key], location) for key in ("path", "lookup") if key in table}}
    return resolve(table, location)
