"""What may stand in a study file: models with every key, its meaning and its limits; the JSON Schema comes from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from synthpop_gb.spec.options import option_schema
from synthpop_gb.spec.start import StartModel

__all__ = [
    "CardModel", "DistributionModel", "IndicatorRequest", "MapRequest", "Method", "RecodeModel", "ReplicatesModel", "Study",
    "Survey", "SurveyVariable", "Table", "Truth", "Zones", "study_schema", "with_method",
]  # fmt: skip


def _as_text_codes(value):
    """TOML keys are text, codes in files are often numbers: keep both as text."""
    return [str(v) for v in value] if isinstance(value, list) else value


Codes = Annotated[list[str], BeforeValidator(_as_text_codes)]
Count = Annotated[int, Field(ge=1)]
Link = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")]
"""An address on the web: no other scheme, so that nothing in a card runs when it is clicked."""


def _as_list(value):
    """One text is a list of one."""
    return [value] if isinstance(value, str) else value


Texts = Annotated[list[str], BeforeValidator(_as_list)]

Files = Annotated[list[str], Field(min_length=1)]


class Strict(BaseModel):
    """Base of every table in a study: unknown keys are refused, values never change after reading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True
    )


class SurveyVariable(Strict):
    """One variable of a survey that no codebook describes."""

    column: str
    """Column of the survey file."""
    categories: dict[str, str] | None = None
    """Code in the file = category. Categories are the common codebook's (`very good`, `16-24`) or your own labels."""
    missing: Codes = []
    """Codes that mean 'no answer' or 'does not apply'."""


class Survey(Strict):
    """The microdata whose records are placed in the zones."""

    path: str
    """File of records: Parquet, CSV, Stata, SPSS or UK Data Service .tab."""
    licence: Literal["open", "restricted"] = "restricted"
    """'open' only where the licence lets records be copied into outputs (e.g. the Open Government Licence)."""
    format: Literal["auto", "census-teaching", "tidy"] = "auto"
    """'census-teaching' for the 2011 and 2021 census teaching files; 'auto' recognises them."""
    name: str | None = None
    """Short name for reports."""
    id: str | None = None
    """Column of record ids; the row number where absent."""
    weight: str | None = None
    """Column of design weights."""
    strata: str | None = None
    """Column of the design's strata: replicates resample records, or clusters, within them."""
    cluster: str | None = None
    """Column of the design's primary sampling units (households, postcode sectors): replicates resample whole ones."""
    region: str | None = None
    """Column of the part of the country that a record is from: intervals learn from it how outcomes cluster."""
    household: str | None = None
    """Column of household ids, equal for people who live together: whole households are placed, and tables of households met."""
    households: str | None = None
    """File of one row a household, with that column too, where households have a file of their own."""
    household_weight: str | None = None
    """Column of the household's design weight; the mean of its members' weights where absent."""
    communal: str | None = None
    """Column that marks residents of communal establishments (true, or not blank), who live in no household."""
    year: int | None = None
    """Year that the records describe."""
    universe: str | None = None
    """Whom the survey covers, e.g. 'usual residents aged 16 and over'."""
    publisher: str | None = None
    """Who publishes it, for the card."""
    terms: str | None = None
    """Its licence by name, for the card: 'Open Government Licence v3.0', 'UK Data Service End User Licence'."""
    url: Link | None = None
    """Where it is published, for the card."""
    variables: dict[str, SurveyVariable] = {}
    """Variables by common name, where no codebook describes them."""

    @model_validator(mode="after")
    def _households_have_ids(self):
        needing = [key for key in ("households", "household_weight", "communal") if getattr(self, key) is not None]
        if needing and self.household is None:
            raise ValueError(f"{', '.join(needing)} without household, the column of household ids")
        return self


class Table(Strict):
    """One file of published counts."""

    path: str
    """File, or a pattern such as `tables/*.csv`."""
    name: str | None = None
    """Name in this study; by default that of the publication or file."""
    format: Literal["auto", "nomis-bulk", "nomis-query", "nomis-api", "ons-custom", "superweb2", "wide", "long"] = "auto"
    """Layout; 'auto' recognises the publishers' own."""
    member: str | None = None
    """Which file of a zip, or which table of a file that holds several."""
    zone: str | None = None
    """Column of zone codes."""
    variables: list[str] | None = None
    """Variables that the columns cross, where the file does not say."""
    columns: dict[str, str | list[str]] | None = None
    """Header = category (or one category a variable), where headers are no labels."""
    total: str | None = None
    """Column of the published total."""
    remainder: str | list[str] | None = None
    """Category that takes what the cells leave of the total."""
    aggregate: bool = False
    """Add up several rows of one zone, e.g. output areas with a column of their LSOA."""
    lookup: str | None = None
    """File that says in which other zones the table's zones lie: it is added up to those. Needs `to`."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """Column of the table's zones in that lookup; the one that has most of them where absent."""
    to: str | None = None
    """Column of the zones that the study has, in that lookup. Zones that are divided between several are left out, and said."""
    universe: str | None = None
    """Who is counted, where the file does not say."""
    standard_error: Annotated[float, Field(ge=0)] | None = None
    """Standard deviation of the publisher's perturbation of one cell, in people."""
    level: str | None = None
    """Parent level whose areas the rows are, or are to be added up to: `msoa`. Told from the codes where absent."""
    year: int | None = None
    """Census year, where the file does not say."""
    publisher: str | None = None
    """Who publishes it, for the card."""
    licence: str | None = None
    """Its licence by name, for the card."""
    url: Link | None = None
    """Where it is published, for the card."""


    @model_validator(mode="after")
    def _whole_lookup(self):
        if (self.lookup is None) != (self.to is None) or (self.from_ is not None and self.lookup is None):
            raise ValueError("lookup and to go together, and from with them")
        return self


def _table_of(value):
    return {"path": value} if isinstance(value, str) else value


class Zones(Strict):
    """Which zones are populated, what they nest in, and their polygons."""

    lookup: str | Files | None = None
    """File with zone codes and the areas they nest in. A list puts nations side by side, or adds areas of the same zones."""
    zone: str | Files | None = None
    """Column of zone codes in the lookup; a list has one for each lookup."""
    parent: Annotated[dict[str, str | Files], Field(min_length=1, max_length=1)] | None = None
    """One level and area: `{ lad = "Leeds" }` or `{ region = "E12000003" }`; or a list of areas. All zones where absent."""
    codes: Codes | None = None
    """Zone codes, where only some are wanted."""
    boundaries: str | Files | None = None
    """File of polygons: GeoParquet, GeoPackage, GeoJSON or Shapefile; or a list."""
    boundary_zone: str | Files | None = None
    """Column of zone codes in it; a list has one for each file."""
    year: int | None = None
    """Year of the zones, for the card: 2011 for LSOAs of the 2011 census."""
    publisher: str | None = None
    """Who publishes lookup and boundaries, for the card."""
    licence: str | None = None
    """Their licence by name, for the card."""
    url: Link | None = None
    """Where they are published, for the card."""

    @model_validator(mode="after")
    def _one_column_a_file(self):
        for key, files in (("zone", "lookup"), ("boundary_zone", "boundaries")):
            given, there = getattr(self, key), getattr(self, files)
            if isinstance(given, list) and len(given) != (len(there) if isinstance(there, list) else 1):
                raise ValueError(f"{key} names {len(given)} columns, {files} another number of files")
        return self


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
    households = survey.get("household") if isinstance(survey, dict) else getattr(survey, "household", None)
    if households is None or not isinstance(method, dict) or "name" in method:
        return raw
    return {**raw, "method": {**method, "name": "balance"}}


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
