"""One row a zone over all tables, and the few numbers that are read first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthpop_gb.validation.noise import within_noise

__all__ = ["headline", "per_cent", "zone_summary"]

_REUSE = (
    "donors", "largest_share", "effective_donors", "different_households", "largest_household", "effective_households",
)  # fmt: skip


def zone_summary(
    zones: pd.Index,
    status: pd.DataFrame,
    by_zone: pd.DataFrame,
    reuse: pd.DataFrame,
    joint: pd.DataFrame,
    units: Mapping[str, str] | None = None,
    *,
    soft: bool = False,
) -> pd.DataFrame:
    """One row a zone, over all tables; what maps are drawn from.

    Columns: zone; people (counted) and target_people; fit, cycles, residual, worst_cell, whole, remainder (as the solver
    says, see `Population.status`); tae and tae_above_floor (as counted, over all tables), worst_table, nonfitting_cells,
    nonfitting_tables, exact (TAE 0); donors, largest_share, effective_donors; two_way_wrong and two_way_rounding (per cent
    of people, mean of all pairs of variables). Of whole households also different_households, largest_household and
    effective_households (see `donor_reuse`). Where tables count households too (`units`: 'person' or 'household' by table),
    people and target_people are people all the same, and households, target_households, tae_people and tae_households tell both
    apart; tae is their sum. Where targets were settled softly (`soft`) and tables are perturbed, within_noise (see `noise`).
    """
    household = by_zone["table"].map(units or {}).to_numpy(object) == "household"
    of_people = by_zone[~household] if (~household).any() else by_zone
    grouped = by_zone.groupby("zone", sort=False, observed=True)
    sums = grouped[["tae", "tae_above_floor", "nonfitting_cells"]].sum().reindex(zones)
    worst = by_zone.loc[grouped["tae"].idxmax()].set_index("zone").reindex(zones)
    misfits = (~by_zone["fits"]).groupby(by_zone["zone"], sort=False, observed=True).sum().reindex(zones)
    told = status.reindex(zones)
    return pd.DataFrame(
        {
            "zone": zones, "people": reuse["people"].to_numpy(),
            "target_people": of_people.groupby("zone", sort=False, observed=True)["people"].max().reindex(zones).to_numpy(),
            **{c: told[c].to_numpy() for c in ("fit", "cycles", "residual", "worst_cell", "whole", "remainder")},
            "tae": sums["tae"].to_numpy(), "tae_above_floor": sums["tae_above_floor"].to_numpy(),
            "worst_table": np.where(worst["tae"].to_numpy() > 0, worst["table"].to_numpy(object), ""),
            "nonfitting_cells": sums["nonfitting_cells"].to_numpy(), "nonfitting_tables": misfits.to_numpy(),
            "exact": sums["tae"].to_numpy() == 0,
            **{c: reuse[c].to_numpy() for c in _REUSE if c in reuse},
            **{c: joint[c].to_numpy() for c in joint},
            **(_apart(zones, by_zone, household) if household.any() else {}),
            **(_noisy(zones, by_zone) if soft and "noise_ratio" in by_zone else {}),
        }
    )  # fmt: skip


def _noisy(zones: pd.Index, by_zone: pd.DataFrame) -> dict[str, np.ndarray]:
    return {"within_noise": within_noise(by_zone, "zone").reindex(zones).to_numpy()}


def _apart(zones: pd.Index, by_zone: pd.DataFrame, household: np.ndarray) -> dict[str, np.ndarray]:
    """Households counted and wanted, and the errors of either kind of table, by zone."""
    homes = by_zone[household].groupby("zone", sort=False, observed=True)
    people = by_zone[~household].groupby("zone", sort=False, observed=True)["tae"].sum()
    return {
        "households": homes["observed"].max().reindex(zones).to_numpy(),
        "target_households": homes["people"].max().reindex(zones).to_numpy(),
        "tae_people": people.reindex(zones, fill_value=0.0).to_numpy(),
        "tae_households": homes["tae"].sum().reindex(zones).to_numpy(),
    }


def headline(tables: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Return the numbers a director reads first: plain values, fit for JSON, by the plain names that `Checks` lists."""
    by_zone, by_table = tables["zones"], tables["table_fit"]
    fits = by_zone["fit"].value_counts()
    worst = by_zone.loc[by_zone["tae"].idxmax()] if len(by_zone) else None
    out = {
        "people": int(by_zone["people"].sum()),
        "zones": len(by_zone),
        "zones with nobody": int((by_zone["target_people"] == 0).sum()),
        "zones converged": int(fits.get("CONVERGED", 0)),
        "zones not converged": int(fits.drop(["CONVERGED", "EMPTY"], errors="ignore").sum()),
        "zones exact": int(by_zone["exact"].sum()),
        "total absolute error": _whole(by_zone["tae"].sum()),
        "total absolute error above the floor": _whole(by_zone["tae_above_floor"].sum()),
        "zones above the floor": int((by_zone["tae_above_floor"] > 0).sum()),
        "worst zone": str(worst["zone"]) if worst is not None and worst["tae"] > 0 else None,
        "total absolute error of the worst zone": _whole(worst["tae"]) if worst is not None else 0,
        "largest residual before integerising": float(by_zone["residual"].fillna(0.0).max()) if len(by_zone) else 0.0,
        "tables": len(by_table),
        "non-fitting tables": int(by_zone["nonfitting_tables"].sum()),
        "non-fitting cells": int(by_table["nonfitting_cells"].sum()),
    }
    if "tae_households" in by_zone:
        out |= {
            "households": int(by_zone["households"].sum()),
            "zones exact in households": int((by_zone["tae_households"] == 0).sum()),
            "zones exact in people": int((by_zone["tae_people"] == 0).sum()),
            "total absolute error in households": _whole(by_zone["tae_households"].sum()),
            "total absolute error in people": _whole(by_zone["tae_people"].sum()),
        }
    out |= _noise(tables["zone_fit"])
    for row in tables["intersections"].to_dict("records"):
        if row["pair"].startswith("all pairs") and row["reference"] == "fit":
            yardsticks = {"independence": "wrong_independence", "survey as it is": "wrong_survey", "random whole people": "floor"}
            of = "" if row["unit"] == "people" else f" of {row['unit']}"
            said = per_cent(row["rounding"], row["unit"])
            out[f"pairs of variables{of}"] = f"{said} from the fractional fit{_beside(row, yardsticks)}"
    for row in tables["held_out"].to_dict("records"):
        yardsticks = {"fractional fit": "wrong_fit", "independence": "wrong_independence"}
        yardsticks |= {"survey as it is": "wrong_survey", "noise floor": "floor"}
        means = {"fractional fit": "zone_mean_fit", "independence": "zone_mean_independence"}
        out[f"held out {row['table']}"] = (
            f"{per_cent(row['wrong_whole'], row['unit'])} in the wrong cell{_beside(row, yardsticks)}; "
            f"mean of zones {row['zone_mean_whole']:.2f} %{_beside(row, means)}"
        )
    return out


def _noise(by_table: pd.DataFrame) -> dict[str, str]:
    """Error against perturbed counts as published; shares of them, and of their tables of one zone, within the noise."""
    if "noise_ratio" not in by_table or not by_table["noisy_cells"].any():
        return {}
    noisy = by_table[by_table["noisy_cells"] > 0]
    cells, within = int(noisy["noisy_cells"].sum()), int(noisy["cells_within_noise"].sum())
    tables, fits = len(noisy), int((noisy["noise_ratio"] <= 1).sum())
    return {
        "total absolute error against the counts as published": _whole(by_table["tae_published"].sum()),
        "cells within the publisher's noise": f"{100 * within / cells:.2f} % ({within:,} of {cells:,})",
        "tables within the publisher's noise": f"{100 * fits / tables:.2f} % ({fits:,} of {tables:,}; noise alone leaves 95 %)",
    }


def _whole(value: float) -> int | float:
    """Whole numbers as such: people come in ones."""
    return int(value) if float(value).is_integer() else float(value)


def per_cent(value: float, unit: str = "people") -> str:
    """Say a share of people or households: '2.05 % of people'."""
    return f"{value:.2f} % of {unit}"


def _beside(row: Mapping[str, float], columns: Mapping[str, str]) -> str:
    """Yardsticks that are known, in brackets: ' (independence 2.57, noise floor 1.80)'."""
    known = [f"{words} {row[c]:.2f}" for words, c in columns.items() if not np.isnan(row[c])]
    return f" ({', '.join(known)})" if known else ""
