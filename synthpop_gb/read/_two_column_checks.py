"""What can be wrong with a population of two columns: rows left out, ids that lost digits, zones of two censuses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.population import DonorCounts
from synthpop_gb.read._zones import GSS, levels_of, zone_year

__all__ = ["row_findings", "survey_findings", "vintage_of", "zone_findings"]

_LIMITS = {25_000: "the guest limit of the Nomis API", 65_535: "what an old worksheet holds", 1_048_575: "what a worksheet holds"}
_SCIENTIFIC = re.compile(r"[-+]?\d(\.\d+)?[eE][-+]?\d+")
_POINT = re.compile(r"[-+]?\d+\.0*")
_DATA_ZONES = ((1, "2001"), (6_506, "2011"), (13_482, "2022"))
"""First number of Scotland's data zones of each year (S01 codes; data.gov.scot): years share no code."""
_HOW_MANY = {
    "E00": (171_372, 178_605), "W00": (10_036, 10_275), "E01": (32_844, 33_755), "W01": (1_909, 1_917), "E02": (6_791, 6_856),
    "W02": (410, 408),
}  # fmt: skip
"""Zones of each kind in 2011 and 2021 (ONS): more are of two years."""


def row_findings(rows, gathered) -> list[Finding]:
    """List what was wrong with rows, whoever their donors are."""
    place, name, found = str(rows.path), rows.path.name, []

    def note(code: str, count: int, message: str, **more) -> None:
        if count:
            found.append(finding(code, f"{name}: {message}", place=place, count=count, **more))

    left = "The people of these rows are missing from their zones."
    first = f" (first: {rows.first_broken[:60]!r})"
    note("ragged-rows", rows.broken, f"{rows.broken:,} rows have not the columns of the header{first}.", why=left)
    note("rows-without-zone", gathered.no_zone, f"{gathered.no_zone:,} rows have no zone and were left out.",
         level="warning", why="Nobody knows where these people live.", remedy="Write the file again.")  # fmt: skip
    note("missing-value", gathered.no_donor, f"{gathered.no_donor:,} rows have no donor and were left out.", why=left,
         remedy="Write the file again.")  # fmt: skip
    note("repeated-rows", gathered.headers, f"{gathered.headers:,} rows repeat the header and were left out.",
         why="Files that were put together keep their headers.")  # fmt: skip
    for codes, what in ((gathered.zone, "zones"), (gathered.donor, "donors")):
        message = f"more than {codes.most:,} different values in the column of {what}: it holds something else."
        note("unknown-layout", int(codes.full), message, remedy="Name the columns of zone and donor.")
    for code, fits, what in (
        ("negative-count", lambda t: re.fullmatch(r"-[\d.]+", t), "below nought"),
        ("not-a-number", lambda t: not re.fullmatch(r"-?[\d.]+|", t), "no whole number"),
        ("fractional-count", lambda t: re.fullmatch(r"[\d.]+", t), "no whole number, or beyond 2,147,483,647"),
        ("missing-count", lambda t: t == "", "blank"),
    ):
        wrong = {t: m for t, m in gathered.wrong_n.items() if fits(t)}
        example = f" (first: {next(iter(wrong))!r})" if wrong and code != "missing-count" else ""
        note(code, sum(wrong.values()), f"{sum(wrong.values()):,} counts are {what}{example}.", level="error")
    if gathered.rows in _LIMITS:
        note("truncated-file", 1, f"exactly {gathered.rows:,} rows, {_LIMITS[gathered.rows]}.",
             remedy="Export it from where it is whole, not from a worksheet.")  # fmt: skip
    if gathered.rows and not gathered.zone.texts:
        note("rows-without-zone", gathered.rows, "no row has a zone.", level="error", why="Nobody can be placed.")
    if not gathered.rows:
        note("unreadable-file", 1, "column names but no rows.")
    if rows.cut and _is_cut(rows.cut, gathered, rows.layout.delimiter):
        note("truncated-file", 1, f"ends within a row, {rows.cut[:60]!r}.", why="Zones after it are missing without a word.",
             remedy="Copy or download it again.")  # fmt: skip
    return found


def _is_cut(line: str, gathered, delimiter: str) -> bool:
    """Whether a last line without an end is shorter than its like: too few cells, or a zone code that is none."""
    cells = [c.strip().strip('"') for c in line.split(delimiter)]
    codes = [z for z in gathered.zone.texts if GSS.fullmatch(z)]
    if len(cells) < 2 or not cells[-1]:
        return True
    return len(codes) > 0.9 * len(gathered.zone.texts) and not any(GSS.fullmatch(c) for c in cells)


def survey_findings(
    texts: list[str], people: np.ndarray, records: pd.Index | None, path: Path
) -> tuple[np.ndarray, pd.Index, list[Finding]]:
    """Find the record that each id of the file means. texts, people: the ids in order of their codes, and their copies.

    Returns
    -------
    position : (n_ids,) int64
        By code of the file's ids: position in the index returned; -1 where the survey has no such record.
    donors : pandas.Index
        `records`, or the file's ids in ascending order where there is no survey.
    findings : list of Finding
    """
    place, found = str(path), _lost_digits(texts, people, path)
    if records is None:
        order, donors = _own_order(texts)
        position = np.empty(len(texts), np.int64)
        position[order] = np.arange(len(texts))
        return position, donors, found
    known = {str(r): i for i, r in enumerate(records.tolist())}
    loose = {plain: i for r, i in known.items() if (plain := _plain(r)) != r}
    position = np.full(len(texts), -1, np.int64)
    rewritten: list[int] = []
    for code, text in enumerate(texts):
        at = known.get(text, -1)
        if at < 0 and not _SCIENTIFIC.fullmatch(text):
            plain = _plain(text)
            at = known.get(plain, loose.get(plain, -1))
            if at >= 0:
                rewritten.append(code)
        position[code] = at
    if rewritten:
        message = (
            f"{path.name}: {len(rewritten):,} ids are written otherwise than in the survey (first: {texts[rewritten[0]]!r} for "
            f"{records[position[rewritten[0]]]!r}); they were taken for the same."
        )
        rows = pd.DataFrame({"donor": [texts[c] for c in rewritten], "people": people[rewritten]})
        found.append(finding("lost-digits", message, place=place, count=len(rewritten), rows=rows, level="warning"))
    found += _unknown(texts, people, position, path)
    unused = len(records) - len(np.unique(position[(position >= 0) & (people > 0)]))
    if unused:
        message = f"{path.name}: {unused:,} of the survey's {len(records):,} records stand nowhere."
        found.append(finding("unused-donors", message, place=place, count=unused))
    return position, records, found


def _lost_digits(texts: list[str], people: np.ndarray, path: Path) -> list[Finding]:
    """Say where ids were written as floating numbers: 6.80014e+07 is a thousand records' id."""
    lost = [c for c, t in enumerate(texts) if _SCIENTIFIC.fullmatch(t)]
    if not lost:
        return []
    n = int(people[lost].sum())
    message = f"{path.name}: {len(lost):,} ids, of {n:,} people, are numbers with an exponent (first: {texts[lost[0]]!r})."
    rows = pd.DataFrame({"donor": [texts[c] for c in lost], "people": people[lost]})
    return [finding("lost-digits", message, place=str(path), count=len(lost), rows=rows)]


def _unknown(texts: list[str], people: np.ndarray, position: np.ndarray, path: Path) -> list[Finding]:
    """Say which ids the survey does not hold: an error where most people are copies of them."""
    lost = np.flatnonzero((position < 0) & (people > 0))
    if not len(lost):
        return []
    lost = lost[np.argsort(-people[lost], kind="stable")]
    n, everybody = int(people[lost].sum()), int(people.sum())
    message = (
        f"{path.name}: {len(lost):,} ids, of {n:,} people ({100 * n / everybody:.3g} %), are not in the survey "
        f"(first: {texts[lost[0]]!r})."
    )
    rows = pd.DataFrame({"donor": [texts[c] for c in lost], "people": people[lost]})
    level = "error" if 2 * n > everybody else "warning"
    return [finding("unknown-donor", message, place=str(path), count=len(lost), rows=rows, level=level)]


def _plain(text: str) -> str:
    """Write a whole number without leading noughts, point or sign of being positive; other text as it is.

    >>> _plain("00123"), _plain("68001367.0"), _plain("P01"), _plain("1.5")
    ('123', '68001367', 'P01', '1.5')
    """
    if _POINT.fullmatch(text):
        text = text.split(".")[0]
    return str(int(text)) if re.fullmatch(r"[-+]?\d+", text) else text


def _own_order(texts: list[str]) -> tuple[np.ndarray, pd.Index]:
    """Ascending order of ids, as numbers where all are whole and written plainly."""
    whole = all(re.fullmatch(r"-?[1-9]\d{0,17}|0", t) for t in texts)
    values = np.array(texts, dtype=np.int64) if whole else np.array(texts, dtype=object)
    order = np.argsort(values, kind="stable") if len(texts) else np.zeros(0, np.int64)
    return order, pd.Index(values[order], name="donor")


def zone_findings(counts: DonorCounts, expected: Iterable[str] | None, path: Path) -> list[Finding]:
    """Say what is odd about the zones: levels or years mixed, codes that are none, those not expected and those lacking."""
    place, codes, found = str(path), counts.zones.astype(str), []
    levels = levels_of(codes)
    people = pd.Series(counts.people, codes)
    if len(levels) > 1:
        said = ", ".join(f"{n:,} of {level}" for level, n in levels.most_common())
        message = f"{path.name} holds zones of several levels: {said}."
        found.append(finding("mixed-levels", message, place=place, count=len(codes), level="error"))
    kinds = Counter(c[:3] for c in codes if GSS.fullmatch(c))
    if kinds and sum(kinds.values()) < len(codes):
        odd = [c for c in codes if not GSS.fullmatch(c)]
        message = (
            f"{path.name}: {len(odd):,} zones are no area codes, with {int(people[odd].sum()):,} people (first: {odd[0]!r})."
        )
        rows = people[odd].rename_axis("zone").rename("people").reset_index()
        found.append(
            finding("unknown-zone", message, place=place, count=len(odd), rows=rows, why="Codes may be cut or misspelt.")
        )
    found += [
        finding("zone-vintage", f"{path.name}: {said}.", place=place, remedy="Make the file again from zones of one year.")
        for said in _mixed(list(codes), kinds)
    ]
    if expected is not None:
        wanted = pd.Index([str(z) for z in expected])
        for code, zones, said, why in (
            ("unknown-zone", codes.difference(wanted), "are not among those expected", "They may be of another year."),
            ("missing-zone", wanted.difference(codes), "that were expected have no people", "They may be of another year."),
        ):
            if len(zones):
                message = f"{path.name}: {len(zones):,} zones {said} (first: {zones[0]})."
                rows = pd.DataFrame({"zone": zones})
                found.append(finding(code, message, place=place, count=len(zones), rows=rows, level="warning", why=why))
    return found


def _mixed(codes: list[str], kinds: Counter) -> list[str]:
    """Say which kinds of zone come from two censuses at once."""
    said = []
    if scottish := [c for c in codes if c.startswith("S01") and GSS.fullmatch(c)]:
        years = Counter(vintage_of(scottish[i : i + 1]) for i in range(len(scottish)))
        if len(years) > 1:
            said.append("data zones of " + " and ".join(f"{y} ({n:,})" for y, n in sorted(years.items())))
    for kind, (then, now) in _HOW_MANY.items():
        new = zone_year([c for c in codes if c.startswith(kind)]) == 2021
        most = now if new else then
        if kinds.get(kind, 0) > most:
            years = "2011 and 2021" if new else "2001 and 2011"
            said.append(f"{kinds[kind]:,} {kind} zones, more than the {most:,} there are: zones of {years} together")
    return said


def vintage_of(codes: Iterable[str]) -> str:
    """Year that zone codes betray, as text; '' where they do not.

    >>> vintage_of(["S01006506"]), vintage_of(["E01000001", "E01035762"]), vintage_of(["E01000001"])
    ('2011', '2021', '')
    """
    codes = list(codes)
    numbers = [int(c[3:]) for c in codes if c.startswith("S01") and GSS.fullmatch(c)]
    years = {[year for first, year in _DATA_ZONES if n >= first][-1] for n in numbers if n}
    english = zone_year(codes)
    years |= {str(english)} if english else set()
    return " and ".join(sorted(years))
