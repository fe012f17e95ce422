"""One variable at a time: distances of the distributions and moments, each beside what a perfect sample would show."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.coded import MISSING, Coded
from synthpop_gb.pair import Pair
from synthpop_gb.validation.intersections.floors import expected_tvd
from synthpop_gb.validation.utility._bins import bins
from synthpop_gb.validation.utility._sides import Sides, generator, sides, size_of
from synthpop_gb.validation.utility._words import percent

__all__ = ["ks", "ks_floor", "moments", "tvd_floor", "univariate"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_GROUPS = 20
"""Groups of a number for its total variation distance."""

_GRID = 500
"""Points of a distribution at which its noise is drawn; it underestimates the expected KS by some 3 %."""


def univariate(pair: Pair, *, seed: int = 1, draws: int = 200) -> Checks:
    """Compare every variable's distribution.

    Parameters
    ----------
    pair : Pair
        Both sides.
    seed : int
        Of the draws for the floor of KS.
    draws : int
        Perfect samples drawn for the floor of KS.

    Returns
    -------
    Checks
        Table 'univariate', one row a variable: variable, kind, records_real, records_synthetic (with a value), n_real,
        n_synthetic (their effective numbers), missing_real, missing_synthetic (shares), tvd over categories, or 20 groups of
        the real numbers, missing among them, and tvd_floor;
        of numbers ks and ks_floor, mean_, sd_, skewness_, q05_ ... q95_ of each side, mean_difference and median_difference
        (synthetic less real, in real standard deviations), sd_ratio, outside (share of synthetic numbers beyond the real
        range); of categories only_real and only_synthetic (how many), only_real_names and only_synthetic_names (up to ten,
        with their share). A floor is the expected distance of a sample of the synthetic side's effective size, drawn from the
        real records. Table 'univariate_bins': variable, kind, bin, label, low, high, real, synthetic (shares of all records of
        the side), at most 40 a variable: what plots are drawn from.

    >>> from synthpop_gb.pair import PairVariable
    >>> real, made = pd.DataFrame({"age": [10.0, 20, 30, 40]}), pd.DataFrame({"age": [10.0, 10, 30, np.nan]})
    >>> found = univariate(Pair(real, made, (PairVariable("age", "number", whole=True),)))
    >>> row = found["univariate"].iloc[0]  # a quarter moved from 20 to 10, a quarter from 40 to missing
    >>> float(row["tvd"]), float(row["mean_real"]), round(float(row["ks"]), 3), float(row["missing_synthetic"])
    (0.5, 25.0, 0.417, 0.25)
    """
    both = sides(pair)
    if not both.usable:
        empty = {"univariate": pd.DataFrame(columns=["variable", "kind"]), "univariate_bins": bins(both)}
        return Checks({}, empty, both.findings)
    real, synthetic = both.coded(groups=_GROUPS)
    rows = []
    for i, v in enumerate(both.pair.variables):
        row = {"variable": v.name, "kind": v.kind, **_missing(both, v.name), **_tvd(both, real, synthetic, i)}
        if v.kind == "number":
            row |= _numbers(both, v.name, seed, draws)
        else:
            row |= _only(real, synthetic, i)
        rows.append(row)
    table = pd.DataFrame(rows)
    return Checks(_headline(table), {"univariate": table, "univariate_bins": bins(both)}, both.findings)


def ks(real: np.ndarray, synthetic: np.ndarray, real_weight=None, synthetic_weight=None) -> float:
    """Kolmogorov-Smirnov distance: largest difference of the two (weighted) cumulative distributions.

    Parameters
    ----------
    real, synthetic : numpy.ndarray
        Numbers, none missing.
    real_weight, synthetic_weight : numpy.ndarray, optional
        Their weights.

    Returns
    -------
    float
        From 0 to 1; NaN where a side is empty.

    >>> ks(np.array([1.0, 2, 3, 4]), np.array([1.0, 1, 3, 4]))
    0.25
    """
    w = [np.ones(len(x)) if w is None else w for x, w in ((real, real_weight), (synthetic, synthetic_weight))]
    totals = [float(x.sum()) for x in w]
    if not min(totals) > 0:
        return math.nan
    _, at = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
    size = int(at.max()) + 1
    shares = [
        np.bincount(a, x, minlength=size) / t for a, x, t in zip((at[: len(real)], at[len(real) :]), w, totals, strict=True)
    ]
    return float(np.abs(np.cumsum(shares[0] - shares[1])).max())


def ks_floor(real: np.ndarray, real_weight: np.ndarray, n: float, *, seed: int = 1, draws: int = 200) -> float:
    """Return the expected KS distance from real numbers of a sample of n drawn from them; without ties 0.8687 / sqrt(n).

    Parameters
    ----------
    real, real_weight : numpy.ndarray
        Numbers, none missing, and their weights.
    n : float
        Effective size of the sample, rounded to whole records.
    seed, draws : int
        Samples drawn, by random seed. Of more than 500 distinct numbers neighbours are taken together.

    >>> round(ks_floor(np.array([0.0, 1.0]), np.ones(2), 100), 2)  # E abs(X - 50) / 100 = 0.040
    0.04
    """
    n = round(n)
    if n < 1 or not len(real) or not real_weight.sum() > 0:
        return math.nan
    _, at = np.unique(real, return_inverse=True)
    share = np.bincount(at, real_weight)
    share = share / share.sum()
    if len(share) > _GRID:
        share = np.bincount(np.minimum((np.cumsum(share) * _GRID).astype(np.int64), _GRID - 1), share)
    drawn = generator(seed, "ks").multinomial(n, share / share.sum(), size=draws) / n
    return float(np.abs(np.cumsum(drawn - share, axis=1)).max(axis=1).mean())


def tvd_floor(real: np.ndarray, n: float) -> float:
    """Return the expected total variation distance from real counts of a sample of n drawn from them, exactly.

    As of cross-tables, see `intersections.floors.expected_tvd`.

    >>> round(tvd_floor(np.array([50.0, 50.0]), 100), 4)
    0.0398
    """
    total = float(real.sum())
    return expected_tvd(real / total, n) if total > 0 and n > 0 else math.nan


def moments(values: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Weighted mean, standard deviation (divisor: sum of weights less one record), skewness and quantiles of numbers.

    Skewness is the third standardised moment, without correction for size; NaN for numbers all alike, as are all for none.

    >>> moments(np.array([0.0, 0, 0, 4]), np.ones(4))["skewness"].__round__(6)  # m2 = 3, m3 = 6: 6 / 3^1.5
    1.154701
    """
    names = ("mean", "sd", "skewness", *(f"q{round(100 * q):02d}" for q in QUANTILES))
    total = float(weight.sum())
    if not total > 0:
        return dict.fromkeys(names, math.nan)
    share, size = weight / total, size_of(values)
    mean = float((share * (values / size)).sum())
    away = values / size - mean
    second = float((share * away**2).sum())
    flat = second <= 1e-30 or not (values != values[0]).any()
    skewness = math.nan if flat else float((share * (away / math.sqrt(second)) ** 3).sum())
    sd = (0.0 if flat else math.sqrt(second * total / (total - 1)) * size) if total > 1 else math.nan
    mean *= size
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(share[order])
    at = np.minimum(np.searchsorted(reached, np.array(QUANTILES) - 1e-12), len(values) - 1)
    return dict(zip(names, (mean, sd, skewness, *(float(x) for x in values[order][at])), strict=True))


def _missing(both: Sides, name: str) -> dict[str, float]:
    out = {}
    for key, frame, weight in (
        ("real", both.pair.real, both.real_weight),
        ("synthetic", both.pair.synthetic, both.synthetic_weight),
    ):
        gone = frame[name].isna().to_numpy()
        out[f"records_{key}"] = int((~gone).sum())
        out[f"n_{key}"] = float(weight[~gone].sum())
        out[f"missing_{key}"] = float(weight[gone].sum() / weight.sum())
    return out


def _tvd(both: Sides, real: Coded, synthetic: Coded, i: int) -> dict[str, float]:
    """Total variation distance over the groups of one variable, and its floor."""
    counts = [np.bincount(s.codes[:, i], s.weight, minlength=len(s.labels[i])) for s in (real, synthetic)]
    shares = [c / c.sum() for c in counts]
    return {"tvd": float(np.abs(shares[0] - shares[1]).sum() / 2), "tvd_floor": tvd_floor(counts[0], both.n_synthetic)}


def _numbers(both: Sides, name: str, seed: int, draws: int) -> dict[str, float]:
    """Distances and moments of one number."""
    known = []
    for frame, weight in ((both.pair.real, both.real_weight), (both.pair.synthetic, both.synthetic_weight)):
        values = frame[name].to_numpy()
        there = np.isfinite(values)
        known.append((values[there], weight[there]))
    (x, w), (y, v) = known
    found = [moments(*side) for side in known]
    out = {"ks": ks(x, y, w, v), "ks_floor": ks_floor(x, w, v.sum(), seed=seed, draws=draws)}
    for key in found[0]:
        out |= {f"{key}_real": found[0][key], f"{key}_synthetic": found[1][key]}
    sd = found[0]["sd"] if found[0]["sd"] > 0 else math.nan
    out["mean_difference"] = (found[1]["mean"] - found[0]["mean"]) / sd
    out["median_difference"] = (found[1]["q50"] - found[0]["q50"]) / sd
    out["sd_ratio"] = found[1]["sd"] / sd
    beyond = (y < x.min()) | (y > x.max()) if len(x) else np.ones(len(y), bool)
    out["outside"] = float(v[beyond].sum() / v.sum()) if v.sum() > 0 else math.nan
    return out


def _only(real: Coded, synthetic: Coded, i: int) -> dict[str, object]:
    """Categories that only one side has."""
    counts = [np.bincount(s.codes[:, i], s.weight, minlength=len(s.labels[i])) for s in (real, synthetic)]
    out = {}
    for key, mine, other in (("real", *counts), ("synthetic", *counts[::-1])):
        alone = np.flatnonzero((mine > 0) & (other == 0) & (np.array(real.labels[i], object) != MISSING))
        alone = alone[np.argsort(-mine[alone], kind="stable")]
        out[f"only_{key}"] = len(alone)
        out[f"only_{key}_names"] = ", ".join(f"{real.labels[i][j]} ({100 * mine[j] / mine.sum():.3g} %)" for j in alone[:10])
    return out


def _headline(table: pd.DataFrame) -> dict[str, object]:
    if table.empty:
        return {}
    worst = table.loc[table["tvd"].idxmax()]
    out = {
        "variables compared": len(table),
        "variable least alike": (
            f"{worst['variable']}: {percent(worst['tvd'], '.2g')} of records in other categories or groups "
            f"(a perfect sample: {percent(worst['tvd_floor'], '.2g')})"
            if worst["tvd"] > 0
            else "none: every distribution is the same"
        ),
    }
    if "only_synthetic" in table and (n := int(table["only_synthetic"].fillna(0).sum())):
        out["categories only in the synthetic records"] = n
    if "only_real" in table and (n := int(table["only_real"].fillna(0).sum())):
        out["categories only in the real records"] = n
    return out
