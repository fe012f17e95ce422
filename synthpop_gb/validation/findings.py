"""What does not fit, worst first, as findings with the failing zones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.status import FIT_MEANING, FitStatus
from synthpop_gb.validation.summary import per_cent

__all__ = ["findings", "noise_said"]

_WITHIN = {
    "why": "Targets were settled softly: what whole people miss of them is within the publisher's noise.",
    "remedy": "Nothing: counts as published cannot be met more nearly than they are known.",
}
_SEVERITY = {"INFEASIBLE": 0, "STALLED": 1, "CYCLE_LIMIT": 2, "CONVERGED": 3, "EMPTY": 4}
_ROWS = (
    "zone", "people", "target_people", "fit", "residual", "worst_cell", "whole", "tae", "tae_above_floor", "worst_table",
    "within_noise",
)  # fmt: skip


def findings(tables: Mapping[str, pd.DataFrame], told_people: pd.Series) -> tuple[Finding, ...]:
    """Return what does not fit, worst first.

    'zone-not-fitted' for zones whose fit did not converge, then for zones that converged and still miss targets (rows:
    zone, people, target_people, fit, residual, worst_cell, whole, tae, tae_above_floor, worst_table; within_noise where targets
    were settled softly: the finding then says how many of the zones are beyond the publisher's noise); 'recount-differs'
    where the people counted are not those that the solver reported; 'worse-than-independence' for held-out tables (rows:
    the zones that are worse).

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        'zones', 'held_out' and 'held_out_zones'.
    told_people : pandas.Series
        People of each zone as the solver reported them, by zone.
    """
    by_zone = tables["zones"]
    unfit = ~by_zone["fit"].isin(["CONVERGED", "EMPTY"])
    severity = by_zone["fit"].map(_SEVERITY).fillna(-1)
    by = ["severity", "tae", "residual"]
    order = by_zone.assign(severity=severity).sort_values(by, ascending=[True, False, False], kind="stable")
    out = []
    for say, wanted in ((_unfit, unfit), (_inexact, ~unfit & (by_zone["tae"] > 0))):
        rows = order.loc[wanted.reindex(order.index), [c for c in _ROWS if c in order]].reset_index(drop=True)
        if len(rows):
            out.append(say(rows, len(by_zone)))
    return (*out, *_differing(by_zone, told_people), *_worse(tables["held_out"], tables["held_out_zones"]))


def _unfit(rows: pd.DataFrame, n_zones: int) -> Finding:
    worst = rows.iloc[0]
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in rows["fit"].value_counts().items())
    cell = f" at {worst['worst_cell']}" if worst["worst_cell"] else ""
    own = "its whole people meet the zone's own tables"
    if worst["tae"] > 0:
        own = f"its whole people miss {worst['tae']:,.0f} over all its tables"
    message = (
        f"The fit of {len(rows):,} of {n_zones:,} zones did not converge ({kinds}); worst: {worst['zone']}, largest miss "
        f"{worst['residual']:,.3g} people{cell}; {own}.{noise_said(rows)}"
    )
    meaning = FIT_MEANING.get(FitStatus.__members__.get(worst["fit"]), "the solver says nothing of this zone")
    why = f"{worst['fit']}: {meaning}."
    return finding("zone-not-fitted", message, place=str(worst["zone"]), count=len(rows), rows=rows, why=why)


def _inexact(rows: pd.DataFrame, n_zones: int) -> Finding:
    worst = rows.iloc[0]
    message = (
        f"The people counted in {len(rows):,} of {n_zones:,} zones miss targets although the fit converged; worst: "
        f"{worst['zone']}, total absolute error {worst['tae']:,.0f}, most of it in {worst['worst_table']}.{noise_said(rows)}"
    )
    said = _WITHIN if "within_noise" in rows and rows["within_noise"].all() else {}
    return finding("zone-not-fitted", message, place=str(worst["zone"]), count=len(rows), rows=rows, **said)


def noise_said(rows: pd.DataFrame, one: str = "zone", many: str = "zones") -> str:
    """Say how many of the zones or areas that miss something are beyond the publisher's noise; nothing where targets are hard.

    rows : one a zone, with within_noise where targets were settled softly.
    """
    if "within_noise" not in rows:
        return ""
    within, beyond = int(rows["within_noise"].sum()), int((~rows["within_noise"]).sum())
    if not beyond:
        who = f"The {one} is" if within == 1 else f"All {within:,} {many} are"
        return f" {who} as near the published counts as the publisher's noise lets anybody be."
    others = f"; the other {within:,} {'is' if within == 1 else 'are'} within it" if within else ""
    return f" Beyond the publisher's noise: {beyond:,} {one if beyond == 1 else many}{others}."


def _differing(by_zone: pd.DataFrame, told_people: pd.Series) -> list[Finding]:
    """Zones where the count contradicts the solver's own statement: its people, or its remainder."""
    told = told_people.reindex(by_zone["zone"]).to_numpy(np.float64)
    people, remainder = by_zone["people"].to_numpy(), by_zone["remainder"].to_numpy(np.float64)
    differ = (np.abs(people - told) > 0.5) | (np.abs(by_zone["tae"].to_numpy() - remainder) > 0.5)
    if not differ.any():
        return []
    rows = by_zone.loc[differ, ["zone", "people", "tae"]].assign(told_people=told[differ], told_tae=remainder[differ])
    rows = rows.reset_index(drop=True)
    first, zones = rows.iloc[0], "zone" if len(rows) == 1 else "zones"
    message = (
        f"The people counted in {len(rows):,} {zones} are not those that the solver reported, e.g. {first['zone']}: "
        f"{first['people']:,} people with a total absolute error of {first['tae']:,.0f}, reported {first['told_people']:,.0f} "
        f"with {first['told_tae']:,.0f}."
    )
    return [finding("recount-differs", message, place=str(first["zone"]), count=len(rows), rows=rows)]


def _worse(held_out: pd.DataFrame, by_zone: pd.DataFrame) -> list[Finding]:
    """Held-out tables that the people describe worse than the product of their margins would."""
    out = []
    for row in held_out.to_dict("records"):
        if not row["wrong_whole"] > row["wrong_independence"]:  # also where independence is not known
            continue
        mine = by_zone[(by_zone["table"] == row["table"]) & (by_zone["wrong_whole"] > by_zone["wrong_independence"])]
        columns = ["zone", "people", "wrong_whole", "wrong_fit", "wrong_independence", "floor"]
        rows = mine[columns].sort_values("wrong_whole", ascending=False).reset_index(drop=True)
        said, verb = per_cent(row["wrong_whole"], row["unit"]), "is" if len(mine) == 1 else "are"
        message = (
            f"{said} are in the wrong cell of the held-out table {row['table']}, more than the "
            f"{row['wrong_independence']:.2f} % of independence; {len(mine):,} of {row['zones']:,} zones {verb} worse."
        )
        out.append(finding("worse-than-independence", message, place=row["table"], count=len(mine), rows=rows))
    return out
