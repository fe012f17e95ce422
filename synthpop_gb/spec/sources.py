"""What a study names as its inputs: the survey, tables of counts, zones and where they lie."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthpop_gb.spec.kinds import Codes, Files, Link, Strict

__all__ = ["Survey", "SurveyVariable", "Table", "Zones"]


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
    """File of records: Parquet, CSV, Stata, SPSS, UK Data Service .tab, or a PolicyEngine UK dataset (.h5)."""
    licence: Literal["open", "restricted"] = "restricted"
    """'open' only where the licence lets records be copied into outputs (e.g. the Open Government Licence)."""
    format: Literal["auto", "census-teaching", "policyengine", "tidy"] = "auto"
    """'census-teaching' for the 2011 and 2021 census teaching files, 'policyengine' for PolicyEngine UK datasets, which know
    their ids, weights and households themselves; 'auto' recognises both."""
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
        told = ("id", "weight", "household", "households", "household_weight", "communal")
        told = [key for key in told if getattr(self, key) is not None]
        if self.of_policyengine and told:
            raise ValueError(f"a PolicyEngine UK dataset knows its ids, weights and households: take {', '.join(told)} out")
        return self

    @property
    def of_policyengine(self) -> bool:
        """Whether the file is a PolicyEngine UK dataset, by `format` or by its name."""
        return self.format == "policyengine" or (self.format == "auto" and self.path.lower().endswith((".h5", ".hdf5")))

    @property
    def of_households(self) -> bool:
        """Whether whole households are placed: where ids of households are named, and always of PolicyEngine UK datasets."""
        return self.household is not None or self.of_policyengine


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
