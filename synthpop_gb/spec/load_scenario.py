"""Reading a scenario file: TOML to a checked scenario, with every mistake at once and the line it stands on."""

from __future__ import annotations

import difflib
from pathlib import Path

from pydantic import ValidationError

from synthpop_gb.errors import Finding, InputError, finding, refuse
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
from synthpop_gb.spec.toml_file import TomlFile

__all__ = ["load_scenario"]

_CHILDREN = {
    "places": PlacesModel, "reform": ReformModel, "outcome": OutcomeRequest, "deciles": DecilesModel, "poverty": PovertyModel,
    "population": PopulationChange, "tables": Table,
}  # fmt: skip
_PATHS = ("places.path", "population.*.tables.*", "population.*.tables.*.path", "population.*.tables.*.lookup")


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
    file = TomlFile.read(path, "scenario")
    resolved, findings = file.resolved(_PATHS)
    findings += [] if other_model else _model(file)
    try:
        scenario = Scenario.model_validate(resolved)
    except ValidationError as error:
        mistakes = [file.explain(e, Scenario, _CHILDREN) for e in error.errors(include_url=False)]
        raise InputError([*mistakes, *findings]) from None
    refuse(findings)
    return scenario


def _model(file: TomlFile) -> list[Finding]:
    """`unknown-policy-model` where the model named is not registered."""
    from synthpop_gb.policy import policy_models

    name = file.raw.get("model")
    if not isinstance(name, str) or name in policy_models():
        return []
    place = file.place("model")
    near = difflib.get_close_matches(name, policy_models(), n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(policy_models()) or 'none'}."
    return [finding("unknown-policy-model", f"{place}: no policy model is called '{name}'.{hint}", place=place)]
