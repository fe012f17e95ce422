"""Verdicts on synthetic records: totals, tables, groups, regression, prediction, fairness, and giving them away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.validation.utility.measures import ACCEPTABLE, GOOD
from synthpop_gb.validation.verdicts._rows import COLUMNS, graded, row, table_of, unknown

__all__ = ["pair_verdicts"]

MUCH = 0.01
"""Points (as a share) by which a table may be further off than its noise floor, for combinations to be used with care."""

FALSE = 0.05
"""Rate of false discoveries among groups, as `scan` takes it."""

KEPT, SOME = 0.9, 0.75
"""Share of the real model's skill that one trained on synthetic records keeps."""

GAP, WIDE = 0.05, 0.1
"""Points (as shares) by which a group is judged differently by the model trained on synthetic records."""

_RULE = f"below {GOOD:g} fit, below {ACCEPTABLE:g} with care (Raab, Nowok & Dibben 2021)"


def pair_verdicts(checks: Checks) -> pd.DataFrame:
    """Return what each use can expect of synthetic records.

    Parameters
    ----------
    checks : Checks
        Of `audit`: tables of utility, intersections and disclosure. What is not there gives 'unknown'.

    Returns
    -------
    pandas.DataFrame
        One row a use: use, verdict ('fit', 'care', 'unfit', 'unknown'), figure (text, with its unit), threshold (the rule),
        reason (one sentence), table (where the figure stands), meant (whether data of this kind are meant for the use at all).

    >>> tables = {"utility_tables": pd.DataFrame({"k": [1], "a": ["age"], "b": [""], "c": [""], "s_pmse": [1.2]})}
    >>> pair_verdicts(Checks({}, tables)).iloc[0][["use", "verdict", "figure"]].tolist()
    ['Totals and shares of one variable', 'fit', 'largest S_pMSE 1.2 (age)']
    """
    t = checks.tables
    rows = [
        _tables(t, 1, "Totals and shares of one variable"),
        _tables(t, 2, "Tables of two variables"),
        _groups(t),
        _regression(t),
        _prediction(t),
        _fairness(t),
        _release(t, checks.findings),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tables(tables: Mapping[str, pd.DataFrame], k: int, use: str) -> dict[str, str | bool]:
    frame = table_of(tables, "utility_tables")
    live = frame[(frame["k"] == k) & frame["s_pmse"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, f"No table of {k} variable{'s' * (k > 1)} could be compared.", "utility_tables")
    first = live.loc[live["s_pmse"].idxmax()]
    name = " x ".join(str(first[c]) for c in "abc" if first[c])
    poor, good = int((live["s_pmse"] >= ACCEPTABLE).sum()), int((live["s_pmse"] < GOOD).sum())
    verdict = graded(float(first["s_pmse"]), GOOD, ACCEPTABLE)
    reasons = {
        "fit": f"All {len(live):,} tables are as near the real ones as another sample would be, or nearly so.",
        "care": f"{len(live) - good:,} of {len(live):,} tables differ more than another sample would.",
        "unfit": f"{poor:,} of {len(live):,} tables differ far more than another sample would.",
    }
    return row(use, verdict, f"largest S_pMSE {_short(first['s_pmse'])} ({name})", _RULE, reasons[verdict], "utility_tables")


def _groups(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    """Intersections: impossible people fail at once; else by the people in groups beyond chance, consequences not counted."""
    use = "Groups that several attributes make"
    cells, scanned = table_of(tables, "scan_cells"), table_of(tables, "scan_tables")
    if not len(scanned) or scanned["passes"].isna().all():
        return unknown(use, "No combination of attributes could be judged against this reference.", "scan_tables")
    causes = (
        cells[(cells["explained_by"] == "") & ((cells["q"] <= 0.05) | (cells["kind"] == "impossible"))] if len(cells) else cells
    )
    impossible = float(causes.loc[causes["kind"] == "impossible", "observed"].sum()) if len(causes) else 0.0
    failed, n = int((scanned["passes"] == False).sum()), len(scanned)  # noqa: E712 - a nullable boolean
    worst_excess = float((scanned["tvd"] - scanned["tvd_floor"]).max())
    rule = (
        f"no impossible people, and no combination further off than chance: fit; up to {100 * MUCH:g} point beyond the noise "
        "floor with care"
    )
    figure = (
        f"{failed:,} of {n:,} combinations beyond chance, at most {100 * max(worst_excess, 0):.2g} points beyond the noise floor"
    )
    if impossible:
        figure = f"{impossible:,.0f} people in impossible combinations; {figure}"
        return row(use, "unfit", figure, rule, "People are recorded who cannot be.", "scan_cells")
    if not failed and not len(causes):
        return row(use, "fit", figure, rule, "No combination looked at differs by more than chance.", "scan_tables")
    kinds = causes["kind"].value_counts() if len(causes) else pd.Series(dtype=int)
    said = ", ".join(f"{kinds[k]:,} {k}" for k in ("invented", "missing", "too many", "too few") if k in kinds)
    verdict = "care" if worst_excess < MUCH else "unfit"
    reason = f"Groups beyond chance are listed: {said}." if said else "Tables as a whole differ by more than chance."
    return row(use, verdict, figure, rule, reason, "scan_cells")


def _regression(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    use = "Regression"
    frame = table_of(tables, "regression_fit")
    live = frame[frame["s_lof"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No model could be fitted to both sides, or no target was named.", "regression_fit")
    first = live.loc[live["s_lof"].idxmax()]
    verdict = graded(float(first["s_lof"]), GOOD, ACCEPTABLE)
    figure = (
        f"lack of fit {_short(first['s_lof'])} a coefficient; intervals overlap by {100 * first['mean_overlap']:.0f} % on average"
    )
    same = f"{100 * first['same_conclusion']:.0f} % of coefficients lead to the same conclusion"
    reason = f"In the model of {first['outcome']} {same}."
    return row(use, verdict, figure, "lack of fit " + _RULE.replace(" (Raab, Nowok & Dibben 2021)", ""), reason, "regression")


def _prediction(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    use = "Training models that are used on real people"
    frame = table_of(tables, "prediction")
    live = frame[(frame["trained_on"] == "synthetic") & frame["kept"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No model was trained, or the real records themselves predict nothing.", "prediction")
    kept = float(live["kept"].mean())
    verdict = graded(-kept, -KEPT, -SOME)
    rule = f"at least {100 * KEPT:.0f} % of the real model's skill fit, {100 * SOME:.0f} % with care"
    figure = f"{100 * kept:.0f} % of the skill kept in predicting {live['target'].iloc[0]}"
    agreement = table_of(tables, "importance_agreement")
    order = agreement[agreement["trained_on"] == "synthetic"] if len(agreement) else agreement
    reason = f"A random forest trained on them was tested on real records kept apart ({len(live)} split{'s' * (len(live) > 1)})."
    if len(order) and order["spearman"].notna().any():
        reason += f" The order of importance agrees by {order['spearman'].mean():.2f} (rank correlation)."
    return row(use, verdict, figure, rule, reason, "prediction")


def _fairness(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    """Whether some protected group is judged differently, beyond the chance of the test and the luck of training."""
    use = "Asking whom a model wrongs"
    frame = table_of(tables, "fairness")
    live = frame[(frame["by"] != "") & frame["difference"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No model was trained, or no group of a protected attribute is large enough.", "fairness")
    live = live[live["measure"] != "mean_absolute_error"]
    if not len(live):
        return unknown(use, "The target is a number: errors are compared, but no rates of a decision.", "fairness")
    rule = (
        f"no group's rates differ, false discoveries kept to {100 * FALSE:g} %, by {100 * GAP:g} points or more and by more than "
        f"those of a model trained on real records again, fit; by less than {100 * WIDE:g} with care"
    )
    sure = live[live["q"] <= FALSE]
    groups = len(live[["by", "group"]].drop_duplicates())
    if sure.empty:
        figure = f"no difference beyond chance among {groups:,} groups"
        return row(use, "fit", figure, rule, "Both models treat every group alike, as far as the test can tell.", "fairness")
    first = sure.loc[sure["difference"].abs().idxmax()]
    gap = abs(float(first["difference"]))
    luck = float((live["again"] - live["real"])[live["again_q"] <= FALSE].abs().max())  # NaN where there is none
    measure = str(first["measure"]).replace("_", " ")
    figure = f"{measure} of {first['by']} = {first['group']} differs by {100 * first['difference']:+.1f} points"
    reason = (
        f"{100 * first['real']:.0f} % by the model of real records, {100 * first['synthetic']:.0f} % by that of synthetic ones."
    )
    if gap <= luck:
        figure += f", of a model of real records trained again by up to {100 * luck:.1f}"
        return row(use, "fit", figure, rule, "Models of the same real records differ as much from each other.", "fairness")
    return row(use, graded(gap, GAP, WIDE), figure, rule, reason, "fairness")


def _release(tables: Mapping[str, pd.DataFrame], findings: Iterable[Finding]) -> dict[str, str | bool]:
    """Unfit where a limit of disclosure is broken; never better than 'care' without records that were kept apart."""
    use = "Giving them to people who may not see the real records"
    if not len(table_of(tables, "disclosure_distance")):
        why = next((f.message for f in findings if f.code == "not-applicable" and "isclosure" in f.message), "")
        return unknown(use, why or "No disclosure was measured.", "disclosure_distance")
    broken = [f for f in findings if f.code == "disclosure-risk"]
    controlled = not any(f.code in ("no-holdout", "no-keys") and f.level in ("note", "warning") for f in findings)
    rule = "no measure beyond its limit, with attacks tried on people who were kept apart, fit; without these with care"
    identical = float(tables["disclosure_distance"]["identical"].iloc[0])
    beyond = f"{len(broken)} measure{'s' * (len(broken) != 1)} beyond the limit"
    figure = f"{beyond}; {identical:.2g} % of synthetic records equal a real one"
    if broken:
        return row(use, "unfit", figure, rule, broken[0].message, "disclosure_attribute")
    if not controlled:
        reason = "Without keys, or records kept apart, a leak cannot be told from what is generally known."
        return row(use, "care", figure, rule, reason, "disclosure_distance")
    return row(use, "fit", figure, rule, "Attacks succeed no more often than on people who were kept apart.", "attacks")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
