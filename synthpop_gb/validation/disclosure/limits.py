"""Limits: from where on a measure of disclosure is a finding, stated and to be set by whoever releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.validation.chance import share_difference

__all__ = ["FEW_ATTACKS", "Limits", "beyond"]

FEW_ATTACKS = 20
"""Attacks, or records of a holdout, below which no rate is a finding: a handful succeeds or fails by luck."""


@dataclass(frozen=True)
class Limits:
    """From where on a measure is a finding. Nobody has published limits that hold everywhere: set your own.

    Attributes
    ----------
    replicated_uniques : float
        repU, per cent of the real records; where there is a holdout, points by which it exceeds that of the holdout.
    disclosed : float
        Points by which DiSCO, without what is common knowledge, exceeds its baseline, where the interval of the difference
        excludes nought too: that of the holdout, or, where there is none, of shuffled targets.
    identical : float
        Points by which synthetic records are identical to a real one more often than the holdout's records, or, where there is
        none, than real records to other real ones; where the interval of the difference excludes nought too.
    closer : float
        Points by which synthetic records are closer to training records than expected, where the interval says so too.
    risk : float
        Of an attack, between 0 and 1, where the interval excludes nought too.
    near : float
        Points by which synthetic records equal a real one in all but one variable more often than the holdout's do, or, where
        there is none, than real records equal other real ones.
    """

    replicated_uniques: float = 5.0
    disclosed: float = 10.0
    identical: float = 1.0
    closer: float = 2.0
    risk: float = 0.1
    near: float = 10.0


def beyond(tables: Mapping[str, pd.DataFrame], limits: Limits, n_real: int) -> list[Finding]:
    """List what is beyond its limit: attacks, distances, replicated uniques, attributes.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        As `disclosure` makes them; those that are not there are passed over.
    limits : Limits
        From where on.
    n_real : int
        Real records.
    """
    found = []
    rows = tables["attacks"]
    enough = (rows["n"] >= FEW_ATTACKS) & (rows["control_n"] >= FEW_ATTACKS)
    for row in rows[enough & (rows["risk"] > limits.risk) & (rows["risk_lower"] > 0)].to_dict("records"):
        message = (
            f"{row['attack'][0].upper()}{row['attack'][1:]}: {100 * row['success_same_size']:.1f} % of attacks succeed, "
            f"{100 * row['control']:.1f} % on people "
            f"who were not synthesised from; the risk is {row['risk']:.2f} ({row['risk_lower']:.2f} to {row['risk_upper']:.2f}), "
            f"the limit {limits.risk:g}."
        )
        found.append(_risk(message, row["attack"], row["success"] * row["n"]))
    found += _distances(tables["disclosure_distance"].set_index("comparison"), limits)
    row = tables["disclosure_identity"].iloc[0] if "disclosure_identity" in tables else None
    if row is not None and _replicated(row) > limits.replicated_uniques:
        message = (
            f"{row['repU']:.1f} % of the real records are unique on {row['keys']} and so is a synthetic one with the same; the "
            f"limit is {limits.replicated_uniques:g} %."
        )
        if row["repU_holdout"] == row["repU_holdout"]:
            message += (
                f" In sets of one size it is {row['repU_same_size']:.1f} %, and {row['repU_holdout']:.1f} % of the holdout."
            )
        found.append(_risk(message, row["keys"], row["repU"] * n_real / 100))
    if "disclosure_attribute" in tables and len(tables["disclosure_attribute"]):
        rows = tables["disclosure_distance"].set_index("comparison")
        held = int(rows["to"].get("synthetic to holdout", 0))
        found += _attributes(tables["disclosure_attribute"], limits, n_real, held or n_real)
    return found


def _surely_more(percent: float, n: float, beside: float, n_beside: float) -> bool:
    """Whether the interval of the difference of two shares, in per cent, lies above nought; of a handful nobody can say."""
    return n_beside >= FEW_ATTACKS and share_difference(percent / 100 * n, n, beside / 100 * n_beside, n_beside)[0] > 0


def _replicated(row: pd.Series) -> float:
    """Replicated uniques, beyond those that people who were not synthesised from would make, where some were kept apart."""
    held = float(row.get("repU_holdout", float("nan")))
    return float(row["repU"]) if held != held else float(row["repU_same_size"]) - held


def _risk(message: str, place: str, count: float = 1) -> Finding:
    return finding("disclosure-risk", message, place=place, count=round(count))


def _distances(rows: pd.DataFrame, limits: Limits) -> list[Finding]:
    found = []
    first = rows.loc["synthetic to real"]
    share, lower, upper, expected = (100 * first[n] for n in ("share_closer", "lower", "upper", "expected"))
    if lower > expected and share - expected > limits.closer:
        message = (
            f"{share:.1f} % ({lower:.1f} to {upper:.1f}) of synthetic records are closer to a record they were made from than to "
            f"any of the holdout; {expected:.1f} % is expected."
        )
        found.append(_risk(message, "distance to the closest record"))
    beside = rows.loc["holdout to real" if "holdout to real" in rows.index else "real to other real"]
    if first["identical"] - beside["identical"] > limits.identical and _surely_more(
        first["identical"], first["records"], beside["identical"], beside["records"]
    ):
        whom = beside.name.replace(" to ", " records to ")
        message = (
            f"{first['identical']:.1f} % of synthetic records are identical to a real one; of {whom} ones it is "
            f"{beside['identical']:.1f} %."
        )
        found.append(_risk(message, "identical records", first["identical"] * first["records"] / 100))
    return found


def _attributes(frame: pd.DataFrame, limits: Limits, n_real: int, n_beside: int) -> list[Finding]:
    baseline = frame["DiSCO_guarded_holdout"].fillna(frame["DiSCO_guarded_shuffled"])
    above = frame.assign(base=baseline)[frame["DiSCO_guarded"] - baseline > limits.disclosed]
    found = []
    for row in above.sort_values("DiSCO_guarded", ascending=False, kind="stable").to_dict("records"):
        if not _surely_more(row["DiSCO_guarded"], n_real, row["base"], n_beside):
            continue
        held = row["DiSCO_guarded_holdout"] == row["DiSCO_guarded_holdout"]
        beside = "of people who were not synthesised from" if held else "with shuffled targets"
        message = (
            f"Whoever knows the keys learns {row['target']} rightly and for certain of {row['DiSCO_guarded']:.1f} % of the real "
            f"records; {beside} it is {row['base']:.1f} %."
        )
        found.append(_risk(message, row["target"], row["DiSCO_guarded"] * n_real / 100))
    return found
