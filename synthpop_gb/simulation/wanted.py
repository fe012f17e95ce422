"""What is asked of outcomes: each measure as a value of every record in every class of place, and what kind of number it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.figures import Kind
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.indicators import parse_condition
from synthpop_gb.policy import BASELINE, CHANGES, Outcomes

__all__ = ["MEASURES", "Value", "Wanted", "each_of", "measures_by_outcome", "wanted_of"]

MEASURES = (
    "share", "count", "mean", "total", "quantile", "poverty", "gini", "s80s20", "p90p10", "change", "total_change", "gainers",
    "losers",
)  # fmt: skip
"""What can be asked of an outcome; the last four of a reform beside the baseline."""

_CONDITIONAL, _OF_NUMBERS = ("share", "count"), ("quantile", "poverty", "gini", "s80s20", "p90p10")
_SAME = 1e-9  # of the larger of the two outcomes: what rounding leaves of no change


@dataclass(frozen=True, eq=False)
class Value:
    """A value of every record in every class of place, (n_classes, n_records) float64; binary : whether all are yes or no."""

    value: np.ndarray
    binary: bool

    @classmethod
    def of(cls, value: np.ndarray) -> Value:
        """Tell whether a value is yes or no."""
        return cls(value, bool(np.isin(value, (0.0, 1.0)).all()))


@dataclass(frozen=True, eq=False)
class Wanted:
    """One measure of one outcome under one scenario: `value` is averaged, added up, or told by its distribution."""

    scenario: str
    outcome: str
    measure: str
    value: np.ndarray
    kind: Kind


def measures_by_outcome(
    measures: str | Sequence[str] | Mapping[str, Sequence[str]], outcomes: Sequence[str], reforms: bool, problems: list[Finding]
) -> dict[str, tuple[str, ...]]:
    """Which measures are wanted of which outcome; what cannot be is added to `problems`."""
    if isinstance(measures, Mapping):
        given = {str(o): (m,) if isinstance(m, str) else tuple(m) for o, m in measures.items()}
        unknown = [o for o in given if o not in outcomes]
        problems += [_wrong(f"measures= names {o!r}, which is no outcome asked for.", "measures") for o in unknown]
        given = {o: given.get(o, ()) for o in outcomes}
    else:
        given = dict.fromkeys(outcomes, (measures,) if isinstance(measures, str) else tuple(measures))
    named = list(dict.fromkeys(m for of in given.values() for m in of))
    for measure in named:
        if measure not in MEASURES:
            problems.append(_wrong(f"there is no measure {measure!r}; there are {', '.join(MEASURES)}.", "measures"))
        elif measure in CHANGES and not reforms:
            problems.append(_wrong(f"{measure!r} is of a reform beside the baseline, and there is no reform.", "measures"))
    if not named:
        problems.append(_wrong("no measure is asked for.", "measures"))
    return {o: tuple(dict.fromkeys(of)) for o, of in given.items()}


def _wrong(message: str, place: str, remedy: str | None = None) -> Finding:
    return finding("study-value", message, place=place, remedy=remedy)


def values_of(outcomes: Outcomes, names: Sequence[str], aligned: Aligned, unit: str, problems: list[Finding]) -> dict[str, Value]:
    """Values of outcomes by name, and of conditions on them, (n_classes, n_records).

    Of households (`unit`) a household outcome is each household's, and a person's outcome is added up over its members.
    """
    found = {}
    for name in names:
        if name in outcomes.names:
            found[name] = Value.of(_of_unit(outcomes, name, aligned, unit))
            continue
        try:
            found[name] = Value(_met(name, outcomes, aligned, unit), True)
        except InputError as error:
            listed = f"{outcomes.model} gives {', '.join(outcomes.names)}; {name!r} is none of them, nor a condition on them"
            remedy = "Name an outcome, or write a condition such as 'net_income < 12000'."
            problems += [finding(f.code, f"{listed}: {f.message}", place=name, remedy=remedy) for f in error.findings]
    return found


def _met(text: str, outcomes: Outcomes, aligned: Aligned, unit: str) -> np.ndarray:
    """(n_classes, n_records): 1 where a condition on outcomes and the survey's columns is met."""
    values = {n: _of_unit(outcomes, n, aligned, unit) for n in outcomes.names if n in parse_condition(text).names}
    condition, frame = parse_condition(text), aligned.frame()
    variables = {n: v for n, v in aligned.survey.variables.items() if n not in outcomes.names}
    out = []
    for c in range(len(outcomes.places)):
        columns = {n: of_class[c] for n, of_class in values.items()} | {
            n: outcomes.places.classes[n].iloc[c] for n in outcomes.places.classes
        }
        out.append(condition.matches(frame.assign(**columns), variables))
    return np.array(out, dtype=np.float64)


def _of_unit(outcomes: Outcomes, name: str, aligned: Aligned, unit: str) -> np.ndarray:
    """(n_classes, n_records) an outcome; of households a person's is summed over the members, and stands on every one."""
    value = outcomes[name]
    if unit == "person" or outcomes.is_of_households(name):
        return value
    home, n = aligned.households.of_record, len(aligned.households.ids)
    return np.stack([np.bincount(home, row, n)[home] for row in value])


def wanted_of(
    outcomes: Mapping[str, Outcomes],
    measures: Mapping[str, tuple[str, ...]],
    aligned: Aligned,
    *,
    unit: str = "person",
    threshold: float = 0.0,
    problems: list[Finding],
) -> list[Wanted]:
    """Everything wanted, scenario by scenario, outcome by outcome; what cannot be is added to `problems`."""
    names, found, before = list(measures), [], {}
    for scenario, of in outcomes.items():
        values = values_of(of, names, aligned, unit, problems if scenario == BASELINE else [])
        before = before or values
        for name in (n for n in names if n in values):
            each = each_of(of, name, aligned, unit)
            for measure in measures[name]:
                if (scenario == BASELINE and measure in CHANGES) or measure not in MEASURES:
                    continue
                if wrong := _unfit(name, measure, values[name], scenario):
                    if scenario == BASELINE or not _unfit(name, measure, before[name], scenario):  # said already
                        problems.append(wrong)
                    continue
                value, kind = _value(measure, values[name], before.get(name, values[name]), each, threshold)
                found.append(Wanted(scenario, name, measure, value, kind))
    return found


def _unfit(name: str, measure: str, value: Value, scenario: str) -> Finding | None:
    """Say why a measure cannot be had of an outcome under a scenario."""
    what = repr(name) if scenario == BASELINE else f"{name!r} under {scenario!r}"
    if measure in _CONDITIONAL and not value.binary:
        return _wrong(
            f"a {measure} is of those who are something, and {what} is a number.",
            "measures",
            f"Ask for '{name} > 0', or for its mean.",
        )
    if measure in _OF_NUMBERS and value.binary and value.value.any():
        return _wrong(f"{measure} is of a number, and {what} is yes or no.", "measures", "Ask for its share.")
    return None


def each_of(outcomes: Outcomes, name: str, aligned: Aligned, unit: str = "person") -> np.ndarray | float:
    """Return what sums divide a value by: a household's outcome counts once, in equal parts on its members."""
    if unit == "household" or not outcomes.is_of_households(name):
        return 1.0
    return aligned.households.size[aligned.households.of_record].astype(np.float64)


def _value(measure: str, own: Value, before: Value, each, threshold: float) -> tuple[np.ndarray, Kind]:
    """Value to average or add up, and what kind of number comes out."""
    if measure in CHANGES:
        change = own.value - before.value
        if measure in ("gainers", "losers"):
            noise = np.fmax(threshold, _SAME * np.fmax(np.abs(own.value), np.abs(before.value)))
            moved = change > noise if measure == "gainers" else change < -noise
            return moved.astype(np.float64), Kind(share=True, least=0.0, most=1.0)
        return (change / each, Kind(adds=True)) if measure == "total_change" else (change, Kind())
    least = 0.0 if own.value.min(initial=0.0) >= 0 else None
    if measure in _CONDITIONAL:
        return own.value, Kind(measure == "count", measure == "share", 0.0, 1.0)
    if measure == "total":
        return own.value / each, Kind(adds=True, least=least)
    return own.value, Kind(least=least)
