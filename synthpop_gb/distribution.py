"""Distribution: how a statistic that no table counts should be spread over the people of each zone, as shares of bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding

__all__ = ["Distribution"]

_ROUNDING = 0.005  # published shares are rounded: they may add up to 0.995 to 1.005


@dataclass(frozen=True, eq=False)
class Distribution:
    """What share of a zone's people should be in each bin of a numeric column of the survey.

    Fits know nothing of it; methods that choose whole records do ('anneal'). Earnings, floor space or hours of care are thus
    brought near a published distribution without being a constraint.

    Attributes
    ----------
    column : str
        Numeric column of the survey.
    edges : tuple of float
        Where one bin ends and the next begins, increasing, in the column's unit: m edges make m + 1 bins, the first of all values
        below edges[0], the last of edges[-1] and more. A value on an edge is in the upper bin.
    target : pandas.DataFrame or sequence of float
        Share of people in each bin, adding up to 1: one row a zone (index: zone codes; columns in order of the bins), or one row
        for all zones.

    Examples
    --------
    >>> pay = Distribution("pay", (200, 500), (0.2, 0.5, 0.3))
    >>> pay.labels, pay.bins(np.array([0, 199.5, 200, 900])).tolist()
    (['below 200', '200 to 500', '500 and more'], [0, 0, 1, 2])
    >>> pay.shares(["E01000001"])
    array([[0.2, 0.5, 0.3]])
    """

    column: str
    edges: tuple[float, ...]
    target: pd.DataFrame | Sequence[float]

    @property
    def labels(self) -> list[str]:
        """Names of the bins."""
        cuts = [f"{e:,.10g}" for e in self.edges]
        return [f"below {cuts[0]}", *(f"{a} to {b}" for a, b in pairwise(cuts)), f"{cuts[-1]} and more"]

    def bins(self, values: np.ndarray) -> np.ndarray:
        """Return the bin of each value, 0 to m: (n,) int64."""
        return np.searchsorted(np.asarray(self.edges, float), np.asarray(values, float), side="right")

    def shares(self, zones: Sequence) -> np.ndarray:
        """Return (n_zones, m + 1) shares that add up to 1 exactly. Raises KeyError for a zone without a target."""
        given = self._rows(zones).to_numpy(dtype=np.float64)
        return given / given.sum(axis=1, keepdims=True)

    def _rows(self, zones: Sequence) -> pd.DataFrame:
        if isinstance(self.target, pd.DataFrame):
            return self.target.loc[list(zones)]
        return pd.DataFrame(np.tile(np.asarray(self.target, float), (len(zones), 1)), index=list(zones))

    def findings(self, records: pd.DataFrame, zones: Sequence) -> list[Finding]:
        """Say what speaks against using it with these records and zones: nothing, or errors.

        `bad-distribution`: edges that do not increase, shares that are no numbers, negative, of another number than there are
        bins, or do not add up to 1; `missing-column`, `not-a-number` and `missing-value` of the records; `missing-zone`.
        """
        name, found = f"the distribution of {self.column!r}", []

        def say(code: str, message: str, count: int = 1, **more) -> None:
            found.append(finding(code, message, place=self.column, count=count, level="error", **more))

        edges = np.asarray(self.edges, dtype=np.float64).reshape(-1)
        if not len(edges) or not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
            say("bad-distribution", f"{name} needs increasing edges, not {list(self.edges)}.")
        self._examine_records(records, say)
        missing = [z for z in zones if z not in self.target.index] if isinstance(self.target, pd.DataFrame) else []
        if missing:
            say(
                "missing-zone",
                f"{name} has no row for {len(missing):,} of {len(zones):,} zones (first: {missing[0]}).",
                len(missing),
            )
        elif isinstance(self.target, pd.DataFrame) and not self.target.index.is_unique:
            twice = self.target.index[self.target.index.duplicated()]
            say("duplicate-zone", f"{name} lists {len(twice):,} zones more than once (first: {twice[0]}).", len(twice))
        else:
            self._examine_shares(zones, len(edges) + 1, say)
        return found

    def _examine_records(self, records: pd.DataFrame, say) -> None:
        if self.column not in records:
            say("missing-column", f"the survey has no column {self.column!r} for a distribution.")
            return
        values = records[self.column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            say("not-a-number", f"the column {self.column!r} of a distribution holds no numbers.")
        elif (blank := ~np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan))).any():
            remedy = "Leave those records out of the survey, or impute the column."
            say("missing-value", f"{blank.sum():,} records have no value in {self.column!r}.", int(blank.sum()), remedy=remedy)

    def _examine_shares(self, zones: Sequence, n_bins: int, say) -> None:
        try:
            given = self._rows(zones).to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            say("bad-distribution", f"the distribution of {self.column!r} has shares that are no numbers.")
            return
        if given.shape[1] != n_bins:
            say("bad-distribution", f"the distribution of {self.column!r} has {given.shape[1]} shares for {n_bins} bins.")
            return
        with np.errstate(invalid="ignore"):
            wrong = ~((given >= 0).all(axis=1) & (np.abs(given.sum(axis=1) - 1) <= _ROUNDING))
        if wrong.any():
            first = int(np.argmax(wrong))
            rows = pd.DataFrame({"zone": np.asarray(zones)[wrong], "sum": given.sum(axis=1)[wrong]})
            say(
                "bad-distribution",
                f"the shares of {self.column!r} are not between 0 and 1 with the sum 1 in {wrong.sum():,} zones "
                f"(first: {zones[first]}, sum {given[first].sum():g}).",
                int(wrong.sum()), rows=rows,
            )  # fmt: skip
