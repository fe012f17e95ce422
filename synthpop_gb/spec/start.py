"""The [start] table of a study: which start weights its zones are fitted from, and which donors may stand in them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, model_validator

from synthpop_gb.spec.kinds import Strict

__all__ = ["IncomeModel", "LearntModel", "StartModel"]


class LearntModel(Strict):
    """A joint table that is known elsewhere, and predicted for the study's zones from there."""

    table: str
    """Variables crossed, `age x sex`, or the name of a table."""
    train: str = "other zones"
    """Where it is known: `other zones`, zones of the study's tables outside the study area; or a level of the study, `msoa`."""


class IncomeModel(Strict):
    """Incomes published for areas, and the column of the survey that they are compared with."""

    path: str
    """File of published incomes: those of ONS, HMRC and ASHE are recognised; or columns of area codes, values and errors."""
    column: str
    """Column of the survey with the same income; of households it is read on the reference."""
    level: str
    """Level of the lookup whose areas it is published for: `msoa`, `lad`; or `zone`."""
    measure: str | None = None
    """Which of the file's measures, where it has several: `net_income_before_housing_costs`."""
    name: str | None = None
    """Short name for tables; that of the measure or file where absent."""
    kind: Literal["mean", "median", "share"] | None = None
    """What is published, where the file does not say: `mean` by default."""
    of: Literal["household", "person"] | None = None
    """Who counts once, where the file does not say: `household` by default."""
    where: str | None = None
    """Condition on who counts: `age >= 16 and income > 0`."""
    above: Annotated[float, Field(gt=0)] | None = None
    """Of shares: the amount that incomes are at or above, in pounds a year."""
    area: str | None = None
    """Column of area codes; found where absent."""
    value: str | None = None
    """Column of values; found where absent."""
    standard_error: str | Annotated[float, Field(ge=0)] | None = None
    """Column of standard errors, or one for all areas in the values' unit."""
    relative_error: Annotated[float, Field(ge=0)] | None = None
    """One standard error for all areas, as a share of each value, where the file has none."""
    lower: str | None = None
    """Column of lower confidence limits; found where absent."""
    upper: str | None = None
    """Column of upper confidence limits; found where absent."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Level of these limits."""
    year: int | None = None
    """Year of the figures, where the file does not say."""
    uprate: Annotated[float, Field(gt=0)] | None = None
    """Factor from that year's incomes to the survey's. Needed where the years differ; 1 takes figures as they stand."""
    lookup: str | None = None
    """File that says which areas of the study the file's areas became, where they are of another vintage. Needs `to`."""
    from_: Annotated[str | None, Field(alias="from")] = None
    """Column of the file's areas in that lookup; the one that has most of them where absent."""
    to: str | None = None
    """Column of the study's areas in that lookup."""
    weight: str | None = None
    """Column that says how much a former area counts, such as its households."""
    held_out: bool = False
    """Keep it back: it moves nothing, and judges."""

    @model_validator(mode="after")
    def _whole(self):
        if (self.lookup is None) != (self.to is None) or (self.lookup is None and (self.from_ or self.weight)):
            raise ValueError("lookup and to go together, and from and weight with them")
        if self.standard_error is not None and self.relative_error is not None:
            raise ValueError("give either standard_error or relative_error")
        return self


class StartModel(Strict):
    """Better start weights, a limit on copies of a donor, and donors left out. Nothing is on by default."""

    own_region: Annotated[float, Field(ge=0, lt=1)] | Literal["auto"] | None = None
    """How much donors from a zone's own region are favoured, 0 to below 1; `auto` for what cross-validation says."""
    region: str | None = None
    """Region of all zones, by code or name; the lookup's column `region` tells where absent."""
    judge: list[str] = []
    """Held-out tables by which `auto` chooses; it leaves out tables in turn where absent. They no longer judge the result."""
    smooth: StrictBool | Annotated[float, Field(ge=0, le=1)] = False
    """Two-way smoothing of the start: true for the strength under which donors left out are likeliest, or a strength."""
    learnt: list[LearntModel] = []
    """Joint tables to learn where they are known."""
    incomes: list[IncomeModel] = []
    """Incomes published for areas, towards which start weights are tilted as far as they are sure."""
    income_bands: Annotated[int, Field(ge=4, le=200)] = 20
    """Bands of income that profiles are told apart by for that."""
    income_prior: Annotated[float, Field(ge=0)] | None = None
    """How far areas differ from their line, in standard deviations of incomes; learnt from the areas where absent."""
    max_copies: Annotated[float, Field(gt=0)] | None = None
    """How often one donor may stand in a zone; below 1 as a share of the zone's people, or households."""
    exclude: str | None = None
    """Condition on the survey, `hours = 'student'`: records, and households with such a member, that are never placed."""

    @model_validator(mode="after")
    def _whole_copies(self):
        if self.max_copies is not None and self.max_copies >= 1 and self.max_copies % 1:
            raise ValueError("max_copies is a whole number from 1, or a share below 1")
        return self

    @property
    def changes(self) -> bool:
        """Whether the problem that tables and survey make is another with it."""
        asked = self.own_region is not None or self.smooth is not False or self.max_copies is not None
        return asked or bool(self.learnt) or bool(self.incomes)
