"""Poverty lines of the projected people: of the fit and of each replicate, for the whole study area or each parent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, finding
from synthpop_gb.indicators.question import Asked
from synthpop_gb.policy import BASELINE, Places, PovertyLine
from synthpop_gb.population import Population
from synthpop_gb.simulation.distributed import Distributed, fitted_rows, replicate_rows
from synthpop_gb.simulation.wanted import Wanted

__all__ = ["Lines", "line_problems", "lines_of", "lines_said", "parents_of", "poverty_lines"]


@dataclass(frozen=True, eq=False)
class Lines:
    """Poverty lines of one outcome under one scenario, by class of place: of the fit, and of each replicate."""

    fit: np.ndarray
    drawn: tuple[np.ndarray, ...]

    def poor(self, value: np.ndarray) -> np.ndarray:
        """(n_classes, n_records): 1 below the line. value : (n_classes, n_records)."""
        return (value < self.fit[:, None]).astype(np.float64)

    def poor_in(self, value: np.ndarray) -> Callable[[int], np.ndarray]:
        """Return, from a replicate's place, who is poor in it; the last is remembered."""
        last: dict[int, np.ndarray] = {}

        def poor(place: int) -> np.ndarray:
            if place not in last:
                last.clear()
                last[place] = (value < self.drawn[place][:, None]).astype(np.float64)
            return last[place]

        return poor


def lines_of(
    line: PovertyLine,
    asked: Asked,
    population: Population,
    values: Mapping[str, np.ndarray],
    aligned: Aligned,
    parent: np.ndarray,
) -> dict[str, Lines]:
    """Find poverty lines of an outcome, by scenario.

    values : (n_classes, n_records) by scenario, the baseline's among them; parent : (n_classes,) parent of each class, all nought
    for one line.
    """
    n_drawn = len(population.replicates)
    if line.amount is not None:
        fixed = np.full(len(parent), float(line.amount))
        return dict.fromkeys(values, Lines(fixed, (fixed,) * n_drawn))
    if line.of == "all":
        whole = _study(asked)
    else:
        area, areas = pd.factorize(aligned.geography.zones[line.of])
        whole = everybody(asked, area.astype(np.int64), pd.Index(areas, name=line.of))
    found, half = {}, np.array([0.5])
    for scenario, value in values.items():
        if scenario != BASELINE and not line.moving:
            found[scenario] = found[BASELINE]
            continue
        told = Distributed(whole, population.problem, value)
        medians = [told.told(fitted_rows(population), half)]
        for place in range(n_drawn):
            rows, share = replicate_rows(population, place)
            medians.append(told.told(rows, half, share=share))
        lines = [line.share * np.where(m.people[:, 0] > 0, m.quantile[:, 0, 0], np.nan) for m in medians]
        by = [np.where(parent >= 0, of[parent], np.nan) for of in lines]
        found[scenario] = Lines(by[0], tuple(by[1:]))
    return found


def everybody(asked: Asked, area: np.ndarray, areas: pd.Index) -> Asked:
    """All who stand for what is asked about, without groups, in other areas."""
    group = np.where(asked.everybody, 0, -1).astype(np.int32)
    return Asked(asked.everybody, group, pd.Index([""], name="group"), area, areas, asked.everybody, asked.of_zone)


def _study(asked: Asked) -> Asked:
    """Everybody in the whole study area."""
    return everybody(asked, np.zeros(len(asked.area), np.int64), pd.Index(["all"], name="all"))


def poverty_lines(
    wanted: list[Wanted], line: PovertyLine, asked: Asked, population, aligned: Aligned, parent: np.ndarray
) -> dict[tuple[str, str], Lines]:
    """Lines of every outcome whose poverty is asked for, by scenario and outcome."""
    out = {}
    for outcome in dict.fromkeys(w.outcome for w in wanted if w.measure == "poverty"):
        values = {w.scenario: w.value for w in wanted if w.outcome == outcome and w.measure == "poverty"}
        found = lines_of(line, asked, population, values, aligned, parent)
        out |= {(scenario, outcome): of for scenario, of in found.items()}
    return out


def parents_of(line: PovertyLine, places: Places, aligned: Aligned) -> np.ndarray:
    """(n_classes,) parent of each class of place at the line's level, all nought for one line; -1 = none."""
    if line.amount is not None or line.of not in places.classes.columns:
        return np.zeros(len(places), np.int64)
    areas = pd.Index(pd.factorize(aligned.geography.zones[line.of])[1]).astype(str)
    return areas.get_indexer(places.classes[line.of].astype(str)).astype(np.int64)


def line_problems(line: PovertyLine, aligned: Aligned) -> list[Finding]:
    """`study-reference` for a line of a level that the study has not."""
    levels = ("all", *aligned.geography.parents)
    if line.amount is not None or line.of in levels:
        return []
    message = f"the poverty line is of the level {line.of!r}; there are {', '.join(levels)}."
    return [finding("study-reference", message, place="line", remedy="Name one of them.")]


def lines_said(line: PovertyLine, lines: Mapping[tuple[str, str], Lines], *, rounded: bool) -> dict[str, Any]:
    """Say the poverty line in words, and the amounts that it came to, by scenario and outcome.

    rounded : to three figures, since a median is some record's answer.
    """
    if not lines:
        return {}
    amounts = {f"{s}: {o}": sorted({float(v) for v in found.fit if np.isfinite(v)}) for (s, o), found in lines.items()}
    if rounded:
        amounts = {key: [float(f"{v:.3g}") for v in values] for key, values in amounts.items()}
    return {"in words": str(line), "amounts": amounts}
