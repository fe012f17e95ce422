"""What the card says of an audit, of a run or of any pair of files: verdicts, combinations, uniqueness, attacks, in counts.

Every table is optional: what was not audited is not claimed. Of a survey that is not open no count of fewer than ten is shown,
nor a combination that fewer than ten have.
"""

from __future__ import annotations

import math
import re
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
    cells = f"{where}/scan_cells"
    judged = _references(facts.table(f"{where}/scan_tables"))
    claims = [_looked_at(facts, f"{where}/scan_tables", r, judges) for r, judges in judged.items()]
    for reference in [r for r, judges in judged.items() if judges and not r.endswith(", by zone")] if judged else []:
        claims.append(_listed(facts, cells, reference))
    claims += _rarity(facts, f"{where}/scan_rarity")
    claims += _withheld(facts, f"{where}/checks.json")
    table, hidden = _worst(facts.table(cells), Source(f"{cells}.parquet"), is_open, tuple(grouped), weighted)
    if hidden:
        ranges = ", and those with ranges of numbers," if grouped else ""
        which = "none is" if weighted else f"those that fewer than {FEW} of the reference have{ranges} are not"
        text = f"Of {{n}} combinations listed, {which} named: the reference is not declared open."
        claims.append(say(text, n=facts.of(cells, how="rows")))
    return Section.of("combinations", "Combinations invented, missing and misweighted", claims, [table])


def _references(tables: pd.DataFrame) -> dict[str, bool]:
    """By reference, whether anything is judged by it: not by the survey whose records were copied. {} without references."""
    if not {"reference", "passes"} <= set(tables.columns):
        return {}
    return {str(r): bool(mine["passes"].notna().any()) for r, mine in tables.groupby("reference", sort=False)}


def _looked_at(facts: Facts, tables: str, reference: str, judges: bool) -> Claim | None:
    """How much was compared with one reference: each scan is of the same combinations, so that they do not add up."""
    at = {"n": facts.of(tables, how="rows", reference=reference), "cells": facts.of(tables, "cells", "sum", reference=reference)}
    words = f"Against {braced(reference)}: {{n}} combination{{n:s}} of variables, {{cells}} cells"
    if not judges:
        return say(f"{words}. Its records were copied, so what differs from it is no error by itself.", **at)
    found = facts.of(tables, "discoveries", "sum", reference=reference)
    return say(f"{words}; {{found}} cell{{found:s}} beyond chance.", **at, found=found)


def _listed(facts: Facts, cells: str, reference: str) -> Claim | None:
    """How many combinations of each kind are listed against one reference; nothing where none is."""
    words = {
        "impossible": "declared impossible, with people here", "invented": "invented (people here, none there)",
        "missing": "missing (people there, none here)", "too many": "with too many people", "too few": "with too few",
    }  # fmt: skip
    if not {"kind", "reference"} <= set(facts.table(cells).columns):
        return None
    found = {kind: facts.of(cells, how="rows", kind=kind, reference=reference) for kind in words}
    some = {kind.replace(" ", "_"): (words[kind], figure) for kind, figure in found.items() if figure.value}
    text = ", ".join(f"{{{name}}} {said}" for name, (said, _) in some.items())
    return say(f"Listed against {braced(reference)}: {text}.", **{name: figure for name, (_, figure) in some.items()})


def _rarity(facts: Facts, name: str) -> list[Claim | None]:
    """How many combinations are missing, by how rare they are in the first reference, the rarest first."""
    frame = facts.table(name)
    if not {"rarity", "cells", "missing"} <= set(frame.columns) or frame.empty:
        return []
    where = {"reference": frame["reference"].iloc[0]} if "reference" in frame else {}
    mine = frame[frame["reference"] == where["reference"]] if where else frame
    against = f" by {braced(where['reference'])}" if where else ""
    made = []
    for band in sorted(dict.fromkeys(map(str, mine["rarity"])), key=_first_number):
        at = {c: facts.of(name, c, "sum", rarity=band, **where) for c in ("missing", "cells", "missing_floor")}
        words = f"Of combinations with {braced(band)} expected{against}, {{missing:,.0f}} of {{cells:,.0f}} are missing"
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


def _first_number(band: str) -> tuple[float, bool]:
    """Sort classes of rarity: 'under 1' before '1' before '2 to 4'."""
    number = re.search(r"\d+", band.replace(",", ""))
    return (float(number[0]) if number else math.inf, not band.startswith("under"))


def _withheld(facts: Facts, summary: str) -> list[Claim | None]:
    """How many groups an audit does not name, since few records of a survey under licence are in them."""
    held = (facts.files.get(summary) or {}).get("findings", [])
    return [
        say(
            f"{{n}} group{{n:s}} of combinations that fewer than {FEW} records of the survey have are neither named nor counted.",
            n=facts.get(summary, f"/findings/{i}/count"),
        )
        for i, item in enumerate(held)
        if item["code"] == "few-behind"
    ]


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
