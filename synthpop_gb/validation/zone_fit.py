"""Do the people meet the tables: every cell, table, zone and parent, as tidy frames."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.indicators import UNITS
from synthpop_gb.validation import metrics
from synthpop_gb.validation.noise import noise_measures
from synthpop_gb.validation.registry import METRICS

__all__ = ["CountedTable", "cell_fit", "parent_fit", "row_measures", "table_fit", "zone_fit"]

_OWN = frozenset(METRICS)  # metrics of this package: the frames have columns for those that say something there
_PARENT_COLUMNS = (
    "level", "parent", "table", "zones", "people", "observed", "tae", "tae_published", "floor", "tae_above_floor", "sae", "srmse",
    "r2", "max_z", "rssz", "nonfitting_cells", "fits",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class CountedTable:
    """One constraint, counted: zones by cells of targets, published counts, and people found.

    Attributes
    ----------
    name : str
        Name of the constraint: its variables.
    labels : list of str
        Labels of its cells.
    expected : numpy.ndarray
        (n_zones, n_cells) float64 settled targets.
    published : numpy.ndarray
        (n_zones, n_cells) float64 counts before settling.
    observed : numpy.ndarray
        (n_zones, n_cells) int64 people counted.
    error : numpy.ndarray, optional
        (n_cells,) or (n_zones, n_cells) float64 standard errors of the published counts, persons; None where they are exact.
    unit : str
        What it counts: 'person' or 'household'.
    """

    name: str
    labels: list[str]
    expected: np.ndarray
    published: np.ndarray
    observed: np.ndarray
    error: np.ndarray | None = None
    unit: str = "person"


def _extra(per_zone: bool) -> dict:
    """Metrics that somebody else registered: those that take `axis` also run by zone."""
    mine = {name: f for name, f in METRICS.items() if name not in _OWN and f.per == "table"}
    return {n: f for n, f in mine.items() if "axis" in inspect.signature(f).parameters} if per_zone else mine


def row_measures(observed, expected, published=None) -> dict[str, np.ndarray]:
    """Columns of every frame that has one row a zone or parent: one table, rows of cells.

    Parameters
    ----------
    observed, expected, published : (n_rows, n_cells) array-like
        People counted, targets, and published counts; without `published` the columns about the floor are left out.

    Returns
    -------
    dict of str to (n_rows,) numpy.ndarray
        people, observed, tae, [tae_published, floor, tae_above_floor,] sae, srmse, r2, max_z, rssz, nonfitting_cells, fits, and
        every registered metric that takes `axis`.
    """
    scores = np.abs(metrics.z_modified(observed, expected, axis=1))
    relative = metrics.rssz(observed, expected, axis=1)
    out = {"people": expected.sum(axis=1), "observed": observed.sum(axis=1), "tae": metrics.tae(observed, expected, axis=1)}
    if published is not None:
        out["tae_published"] = metrics.tae(observed, published, axis=1)
        out["floor"] = metrics.tae(expected, published, axis=1)  # what people who meet all targets show
        out["tae_above_floor"] = np.maximum(out["tae_published"] - out["floor"], 0.0)
    return out | {
        "sae": metrics.sae(observed, expected, axis=1),
        "srmse": metrics.srmse(observed, expected, axis=1),
        "r2": metrics.r2(observed, expected, axis=1),
        "max_z": scores.max(axis=1, initial=0.0),
        "rssz": relative,
        "nonfitting_cells": (scores > metrics.CRITICAL_Z).sum(axis=1),
        "fits": relative <= 1,
        **{name: f(observed, expected, axis=1) for name, f in _extra(per_zone=True).items()},
    }


def cell_fit(tables: Sequence[CountedTable], zones: pd.Index) -> pd.DataFrame:
    """One row a zone, table and cell: zone, table, cell (categorical), observed, expected, published, error, z, z_modified."""
    labels = list(dict.fromkeys(label for t in tables for label in t.labels))
    frames = []
    for k, t in enumerate(tables):
        n_zones, n_cells = t.expected.shape
        cell = np.tile([labels.index(x) for x in t.labels], n_zones)
        columns = {
            "zone": pd.Categorical.from_codes(np.repeat(np.arange(n_zones), n_cells), zones),
            "table": pd.Categorical.from_codes(np.full(n_zones * n_cells, k), [x.name for x in tables]),
            "cell": pd.Categorical.from_codes(cell, labels),
            "observed": t.observed.ravel(), "expected": t.expected.ravel(), "published": t.published.ravel(),
            "error": (t.observed - t.expected).ravel(),
            "z": metrics.z(t.observed, t.expected, axis=1).ravel(),
            "z_modified": metrics.z_modified(t.observed, t.expected, axis=1).ravel(),
        }  # fmt: skip
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def zone_fit(tables: Sequence[CountedTable], zones: pd.Index) -> pd.DataFrame:
    """One row a zone and table: zone, table, the columns of `row_measures`; where a table is perturbed `noise_measures` too."""
    noisy = any(t.error is not None and t.error.any() for t in tables)
    frames = []
    for t in tables:
        columns = row_measures(t.observed, t.expected, t.published)
        noise = noise_measures(t.observed, t.published, t.error) if noisy else {}
        frames.append(pd.DataFrame({"zone": zones, "table": t.name, **columns, **noise}))
    return pd.concat(frames, ignore_index=True)


def parent_fit(tables: Sequence[CountedTable], areas: pd.DataFrame, levels: Iterable[str]) -> pd.DataFrame:
    """One row a parent level, parent and table: level, parent, table, zones (how many), then the columns of `row_measures`.

    Errors of zones cancel within a parent, as they do for whoever adds zones up. Zones without a parent are left out.
    """
    frames = []
    for level in levels:
        code, parents = pd.factorize(areas[level], sort=True)
        inside = code >= 0
        order = np.argsort(code[inside], kind="stable")
        first = np.searchsorted(code[inside][order], np.arange(len(parents)))
        if not len(parents):
            continue
        for t in tables:
            sums = [np.add.reduceat(x[inside][order], first, axis=0) for x in (t.observed, t.expected, t.published)]
            zones = np.bincount(code[inside], minlength=len(parents))
            head = {"level": level, "parent": parents, "table": t.name, "zones": zones}
            frames.append(pd.DataFrame(head | row_measures(*sums)))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_PARENT_COLUMNS))


def table_fit(tables: Sequence[CountedTable], by_zone: pd.DataFrame) -> pd.DataFrame:
    """One row a table over all zones and cells.

    Columns table, unit ('people', or 'households', which then stand for people in what follows), cells, zones, people, observed,
    tae, tae_published, floor, tae_above_floor, sae, misplaced, srmse, r2, sei, max_z, zones_exact (TAE 0), nonfitting_cells,
    nonfitting_zones (RSSZ above 1), worst_zone, worst_tae, every registered metric; where a table is perturbed noisy_cells (over
    all zones), cells_within_noise, zones_within_noise (ratio of 1 or less).
    """
    rows = []
    for t in tables:
        mine = by_zone[by_zone["table"] == t.name]
        sums = {c: mine[c].sum() for c in ("people", "observed", "tae", "tae_published", "floor", "tae_above_floor")}
        overall = {name: METRICS[name](t.observed, t.expected) for name in ("sae", "misplaced", "srmse", "r2", "sei")}
        extra = {name: f(t.observed, t.expected) for name, f in _extra(per_zone=False).items()}
        worst = mine.loc[mine["tae"].idxmax()] if len(mine) else None
        noise = {}
        if "noise_ratio" in mine:
            noise = {c: mine[c].sum(min_count=1) for c in ("noisy_cells", "cells_within_noise")}
            noise["zones_within_noise"] = (mine["noise_ratio"] <= 1).sum() if noise["noisy_cells"] else np.nan
        rows.append(
            {
                "table": t.name, "unit": UNITS[t.unit], "cells": len(t.labels), "zones": len(mine), **sums, **overall,
                "max_z": mine["max_z"].max(),
                "zones_exact": int((mine["tae"] == 0).sum()), "nonfitting_cells": int(mine["nonfitting_cells"].sum()),
                "nonfitting_zones": int((~mine["fits"]).sum()), "worst_zone": "" if worst is None else worst["zone"],
                "worst_tae": 0.0 if worst is None else worst["tae"], **extra, **noise,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
