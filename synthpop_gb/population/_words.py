"""A population's statuses in words: how zones fit, whether whole people meet the tables of their zones and of areas above."""

from __future__ import annotations

import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.problem import Problem

__all__ = ["areas_said", "fits_said", "missed_said", "of_zones_only"]

_STOPPED = {"STALLED": "stalled", "CYCLE_LIMIT": "stopped at the limit of cycles", "INFEASIBLE": "infeasible"}


def fits_said(problem: Problem, status: pd.DataFrame) -> str:
    """Count the statuses of the fit, with the largest miss and its place."""
    counts = status["fit"].value_counts()
    said = [f"{counts.get('CONVERGED', 0):,} of {len(status):,} zones converged"]
    parts = [f"{counts[name]:,} {word}" for name, word in _STOPPED.items() if name in counts]
    if parts:
        unfit = status[~status["fit"].isin(["CONVERGED", "EMPTY"])]
        worst = unfit.loc[unfit["residual"].idxmax()]
        miss = f"{worst['residual']:,.0f}" if worst["residual"] >= 1 else f"{worst['residual']:.2g}"
        place = f"{worst.name} {worst['worst_cell']}".strip()
        unit = "household" if problem.counts_households(worst["worst_cell"].split(" = ")[0]) else "person"
        parts[-1] += f" (largest miss {miss} {unit}{'' if miss == '1' else 's'}, {place})"
        said += parts
    if "EMPTY" in counts:
        said.append(f"{counts['EMPTY']:,} empty")
    return "; ".join(said)


def of_zones_only(problem: Problem, status: pd.DataFrame) -> pd.Series:
    """Find the zones that meet every table of their own, in the fit and as whole people, and lie in areas that miss theirs.

    Returns (n_zones,) bool by zone; False throughout where there are no levels.
    """
    if "level_remainder" not in status:
        return pd.Series(False, status.index)
    above = tuple(f"{level.name}: " for level in problem.levels)
    met = status["fit"].isin(["CONVERGED", "EMPTY"])
    stalled_above = ~met & (status["fit"] != "INFEASIBLE") & status["worst_cell"].astype(str).str.startswith(above)
    missed = stalled_above | (met & (status["level_remainder"] > 0))
    return missed & (status["remainder"] == 0)


def missed_said(problem: Problem, status: pd.DataFrame, missed: pd.Index) -> str:
    """Say how many zones miss targets: their own, or only those of the areas they lie in.

    missed : the zones that miss any.
    """
    above = int(of_zones_only(problem, status).reindex(missed).sum())
    of = f"of {len(status):,} zones"
    if not above:
        return f"{len(missed):,} {of} miss targets"
    if above == len(missed):
        return f"{above:,} {of} lie in areas that miss their tables, while every zone's own tables are met"
    return f"{len(missed) - above:,} {of} miss targets; {above:,} more miss only those of the areas they lie in"


def areas_said(problem: Problem, missed: Finding) -> str:
    """Count the areas that miss tables, level by level, with the worst.

    missed : 'level-not-met', as `areas_missed` finds it.
    """
    n = missed.rows["level"].value_counts(sort=False)
    said = [f"{n[level.name]:,} of {len(level.areas):,} areas of {level.name}" for level in problem.levels if level.name in n]
    worst, unit = missed.rows.iloc[0], "persons" if problem.households is None else "persons and households"
    verb = "misses its" if len(missed.rows) == 1 else "miss their"
    return f"{' and '.join(said)} {verb} own tables (largest total miss {worst.tae:,.0f} {unit}, {worst.area})"
