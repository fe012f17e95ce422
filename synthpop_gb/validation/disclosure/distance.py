"""Distance to the closest record: whether synthetic people are nearer to those they were made from than to others like them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair
from synthpop_gb.validation.chance import wilson
from synthpop_gb.validation.disclosure._records import Mixed, mixed

__all__ = ["Nearest", "distance_table", "distances", "share_closer"]

_BLOCK = 500
"""Records looked up by one call of the kernel; no table of distances is held."""

_TIES = 77  # purpose of the stream that decides between records that are equally near


@dataclass(frozen=True, eq=False)
class Nearest:
    """Nearest record of each of (n,) records.

    Attributes
    ----------
    first, second : (n,) float64
        Distance of the nearest and of the second nearest record; NaN where there are not as many.
    at : (n,) int64
        Position of the nearest, one at random where several are as near; -1 where there is none.
    ties : (n,) int64
        How many are as near.
    """

    first: np.ndarray
    second: np.ndarray
    at: np.ndarray
    ties: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """(n,) float64: first / second; 1 where both are nought, since then two records are alike and none stands out."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.second == 0, 1.0, self.first / self.second)


def distances(
    records: Mixed, to: Mixed, *, seed: int, own: np.ndarray | None = None, workers: int = 2, purpose: int = _TIES
) -> Nearest:
    """Find the nearest of `to` for each record, exactly, by Gower's distance (0 = alike, 1 = different in everything).

    Parameters
    ----------
    records, to : Mixed
        See `_records.mixed`; the same variables.
    seed : int
        Decides between records that are equally near.
    own : numpy.ndarray, optional
        (n,) int64: position in `to` that a record may not find, itself; -1 = none.
    workers : int
        Threads; the result does not depend on it.
    purpose : int
        Another number breaks ties anew.
    """
    from synthpop_gb.kernels.nearest import nearest_records
    from synthpop_gb.kernels.streams import stream_keys

    n = len(records)
    found = Nearest(np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64))
    own = np.full(n, -1, np.int64) if own is None else own.astype(np.int64)
    key = stream_keys(seed, np.arange(n, dtype=np.uint64), 0, purpose)

    def look(first: int) -> None:
        part = slice(first, min(first + _BLOCK, n))
        nearest_records(
            records.number[part], records.category[part], to.number, to.category, to.inverse, key[part], own[part],
            *(a[part] for a in (found.first, found.second, found.at, found.ties)),
        )  # fmt: skip

    with ThreadPoolExecutor(max(workers, 1)) as pool:
        list(pool.map(look, range(0, n, _BLOCK)))
    return found


def share_closer(training: Nearest, holdout: Nearest, n_training: int, n_holdout: int) -> dict[str, float]:
    """Share of synthetic records that are nearer to a training record than to any of the holdout.

    Where both are as near, the record counts by the training records' part of all that are as near. If the synthetic data know
    no more of the training records than of other people, each record of both sets is as likely to be the nearest, so
    n_training / (n_training + n_holdout) is expected: 0.5 for sets of one size (Platzer & Reutterer 2021, Frontiers in Big
    Data 4, whose count is of sets of one size; ties divided, sizes may differ).

    The interval is Wilson's at an effective number of records: a synthetic record says little new where its nearest real
    record is the nearest of many. With w the share of synthetic records whose nearest record (drawn among ties) is the same one,
    n_effective = 1 / sum of w^2, the number for which a random division of the real records has that variance.

    Returns
    -------
    dict
        share_closer, lower, upper, expected, n_effective; NaN where a set is empty.
    """
    nothing = dict.fromkeys(("share_closer", "lower", "upper", "expected", "n_effective"), float("nan"))
    if not len(training.first) or not n_training or not n_holdout:
        return nothing
    tied = training.ties / (training.ties + holdout.ties)
    won = np.where(training.first < holdout.first, 1.0, np.where(training.first > holdout.first, 0.0, tied))
    nearest = np.where(won >= 0.5, training.at, n_training + holdout.at)
    w = np.bincount(nearest) / len(nearest)
    effective = 1.0 / float((w**2).sum())
    share = float(won.mean())
    lower, upper = wilson(share * effective, effective)
    expected = n_training / (n_training + n_holdout)
    return {"share_closer": share, "lower": lower, "upper": upper, "expected": expected, "n_effective": effective}


def distance_table(
    pair: Pair, *, seed: int, holdout: pd.DataFrame | None = None, most: int = 10_000, workers: int = 2
) -> pd.DataFrame:
    """Distances to the closest record, from every side that there is.

    Parameters
    ----------
    pair : Pair
        The real records are those that were synthesised from (training).
    seed : int
        Fixes which records are looked at, where there are more than `most`, and ties.
    holdout : pandas.DataFrame, optional
        Real records that were not synthesised from. Without them nobody can say whether synthetic records are near to real
        ones because they were made from them or because people are alike; the real records among themselves are shown.
    most : int
        Records looked at on each side, at most; they are compared with all of the other.

    Returns
    -------
    pandas.DataFrame
        One row a comparison ('synthetic to real', 'synthetic to holdout', 'holdout to real', 'real to other real'): records
        (looked at), to (compared with), mean, median, p05 of the distance to the closest record (0 to 1), identical (per cent
        at distance 0), ratio and ratio_p05 (median and 5th percentile of nearest / second nearest), and, in the first row,
        what `share_closer` returns.
    """
    frames = [pair.real, pair.synthetic] + ([] if holdout is None else [holdout])
    real, synthetic, *other = mixed(frames, pair)
    rng = np.random.default_rng(seed)
    looked = synthetic.rows(_some(rng, len(synthetic), most))
    to_real = distances(looked, real, seed=seed, workers=workers)
    rows = [_row("synthetic to real", to_real, len(real))]
    if other:
        to_other = distances(looked, other[0], seed=seed, workers=workers)
        rows[0] |= share_closer(to_real, to_other, len(real), len(other[0]))
        rows.append(_row("synthetic to holdout", to_other, len(other[0])))
        strangers = other[0].rows(_some(rng, len(other[0]), most))
        rows.append(_row("holdout to real", distances(strangers, real, seed=seed, workers=workers), len(real)))
    which = _some(rng, len(real), most)
    among = distances(real.rows(which), real, seed=seed, own=which, workers=workers)
    rows.append(_row("real to other real", among, max(len(real) - 1, 0)))
    columns = ["share_closer", "lower", "upper", "expected", "n_effective"]
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*frame.columns.difference(columns, sort=False), *columns])


def _some(rng: np.random.Generator, n: int, most: int) -> np.ndarray:
    """All positions, or `most` of them at random, in order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def _row(comparison: str, found: Nearest, to: int) -> dict:
    first, ratio = found.first[~np.isnan(found.first)], found.ratio[~np.isnan(found.ratio)]
    return {
        "comparison": comparison, "records": len(found.first), "to": to,
        "mean": float(first.mean()) if len(first) else float("nan"),
        "median": _quantile(first, 0.5), "p05": _quantile(first, 0.05),
        "identical": 100 * float((first == 0).mean()) if len(first) else float("nan"),
        "ratio": _quantile(ratio, 0.5), "ratio_p05": _quantile(ratio, 0.05),
    }  # fmt: skip


def _quantile(values: np.ndarray, at: float) -> float:
    return float(np.quantile(values, at)) if len(values) else float("nan")
