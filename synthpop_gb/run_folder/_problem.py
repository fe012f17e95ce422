"""A problem as a NumPy archive that needs no pickle, and back. Only for surveys that may be copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.incidence import Incidence
from synthpop_gb.level import Level
from synthpop_gb.problem import Problem

__all__ = ["read_problem", "write_problem"]

_ARRAYS = ("start", "cell_of", "constraint_start", "targets", "zone_keys", "donor_start", "donor", "donor_weight")
_OPTIONAL = (
    "standard_error", "published", "stratum", "cluster", "guide_of", "guide_start", "guide_targets", "member_start", "member",
    "size", "communal", "tilt_of", "tilt",
)  # fmt: skip
_LEVEL = ("of_zone", "targets", "cell_of", "constraint_start")
_LEVEL_OPTIONAL = ("standard_error", "published")
_INCIDENCE = ("start", "cell", "count")


def write_problem(problem: Problem, path: Path) -> None:
    """Write a problem: arrays by name, labels beside them, levels under their number. Raises InputError (`output-locked`)."""
    held = {f"cells_{i}": problem.cells.get_level_values(i).to_numpy().astype(str) for i in range(problem.cells.nlevels)}
    if problem.guides is not None:
        held |= {f"guides_{i}": problem.guides.get_level_values(i).to_numpy().astype(str) for i in range(2)}
    held |= {name: getattr(problem, name) for name in (*_ARRAYS, *_OPTIONAL) if getattr(problem, name) is not None}
    held |= _incidence("", problem.incidence)
    for i, level in enumerate(problem.levels):
        held |= _level(f"level_{i}_", level)
    if problem.households is not None:
        held["households"] = _labels(problem.households)
        held["household_name"] = np.array(str(problem.households.name or ""))
    if problem.max_copies is not None:
        held["max_copies"] = np.array(float(problem.max_copies))
    names = np.array([str(n or "") for n in (problem.zones.name, problem.records.name, *problem.cells.names)])
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **held, zones=_labels(problem.zones), records=_labels(problem.records), names=names)


def _labels(index: pd.Index) -> np.ndarray:
    """Labels as numbers where they are whole numbers, else as text: what an archive holds without pickle."""
    return index.to_numpy(dtype=np.int64) if index.dtype.kind in "iu" else index.to_numpy().astype(str)


def _incidence(under: str, incidence: Incidence | None) -> dict[str, np.ndarray]:
    return {} if incidence is None else {f"{under}incidence_{name}": getattr(incidence, name) for name in _INCIDENCE}


def _level(under: str, level: Level) -> dict[str, np.ndarray]:
    held = {f"{under}{name}": getattr(level, name) for name in _LEVEL}
    held |= {f"{under}{name}": getattr(level, name) for name in _LEVEL_OPTIONAL if getattr(level, name) is not None}
    held |= {f"{under}cells_{i}": level.cells.get_level_values(i).to_numpy().astype(str) for i in range(2)}
    held |= {f"{under}areas": _labels(level.areas), f"{under}name": np.array([level.name, str(level.areas.name or "")])}
    return held | _incidence(under, level.incidence)


def read_problem(path: Path) -> Problem:
    """Read what `write_problem` wrote. Raises InputError (`unreadable-file`)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            zones, records, *levels = [str(n) or None for n in stored["names"]]
            cells = [stored[f"cells_{i}"].tolist() for i in range(len(levels))]
            return Problem(
                **{name: stored[name] for name in (*_ARRAYS, *(n for n in _OPTIONAL if n in stored))},
                zones=pd.Index(stored["zones"].tolist(), name=zones),
                records=pd.Index(stored["records"].tolist(), name=records),
                cells=pd.MultiIndex.from_arrays(cells, names=levels),
                guides=_guides(stored),
                incidence=_read_incidence("", stored, len(cells[0])),
                households=_read_households(stored),
                levels=tuple(_read_levels(stored)),
                max_copies=float(stored["max_copies"]) if "max_copies" in stored else None,
            )
    except (OSError, ValueError, KeyError) as error:
        raise InputError([finding("unreadable-file", f"{path} is not a problem's archive: {error}.", place=str(path))]) from None


def _guides(stored: Any) -> pd.MultiIndex | None:
    """Labels of the bins of distributions, where there are any."""
    if "guides_0" not in stored:
        return None
    return pd.MultiIndex.from_arrays([stored[f"guides_{i}"].tolist() for i in range(2)], names=["distribution", "bin"])


def _read_incidence(under: str, stored: Any, n_cells: int) -> Incidence | None:
    if f"{under}incidence_start" not in stored:
        return None
    return Incidence(*(stored[f"{under}incidence_{name}"] for name in _INCIDENCE), n_cells)


def _read_households(stored: Any) -> pd.Index | None:
    if "households" not in stored:
        return None
    return pd.Index(stored["households"].tolist(), name=str(stored["household_name"]) or None)


def _read_levels(stored: Any):
    number = 0
    while f"level_{number}_name" in stored:
        under = f"level_{number}_"
        name, of_areas = (str(n) for n in stored[f"{under}name"])
        cells = [stored[f"{under}cells_{i}"].tolist() for i in range(2)]
        yield Level(
            name=name,
            areas=pd.Index(stored[f"{under}areas"].tolist(), name=of_areas or None),
            cells=pd.MultiIndex.from_arrays(cells, names=["constraint", "category"]),
            incidence=_read_incidence(under, stored, len(cells[0])),
            **{n: stored[f"{under}{n}"] for n in (*_LEVEL, *_LEVEL_OPTIONAL) if f"{under}{n}" in stored},
        )
        number += 1
