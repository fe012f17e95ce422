"""Pages from templates: text escaped, scripts named to the browser by their hash, files put in place whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from synthpop_gb.atomic import replacing
from synthpop_gb.checks import without_records
from synthpop_gb.errors import Finding
from synthpop_gb.export import script_hashes
from synthpop_gb.report.words import plain, small

__all__ = ["file_in", "put", "render", "source", "written_finding"]


def source(name: str) -> str:
    """Return the text of a file in templates/."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment():
    """Return the templates, each compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    kept_tidy = {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=PackageLoader("synthpop_gb.report"), autoescape=True, undefined=StrictUndefined, **kept_tidy)
    environment.filters["ticked"] = _ticked
    return environment


def render(template: str, context: dict, *, styles: Sequence[str] = ("style.css",), scripts: Sequence[str] = ()) -> str:
    """Fill a template. Scripts are named to the browser by their hash, so that no other script can run in the page."""
    allowed = "script-src " + (script_hashes(scripts) or "'none'")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; {allowed}"
    style = "\n".join(source(name) for name in styles)
    return _environment().get_template(template).render(context, policy=policy, style=style, scripts=list(scripts))


def file_in(path: str | Path, name: str) -> Path:
    """Return the file to be written: `name` in a folder, or the file itself."""
    path = Path(path)
    return path / name if path.is_dir() or not path.suffix else path


def put(path: Path, text: str) -> Path:
    """Write a text as a whole or not at all; an existing file is replaced. Raises InputError `output-locked`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def written_finding(item: Finding, named: bool) -> dict:
    """Return a finding with at most eight of its rows, written out; `named`: records may be, the survey's licence is open."""
    item = item if named else without_records(item)
    rows = None
    if item.rows is not None and len(item.rows):
        head = item.rows.head(8)
        cells = [[small(v) if isinstance(v, float) else plain(v) for v in row] for row in head.astype(object).to_numpy().tolist()]
        rows = {"names": [str(c) for c in head.columns], "cells": cells, "left": len(item.rows) - len(head)}
    return {"code": item.code, "level": item.level, "message": item.message, "why": item.why, "remedy": item.remedy, "rows": rows}


def _ticked(text: str):
    """Escape a text and set what stands between back quotes as code."""
    from markupsafe import Markup, escape

    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
