"""Explanations as texts: for a terminal, as Markdown, as a page, as JSON, as CSV. Words first, then the tables behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.card.escape import identifier, markdown
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export import guarded
from synthpop_gb.report._html import put, render
from synthpop_gb.report.words import Column, Grid, fixed, grid_of, percent, plain, said, small, whole
from synthpop_gb.validation.explanation import CAUSES, Explanation

__all__ = ["explanation_text", "write_explanations"]

_FORMATS = (".md", ".html", ".json")
_CELLS = 400  # rows on a page; the files hold all


def _text(key: str, heading: str, write=plain, *, wrap: bool = False) -> Column:
    return Column(key, heading, "", write, text=True, wrap=wrap)


def _count(key: str, heading: str, unit: str = "") -> Column:
    return Column(key, heading, unit, whole)


def _donors(key: str, heading: str, unit: str = "") -> Column:
    """Write a count of donors; words where it is withheld."""
    return Column(key, heading, unit, lambda value: value if isinstance(value, str) else whole(value))


_COLUMNS = {
    "tables": (
        "Tables: what they ask, what the fit gave, who was placed",
        [
            _text("table", "Table", said), _text("unit", "Counts"), _count("cells", "Cells"),
            _count("published", "Published"), _count("target", "Target", "settled"),
            Column("fitted", "Fitted", "fractional", fixed(1)), _count("observed", "Counted", "whole"),
            _count("error", "Error", "sum of misses"), Column("largest_fit_miss", "Largest miss", "of the fit", small),
            _count("cells_missed", "Cells missed"),
        ],
    ),
    "causes": (
        "Causes",
        [
            _text("zone", "Zone"), _text("cause", "Cause"), _text("table", "Table", said),
            _text("cell", "Cell", said), Column("amount", "Amount", "", fixed(1)), _text("unit", "of"),
            _text("words", "Why", wrap=True),
        ],
    ),
    "relax": (
        "The smallest set of targets to relax, and by how much",
        [
            _text("zone", "Zone"), _text("table", "Table", said), _text("cell", "Cell", said),
            Column("target", "Target", "", fixed(1)), Column("change", "Change", "", fixed(1)), Column("to", "To", "", fixed(1)),
        ],
    ),
    "keeping": (
        "The least change of targets that keeps every table’s total",
        [
            _text("zone", "Zone"), _text("table", "Table", said), _text("cell", "Cell", said),
            Column("target", "Target", "", fixed(1)), Column("change", "Change", "", fixed(1)), Column("to", "To", "", fixed(1)),
        ],
    ),
    "zones": (
        "Zones, the worst first",
        [
            _text("zone", "Zone"), _text("name", "Name"), _count("people", "People"),
            _text("fit", "Fit"), _text("whole", "Whole"), _count("error", "Error", "sum of misses"),
            _text("worst_cell", "Worst cell", wrap=True), _text("cause", "Cause"),
        ],
    ),
    "cells": (
        "Cells: targets, fit and donors",
        [
            _text("table", "Table", said), _text("cell", "Cell", said), _text("unit", "Counts"),
            _count("published", "Published"), _count("target", "Target"), Column("fitted", "Fitted", "", fixed(2)),
            _count("observed", "Counted"), _count("error", "Error"), _donors("donors", "Donors", "in the survey"),
            _donors("donors_here", "Donors left", "by this place’s tables"),
            Column("effective_donors", "Worth", "of equal weight", fixed(0)), _donors("used", "Used", "different records"),
            _text("cause", "Cause"),
        ],
    ),
    "levels": (
        "Tables of the areas that it lies in, over all their zones",
        [
            _text("level", "Level"), _text("area", "Area"), _text("table", "Table", said),
            _text("cell", "Cell", said), _text("unit", "Counts"), _count("target", "Target"),
            _count("observed", "Counted"), _count("error", "Error"),
        ],
    ),
    "donors": (
        "Donors used most",
        [_text("donor", "Donor"), _count("copies", "Copies"), Column("share", "Share", "% of people", percent)],
    ),
}  # fmt: skip


def explanation_text(explanations: Sequence[Explanation], most: int = 12) -> str:
    """Write explanations for a terminal: words, then the tables, each cut after `most` rows.

    Cells are listed where they miss; all of them lie in the files.
    """
    parts = []
    for item in explanations:
        grids = [g for name, g in _grids(item, most) if name not in ("causes", "cells", "zones") or not item.fits]
        parts.append("\n\n".join([item.text, *(_plain_grid(g) for g in grids)]))
    return "\n\n\n".join(parts)


def write_explanations(explanations: Sequence[Explanation], path: str | Path, *, title: str) -> tuple[Path, ...]:
    """Write explanations to a file, or as CSV into a folder.

    Parameters
    ----------
    explanations : sequence of Explanation
        Of one run.
    path : path
        A name that ends in .md, .html or .json makes that; without an ending it is a folder: explanation.md, and each table of
        each place as CSV, in a folder called by the place's code where there are several.
    title : str
        What the run is called.

    Returns
    -------
    tuple of Path
        The files. Existing ones are replaced.

    Raises
    ------
    InputError
        `output-locked`; `study-value` for another ending, such as .txt.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        if path.suffix and not path.is_dir():
            message = f"{path.name} has none of the endings {', '.join(_FORMATS)}; a folder has none at all."
            raise InputError([finding("study-value", message, place=str(path))])
        return _folder(explanations, path, title)
    write = {".md": _markdown, ".html": _page, ".json": _json}[path.suffix.lower()]
    return (put(path, write(explanations, title)),)


def _grids(item: Explanation, most: int | None = _CELLS) -> list[tuple[str, Grid]]:
    """Tables of one explanation, in the order in which they are read; empty ones and empty columns are left out."""
    found = []
    for name, (caption, columns) in _COLUMNS.items():
        frame = item.tables.get(name, pd.DataFrame())
        if name in ("cells", "levels") and most is not None and most < _CELLS:
            frame = frame[frame["missed"].astype(bool)] if len(frame) else frame
        if frame.empty:
            continue
        if name == "donors":
            columns = [*columns, *(Column(c, said(c), text=True) for c in frame.columns[3:] if c != "members")]
        if name == "causes" and item.level == "zone":
            columns = columns[1:]
        empty = {c.key for c in columns if c.text and not frame[c.key].astype(str).str.len().any()}
        grid = grid_of(frame.head(most), [c for c in columns if c.key not in empty], caption)
        left = 0 if most is None else len(frame) - most
        found.append((name, _with_foot(grid, f"{left:,} more rows lie in the files (--output)." if left > 0 else "")))
    return found


def _with_foot(grid: Grid, foot: str) -> Grid:
    return Grid(grid.caption, grid.columns, grid.rows, foot, grid.strong, grid.marked)


def _plain_grid(grid: Grid) -> str:
    """Write a table in columns of letters."""
    heads = [c.heading for c in grid.columns]
    keep = [i for i, c in enumerate(grid.columns) if not c.wrap]  # sentences stand above already
    rows = [[heads[i] for i in keep], *([" ".join(row[i].split()) for i in keep] for row in grid.rows)]
    wide = [max(len(row[j]) for row in rows) for j in range(len(keep))]
    lines = [
        "  ".join(
            cell.ljust(w) if grid.columns[i].text else cell.rjust(w) for cell, w, i in zip(row, wide, keep, strict=True)
        ).rstrip()
        for row in rows
    ]
    return "\n".join([grid.caption, *(f"  {line}" for line in lines), *([f"  {grid.foot}"] if grid.foot else [])])


def _markdown(explanations: Sequence[Explanation], title: str) -> str:
    """Write everything as Markdown: text of others is shown, never run."""
    lines = [f"# {markdown(title)}: explained", ""]
    for item in explanations:
        lines += [f"## {markdown(item.title)}", "", markdown(item.headline), ""]
        for heading, words in (("Why", item.why), ("What would mend it", item.remedies), ("Worth knowing", item.notes)):
            if words:
                lines += [f"### {heading}", "", *(f"- {markdown(w)}" for w in words), ""]
        for _, grid in _grids(item):
            lines += [f"### {grid.caption}", "", _row(c.heading for c in grid.columns)]
            lines += [
                _row("---" if c.text else "---:" for c in grid.columns),
                *(_row(map(markdown, row)) for row in grid.rows),
                "",
            ]
            lines += [grid.foot, ""] if grid.foot else []
    return "\n".join(lines)


def _row(cells) -> str:
    return f"| {' | '.join(cells)} |"


def _page(explanations: Sequence[Explanation], title: str) -> str:
    """Write everything as one page that needs no network and runs no script."""
    places = [
        {"id": f"place-{i}", "item": item, "tone": _tone(item), "grids": [grid for _, grid in _grids(item)]}
        for i, item in enumerate(explanations)
    ]
    used = dict.fromkeys(c for item in explanations for c in item["causes"]["cause"])
    return render("explain.html.j2", {"title": title, "places": places, "causes": [(c, CAUSES[c]) for c in used]})


def _tone(item: Explanation) -> str:
    if item.fits and not len(item["causes"]):
        return "ok"
    return "warn" if item["cells"]["missed"].mean() <= 0.1 else "bad"


def _json(explanations: Sequence[Explanation], title: str) -> str:
    """Write everything as JSON: words, and each table as a list of rows."""
    told = [
        {
            "place": e.place, "name": e.name, "level": e.level, "fits": e.fits, "headline": e.headline, "why": list(e.why),
            "remedies": list(e.remedies), "notes": list(e.notes), "tables": {n: _rows(t) for n, t in e.tables.items()},
        }
        for e in explanations
    ]  # fmt: skip
    return json.dumps({"run": title, "explanations": told}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rows(frame: pd.DataFrame) -> list[dict]:
    """Rows as plain values; None where there is none."""
    plain = [
        [v.item() if isinstance(v, np.generic) else v for v in frame[c].astype(object).where(frame[c].notna(), None)]
        for c in frame
    ]
    return [dict(zip(frame.columns, row, strict=True)) for row in zip(*plain, strict=True)]


def _folder(explanations: Sequence[Explanation], folder: Path, title: str) -> tuple[Path, ...]:
    """Write the words as Markdown and each table as CSV, in which no text is taken for a formula."""
    written = [put(folder / "explanation.md", _markdown(explanations, title))]
    for item in explanations:
        place = folder / identifier(item.place) if len(explanations) > 1 else folder
        for name, frame in item.tables.items():
            texts = frame.select_dtypes(include=["object", "string"]).columns
            safe = frame.assign(**{c: [guarded(str(v)) for v in frame[c]] for c in texts})
            written.append(put(place / f"{name}.csv", safe.to_csv(index=False, lineterminator="\n")))
    return tuple(written)
