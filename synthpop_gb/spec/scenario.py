"""What may stand in a scenario file: a model and its reforms, what to ask, and changes of the population; its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from synthpop_gb.errors import InputError
from synthpop_gb.indicators import parse_condition
from synthpop_gb.spec.kinds import Strict, Texts
from synthpop_gb.spec.sources import Table

__all__ = ["DecilesModel", "OutcomeRequest", "PlacesModel", "PopulationChange", "PovertyModel", "ReformModel", "Scenario",
           "scenario_schema"]  # fmt: skip

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
BASELINE = "baseline"


def _condition(value):
    if isinstance(value, str):
        try:
            parse_condition(value)
        except InputError as error:
            raise ValueError("; ".join(f.message.rstrip(".") for f in error.findings)) from None
    return value


Condition = Annotated[str, BeforeValidator(_condition)]


def _table_of(value):
    return {"path": value} if isinstance(value, str) else value


class PlacesModel(Strict):
    """A table of what the model's rules read of a place beyond the study's own levels, such as council tax."""

    path: str
    """CSV or Parquet file; its first column holds codes, the others what is told of them."""
    level: str = "zone"
    """Level whose codes these are: `zone`, or one of the study's lookup such as `lad`."""
    columns: dict[str, str] | None = None
    """Column of the file = name that the model knows it by; all columns, by their own names, where absent."""


class ReformModel(Strict):
    """One reform: what it changes of the model's parameters; what it leaves out is as in the baseline."""

    name: Name
    """Name in tables and files."""
    title: str | None = None
    """Heading; the name where absent."""
    parameters: Annotated[dict[str, Any], Field(min_length=1)]
    """Parameter = its value under the reform, as the model names them."""


class OutcomeRequest(Strict):
    """Something to ask of the outcomes."""

    what: Texts
    """Outcomes of the model, one or several; `*` for all."""
    measures: Texts = ["mean", "total"]
    """Of each: `mean`, `total`, `share`, `count`, `quantile`, `poverty`, `gini`, `s80s20`, `p90p10`; of reforms beside the
    baseline also `change`, `total_change`, `gainers`, `losers`."""
    by: Texts = ["zone"]
    """`zone`, a level of the lookup such as `lad`, or `all`; and variables whose categories make groups, or `decile`."""
    where: Condition | None = None
    """Condition on whom it is asked of, e.g. `age >= 16`."""
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Which quantile, for that measure."""


class DecilesModel(Strict):
    """Tenths of people by an outcome of the baseline, from its projected distribution."""

    of: str
    """Outcome by which people are put in order, such as equivalised income."""
    within: str = "all"
    """Whose distribution: `all` for the study area's, or a level, so that each area has its own tenths."""


class PovertyModel(Strict):
    """The line below which people are poor."""

    line: Annotated[float, Field(gt=0)] = 0.6
    """Share of the median."""
    absolute: Annotated[float, Field(gt=0)] | None = None
    """The line itself, in the unit of the outcome, instead."""
    within: str = "all"
    """Whose median: `all`, or a level."""
    anchored: bool = True
    """Whether reforms are judged by the baseline's line."""


_KEYS = {
    "shift": ("column", "where", "factor", "amount", "least"),
    "amplify": ("where", "times", "zones"),
    "balance": ("variable", "shares", "zones"),
    "raise": ("what", "where", "to", "by", "times", "zones"),
    "project": ("tables", "level"),
}
_NEEDED = {
    "shift": ("column",),
    "amplify": ("where", "times"),
    "balance": ("variable",),
    "raise": ("what",),
    "project": ("tables",),
}


class PopulationChange(Strict):
    """One change of the population. Entries of one name are steps of one scenario, in order."""

    name: Name
    """Name of the scenario."""
    title: str | None = None
    """Heading; the name where absent."""
    change: Literal["shift", "amplify", "balance", "raise", "project"]
    """`shift` a column of donors who meet a condition; `amplify` a group; `balance` a variable's categories; `raise` a rate in
    chosen zones; `project` to tables of another year."""
    column: str | None = None
    """Of a shift: column of numbers."""
    where: Condition | None = None
    """Who is shifted; the group that is amplified; of a rate, whom it is a share of."""
    factor: float | None = None
    """Of a shift: what the column is multiplied by."""
    amount: float | None = None
    """Of a shift: what is added to it."""
    least: float | None = None
    """Of a shift: no value is brought below it."""
    times: Annotated[float, Field(ge=0)] | None = None
    """What the group's share, or the rate, is multiplied by."""
    variable: str | None = None
    """Of a balance: variable with categories."""
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] | None = None
    """Of a balance: category = share wanted; equal shares where absent."""
    what: Condition | None = None
    """Of a raise: condition whose share of people is changed."""
    to: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of a raise: the rate wanted, 0 to 1."""
    by: Annotated[float, Field(ge=-1, le=1)] | None = None
    """Of a raise: what is added to each zone's rate; 0.05 = 5 points."""
    zones: dict[str, Texts] | None = None
    """Where: level = codes or names, `{ lad = ["Leeds"] }`, or `{ zone = [...] }`; everywhere where absent."""
    tables: list[Annotated[Table, BeforeValidator(_table_of)]] | None = None
    """Of a projection: files of projected counts, described like a study's tables."""
    level: str | None = None
    """Of a projection: level whose areas the tables count, such as `lad`; the zones' own counts where absent."""

    @model_validator(mode="after")
    def _keys_of_the_change(self):
        given = {key for key in set().union(*_KEYS.values()) if getattr(self, key) is not None}
        taken, needed = _KEYS[self.change], _NEEDED[self.change]
        wrong = [f"{key} is not for {self.change!r}, which takes {', '.join(taken)}" for key in sorted(given - set(taken))]
        wrong += [f"{self.change!r} needs {key}" for key in needed if key not in given]
        wrong += self._numbers()
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def settings(self) -> dict:
        """Return what is set of the change's own keys."""
        return {key: getattr(self, key) for key in _KEYS[self.change] if getattr(self, key) is not None}

    def _numbers(self) -> list[str]:
        """Say what is wrong with numbers that are right each by itself."""
        one_of = [k for k in ("to", "by", "times") if getattr(self, k) is not None]
        if self.change == "raise" and len(one_of) != 1:
            return ["a rate is raised by one of to, by and times" + (f", not by {' and '.join(one_of)}" if one_of else "")]
        if self.change == "shift" and self.factor in (None, 1.0) and self.amount in (None, 0.0):
            return [f"a shift of {self.column} by factor 1 and amount 0 changes nothing"]
        if self.change == "balance" and self.shares is not None and abs(sum(self.shares.values()) - 1.0) > 1e-9:
            return [f"shares of {self.variable} add up to 1, not {sum(self.shares.values()):g}"]
        return []


class Scenario(Strict):
    """Reforms, and changed populations, beside a baseline."""

    name: Name
    """Name of the scenario and of its folder in `simulations/`."""
    title: str | None = None
    """Heading of its page."""
    model: str | None = None
    """A registered policy model: `tax-benefit`, `health-intervention`, `policyengine-uk` ... A model of your own is named on the
    command line, `--model file.py:Name`, since nothing in a file is run."""
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    """Year whose rules apply, where the model has several."""
    inputs: dict[str, bool | float | str | dict[str, Any]] = {}
    """Input of the model = column of the survey, where they are called otherwise; or a number that holds for all; of PolicyEngine
    also `{ column = "tenure", map = { "private rented" = 9000 }, blank = 0 }`."""
    parameters: dict[str, Any] = {}
    """Parameters of the baseline that are not the model's own."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Nominal coverage of the intervals."""
    gain: Annotated[float, Field(ge=0)] = 0.01
    """Whose outcome rises or falls: by more than this, in its unit. Smaller changes are none."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """Fixes the draws of population changes; the run's own where absent."""
    places: PlacesModel | None = None
    """What rules read of a place beyond the study's levels."""
    reform: list[ReformModel] = []
    """Reforms beside the baseline."""
    outcome: list[OutcomeRequest] = []
    """What to ask; every outcome's mean and total by zone where absent."""
    deciles: DecilesModel | None = None
    """Tenths of people by an outcome of the baseline; `by = ["decile"]` asks by them."""
    poverty: PovertyModel | None = None
    """The line of the measure `poverty`."""
    population: list[PopulationChange] = []
    """Changes of the population."""

    @model_validator(mode="after")
    def _names_apart(self):
        names, wrong = [r.name for r in self.reform], []
        others = list(dict.fromkeys(p.name for p in self.population))
        for name in dict.fromkeys([*names, *others]):
            times = names.count(name) + (name in others)
            if name == BASELINE:
                wrong.append(f"{BASELINE!r} is the model as it is: call the reform otherwise")
            elif times > 1:
                wrong.append(f"{times} scenarios are called {name!r}")
        if self.deciles is None and any("decile" in asked.by for asked in self.outcome):
            wrong.append("outcomes by decile need [deciles], with the outcome that they are of")
        mixed = [n for n in others if len({p.change == "project" for p in self.population if p.name == n}) > 1]
        wrong += [f"{name!r} mixes a projection with other changes: give it a name of its own" for name in mixed]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def heading(self) -> str:
        """Title of the page."""
        return self.title or self.name

    @property
    def populations(self) -> dict[str, list[PopulationChange]]:
        """Changes of the population by name of their scenario, in order."""
        return {name: [p for p in self.population if p.name == name] for name in dict.fromkeys(p.name for p in self.population)}


def scenario_schema() -> dict:
    """JSON Schema of a scenario file, for editors that read the `#:schema` line."""
    schema = Scenario.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        for entry in part.get("properties", {}).values():
            _texts(entry)
    tables = schema["$defs"]["PopulationChange"]["properties"]["tables"]
    for kind in tables["anyOf"]:
        if kind.get("type") == "array":  # a bare path is a table
            kind["items"] = {"anyOf": [{"type": "string"}, kind["items"]]}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "synthpop_gb scenario"
    return schema


def _texts(entry: dict) -> None:
    """Allow one text where a list of texts may stand."""
    if entry.get("type") == "array" and entry.get("items") == {"type": "string"}:
        several = {"type": entry.pop("type"), "items": entry.pop("items")}
        entry["anyOf"] = [{"type": "string"}, several]
    for kind in entry.get("anyOf", []):
        inner = kind.get("additionalProperties")
        if isinstance(inner, dict):
            _texts(inner)
