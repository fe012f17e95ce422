"""A layer's style as QGIS keeps it (QML): classes of colour by rule, unreliable areas hatched, a legend with its unit.

Rules rather than QGIS's graduated classes, since only rules draw a second pattern over some areas, with a line of its own in the
legend. Texts come from data: whatever QGIS would evaluate in them, '[% ... %]', is taken apart, column names are those of
`geopackage.column_names`, which hold no quotes, and values are escaped where QGIS shows them as HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from xml.etree import ElementTree as ET

from synthpop_gb.export.fields import Field
from synthpop_gb.geography.classes import MISSING, Classes

__all__ = ["LayerStyle", "outline_style", "plain", "value_style"]

_INK, _STRIPES, _GREY = "#1f2933", "#5f6b76", "#9aa5b1"
_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"

LayerStyle = tuple[str, str, str]
"""Name, description, QML."""


def plain(text: str) -> str:
    """Return text that QGIS shows as it stands: what it would evaluate is taken apart, and what XML cannot hold left out.

    >>> plain("a [% env('HOME') %] b")
    "a [ % env('HOME') % ] b"
    """
    kept = "".join(c for c in str(text) if c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and c not in "\ufffe\uffff")
    return kept.replace("[%", "[ %").replace("%]", "% ]")


def value_style(
    column: str,
    field: Field,
    classes: Classes,
    *,
    n_areas: int,
    code: str,
    name: str | None,
    doubtful: tuple[str, str] | None,
    aliases: Mapping[str, str] | None = None,
) -> LayerStyle:
    """Style of a layer by one column.

    column, code, name, doubtful : names of the column shown, of the areas' codes and names, and of the column and its word by
        which areas are hatched (None: none). classes : of the values as shown. n_areas : how many areas the layer has.
    aliases : heading of each column, for QGIS with a GDAL that reads none from the file (before 3.7).
    """
    value = f'"{column}"' if field.scale == 1 else f'{field.scale:.12g} * "{column}"'
    root, rules, symbols = _frame()
    heading = ET.SubElement(rules, "rule", key=_key(0), label=_heading(field))
    width = 0.12 if n_areas <= 1_000 else 0.03
    filters = _filters(value, classes.limits.tolist()) if classes.labels else ()
    ranges = list(zip(classes.labels, classes.colours, filters, strict=True))
    for label, colour, said in reversed(ranges):  # the highest class stands first in the legend
        edge = "#ffffff" if n_areas <= 1_000 else colour
        _rule(heading, symbols, label, f'"{column}" IS NOT NULL{said}', [_fill(colour, edge, width)])
    _rule(rules, symbols, "no value", f'"{column}" IS NULL', [_fill(MISSING, _GREY, width), _hatch(45, _GREY)])
    if doubtful is not None:
        hatched = [_fill("#ffffff", "", 0, alpha=115), _hatch(135, _STRIPES)]
        said, word = doubtful
        quoted = word.replace("'", "''")
        _rule(rules, symbols, word, f"\"{said}\" = '{quoted}'", hatched)
    shown = f"if({value} IS NULL, 'no value', format_number({value}, {classes.decimals + 1}))"
    lines = [f"<b>[% {_place(name, code)} %]</b>", f"{_html(field.label)}: [% {shown} %] {_html(field.legend)}"]
    if doubtful is not None:
        lines.append(f"[% {_escaped(_quoted(said))} %]")
    ET.SubElement(root, "mapTip", enabled="1").text = "<br>".join(lines)
    headings = ET.SubElement(root, "aliases")
    for safe, alias in (aliases or {}).items():
        ET.SubElement(headings, "alias", field=safe, name=plain(alias))
    ET.SubElement(root, "layerGeometryType").text = "2"
    return plain(field.label)[:30] or "style", _heading(field), _HEAD + ET.tostring(root, "unicode")


def outline_style(level: str, code: str, name: str | None) -> LayerStyle:
    """Style of a layer of larger areas without values: their outlines."""
    root, rules, symbols = _frame()
    _rule(rules, symbols, plain(level), "", [_fill("#ffffff", _INK, 0.4, alpha=0)])
    ET.SubElement(root, "mapTip", enabled="1").text = f"<b>[% {_place(name, code)} %]</b>"
    ET.SubElement(root, "layerGeometryType").text = "2"
    return f"outlines of {plain(level)}"[:30], "Outlines", _HEAD + ET.tostring(root, "unicode")


def _frame() -> tuple[ET.Element, ET.Element, ET.Element]:
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology|Fields|MapTips")
    renderer = ET.SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0", enableorderby="0", forceraster="0")
    rules = ET.SubElement(renderer, "rules", key="{00000000-0000-4000-8000-000000000000}")
    return root, rules, ET.SubElement(renderer, "symbols")


def _key(number: int) -> str:
    """Key of a rule: any that differs from the others; the same in every file."""
    return f"{{00000000-0000-4000-8000-{number + 1:012d}}}"


def _filters(value: str, limits: list[float]) -> Iterator[str]:
    """Condition of each class, lowest first: from its lower limit to below the next."""
    ends = [None, *limits, None]
    for low, high in pairwise(ends):
        above = "" if low is None else f" AND {value} >= {low!r}"
        yield above + ("" if high is None else f" AND {value} < {high!r}")


def _rule(parent: ET.Element, symbols: ET.Element, label: str, said: str, layers: list[ET.Element]) -> None:
    number = len(symbols)
    rule = ET.SubElement(parent, "rule", key=_key(number + 1), symbol=str(number), label=plain(label))
    if said:
        rule.set("filter", said)
    symbol = ET.SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1", force_rhr="0")
    for i, layer in enumerate(layers):
        for part in layer.findall("symbol"):
            part.set("name", f"@{number}@{i}")
        symbol.append(layer)


def _fill(colour: str, edge: str, width: float, alpha: int = 255) -> ET.Element:
    """Fill of one colour ('#rrggbb', alpha 0 to 255) with an edge of so many millimetres, or none."""
    return _layer(
        "SimpleFill", border_width_map_unit_scale="3x:0,0,0,0,0,0", color=_rgba(colour, alpha), joinstyle="bevel", offset="0,0",
        outline_color=_rgba(edge or colour), outline_style="solid" if edge else "no", outline_width=f"{width:g}",
        outline_width_unit="MM", style="solid",
    )  # fmt: skip


def _hatch(angle: int, colour: str) -> ET.Element:
    """Parallel lines at an angle, 1.2 mm apart."""
    layer = _layer("LinePatternFill", angle=str(angle), distance="1.2", distance_unit="MM", line_width="0.26", offset="0",
                   color=_rgba(colour), outline_width_unit="MM")  # fmt: skip
    symbol = ET.SubElement(layer, "symbol", type="line", alpha="1", clip_to_extent="1", force_rhr="0")
    symbol.append(_layer("SimpleLine", line_color=_rgba(colour), line_style="solid", line_width="0.2", line_width_unit="MM"))
    return layer


def _layer(kind: str, **properties: str) -> ET.Element:
    """One layer of a symbol; its properties are written twice, as QGIS before 3.26 and after read them."""
    layer = ET.Element("layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(layer, "Option", type="Map")
    for name, value in properties.items():
        ET.SubElement(options, "Option", name=name, type="QString", value=value)
    for name, value in properties.items():
        ET.SubElement(layer, "prop", k=name, v=value)
    return layer


def _rgba(colour: str, alpha: int = 255) -> str:
    """'#rrggbb' as QGIS writes it.

    >>> _rgba("#ff0080", 40)
    '255,0,128,40'
    """
    return ",".join([*(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)), str(alpha)])


def _place(name: str | None, code: str) -> str:
    """Expression for an area's name and code."""
    return _escaped(_quoted(code) if name is None else f"coalesce({_quoted(name)} || ', ', '') || {_quoted(code)}")


def _quoted(column: str) -> str:
    return f'"{column}"'


def _escaped(expression: str) -> str:
    """Expression for what another gives, as HTML that shows it as it stands: map tips are pages, and names may hold tags."""
    return f"replace(replace(coalesce({expression}, ''), '&', '&amp;'), '<', '&lt;')"


def _html(text: str) -> str:
    return plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _heading(field: Field) -> str:
    return plain(f"{field.label} ({field.legend})" if field.legend else field.label)
