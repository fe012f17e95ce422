"""What a map of the report can show: measures by zone, each with its unit, kept as parts so that zones add up to larger areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.report.copied import copied_of
from synthpop_gb.report.words import said

__all__ = ["Measure", "first_shown", "measures"]

_MOST = 60
"""Measures offered on one page: every category of a dozen variables; more would only be scrolled past."""


@dataclass(frozen=True, eq=False)
class Measure:
    """One measure by zone: `scale` * top / bottom, or top alone.

    Attributes
    ----------
    group, label, unit : str
        Heading in the list, name, and unit with universe.
    top, bottom : (n_zones,) float64, bottom may be None
        Parts that add up over zones.
    scale : float
        100 for per cents.
    decimals : int
        Decimals to show.
    adds : bool
        Whether areas of several zones have the measure.
    """

    group: str
    label: str
    unit: str
    top: np.ndarray
    bottom: np.ndarray | None = None
    scale: float = 1.0
    decimals: int = 0
    adds: bool = True

    def values(self, area: np.ndarray | None = None, n_areas: int = 0) -> np.ndarray:
        """Values by zone, or by area where `area` (n_zones,) says in which area each zone lies, -1 in none; NaN = none."""
        top, bottom = self.top, self.bottom
        if area is not None:
            inside = area >= 0
            top = np.bincount(area[inside], np.nan_to_num(top[inside]), n_areas)
            bottom = None if bottom is None else np.bincount(area[inside], np.nan_to_num(bottom[inside]), n_areas)
        if bottom is None:
            return np.asarray(top, np.float64)
        return np.divide(self.scale * top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)


def measures(aligned: Aligned, checks: Checks, truth_unit: str = "% of people") -> list[Measure]:
    """Everything that can be mapped: fit, harmonising, what was not fitted, true error, every category fitted, donors."""
    zones = aligned.zones
    by_zone = checks["zones"].set_index("zone").reindex(zones)
    people = by_zone["people"].to_numpy(np.float64)
    reuse = copied_of(by_zone)
    different, copied = (by_zone[c].to_numpy(np.float64) for c in (reuse.effective, "largest_share"))
    out = [
        Measure("Fit", "Total absolute error", "people, over all tables", by_zone["tae"].to_numpy(np.float64)),
        *_settling(checks, by_zone),
        *_unfitted(checks, zones, people, truth_unit),
        *_categories(aligned, checks),
        Measure("People", "People", "people", people),
        Measure("People", f"Different {reuse.who}", "effective number of different donors", different, adds=False),
        Measure("People", "Most copied donor", "% of the zone’s people", copied * people, people, 100.0, 2, adds=False),
    ]
    return out[:_MOST]


def first_shown(offered: list[Measure]) -> int:
    """Position of the measure that the map opens with: the error where there is some, else one that was not fitted."""
    if np.nansum(offered[0].top) > 0:
        return 0
    wanted = ("True error", "Tables kept back", "Combinations")
    return next((i for group in wanted for i, m in enumerate(offered) if m.group == group), min(1, len(offered) - 1))


def _settling(checks: Checks, by_zone: pd.DataFrame) -> list[Measure]:
    """Measures of tables that disagreed; none where they all agreed."""
    left = checks["zone_fit"].groupby("zone", sort=False, observed=True)["floor"].sum()
    if not (left > 0).any():
        return []
    floor = left.reindex(by_zone.index).to_numpy(np.float64)
    above = by_zone["tae_above_floor"].to_numpy(np.float64)
    return [
        Measure("Fit", "Error above the floor", "people, against the tables as published", above),
        Measure("Fit", "Floor: tables that disagree", "people, left by settling tables that disagree", floor),
    ]


def _unfitted(checks: Checks, zones: pd.Index, people: np.ndarray, truth_unit: str) -> list[Measure]:
    """Held-out tables, pairs of variables, and true error where it is known."""
    out = []
    held = checks.tables.get("held_out_zones", pd.DataFrame())
    for name, rows in held.groupby("table", sort=False, observed=True) if len(held) else ():
        rows = rows.set_index("zone").reindex(zones)
        counted = rows["people"].to_numpy(np.float64)
        wrong = rows["wrong_whole"].to_numpy(np.float64) * counted / 100
        shown = f"Wrong cell of {said(name)}"
        out.append(Measure("Tables kept back", shown, "% of people in the wrong cell", wrong, counted, 100.0, 2))
    two_way = checks["zones"].set_index("zone").reindex(zones).get("two_way_rounding")
    if two_way is not None and two_way.notna().any():
        share = two_way.to_numpy(np.float64) * people / 100
        out.append(
            Measure(
                "Combinations", "Whole people against the fit", "% of people in another two-way cell", share, people, 100.0, 2
            )
        )
    points = "percentage points" if truth_unit.startswith("%") else truth_unit
    truth = checks.tables.get("true_error_zones", pd.DataFrame())
    for name, rows in truth.groupby("indicator", sort=False, observed=True) if len(truth) else ():
        rows = rows.set_index("zone").reindex(zones)
        counted = rows["people"].fillna(0.0).to_numpy(np.float64)
        for label, column, unit in ((f"{name}: estimate − truth", "error", points), (f"{name}: truth", "truth", truth_unit)):
            top = (rows[column] * counted).to_numpy(np.float64)
            out.append(Measure("True error", label, unit, top, counted, 1.0, 1))
    return out


def _categories(aligned: Aligned, checks: Checks) -> list[Measure]:
    """Share of every category of every constraint, as counted."""
    cells, out = checks["cell_fit"], []
    names = list(dict.fromkeys(cells["table"].astype(str)))
    for table, name in zip(aligned.constraints, names, strict=True):
        wide = cells[cells["table"] == name].pivot_table(
            index="zone", columns="cell", values="observed", sort=False, observed=True
        )
        wide = wide.reindex(aligned.zones)
        total = wide.sum(axis=1).to_numpy(np.float64)
        shown = " × ".join(table.variables).replace("_", " ")
        for label in wide:
            out.append(
                Measure(
                    shown.capitalize(),
                    str(label),
                    f"% of {table.universe.name}",
                    wide[label].to_numpy(np.float64),
                    total,
                    100.0,
                    1,
                )
            )
    return out
