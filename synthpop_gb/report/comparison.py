"""The page that compares two populations: what is compared, for whom and where they differ, how to read it."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.geography import Geography
from synthpop_gb.report._html import put, render
from synthpop_gb.report.words import Column, Grid, counted, fixed, grid_of, percent, said, small, whole

__all__ = ["write_comparison"]

_LEVELS = {"error": 0, "warning": 1, "note": 2}
_ROWS = 40


def write_comparison(path: str | Path, checks: Checks, *, names: tuple[str, str], geography: Geography | None = None) -> Path:
    """Write one self-contained page, which runs no script.

    Parameters
    ----------
    path : path
        File to write; replaced.
    checks : Checks
        Of `validation.two_populations.compare_populations`.
    names : (str, str)
        What the two are called.
    geography : Geography, optional
        Zones with boundaries: a map of where they differ is drawn.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        `output-locked`.
    """
    return put(Path(path), render("compare.html.j2", _context(checks, names, geography)))


def _context(checks: Checks, names: tuple[str, str], geography: Geography | None) -> dict:
    """Everything that the template asks for."""
    tone, headline, sentences = _verdict(checks, names)
    level = 0.05
    groups = checks["compare_groups"]
    beyond = groups[groups["q"] <= level]
    coverage = checks["compare_coverage"]
    lone = coverage["zone"] != ""
    return {
        "a": names[0], "b": names[1], "tone": tone, "headline": headline, "sentences": sentences,
        "coverage": _coverage(coverage[~lone], names), "only": _only(coverage[lone], names) if lone.any() else None,
        "groups": _groups(beyond if len(beyond) else groups, names) if len(groups) else None,
        "groups_said": _said_of_groups(len(beyond), len(groups)), "tables": _tables(checks["compare_tables"]),
        "zones": _zones(checks["compare_zones"]), "map": _map(checks["compare_zones"], geography),
        "findings": sorted(checks.findings, key=lambda f: _LEVELS.get(f.level, 3)),
        "basis": checks.headline["noise"], "level": f"{100 * level:g} %",
    }  # fmt: skip


def _verdict(checks: Checks, names: tuple[str, str]) -> tuple[str, str, list[str]]:
    """Say whether they differ: tone, headline, sentences."""
    headline, table = checks.headline, checks["compare_tables"]
    sentences = [f"{headline['people compared']} people in {counted(int(headline['zones in both']), 'zone')} that both have."]
    if headline["identical in all that was counted"] == "yes":
        return "ok", "They are the same in everything that was counted.", sentences
    together, by_zone = (str(headline[f"groups beyond noise, {k}"]) for k in ("all zones together", "by zone"))
    sentences.append(f"Groups beyond noise: {together} in all zones together, {by_zone} by zone. Noise: {headline['noise']}.")
    sentences.append(f"Largest: {said(headline['largest above noise'])}.")
    none = together.startswith("0 of") and by_zone.startswith("0 of")
    moved = int((checks["compare_zones"]["people_difference"] != 0).sum())
    if moved:
        sentences.append(f"{counted(moved, 'zone')} {'has' if moved == 1 else 'have'} other numbers of people.")
    if none:
        return "ok", "They differ by no more than luck.", sentences
    most = table.loc[table["groups_beyond"].idxmax(), "variables"] if table["groups_beyond"].max() else table["variables"].iloc[0]
    return "warn", f"They differ beyond luck, above all in {said(most)}.", sentences


def _said_of_groups(beyond: int, rows: int) -> str:
    if beyond:
        return "Worst first. All zones together and single zones stand side by side; what is listed is beyond noise."
    return "Nothing is beyond noise. The nearest to it:" if rows else "There is no group in which they differ."


def _grid(rows: pd.DataFrame, columns: list[Column], caption: str, most: int = 10_000) -> Grid:
    """Write the first rows as a table; the foot says how many lie in the files only."""
    left = len(rows) - most
    return grid_of(rows.head(most), columns, caption, foot=f"{left:,} more rows lie in the tables beside this page." * (left > 0))


def _coverage(rows: pd.DataFrame, names: tuple[str, str]) -> Grid:
    columns = [
        Column("item", "", text=True), Column("a", names[0], text=True, wrap=True), Column("b", names[1], text=True, wrap=True),
        Column("words", "", text=True, wrap=True),
    ]  # fmt: skip
    return _grid(rows, columns, "Who and what stands behind the two")


def _only(rows: pd.DataFrame, names: tuple[str, str]) -> Grid:
    columns = [Column("item", "", text=True), Column("zone", "Zone", text=True), Column("a", names[0]), Column("b", names[1])]
    return _grid(rows, columns, "Zones that only one has, which are not compared, and their people", most=_ROWS)


def _groups(rows: pd.DataFrame, names: tuple[str, str]) -> Grid:
    columns = [
        Column("zone", "Zone", text=True), Column("name", "Name", text=True), Column("group", "Group", text=True, wrap=True),
        Column("a", names[0], "people", whole), Column("b", names[1], "people", whole),
        Column("difference", "Difference", "people", fixed(0)), Column("noise", "Noise", "people", small),
        Column("z", "z", "", fixed(1)), Column("q", "q", "", small),
    ]  # fmt: skip
    if not rows["name"].any():
        del columns[1]
    return _grid(rows, columns, "Groups, the least like luck first", most=_ROWS)


def _tables(rows: pd.DataFrame) -> Grid:
    columns = [
        Column("variables", "Table", text=True, write=said), Column("tvd", "In the wrong cell", "% of people, by zone", percent),
        Column("noise", "Noise", "%", percent), Column("ratio", "Times noise", "", fixed(2)),
        Column("tvd_all", "All zones together", "%", percent), Column("noise_all", "Noise", "%", percent),
        Column("zones_beyond", "Zones beyond", "", whole), Column("groups_beyond", "Groups beyond", "all zones", whole),
    ]  # fmt: skip
    return _grid(rows, columns, "Tables, those with most groups beyond noise first", most=_ROWS)


def _zones(rows: pd.DataFrame) -> Grid:
    columns = [
        Column("zone", "Zone", text=True), Column("name", "Name", text=True), Column("people_a", "People", "first", whole),
        Column("people_difference", "Difference", "people", whole), Column("tvd", "Single variables", "% elsewhere", percent),
        Column("noise", "Noise", "%", percent), Column("tvd_pairs", "Pairs", "% elsewhere", percent),
        Column("noise_pairs", "Noise", "%", percent), Column("groups_beyond", "Groups beyond", "", whole),
        Column("worst_group", "Worst group", text=True, wrap=True), Column("q", "q", "", small),
    ]  # fmt: skip
    if not rows["name"].any():
        del columns[1]
    return _grid(rows, columns, "Zones, the least alike first", most=25)


def _map(zones: pd.DataFrame, geography: Geography | None) -> str:
    """Return the PNG of a map of how many times noise the zones are apart, in base 64; '' where it cannot be drawn."""
    if geography is None:
        return ""
    from synthpop_gb.report.maps import render_map

    frame = zones.set_index("zone")
    pairs = frame["tvd_pairs"].notna().any()
    value, noise = (frame[c] for c in (("tvd_pairs", "noise_pairs") if pairs else ("tvd", "noise")))
    ratio = (value / noise.where(noise > 0)).where(value > 0, 0.0)
    here = geography.subset(geography.codes[geography.codes.isin(frame.index)])
    if not len(here.codes) or not np.isfinite(ratio).any() or (ratio == 0).all():
        return ""
    title = "How far apart they are, times the noise"
    return base64.b64encode(render_map(ratio, here, title=title, unit="times noise")).decode()
