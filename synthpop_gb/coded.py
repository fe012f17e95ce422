"""Coded: records as whole-number codes of a few categories each, with their weights: what tallies count."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

__all__ = ["MISSING", "Coded", "group_numbers"]

MISSING = "(missing)"
"""Label of the category of records without a value: itself a value, since whether somebody answered can be wrong as well."""


@dataclass(frozen=True, eq=False)
class Coded:
    """Records of people, each variable cut into a few labelled categories.

    Attributes
    ----------
    names : tuple of str
        Variables, in the order of `codes`' columns.
    labels : tuple of tuple of str
        By variable, the label of each code; the codes of missing values have the label `MISSING`.
    codes : numpy.ndarray
        (n_records, n_variables) int32, C-contiguous: position of the record's category in `labels`, never negative.
    weight : numpy.ndarray
        (n_records,) float64: how many people each record stands for, >= 0.

    Raises
    ------
    ValueError
        Where shapes do not agree or a code has no label.
    """

    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    codes: np.ndarray
    weight: np.ndarray

    def __post_init__(self):
        codes = np.ascontiguousarray(self.codes, np.int32)
        weight = np.ascontiguousarray(self.weight, np.float64)
        if codes.ndim != 2 or codes.shape != (len(weight), len(self.names)) or len(self.labels) != len(self.names):
            raise ValueError(f"codes of shape {codes.shape} for {len(weight)} weights and {len(self.names)} variables")
        if len(codes) and len(self.names) and ((codes < 0).any() or (codes.max(axis=0) >= self.sizes).any()):
            raise ValueError("a code has no label")
        for name, array in (("codes", codes), ("weight", weight)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def sizes(self) -> np.ndarray:
        """(n_variables,) int64: number of categories of each variable."""
        return np.array([len(names) for names in self.labels], np.int64)

    @property
    def effective(self) -> float:
        """Effective number of records, (sum w)^2 / sum w^2 (Kish 1965)."""
        squares = float((self.weight**2).sum())
        return float(self.weight.sum()) ** 2 / squares if squares else 0.0

    def select(self, names: Iterable[str]) -> Coded:
        """Return these variables only, in this order. Raises KeyError for one that is not there."""
        at = []
        for name in names:
            if name not in self.names:
                raise KeyError(f"there is no variable {name!r}")
            at.append(self.names.index(name))
        return Coded(tuple(self.names[i] for i in at), tuple(self.labels[i] for i in at), self.codes[:, at], self.weight)

    def weighing(self, weight: np.ndarray) -> Coded:
        """Return the same records with other weights."""
        return replace(self, weight=weight)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.weight)

    def __repr__(self) -> str:
        """One line: how many records and people, which variables with how many categories."""
        said = ", ".join(f"{n} ({len(c)})" for n, c in zip(self.names, self.labels, strict=True))
        return f"Coded: {len(self):,} records of {self.weight.sum():,.0f} people; {said}"


def group_numbers(reference: np.ndarray, groups: int = 5) -> tuple[np.ndarray, tuple[str, ...]]:
    """Cut points that divide numbers into about equal groups, and the groups' labels.

    A value that fills a group by itself (nought, for capital gains) is one; the others are cut at their quantiles. Fewer
    distinct values than groups: each is one.

    Parameters
    ----------
    reference : numpy.ndarray
        (n,) float64, finite, of the reference; both sides are cut by its groups.
    groups : int
        About how many groups; a value that one in so many records have stands alone.

    Returns
    -------
    (edges, labels)
        edges (n_groups - 1,) float64 increasing: a value v is in group `numpy.searchsorted(edges, v, side="right")`; so values
        beyond the reference's range fall in the outermost groups.

    >>> edges, labels = group_numbers(np.array([0, 0, 0, 0, 0, 0, 1, 2, 3, 4.0]), groups=3)
    >>> edges.tolist(), labels
    ([1.0, 3.0], ('0', '1 to 2', '3 to 4'))
    """
    values = np.sort(np.asarray(reference, np.float64))
    distinct, count = np.unique(values, return_counts=True)
    if len(distinct) <= groups:
        return distinct[1:], tuple(f"{v:.6g}" for v in distinct)
    alone = distinct[count * groups >= len(values)]
    rest = values[~np.isin(values, alone)]
    starts = set(alone.tolist())
    for v in alone:  # what follows a heavy value begins a group
        after = distinct[distinct > v]
        starts |= set(after[:1].tolist())
    if len(rest):
        wanted = max(groups - len(alone), 2)
        starts |= set(np.quantile(rest, np.arange(1, wanted) / wanted, method="higher").tolist())
    edges = np.array(sorted(s for s in starts if s > distinct[0]), np.float64)
    first = np.concatenate([[distinct[0]], edges])
    at = np.searchsorted(edges, distinct, side="right")
    last = np.array([distinct[at == g].max() for g in range(len(first))])
    return edges, tuple(f"{a:.6g}" if a == b else f"{a:.6g} to {b:.6g}" for a, b in zip(first, last, strict=True))
