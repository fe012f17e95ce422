"""What is relative to everybody: poverty lines and groups by decile, taken of the projected people and never of the donors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.indicators.group_sums import by_class
from synthpop_gb.indicators.question import Asked
from synthpop_gb.policy import BASELINE, PovertyLine
from synthpop_gb.population import Population
from synthpop_gb.simulation.distributed import Distributed, fitted_rows, replicate_rows

__all__ = ["Finer", "Lines", "PARTS", "in_parts", "lines_of", "parts_named"]

PARTS = {"tenths": 10, "deciles": 10, "fifths": 5, "quintiles": 5, "quarters": 4, "quartiles": 4, "halves": 2}
"""Words that divide everybody by an outcome, in `by`: 'deciles of net_income'."""


def parts_named(name: str) -> tuple[int, str] | None:
    """Tell into how many parts, by which outcome, a name of groups divides everybody; None where it does not.

    >>> parts_named("deciles of net_income"), parts_named("sex")
    ((10, 'net_income'), None)
    """
    found = re.fullmatch(rf"({'|'.join(PARTS)}) of (.+)", str(name).strip())
    return (PARTS[found[1]], found[2].strip()) if found else None


def everybody(asked: Asked, area: np.ndarray, areas: pd.Index) -> Asked:
    """All who stand for what is asked about, without groups, in other areas."""
    group = np.where(asked.everybody, 0, -1).astype(np.int32)
    return Asked(asked.everybody, group, pd.Index([""], name="group"), area, areas, asked.everybody, asked.of_zone)


def _study(asked: Asked) -> Asked:
    """Everybody in the whole study area."""
    return everybody(asked, np.zeros(len(asked.area), np.int64), pd.Index(["all"], name="all"))


def in_parts(asked: Asked, population: Population, value: np.ndarray, name: str, parts: int) -> Asked:
    """Divide everybody into parts of equal size by a value, and cross the groups with them.

    Parts are of the projected people of the whole study area, 1 = the lowest; all who have the same value are in the lower part.

    value : (n_classes, n_records).
    """
    levels = np.arange(1, parts) / parts
    cuts = Distributed(_study(asked), population.problem, value).told(fitted_rows(population), levels).quantile[0, 0]
    own = np.searchsorted(cuts, value, side="left")
    group = by_class(asked.group, len(value))
    code = np.where(group >= 0, group * parts + own, -1)
    present = np.unique(code[code >= 0])
    found = np.where(code >= 0, np.searchsorted(present, code), -1).astype(np.int32)
    levels_before = asked.groups.names if isinstance(asked.groups, pd.MultiIndex) else []
    labels = [asked.groups.get_level_values(n)[present // parts] for n in levels_before]
    groups = pd.MultiIndex.from_arrays([*labels, present % parts + 1], names=[*levels_before, name])
    base = found >= 0
    return replace(asked, base=base if len(value) > 1 else base[0], group=found if len(value) > 1 else found[0], groups=groups)


@dataclass(frozen=True, eq=False)
class Finer:
    """Classes of place divided further by a parent level, so that each has one poverty line.

    of_zone : (n_zones,) int32 finer class; before : (n_finer,) the class that each is part of; parent : (n_finer,) its parent.
    """

    of_zone: np.ndarray
    before: np.ndarray
    parent: np.ndarray

    @classmethod
    def of(cls, of_zone: np.ndarray, parent: np.ndarray) -> Finer:
        """Divide them. parent : (n_zones,) int64, -1 = none."""
        distinct, number = np.unique(np.stack([of_zone, parent]), axis=1, return_inverse=True)
        return cls(number.reshape(-1).astype(np.int32), distinct[0], distinct[1])


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
