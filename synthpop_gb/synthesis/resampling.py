"""Generators by resampling, each wrong in one known way: yardsticks for an audit."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

__all__ = ["bootstrap", "independent_columns", "keep_pairs", "lose_rare", "swap_within_couples"]


def bootstrap(records: pd.DataFrame, n: int | None = None, *, seed: int) -> pd.DataFrame:
    """Draw whole records with replacement: every combination as in the sample, up to chance. What an audit must pass.

    Parameters
    ----------
    records : pandas.DataFrame
        One row a record.
    n : int, optional
        Records drawn; as many as there are by default.
    seed : int
        Fixes the draw.

    Returns
    -------
    pandas.DataFrame
        (n, same columns), rows numbered from 0. Empty where there are no records.

    >>> bootstrap(pd.DataFrame({"x": [1, 2, 3]}), seed=1)["x"].tolist()
    [2, 2, 3]
    """
    return records.iloc[_draw(records, n, seed, 0)].reset_index(drop=True)


def independent_columns(records: pd.DataFrame, n: int | None = None, *, seed: int) -> pd.DataFrame:
    """Draw every column by itself: each variable right, every combination as if nothing had to do with anything else.

    Parameters and result as for `bootstrap`.

    >>> made = independent_columns(pd.DataFrame({"x": [1, 2] * 500, "y": [1, 2] * 500}), seed=1)
    >>> int((made["x"] == made["y"]).sum())
    504
    """
    return keep_pairs(records, [], n, seed=seed)


def keep_pairs(
    records: pd.DataFrame, pairs: Iterable[tuple[Hashable, Hashable]] | None = None, n: int | None = None, *, seed: int
) -> pd.DataFrame:
    """Draw columns two by two: the pairs right, and everything across them independent.

    Parameters
    ----------
    records : pandas.DataFrame
        One row a record.
    pairs : iterable of (column, column), optional
        Kept together; neighbours (first with second, third with fourth ...) where absent. Columns in no pair are drawn alone.
    n, seed : int
        As for `bootstrap`.

    Raises
    ------
    KeyError
        For a column that is not there.
    ValueError
        For a column in two pairs.

    >>> made = keep_pairs(pd.DataFrame({"x": [1, 2] * 500, "y": [1, 2] * 500, "z": [1, 2] * 500}), [("x", "y")], seed=1)
    >>> int((made["x"] == made["y"]).sum()), int((made["x"] == made["z"]).sum())
    (1000, 504)
    """
    names = list(records.columns)
    kept = [tuple(names[i : i + 2]) for i in range(0, len(names) - 1, 2)] if pairs is None else [tuple(p) for p in pairs]
    paired = [c for pair in kept for c in pair]
    for column in paired:
        if column not in names:
            raise KeyError(f"there is no column {column!r}")
        if paired.count(column) > 1:
            raise ValueError(f"the column {column!r} is in two pairs")
    groups = [*kept, *((c,) for c in names if c not in paired)]
    made = {}
    for number, group in enumerate(groups):
        rows = _draw(records, n, seed, number)
        made |= {c: records[c].array[rows] for c in group}
    return pd.DataFrame(made, columns=names)


def lose_rare(records: pd.DataFrame, below: int = 30, n: int | None = None, *, seed: int) -> pd.DataFrame:
    """Draw whole records in which rare values of text have become the commonest: small groups are gone.

    Parameters
    ----------
    records : pandas.DataFrame
        One row a record. Columns of numbers are left as they are.
    below : int
        Values of fewer records than so many are replaced.
    n, seed : int
        As for `bootstrap`.

    >>> made = lose_rare(pd.DataFrame({"country": ["A"] * 90 + ["B"] * 10}), below=20, seed=1)
    >>> sorted(made["country"].unique())
    ['A']
    """
    out = bootstrap(records, n, seed=seed)
    for column in records.columns:
        if pd.api.types.is_numeric_dtype(records[column]):
            continue
        count = records[column].value_counts()
        rare = count.index[(count > 0) & (count < below)]
        if len(rare) and count.iloc[0] >= below:
            out[column] = out[column].where(~out[column].isin(rare), count.index[0])
    return out


def swap_within_couples(
    records: pd.DataFrame,
    relationship: Hashable,
    sex: Hashable,
    partners: tuple[object, object] = ("Husband", "Wife"),
    *,
    share: float = 0.1,
    seed: int,
) -> pd.DataFrame:
    """Exchange the sexes of some husbands and wives: every single variable stays as it was, and only who is what goes wrong.

    Parameters
    ----------
    records : pandas.DataFrame
        One row a record; couples need not be told apart.
    relationship, sex : column
        Whose values are exchanged for whom.
    partners : (value, value)
        The two values of `relationship` that make a couple.
    share : float
        Of the smaller of the two groups, 0 to 1; each with a partner drawn at random from the other.
    seed : int
        Fixes the draw.

    Raises
    ------
    KeyError
        For a column that is not there.
    ValueError
        Where `share` is not between 0 and 1.

    >>> people = pd.DataFrame({"is": ["Husband", "Wife"] * 50, "sex": ["M", "F"] * 50})
    >>> swapped = swap_within_couples(people, "is", "sex", share=0.1, seed=1)
    >>> int((swapped["is"].eq("Husband") & swapped["sex"].eq("F")).sum()), int(swapped["sex"].eq("F").sum())
    (5, 50)
    """
    for column in (relationship, sex):
        if column not in records.columns:
            raise KeyError(f"there is no column {column!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, not {share!r}")
    stream = np.random.default_rng([seed, 0])
    first, second = (stream.permutation(np.flatnonzero(records[relationship].eq(p).to_numpy(bool))) for p in partners)
    n = round(share * min(len(first), len(second)))
    order = np.arange(len(records))
    order[first[:n]], order[second[:n]] = second[:n], first[:n]
    out = records.reset_index(drop=True)
    out[sex] = records[sex].array[order]
    return out


def _draw(records: pd.DataFrame, n: int | None, seed: int, number: int) -> np.ndarray:
    """Rows drawn with replacement, from a stream of their own."""
    if n is not None and n < 0:
        raise ValueError(f"n must not be negative, but is {n}")
    n = len(records) if n is None else n
    if not len(records):
        return np.zeros(0, np.int64)
    return np.random.default_rng([seed, number]).integers(0, len(records), n)
