"""Pages written from docs/figures.json: the list of all measured figures, and the table in README.md."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_page", "write_readme"]

_BEGIN, _END = "<!-- figures: written by `make figures` -->", "<!-- end of figures -->"


def write_page(figures: dict, about: dict[str, str], path: Path) -> None:
    """Write docs/figures.md: every figure with its name in the docs, by group. The same figures give the same text."""
    versions = figures["versions"]
    parts = [
        "# Figures",
        "Every number that this documentation quotes, as measured by `make figures`. A page quotes a number by its name, "
        "in double braces.",
        f"Last measured {figures['created'][:10]} with "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ". Each group says when, and on which machine, it was measured.",
    ]
    for group, part in figures["figures"].items():
        rows = [f"| {name.replace('_', ' ')} | {entry['text']} | `{group}_{name}` |" for name, entry in part["values"].items()]
        table = "\n".join(["| figure | measured | name |", "| --- | --- | --- |", *rows])
        made = part["machine"]
        where = f"{part['created'][:10]}, {made['cpu']}, {made['cores']} cores, {made['memory']:g} GB, {made['platform']}"
        parts += [f"## {about.get(group, group)}", f"`{part['command']}` ({where})", table]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def write_readme(figures: dict, path: Path) -> None:
    """Write the measured figures between the two markers of README.md; the rest of it is left alone."""
    text = path.read_text(encoding="utf-8")
    if _BEGIN not in text or _END not in text:
        return
    before, rest = text.split(_BEGIN, 1)
    after = rest.split(_END, 1)[1]
    shown = "\n".join(part for part in (_studies(figures), _speed(figures)) if part)
    path.write_text(f"{before}{_BEGIN}\n{shown}\n{_END}{after}", encoding="utf-8")


def _values(figures: dict, group: str) -> dict[str, str]:
    """Return the texts of one group; empty where it was not measured."""
    return {name: entry["text"] for name, entry in figures["figures"].get(group, {"values": {}})["values"].items()}


_RUNS = {
    "leeds_2011": "Leeds, 2011",
    "yorkshire_2011": "Yorkshire and The Humber, 2011",
    "england_wales_2011": "England and Wales, 2011",
    "england_wales_2021": "England and Wales, 2021",
}
_COLUMNS = ("run", "zones", "people", "converged", "total absolute error", "age x sex wrong: people (fit)", "time", "memory")
_NOTE = """
From tables read to report written, on {cores} cores ({cpu}). Total absolute error is counted again from the written files, above
the floor that tables which disagree leave to anybody. Age x sex was held out: per cent of people in the wrong cell, and
the same of the fractional fit. Every figure: [docs/figures.md](docs/figures.md).
"""


def _studies(figures: dict) -> str:
    """Tabulate the end-to-end runs: one row a study."""
    rows = []
    for group, title in _RUNS.items():
        if v := _values(figures, group):
            wrong = f"{v['held_out_error']} ({v['held_out_fractional']})" if "held_out_error" in v else ""
            cells = (
                title,
                v["zones"],
                v["people"],
                v["zones_converged"],
                v["tae_above_floor"],
                wrong,
                v["seconds"],
                v["peak_gb"],
            )
            rows.append(_row(cells))
    if not rows:
        return ""
    return "\n".join([_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *rows]) + "\n" + _NOTE.format(**_machine(figures))


def _machine(figures: dict) -> dict:
    """Return the machine of the end-to-end runs; all of its names where they were measured on several."""
    made = [part["machine"] for name, part in figures["figures"].items() if name in _RUNS]
    return {key: " and ".join(dict.fromkeys(str(m[key]) for m in made)) for key in ("cpu", "cores")}


def _row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


_REGION = """\
At the ordinary size (1,000 zones, eight tables, {profiles} profiles) one core fits {fit_zones_per_second} zones a second
to a relative error of 1e-6 (plain NumPy: {numpy_zones_per_second}) and makes whole people in {whole_ms_per_zone} a zone, with a
total absolute error of {tae}. Their two-way tables, which nobody was told, are {two_way_whole} wrong; the fractional fit
is {two_way_fractional} wrong, truncate-replicate-sample {two_way_trs}.
"""
_UNBIASED = """\
Over {seeds} seeds mean counts are off the fitted weights by {rms_z} standard errors (root mean square; 1 = unbiased).
"""
_AUDIT = """
The audit against the Adult census extract ({records} records, {combinations} combinations of up to three variables), told
nothing of where to look. Sex swapped within some couples: its finding {swap_husband_female_rank} is {swap_husband_female}
female husbands ({real_husband_female} in the real data). Columns drawn apart: finding {independent_husband_single_rank} is
{independent_husband_single} husbands who never married ({real_husband_single}), finding {independent_husband_female_rank}
{independent_husband_female} female husbands. Rare values lost: {rare_countries_lost} lost countries, from finding
{rare_countries_rank} on. A bootstrap of the real records passes, and so do {halves_pass} of {halves} random halves.
"""
_POLICY = """
A tax reform in Yorkshire and The Humber, {means_figures} figures by zone, sex and age group with intervals from {replicates}
replicates: {means_seconds} after the donors' run. Projecting by counts is equal to running the rules on all {people} people
(largest gap in a zone's total {largest_gap} pounds) and takes {times} times less.
"""
_EXPLORER = """\
Its explorer is one page of {page_mb}; a change of indicator is on the screen in {change_ms}.
"""


def _speed(figures: dict) -> str:
    """Say in sentences how fast and how faithful the ordinary size is."""
    groups = {"region": _REGION, "unbiased": _UNBIASED, "policy_yorkshire": _POLICY, "explorer": _EXPLORER, "adult": _AUDIT}
    said = [(text, _values(figures, group)) for group, text in groups.items()]
    return "".join(text.format(**values) for text, values in said if values)
