"""What comes first: what was compared, for which uses it serves, what does not fit, the worst groups in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.report._html import written_finding
from synthpop_gb.report.audit.grids import grid, table_of, text_in
from synthpop_gb.report.audit.words import (
    VERDICTS,
    cell_count,
    cell_words,
    chance,
    group_sentence,
    headline,
    listed,
    times,
)
from synthpop_gb.report.words import Column, Grid, counted, fixed, number, plain, said, whole

__all__ = [
    "beyond_chance",
    "copied_from",
    "facts_of",
    "first_findings",
    "groups",
    "groups_grid",
    "lost_by_chance",
    "ordered_findings",
    "verdicts",
    "worst_cells",
    "zone_groups_grid",
]

_LEVELS = {"error": 0, "warning": 1, "note": 2}

MOST_GROUPS = 15

NOT_MEANT = ("–", "Not meant for it", "none")
"""Symbol, word and tone of a use that data of this kind do not serve at all: no failure of theirs, so not counted."""

Q = 0.05
"""Share of false discoveries up to which a lost category counts as more than chance."""

SECTION_OF = {
    "scan_": "groups", "utility_tables": "pairs", "univariate": "variables", "association": "association", "propensity": "models",
    "regression": "models", "prediction": "models", "confusion": "models", "importance": "models", "fairness": "models",
    "disclosure_": "disclosure", "attacks": "disclosure", "zone_uniqueness": "disclosure", "intruder": "disclosure",
    "donor_reuse": "disclosure",
}  # fmt: skip
"""Where on the page a table's figures stand, by the beginning of its name."""


def verdicts(checks: Checks) -> dict:
    """Return the verdict per use: a sentence with its tone, and a card a use."""
    frame = table_of(checks, "verdicts")
    cards = []
    for row in frame.to_dict("records"):
        symbol, word, tone = VERDICTS.get(plain(row.get("verdict")), VERDICTS["unknown"])
        if not row.get("meant", True):
            symbol, word, tone = NOT_MEANT
        where = plain(row.get("table"))
        section = next((s for start, s in SECTION_OF.items() if where.startswith(start)), "")
        cards.append(
            {
                "use": plain(row.get("use")), "symbol": symbol, "word": word, "tone": tone, "figure": plain(row.get("figure")),
                "threshold": plain(row.get("threshold")), "reason": plain(row.get("reason")), "section": section,
            }
        )  # fmt: skip
    judged = frame[frame["meant"].astype(bool)] if "meant" in frame else frame
    known = [plain(v) if plain(v) in VERDICTS else "unknown" for v in judged["verdict"]] if "verdict" in frame else []
    tone, sentence = headline(known)
    return {"cards": cards, "tone": tone, "headline": sentence}


def ordered_findings(checks: Checks, findings: Sequence[Finding]) -> list[Finding]:
    """Everything that was found, once each, errors first."""
    seen, out = set(), []
    for item in (*findings, *checks.findings):
        if (item.code, item.message) not in seen:
            seen.add((item.code, item.message))
            out.append(item)
    return sorted(out, key=lambda f: _LEVELS.get(f.level, 3))


def first_findings(found: Sequence[Finding], most: int = 6) -> list[dict]:
    """Return the errors and warnings that a reader sees before anything else."""
    return [written_finding(f, named=False) for f in found if f.level in ("error", "warning")][:most]


def facts_of(facts: Mapping[str, object]) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """Divide facts into those that stand under the title and groups (values that are mappings) for the end of the page."""
    top = [(_heading(k), _fact(v)) for k, v in facts.items() if not isinstance(v, Mapping)]
    groups = [(_heading(k), [(_heading(a), _fact(b)) for a, b in v.items()]) for k, v in facts.items() if isinstance(v, Mapping)]
    return [(k, v) for k, v in top if v], [(k, rows) for k, rows in groups if rows]


def _heading(name: object) -> str:
    text = said(name)
    return text if "." in text or not text else text[0].upper() + text[1:]


def _fact(value) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return listed([plain(v) for v in value])
    return plain(value)


def copied_from(checks: Checks) -> tuple[str, ...]:
    """Name the references whose records were copied: what differs from them is no error by itself."""
    tables = table_of(checks, "scan_tables", ("reference", "invented"))
    unknown = (
        tables["invented"].isna().groupby(text_in(tables, "reference"), sort=False).all()
        if len(tables)
        else pd.Series(dtype=bool)
    )
    return tuple(unknown.index[unknown])


def groups(checks: Checks, unit: str, most: int = MOST_GROUPS, *, copied: bool = False) -> list[dict]:
    """Name the worst groups, one a cause: what follows from a wrong table of fewer variables is left to the tables below.

    copied : of the references whose records were copied, instead of all the others.
    """
    cells = worst_cells(checks)
    cells = cells[text_in(cells, "reference").isin(copied_from(checks)) == copied]
    if len(cells):
        cells = cells[(cells["explained_by"] == "") & beyond_chance(cells)]
    out = []
    for row in cells.head(most).to_dict("records"):
        beside = [_times(*(float(row.get(c, np.nan)) for c in ("ratio", "lower", "upper")))]
        if np.isfinite(row.get("q", np.nan)):
            beside.append(f"q {'' if row['q'] < 1e-4 else '= '}{chance(row['q'])}")
        follow = int(row.get("follow", 0) or 0)
        out.append(
            {
                "sentence": group_sentence(row, unit),
                "kind": plain(row["kind"]),
                "tone": plain(row["kind"]).replace(" ", "-"),
                "beside": "; ".join(filter(None, beside)),
                "protected": _protected(row, checks),
                "follows": f"{counted(follow, 'cell')} of more variables {'follows' if follow == 1 else 'follow'} from it"
                if follow
                else "",
            }
        )
    return out


def _times(ratio: float, lower: float, upper: float) -> str:
    """Say how many times as many there are, with the interval; of none or from nothing the end that is known."""
    if np.isfinite(ratio) and ratio > 0:
        known_ends = np.isfinite(lower) and np.isfinite(upper)
        return f"{times(ratio)} as many" + (f", {_ratio(lower)} to {_ratio(upper)} (95 %)" if known_ends else "")
    if np.isinf(ratio) and np.isfinite(lower):
        return f"at least {_ratio(lower)} times as many (95 %)"
    return f"at most {_ratio(upper)} times as many (95 %)" if ratio == 0 and np.isfinite(upper) else ""


def _ratio(value: float) -> str:
    """Write a ratio: whole from ten on, else two digits that count."""
    return number(value) if value >= 10 else f"{value:.2g}"


def worst_cells(checks: Checks) -> pd.DataFrame:
    """Return the wrong cells of `scan_cells`, worst first: `real` the reference's own count, `expected` at the synthetic size."""
    cells = table_of(checks, "scan_cells")
    if cells.empty or not {"kind", "cell", "expected", "observed"} <= set(cells):
        return pd.DataFrame(columns=["kind", "cell", "expected", "observed", "reference"])
    if "excess" in cells:
        cells = cells.assign(real=cells["expected"], expected=(cells["observed"] - cells["excess"]).clip(lower=0.0))
    cells = cells.assign(explained_by=text_in(cells, "explained_by"))
    wrong = cells[text_in(cells, "kind") != ""]
    if "rank" not in wrong:
        return wrong.reset_index(drop=True)
    names = text_in(wrong, "reference")
    order = wrong.assign(_at=pd.factorize(names)[0]).sort_values(["_at", "rank"], kind="stable").index  # references one by one
    return wrong.loc[order].reset_index(drop=True)


def beyond_chance(cells: pd.DataFrame) -> pd.Series:
    """Tell which cells differ by more than chance: those lost may be listed though chance could have lost them."""
    if "q" not in cells:
        return pd.Series(True, cells.index)
    return (cells["kind"] != "missing") | cells["q"].isna() | (cells["q"] <= Q)


def lost_by_chance(checks: Checks, unit: str, most: int = 6) -> str:
    """Say which categories are lost though a perfect sample might have lost them as well; '' where there are none."""
    cells = worst_cells(checks)
    cells = cells[~beyond_chance(cells) & (cells["explained_by"] == "")] if len(cells) else cells
    if cells.empty:
        return ""
    named = [
        f"{cell_words(c)} ({cell_count(n)})" for c, n in zip(cells["cell"], cells.get("real", cells["expected"]), strict=True)
    ]
    return f"Also lost, though chance could explain it, with real {unit} in brackets: {listed(named, most)}."


def _protected(row: dict, checks: Checks) -> str:
    """Name the combination where all of it is protected attributes."""
    value = row.get("protected", np.nan)
    if isinstance(value, str):
        return listed([said(v.strip()) for v in value.replace(" x ", ",").split(",") if v.strip()])
    if pd.isna(value) or not bool(value):
        return ""
    return said(row.get("combination", "")) or "yes"


def groups_grid(checks: Checks, most: int = 60) -> Grid | None:
    """List the wrong cells with every figure, for who wants to check them."""
    cells = worst_cells(checks)
    columns = [
        Column("cell", "Group", text=True, wrap=True, write=cell_words),
        Column("kind", "Kind", text=True),
        Column("reference", "Measured against", text=True),
        Column("real", "Reference", "its own count", cell_count),
        Column("expected", "Expected", "at the synthetic size", cell_count),
        Column("observed", "Synthetic", "count", cell_count),
        Column("ratio", "Ratio", "", fixed(2)),
        Column("lower", "Lower", "95 %", fixed(2)),
        Column("upper", "Upper", "95 %", fixed(2)),
        Column("p", "p", "exact", chance),
        Column("q", "q", "false discoveries", chance),
        Column("k", "k", "variables", whole),
        Column("excess", "Excess", "at the synthetic size", cell_count),
        Column("explained_by", "Follows from", text=True, wrap=True),
    ]
    return grid(cells, columns, "Cells further from the reference than chance explains, worst first", most=most, what="cell")


def zone_groups_grid(checks: Checks) -> Grid | None:
    """List the worst groups with the zones where they are worst; None where zones were not scanned."""
    frame = table_of(checks, "scan_zone_cells")
    if "explained_by" in frame:
        frame = frame[text_in(frame, "explained_by") == ""].reset_index(drop=True)
    columns = [
        Column("cell", "Group", text=True, wrap=True, write=cell_words),
        Column("reference", "Measured against", text=True),
        Column("expected", "Expected", "people, all zones", cell_count),
        Column("observed", "Synthetic", "people, all zones", cell_count),
        Column("misplaced", "In the wrong zone", "people", cell_count),
        Column("floor", "By chance", "people", cell_count),
        Column("zone", "Most in", text=True),
        Column("zone_expected", "Expected", "there", cell_count),
        Column("zone_observed", "Synthetic", "there", cell_count),
        Column("q", "q", "false discoveries", chance),
    ]
    return grid(frame, columns, "Groups that are furthest off zone by zone, and where they differ most", most=20, what="group")
