"""Policy simulations on the page: tidy figures of scenarios, outcomes and measures turned into what the map can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.explorer.offered import EVERYBODY
from synthpop_gb.explorer.packing import Store, pack_figures
from synthpop_gb.indicators import FEW_DONORS
from synthpop_gb.indicators.tabulated import CLASSES, WITHHELD, Figures, Level
from synthpop_gb.policy import CHANGES, SHARES

__all__ = ["SimulationItem", "simulation_items"]

_SAID = {
    "share": "share with {}", "count": "people with {}", "mean": "mean {}", "total": "total {}", "quantile": "median {}",
    "poverty": "people poor by {}", "gini": "Gini of {}", "s80s20": "S80/S20 of {}", "p90p10": "P90/P10 of {}",
    "change": "mean change of {}", "total_change": "total change of {}", "gainers": "people whose {} rises",
    "losers": "people whose {} falls",
}  # fmt: skip
_UNITLESS = {"gini": "index from 0 to 1", "s80s20": "ratio", "p90p10": "ratio"}
_STANDARD = {
    "scenario", "outcome", "measure", "unit", "where", "all", "estimate", "standard_error", "lower", "upper", "counted", "people",
    "replicate_error", "finite_error", "model_error", "n_eff", "donors", "largest_donor", "reliability", "by",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class SimulationItem:
    """One measure of one outcome of a simulation, all scenarios: `frame` has the columns of `Simulation.frame`."""

    simulation: str
    outcome: str
    measure: str
    unit: str
    whom: str
    coverage: float
    frame: pd.DataFrame
    places: tuple[str, ...]
    shown: bool
    where: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)

    def packed(self, store: Store, levels: Sequence[Level]) -> dict:
        """Put its figures into the store; returns the page's description of it."""
        scenarios = list(dict.fromkeys(self.frame["scenario"].astype(str)))
        groups = [g for g in self.frame.columns if g not in _STANDARD and g not in self.places]
        frame = self.frame.assign(_level=_finest(self.frame, self.places, levels), _group=_grouped(self.frame, groups))
        named = list(dict.fromkeys([("", EVERYBODY), *frame["_group"]]))
        out: dict = {}
        for k, place in enumerate(levels):
            mine = frame[frame["_level"] == k]
            if mine.empty:
                continue
            codes = place.areas.astype(str)
            mine = mine.assign(_area=codes.get_indexer(mine[place.name].astype(str)))
            out[str(k)] = {s: self._sets(store, mine[mine["scenario"].astype(str) == s], named, len(codes)) for s in scenarios}
            out[str(k)] = {s: sets for s, sets in out[str(k)].items() if sets}
        return {
            "name": f"{self.simulation}: {self.measure} of {self.outcome}" + (f", {self.where}" if self.where else ""),
            "domain": f"Simulation: {self.simulation}",
            "title": self.title, "columns": [self.title], "whom": self.whom, "of": "people", "census": None,
            "kind": "share" if self.measure in SHARES else "mean", "unit": self.unit,
            "change": self.measure in CHANGES and self.measure not in SHARES,  # has two directions
            "scenarioTitles": [str(self.titles.get(s) or s) for s in scenarios],
            "adds": self.measure in ("count", "total", "total_change"), "scenarios": scenarios, "coverage": self.coverage,
            "groups": [list(g) for g in named], "levels": out,
        }  # fmt: skip

    @property
    def title(self) -> str:
        """Heading: 'Mean change of net income'."""
        text = _SAID.get(self.measure, f"{self.measure} of {{}}").format(self.outcome.replace("_", " "))
        return text[:1].upper() + text[1:] + (f", where {self.where}" if self.where else "")

    def _sets(self, store: Store, rows: pd.DataFrame, named: list, n_areas: int) -> dict:
        """Figures of one level and scenario, an array a set of groups."""
        sets = {}
        for variable in dict.fromkeys(v for v, _ in named):
            labels = [g for g in named if g[0] == variable]
            mine = rows[rows["_group"].isin(labels) & (rows["_area"] >= 0)]
            if mine.empty:
                continue
            at = mine["_group"].map(labels.index).to_numpy(), mine["_area"].to_numpy()
            found = self._figures(mine, at, (len(labels), n_areas))
            donors = found.donors if self.shown else np.where(found.donors < FEW_DONORS, 0, found.donors)
            people = np.round(np.maximum(np.nan_to_num(found.people), 0.0)).astype(np.int64)
            sets[variable] = pack_figures(store, found, range(len(labels))) | {"who": store.put((people, 4), (donors, 4))}
        return sets

    def _figures(self, rows: pd.DataFrame, at, shape) -> Figures:
        def spread(values, empty, kind=np.float64):
            out = np.full(shape, empty, kind)
            out[at] = values
            return out

        estimate = rows["estimate"].to_numpy(np.float64)
        codes = rows["reliability"].astype(str).map({c: i for i, c in enumerate(CLASSES)}).fillna(len(CLASSES) - 1)
        held = np.isnan(estimate) & (rows["people"].to_numpy(np.float64) > 0)
        codes = np.where(held, WITHHELD, codes)
        above, below = rows["upper"].to_numpy(np.float64) - estimate, estimate - rows["lower"].to_numpy(np.float64)
        found = Figures(
            spread(estimate, np.nan)[:, None], spread(np.maximum(above, 0.0), np.nan)[:, None],
            spread(codes, len(CLASSES) - 1, np.uint8)[:, None], spread(rows["people"], 0.0),
            spread(rows["donors"].fillna(0), 0, np.int64), spread(np.maximum(below, 0.0), np.nan)[:, None],
        )  # fmt: skip
        return found if self.shown else found.withheld()


def simulation_items(
    name: str, frame: pd.DataFrame, levels: Sequence[Level], *, facts: Mapping | None = None, shown: bool = True
) -> list[SimulationItem]:
    """Divide a simulation's figures into what can be chosen on the page.

    Parameters
    ----------
    name : str
        Heading of the simulation.
    frame : pandas.DataFrame
        Columns scenario, outcome, measure; where there are such, unit and where (of whom); areas (one column a level; of several
        the finest that a row has counts), groups, then those of `Indicators.frame`.
    levels : sequence of Level
        Of the page; rows of other levels are left out.
    facts : mapping, optional
        'units' by outcome, 'whom', 'level', 'titles' by scenario.
    shown : bool
        Whether the survey is open; otherwise figures that fewer than ten records stand behind are withheld here too.
    """
    facts = facts or {}
    places = tuple(level.name for level in levels if level.name in frame.columns)
    units = facts.get("units") if isinstance(facts.get("units"), Mapping) else {}
    titles = facts.get("titles") if isinstance(facts.get("titles"), Mapping) else {}
    whom, coverage = str(facts.get("whom", "people")), facts.get("level", 0.9)
    coverage = float(coverage) if isinstance(coverage, int | float) and 0 < coverage < 1 else 0.9
    if not places:
        return []
    frame = frame.assign(where=_text(frame, "where"), unit=_text(frame, "unit"))
    out = []
    for (outcome, measure, where), mine in frame.groupby(["outcome", "measure", "where"], sort=False, observed=True):
        said = str(mine["unit"].iloc[0])
        unit = _UNITLESS.get(str(measure)) or said or ("people" if measure == "count" else str(units.get(outcome, "")))
        of = said.removeprefix("share of ") if said.startswith("share of ") else f"people, where {where}" if where else whom
        out.append(SimulationItem(name, str(outcome), str(measure), unit, of, coverage, mine, places, shown, str(where), titles))
    return out


def _text(frame: pd.DataFrame, column: str) -> pd.Series | str:
    """Return a column of words, '' where there is none."""
    return frame[column].astype(object).where(frame[column].notna(), "").astype(str) if column in frame else ""


def _finest(frame: pd.DataFrame, places: Sequence[str], levels: Sequence[Level]) -> np.ndarray:
    """Position of the finest level that each row has an area of; -1 = none."""
    out = np.full(len(frame), -1)
    for k in reversed(range(len(levels))):
        if levels[k].name in places:
            out[frame[levels[k].name].notna().to_numpy()] = k
    return out


def _grouped(frame: pd.DataFrame, groups: Sequence[str]) -> list[tuple[str, str]]:
    """Each row's group: its variables and their categories, as texts; everybody where it has none."""
    if not groups:
        return [("", EVERYBODY)] * len(frame)
    values = frame[list(groups)].astype(object).to_numpy()
    out = []
    for row in values:
        there = [(g, str(v)) for g, v in zip(groups, row, strict=True) if v is not None and v == v and str(v) != ""]
        out.append((" x ".join(g for g, _ in there), ", ".join(v for _, v in there)) if there else ("", EVERYBODY))
    return out
