"""Reading a study file: TOML to a checked study, with every mistake at once and the line it stands on.

It cannot say where results are written beyond their folder's name; what else holds of such files: `toml_file`.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

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
from synthpop_gb.spec.toml_file import TomlFile, read_text

__all__ = ["ask_for", "load_study"]

_CHILDREN = {
    "survey": Survey, "tables": Table, "zones": Zones, "recode": RecodeModel, "method": Method, "maps": MapRequest,
    "truth": Truth, "variables": SurveyVariable, "indicators": IndicatorRequest, "replicates": ReplicatesModel,
    "distributions": DistributionModel, "card": CardModel, "start": StartModel, "learnt": LearntModel,
    "incomes": IncomeModel,
}  # fmt: skip
_PATHS = (
    "survey.path", "survey.households", "zones.lookup", "zones.boundaries", "truth.persons", "truth.households",
    "indicators.*.benchmark", "tables.*", "tables.*.path", "tables.*.lookup", "distributions.*.path", "start.incomes.*.path",
    "start.incomes.*.lookup",
)  # fmt: skip


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
    file = _of_run(path) if path.suffix == ".json" else TomlFile.read(path, "study")
    try:
        study = Study.model_validate(file.raw)
    except ValidationError as error:
        mistakes = [file.explain(e, Study, _CHILDREN) for e in error.errors(include_url=False)]
        raise InputError([*mistakes, *_method(file), *file.resolved(_PATHS)[1]]) from None
    resolved, findings = file.resolved(_PATHS, study.model_dump(exclude_none=True))
    refuse([*_method(file), *findings])
    return Study.model_validate(resolved)


def _of_run(path: Path) -> TomlFile:
    """Take the study out of a run.json."""
    try:
        return TomlFile(path, dict(json.loads(read_text(path, "study"))["study"]))
    except InputError:
        raise
    except (ValueError, KeyError, TypeError):
        raise InputError([finding("unreadable-file", f"{path} is not a run.json of a finished run.", place=str(path))]) from None


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


def _method(file: TomlFile) -> list[Finding]:
    """Find what is wrong with [method], beyond the type of its name."""
    method = with_method(file.raw).get("method")
    if not isinstance(method, dict) or not isinstance(name := method.get("name", Method().name), str):
        return []
    given = {key: value for key, value in method.items() if key != "name"}
    return method_findings(name, given, lambda key: file.place(*key.split(".")))
