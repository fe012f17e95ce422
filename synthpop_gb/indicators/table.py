"""Indicators: what a population says of areas and groups, each figure with its error, its interval and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.indicators.question import UNITS, Question

__all__ = ["FEW_DONORS", "RELIABILITY", "UNRELIABLE", "Indicators", "classify"]

RELIABILITY = {"precise": 0.05, "reasonably precise": 0.10, "acceptable": 0.20, "unreliable": np.inf}
"""Class: largest coefficient of variation (standard error / estimate) in it.

The classes that the Office for National Statistics prints beside estimates of its Labour Force Survey: below 5 % precise, below
10 % reasonably precise, below 20 % acceptable, from 20 % unreliable for practical purposes.
"""

FEW_DONORS = 10
"""Fewer distinct survey records behind a figure make it unreliable, whatever its standard error: one more might change it."""

UNRELIABLE = f"relative standard error {100 * RELIABILITY['acceptable']:g} % or more, or fewer than {FEW_DONORS} records"
"""What makes a figure unreliable, in words."""


def classify(estimate, standard_error, donors, *, share: bool = False) -> np.ndarray:
    """Say how far figures can be trusted: a class of `RELIABILITY` each, '' where nothing was estimated.

    Parameters
    ----------
    estimate, standard_error : array-like
        In any one unit; the coefficient of variation is their ratio. An estimate of nought is unreliable.
    donors : array-like
        Distinct survey records behind each.
    share : bool
        Whether estimates are shares: the smaller of the share and what is left of it counts, so that '95 % do' and '5 % do not'
        are of one class.

    >>> classify([0.20, 0.20, 0.20, 0.01, 0.2], [0.009, 0.03, 0.05, 0.01, 0.001], [50, 50, 50, 50, 3]).tolist()
    ['precise', 'acceptable', 'unreliable', 'unreliable', 'unreliable']
    """
    estimate, error, donors = (np.asarray(a, float) for a in (estimate, standard_error, donors))
    size = np.minimum(np.abs(estimate), np.abs(1.0 - estimate)) if share else np.abs(estimate)
    with np.errstate(invalid="ignore", divide="ignore"):
        variation = np.where(size > 0, error / size, np.inf)
    limits = list(RELIABILITY.values())[:-1]
    found = np.array(list(RELIABILITY), dtype=object)[np.searchsorted(limits, variation, side="right")]
    found[donors < FEW_DONORS] = "unreliable"
    found[~np.isfinite(estimate)] = ""
    return found


@dataclass(frozen=True, eq=False)
class Indicators:
    """Estimates by area and group.

    Attributes
    ----------
    question : Question
        What was asked.
    frame : pandas.DataFrame
        Tidy: the columns of `question.by`, then

        - `estimate`: of the fractional fit, which is the population's expectation over its draw;
        - `standard_error`, `lower`, `upper`: of the whole error, at `level`;
        - `counted`: the same figure counted among the population's own whole people;
        - `people`: people (or households, where those are asked about), expected;
        - `n_eff`: Kish's effective number of records behind it; `donors`: distinct records; `largest_donor`: share of the
          commonest record among the people;
        - `replicate_error`: standard deviation between replicates; `finite_error`: of an area's people being so many and no
          more; `model_error`: of what the tables cannot see of an area; all in the unit of the estimate;
        - `reliability`: class, see `RELIABILITY`.
    level : float
        Nominal coverage of the intervals, e.g. 0.9.
    unit : str
        Of the estimates: 'share of people', 'share of people, where age >= 16', 'people', or that of the column.
    basis : mapping
        How the model error was fixed, in plain values: the tables left out, the factor of each, what was taken.
    """

    question: Question
    frame: pd.DataFrame
    level: float
    unit: str
    basis: dict = field(default_factory=dict)

    @property
    def shown_unit(self) -> str:
        """Unit of what maps and reports show: shares in per cent, '% of people'."""
        return f"% of {self.question.whom}" if self.question.measure == "share" else self.unit

    @property
    def place(self) -> str:
        """Level of the areas: 'zone', a parent level, or 'all'."""
        return str(self.frame.columns[0])

    @property
    def groups(self) -> tuple[str, ...]:
        """Variables whose categories make the groups."""
        return tuple(b for b in self.question.by if b != self.place)

    def pivot(self, value: str = "estimate") -> pd.DataFrame:
        """Return one column of `frame` with areas as rows and groups as columns."""
        if not self.groups:
            return self.frame.set_index(self.place)[[value]]
        names = [self.place, *self.groups]
        wide = self.frame.pivot_table(index=self.place, columns=list(self.groups), values=value, observed=True, dropna=False)
        found = self.frame[names].drop_duplicates()  # areas and groups in their own order; areas without anybody stay
        columns = found[list(self.groups)].drop_duplicates()
        wanted = pd.MultiIndex.from_frame(columns) if len(self.groups) > 1 else pd.Index(columns.iloc[:, 0], name=self.groups[0])
        return wide.reindex(index=found[self.place].unique(), columns=wanted).rename_axis(self.place)

    def preview(self, most: int = 20) -> str:
        """Return the first rows as a table for a terminal, shares in per cent, and the paragraph of `repr`."""
        shown = self.frame.head(most)
        columns = [self.place, *self.groups, "estimate", "lower", "upper", "counted", "people", "donors", "reliability"]
        share = self.question.measure == "share"
        shown = shown[columns].copy()
        for name in ("estimate", "lower", "upper", "counted"):
            shown[name] = [_figure(v, share) for v in shown[name]]
        shown["people"] = [f"{v:,.0f}" for v in shown["people"]]
        more = f"\n... {len(self.frame) - most:,} more: write them with --output" if len(self.frame) > most else ""
        shown = shown.rename(columns={"people": UNITS[self.question.of]})
        return f"{shown.to_string(index=False)}{more}\n{self!r}"

    def to_csv(self, path) -> None:
        """Write the frame as CSV."""
        self.frame.to_csv(path, index=False)

    def __len__(self) -> int:
        """How many figures."""
        return len(self.frame)

    def __repr__(self) -> str:
        """One paragraph: the question, the range, the classes, how the interval was made."""
        found = self.frame
        if found.empty:
            return f"Indicators, {self.question}: nothing"
        counts = found["reliability"].value_counts()
        classes = ", ".join(f"{counts[c]:,} {c}" for c in RELIABILITY if c in counts) or "no intervals"
        width = (found["upper"] - found["lower"]).median() / 2
        low, high = found["estimate"].min(), found["estimate"].max()
        share = self.question.measure == "share"
        shown = " ".join([f"{_figure(low, share)} to {_figure(high, share)}", *([] if share else [self.unit])])
        half = f"{100 * width:.1f} points" if share else _figure(width, share)
        number = f"{len(found):,} figure{'s' if len(found) != 1 else ''}"
        lines = [
            f"Indicators, {self.question}",
            f"{number} by {', '.join(self.question.by) or 'nothing'}: {shown}",
            f"{100 * self.level:g}% intervals, median half-width {half}; {classes}",
        ]
        if said := self.basis.get("in words"):
            lines.append(said)
        return "\n".join(lines)


def _figure(value: float, share: bool) -> str:
    if not np.isfinite(value):
        return "-"
    if share:
        return f"{100 * value:.1f} %"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
