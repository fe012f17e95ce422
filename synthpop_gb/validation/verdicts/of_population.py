"""Verdicts on a population of zones: fitted tables, what no table says, combinations, single people, giving it away."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.validation.verdicts._rows import COLUMNS, HANDING, VERDICTS, graded, row, table_of, unknown
from synthpop_gb.validation.verdicts.of_households import household_verdict

__all__ = ["population_verdicts"]

SMALL, LARGE = 0.0005, 0.01
"""Share of people away from the fitted tables: below the first fit, below the second with care."""

_ZONES, _AREA = "Combinations of attributes by zone", "Groups of several attributes over the whole area"

NEAR = 1.25
"""Times the noise floor up to which a table that was not fitted counts as right."""

UNIQUE = 5.0
"""Per cent of people alone with their keys in their zone, from which an open survey's people need care."""


def population_verdicts(audit: Checks, validation: Checks, *, licence: str, replicates: int = 0) -> pd.DataFrame:
    """Return what each use can expect of a population.

    Parameters
    ----------
    audit : Checks
        Of `audit_population`: tables 'scan_tables', 'scan_cells', 'zone_uniqueness' and so on.
    validation : Checks
        Of `validate`, whose tables 'zone_fit', 'held_out' and those about households are read.
    licence : str
        Of the survey: only 'open' lets rows of people go further.
    replicates : int
        How many the run has: without any nothing says how sure a figure is.

    Returns
    -------
    pandas.DataFrame
        Columns as of `pair_verdicts`.
    """
    rows = [
        _fitted(validation),
        *_held_out(validation),
        _by_zone(audit),
        _together(audit),
        _other(validation, replicates),
        household_verdict(audit, validation, SMALL, LARGE, NEAR),
        _release(audit, licence),
    ]
    doubtful = [r for r in rows if r["table"] == "held_out" and r["verdict"] in ("care", "unfit")]
    wrong = max(doubtful, key=lambda r: VERDICTS.index(r["verdict"]), default=None)  # the first of the worst
    for item in rows if wrong else ():
        if (
            item["use"] in (_ZONES, _AREA) and item["verdict"] == "fit"
        ):  # the fit itself may be wrong, and a published table says so
            item |= {"verdict": "care", "reason": f"{item['reason']} But see {wrong['use'][0].lower()}{wrong['use'][1:]}."}
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _fitted(validation: Checks) -> dict[str, str | bool]:
    use = "Counts by zone of a fitted table"
    frame = table_of(validation.tables, "zone_fit")
    if not len(frame):
        return unknown(use, "The people were not compared with their tables.", "zone_fit")
    above, tables = frame.groupby("zone", sort=False)["tae_above_floor"].sum(), table_of(validation.tables, "table_fit")
    if "unit" in tables:  # households have a verdict of their own
        of_people = frame["table"].isin(tables.loc[tables["unit"] == "people", "table"])
        frame = frame[of_people] if of_people.any() else frame
    people = float(frame["people"].sum())
    share = float(frame["tae_above_floor"].sum()) / 2 / people if people else np.nan
    zones = int((above > 1e-9).sum())
    figure = f"{zones:,} of {len(above):,} zones off; {100 * share:.3g} % of people in the wrong cell"
    rule = f"below {100 * SMALL:g} % of people fit, below {100 * LARGE:g} % with care"
    reason = "Whole people meet every table." if not zones else f"The worst zone is {above.idxmax()}; it is named in the report."
    return row(use, graded(share, SMALL, LARGE), figure, rule, reason, "zone_fit")


def _held_out(validation: Checks) -> list[dict[str, str | bool]]:
    """One verdict for each published table that was kept back."""
    frame = table_of(validation.tables, "held_out")
    if not len(frame):
        use = "Counts by zone of variables that no table crosses"
        return [unknown(use, "No published table was held out, so nothing says how right these are.", "held_out")]
    rows = []
    name_column = next(c for c in ("table", "held_out", "pair") if c in frame)
    for item in frame.to_dict("records"):
        wrong, floor, independent = (float(item[c]) for c in ("wrong_whole", "floor", "wrong_independence"))
        fractional = float(item.get("wrong_fit", np.nan))  # independence is of fractions, too: people drawn whole scatter more
        better, near = (wrong if np.isnan(fractional) else fractional) < independent, wrong <= NEAR * floor
        verdict = "unknown" if np.isnan(wrong) else "fit" if better and near else "care" if better or near else "unfit"
        of = item.get("unit", "people")
        figure = (
            f"{wrong:.2f} % of {of} in the wrong cell (perfect draw {floor:.2f} %, variables taken as independent "
            f"{independent:.2f} %)"
        )
        reasons = {
            "fit": "Better than from its margins alone, and about as near as people drawn from the truth would be.",
            "care": "Better than from its margins alone, and not as near as the truth."
            if better
            else "About as near as people drawn from the truth would be, and no better than from its margins alone.",
            "unfit": "No better than from its margins alone.",
            "unknown": "The table could not be compared.",
        }
        rule = f"better than independence and up to {NEAR:g} times a perfect draw fit, either of them with care"
        use = f"Counts by zone of {item[name_column]}, which was held out"
        rows.append(row(use, verdict, figure, rule, reasons[verdict], "held_out"))
    return rows


def _by_zone(audit: Checks) -> dict[str, str | bool]:
    """Whole people against the fractional fit: what making people of fractions has cost, combination by combination."""
    use = _ZONES
    frame = table_of(audit.tables, "scan_tables")
    live = frame[frame["reference"].astype(str).str.endswith(", by zone") & frame["tvd"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No combination could be compared zone by zone.", "scan_tables")
    live = live[live["reference"] == live["reference"].iloc[0]]
    times = float(live["tvd"].mean() / live["tvd_floor"].mean())
    failed = int((~live["passes"].astype(bool)).sum())
    verdict = "fit" if not failed else "care" if times <= NEAR else "unfit"
    reference = str(live["reference"].iloc[0]).removesuffix(", by zone")
    figure = (
        f"{100 * live['tvd'].mean():.1f} % of people in the wrong cell of their zone, {times:.2f} times a perfect draw from "
        f"{reference}; {failed:,} of {len(live):,} combinations beyond chance"
    )
    rule = f"no combination beyond chance fit; up to {NEAR:g} times a perfect draw with care"
    reason = f"Against {reference}, which knows no more of a place than its tables: local habits beyond them are in neither."
    return row(use, verdict, figure, rule, reason, "scan_tables")


def _together(audit: Checks) -> dict[str, str | bool]:
    """All zones together against the first reference: groups that whole people have too many or too few of."""
    use = _AREA
    frame, cells = table_of(audit.tables, "scan_tables"), table_of(audit.tables, "scan_cells")
    live = frame[~frame["reference"].astype(str).str.endswith(", by zone") & frame["passes"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No combination could be judged over the whole area.", "scan_tables")
    reference = str(live["reference"].iloc[0])
    live = live[live["reference"] == reference]
    failed = int((~live["passes"].astype(bool)).sum())
    causes = cells[(cells["reference"] == reference) & (cells["explained_by"] == "") & (cells["q"] <= 0.05)]
    excess = float(np.abs(causes["excess"]).max()) if len(causes) else 0.0
    figure = f"{failed:,} of {len(live):,} combinations beyond chance against {reference}"
    fails = live[~live["passes"].astype(bool)]
    verdict = "fit" if not failed else "care" if float((fails["tvd"] - fails["tvd_chance"]).max()) < LARGE else "unfit"
    reason = "No combination looked at differs by more than chance."
    if len(causes):
        reason = f"The largest is off by {excess:,.0f} people: {causes.iloc[0]['cell']}."
    elif failed:
        reason = "Tables as a whole differ by more than chance, no group by itself."
    return row(
        use,
        verdict,
        figure,
        "no combination beyond chance fit; those that fail within a point of what chance makes with care",
        reason,
        "scan_cells",
    )


def _other(validation: Checks, replicates: int) -> dict[str, str | bool]:
    """Judge what the survey asks and no table says: as right as it goes with the tables; intervals say how far."""
    use = "Answers that are in the survey alone, by zone"
    frame = table_of(validation.tables, "left_out")
    if not replicates or not len(frame):
        return unknown(use, "There are no replicates, so nothing says how sure such a figure is.", "left_out")
    figure = f"{replicates:,} replicates, and intervals learnt from {frame['table'].nunique():,} tables left out in turn"
    reason = "Ask for them with their intervals, and leave out figures that are called unreliable."
    return row(use, "care", figure, "never better than with care: no table says whether they are right", reason, "left_out")


def _release(audit: Checks, licence: str) -> dict[str, str | bool]:
    use = HANDING
    frame = table_of(audit.tables, "zone_uniqueness")
    if not len(frame):
        return unknown(use, "Uniqueness was not measured.", "zone_uniqueness")
    people = float(frame["people"].sum())
    share = 100 * float(frame["unique"].sum()) / people if people else np.nan
    figure = f"{share:.1f} % of people alone with their keys in their zone; the survey's licence is {licence}"
    rule = f"survey declared open, and below {UNIQUE:g} % alone fit; else with care; any other licence not fit"
    if licence != "open":
        reason = "Every row is a respondent's answers: who may see them, the survey's licence says."
        return row(use, "unfit", figure, rule, reason, "zone_uniqueness")
    reason = "Rows are copies of records that anybody may see; say that they are synthetic, and where nobody lives as they say."
    return row(use, "fit" if share < UNIQUE else "care", figure, rule, reason, "zone_uniqueness")
