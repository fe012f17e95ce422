"""Which method to take: what there is, in words, and several of them on one study."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from synthpop_gb.pipeline.inputs import align
from synthpop_gb.spec import Study, load_study
from synthpop_gb.spec.options import described_options

__all__ = ["compare_methods", "describe_methods", "show_comparison"]

_WIDTH, _INDENT = 100, " " * 6


def describe_methods(name: str | None = None) -> str:
    """Say which methods there are, a line each; or, for one of them, its options with their defaults and meaning.

    Raises ValueError, with the known names, for an unknown method.
    """
    from synthpop_gb.methods import METHODS, get_method

    if name is None:
        width = max(map(len, METHODS))
        first = sorted(METHODS.items(), key=lambda item: (item[0] != "ipf", item[0]))
        after = " " * (width + 2)
        said = {name: textwrap.wrap(_about(method), _WIDTH - width, subsequent_indent=after) for name, method in first}
        listed = [f"{known:{width}}  " + "\n".join(lines) for known, lines in said.items()]
        more = "Options of one: synthpop-gb methods NAME. Side by side: synthpop-gb compare-methods STUDY."
        return "\n".join([*listed, "", more])
    method = get_method(name)
    meaning = described_options(method.options)
    lines = [f"{name}: {_about(method)}", ""]
    for field in dataclasses.fields(method.options):
        lines.append(f"  {field.name}{_default(field)}")
        lines += textwrap.wrap(meaning.get(field.name, ""), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
    return "\n".join(lines)


def _about(method) -> str:
    """First sentence of the module that a method lies in, which says what it is for."""
    text = inspect.getdoc(inspect.getmodule(type(method))) or inspect.getdoc(method) or ""
    first = text.split("\n\n")[0].replace("\n", " ")
    said = re.sub(r"^(IPF|QISI): ", "", first)
    return said[0].upper() + said[1:] if said else ""


def _default(field: dataclasses.Field) -> str:
    """Say an option's default: ' = 1000'; nothing where the text says it."""
    if field.default is None:
        return ""
    if field.default is not dataclasses.MISSING:
        return f" = {field.default!r}"
    return f" = {field.default_factory()!r}" if field.default_factory is not dataclasses.MISSING else " (needed)"


def compare_methods(
    study: Study | str | Path, candidates: Sequence[str] | None = None, *, progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Solve a study by several methods; see `assessment.compare_methods` for what is tabulated.

    Raises
    ------
    InputError
        With every finding about the study and its inputs.
    ValueError
        For an unknown method or option.
    """
    from synthpop_gb.assessment import Candidate, compare_methods

    wanted = None if candidates is None else [Candidate.parse(c) for c in candidates]  # before anything is read
    study = study if isinstance(study, Study) else load_study(study)
    aligned, _ = align(study)
    return compare_methods(aligned, wanted, seed=study.seed, progress=progress)


_SHOWN = {
    "zones_exact": ("zones exact, %", ".1f"), "tae_above_floor": ("TAE above floor", ",.0f"),
    "two_way_from_fit": ("two-way from fit, %", ".2f"), "donors_a_zone": ("donors a zone", ",.0f"),
    "largest_donor": ("largest donor, %", ".2f"), "ms_a_zone": ("ms a zone", ".3g"), "peak_mb": ("peak MB", ",.0f"),
    "not_converged": ("zones not converged", ",.0f"),
}  # fmt: skip


def show_comparison(frame: pd.DataFrame) -> str:
    """Print a comparison as a table, one method a line, with units in the heads; what does not apply stays blank."""
    from io import StringIO

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("method", no_wrap=True)
    columns = [(c, *(_SHOWN.get(c) or (f"{c.removeprefix('wrong ')} wrong, %", ".2f"))) for c in frame.columns]
    for _, head, _ in columns:
        table.add_column(head, justify="right")
    for name, row in frame.iterrows():
        table.add_row(str(name), *("" if pd.isna(row[c]) else format(row[c], form) for c, _, form in columns))
    out = StringIO()
    Console(file=out, width=max(_WIDTH, 24 + 14 * len(columns)), no_color=True, markup=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
