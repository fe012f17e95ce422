"""Near copies: synthetic records that are real ones but for one variable, or much nearer to them than real people are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.disclosure._records import labelled

__all__ = ["near_copies"]

NEARER = 0.5
"""Share of the distance between real people below which the median synthetic record is too near to a real one."""

FEW = 20
"""Records below which nothing is said."""


def near_copies(
    pair: Pair, distances: pd.DataFrame, holdout: pd.DataFrame | None = None, *, most: float = 10.0
) -> tuple[pd.DataFrame, list[Finding]]:  # fmt: skip
    """Look for copies in which one variable was recoded or blurred, or all were blurred a little.

    Parameters
    ----------
    pair : Pair
        Both sides.
    distances : pandas.DataFrame
        As of `distance_table`.
    holdout : pandas.DataFrame, optional
        Records kept apart: what they have in common with real ones is no copy. Without them real records among themselves.
    most : float
        See `Limits.near`.

    Returns
    -------
    (DataFrame, list of Finding)
        One row a variable: variable (that is left out), synthetic (per cent of synthetic records that equal a real one in all the
        others), beside (the same of the holdout, or of real records to other real ones); 'disclosure-risk'.

    >>> from synthpop_gb.pair import PairVariable
    >>> real = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0) % 7, "sex": 0.0})
    >>> variables = tuple(PairVariable(n, "number") for n in real)
    >>> near = pd.DataFrame({"comparison": ["synthetic to real", "real to other real"], "median": [0.1, 0.1]})
    >>> frame, found = near_copies(Pair(real, real.assign(sex=1.0), variables), near)
    >>> frame.iloc[-1].to_dict(), [f.code for f in found]
    ({'variable': 'sex', 'synthetic': 100.0, 'beside': 0.0}, ['disclosure-risk'])
    """
    frames = [pair.real, pair.synthetic, *([] if holdout is None else [holdout])]
    keys = [np.zeros((len(pair.names), len(f)), np.uint64) for f in frames]
    for v, name in enumerate(pair.names):
        for key, codes in zip(keys, labelled(frames, pair, name, None)[1], strict=True):
            key[v] = _mixed(codes, v)
    rows = []
    for v, name in enumerate(pair.names):
        real, synthetic, *apart = (key.sum(axis=0, dtype=np.uint64) - key[v] for key in keys)
        distinct, times = np.unique(real, return_counts=True)
        beside = np.isin(apart[0], distinct) if apart else times[np.searchsorted(distinct, real)] > 1
        shares = [100 * float(x.mean()) if len(x) else np.nan for x in (np.isin(synthetic, distinct), beside)]
        rows.append({"variable": name, "synthetic": shares[0], "beside": shares[1]})
    frame = pd.DataFrame(rows, columns=["variable", "synthetic", "beside"])
    enough = len(pair.names) > 2 and min(len(pair.real), len(pair.synthetic)) >= FEW
    return frame, [*_but_one(frame, pair, holdout, most), *_nearer(distances, pair, holdout)] if enough else []


def _mixed(codes: np.ndarray, v: int) -> np.ndarray:
    """Hash codes of one variable to 64 bits (SplitMix64), so that sums over variables tell records apart."""
    z = codes.astype(np.int64).astype(np.uint64) + np.uint64((v + 1) * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _but_one(frame: pd.DataFrame, pair: Pair, holdout: pd.DataFrame | None, most: float) -> list[Finding]:
    gap = frame["synthetic"] - frame["beside"]
    if not (gap > most).any():
        return []
    row = frame.loc[gap.idxmax()]
    whom = "of the records kept apart" if holdout is not None else "of real records, to others,"
    message = (
        f"{row['synthetic']:.1f} % of synthetic records equal a real one in everything but {row['variable']}; {whom} it is "
        f"{row['beside']:.1f} %."
    )
    count = round(row["synthetic"] * len(pair.synthetic) / 100)
    return [finding("disclosure-risk", message, place="near copies", count=count)]


def _nearer(distances: pd.DataFrame, pair: Pair, holdout: pd.DataFrame | None) -> list[Finding]:
    """Without a holdout: half the synthetic records are much nearer to a real one than real people are to each other."""
    rows = distances.set_index("comparison")["median"]
    if holdout is not None or not {"synthetic to real", "real to other real"} <= set(rows.index):
        return []
    near, usual = float(rows["synthetic to real"]), float(rows["real to other real"])
    if not near < NEARER * usual:
        return []
    message = (
        f"Half the synthetic records are within {near:.2g} of a real one (Gower's distance, 0 to 1); half the real ones are "
        f"{usual:.2g} or more from their nearest."
    )
    return [finding("disclosure-risk", message, place="distance to the closest record", count=len(pair.synthetic) // 2)]
