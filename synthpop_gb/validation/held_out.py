"""Tables that were kept back: how wrong the people are where nobody told the answer, and how wrong anything else would be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.indicators import UNITS
from synthpop_gb.validation.comparisons import Comparison
from synthpop_gb.validation.pairs import MEAN_COLUMNS, WRONG_COLUMNS, wrong_columns
from synthpop_gb.validation.registry import METRICS
from synthpop_gb.validation.yardsticks import Ruler, floor_survey
from synthpop_gb.validation.zone_fit import row_measures

__all__ = ["held_out", "held_out_zones"]

_ZONE_COLUMNS = (
    "zone", "table", "people", "observed", "tae", "sae", "srmse", "r2", "max_z", "rssz", "nonfitting_cells", "fits",
    *WRONG_COLUMNS,
)  # fmt: skip
_COLUMNS = (
    "table", "variables", "unit", "cells", "zones", "people", "observed", "tae", "sae", "srmse", "r2", "sei", "nonfitting_cells",
    "nonfitting_zones", *WRONG_COLUMNS, "floor_survey", "invented", "missing", "zones_better", "worst_zone",
    "worst_zone_wrong", *MEAN_COLUMNS,
)  # fmt: skip


def held_out_zones(ruler: Ruler, tables: Sequence[Comparison], first: int, zones: pd.Index) -> pd.DataFrame:
    """One row a zone and held-out table.

    Columns: zone, table, then those of `zone_fit.row_measures` without the floor of settling, then per cent of the zone's people
    wrong_whole, wrong_fit, wrong_independence, wrong_survey, wrong_average, rounding, floor, floor_sample (see
    `YARDSTICKS`). Zones where the published table has nobody have 0 throughout.
    """
    frames = []
    for k, table in enumerate(tables, start=first):
        wrong = dict(zip(WRONG_COLUMNS, ruler.by_zone(k).values(), strict=True))
        measures = row_measures(ruler.observed[k], table.reference)
        frames.append(pd.DataFrame({"zone": zones, "table": table.name, **measures, **wrong}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(_ZONE_COLUMNS))


def held_out(ruler: Ruler, tables: Sequence[Comparison], first: int, by_zone: pd.DataFrame, weight: np.ndarray) -> pd.DataFrame:
    """One row a held-out table.

    Columns: table, variables, unit ('people', or 'households', which then stand for people in what follows), cells, zones,
    people, observed, tae, sae, srmse, r2, sei, nonfitting_cells, nonfitting_zones; in per cent of people wrong_whole, wrong_fit,
    wrong_independence, wrong_survey, wrong_average, rounding, floor, floor_sample, floor_survey, invented, missing; zones_better
    (per cent of populated zones where the people are nearer than independence), worst_zone, worst_zone_wrong; zone_mean_whole and
    so on (the yardsticks as the mean of the per cents of populated zones).
    """
    rows = []
    for k, table in enumerate(tables, start=first):
        mine = by_zone[by_zone["table"] == table.name]
        live = mine[mine["people"] > 0]
        cells, people = ruler.cells(k), float(ruler.people[:, k].sum())
        some = people or 1.0
        worst = live.loc[live["wrong_whole"].idxmax()] if len(live) else None
        rows.append(
            {
                "table": table.name, "variables": " x ".join(table.variables),
                "unit": UNITS[table.unit], "cells": table.n_cells, "zones": len(mine),
                "people": people, "observed": float(mine["observed"].sum()), "tae": float(mine["tae"].sum()),
                **{name: METRICS[name](ruler.observed[k], table.reference) for name in ("sae", "srmse", "r2", "sei")},
                "nonfitting_cells": int(mine["nonfitting_cells"].sum()), "nonfitting_zones": int((~mine["fits"]).sum()),
                **wrong_columns(ruler, k),
                "floor_survey": floor_survey(cells.expected / some, weight),
                "invented": 100 * float(cells.invented.sum()) / some, "missing": 100 * float(cells.missing.sum()) / some,
                "zones_better": 100 * float((live["wrong_whole"] < live["wrong_independence"]).mean()) if len(live) else 0.0,
                "worst_zone": "" if worst is None else worst["zone"],
                "worst_zone_wrong": 0.0 if worst is None else worst["wrong_whole"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COLUMNS))
