"""Indicators as a release rule lets them be published: what rests on too few is withheld, what is left is rounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.indicators.table import Indicators
from synthpop_gb.indicators.withheld import significant
from synthpop_gb.release import ReleaseRule, round_counts, round_values, withhold

__all__ = ["published"]

_ERRORS = ("standard_error", "replicate_error", "finite_error", "model_error")
_FIGURES = ("estimate", "lower", "upper", "counted", *_ERRORS, "n_eff", "donors", "largest_donor")
"""Columns that tell something of a figure that is withheld."""


def published(found: Indicators, rule: ReleaseRule, *, seed: int | None = None) -> Indicators:
    """Withhold and round what a rule asks for.

    Withheld is a figure

    - that fewer survey records stand behind than `rule.minimum_records`;
    - of fewer people asked about than `rule.minimum_count`, though of some;
    - whose count of people is below the minimum though above nought; of shares also where those who do *not* meet the condition
      are so few, since both say the same;
    - with groups, or where totals of areas are known from elsewhere: further figures, so that a withheld one is not the rest
      of a total.

    Rounded are counts and people to multiples of `rule.rounding`, counts of an area's groups so that they add up; shares are of
    rounded counts; ends of intervals go outwards; means, totals and quantiles keep three figures, errors two.

    Parameters
    ----------
    found : Indicators
        What was estimated.
    rule : ReleaseRule
        Its minimum count, minimum of records, base and method of rounding.
    seed : int, optional
        For rounding at random; keep it secret.

    Returns
    -------
    Indicators
        The same columns; withheld figures NaN and of the reliability 'withheld'; `basis` says the rule and how many.

    Raises
    ------
    InputError
        `release-refused` where a figure cannot be protected from totals.
    """
    frame = found.frame.reset_index(drop=True)
    counted, primary = _people_told(found, frame, rule)
    area, _ = pd.factorize(frame[found.place])
    group = (
        pd.factorize(pd.MultiIndex.from_frame(frame[list(found.groups)]))[0] if found.groups else np.zeros(len(frame), np.int64)
    )
    hidden = primary | _protecting(found, counted, primary, area, group)
    frame = _rounded(found, frame, rule, area, group, hidden, seed)
    frame = frame.assign(**{name: frame[name].mask(hidden) for name in _FIGURES})
    few = (found.frame["people"].to_numpy() > 0) & (found.frame["people"].to_numpy() < rule.minimum_count)
    frame["people"] = np.where(few, np.nan, frame["people"])
    frame["reliability"] = np.where(hidden, "withheld", frame["reliability"])
    words = f"Released by the rule {rule.name}"
    if hidden.any():
        words += f": {int(hidden.sum()):,} figures are withheld, since they rest on too few or would give away others that do"
    if rule.rounding > 1:
        words += f"; counts are rounded to {rule.rounding}"
    said = f"{found.basis.get('in words', '')} {words}.".strip()
    basis = {**found.basis, "release": rule.to_dict(), "withheld": int(hidden.sum()), "in words": said}
    return replace(found, frame=frame, basis=basis)


def _people_told(found: Indicators, frame: pd.DataFrame, rule: ReleaseRule) -> tuple[np.ndarray, np.ndarray]:
    """(n,) people that each figure counts, and whether it may not be shown by itself."""
    people = frame["people"].to_numpy(np.float64)
    estimate = frame["estimate"].to_numpy(np.float64)
    counted = people
    if found.question.measure in ("share", "count"):
        counted = estimate * people if found.question.measure == "share" else estimate
    low = rule.minimum_count
    few = (people > 0) & (people < low) | (counted > 0) & (counted < low)
    if found.question.measure == "share":
        rest = people - counted
        few |= (rest > 0) & (rest < low)
    few |= (frame["donors"].to_numpy(np.float64) < rule.minimum_records) & (people > 0)
    few |= ~np.isfinite(estimate) & (people > 0)  # withheld already
    return np.ceil(np.nan_to_num(counted) - 1e-9), few


def _protecting(found: Indicators, counted, primary, area, group) -> np.ndarray:
    """(n,) bool: further figures to be withheld, where figures add up over areas or groups."""
    if found.question.measure == "quantile" or not primary.any():
        return np.zeros(len(primary), bool)
    n_areas, n_groups = int(area.max()) + 1, int(group.max()) + 1
    table, hidden = np.zeros((n_areas, n_groups)), np.zeros((n_areas, n_groups), bool)
    table[area, group], hidden[area, group] = counted, primary
    _, secondary = withhold(table, 0, row_totals=n_groups > 1, column_totals=n_areas > 1, hidden=hidden)
    return secondary[area, group]


def _rounded(found: Indicators, frame: pd.DataFrame, rule: ReleaseRule, area, group, hidden, seed) -> pd.DataFrame:
    """Round what is shown; figures that are withheld are taken out of totals first."""
    base, measure = rule.rounding, found.question.measure
    out = {name: significant(frame[name], 2) for name in (*_ERRORS, "n_eff", "largest_donor")}
    people = frame["people"].to_numpy(np.float64)
    if base == 1:
        return frame
    shown = round_values(people, base)
    out["people"] = shown
    if measure not in ("share", "count"):
        out |= {name: significant(frame[name], 3) for name in ("estimate", "lower", "upper", "counted")}
        return frame.assign(**out)
    of = people if measure == "share" else 1.0
    over = np.where(shown > 0, shown, np.nan) if measure == "share" else 1.0
    whole = np.where(hidden, np.nan, np.floor(frame["estimate"].to_numpy(np.float64) * of + 0.5))
    table = np.full((int(area.max(initial=-1)) + 1, int(group.max(initial=-1)) + 1), np.nan)
    table[area, group] = whole
    rounded = round_counts(table, base, method=rule.rounding_method, seed=seed)[area, group]
    out["estimate"] = rounded / over
    out["counted"] = round_values(frame["counted"].to_numpy(np.float64) * of, base) / over
    out["lower"] = base * np.floor(frame["lower"].to_numpy(np.float64) * of / base) / over
    out["upper"] = base * np.ceil(frame["upper"].to_numpy(np.float64) * of / base) / over
    if measure == "share":
        out |= {name: np.clip(out[name], 0.0, 1.0) for name in ("estimate", "counted", "lower", "upper")}
    return frame.assign(**out)
