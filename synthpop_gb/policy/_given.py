"""What a model gave: outcomes in the order of the donors, or every mistake in them at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.indicators.question import ANSWERED
from synthpop_gb.policy._donors import Donors

__all__ = ["RESERVED", "Given", "given"]

RESERVED = ("scenario", "outcome", "measure", "zone", "all", *ANSWERED)
"""Columns of a simulation's frame, which no outcome can be called."""


@dataclass(frozen=True, eq=False)
class Given:
    """Outcomes as a model gave them, rows in the order of the donors.

    names, of : of each outcome: what it is called, 'person' or 'household'; values : one array an outcome, (n_rows,) float64,
    rows as in `donors` or `donors.households`.
    """

    names: tuple[str, ...]
    of: tuple[str, ...]
    values: tuple[np.ndarray, ...]


def given(out: Any, donors: Donors, said: str, place: str) -> Given:
    """Take what a model returned; `said` names the model in messages, `place` is the scenario.

    Raises InputError with every `model-outcomes` at once.
    """
    problems: list[Finding] = []

    def wrong(message: str, count: int = 1, remedy: str | None = None) -> None:
        problems.append(finding("model-outcomes", f"{said} {message}", place=place, count=count, remedy=remedy))

    names, of, values = [], [], []
    for kind, frame in _frames(out, donors, wrong):
        rows = _rows(frame, donors if kind == "person" else donors.households, kind, wrong)
        for at, name in enumerate(frame.columns):
            numbers = _numbers(frame.iloc[:, at], name, wrong)
            names.append(str(name))
            of.append(kind)
            values.append(None if rows is None or numbers is None else numbers[rows])
    if not names and not problems:
        wrong("gives no outcomes: there is no column.")
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        wrong(f"gives {names.count(name)} outcomes called {name!r}.", names.count(name))
    for name in dict.fromkeys(n for n in names if n in RESERVED or not n.strip()):
        wrong(
            f"calls an outcome {name!r}, which is a column of the answer." if name.strip() else "gives an outcome without a name."
        )
    if problems:
        raise InputError(problems)
    return Given(tuple(names), tuple(of), tuple(values))


def _frames(out: Any, donors: Donors, wrong):
    """Split what was returned into frames of persons and of households: pairs of kind and frame."""
    if isinstance(out, pd.Series):
        out = out.to_frame(out.name if out.name is not None else "outcome")
    if isinstance(out, pd.DataFrame):
        return [(_kind(out, donors), out)]
    if not isinstance(out, Mapping):
        wrong(f"returns {type(out).__name__}, no table of outcomes by donor.")
        return []
    found = []
    for kind, frame in out.items():
        frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
        if kind not in ("person", "household"):
            wrong(f"gives outcomes of {kind!r}: there are those of 'person' and of 'household'.")
        elif not isinstance(frame, pd.DataFrame):
            wrong(f"returns {type(frame).__name__} for {kind!r}, no table of outcomes.")
        elif kind == "household" and donors.households is None:
            wrong(
                "gives outcomes of households, but the survey does not say who lives together.", remedy="Return them by person."
            )
        else:
            found.append((kind, frame))
    return found


def _kind(frame: pd.DataFrame, donors: Donors) -> str:
    """Tell outcomes of persons from those of households by the index: its name, else the ids that it holds."""
    homes = donors.households
    last = frame.index.names[-1]
    if homes is None or last in ("donor", "household"):
        return "household" if last == "household" and homes is not None else "person"
    of_persons = frame.index.isin(donors.index).sum() if frame.index.nlevels == donors.index.nlevels else 0
    of_homes = frame.index.isin(homes.index).sum() if frame.index.nlevels == homes.index.nlevels else 0
    if of_persons == of_homes:  # ids of both kinds: as many rows as there are of either
        return "household" if len(frame) == len(homes) != len(donors) else "person"
    return "household" if of_homes > of_persons else "person"


def _rows(frame: pd.DataFrame, wanted: pd.DataFrame, kind: str, wrong) -> np.ndarray | None:
    """Find where each donor's row is; None where the index cannot be used."""
    index, ids = frame.index, wanted.index
    whose = f"{kind}s" + (" and classes of place" if ids.nlevels > 1 else "")
    if index.equals(ids):
        return np.arange(len(ids))
    if index.nlevels != ids.nlevels:
        wrong(f"gives outcomes of {kind}s by {_named(index)}, not by {_named(ids)}.", remedy="Keep the index of the donors.")
        return None
    before = len(frame)
    twice, extra = index.duplicated(), ~index.isin(ids)
    missing = ~ids.isin(index)
    if extra.any():
        hint = " Rows seem to be numbered anew." if isinstance(index, pd.RangeIndex) else ""
        few = f"gives {int(extra.sum()):,} of {before:,} rows for {whose} that there are not (first: {index[extra][0]!r}).{hint}"
        wrong(few, int(extra.sum()), "Keep the index of the donors: build the result with index=donors.index.")
    if twice.any():
        wrong(f"gives {int(twice.sum()):,} {whose} more than once (first: {index[twice][0]!r}).", int(twice.sum()))
    if missing.any():
        none = f"gives nothing for {int(missing.sum()):,} of {len(ids):,} {whose} (first: {ids[missing][0]!r})."
        wrong(none, int(missing.sum()))
    return None if extra.any() or twice.any() or missing.any() else index.get_indexer(ids)


def _named(index: pd.Index) -> str:
    return " and ".join("an index without a name" if n is None else repr(n) for n in index.names)


def _numbers(values: pd.Series, name: Any, wrong) -> np.ndarray | None:
    """Turn a column into float64; None where it holds anything but finite numbers."""
    told = f"gives {str(name)!r}"
    plain = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values) or values.dtype == object
    if not plain or pd.api.types.is_complex_dtype(values):
        wrong(f"{told} as {values.dtype}: outcomes are numbers, or yes and no.", remedy="Return a column a category, of 1 and 0.")
        return None
    known = values.notna().to_numpy()
    if values.dtype == object and any(isinstance(v, str) for v in values[known]):
        first = next(v for v in values[known] if isinstance(v, str))
        wrong(f"{told} as text (first: {first!r}): outcomes are numbers, or yes and no.")
        return None
    try:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        wrong(f"{told} as no numbers: {error}.")
        return None
    bad = ~np.isfinite(numbers)
    if bad.any():
        what = "not known (NaN)" if np.isnan(numbers[bad]).all() else "not finite"
        wrong(f"{told} {what} for {int(bad.sum()):,} of {len(bad):,} rows (first: {values.index[bad][0]!r}).", int(bad.sum()),
              "Say what such donors get: nought, or a column of its own for those concerned.")  # fmt: skip
        return None
    return numbers
