"""Verdicts on synthetic records: totals, tables, groups, regression, prediction, fairness, and giving them away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.validation.disclosure.limits import FEW_ATTACKS
from synthpop_gb.validation.utility.measures import ACCEPTABLE, GOOD
from synthpop_gb.validation.utility.prediction import ENOUGH, KEPT
from synthpop_gb.validation.verdicts._rows import COLUMNS, GIVING, graded, row, table_of, unknown, worst

__all__ = ["pair_verdicts"]

MUCH = 0.01
"""Points (as a share) by which tables that fail may be further off than chance makes them, to be used with care."""

SEEN = 50
"""Per cent of the test records that stand among the synthetic ones, from which models say nothing."""

FALSE = 0.05
"""Rate of false discoveries among groups, as `scan` takes it."""

GAP, WIDE = 0.05, 0.1
"""Points (as shares) by which a group is judged differently by the model trained on synthetic records."""

FEW = 30
"""Effective records of a side below which nothing tells a good synthesis from a bad one: what is not unfit is not known."""

MOVED, FAR = 0.1, 0.01
"""Real standard deviations by which a mean is off, beyond chance, and share of numbers beyond the real range: of totals."""

LEFT = 0.2
"""Risk of an attack that must be ruled out by its interval before records are given away."""

_RULE = f"below {GOOD:g} fit, below {ACCEPTABLE:g} with care"
_TABLES_RULE = f"S_pMSE of tables that differ by more than luck {_RULE} (Raab, Nowok & Dibben 2021)"


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
        _totals(t),
        _tables(t, 2, "Tables of two variables"),
        _groups(t),
        _regression(t),
        *(_unseen(r, checks.findings) for r in (_prediction(t), _fairness(t))),
    ]
    few = _few(t)
    judged = [unknown(r["use"], few, r["table"]) if few and r["verdict"] in ("fit", "care") else r for r in rows]
    return pd.DataFrame([*judged, _release(t, checks.findings)], columns=list(COLUMNS))


def _unseen(verdict: dict[str, str | bool], findings: Iterable[Finding]) -> dict[str, str | bool]:
    """Return the verdict on a model, or that nothing is known where most of its test records stand among the synthetic ones."""
    if not any(f.code == "test-records-seen" and f.count >= SEEN for f in findings):
        return verdict
    why = "Most of the real records that models are tested on stand among the synthetic ones: they are known by heart."
    return unknown(verdict["use"], why, verdict["table"])


def _few(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say where a side has too few records to be judged by."""
    frame = table_of(tables, "univariate")
    for side in ("real", "synthetic") if "n_real" in frame and len(frame) else ():
        n = float(frame[f"n_{side}"].max())
        if n < FEW:
            return f"The {side} side has {n:,.3g} effective records; under {FEW} nothing tells good from bad."
    return ""


def _tables(tables: Mapping[str, pd.DataFrame], k: int, use: str) -> dict[str, str | bool]:
    frame = table_of(tables, "utility_tables")
    live = frame[(frame["k"] == k) & frame["s_pmse"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, f"No table of {k} variable{'s' * (k > 1)} could be compared.", "utility_tables")
    beyond = live[_beyond_luck(live, table_of(tables, "univariate"))]
    if not len(beyond):
        first = live.loc[live["s_pmse"].idxmax()]
        figure = f"largest S_pMSE {_short(first['s_pmse'])}, which the luck of two samples explains"
        reason = f"None of {len(live):,} tables differs by more than two samples of one population do."
        return row(use, "fit", figure, _TABLES_RULE, reason, "utility_tables")
    live = beyond
    first = live.loc[live["s_pmse"].idxmax()]
    name = " x ".join(str(first[c]) for c in "abc" if first[c])
    verdict = graded(float(first["s_pmse"]), GOOD, ACCEPTABLE)
    many, all_of = len(live), int((frame["k"] == k).sum())
    reason = f"{many:,} of {all_of:,} tables differ{'s' * (many == 1)} by more than two samples of one population do."
    figure = f"largest S_pMSE {_short(first['s_pmse'])} ({name})"
    return row(use, verdict, figure, _TABLES_RULE, reason, "utility_tables")


def _beyond_luck(tables: pd.DataFrame, univariate: pd.DataFrame) -> pd.Series:
    """Which tables differ by more than two samples of one population, all tables together (Bonferroni); all, if not known.

    VW is chi-squared of a redraw of the real records; of two samples it is 1 / (1 - c) times that, c the synthetic share.
    """
    from scipy.stats import chi2

    if not {"vw", "df"} <= set(tables) or not {"n_real", "n_synthetic"} <= set(univariate) or not len(univariate):
        return pd.Series(True, tables.index)
    real, synthetic = float(univariate["n_real"].max()), float(univariate["n_synthetic"].max())
    statistic = tables["vw"].astype(float) * real / max(real + synthetic, 1.0)
    return pd.Series(chi2.sf(statistic, tables["df"].clip(lower=1)) * len(tables) <= FALSE, tables.index)


def _totals(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    """Tables of one variable; of numbers means and range, too: of the largest a table knows no more than that they are large."""
    out = _tables(tables, 1, "Totals and shares of one variable")
    frame = table_of(tables, "univariate")
    if not {"mean_difference", "outside", "n_synthetic"} <= set(frame):
        return out
    n = 1 / (1 / frame["n_real"] + 1 / frame["n_synthetic"])  # of a sample that varies as the two together
    moved, beyond = frame["mean_difference"].abs(), frame["outside"] - 2 / (frame["n_real"] + 1)
    sure = n * moved**2 >= ACCEPTABLE  # the expectation is 1, as of S_pMSE
    many = frame["n_synthetic"] * beyond >= ACCEPTABLE
    wrong = (sure & (moved >= MOVED)) | (many & (beyond >= 10 * FAR))
    some = sure | (many & (beyond >= FAR))
    out["threshold"] += (
        f"; of numbers, means within chance and under {100 * FAR:g} % beyond the real range fit, off by under {MOVED:g} real "
        f"standard deviations and under {1000 * FAR:g} % beyond with care"
    )
    found = frame[wrong if wrong.any() else some]
    verdict = "unfit" if wrong.any() else "care" if some.any() else "fit"
    if out["verdict"] == "unknown" or not len(found) or worst([out["verdict"], verdict]) == out["verdict"]:
        return out
    first = found.loc[(found["mean_difference"].abs().fillna(0) + found["outside"].fillna(0)).idxmax()]
    apart = f"{first['mean_difference']:+.2g} real standard deviations, " if pd.notna(first["mean_difference"]) else ""
    out["figure"] = f"{first['variable']}: mean off by {apart}" if apart else f"{first['variable']}: "
    out["figure"] += f"{100 * first['outside']:.3g} % beyond the real range"
    out |= {"verdict": verdict, "reason": f"{len(found):,} of the numbers have other means or values than real ones.",
            "table": "univariate"}  # fmt: skip
    return out


def _groups(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    """Intersections: impossible people fail at once; else by how far the combinations that fail are beyond chance.

    Those that pass are not looked at: a sparse table of two good samples is points beyond its noise floor.
    """
    use = "Groups that several attributes make"
    cells, scanned = table_of(tables, "scan_cells"), table_of(tables, "scan_tables")
    if not len(scanned) or scanned["passes"].isna().all():
        return unknown(use, "No combination of attributes could be judged against this reference.", "scan_tables")
    causes = (
        cells[(cells["explained_by"] == "") & ((cells["q"] <= FALSE) | (cells["kind"] == "impossible"))] if len(cells) else cells
    )
    impossible = float(causes.loc[causes["kind"] == "impossible", "observed"].sum()) if len(causes) else 0.0
    failed, n = int((scanned["passes"] == False).sum()), len(scanned)  # noqa: E712 - a nullable boolean
    fails = scanned[scanned["passes"].eq(False).fillna(False)]
    worst_excess = max(float((fails["tvd"] - fails["tvd_chance"]).max()), 0.0) if failed else 0.0
    rule = (
        f"no impossible people, and no combination further off than chance: fit; those that fail by up to {100 * MUCH:g} point "
        "more than chance makes with care"
    )
    figure = f"{failed:,} of {n:,} combinations beyond chance"
    if failed:
        figure += f", by at most {100 * worst_excess:.2g} points of people in the wrong cell"
    if impossible:
        figure = f"{impossible:,.0f} people in impossible combinations; {figure}"
        return row(use, "unfit", figure, rule, "People are recorded who cannot be.", "scan_cells")
    if not failed and not len(causes):
        reason = "No combination looked at differs by more than chance"
        blur = float(scanned["tvd_chance"].max()) if "tvd_chance" in scanned else np.nan
        reason += f", which by itself makes up to {100 * blur:.2g} points, so that less cannot be seen." if blur > 0 else "."
        return row(use, "fit", figure, rule, reason, "scan_tables")
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
    return row(use, verdict, figure, "lack of fit " + _RULE, reason, "regression")


def _prediction(tables: Mapping[str, pd.DataFrame]) -> dict[str, str | bool]:
    use = "Training models that are used on real people"
    frame = table_of(tables, "prediction")
    live = frame[(frame["trained_on"] == "synthetic") & frame["kept"].notna()] if len(frame) else frame
    if not len(live):
        return unknown(use, "No model was trained, or the real records themselves predict nothing.", "prediction")
    kept = float(live["kept"].mean())
    verdict = graded(-kept, -ENOUGH, -KEPT)
    rule = f"at least {100 * ENOUGH:.0f} % of the real model's skill fit, {100 * KEPT:.0f} % with care"
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
    use = GIVING
    if not len(table_of(tables, "disclosure_distance")):
        if any(f.code == "not-applicable" and "isclosure" in f.message for f in findings):
            reason = "They are copies: what keeps the people safe is the real records' licence, not how the copies were made."
            return row(use, "unfit", "every synthetic record is a copy of a real one", "copies are never fit", reason, "")
        return unknown(use, "No disclosure was measured.", "disclosure_distance")
    broken = [f for f in findings if f.code in ("disclosure-risk", "identifiers-copied") and f.level == "warning"]
    controlled = not any(f.code in ("no-holdout", "no-keys", "holdout-overlaps") for f in findings)
    rule = (
        "no measure beyond its limit and, of people who were kept apart, enough to rule out a risk of attack above "
        f"{LEFT:g}, fit; without these with care"
    )
    identical = float(tables["disclosure_distance"]["identical"].iloc[0])
    beyond = f"{len(broken)} measure{'s' * (len(broken) != 1)} beyond the limit"
    figure = f"{beyond}; {identical:.3g} % of synthetic records equal a real one"
    if broken:
        return row(use, "unfit", figure, rule, broken[0].message, _behind(broken[0], tables))
    if not controlled:
        reason = "Without keys, or records kept apart, a leak cannot be told from what is generally known."
        return row(use, "care", figure, rule, reason, "disclosure_distance")
    attacks = table_of(tables, "attacks")
    tried = attacks[(attacks["n"] >= FEW_ATTACKS) & attacks["risk"].notna()] if len(attacks) else attacks
    if not len(tried) or (tried["control_n"] < FEW_ATTACKS).any():
        reason = f"Fewer than {FEW_ATTACKS} people who were kept apart could be attacked, so that nothing is ruled out."
        return row(use, "care", figure, rule, reason, "attacks")
    first = tried.loc[tried["risk_upper"].idxmax()]
    figure += f"; risk of an attack at most {max(first['risk_upper'], 0):.2f}"
    if first["risk_upper"] > LEFT:
        reason = f"Too few were kept apart to rule a leak out by {first['attack']}."
        return row(use, "care", figure, rule, reason, "attacks")
    return row(use, "fit", figure, rule, "Attacks gain little on what they find out of people who were kept apart.", "attacks")


def _behind(broken: Finding, tables: Mapping[str, pd.DataFrame]) -> str:
    """Name the table in which the figure of a finding of disclosure stands."""
    if broken.place in ("distance to the closest record", "identical records"):
        return "disclosure_distance"
    if broken.place == "near copies":
        return "disclosure_near"
    for name, column in (("attacks", "attack"), ("disclosure_identity", "keys")):
        frame = table_of(tables, name)
        if column in frame and broken.place in set(frame[column]):
            return name
    return "disclosure_attribute"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
