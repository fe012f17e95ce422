"""The zones of the study area: chosen by code, by parent or all, always in the geography's own order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.geography import Geography
from synthpop_gb.geography.vintage import lacking_finding
from synthpop_gb.harmonisation._words import listed, nearest, number

__all__ = ["among", "choose_zones"]


def choose_zones(
    geography: Geography, zones: Sequence[str] | None = None, parent: tuple[str, str | Sequence[str]] | None = None
) -> tuple[Geography, list[Finding]]:
    """Restrict a geography to the zones listed, to those of one parent, to those that are both, or to all.

    parent : (level, name or code, or several), such as ('lad', 'Leeds') or ('lad', ['E08000035', 'E08000036']); case does not
        matter.

    Returns the geography restricted (in its own order) and findings: 'duplicate-zone', 'unknown-zone', 'study-reference'
    (no such level) and 'no-zones'.
    """
    findings: list[Finding] = []
    codes = geography.codes
    twice = codes[codes.duplicated()].unique()
    if len(twice):
        message = f"The lookup lists {number(len(twice), 'zone')} more than once: {listed(twice)}."
        findings.append(finding("duplicate-zone", message, place="zones", count=len(twice), rows=pd.DataFrame({"zone": twice})))
    keep = ~codes.duplicated()
    if zones is not None:
        keep &= among(codes, pd.Index(_requested(zones, codes, findings)))
    if parent is not None:
        keep &= _children(geography, *parent, findings)
    if not keep.any() and not any(f.code in ("no-zones", "study-reference") for f in findings):
        findings.append(
            finding("no-zones", "No zone is left: the zones listed and the parent have none in common.", place="zones")
        )
    return Geography(
        geography.zones[keep], geography.boundary_file, geography.boundary_column, geography.sources,
        _of_these(geography.findings, codes[keep]),
    ), findings  # fmt: skip


def _of_these(findings: Sequence[Finding], zones: pd.Index) -> tuple[Finding, ...]:
    """Keep what reading found of these zones: polygons that only other zones lack are nobody's loss."""
    kept = []
    for f in findings:
        if f.code in ("missing-boundary", "boundaries-vintage") and f.rows is not None:
            lacking = f.rows[f.rows["zone"].isin(zones)]
            if len(lacking):
                kept.append(lacking_finding(lacking, len(zones), f.place))
        else:
            kept.append(f)
    return tuple(kept)


def among(codes: pd.Index, others: pd.Index) -> np.ndarray:
    """Which codes are in another index: (n,) bool. As `Index.isin`, without its detour through a list of Python strings."""
    return (others if others.is_unique else others.unique()).get_indexer(codes) >= 0


def _requested(zones: Sequence[str], codes: pd.Index, findings: list[Finding]) -> list[str]:
    """Return the zones asked for; say which are unknown or listed twice."""
    asked = pd.Series([str(z) for z in zones], dtype=object)
    twice = asked[asked.duplicated()].unique()
    if len(twice):
        message = f"The study lists {number(len(twice), 'zone')} more than once: {listed(twice)}. Each is used once."
        rows = pd.DataFrame({"zone": twice})
        findings.append(finding("duplicate-zone", message, place="zones", count=len(twice), rows=rows, level="warning"))
    unknown = [z for z in asked.unique() if z not in codes]
    if unknown:
        hint = nearest(unknown[0], codes) if len(codes) <= 50_000 else ""
        who = number(len(unknown), "zone of the study is", "zones of the study are")
        message = f"{who} not in the lookup: {listed(unknown)}.{hint}"
        findings.append(
            finding(
                "unknown-zone", message, place="zones", count=len(unknown), rows=pd.DataFrame({"zone": unknown}), level="error",
                why="A zone that the lookup does not know has no place in the study area.",
                remedy="Correct the codes, or use the lookup of their year.",
            )
        )  # fmt: skip
    if not len(asked) or len(unknown) == asked.nunique():
        findings.append(finding("no-zones", "None of the zones listed is in the lookup.", place="zones"))
    return asked.tolist()


def _children(geography: Geography, level: str, wanted: str | Sequence[str], findings: list[Finding]) -> np.ndarray:
    """Which zones lie in the parents of those names or codes."""
    columns = [c for c in (level, f"{level}_name") if c in geography.zones.columns]
    if not columns:
        message = f"The lookup has no parent level {level!r}.{nearest(level, geography.parents)}"
        findings.append(finding("study-reference", message, place="zones.parent"))
        return np.zeros(len(geography.zones), dtype=bool)
    asked = {str(name).casefold(): name for name in ([wanted] if isinstance(wanted, str) else wanted)}
    inside = np.zeros(len(geography.zones), dtype=bool)
    names: list[str] = []
    for column in columns:
        values = geography.zones[column].astype("category")
        texts = [str(v) for v in values.cat.categories]
        names += texts
        hit = np.array([t.casefold() in asked for t in texts] + [False])
        inside |= hit[values.cat.codes.to_numpy()]
    known = {t.casefold() for t in names}
    for key, name in asked.items():
        if key not in known:
            message = f"No zone has the {level} {name!r}.{nearest(name, sorted(names))}"
            findings.append(finding("no-zones", message, place="zones.parent"))
    return inside
