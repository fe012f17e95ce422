"""Tables of the areas that zones lie in, counted over all their zones; and areas found by code or name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedLevel
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.explanation.causes import Cause
from synthpop_gb.validation.explanation.counted import MISSED, unit_word
from synthpop_gb.validation.explanation.words import amount, cell_words, listed

__all__ = ["LEVEL_COLUMNS", "Place", "area_causes", "bound_with", "find_area", "find_zone", "level_frame"]

LEVEL_COLUMNS = ("level", "area", "table", "cell", "unit", "published", "target", "observed", "error", "missed")


@dataclass(frozen=True, eq=False)
class Place:
    """What is explained: code, name, level ('zone', or a parent level), and its zones (codes)."""

    code: str
    name: str
    level: str
    zones: pd.Index


def find_zone(aligned: Aligned, asked: str) -> Place:
    """Find a zone by code or, whatever its case, by name. Raises InputError `unknown-zone`, with the nearest code or name."""
    zones = aligned.geography.zones
    names = zones["name"].astype(str) if "name" in zones else pd.Series("", zones.index)
    codes = aligned.zones.astype(str)
    by_code = np.flatnonzero(codes == str(asked))
    where = by_code if len(by_code) else np.flatnonzero((names.str.casefold() == str(asked).strip().casefold()).to_numpy())
    if len(where) != 1:
        _refuse(str(asked), "zone", codes[where], [*codes, *names])
    return Place(str(codes[where[0]]), names.iloc[where[0]], "zone", aligned.zones[where])


def find_area(aligned: Aligned, asked: str) -> Place:
    """Find an area of a parent level by code or name, the finest level first. Raises InputError `unknown-zone`."""
    zones, known = aligned.geography.zones, []
    for level in aligned.geography.parents:
        code = zones[level].astype(str).where(zones[level].notna(), "")
        name = zones[f"{level}_name"].astype(str) if f"{level}_name" in zones else code
        known += [*code.unique(), *name.unique()]
        inside = (code == str(asked)).to_numpy()
        if not inside.any():
            inside = (name.str.casefold() == str(asked).strip().casefold()).to_numpy()
        found = code[inside].unique()
        if len(found) > 1:
            _refuse(str(asked), level, pd.Index(found), known)
        if len(found):
            label = name[inside].iloc[0]
            return Place(str(found[0]), "" if label == found[0] else label, level, aligned.zones[inside])
    return _refuse(str(asked), "area", pd.Index([]), known)


def _refuse(asked: str, kind: str, found: pd.Index, known: list[str]):
    """Raise the finding about a place that is not there, or is there several times."""
    import difflib

    if len(found):
        message = f"{len(found):,} places are called {asked!r}: {listed(found, 5)}."
        remedy = "Give the code of one of them."
        raise InputError([finding("unknown-zone", message, place=asked, count=len(found), level="error", remedy=remedy)])
    lower = {str(k).casefold(): str(k) for k in reversed(known) if str(k)}
    near = difflib.get_close_matches(asked.casefold(), lower, n=1, cutoff=0.6)
    message = f"No {kind} of this run has the code or name {asked!r}." + (f" Did you mean {lower[near[0]]!r}?" if near else "")
    why = "Only places of the run's study area can be explained."
    remedy = "Give a code or a name from the lookup."
    raise InputError([finding("unknown-zone", message, place=asked, level="error", why=why, remedy=remedy)])


def bound_with(aligned: Aligned, zones: pd.Index) -> pd.Index:
    """Return these zones first, then every other zone that some level's table binds to one of them."""
    at = aligned.zones.get_indexer(zones)
    mine = np.zeros(len(aligned.zones), bool)
    for level in aligned.levels:
        areas = np.unique(level.of_zone[at])
        mine |= np.isin(level.of_zone, areas[areas >= 0])
    mine[at] = False
    return zones.append(aligned.zones[mine])


def level_frame(aligned: Aligned, placed: DonorCounts, zones: pd.Index) -> pd.DataFrame:
    """One row a cell of every table of the areas that some zones lie in; columns `LEVEL_COLUMNS`.

    placed : donors of at least all zones that these areas hold (`bound_with`).
    """
    rows = [frame for level in aligned.levels for frame in _of_level(aligned, level, placed, zones)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=list(LEVEL_COLUMNS))


def _of_level(aligned: Aligned, level: AlignedLevel, placed: DonorCounts, zones: pd.Index) -> list[pd.DataFrame]:
    at = level.of_zone[aligned.zones.get_indexer(zones)]
    areas = np.unique(at[at >= 0])
    of_row = level.of_zone[aligned.zones.get_indexer(placed.zones)]
    area = np.repeat(of_row, np.diff(placed.indptr))
    frames = []
    for table in level.constraints:
        cell, width = table.record_cell[placed.record], table.targets.shape[1]
        inside = (cell >= 0) & (area >= 0)
        observed = np.zeros((len(level.areas), width))
        np.add.at(observed, (area[inside], cell[inside]), placed.n[inside])
        target, published = table.targets.to_numpy(np.float64), table.published.to_numpy(np.float64)
        for a in areas:
            error = observed[a] - target[a]
            columns = (level.name, str(level.areas[a]), table.name, table.cell_labels, unit_word(table), published[a], target[a],
                       observed[a], error, np.abs(error) >= MISSED)  # fmt: skip
            frames.append(pd.DataFrame(dict(zip(LEVEL_COLUMNS, columns, strict=True))))
    return frames


def area_causes(levels: pd.DataFrame) -> list[Cause]:
    """Tables of areas that their zones miss together: one cause an area and table."""
    found = []
    for (level, area, table), rows in levels[levels["missed"].astype(bool)].groupby(["level", "area", "table"], sort=False):
        worst = rows.loc[rows["error"].abs().idxmax()]
        over, unit = float(worst["error"]), str(worst["unit"])
        way = "too many" if over > 0 else "too few"
        many = f"{len(rows):,} cells are off; most: " if len(rows) > 1 else ""
        words = (
            f"The {level} {area} has a table of its own, {cell_words(table)}: {many}{cell_words(table, worst['cell'])}, "
            f"{amount(abs(over), unit)} {way} over its zones together."
        )
        remedy = f"See whether {cell_words(table)} of the {level} and the zones' own tables are of the same people and year."
        found.append(Cause("area's table", str(table), str(worst["cell"]), abs(over), unit, words, remedy))
    return found
