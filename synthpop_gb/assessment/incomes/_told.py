"""What calibrating found, told: a row an area, plain values for the record of the run, findings, one line a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.area_incomes import error_unit, mean_error
from synthpop_gb.assessment.incomes._aims import Aims
from synthpop_gb.assessment.incomes._search import Sought
from synthpop_gb.assessment.incomes._seek import LIMIT, by_aim
from synthpop_gb.assessment.incomes.target import Matched
from synthpop_gb.errors import Finding, finding

__all__ = ["COLUMNS", "again", "errors_of", "facts_of", "frame_of", "noticed", "said"]

COLUMNS = (
    "incomes", "area", "published", "published_error", "before", "predicted", "after", "standard_error", "weight", "tilt",
    "held_out", "at_limit",
)  # fmt: skip
_NUMBERS = ("before", "predicted", "after", "standard_error", "weight", "tilt")


def frame_of(aims: Aims, sought: Sought, before: Sequence[np.ndarray], predicted: Sequence[np.ndarray]) -> pd.DataFrame:
    """One row a target and area; columns as `CalibratedIncomes.frame`.

    The standard error of `after` is that of the linking model (`Linked.squared_error`), brought to the figure's own scale.
    """
    own = by_aim(aims, sought.moments.answer.diagonal())
    tilts, held = by_aim(aims, sought.tilt), by_aim(aims, sought.held)
    parts = []
    for i, aim in enumerate(aims.aims):
        one, linked = aim.matched, aim.linked(sought.moments.ratio[i])
        after = aim.shown(linked)
        kept_back = one.target.held_out
        link = sought.linked[i]
        with np.errstate(invalid="ignore", divide="ignore"):
            psi = np.full(len(after), np.nan) if kept_back else (aim.error / own[i]) ** 2
            error = np.sqrt(link.squared_error(psi)) * own[i] * (1.0 if one.incomes.measure == "share" else after)
        parts.append(pd.DataFrame({
            "incomes": one.incomes.name, "area": one.areas, "published": one.published, "published_error": one.error,
            "before": aim.shown(aim.linked(before[i])), "predicted": predicted[i], "after": after,
            "standard_error": np.nan if kept_back else error, "weight": link.weight(psi), "tilt": np.round(tilts[i], 9),
            "held_out": kept_back, "at_limit": held[i],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def facts_of(aims: Aims, frame: pd.DataFrame, sought: Sought, bands: int) -> dict[str, Any]:
    """Plain values: how it was done, each target's errors, and of every area what cannot be worked out again cheaply."""
    targets = []
    for i, aim in enumerate(aims.aims):
        one, mine = aim.matched, frame[frame["incomes"] == aim.matched.incomes.name]
        linked = sought.linked[i]
        columns = {c: [None if not np.isfinite(v) else float(f"{v:.10g}") for v in mine[c]] for c in _NUMBERS}
        targets.append({
            "incomes": one.incomes.name, "measure": one.incomes.measure, "of": one.incomes.of, "column": one.target.column,
            "where": one.target.where, "level": one.target.level, "what": one.incomes.what, "unit": one.incomes.unit,
            "period": one.incomes.period, "uprated": one.incomes.uprated, "held_out": one.target.held_out,
            "prior": None if one.target.held_out else round(linked.tau, 6),
            **errors_of(mine, one.incomes.measure),
            "areas": [str(a) for a in mine["area"]], **columns, "at_limit": [bool(v) for v in mine["at_limit"]],
        })  # fmt: skip
    said_of = [said(t) for t in targets]
    return {"bands": bands, "steps": sought.steps, "settled": sought.settled, "said": said_of, "targets": targets}


def errors_of(frame: pd.DataFrame, measure: str) -> dict[str, float | int | None]:
    """`mean_error` of what was fitted before, predicted and after.

    `noise` is what the published figures' own errors alone would make of it: sqrt(2 / pi) of a normal error's.
    """
    known = frame[frame["published"].notna()]
    goal = known["published"]
    found = {f"error_{c}": _rounded(mean_error(known[c], goal, measure)) for c in ("before", "predicted", "after")}
    noise = 100 * np.sqrt(2 / np.pi) * (known["published_error"] / (1.0 if measure == "share" else goal)).mean()
    return {"areas_published": len(known), **found, "noise": _rounded(noise)}


def _amount(value: float) -> str:
    """Pounds whole, shares with three figures."""
    return f"{value:,.0f}" if abs(value) >= 1 else f"{value:.3g}"


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def again(matched: Sequence[Matched], known: Mapping[str, Any]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Return frame and tilts as an earlier call noted them."""
    parts, tilts = [], []
    for one, told in zip(matched, known["targets"], strict=True):
        numbers = {c: np.array([np.nan if v is None else v for v in told[c]], float) for c in _NUMBERS}
        tilts.append(numbers["tilt"])
        parts.append(pd.DataFrame({
            "incomes": one.incomes.name, "area": one.areas, "published": one.published, "published_error": one.error, **numbers,
            "held_out": one.target.held_out, "at_limit": told["at_limit"],
        }))  # fmt: skip
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)], tilts


def noticed(frame: pd.DataFrame, *, settled: bool = True) -> tuple[Finding, ...]:
    """Say where the survey has too few of such people (`income-shortfall`), or the search did not settle."""
    found = []
    if not settled:
        message = "The search for tilts was stopped before it settled: fitted incomes may be off by more than they need be."
        found.append(finding("income-shortfall", message, place="start.incomes"))
    short = frame[frame["at_limit"] & ~frame["held_out"]]
    if len(short):
        first = short.iloc[0]
        message = (
            f"In {len(short):,} areas no start weights bring the fitted income to what is published: the survey has too few such "
            f"people among those whom the tables ask for (first: {first['area']}, {_amount(first['published'])} published, "
            f"{_amount(first['after'])} reached with a tilt of {LIMIT:g} standard deviations)."
        )
        found.append(finding("income-shortfall", message, place="start.incomes", count=len(short), rows=short))
    return tuple(found)


def said(told: Mapping[str, Any]) -> str:
    """One line of a target's facts."""
    kept = "kept back" if told["held_out"] else f"with areas left out {told['error_predicted']:.2f}"
    after = f"now {told['error_after']:.2f}; the figures' own errors alone make {told['noise']:.2f}"
    return (
        f"{told['incomes']}, {told['areas_published']:,} areas: {told['measure']} of the {told['column']} off by "
        f"{told['error_before']:.2f} {error_unit(told['measure'])} before, {kept}, {after}"
    )
