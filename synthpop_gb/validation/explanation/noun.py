"""What an explanation is: words first, then the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

__all__ = ["CAUSES", "Explanation"]

CAUSES = {
    "empty cell": "nobody in the survey is so",
    "no donor here": "everybody in the survey who is so is also something that nobody is to be here",
    "people and households": "household tables and tables of people imply different numbers of people",
    "tables clash": "one table leaves too little or too much room for another",
    "targets clash": "several targets together cannot be met by anybody in the survey",
    "area's table": "a table of a larger area pulls against the zone's own",
    "bounds": "bounds on the weights, or a cap on copies, forbid it",
    "limit": "the fit or the search was stopped by its limit",
    "made whole": "the fractional fit meets it; whole units do not",
    "pulled along": "it shares its people with cells that cannot be met",
}
"""Every kind of cause, in the order in which it is looked for, with its meaning."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a zone, or an area of several, fits its tables as it does.

    Attributes
    ----------
    place, name : str
        Code of the zone or area; its name, empty where none is known.
    level : str
        'zone', or the area's level: 'msoa', 'lad' ...
    headline : str
        The answer in one sentence.
    why : tuple of str
        Sentences: one a cause, the gravest first.
    remedies : tuple of str
        What would mend it, the surest first.
    notes : tuple of str
        What else is worth knowing: tables as published, donors, thin cells.
    tables : mapping of str to pandas.DataFrame
        - 'tables': one row a table: table, unit ('people' or 'households'), cells, published, target, fitted, observed (totals),
          error (sum of absolute misses of whole units), largest_fit_miss, cells_missed
        - 'cells': one row a cell: table, cell, unit, published, target, goal (what whole units were made to meet), fitted,
          observed, error (observed - goal), donors (units of the survey in it), donors_here (those that the place's tables do
          not exclude), effective_donors (of these, by design weight, Kish 1965), used (distinct donors placed), largest_share (of
          the cell, that one donor makes), missed, cause. Where the survey is not open, donors, donors_here and used from 1 to 9
          are 'fewer than 10', and what would tell them is empty
        - 'causes': one row a cause: cause, table, cell, amount (people or households), unit, words, remedy
        - 'donors': the most used: donor (a record, or a household), copies, share (per cent of people), members of a household,
          and labels in each table where the survey is open
        - 'levels': tables of the areas that the place lies in: level, area, table, cell, unit, target, observed, error
        - 'relax': the smallest set of targets to relax: zone, table, cell, target, to, change
        - 'keeping': the least change that keeps the total of every table, where any does: columns as of 'relax'
        - 'zones': of an area, one row a zone: zone, name, people, fit, whole, error, worst_cell, cause
    """

    place: str
    name: str
    level: str
    headline: str
    why: tuple[str, ...]
    remedies: tuple[str, ...]
    notes: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def fits(self) -> bool:
        """Whether no cell misses its target."""
        return not bool(self.tables["cells"]["missed"].any())

    @property
    def title(self) -> str:
        """Code and name."""
        return f"{self.place} ({self.name})" if self.name else self.place

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one table by name."""
        return self.tables[name]

    @property
    def text(self) -> str:
        """The words, without the tables."""
        lines = [f"{self.title}: {self.headline}"]
        for heading, said in (("Why", self.why), ("What would mend it", self.remedies), ("Worth knowing", self.notes)):
            if said:
                lines += ["", heading, *(f"  - {sentence}" for sentence in said)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the words, and which tables there are."""
        return f"{self.text}\n\nTables: {', '.join(self.tables)}"
