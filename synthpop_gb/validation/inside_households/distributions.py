"""What no table says of households: who lives with whom, as counts by household and cell.

Each distribution is a sparse matrix, households by cells: how many of the household, of its couples, of its parents and children,
or of its people fall in each cell. The same function describes the survey and true people, so that a population, whose households
are copies, is the survey's matrix times its counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.inside_households.view import View, works

__all__ = ["Distribution", "couples", "describe", "together"]

ADULT = 16
"""Age from which somebody is called an adult, in years."""

_SIZES = ("1 person", "2 people", "3 people", "4 people", "5 people", "6+ people")
_CHILDREN = ("no children", "1 child", "2 children", "3 children", "4+ children")
_ADULTS = ("no adult", "1 adult", "2 adults", "3 adults", "4+ adults")
_WORKERS = ("none in work", "1 in work", "2 in work", "3+ in work")
_BANDS = ("0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+")
_BAND_EDGES = (16, 25, 35, 45, 55, 65, 75)
_GAPS = ("10+ younger", "6-9 younger", "3-5 younger", "0-2 younger", "1-2 older", "3-5 older", "6-9 older", "10+ older")
_GAP_EDGES = (-9, -5, -2, 1, 3, 6, 10)
_PARENT = ("under 16", "16-19", "20-24", "25-29", "30-34", "35-39", "40-44", "45+")
_PARENT_EDGES = (16, 20, 25, 30, 35, 40, 45)


@dataclass(frozen=True, eq=False)
class Distribution:
    """One distribution: its name, what is counted, labels of its cells, and the counts.

    cell, of : (n_entries,) cell and household of everything counted once.
    """

    name: str
    unit: str
    labels: tuple[str, ...]
    cell: np.ndarray
    of: np.ndarray

    def matrix(self, n_units: int):
        """Return the counts as scipy.sparse.csr_array (n_units, n_cells)."""
        from scipy.sparse import csr_array

        shape = (n_units, len(self.labels))
        return csr_array((np.ones(len(self.cell)), (self.of, self.cell)), shape=shape)


def describe(view: View) -> tuple[list[Distribution], dict[str, str]]:
    """Count everything that can be known of these households.

    Returns
    -------
    (distributions, left out)
        left out: name of what could not be described = why.
    """
    made, missing = [], {}
    units, size = np.flatnonzero(view.size > 0), view.size
    top = np.minimum(size, len(_SIZES))[units] - 1
    kind = _composition(view)
    by_unit = {"size": (_SIZES, top)}
    if kind is not None:
        by_unit["composition"] = (kind[0], kind[1][units])
    if "tenure" in view.labels:
        labels, code = _coded(view.labels["tenure"][view.reference[units]])
        by_unit["tenure"] = (labels, code)
    if view.years is not None:
        ages = np.searchsorted(_BAND_EDGES, view.years, side="right")
        ages = np.where(np.isfinite(view.years), ages, -1)
        by_unit["age of reference"] = (_BANDS, ages[view.reference[units]])
        young = np.bincount(view.unit, view.years < ADULT, view.n_units).astype(np.int64)
        by_unit["children"] = (_CHILDREN, np.minimum(young, 4)[units])
        grown = np.minimum(np.bincount(view.unit, view.years >= ADULT, view.n_units).astype(np.int64), 4)
        by_unit["adults"] = (_ADULTS, grown[units])
    if "activity" in view.labels:
        working = np.array([works(v) for v in view.labels["activity"]], bool)
        by_unit["workers"] = (
            _WORKERS,
            np.minimum(np.bincount(view.unit, working, view.n_units), 3)[units].astype(int),
        )
    asked = (
        ("size", "composition"),
        ("age of reference", "size"),
        ("children",),
        ("tenure", "composition"),
        ("adults", "workers"),
    )
    for names in asked:
        absent = [n for n in names if n not in by_unit]
        if absent:
            missing[" x ".join(names)] = f"nothing says the {absent[0]}"
        else:
            made.append(_crossed(" x ".join(names), "households", [by_unit[n] for n in names], units))
    if kind is not None and view.years is not None:
        whose = (kind[0], kind[1][view.unit])
        made.append(_crossed("people: age x composition", "people", [(_BANDS, ages), whose], view.unit))
    _related(view, made, missing)
    return made, missing


def together(left: Sequence[Distribution], right: Sequence[Distribution]) -> list[tuple[Distribution, Distribution]]:
    """Bring distributions of two sources to common cells, by name: labels of either, in the first's order."""
    there = {d.name: d for d in right}
    out = []
    for one in left:
        if one.name in there:
            other = there[one.name]
            labels = tuple(dict.fromkeys([*one.labels, *other.labels]))
            at = {x: i for i, x in enumerate(labels)}
            move = np.array([at[x] for x in other.labels] or [0])
            out.append((
                Distribution(one.name, one.unit, labels, one.cell, one.of),
                Distribution(one.name, one.unit, labels, move[other.cell] if len(other.cell) else other.cell, other.of),
            ))  # fmt: skip
    return out


def couples(view: View) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows of both members of each couple: reference and partner by role, else who points to whom; None where nobody says."""
    if view.role is not None:
        partner = np.full(view.n_units, -1, np.int64)
        rows = np.flatnonzero(view.role == 1)[::-1]
        partner[view.unit[rows]] = rows
        has = (partner >= 0) & (view.reference >= 0)
        return view.reference[has], partner[has]
    if view.partner is None:
        return None
    rows = np.flatnonzero(view.partner > np.arange(len(view.unit)))
    return rows, view.partner[rows]


def _related(view: View, made: list[Distribution], missing: dict[str, str]) -> None:
    """Add partners, and references with their children."""
    pairs = couples(view)
    names = ("partners: ages", "partners: age gap", "partners: ethnic groups")
    if pairs is None:
        missing |= dict.fromkeys((*names, "reference and child: age gap"), "nothing says how members are related")
        return
    first, second = pairs
    home = view.unit[first]
    if view.years is None:
        missing |= dict.fromkeys((*names[:2], "reference and child: age gap"), "ages are not in years")
    else:
        bands = np.searchsorted(_BAND_EDGES, view.years, side="right")
        made.append(_crossed(names[0], "couples", [(_BANDS, bands[first]), (_BANDS, bands[second])], home))
        gap = view.years[second] - view.years[first]
        made.append(_crossed(names[1], "couples", [(_GAPS, np.searchsorted(_GAP_EDGES, gap, side="right"))], home))
        if view.role is not None:
            child = np.flatnonzero(view.role == 2)
            older = view.years[view.reference[view.unit[child]]] - view.years[child]
            made.append(_crossed("reference and child: age gap", "parents and children",
                                 [(_PARENT, np.searchsorted(_PARENT_EDGES, older, side="right"))], view.unit[child]))  # fmt: skip
        else:
            missing["reference and child: age gap"] = "nothing says who is whose child"
    if "ethnic_group" in view.labels:
        labels, code = _coded(view.labels["ethnic_group"])
        made.append(_crossed(names[2], "couples", [(labels, code[first]), (labels, code[second])], home))
    else:
        missing[names[2]] = "nothing says the ethnic group"


def _composition(view: View) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Labels and code of every household's composition: as the survey says it, else adults and children by age."""
    if "composition" in view.labels:
        labels, code = _coded(view.labels["composition"])
        return labels, np.where(view.reference >= 0, code[np.maximum(view.reference, 0)], -1)
    if view.years is None:
        return None
    grown = np.minimum(np.bincount(view.unit, view.years >= ADULT, view.n_units).astype(np.int64), 3)
    young = np.bincount(view.unit, view.years < ADULT, view.n_units) > 0
    labels = tuple(f"{n}{c}" for n in ("no adult", "1 adult", "2 adults", "3+ adults") for c in ("", ", with children"))
    return labels, grown * 2 + young


def _coded(values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Sorted labels, and the number of each value; -1 where it is missing."""
    labels = tuple(sorted({str(v) for v in values[np.array([v is not None for v in values], bool)]})) if len(values) else ()
    at = {x: i for i, x in enumerate(labels)}
    return labels, np.array([-1 if v is None else at[str(v)] for v in values], np.int64)


def _crossed(name: str, unit: str, parts: Sequence[tuple[Sequence[str], np.ndarray]], of: np.ndarray) -> Distribution:
    """Cross some codes; what lacks one of them is left out."""
    cell, known, labels = np.zeros(len(of), np.int64), np.ones(len(of), bool), [""]
    for names, code in parts:
        cell = cell * len(names) + code
        known &= code >= 0
        labels = [f"{a} x {b}" if a else b for a in labels for b in names]
    return Distribution(name, unit, tuple(labels), cell[known], np.asarray(of)[known])
