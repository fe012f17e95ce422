"""What the columns of a map's file are: names for people, units, how they are shown. GeoPackages carry them; QGIS shows them."""

from __future__ import annotations

from dataclasses import dataclass

from synthpop_gb.indicators import RELIABILITY, UNRELIABLE

__all__ = ["RELIABILITY_CLASSES", "Field", "estimate_fields", "share_fields"]


@dataclass(frozen=True)
class Field:
    """One column of values by zone.

    Attributes
    ----------
    label : str
        Name for people, without unit.
    unit : str
        Unit of the values as they are stored, e.g. 'share of people'.
    note : str
        What they are, in a sentence.
    scale : float
        What a map multiplies them by before it shows them: 100 for shares shown in per cent.
    shown_unit : str
        Unit of what a map shows; `unit` where empty.
    centre : float, optional
        Of a quantity with two directions, such as a change: the value (as shown) that colours diverge around.

    >>> Field("In bad health", "share of people", scale=100, shown_unit="% of people").alias
    'In bad health (share of people)'
    """

    label: str
    unit: str = ""
    note: str = ""
    scale: float = 1.0
    shown_unit: str = ""
    centre: float | None = None

    @property
    def alias(self) -> str:
        """Heading of the column in a table of attributes."""
        return f"{self.label} ({self.unit})" if self.unit and self.unit != self.label.lower() else self.label

    @property
    def legend(self) -> str:
        """Unit of the legend."""
        return self.shown_unit or self.unit


RELIABILITY_CLASSES = {
    name: f"standard error below {100 * limit:g} % of the estimate" if name != "unreliable" else UNRELIABLE
    for name, limit in RELIABILITY.items()
}
"""Words of the column 'reliability', with what each says."""


def share_fields(what: str, known: str = "people") -> dict[str, Field]:
    """Describe the columns of `indicators.share_by_zone`: `what` is asked, `known` says of whom.

    >>> share_fields("health = 'bad'")["matching"].alias
    "Who meet health = 'bad' (people)"
    """
    return {
        "people": Field("People", "people", "Whole people placed in the area."),
        "known": Field("People of whom it is known", "people", "Those whose record answers what is asked."),
        "matching": Field(f"Who meet {what}", "people", "Counted among the people placed."),
        "share": Field(what, f"share of {known}", "Counted among the people placed.", 100.0, f"% of {known}"),
    }


def estimate_fields(
    what: str, unit: str, *, share: bool = False, level: float = 0.9, of: str = "people", centre: float | None = None
) -> dict[str, Field]:
    """Describe the columns of `Indicators.frame`, and 'half_width', half the length of the interval.

    Parameters
    ----------
    what : str
        What is estimated.
    unit : str
        Unit of the estimates as stored.
    share : bool
        Whether they are shares, shown in per cent of `of`.
    level : float
        Coverage of the intervals.
    of : str
        Who are counted: 'people', 'households', 'people aged 16 and over'.
    centre : float, optional
        Of changes: the value that colours diverge around.
    """
    scale, shown = (100.0, f"% of {of}") if share else (1.0, unit)
    points = "points of per cent" if share else unit
    whole = f"{100 * level:g} % interval"

    def field(label: str, note: str, shown_unit: str = points) -> Field:
        return Field(label, unit, note, scale, shown_unit)

    return {
        "estimate": Field(what, unit, "Expectation over the draw of whole people.", scale, shown, centre),
        "standard_error": field("Standard error", "Of the whole error: draws, survey, and what the tables cannot see."),
        "lower": field(f"Lower end of the {whole}", "The truth is below it in half of the cases outside the interval.", shown),
        "upper": field(f"Upper end of the {whole}", "The truth is above it in half of the cases outside the interval.", shown),
        "half_width": field(f"Half-width ({whole})", "Half the length of the interval."),
        "counted": field("Counted", "The same figure counted among the whole people placed.", shown),
        "people": Field(of.capitalize(), of.split(",")[0], "Expected number of them in the area."),
        "n_eff": Field("Effective number of records", "records", "Records of equal weight that would tell as much (Kish)."),
        "donors": Field("Distinct records", "records", "Survey records that the area's people are copies of."),
        "largest_donor": Field("Share of the commonest record", "share", "Of the area's people.", 100.0, "%"),
        "replicate_error": field("Error between draws", "Standard deviation between replicates."),
        "finite_error": field("Error of finite numbers", "Of an area's people being so many and no more."),
        "model_error": field("Error of the model", "Of what the tables cannot see of an area."),
        "reliability": Field("Reliability", "", "; ".join(f"{name}: {said}" for name, said in RELIABILITY_CLASSES.items())),
    }
