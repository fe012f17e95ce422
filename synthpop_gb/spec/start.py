"""The [start] table of a study: which start weights its zones are fitted from, and which donors may stand in them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

__all__ = ["LearntModel", "StartModel"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LearntModel(_Strict):
    """A joint table that is known elsewhere, and predicted for the study's zones from there."""

    table: str
    """Variables crossed, `age x sex`, or the name of a table."""
    train: str = "other zones"
    """Where it is known: `other zones`, zones of the study's tables outside the study area; or a level of the study, `msoa`."""


class StartModel(_Strict):
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
        return self.own_region is not None or self.smooth is not False or bool(self.learnt) or self.max_copies is not None
