"""Records as disclosure measures need them: combinations of keys as codes, a holdout in the pair's categories, mixed arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.coded import MISSING, group_numbers
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pair import Pair

__all__ = ["Mixed", "combinations", "held_back", "known_names", "labelled", "mixed", "overlapping"]


def known_names(pair: Pair, names: Iterable[str], role: str) -> tuple[str, ...]:
    """Return names that the pair has. Raises InputError (`missing-column`) with all those that it has not."""
    names = tuple(dict.fromkeys(names))
    wrong = [n for n in names if n not in pair.names]
    if wrong:
        message = f"{role}: the records have no {', '.join(map(repr, wrong))}; there are: {', '.join(pair.names) or 'none'}."
        raise InputError([finding("missing-column", message, place=role, count=len(wrong))])
    return names


def held_back(holdout: pd.DataFrame, pair: Pair) -> tuple[pd.DataFrame, list[Finding]]:
    """Bring holdout records to the pair's columns, types and categories.

    Raises
    ------
    InputError
        `missing-column` where a variable of the pair is not among them; `few-records` where there are none.
    """
    lacking = [n for n in pair.names if n not in holdout]
    if lacking:
        message = f"The holdout has no {', '.join(map(repr, lacking))}, so its records cannot be held against the others."
        raise InputError([finding("missing-column", message, place="holdout", count=len(lacking))])
    if holdout.empty:
        remedy = "Give records of people who were not synthesised from, or none at all."
        raise InputError([finding("few-records", "The holdout has no records.", place="holdout", remedy=remedy, level="error")])
    columns, found = {}, []
    for v in pair.variables:
        values = holdout[v.name]
        if v.kind == "number":
            columns[v.name] = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        else:
            known = [str(c) for c in pair.real[v.name].cat.categories]
            text = values.astype("string")
            new = sorted(set(text.dropna().unique()) - set(known))
            columns[v.name] = pd.Categorical(text.astype(object), categories=known + new)
        lost = int((holdout[v.name].notna().to_numpy() & pd.isna(columns[v.name])).sum())
        if lost:
            message = f"The holdout has {lost:,} values of {v.name} that are no numbers; they count as missing."
            found.append(finding("missing-value", message, place=f"holdout: {v.name}", count=lost))
    return pd.DataFrame(columns), found


def overlapping(holdout: pd.DataFrame, pair: Pair, most: float = 10.0) -> Finding | None:
    """Say where the holdout holds records that were synthesised from, as far as equal ones are not common anyhow.

    Compared are the share of holdout records that equal a real one and, of what real people share by chance, the share of real
    records that equal another real one; more than `most` points between them is an overlap.
    """
    codes = combinations([pair.real, holdout], pair, pair.names)
    times = np.bincount(codes[0], minlength=int(max(c.max(initial=0) for c in codes)) + 1)
    shared, usual = 100 * float((times[codes[1]] > 0).mean()), 100 * float((times[codes[0]] > 1).mean())
    if shared - usual <= most:
        return None
    message = (
        f"{shared:.3g} % of the records kept apart equal a real one on all {len(pair.names)} variables ({usual:.3g} % of real "
        "records equal another): they are not used as a control."
    )
    return finding("holdout-overlaps", message, place="holdout", count=int((times[codes[1]] > 0).sum()))


def labelled(
    frames: Sequence[pd.DataFrame], pair: Pair, name: str, groups: int | None
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Code one variable in several frames alike.

    Categories by label over all frames; numbers in `groups` groups by the real ones (see `coded.group_numbers`), or, where that
    is None, each distinct number by itself.

    Returns
    -------
    (labels, codes)
        Codes (n,) int64 a frame, -1 = missing.
    """
    columns = [f[name] for f in frames]
    if pair.variable(name).kind == "category":
        columns = [c if isinstance(c.dtype, pd.CategoricalDtype) else c.astype("category") for c in columns]
        said = list(dict.fromkeys(str(c) for column in columns for c in column.cat.categories))
        place = {c: i for i, c in enumerate(said)}
        codes = [np.array([*(place[str(c)] for c in x.cat.categories), -1], np.int64)[x.cat.codes.to_numpy()] for x in columns]
        return tuple(said), codes
    values = [np.where(np.isfinite(v := x.to_numpy(np.float64)), v, np.nan) for x in columns]
    known = values[0][~np.isnan(values[0])] if groups is not None else np.concatenate(values)
    known = known[~np.isnan(known)]
    if groups is not None and len(known):
        edges, said = group_numbers(known, groups)
    else:
        distinct = np.unique(known)
        edges, said = distinct[1:], tuple(f"{v:.12g}" for v in distinct)
    codes = [np.where(np.isnan(v), -1, np.searchsorted(edges, np.nan_to_num(v), side="right")).astype(np.int64) for v in values]
    return said or ("any",), codes


def combinations(
    frames: Sequence[pd.DataFrame], pair: Pair, names: Sequence[str], *, groups: int | None = None, missing: str = "category"
) -> list[np.ndarray]:
    """Give each record the code of its combination of values, the same codes in all frames.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        Real, synthetic and perhaps holdout records with the pair's columns.
    pair : Pair
        Says which variables are numbers.
    names : sequence of str
        Variables that make the combination; with none, everybody has code 0.
    groups : int, optional
        Numbers are cut in about so many groups; None takes each number for itself.
    missing : str
        'category': a missing value is one more category; 'leave out': records that lack one of the values have code -1.

    Returns
    -------
    list of numpy.ndarray
        (n,) int64 a frame; codes are 0 to n_combinations - 1, in no particular order.
    """
    sizes = [len(f) for f in frames]
    code = np.zeros(sum(sizes), np.int64)
    absent = np.zeros(len(code), bool)
    for name in names:
        said, columns = labelled(frames, pair, name, groups)
        column = np.concatenate(columns)
        absent |= column < 0
        # numbered anew after each variable, so that no product overflows
        code = np.unique(code * (len(said) + 1) + column + 1, return_inverse=True)[1].ravel()
    if missing == "leave out":
        code = np.where(absent, -1, code)
    return np.split(code, np.cumsum(sizes)[:-1])


@dataclass(frozen=True, eq=False)
class Mixed:
    """Records as arrays: number (n, n_numbers) float64, category (n, n_categories) int32, inverse (n_numbers,) 1 / range."""

    number: np.ndarray
    category: np.ndarray
    inverse: np.ndarray

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.number)

    def rows(self, which: np.ndarray) -> Mixed:
        """Return some of the records."""
        return Mixed(np.ascontiguousarray(self.number[which]), np.ascontiguousarray(self.category[which]), self.inverse)


def mixed(frames: Sequence[pd.DataFrame], pair: Pair, names: Iterable[str] | None = None) -> list[Mixed]:
    """Bring frames to arrays for Gower's distance; ranges are those of the real records, missing is NaN and -1.

    A number that is the same in all real records is compared as a category: there is no range to divide by.
    """
    names = pair.names if names is None else tuple(names)
    number, category, inverse = [], [], []
    for name in names:
        if pair.variable(name).kind == "number":
            known = frames[0][name].to_numpy(np.float64)
            known = known[np.isfinite(known)]
            spread = float(np.ptp(known)) if len(known) else 0.0
            if spread > 0 and np.isfinite(spread):
                values = [f[name].to_numpy(np.float64) for f in frames]
                number.append([np.where(np.isfinite(v), v, np.nan) for v in values])
                inverse.append(1.0 / spread)
                continue
        category.append([c.astype(np.int32) for c in labelled(frames, pair, name, None)[1]])
    category.sort(key=lambda c: _alike(c[0]))  # for speed: the sum does not depend on the order of categories
    made = []
    for i, frame in enumerate(frames):
        a = np.stack([c[i] for c in number], axis=1) if number else np.empty((len(frame), 0))
        b = np.stack([c[i] for c in category], axis=1) if category else np.empty((len(frame), 0), np.int32)
        made.append(Mixed(np.ascontiguousarray(a, np.float64), np.ascontiguousarray(b, np.int32), np.array(inverse, np.float64)))
    return made


def _alike(codes: np.ndarray) -> float:
    """Chance that two records have one code."""
    share = np.unique(codes, return_counts=True)[1] / max(len(codes), 1)
    return float((share**2).sum())


def missing_word(choice: str) -> str:
    """Return the way of treating missing values. Raises ValueError for another word."""
    if choice not in ("category", "leave out"):
        raise ValueError(f"missing is 'category' or 'leave out', not {choice!r}")
    return choice


def label_of(labels: Sequence[str], code: int) -> str:
    """Return a category's label; that of missing values for -1."""
    return MISSING if code < 0 else labels[code]
