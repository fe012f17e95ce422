"""What the card says of an audit, of a run or of any pair of files: verdicts, combinations, uniqueness, attacks, in counts.

Every table is optional: what was not audited is not claimed. Of a survey that is not open no count of fewer than ten is shown,
nor a combination that fewer than ten have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from synthpop_gb.card.claims import Claim, Facts, Source, braced, pointer, say, spoken
from synthpop_gb.card.noun import CardTable, Section

__all__ = ["FEW", "audited_combinations", "audited_disclosure", "audited_figures", "verdicts"]

FEW = 10
"""Counts below it are not shown of a survey that is not open, as for indicators."""

_WORDS = {"fit": "fit", "care": "with care", "unfit": "not fit", "unknown": "not known"}
_MOST_CELLS = 8


def verdicts(facts: Facts, where: str = "audit") -> Section:
    """Say what it may be used for, as the audit judged; the section is empty where nobody judged."""
    frame = facts.table(f"{where}/verdicts")
    source = Source(f"{where}/verdicts.parquet")
    claims: list[Claim | None] = []
    rows = []
    for row in frame.to_dict("records") if {"use", "verdict", "figure"} <= set(frame.columns) else []:
        figure = _text(row["figure"])
        if not figure:  # no claim without a figure behind it
            continue
        said = _WORDS.get(str(row["verdict"]), str(row["verdict"]))
        rows.append((_text(row["use"]), said, figure, _text(row.get("threshold")), _text(row.get("reason"))))
    for verdict, words in _WORDS.items():
        n = facts.of(f"{where}/verdicts", how="rows", verdict=verdict)
        if n.value:
            claims.append(say(f"{{n}} of {{all}} uses judged: {words}.", n=n, all=facts.of(f"{where}/verdicts", how="rows")))
    table = CardTable("Verdict per use", ("Use", "Verdict", "Figure", "Threshold", "Reason"), tuple(rows), source)
    return Section.of("verdicts", "What it may be used for", claims, [table])


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def audited_combinations(
    facts: Facts, *, is_open: bool, grouped: Iterable[str] = (), weighted: bool = False, where: str = "audit"
) -> Section:
    """List combinations that are invented, missing or misweighted, worst first.

    grouped : variables whose categories are ranges of numbers or dates: their ends are records' answers. weighted : counts are
    sums of design weights, so that nobody can tell how many records are behind one. Both matter where it is not open.
    """
    tables, cells = f"{where}/scan_tables", f"{where}/scan_cells"
    claims = [
        say(
            "{n} combinations of variables were looked at, {cells} cells in all; {found} cells differ by more than chance.",
            n=facts.of(tables, how="rows"), cells=facts.of(tables, "cells", "sum"), found=facts.of(tables, "discoveries", "sum"),
        )
    ]  # fmt: skip
    kinds = [
        ("impossible", "{n} combination{n:s} with people here that were declared impossible."),
        ("invented", "{n} combination{n:s} listed as invented: people here, none in the reference."),
        ("missing", "{n} combination{n:s} listed as missing: people in the reference, none here."),
    ]
    for kind, text in kinds if "kind" in facts.table(cells) else ():
        n = facts.of(cells, how="rows", kind=kind)
        claims.append(say(text, n=n) if n.value or kind != "impossible" else None)  # 0: perhaps none declared
    claims += _rarity(facts, f"{where}/scan_rarity")
    table, hidden = _worst(facts.table(cells), Source(f"{cells}.parquet"), is_open, tuple(grouped), weighted)
    if hidden:
        ranges = ", and those with ranges of numbers," if grouped else ""
        which = "none is" if weighted else f"those that fewer than {FEW} of the reference have{ranges} are not"
        text = f"Of {{n}} combinations listed, {which} named: the reference is not declared open."
        claims.append(say(text, n=facts.of(cells, how="rows")))
    return Section.of("combinations", "Combinations invented, missing and misweighted", claims, [table])


def _rarity(facts: Facts, name: str) -> list[Claim | None]:
    """How many combinations are missing, by how rare they are in the reference."""
    frame = facts.table(name)
    if not {"rarity", "cells", "missing"} <= set(frame.columns):
        return []
    made = []
    for band in dict.fromkeys(frame["rarity"]):
        at = {c: facts.of(name, c, "sum", rarity=band) for c in ("missing", "cells", "missing_floor")}
        words = f"Of combinations with {braced(band)} expected, {{missing:,.0f}} of {{cells:,.0f}} are missing"
        made.append(
            say(
                f"{words} (a perfect sample: {{floor:,.0f}}).",
                missing=at["missing"],
                cells=at["cells"],
                floor=at["missing_floor"],
            )
            or say(f"{words}.", missing=at["missing"], cells=at["cells"])
        )
    return made


def _worst(
    frame: pd.DataFrame, source: Source, is_open: bool, grouped: tuple[str, ...], weighted: bool
) -> tuple[CardTable | None, int]:
    """Worst cells that are no mere consequence of another, and how many are not named."""
    if not {"cell", "kind", "expected", "observed"} <= set(frame.columns):
        return None, 0
    if "explained_by" in frame:
        frame = frame[frame["explained_by"].fillna("").astype(str).isin(["", "-1"])]
    if "rank" in frame:
        frame = frame.sort_values("rank", kind="stable")
    rare = frame["expected"].between(0, FEW, inclusive="neither")
    if "real" in frame:
        rare |= frame["real"].between(0, FEW, inclusive="neither")
    rare |= weighted
    said = " and " + frame["cell"].astype(str)
    for name in grouped:
        rare |= said.str.contains(f" and {' '.join(name.split())} = ", regex=False)
    shown = frame if is_open else frame[~rare]
    rows = tuple(
        (
            str(row["cell"]), str(row["kind"]), _count(row.get("real", row["expected"]), is_open),
            _count(row["observed"], is_open), spoken(row.get("reference", "")),
        )
        for row in shown.head(_MOST_CELLS).to_dict("records")
    )  # fmt: skip
    columns = ("Combination", "Kind", "Reference", "Here", "Against")
    return CardTable("Worst combinations", columns, rows, source), 0 if is_open else int(rare.sum())


def _count(value: Any, is_open: bool) -> str:
    if value is None or math.isnan(value):
        return "–"
    if not is_open and 0 < value < FEW:
        return f"fewer than {FEW}"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= FEW else f"{value:,.1f}"


def audited_disclosure(facts: Facts, *, is_open: bool, where: str = "audit") -> list[Claim | None]:
    """Say what was measured of disclosure: uniqueness by zone, replicated uniques, attacks."""
    zones, identity = f"{where}/zone_uniqueness", f"{where}/disclosure_identity"
    people, unique = facts.of(zones, "people", "sum"), facts.of(zones, "unique", "sum")
    words = "{unique} of {people} people are the only one of their combination of keys in their zone."
    claims = [
        say(words, unique=unique, people=people)
        if is_open or not unique.known or unique.value == 0 or unique.value >= FEW else None,
    ]  # fmt: skip
    everything = {"without": ""} if "without" in facts.table(identity) else {}
    claims.append(
        say(
            "Of 100 real records {unique:.2f} are unique on {keys:name}, and {repeated:.2f} of them are unique in the "
            "synthetic data too.",
            unique=facts.of(identity, "UiO", **everything), keys=facts.of(identity, "keys", **everything),
            repeated=facts.of(identity, "repU", **everything),
        )
    )  # fmt: skip
    attacks = facts.table(f"{where}/attacks")
    for attack in attacks["attack"].drop_duplicates() if "attack" in attacks else ():
        at = {c: facts.of(f"{where}/attacks", c, attack=attack) for c in ("risk", "risk_lower", "risk_upper", "n")}
        claims.append(
            say(
                f"Attack {braced(attack)}: risk {{risk:.3g}} ({{lower:.3g}} to {{upper:.3g}}, {{n}} attempts) beyond what the "
                "control set gives away.",
                risk=at["risk"], lower=at["risk_lower"], upper=at["risk_upper"], n=at["n"],
            )
        )  # fmt: skip
    return claims


def audited_figures(facts: Facts, *, is_open: bool, where: str = "audit") -> Section:
    """List every plain figure of the audit's headline, as it stands there; of a survey that is not open the numbers only.

    Words of a headline may name a group that one record is in.
    """
    summary: Mapping[str, Any] = facts.files.get(f"{where}/checks.json") or {}
    claims = [
        say(f"{braced(key)}: {{value}}.", value=facts.get(f"{where}/checks.json", pointer("headline", key)))
        for key, value in summary.get("headline", {}).items()
        if not isinstance(value, Mapping | list) and (is_open or not isinstance(value, str))
    ]
    return Section.of("audit", "What the audit found", claims)
