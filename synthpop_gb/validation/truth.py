"""Error against a known truth: what no constraint told, in worlds where the answer is known, such as demo counties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.population import DonorCounts, Population

__all__ = ["compare_with_truth", "true_error"]

_ZONE_COLUMNS = ("zone", "indicator", "people", "truth", "estimate", "fit", "survey", "error", "noise")


def compare_with_truth(
    population: Population,
    aligned: Aligned,
    people: pd.DataFrame,
    indicators: Mapping[str, str | Callable[[pd.DataFrame], object]],
    *,
    counts: Iterable[DonorCounts] | None = None,
    unit: str = "",
) -> Checks:
    """Set the population beside the true people of its zones, outcome by outcome.

    Parameters
    ----------
    population : Population
        What was solved.
    aligned : Aligned
        What it was made from.
    people : pandas.DataFrame
        Everybody, one row a person: a column 'zone' and the columns that the indicators read.
    indicators : mapping of str to str or callable
        By name: a numeric column, or a function that takes a frame (of true people, and of the survey's records) and returns
        one number or truth value a row; NaN where the person is outside the indicator's universe.
    counts : iterable of DonorCounts, optional
        The people judged; `population.blocks()` by default.
    unit : str
        As for `true_error`.

    Returns
    -------
    Checks
        See `true_error`.
    """
    records, zone = aligned.frame(), people["zone"].astype(object).to_numpy()
    truth, values = {}, {}
    for name, of in indicators.items():
        value = [np.asarray(of(f) if callable(of) else f[of], np.float64) for f in (people, records)]
        truth[name], values[name] = pd.Series(value[0]).groupby(zone).mean().reindex(aligned.zones), value[1]
    return true_error(
        population.blocks() if counts is None else counts,
        aligned,
        pd.DataFrame(truth, index=aligned.zones),
        pd.DataFrame(values, index=aligned.records),
        population=population,
        unit=unit,
    )


def true_error(
    counts: Iterable[DonorCounts],
    aligned: Aligned,
    truth: pd.DataFrame,
    values: pd.DataFrame,
    *,
    population: Population | None = None,
    unit: str = "",
) -> Checks:
    """Compare zone means of the synthetic people with true ones.

    Parameters
    ----------
    counts : iterable of DonorCounts
        The people judged; zones left out have nobody.
    aligned : Aligned
        Zones, records and design weights.
    truth : pandas.DataFrame
        (zones x indicators) true means or shares; NaN where there is none.
    values : pandas.DataFrame
        (records x indicators) each record's value, NaN where it is outside the indicator's universe; indexed by record id.
    population : Population, optional
        Supplies the fractional fit, which is reported beside the whole people.
    unit : str
        Said after the number in the headline, e.g. 'percentage points' or '£ a year'.

    Returns
    -------
    Checks
        Tables 'true_error' (one row an indicator: zones, people, true_mean, mean, bias, rmse, mae, correlation, then rmse of the
        fractional fit, of the survey's mean everywhere and of the true mean everywhere; floor, the root mean square error that
        the luck of who lives in a zone leaves to whoever knows the model; worst_zone, worst_error) and 'true_error_zones'
        (zone, indicator, people, truth, estimate, fit, survey, error, noise). All in the indicator's own unit; means over
        zones count zones alike, true_mean and mean count people.

    Raises
    ------
    KeyError
        Where `truth` or `values` lacks a zone, record or indicator.
    """
    names = list(truth.columns)
    if missing := [n for n in names if n not in values.columns]:
        raise KeyError(f"values has no column for {missing[0]!r}")
    value = values.loc[aligned.records, names].to_numpy(np.float64)
    actual = truth.loc[aligned.zones].to_numpy(np.float64)
    has = ~np.isnan(value)
    value = np.where(has, value, 0.0)
    sums = _zone_sums(counts, aligned.zones, [has.astype(np.float64), value, value * value])
    fit = np.full(actual.shape, np.nan)
    if population is not None and population.duals is not None:
        fit = _fitted_means(population, aligned, value, has)
    frames = []
    for i, name in enumerate(names):
        people, total, squares = sums[0][:, i], sums[1][:, i], sums[2][:, i]
        some = np.where(people > 0, people, np.nan)
        mean = total / some
        survey = (aligned.weight * value[:, i]).sum() / ((aligned.weight * has[:, i]).sum() or np.nan)
        noise = np.sqrt(np.maximum(squares / some - mean**2, 0.0) / some)
        columns = (aligned.zones, name, people, actual[:, i], mean, fit[:, i], survey, mean - actual[:, i], noise)
        frames.append(pd.DataFrame(dict(zip(_ZONE_COLUMNS, columns, strict=True))))
    by_zone = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_ZONE_COLUMNS))
    overall = pd.DataFrame([_overall(name, by_zone[by_zone["indicator"] == name]) for name in names])
    return Checks(_headline(overall, unit), {"true_error": overall, "true_error_zones": by_zone})


def _zone_sums(counts: Iterable[DonorCounts], zones: pd.Index, values: list[np.ndarray]) -> list[np.ndarray]:
    """Sum over the people of each zone of several (n_records, n_indicators) arrays."""
    out = [np.zeros((len(zones), v.shape[1])) for v in values]
    for block in counts:
        where = zones.get_indexer(block.zones)
        if (where < 0).any():
            raise KeyError(f"the counts name zones that are not in the study, e.g. {block.zones[where < 0][0]}")
        row = np.repeat(np.arange(len(where)), np.diff(block.indptr))
        for sums, value in zip(out, values, strict=True):
            for i in range(value.shape[1]):
                sums[where, i] = np.bincount(row, block.n * value[block.record, i], minlength=len(where))
    return out


def _fitted_means(population: Population, aligned: Aligned, value: np.ndarray, has: np.ndarray, size: int = 64) -> np.ndarray:
    """Zone means of the fractional fit: profiles stand for their donors by design weight."""
    problem = population.problem
    profile, record, share = problem.people_shares()

    def by_profile(column):
        return np.bincount(profile, share * column[record], minlength=problem.n_profiles)

    n = value.shape[1]
    mean = np.stack([by_profile(value[:, i]) for i in range(n)] + [by_profile(has[:, i].astype(float)) for i in range(n)], axis=1)
    at, out = population.zones.get_indexer(aligned.zones), np.full((len(aligned.zones), n), np.nan)
    for first in range(0, len(at), size):
        sums = population.fitted(at[first : first + size]) @ mean
        np.divide(sums[:, :n], sums[:, n:], out=out[first : first + size], where=sums[:, n:] > 0)
    return out


def _rms(error: pd.Series) -> float:
    return float(np.sqrt((error**2).mean()))


def _overall(name: str, rows: pd.DataFrame) -> dict[str, object]:
    """One indicator over all zones that have people and a true value."""
    live = rows[(rows["people"] > 0) & rows["truth"].notna()]
    if live.empty:
        return {"indicator": name, "zones": 0, "people": 0.0}
    weight = live["people"] / live["people"].sum()
    true_mean, mean = float((live["truth"] * weight).sum()), float((live["estimate"] * weight).sum())
    varies = live["truth"].std() > 0 and live["estimate"].std() > 0
    worst = live.loc[live["error"].abs().idxmax()]
    return {
        "indicator": name, "zones": len(live), "people": float(live["people"].sum()), "true_mean": true_mean, "mean": mean,
        "bias": mean - true_mean, "rmse": _rms(live["error"]), "mae": float(live["error"].abs().mean()),
        "correlation": float(live["truth"].corr(live["estimate"])) if varies else np.nan,
        "rmse_fit": _rms(live["fit"] - live["truth"]), "rmse_survey": _rms(live["survey"] - live["truth"]),
        "rmse_average": _rms(true_mean - live["truth"]), "floor": _rms(live["noise"]),
        "worst_zone": worst["zone"], "worst_error": float(worst["error"]),
    }  # fmt: skip


def _headline(overall: pd.DataFrame, unit: str) -> dict[str, str]:
    return {
        f"true error of {row['indicator']}": (
            f"{row['rmse']:.3g}{' ' * bool(unit)}{unit} root mean square over {row['zones']:,} zones (fractional fit "
            f"{row['rmse_fit']:.3g}, the survey's mean everywhere {row['rmse_survey']:.3g}, the true mean everywhere "
            f"{row['rmse_average']:.3g}, noise floor {row['floor']:.3g})"
        )
        for row in overall.to_dict("records")
        if row["zones"]
    }
