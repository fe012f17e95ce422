"""The verdict on households: placed whole or not at all, their tables met, who lives with whom beside the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.validation.verdicts._rows import VERDICTS, graded, row, table_of, worst

__all__ = ["household_verdict"]

_USE = "Anything about households"


def household_verdict(audit: Checks, validation: Checks, small: float, large: float, near: float) -> dict[str, str | bool]:
    """Judge whether households can be told from a population.

    Where persons were placed one by one they cannot. Where households were, three things are asked: whether each has all its
    members, whether the zones' tables of households are met, and, where the truth is known, whether households of each kind are
    as frequent in a zone as a draw of true ones would make them. Without a truth nothing says that of kinds that no table
    counts, so that the verdict is with care at best.

    Parameters
    ----------
    audit, validation : Checks
        Tables 'zone_uniqueness' of the one; 'table_fit', 'household_mix', 'impossible_households' of the other, where they are.
    small, large : float
        Share of households away from the tables: below the first fit, below the second with care.
    near : float
        Times a perfect draw up to which a distribution that no table says counts as right.
    """
    tables = table_of(validation.tables, "table_fit")
    homes = tables[tables["unit"] == "households"] if "unit" in tables else tables.iloc[:0]
    placed = validation.headline.get("households")
    if placed is None and not len(homes):
        people = int(table_of(audit.tables, "zone_uniqueness")["people"].sum()) if "zone_uniqueness" in audit.tables else 0
        reason = "Who lives with whom is not in it: no household's income, size or composition can be had."
        figure = f"{people:,} people placed one by one, 0 households"
        return row(_USE, "unfit", figure, "households placed whole fit", reason, "zone_uniqueness", meant=False)
    total = float(homes["people"].sum())
    share = float(homes["tae_above_floor"].sum()) / 2 / total if total else np.nan
    exact = int(homes["zones_exact"].sum())
    figures = [f"{exact:,} of {int(homes['zones'].sum()):,} zones' tables of households exact" if len(homes) else "no such table"]
    verdicts, reasons, source = [graded(share, small, large)], [], "table_fit"
    if verdicts[0] in ("care", "unfit"):
        reasons.append(f"{100 * share:.3g} % of households are in the wrong cell of a table.")
    split = _split(table_of(validation.tables, "impossible_households"))
    if split:
        verdicts.append("unfit")
        reasons.append(f"{split:,} households lack members.")
        source = "impossible_households"
    verdict, words, reason = _mix(table_of(validation.tables, "household_mix"), near)
    verdicts.append(verdict)
    figures += [words] if words else []
    source = "household_mix" if words and verdict == max(verdicts, key=VERDICTS.index) else source
    threshold = f"tables of households met, and kinds that no table counts within {near:g} times a perfect draw of the truth, fit"
    return row(_USE, worst(verdicts), "; ".join(figures), threshold, " ".join([*reasons, reason]), source)


def _split(rules: pd.DataFrame) -> int:
    """Households without all their members."""
    if not {"rule", "population"} <= set(rules):
        return 0
    return int(rules.loc[rules["rule"] == "split households", "population"].sum())


def _mix(frame: pd.DataFrame, near: float) -> tuple[str, str, str]:
    """Verdict, figure and reason of what no table says of households: zone by zone against the truth where that is known."""
    copied = "Every household is a whole copy of one of the survey's"
    if "zone_wrong" not in frame or not frame["zone_wrong"].notna().any():
        return "care", "", f"{copied}; how frequent kinds are that no table counts, nothing says."
    known = frame[frame["zone_wrong"].notna()]
    wrong, floor, simple = (float(known[c].mean()) for c in ("zone_wrong", "zone_floor", "zone_as_survey"))
    better, close = wrong < simple, wrong <= near * floor
    words = (
        f"{wrong:.1f} % of households in the wrong cell of their zone over {len(known)} distributions that no table says "
        f"(perfect draw {floor:.1f} %, survey as it is {simple:.1f} %)"
    )
    verdict = "fit" if better and close else "care" if better or close else "unfit"
    how = {
        "fit": "kinds that no table counts are about as frequent in a zone as a draw of true households makes them",
        "care": "kinds that no table counts are nearer the truth than the survey as it is, and not as near as a perfect draw"
        if better
        else "kinds that no table counts are about as near the truth as a perfect draw, and no nearer than the survey as it is",
        "unfit": "kinds that no table counts are no nearer the truth than the survey as it is",
    }
    return verdict, words, f"{copied}; {how[verdict]}."
