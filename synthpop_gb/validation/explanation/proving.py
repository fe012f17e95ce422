"""Proof that targets clash, and the fewest of them to relax: the linear programmes of `validation.relaxation`, as causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from synthpop_gb.problem import Problem
from synthpop_gb.validation.explanation.words import amount, cell_words, listed

__all__ = ["RELAX_COLUMNS", "Proof", "prove"]

RELAX_COLUMNS = ("zone", "table", "cell", "target", "to", "change")


@dataclass(frozen=True, eq=False)
class Proof:
    """What linear programmes say of one zone.

    feasible : weights exist that meet every target; clashes : (words, cells, excess) of each set that cannot be met together;
    relax : one row a target to relax, columns `RELAX_COLUMNS`; fewest : no fewer will do.
    """

    feasible: bool
    clashes: tuple[tuple[str, tuple[int, ...], float], ...]
    relax: pd.DataFrame
    fewest: bool

    def remedy(self, units: dict[tuple[str, str], str]) -> str:
        """Say the smallest set to relax in a sentence; units: by (table, cell), what it counts."""
        rows = self.relax.to_dict("records")
        if not rows:
            return ""
        said = [
            f"{cell_words(r['table'], r['cell'])} from {r['target']:,.0f} to {amount(r['to'], units[r['table'], r['cell']])}"
            for r in rows
        ]
        n = "one target" if len(rows) == 1 else f"{len(rows):,} targets"
        fewest = "no fewer will do" if self.fewest else "fewer may do"
        return f"Relax {n}, {fewest}: {listed(said, 6)}. Others of the same number may do as well."


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
        rows = found["relax"][found["relax"]["zone"] == row["zone"]].reset_index(drop=True)
        out[row["zone"]] = Proof(bool(row["feasible"]), clashes, rows, bool(row["proven"]))
    return out
