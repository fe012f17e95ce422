"""Sides: both sides of a pair with weights that add up to the number of records they are worth.

Every null expectation here is for a synthetic side of n records drawn afresh. Where records are weighted, or are copies, n is
not the number of rows but the effective number, (sum w)^2 / sum w^2 (Kish 1965). A cloned population is a reweighting of the
real records, so it is compared as one: each real record with the number of synthetic people who are its copies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.coded import Coded
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pair import Pair

__all__ = ["Sides", "generator", "part", "patterns", "sides", "size_of", "some_records"]


@dataclass(frozen=True, eq=False)
class Sides:
    """A pair made ready for comparison.

    Attributes
    ----------
    pair : Pair
        The pair; of a cloned one `synthetic` holds each copied record once and `synthetic_weight` how often it was copied.
    real_weight, synthetic_weight : numpy.ndarray
        (n_real,) and (n_synthetic,) float64; each adds up to the effective number of its side's records.
    donor : numpy.ndarray or None
        Of a cloned pair, (n_synthetic,) int64: row of `pair.real` that the synthetic one is copied from, -1 for none.
    findings : tuple of Finding
        Why a comparison is impossible, or what was noticed.
    """

    pair: Pair
    real_weight: np.ndarray
    synthetic_weight: np.ndarray
    donor: np.ndarray | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def n_real(self) -> float:
        """Effective number of real records."""
        return float(self.real_weight.sum())

    @property
    def n_synthetic(self) -> float:
        """Effective number of synthetic records."""
        return float(self.synthetic_weight.sum())

    @property
    def usable(self) -> bool:
        """Whether both sides have records of some weight, and there is a variable."""
        return bool(self.pair.variables) and self.n_real > 0 and self.n_synthetic > 0

    def coded(self, names: Iterable[str] | None = None, *, groups: int = 5) -> tuple[Coded, Coded]:
        """Both sides as codes, as `Pair.coded`, with the weights of these sides."""
        real, synthetic = self.pair.coded(names, groups=groups)
        return real.weighing(self.real_weight), synthetic.weighing(self.synthetic_weight)


def sides(pair: Pair | Sides) -> Sides:
    """Make a pair ready for comparison; sides that are ready are returned as they are.

    >>> import pandas as pd
    >>> from synthpop_gb.pair import PairVariable
    >>> real, copies = pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"x": [1.0] * 9 + [2.0] * 3})
    >>> ready = sides(Pair(real, copies, (PairVariable("x", "number"),), cloned=True))
    >>> len(ready.pair.synthetic), ready.n_synthetic  # (9 + 3)^2 / (9^2 + 3^2): twelve people worth 1.6 records
    (2, 1.6)
    """
    if isinstance(pair, Sides):
        return pair
    findings: list[Finding] = []
    donor = None
    if pair.cloned and len(pair.real) and len(pair.synthetic) and pair.variables:
        pair, donor, strangers = _as_reweighting(pair)
        if strangers:
            message = f"{strangers:,.0f} synthetic people equal no real record, though they are said to be copies."
            findings.append(finding("utility-partial", message, count=int(strangers), level="warning"))
    weights = [_scaled(w, len(f)) for w, f in ((pair.weight, pair.real), (pair.synthetic_weight, pair.synthetic))]
    made = Sides(pair, weights[0], weights[1], donor, tuple(findings))
    if not pair.variables:
        message = "Nothing is compared: the sides have no variable in common."
        return replace(made, findings=(*findings, finding("utility-not-computed", message)))
    empty = [n for n, w in ((pair.real_name, weights[0]), (pair.synthetic_name, weights[1])) if not w.sum() > 0]
    if empty:
        message = f"Nothing is compared: the {' and the '.join(empty)} side has no records of any weight."
        return replace(made, findings=(*findings, finding("utility-not-computed", message)))
    return made


def _scaled(weight: np.ndarray | None, n: int) -> np.ndarray:
    """Weights that add up to the effective number of records."""
    if weight is None:
        return np.ones(n)
    weight = np.asarray(weight, np.float64)
    squares = float((weight**2).sum())
    return weight * (weight.sum() / squares) if squares > 0 else np.zeros(n)


def _as_reweighting(pair: Pair) -> tuple[Pair, np.ndarray, float]:
    """Return a cloned pair as a reweighting of its real records, the donors, and the weight of people who are nobody's copies.

    Real records that are alike share their copies equally: who of them was copied cannot be told, and does not matter here.
    """
    n = len(pair.real)
    pattern = patterns(pair)
    weight = np.ones(len(pair.synthetic)) if pair.synthetic_weight is None else np.asarray(pair.synthetic_weight, np.float64)
    size = int(pattern.max()) + 1
    copies = np.bincount(pattern[n:], weight, minlength=size)
    alike = np.bincount(pattern[:n], minlength=size)
    each = copies[pattern[:n]] / alike[pattern[:n]]
    kept = np.flatnonzero(each > 0)
    stranger = np.flatnonzero(alike[pattern[n:]] == 0)
    _, first = np.unique(pattern[n:][stranger], return_index=True)
    first = stranger[np.sort(first)]
    frame = pd.concat([pair.real.iloc[kept], pair.synthetic.iloc[first]], ignore_index=True)
    total = np.concatenate([each[kept], copies[pattern[n:][first]]])
    donor = np.concatenate([kept, np.full(len(first), -1)]).astype(np.int64)
    return replace(pair, synthetic=frame, synthetic_weight=total), donor, float(weight[stranger].sum())


def patterns(pair: Pair) -> np.ndarray:
    """(n_real + n_synthetic,) number of each record's combination of values; missing is a value."""
    out = np.zeros(len(pair.real) + len(pair.synthetic), np.int64)
    for v in pair.variables:
        both = [side[v.name] for side in (pair.real, pair.synthetic)]
        if v.kind == "category":
            column = np.concatenate([c.cat.codes.to_numpy() for c in both]).astype(np.int64) + 1
        else:
            column = pd.factorize(np.concatenate([c.to_numpy() for c in both]))[0].astype(np.int64) + 1
        out = pd.factorize(out * (int(column.max(initial=0)) + 1) + column)[0].astype(np.int64)
    return out


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of one purpose: what one measure draws does not depend on whether another was asked for."""
    return np.random.default_rng([int(seed) % 2**64, *purpose.encode()])


def size_of(values: np.ndarray) -> float:
    """Largest absolute value, 1 where there is none: divided by it, squares of huge numbers stay finite.

    >>> size_of(np.array([-4.0, 1.0])), size_of(np.zeros(0))
    (4.0, 1.0)
    """
    return float(np.abs(values).max(initial=0.0)) or 1.0


def some_records(n: int, most: int, seed: int, purpose: str) -> np.ndarray:
    """Rows to look at, increasing: all where there are at most `most` of `n`, else a random `most` of them.

    >>> some_records(3, 5, seed=1, purpose="a").tolist(), len(some_records(100, 5, seed=1, purpose="a"))
    ([0, 1, 2], 5)
    """
    if n <= most:
        return np.arange(n)
    return np.sort(generator(seed, purpose).choice(n, most, replace=False))


def part(module: str, *names: str) -> tuple:
    """Import names from an optional package's module. Raises InputError 'missing-extra' where the package is not installed.

    >>> part("no_such_package.at_all", "x")
    Traceback (most recent call last):
    synthpop_gb.errors.InputError: 1 problem in the inputs
      [missing-extra] Utility needs the package no_such_package.
        An optional package is not installed. pip install synthpop_gb[audit]
    """
    from importlib import import_module

    try:
        found = import_module(module)
    except ImportError:
        message = f"Utility needs the package {module.split('.')[0].replace('sklearn', 'scikit-learn')}."
        raise InputError([finding("missing-extra", message, remedy="pip install synthpop_gb[audit]")]) from None
    return tuple(getattr(found, name) for name in names)
