"""What may stand in a study file: models with every key, its meaning and its limits; the JSON Schema comes from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from synthpop_gb.spec.kinds import Link, Strict, Texts
from synthpop_gb.spec.options import option_schema
from synthpop_gb.spec.sources import Survey, SurveyVariable, Table, Zones
from synthpop_gb.spec.start import StartModel

__all__ = [
    "CardModel", "DistributionModel", "IndicatorRequest", "MapRequest", "Method", "RecodeModel", "ReplicatesModel", "Study",
    "Survey", "SurveyVariable", "Table", "Truth", "Zones", "study_schema", "with_method",
]  # fmt: skip


def _table_of(value):
    return {"path": value} if isinstance(value, str) else value


class RecodeModel(Strict):
    """How the common categories of one variable are merged: one of the three."""

    bands: list[int] | None = None
    """Lower limits of age bands, in years: `[0, 16, 65]`."""
    merge: list[list[str]] | None = None
    """Groups of categories that become one."""
    map: dict[str, str] | None = None
    """Category = new category."""


class Method(Strict):
    """How weights are fitted and made whole; beside the name stand the options of the method named."""

    model_config = ConfigDict(extra="allow")

    name: str = "ipf"
    """A registered method: `ipf` fits the maximum-entropy weights, `anneal` chooses whole records by simulated annealing,
    `balance` fits whole households; where absent `balance` for surveys of households, else `ipf`."""

    def options(self) -> dict:
        """Return the options that the study names; whether the method has them is checked by `spec.options`."""
        return dict(self.model_extra or {})


class ReplicatesModel(Strict):
    """Further populations from other draws, from which intervals are made."""

    number: Annotated[int, Field(ge=0, le=10_000)] = 40
    """How many: 40 do for intervals, 200 for published tables."""
    sources: Annotated[list[Literal["whole", "donors", "tables"]], Field(min_length=1)] = ["whole", "donors", "tables"]
    """What each draws again: the whole people, the survey's records (bootstrap), the publisher's perturbation of tables."""


def _replicates_of(value):
    return {"number": value} if isinstance(value, int) and not isinstance(value, bool) else value


class DistributionModel(Strict):
    """How a statistic that no table counts should be spread over a zone's people, for methods that choose whole records."""

    column: str
    """Numeric column of the survey."""
    edges: Annotated[list[float], Field(min_length=1)]
    """Where one bin ends and the next begins, increasing: `[200, 500]` makes three bins."""
    shares: list[float] | None = None
    """Share of people in each bin, in every zone: `[0.2, 0.5, 0.3]`. Or `path`."""
    path: str | None = None
    """File of shares by zone: a zone column and one column a bin, from the lowest to the highest."""
    zone: str | None = None
    """Column of zone codes in it."""

    @model_validator(mode="after")
    def _one_source(self):
        if (self.shares is None) == (self.path is None):
            raise ValueError("give either shares or path")
        return self


class MapRequest(Strict):
    """One map to draw after the run."""

    indicator: str
    """A condition such as `health in ('bad', 'very bad')`: the map shows the share of people who meet it."""
    title: str | None = None
    """Heading; the condition where absent."""
    against: str | None = None
    """A second condition: both shares in one map of nine colours."""
    across: str | None = None
    """A variable: one map a category, the share among its people, all in one scale; not together with `against`."""
    how_sure: bool = False
    """Draw beside the map another of how long the intervals are; needs `replicates`."""
    formats: Annotated[list[Literal["png", "svg", "gpkg", "geoparquet", "geojson", "pmtiles"]], Field(min_length=1)] = [
        "png", "svg", "gpkg", "geoparquet",
    ]  # fmt: skip
    """What it is written as: pictures, a GeoPackage that QGIS opens as a map, files for code and web maps."""


class IndicatorRequest(Strict):
    """One indicator to estimate after the run, with its interval in every area."""

    what: str
    """For shares and counts a condition such as `health in ('bad', 'very bad')`; for the others a column of numbers."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}$")] | None = None
    """Name of its file in `indicators/`; made from `what` where absent."""
    measure: Literal["share", "count", "mean", "total", "quantile"] = "share"
    """What is estimated."""
    where: str | None = None
    """Condition on who is asked about, e.g. `age >= 16`."""
    by: list[str] = ["zone"]
    """`zone`, a level of the lookup such as `lad`, or `all`; and variables whose categories make groups."""
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Which quantile, for the measure `quantile`."""
    unit: Literal["person", "household"] = "person"
    """Who is asked about. A household, of a survey that has them, counts once, by what is known of it and of its reference."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Nominal coverage of the intervals."""
    resembles: str | None = None
    """Constraint whose leave-one-out error is to count most, where you know which one the outcome is like."""
    benchmark: str | None = None
    """CSV or Parquet file of the indicator as published for larger areas, columns area and value: estimates meet it."""
    benchmark_level: str | None = None
    """Level of the lookup that the benchmark's areas are of, e.g. `lad`."""
    title: str | None = None
    """Heading of its map; the question where absent."""


class Truth(Strict):
    """The true people of a made-up county, against which a population is judged."""

    persons: str
    """File of true people with a column `zone`; with the survey's column of household ids where whole households are placed."""
    households: str | None = None
    """File of true households, joined to `persons` by the column of household ids: what describes households, such as tenure."""
    indicators: dict[str, str]
    """Name = condition on columns that the survey and the truth share, e.g. `low_income = "income_band = 'lowest fifth'"`."""


class CardModel(Strict):
    """What the card of the result says beyond what the run itself knows: who made it, what for, under which licence."""

    title: str | None = None
    """Title of the result; the study's where absent. The word 'synthetic' is put in front where it is not in it."""
    creator: Texts = []
    """Who made it: one name, or several."""
    contact: str | None = None
    """Whom to ask: a name, an e-mail address or a web address."""
    licence: str | None = None
    """Licence of the result, by name or by address."""
    purpose: str | None = None
    """What it was made for, in a sentence."""
    uses: Texts = []
    """Uses that it is meant for."""
    not_for: Texts = []
    """Uses that it must not be put to."""
    citation: str | None = None
    """How to cite it; made from the other keys where absent."""
    keywords: Texts = []
    """Words to find it by."""
    funding: Texts = []
    """Who paid for it, with grant numbers."""
    version: str | None = None
    """Version of the result."""
    url: Link | None = None
    """Where it is, or will be, published."""
    changes: Texts = []
    """What changed since earlier versions, the newest first."""


class Study(Strict):
    """Everything that one population is made from."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    """Name of the study and of its folder of results."""
    title: str | None = None
    """Heading of the report."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Fixes every random draw."""
    constraints: Annotated[list[str], Field(min_length=1)]
    """Variables to be met in every zone: `"age"`, or crossed: `"age x sex"`."""
    held_out: list[str] = []
    """Tables kept back, to judge the population by."""
    levels: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    """Variables to be met in the areas above the zones, by level of the lookup: `{ msoa = ["age x sex", "employment"] }`."""
    held_out_levels: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    """Tables of levels kept back, likewise."""
    total_from: str | None = None
    """Table whose total is trusted where tables disagree; the median total where absent."""
    survey: Survey
    """The microdata."""
    tables: Annotated[list[Annotated[Table, BeforeValidator(_table_of)]], Field(min_length=1)]
    """Files of published counts: a path, or a table with options."""
    zones: Zones = Zones()
    """The study area."""
    recode: dict[str, RecodeModel] = {}
    """Merged categories, by variable."""
    method: Method = Method()
    """How weights are fitted and made whole."""
    start: StartModel = StartModel()
    """Which start weights zones are fitted from, and which donors may stand in them."""
    replicates: Annotated[ReplicatesModel, BeforeValidator(_replicates_of)] = ReplicatesModel(number=0)
    """Replicates to make beside the population: a number, or a table with `number` and `sources`."""
    distributions: list[DistributionModel] = []
    """Distributions that methods which choose whole records (`anneal`) bring about beyond the tables."""
    people: bool = False
    """Write one row a person as well."""
    maps: list[MapRequest] = []
    """Maps to draw."""
    indicators: list[IndicatorRequest] = []
    """Indicators to estimate, with intervals; they need `replicates`."""
    truth: Truth | None = None
    """True people, where the county is made up."""
    card: CardModel = CardModel()
    """What the card says beyond what the run itself knows."""

    @model_validator(mode="before")
    @classmethod
    def _method_for_households(cls, raw):
        return with_method(raw)

    @property
    def heading(self) -> str:
        """Title of the report."""
        return self.title or self.name


def with_method(raw):
    """Return a study's plain values with the method named that it has where it names none."""
    survey, method = (raw.get("survey"), raw.get("method", {})) if isinstance(raw, dict) else (None, None)
    if not isinstance(method, dict) or "name" in method or not _of_households(survey):
        return raw
    return {**raw, "method": {**method, "name": "balance"}}


def _of_households(survey) -> bool:
    """Whether a survey, as plain values that may still be wrong, is one whose households are placed whole."""
    if not isinstance(survey, dict):
        return bool(getattr(survey, "of_households", False))
    known = {key: survey.get(key) for key in ("path", "format", "household")}
    return Survey.model_construct(
        path=str(known["path"]), format=known["format"] or "auto", household=known["household"]
    ).of_households


def study_schema() -> dict:
    """JSON Schema of a study file, for editors that read the `#:schema` line."""
    schema = Study.model_json_schema()
    _allow_plain_paths(schema)
    method = schema["$defs"]["Method"]
    method["properties"] |= option_schema()
    method["additionalProperties"] = False  # other keys are no option of any method
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "synthpop_gb study"
    return schema


def _allow_plain_paths(schema: dict) -> None:
    """Allow a bare path for a table, a bare number of replicates, a bare text for a list: validators turn them round."""
    items = schema["properties"]["tables"]["items"]
    schema["properties"]["tables"]["items"] = {"anyOf": [{"type": "string"}, items]}
    replicates = schema["properties"]["replicates"]
    known = {k: replicates.pop(k) for k in ("$ref", "allOf") if k in replicates}
    schema["properties"]["replicates"] = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 10_000}, known], **replicates}
    for entry in schema["$defs"]["CardModel"]["properties"].values():
        if entry.get("type") == "array":  # one text is a list of one
            several = {"type": entry.pop("type"), "items": entry.pop("items")}
            entry["anyOf"] = [{"type": "string"}, several]
