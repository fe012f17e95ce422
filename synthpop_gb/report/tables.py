"""The tables of a report: fit, what harmonising changed, zones to look at, combinations, held-out tables, truth, donors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.report.copied import copied_of
from synthpop_gb.report.summary import zone_names
from synthpop_gb.report.words import Column, Grid, fixed, grid_of, number, percent, said, whole

__all__ = [
    "changes_grid", "fit_grid", "held_out_grid", "levels_grid", "pairs_grid", "records_grid", "truth_grid", "yardsticks_of",
    "zones_grid",
]  # fmt: skip

_YARDSTICKS = (
    Column("wrong_whole", "This popu\u00adlation", "", percent),
    Column("wrong_fit", "Frac\u00adtional fit", "", percent),
    Column("wrong_independence", "Inde\u00adpen\u00addence", "", percent),
    Column("wrong_average", "Area’s aver\u00adage", "", percent),
    Column("wrong_survey", "Survey as it is", "", percent),
    Column("floor", "Noise floor", "", percent),
)


def _in_people(frame: pd.DataFrame) -> bool:
    """Whether all rows count people; where some count households, a column says which."""
    return "unit" not in frame or bool((frame["unit"] == "people").all())


def _long(names: pd.Series) -> bool:
    """Whether names are so long that a table of all yardsticks is wider than a page of 1,200 pixels."""
    return bool((names.str.len() > 36).any())


_UNIT = Column("unit", "Counts", text=True)


def fit_grid(aligned: Aligned, checks: Checks) -> Grid:
    """One row a table that was fitted."""
    frame = checks["table_fit"].assign(universe=[t.universe.name for t in aligned.constraints], sae=lambda f: 100 * f["sae"])
    alone = _in_people(frame)
    people = "people" if alone else "its unit"
    columns = [
        Column("table", "Table", text=True, write=said),
        Column("universe", "Universe", "who is counted", text=True, wrap=bool((frame["universe"].str.len() > 28).any())),
        Column("cells", "Cells", "a\u00a0zone", whole),
        Column("people", "Published", f"{people}, settled", whole),
        Column("observed", "Counted", people, whole),
        Column("tae", "TAE", people, whole),
        Column("sae", "SAE", "% of people" if alone else "%", fixed(3)),
        Column("srmse", "SRMSE", "", fixed(4)),
        Column("r2", "R²", "", fixed(5)),
        Column("zones_exact", "Zones exact", f"of {len(aligned.zones):,}", whole),
        Column("nonfitting_cells", "Non-fitting", "cells, |Z| > 1.96", whole),
    ]
    if (aligned.floor > 0).any() or (frame["floor"] > 0).any():
        columns[6:6] = [
            Column("tae_published", "TAE as published", people, whole),
            Column("floor", "Floor", people, whole),
            Column("tae_above_floor", "Above floor", people, whole),
        ]
    if "zones_within_noise" in frame and frame["noisy_cells"].any():
        share = 100 * frame["cells_within_noise"] / frame["noisy_cells"].where(frame["noisy_cells"] > 0)
        frame = frame.assign(share_within_noise=share)
        columns += [
            Column("share_within_noise", "Within noise", "% of published counts", percent),
            Column("zones_within_noise", "Zones within noise", f"of {len(aligned.zones):,}; noise alone: 95 %", whole),
        ]
    exact = [c.key for c in columns].index("zones_exact")
    marked = {(i, exact): "ok" if n == len(aligned.zones) else "warn" for i, n in enumerate(frame["zones_exact"])}
    caption = f"Published and counted people{'' if alone else ' and households'}, table by table, over all zones"
    return grid_of(frame, columns, caption, marked=marked)


def levels_grid(checks: Checks) -> Grid | None:
    """One row a level and table of the areas above the zones; None where the study has no levels."""
    frame = checks.tables.get("level_fit", pd.DataFrame())
    if frame.empty:
        return None
    rows = []
    for (level, table, kept), mine in frame.groupby(["level", "table", "held_out"], sort=False):
        worst = mine.loc[mine["tae"].idxmax()]
        rows.append({
            "level": level, "table": table, "role": "kept back" if kept else "fitted", "areas": len(mine),
            "exact": int(mine["exact"].sum()), "people": mine["people"].sum(), "observed": mine["observed"].sum(),
            "tae": mine["tae"].sum(), "misplaced": 50 * mine["tae"].sum() / max(mine["people"].sum(), 1.0),
            "worst": worst["area"] if worst["tae"] > 0 else "none",
        })  # fmt: skip
    columns = [
        Column("level", "Level", text=True),
        Column("table", "Table", text=True, write=said),
        Column("role", "Role", text=True),
        Column("areas", "Areas", "", whole),
        Column("exact", "Areas exact", "", whole),
        Column("people", "Published", "people, settled", whole),
        Column("observed", "Counted", "people", whole),
        Column("tae", "TAE", "people", whole),
        Column("misplaced", "Wrong cell", "% of people", percent),
        Column("worst", "Worst area", text=True),
    ]
    last = [c.key for c in columns].index("exact")
    marked = {(i, last): "ok" if r["exact"] == r["areas"] else "warn" for i, r in enumerate(rows) if r["role"] == "fitted"}
    return grid_of(pd.DataFrame(rows), columns, "Published and counted people of the areas above the zones", marked=marked)


def changes_grid(aligned: Aligned) -> Grid | None:
    """One row a table that settling changed; None where every table came through untouched."""
    changes = aligned.changes
    if changes.empty or not (changes["people_moved"] > 0).any():
        return None
    names = {t.name: " x ".join(t.variables) for t in aligned.constraints}
    changed = changes[changes["people_moved"] > 0].assign(net=lambda f: f["settled"] - f["published"])
    rows = []
    for table, mine in changed.groupby("table", sort=False, observed=True):
        worst = mine.loc[mine["people_moved"].idxmax()]
        rows.append(
            {
                "table": names.get(table, table),
                "zones": len(mine),
                "cells": mine["cells_changed"].sum(),
                "moved": mine["people_moved"].sum(),
                "net": mine["net"].sum(),
                "gap": mine["net"].abs().max(),
                "worst": worst["zone"],
                "most": worst["people_moved"],
            }
        )
    columns = [
        Column("table", "Table", text=True, write=said),
        Column("zones", "Zones changed", f"of {len(aligned.zones):,}", whole),
        Column("cells", "Cells changed", "", whole),
        Column("moved", "Change", "people, sum over cells", whole),
        Column("net", "Net", "people", whole),
        Column("gap", "Largest change", "of a zone’s total, people", whole),
        Column("worst", "Most changed zone", text=True),
        Column("most", "Change there", "people", whole),
    ]
    return grid_of(pd.DataFrame(rows), columns, "What was changed so that the tables agree, table by table")


def zones_grid(aligned: Aligned, checks: Checks, most: int = 12) -> Grid:
    """Zones to look at first: by error, then by how far whole people are from the fit's combinations."""
    zones = checks["zones"]
    order = zones.sort_values(["tae", "tae_above_floor", "two_way_wrong", "largest_share"], ascending=False, kind="stable")
    shown = order[order["people"] > 0].head(most)
    names = zone_names(aligned)
    shares = {c: 100 * shown[c] for c in ("largest_share", "largest_household") if c in shown}
    shown = shown.assign(name=shown["zone"].map(names), **shares)
    columns = [
        Column("zone", "Zone", text=True),
        Column("name", "Name", text=True),
        Column("people", "People", "counted", whole),
        *_errors(zones),
        Column("worst_table", "Worst table", text=True, write=lambda v: said(v) or "none"),
        Column("two_way_wrong", "Two-way tables", "% in the wrong cell", percent),
        *_copied(zones),
    ]
    if not names.any():
        del columns[1]
    return grid_of(shown, columns, "The zones to look at first")


def _errors(zones: pd.DataFrame) -> list[Column]:
    """Columns of a zone's error: in people, or in people and in households apart."""
    if "tae_households" not in zones:
        return [Column("tae", "TAE", "people", whole), Column("tae_above_floor", "Above floor", "people", whole)]
    apart = [Column("tae_people", "TAE", "people", whole), Column("tae_households", "TAE", "households", whole)]
    return [*apart, Column("tae_above_floor", "Above floor", "both", whole)]


def _copied(zones: pd.DataFrame) -> list[Column]:
    """Columns of how few stand for a zone: records, or households where whole ones were placed."""
    copied = copied_of(zones)
    each, who = (word.replace("household", "house\u00adhold") for word in (f"{copied.each}s", copied.who))
    most = Column(copied.largest, "Most copied", f"% of {who}", percent)
    return [Column(copied.different, "Donors", f"different {each}", whole), most]


def yardsticks_of(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of the yardsticks that are known for a fair part of the rows."""
    return tuple(c for c in _YARDSTICKS if c.key in frame and frame[c.key].notna().mean() > 0.3)


def pairs_grid(checks: Checks) -> Grid | None:
    """One row a pair of variables, then their means; None where there is one variable only."""
    frame = checks.tables.get("intersections", pd.DataFrame())
    if frame.empty:
        return None
    kinds = {"fit": "fit", "held out": "published", "constraint": "fitted table"}
    means = frame["pair"].str.startswith("all pairs")
    alone = means & (frame["pairs"] == 1)  # the mean of one pair says nothing new
    frame = frame[~alone].reset_index(drop=True)
    frame = frame.assign(
        wrong_fit=frame["wrong_fit"].where(frame["reference"] != "fit"),  # the fit cannot be measured against itself
        pair=[
            _mean_of(pair, n, _in_people(frame)) if pair.startswith("all pairs") else pair
            for pair, n in zip(frame["pair"], frame["pairs"], strict=True)
        ],
        strong=frame["pair"].str.startswith("all pairs"),
        reference=frame["reference"].map(kinds).fillna(frame["reference"]),
    )
    columns = [
        Column("pair", "Pair", text=True, write=said, wrap=_long(frame["pair"])),
        *([] if _in_people(frame) else [_UNIT]),
        Column("reference", "Against", text=True),
        Column("cells", "Cells", "a\u00a0zone", whole),
        *yardsticks_of(frame),
        Column("rounding", "Whole against fit", "", percent),
        Column("invented", "In\u00advented", "", percent),
        Column("missing", "Miss\u00ading", "", percent),
    ]
    strong = np.flatnonzero(frame["strong"])
    who = "People" if _in_people(frame) else "People or households"
    caption = f"{who} in the wrong two-way cell of their zone, in per cent of {who.lower()}"
    return grid_of(frame, columns, caption, strong=strong.tolist())


def held_out_grid(checks: Checks) -> Grid | None:
    """One row a held-out table; None where nothing was held out."""
    frame = checks.tables.get("held_out", pd.DataFrame())
    if frame.empty:
        return None
    columns = [
        Column("table", "Table", text=True, write=said, wrap=_long(frame["table"])),
        *([] if _in_people(frame) else [_UNIT]),
        Column("cells", "Cells", "a\u00a0zone", whole),
        Column("people", "Pub\u00adlished", "people" if _in_people(frame) else "", whole),
        *yardsticks_of(frame),
        Column("zones_better", "Zones better", "% than indepen\u00addence", fixed(1)),
        Column("worst_zone", "Worst zone", text=True),
        Column("worst_zone_wrong", "There", "", percent),
    ]
    who = "People" if _in_people(frame) else "People or households"
    return grid_of(frame, columns, f"{who} in the wrong cell of tables that were kept back, in per cent of {who.lower()}")


def truth_grid(checks: Checks, unit: str) -> Grid | None:
    """One row an indicator whose truth is known; None where no truth is."""
    frame = checks.tables.get("true_error", pd.DataFrame())
    if frame.empty:
        return None
    frame = frame[frame["zones"] > 0].reset_index(drop=True)
    columns = [
        Column("indicator", "Indicator", text=True, wrap=True),
        Column("true_mean", "Truth", "", fixed(1)),
        Column("mean", "Estimate", "", fixed(1)),
        Column("rmse", "Error", "", fixed(2)),
        Column("rmse_fit", "Fractional fit", "", fixed(2)),
        Column("rmse_average", "Area’s mean", "", fixed(2)),
        Column("rmse_survey", "Survey’s mean", "", fixed(2)),
        Column("floor", "Noise floor", "", fixed(2)),
        Column("correlation", "Correlation", "", fixed(2)),
        Column("worst_zone", "Worst zone", text=True),
        Column("worst_error", "Error there", "", fixed(1)),
    ]
    return grid_of(frame, columns, f"What no table says, against the truth, in {unit}; errors are root mean squares over zones")


def _mean_of(pair: str, n: int, alone: bool) -> str:
    """Call the mean of all pairs; where some pairs count households, the others' mean says that it is of people."""
    return pair.replace("all pairs", f"mean of {n} pairs") + ("" if alone or pair != "all pairs" else " of people")


def _homes_grid(aligned: Aligned, frame: pd.DataFrame, most: int) -> Grid:
    """List the households copied most often, each once, however many members it has."""
    homes = aligned.households
    unit = homes.of_record[aligned.records.get_indexer(pd.Index(frame["record"]))]
    frame = frame.assign(unit=unit)[~pd.Series(unit).duplicated().to_numpy()].head(most)
    size = homes.size[frame["unit"]]
    frame = frame.assign(household=homes.ids[frame["unit"]], size=size, share=frame["share"] * size)
    columns = [
        Column("household", "Household", text=True),
        Column("size", "Members", "people", whole),
        Column("copies", "Copies", "households", whole),
        Column("zones", "Zones", "with a copy", whole),
        Column("share", "Share", "% of all people", lambda v: number(v, 3)),
        Column("times_weight", "Use", "times its design weight", fixed(2)),
    ]
    return grid_of(frame, columns, "The households copied most often")


def records_grid(aligned: Aligned, checks: Checks, most: int = 8) -> Grid | None:
    """List the records, or households, copied most often. Their ids are shown only where the survey's licence is open."""
    frame = checks.tables.get("record_use", pd.DataFrame())
    if frame.empty:
        return None
    hidden = aligned.survey.licence != "open"
    if aligned.households is not None and not hidden:  # else nobody knows who of the records lives with whom
        return _homes_grid(aligned, frame, most)
    frame = frame.head(most).assign(
        record=[f"record {i + 1}" for i in range(min(most, len(frame)))] if hidden else frame["record"].head(most)
    )
    columns = [
        Column("record", "Record", text=True),
        Column("copies", "Copies", "people", whole),
        Column("zones", "Zones", "with a copy", whole),
        Column("share", "Share", "% of all people", lambda v: number(v, 3)),
    ]
    if not hidden:  # from it and the share follows the record's design weight
        columns.append(Column("times_weight", "Use", "times its design weight", fixed(2)))
    foot = "Record ids are left out: the survey’s licence is not declared open." if hidden else ""
    return grid_of(frame, columns, "The records copied most often", foot=foot)
