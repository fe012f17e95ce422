"""The explorer's page: one file, our own script and style, the map's engine read from an installed package, and the figures."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.explorer.data import Content
from synthpop_gb.export import script_hashes, script_json, script_text

__all__ = ["engine", "render_page", "require_engine", "write_page"]

_SCRIPTS = (
    "data.js", "scale.js", "state.js", "outlines.js", "names.js", "map.js", "panel.js", "profile.js", "table.js", "choices.js",
    "main.js",
)  # fmt: skip


def engine() -> tuple[str, str] | None:
    """Return script and style of MapLibre GL as the package `maplibre` carries them; None where it is not installed."""
    spec = find_spec("maplibre")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "srcjs"
    try:
        script, style = ((folder / f"maplibre-gl.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    except OSError:
        return None
    script = re.sub(r"//# sourceMappingURL=\S+\s*$", "", script)
    return script_text(script), style.replace("</style", "<\\/style")


def require_engine() -> tuple[str, str]:
    """Return `engine()`; raises InputError (`missing-extra`) where the map's engine is not installed."""
    found = engine()
    if found is None:
        message = "The explorer's map is drawn by MapLibre GL, which is read from the package maplibre; it is not installed."
        remedy = "pip install synthpop_gb[explore]"
        raise InputError([finding("missing-extra", message, place="explore", remedy=remedy)])
    return found


def render_page(content: Content, drawn: tuple[str, str] | None) -> str:
    """Write the page. drawn : `engine()`, or None for a page without a map.

    Only the two scripts written here can run, which the page's policy names by their hashes; it may ask for nothing anywhere.
    """
    own = _own_script()
    scripts = [drawn[0], own] if drawn is not None else [own]
    policy = (
        f"default-src 'none'; script-src {script_hashes(scripts)}; style-src 'unsafe-inline'; img-src data: blob:; "
        "worker-src blob:; child-src blob:; connect-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template("explorer.html.j2")
        .render(
            meta=content.meta, policy=policy, style=_source("explorer.css"), engine=drawn, script=own,
            data=script_json(content.meta), texts=list(enumerate(content.texts)),
        )
    )  # fmt: skip


def write_page(path: Path, content: Content, drawn: tuple[str, str] | None) -> Path:
    """Write the page as a whole or not at all. Raises InputError (`output-locked`)."""
    with replacing(path) as temporary:
        temporary.write_text(render_page(content, drawn), encoding="utf-8", newline="\n")
    return path


def _source(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


@cache
def _own_script() -> str:
    """Our scripts one behind another in one scope."""
    return '(function () {\n"use strict";\n' + "\n".join(_source(name) for name in _SCRIPTS) + "\n})();\n"


@cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("synthpop_gb.explorer"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
