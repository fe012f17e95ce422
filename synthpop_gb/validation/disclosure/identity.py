"""Identity disclosure: whose combination of keys nobody else has, in the real records, in the synthetic ones, in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair
from synthpop_gb.validation.disclosure._records import combinations
from synthpop_gb.validation.disclosure.rates import expected_singles, percent_of

__all__ = ["identity", "identity_table"]


def identity(real: np.ndarray, synthetic: np.ndarray) -> dict[str, float]:
    """Per cent of records that are unique on their keys.

    With d and s the records of a combination in the real and synthetic data and N their numbers:

    - UiO = 100 #{d = 1} / N_d: unique in the original;
    - UiS = 100 #{s = 1} / N_s: unique in the synthetic data;
    - UiOiS = 100 #{d = 1, s > 0} / N_d: unique in the original, and there in the synthetic data;
    - repU = 100 #{d = 1, s = 1} / N_d: replicated uniques, of the *original* records, whom the measure is to protect.

    Raab, Nowok & Dibben (2024), arXiv:2406.16826, section 3.2; their printed formulas of UiS and UiOiS have slips of the index,
    the definitions are those of the text.

    Parameters
    ----------
    real, synthetic : numpy.ndarray
        (n,) integer codes of the combination of keys, the same on both sides; records of code -1 have no combination but count
        in N.

    Returns
    -------
    dict
        Per cent by name; NaN where the denominator has no records.

    >>> identity(np.array([0, 0, 1, 2, 3]), np.array([1, 2, 2, 4]))
    {'UiO': 60.0, 'UiS': 50.0, 'UiOiS': 40.0, 'repU': 20.0}
    """
    size = int(max(real.max(initial=-1), synthetic.max(initial=-1))) + 1
    d, s = (np.bincount(side[side >= 0], minlength=size) for side in (real, synthetic))
    alone = d == 1
    return {
        "UiO": percent_of(alone.sum(), len(real)),
        "UiS": percent_of((s == 1).sum(), len(synthetic)),
        "UiOiS": percent_of((alone & (s > 0)).sum(), len(real)),
        "repU": percent_of((alone & (s == 1)).sum(), len(real)),
    }


def _replicated(real: np.ndarray, synthetic: np.ndarray, size: int) -> float:
    """Return repU expected in a random part of `size` of the records."""
    if not size:
        return float("nan")
    n = int(max(real.max(initial=-1), synthetic.max(initial=-1))) + 1
    d, s = (np.bincount(side[side >= 0], minlength=n) for side in (real, synthetic))
    return 100.0 * float(expected_singles(d[s == 1], len(real), size).sum()) / size


def identity_table(
    pair: Pair,
    keys: Sequence[str],
    *,
    holdout: pd.DataFrame | None = None,
    groups: int | None = None,
    missing: str = "category",
) -> pd.DataFrame:
    """One row for all keys together and one for all but each: what is unique, and what a key adds to it.

    Parameters
    ----------
    pair : Pair
        Whose records.
    keys : sequence of str
        What an intruder may know.
    holdout : pandas.DataFrame, optional
        Records of people who were not synthesised from, in the pair's columns: how often *their* uniques are replicated is what
        repU would be by chance. The smaller a set, the more of it is unique, so both are taken at the size of the smaller.
    groups, missing
        See `_records.combinations`.

    Returns
    -------
    pandas.DataFrame
        keys (joined by ' x '), without ('' for all of them), real, synthetic (records), combinations (of the real ones), UiO,
        UiS, UiOiS, repU; repU_same_size and repU_holdout (expected in random parts of equal size; NaN without a holdout).
    """
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    rows = []
    for left_out in ("", *(keys if len(keys) > 1 else ())):
        names = [k for k in keys if k != left_out]
        real, synthetic, *other = combinations(frames, pair, names, groups=groups, missing=missing)
        measured: Mapping[str, float] = identity(real, synthetic)
        size = min(len(real), len(other[0])) if other else 0
        rows.append(
            {"keys": " x ".join(names), "without": left_out, "real": len(real), "synthetic": len(synthetic),
             "combinations": len(np.unique(real[real >= 0])), **measured,
             "repU_same_size": _replicated(real, synthetic, size), "repU_holdout": _replicated(other[0], synthetic, size)
             if other else float("nan")}
        )  # fmt: skip
    return pd.DataFrame(rows)
