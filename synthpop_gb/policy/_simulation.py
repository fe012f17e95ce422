"""Simulation: what a model's baseline and reforms come to in every area and group, each figure with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.indicators import RELIABILITY, Indicators, Question
from synthpop_gb.policy._model import BASELINE
from synthpop_gb.policy._outcomes import Outcomes

__all__ = ["CHANGES", "SHARES", "Simulation"]

SHARES = ("share", "poverty", "gainers", "losers")
"""Measures that are shares of people."""

CHANGES = ("change", "total_change", "gainers", "losers")
"""Measures of a reform beside the baseline."""

_SUMS = {"count": "count", "total": "total", "total_change": "total"}


@dataclass(frozen=True, eq=False)
class Simulation:
    """Figures of one model, scenario by scenario.

    Attributes
    ----------
    model : str
        Name of the model.
    scenarios : tuple of str
        'baseline' first, then the reforms.
    outcomes : mapping of str to Outcomes
        What the model said of every donor, by scenario.
    frame : pandas.DataFrame
        Tidy: scenario, outcome, measure; the areas ('zone', a parent level or 'all'); groups; then as in `Indicators.frame`:

        - `estimate`, `standard_error`, `lower`, `upper`: of the fractional fit, with the interval for the whole error;
        - `counted`: the figure of the whole people of the population itself, by counts of its donors;
        - `people`: people (households) asked about;
        - `replicate_error`, `finite_error`, `model_error`: standard deviations that make up the interval;
        - `n_eff`, `donors`, `largest_donor`: who stands behind; `reliability`: its class.
    level : float
        Nominal coverage of the intervals.
    units : mapping of str to str
        Unit of each outcome: 'pounds a year'.
    whom : str
        Who is asked about: 'people', 'households', or 'people, where age >= 16'.
    facts : mapping
        Plain values for the record of a run: model, its versions and defaults, classes of place, replicates, poverty line.
    findings : tuple of Finding
        What was noticed.
    """

    model: str
    scenarios: tuple[str, ...]
    outcomes: Mapping[str, Outcomes]
    frame: pd.DataFrame
    level: float
    units: Mapping[str, str]
    whom: str = "people"
    facts: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        """Level of the areas: 'zone', a parent level, or 'all'."""
        return str(self.frame.columns[3])

    @property
    def groups(self) -> tuple[str, ...]:
        """Variables whose categories make the groups."""
        names = list(self.frame.columns)
        return tuple(str(n) for n in names[4 : names.index("estimate")])

    @property
    def measures(self) -> tuple[str, ...]:
        """Measures that there are figures of."""
        return tuple(self.frame["measure"].unique())

    def rows(self, scenario: str = BASELINE, outcome: str | None = None, measure: str | None = None) -> pd.DataFrame:
        """Return the rows of one scenario, outcome and measure, without those columns; the only ones there are where None.

        Raises KeyError that names what there is, where there are none or several.
        """
        frame = self.frame[self.frame["scenario"] == scenario]
        wanted = {"outcome": outcome, "measure": measure}
        for name, value in wanted.items():
            known = list(frame[name].unique())
            if (value is None and len(known) != 1) or (value is not None and value not in known):
                raise KeyError(f"name one {name} of scenario {scenario!r}: {', '.join(map(str, known)) or 'there is none'}")
            frame = frame[frame[name] == (known[0] if value is None else value)]
        return frame.drop(columns=["scenario", "outcome", "measure"]).reset_index(drop=True)

    def unit_of(self, outcome: str, measure: str) -> str:
        """Return the unit of a figure: 'share of people', 'people', 'pounds a year', '' for ratios."""
        if measure in SHARES:
            return f"share of {self.whom}"
        if measure == "count":
            return self.whom
        return "" if measure in ("gini", "s80s20", "p90p10") else self.units.get(outcome, "")

    def indicators(self, scenario: str = BASELINE, outcome: str | None = None, measure: str | None = None) -> Indicators:
        """Return one measure of one outcome as `Indicators`, for maps, tables and release.

        Raises KeyError as `rows`.
        """
        frame = self.rows(scenario, outcome, measure)
        mine = self.frame[self.frame["scenario"] == scenario]
        outcome = outcome or str(mine["outcome"].iloc[0])
        measure = measure or str(mine.loc[mine["outcome"] == outcome, "measure"].iloc[0])
        kind = "share" if measure in SHARES else _SUMS.get(measure, "mean")
        by = (() if self.place == "all" and not self.groups else (self.place,)) + self.groups
        what = f"{measure} of {outcome}" + ("" if scenario == BASELINE else f" under {scenario}")
        where = self.facts.get("where")
        of = str(self.facts.get("unit", "person"))
        basis = {"in words": self.facts.get("in words", "")}
        return Indicators(Question(what, kind, where, by, of=of), frame, self.level, self.unit_of(outcome, measure), basis)

    def to_csv(self, path) -> None:
        """Write the frame as CSV."""
        self.frame.to_csv(path, index=False)

    def __len__(self) -> int:
        """How many figures."""
        return len(self.frame)

    def __repr__(self) -> str:
        """Model and scenarios; measures and figures; the classes; what was noticed."""
        counts = self.frame["reliability"].value_counts()
        classes = ", ".join(f"{counts[c]:,} {c}" for c in RELIABILITY if c in counts) or "no intervals"
        by = ", ".join((self.place, *self.groups))
        lines = [
            f"Simulation of {self.model}: {', '.join(self.scenarios)}",
            f"{len(self.frame):,} figures by {by}: {', '.join(self.measures)} of {', '.join(self.frame['outcome'].unique())}",
            f"{100 * self.level:g}% intervals; {classes}",
        ]
        lines += [str(self.facts["in words"])] if self.facts.get("in words") else []
        return "\n".join([*lines, *(f"[{f.code}] {f.message}" for f in self.findings)])
