"""The card as README.md: two pages for people, the verdict first; what is not here is in card.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from synthpop_gb.card.dictionary import describe_file
from synthpop_gb.card.escape import markdown, web_address
from synthpop_gb.card.noun import NOT_STATED, Card, CardTable, CardVariable, Section

__all__ = ["citation", "readme"]

_LEGEND = {
    "fidelity": "Independence: what knowing the single tables alone would give. Noise floor: what the best possible draw of "
    "whole people would show. Fractional fit: the weights before people were made whole.",
    "combinations": "Invented and missing are told against the reference named. Missing combinations are to be held against what "
    "a perfect sample of the same size would miss.",
}
"""Meanings of words that a section uses; no claim about the result."""

_SOON = ("fidelity", "combinations", "uncertainty", "simulations", "artefacts", "disclosure")
_LATER = ("preparation", "generator")
_MOST_LISTED = 12


def readme(card: Card) -> str:
    """Return the text of README.md."""
    parts = [f"# {markdown(card.about.title)}", *_opening(card), _facts(card), *_uses(card)]
    parts += [_section(card[name]) for name in _SOON if not card[name].empty]
    parts += [*_variables(card), *_sources(card), *(_section(card[name]) for name in _LATER if not card[name].empty)]
    if card["audit"].claims and card.kind == "dataset":
        parts.append(_section(card["audit"]))
    parts += [*_files(card), *_closing(card)]
    return "\n\n".join(p for p in parts if p) + "\n"


def _opening(card: Card) -> list[str]:
    """Say first where it is a scenario and not an estimate; then what does not fit, then what it is."""
    unfit, summary = card["unfitted"], card["summary"]
    changed = [markdown(c.text) for c in card["scenario"].claims]
    first = [markdown(c.text) for c in unfit.claims]
    said = [f"**{changed[0]}** {' '.join(changed[1:])}".strip()] if changed else []
    said += [f"**{first[0]}** {' '.join(first[1:])}".strip()] if first else []
    said += [_table(t) for t in unfit.tables]
    return [*said, " ".join(markdown(c.text) for c in summary.claims)]


def _facts(card: Card) -> str:
    about = card.about
    rows = [
        *_makers(card),
        ("For", markdown(about.purpose) or NOT_STATED),
        ("Licence", _linked(about.licence) or NOT_STATED),
        ("Ask", _linked(about.contact) or NOT_STATED),
        ("Cite", markdown(citation(card))),
    ]
    rows += [("Version", markdown(about.version))] if about.version else []
    rows += [("Published at", _linked(about.url))] if about.url else []
    rows += [("Paid for by", _joined(about.funding))] if about.funding else []
    return "  \n".join(f"**{k}:** {v}" for k, v in rows)


def _makers(card: Card) -> list[tuple[str, str]]:
    """Say who made it with what; of a file that was audited here, who made it, and apart from that who audited it."""
    who, by = _joined(card.about.creator), f"{markdown(card.about.software)}, {date(card.about.created)}"
    return [("Made by", who), ("Audited with", by)] if card.kind == "dataset" else [("Made by", f"{who}, with {by}")]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(markdown(n) for n in names) or NOT_STATED


def _linked(text: str) -> str:
    """Text, as a link where it is an address."""
    address = web_address(text)
    return f"[{markdown(text)}](<{address}>)" if address else markdown(text)


def date(created: str) -> str:
    """Write an ISO time as a day: '25 November 2026'.

    >>> date("2026-11-25T21:51:47+00:00"), date("")
    ('25 November 2026', 'not stated')
    """
    try:
        time = datetime.fromisoformat(created)
    except ValueError:
        return NOT_STATED
    return f"{time.day} {time:%B %Y}"


def citation(card: Card) -> str:
    """How to cite: as the maker says, else made from the card's other statements."""
    about = card.about
    if about.citation:
        return about.citation
    version = f" Version {about.version}." if about.version else ""
    address = f" {about.url}" if about.url else ""
    who = ", ".join(about.creator) or "Maker not stated"
    if card.kind == "dataset":  # when and with what it was made, nobody said: what is known is the audit's
        return f"{who}. {about.title}.{version}{address} Audited with {about.software}, {date(about.created)}."
    year = about.created[:4]
    said = f"{who} ({year}). {about.title}. Synthetic data, made with {about.software}.{version}{address}"
    return f"{said} Cite the sources too."


def _uses(card: Card) -> list[str]:
    """Verdicts, the maker's own uses, and limits."""
    section, about, limits = card["verdicts"], card.about, card["limits"]
    parts = ["## What it may and may not be used for"]
    if section.tables:
        parts += [_table(t) for t in section.tables]
    else:
        parts.append("No use was judged: there is no audit with verdicts beside this card.")
    if about.uses:
        parts.append("Meant for:\n\n" + _bullets(markdown(u) for u in about.uses))
    if about.not_for:
        parts.append("Not for:\n\n" + _bullets(markdown(u) for u in about.not_for))
    if limits.claims:
        parts.append("What it cannot tell:\n\n" + _bullets(markdown(c.text) for c in limits.claims))
    return parts


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _section(section: Section) -> str:
    lines = [f"## {markdown(section.heading)}"]
    if section.claims:
        lines.append(_bullets(markdown(c.text) for c in section.claims))
    if section.name in _LEGEND:
        lines.append(f"*{_LEGEND[section.name]}*")
    return "\n\n".join([*lines, *(_table(t) for t in section.tables)])


def _table(table: CardTable) -> str:
    """One table; a number keeps its separators."""
    head = [f"| {' | '.join(markdown(c) for c in table.columns)} |", f"|{' --- |' * len(table.columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(_cell(v) for v in row)} |" for row in table.rows)])


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return markdown("" if value is None else value)
    return f"{value:,}" if isinstance(value, int) or not float(value).is_integer() else f"{value:,.0f}"


def _variables(card: Card) -> list[str]:
    """Table of variables that something constrains; the others in a sentence."""
    if not card.variables:
        return []
    parts = ["## Where each variable comes from"]
    told = [v for v in card.variables if v.tables or v.held_out]
    rest = [v for v in card.variables if v not in told]
    if told:
        rows = ["| Variable | Values | Universe | Categories |", "| --- | --- | --- | --- |", *(_variable_row(v) for v in told)]
        parts.append("\n".join(rows))
    copied, unknown = (sum(v.origin == origin for v in rest) for origin in ("copied", "not stated"))
    if copied:
        parts.append(
            f"{counted(copied, 'other variable')} copied from the record; no table constrains {'it' if copied == 1 else 'them'}."
        )
    if unknown:
        names = [markdown(v.label) for v in rest if v.origin == "not stated"]
        more = f" and {len(names) - 30:,} more" if len(names) > 30 else ""
        parts.append(f"How values were made is not stated: {', '.join(names[:30])}{more}.")
    return parts


def counted(n: int, one: str) -> str:
    """Write a count with its noun.

    >>> counted(1, "zone"), counted(1204, "zone")
    ('1 zone', '1,204 zones')
    """
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _variable_row(v: CardVariable) -> str:
    tables = " and ".join(markdown(t.replace("_", " ").replace(" x ", " × ")) for t in v.tables)
    if v.origin == "modelled":
        values = "modelled: chosen by the fit"
    elif v.tables:
        values = f"copied from the record; zone totals constrained by {tables}"
    else:
        values = "copied from the record"
    if v.held_out:
        values += (
            f"; judged by {' and '.join(markdown(t.replace('_', ' ').replace(' x ', ' × ')) for t in v.held_out)} (held out)"
        )
    shown = ", ".join(markdown(c) for c in v.categories[:_MOST_LISTED])
    if len(v.categories) > _MOST_LISTED:
        shown += ", …"
    if not shown and v.n_categories:
        shown = f"{v.n_categories:,}"
    return f"| {markdown(v.label)} | {values} | {markdown(v.universe)} | {shown} |"


def _sources(card: Card) -> list[str]:
    """Table of inputs; checksums are in card.json."""
    shown = [s for s in card.sources if s.role != "other"]
    if not shown:
        return []
    if card.kind == "dataset":
        rows = ["| File | What | Bytes | SHA-256 |", "| --- | --- | --- | --- |"]
        rows += [f"| {markdown(s.file)} | {markdown(s.role)} | {s.bytes or 0:,} | {markdown(s.sha256)} |" for s in shown]
        return ["## What was compared", "\n".join(rows)]
    rows = ["| File | What | Year | Universe | Publisher, licence |", "| --- | --- | --- | --- | --- |"]
    for s in shown:
        what = s.role + (f": {s.name.replace('_', ' ').replace(' x ', ' × ')}" if s.name else "")
        terms = ", ".join(markdown(t) if t else NOT_STATED for t in (s.publisher, s.licence))
        if not s.publisher and not s.licence:
            terms = NOT_STATED
        if address := web_address(s.url):
            terms = f"[{terms}](<{address}>)"
        universe = markdown(s.universe) or ("–" if s.role in ("zones", "boundaries", "truth") else NOT_STATED)
        year = str(s.year) if s.year else NOT_STATED
        rows.append(f"| {markdown(s.file)} | {markdown(what)} | {year} | {universe} | {terms} |")
    return ["## What it was made from", "\n".join(rows)]


def _files(card: Card) -> list[str]:
    """Files, a folder with many of a kind in one row."""
    if not card.files:
        return []
    folders = Counter(f.path.split("/")[0] for f in card.files if "/" in f.path)
    rows, seen = ["| File | Holds |", "| --- | --- |"], set()
    for f in card.files:
        folder = f.path.split("/")[0]
        if "/" in f.path and folder != "population" and folders[folder] > 1:
            if folder not in seen:
                seen.add(folder)
                rows.append(f"| {markdown(folder)}/ | {folders[folder]:,} files. {_folder(folder)} |")
        else:
            rows.append(f"| {markdown(f.path)} | {markdown(describe_file(f.path, f.description))} |")
    return ["## Files", "\n".join(rows)]


_FOLDERS = {
    "validation": "Validation of the synthetic population: tidy tables",
    "audit": "Audit of the synthetic data: tidy tables",
    "maps": "Maps of the synthetic population: PNG and SVG, GeoPackage and GeoParquet",
    "indicators": "Estimates from the synthetic population, with intervals: CSV and Parquet",
    "people": "Synthetic people, one row each, by area",
}


def _folder(name: str) -> str:
    return _FOLDERS.get(name, "Files of the synthetic data")


def _closing(card: Card) -> list[str]:
    parts = []
    if card.about.changes:
        parts.append("## Changes\n\n" + _bullets(markdown(c) for c in card.about.changes))
    parts.append(
        "Every figure above stands in card.json with the file, column and rows it was read from; columns are described in "
        "datapackage.json."
    )
    return parts
