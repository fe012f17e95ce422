"""Proof that targets clash, and the fewest of them to relax: the linear programmes of `validation.relaxation`, as causes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from synthpop_gb.problem import Problem
from synthpop_gb.validation.explanation.words import amount, cell_words, listed

__all__ = ["RELAX_COLUMNS", "Proof", "prove"]

_ANY = 0.05  # of a unit

RELAX_COLUMNS = ("zone", "table", "cell", "target", "to", "change")


@dataclass(frozen=True, eq=False)
class Proof:
    """What linear programmes say of one zone.

    feasible : weights exist that meet every target; clashes : (words, cells, excess) of each set that cannot be met together;
    relax : one row a target to relax, columns `RELAX_COLUMNS`; fewest : no fewer will do; others : as many other targets that
    do as well, a few; keeping : changes that keep every table's total, no rows where none do.
    """

    feasible: bool
    clashes: tuple[tuple[str, tuple[int, ...], float], ...]
    relax: pd.DataFrame
    fewest: bool
    others: tuple[pd.DataFrame, ...] = ()
    keeping: pd.DataFrame | None = None

    def remedy(self, units: dict[tuple[str, str], str]) -> str:
        """Say the smallest set to relax in a sentence; units: by (table, cell), what it counts."""
        rows = self.relax.to_dict("records")
        if not rows:
            return ""
        n = "one target" if len(rows) == 1 else f"{len(rows):,} targets"
        fewest = "no fewer will do" if self.fewest else "fewer may do"
        words = f"Relax {n}, {fewest}: {_moves(self.relax, units)}{self._of_totals(units)}."
        if self.keeping is not None and len(self.keeping):
            words += f" Or keep every table's total: {_moves(self.keeping, units)}."
        if self.others:
            words += f" As good by number: {'; or '.join(_moves(other, units) for other in self.others)}."
        return f"{words} {_how(self.relax)}"

    def _of_totals(self, units: dict[tuple[str, str], str]) -> str:
        """Say how many more or fewer a table then counts in all."""
        change = self.relax.groupby("table", sort=False)["change"].sum()
        unit = {table: units[table, cell] for table, cell in zip(self.relax["table"], self.relax["cell"], strict=True)}
        said = [
            f"{cell_words(table)} then counts {amount(abs(by), unit[table])} {'more' if by > 0 else 'fewer'} in all"
            for table, by in change.items()
            if abs(by) >= _ANY
        ]
        return f" ({listed(said, 3)})" if said else ""


def _how(relaxed: pd.DataFrame) -> str:
    """Say what to write where, so that targets give."""
    tables = dict.fromkeys(map(str, relaxed["table"]))
    options = ", ".join(
        f"{table if table.replace('_', '').isalnum() and table.isascii() else json.dumps(table)} = 5" for table in tables
    )
    return (
        "To do so change these counts of this zone in the file of the table; or, for all zones, let the fit find the compromise: "
        f"`standard_error = {{ {options} }}` under [method], in what the table counts."
    )


def _moves(frame: pd.DataFrame, units: dict[tuple[str, str], str]) -> str:
    """Say what to change, from how many to how many."""
    return listed(
        (
            f"{cell_words(r['table'], r['cell'])} from {r['target']:,.0f} to {amount(r['to'], units[r['table'], r['cell']])}"
            for r in frame.to_dict("records")
        ),
        6,
    )


def prove(problem: Problem, zones: Iterable[str]) -> dict[str, Proof]:
    """Ask of zones whether any weights meet their targets, and which clash where none do; by code."""
    from synthpop_gb.validation.relaxation import relax

    found = relax(problem, list(zones))
    at = {tuple(map(str, key)): c for c, key in enumerate(problem.cells)}
    out = {}
    for row in found["zones"].to_dict("records"):
        mine = found["clashes"][found["clashes"]["zone"] == row["zone"]]
        clashes = tuple(
            (
                str(part["words"].iloc[0]),
                tuple(at[t, c] for t, c in zip(part["table"], part["cell"], strict=True)),
                float(part["excess"].iloc[0]),
            )
            for _, part in mine.groupby("clash", sort=False)
        )
        rows, others, keeping = (
            found[name][found[name]["zone"] == row["zone"]].reset_index(drop=True) for name in ("relax", "others", "keeping")
        )
        alike = tuple(part for _, part in others.groupby("number"))
        out[row["zone"]] = Proof(bool(row["feasible"]), clashes, rows, bool(row["proven"]), alike, keeping)
    return out
