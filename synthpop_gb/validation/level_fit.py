"""Do the areas above the zones meet their own tables: people counted zone by zone and added up, area by area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedLevel, AlignedTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.validation.findings import noise_said
from synthpop_gb.validation.noise import noise_measures, within_noise
from synthpop_gb.validation.zone_fit import row_measures

__all__ = ["level_findings", "level_fit", "level_headline", "tables_above"]


def tables_above(aligned: Aligned) -> list[tuple[AlignedLevel, AlignedTable, bool]]:
    """Tables of every level: (level, table, whether it was kept back), those fitted first within a level."""
    return [
        (level, table, kept) for level in aligned.levels for kept, tables in ((False, level.constraints), (True, level.held_out))
        for table in tables
    ]  # fmt: skip


def level_fit(
    aligned: Aligned, observed: Sequence[np.ndarray], goals: Mapping[tuple[str, str], np.ndarray] | None = None
) -> pd.DataFrame:
    """One row a level, area and table.

    Parameters
    ----------
    aligned : Aligned
        Levels, with their tables.
    observed : sequence of (n_zones, n_cells) numpy.ndarray
        People (households, for tables of households) counted in each zone, in the order of `tables_above`.
    goals : mapping of (level, table) to (n_areas, n_cells) numpy.ndarray, optional
        Whole tables that a soft fit settled on by itself, in place of the targets.

    Returns
    -------
    pandas.DataFrame
        level, area, table, held_out, zones (how many the area has), then the columns of `zone_fit.row_measures` but 'fits' (an
        area is met where it is exact), worst_cell (the cell that is furthest off, '' where none is), misplaced (per cent in the
        wrong cell), exact (every cell met, to the person), and where a table is perturbed those of `noise_measures`.
    """
    frames, goals = [], goals or {}
    noisy = any(table.standard_errors.any() for _, table, _ in tables_above(aligned))
    for (level, table, kept), counted in zip(tables_above(aligned), observed, strict=True):
        bound = level.of_zone >= 0
        sums = np.zeros((len(level.areas), counted.shape[1]), np.int64)
        np.add.at(sums, level.of_zone[bound], counted[bound])
        expected, published = (np.ascontiguousarray(t.to_numpy(np.float64)) for t in (table.targets, table.published))
        expected = expected if kept else goals.get((level.name, table.name), expected)
        measures = row_measures(sums, expected, published)
        del measures["fits"]  # Z-scores forgive large areas misses that people made to nest should not have
        off = np.abs(sums - expected)
        labels = np.array([*table.cell_labels, ""], dtype=object)
        worst = np.where(off.any(axis=1), off.argmax(axis=1) if off.size else 0, len(labels) - 1)
        head = {
            "level": level.name, "area": level.areas.astype(str), "table": table.name, "held_out": kept,
            "zones": np.bincount(level.of_zone[bound], minlength=len(level.areas)),
        }  # fmt: skip
        wrong = 50 * measures["tae"] / np.maximum(measures["people"], 1.0)
        last = {"worst_cell": labels[worst], "misplaced": wrong, "exact": measures["tae"] == 0}
        noise = noise_measures(sums, published, table.standard_errors) if noisy else {}
        frames.append(pd.DataFrame(head | measures | last | noise))
    return pd.concat(frames, ignore_index=True)


def level_headline(frame: pd.DataFrame) -> dict[str, str]:
    """Say how many areas of each level meet every table exactly, and how far off tables kept back are."""
    out = {}
    for level, mine in frame.groupby("level", sort=False):
        fitted = mine[~mine["held_out"]]
        if len(fitted):
            met = fitted.groupby("area", sort=False)["exact"].all()
            out[f"{level} tables met"] = f"{int(met.sum()):,} of {len(met):,} areas"
            if "noisy_cells" in fitted and (cells := int(fitted["noisy_cells"].sum())):
                within = int(fitted["cells_within_noise"].sum())
                out[f"{level} cells within the publisher's noise"] = f"{within:,} of {cells:,} ({100 * within / cells:.1f} %)"
        for table, kept in mine[mine["held_out"]].groupby("table", sort=False):
            wrong = 50 * kept["tae"].sum() / max(kept["people"].sum(), 1.0)
            out[f"held out {level} {table}"] = f"{wrong:.2f} % of people in the wrong cell of their area"
    return out


def level_findings(frame: pd.DataFrame, *, soft: bool = False) -> list[Finding]:
    """'level-not-met' for every level of which areas miss tables that were fitted, the worst area first.

    soft : targets were settled softly; where tables are perturbed the finding then says how many areas are beyond the noise.
    """
    found = []
    for level, fitted in frame[~frame["held_out"]].groupby("level", sort=False):
        mine = fitted[~fitted["exact"]]
        if mine.empty:
            continue
        columns = ["area", "table", "people", "observed", "tae", "worst_cell"]
        rows = mine.sort_values("tae", ascending=False, kind="stable")[columns].reset_index(drop=True)
        worst, areas = rows.iloc[0], rows["area"].nunique()
        noise = ""
        if soft and "noise_ratio" in fitted:
            within = within_noise(fitted, "area").loc[rows["area"].unique()]
            noise = noise_said(within.to_frame("within_noise"), "area", "areas")
            rows["within_noise"] = rows["area"].map(within)
        message = (
            f"{areas:,} area{'s' if areas > 1 else ''} of {level} {'miss' if areas > 1 else 'misses'} tables; worst: "
            f"{worst['area']}, {worst['table']}, total absolute error {worst['tae']:,.0f}, most of it at {worst['worst_cell']}."
            f"{noise}"
        )
        found.append(finding("level-not-met", message, place=str(worst["area"]), count=areas, rows=rows))
    return found
