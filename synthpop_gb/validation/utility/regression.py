"""Regression: the same model fitted to both sides, coefficient by coefficient, as somebody who analyses the records would."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.utility._design import Design, design
from synthpop_gb.validation.utility._glm import Fit, fit
from synthpop_gb.validation.utility._sides import Sides, sides
from synthpop_gb.validation.utility._words import percent, said
from synthpop_gb.validation.utility.measures import ACCEPTABLE, plainly

__all__ = ["interval_overlap", "lack_of_fit", "regression"]

_COLUMNS = (
    "outcome", "model", "variable", "term", "against", "real", "real_error", "real_low", "real_high", "synthetic",
    "synthetic_error", "synthetic_low", "synthetic_high", "difference", "standardised", "overlap",
    "same_conclusion", "undetermined",
)  # fmt: skip

_FIT_COLUMNS = (
    "outcome", "model", "records_real", "records_synthetic", "terms", "compared", "lof", "df", "s_lof", "p",
    "mean_abs_standardised", "expected_abs_standardised", "mean_overlap", "disjoint", "same_conclusion",
)  # fmt: skip


def regression(
    pair: Pair,
    *,
    target: str | None = None,
    predictors: tuple[str, ...] | None = None,
    level: float = 0.95,
    most_categories: int = 10,
    most_predictors: int = 15,
    most_classes: int = 6,
) -> Checks:
    """Fit one model to both sides and compare the coefficients.

    A number is modelled by linear regression, a category of two by logistic regression of the rarer value; of more values each
    against the most frequent one by a logistic regression of its own (Begg & Gray 1984). A number among the predictors is in
    standard deviations of the real one, a category is against its most frequent real value, with missing a value. Records
    without the target or without a number are left out.

    Parameters
    ----------
    pair : Pair
        Both sides.
    target : str, optional
        Outcome; `pair.target` by default.
    predictors : tuple of str, optional
        By default the other variables: numbers that at least four in five records of either side have, and categories of 2 to
        `most_categories` values, `most_predictors` at most, in order.
    level : float
        Of the confidence intervals.
    most_categories, most_predictors, most_classes : int
        Limits; classes of a target beyond the most frequent are left out, and said.

    Returns
    -------
    Checks
        Table 'regression', one row a coefficient: outcome, model ('linear', 'logistic'), variable, term, against (the reference
        value), real and synthetic with _error, _low and _high, difference, standardised (difference over the real standard
        error), overlap (see `interval_overlap`), same_conclusion (the same sign, or neither differs from nought), undetermined
        ('', 'real', 'synthetic' or 'both').
        Table 'regression_fit', one row a model: outcome, model, records of each side, terms, compared (determined on both), lof
        with df, s_lof = lof / df and p (see `lack_of_fit`), mean_abs_standardised beside expected_abs_standardised (of a
        synthesis from the right model, sqrt(2 n1 / (pi n2)): 0.80 for equal sizes), mean_overlap (below nought taken as
        nought), disjoint (intervals that do not touch), same_conclusion (share).

    Raises
    ------
    KeyError
        For a name that is not there.
    InputError
        'missing-extra' where statsmodels is not installed.

    Notes
    -----
    Karr et al. (2006); Snoke et al. (2018); Raab & Nowok (2017). Missing values are handled alike on both sides; the aim is to
    compare, not to estimate.
    """
    both = sides(pair)
    findings = list(both.findings)
    target = both.pair.target if target is None else target
    if target is not None:
        both.pair.variable(target)
    names = _predictors(both, target, predictors, most_categories, most_predictors, findings) if both.usable and target else ()
    if both.usable and not names:
        why = "no target is named" if target is None else "there is no predictor with values that vary"
        findings.append(finding("utility-not-computed", f"No regression was fitted: {why}.", level="note"))
    rows, fits = [], []
    if names:
        kept = _complete(both, (target, *names))
        made = design(both, names, kept, most_categories=max(most_categories, 2) + 1)
        for outcome, logistic, masks, outcomes in _outcomes(both, target, kept, most_classes, findings):
            results = [
                fit(x[m], y, w[k][m], logistic=logistic)
                for x, m, y, w, k in zip(
                    (made.real, made.synthetic), masks, outcomes, (both.real_weight, both.synthetic_weight), kept, strict=True
                )
            ]
            if failed := [(n, r) for n, r in zip(_names(both), results, strict=True) if isinstance(r, str)]:
                why = "; ".join(f"on the {n} side {r}" for n, r in failed)
                findings.append(finding("utility-not-computed", f"No regression of {outcome} was fitted: {why}.", place=target))
                continue
            found = _compare(both, outcome, logistic, made, *results, level)
            rows += found
            fits.append(_overall(outcome, logistic, found, *results))
            findings += _undetermined(outcome, found, *results)
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    overall = pd.DataFrame(fits, columns=list(_FIT_COLUMNS))
    return Checks(_headline(overall, findings), {"regression": table, "regression_fit": overall}, tuple(findings))


def interval_overlap(real: tuple[float, float], synthetic: tuple[float, float]) -> float:
    """Overlap of two confidence intervals, as a mean of its shares of either length (Karr et al. 2006).

    1 for the same interval; below nought, by the size of the gap, where they do not touch (Snoke et al. 2018). NaN where an
    end is not known or an interval has no length. For equal lengths it is 1 - z / (2 x 1.96), z the standardised difference.

    >>> interval_overlap((0.0, 4.0), (2.0, 6.0)), interval_overlap((0.0, 4.0), (1.0, 3.0)), interval_overlap((0, 2), (3, 5))
    (0.5, 0.75, -0.5)
    """
    shared = min(real[1], synthetic[1]) - max(real[0], synthetic[0])
    lengths = real[1] - real[0], synthetic[1] - synthetic[0]
    if not all(x > 0 for x in lengths) or math.isnan(shared):
        return math.nan
    return (shared / lengths[0] + shared / lengths[1]) / 2


def lack_of_fit(difference: np.ndarray, covariance: np.ndarray, n_real: float, n_synthetic: float) -> float:
    """Lack of fit of all coefficients at once: d' V^-1 d n2 / n1 (Raab & Nowok 2017).

    V is the covariance of the real coefficients: those of a synthesis of n2 records from the right model vary about the real
    ones by V n1 / n2, so that the expectation is the number of coefficients (chi-squared in the limit).

    >>> lack_of_fit(np.array([1.0, 2.0]), np.diag([1.0, 4.0]), 100, 100)
    2.0
    """
    if not len(difference):
        return math.nan
    return float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference * n_synthetic / n_real)


def _names(both: Sides) -> tuple[str, str]:
    """Names of the real and of the synthetic side."""
    return both.pair.real_name, both.pair.synthetic_name


def _predictors(both: Sides, target, wanted, most_categories: int, most: int, findings: list[Finding]) -> tuple[str, ...]:
    """Predictors asked for, or those of the other variables that can be used."""
    if wanted is not None:
        for name in wanted:
            both.pair.variable(name)
        return tuple(n for n in wanted if n != target)
    out = []
    for v in both.pair.variables:
        if v.name == target:
            continue
        frames = (both.pair.real, both.pair.synthetic)
        if v.kind == "number":
            usable = all(f[v.name].notna().mean() >= 0.8 for f in frames) and both.pair.real[v.name].nunique() >= 2
        else:
            usable = 2 <= both.pair.real[v.name].nunique() <= most_categories
        if usable:
            out.append(v.name)
    if len(out) > most:
        message = f"The regression of {target} leaves {len(out) - most} of {len(out)} predictors out: {', '.join(out[most:])}."
        findings.append(finding("utility-partial", message, count=len(out) - most))
    return tuple(out[:most])


def _complete(both: Sides, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each side that have the first variable and all numbers among the others."""
    out = []
    for frame in (both.pair.real, both.pair.synthetic):
        there = frame[names[0]].notna().to_numpy()
        for name in names[1:]:
            if both.pair.variable(name).kind == "number":
                there = there & np.isfinite(frame[name].to_numpy())
        out.append(np.flatnonzero(there))
    return out[0], out[1]


def _outcomes(both: Sides, target: str, kept, most_classes: int, findings: list[Finding]):
    """Yield what is modelled, whether by logistic regression, and each side's mask over `kept` rows and outcomes."""
    columns = [f[target].iloc[k] for f, k in zip((both.pair.real, both.pair.synthetic), kept, strict=True)]
    if both.pair.variable(target).kind == "number":
        values = [c.to_numpy() for c in columns]
        yield target, False, [np.ones(len(v), bool) for v in values], values
        return
    codes = [c.cat.codes.to_numpy() for c in columns]
    values = [str(c) for c in columns[0].cat.categories]
    count = np.bincount(codes[0], both.real_weight[kept[0]], minlength=len(values))
    order = [k for k in np.argsort(-count, kind="stable") if count[k] > 0]
    if len(order) < 2:
        message = f"No regression of {target} was fitted: the real records have {len(order)} of its values."
        findings.append(finding("utility-not-computed", message, place=target))
        return
    if len(order) > most_classes:
        message = f"The regression of {target} leaves {len(order) - most_classes} rare values of {len(order)} out."
        findings.append(finding("utility-partial", message, place=target, count=len(order) - most_classes))
    for k in order[1:most_classes]:
        masks = [(c == k) | (c == order[0]) for c in codes]
        against = "" if len(order) == 2 else f" against {values[order[0]]}"
        yield (
            f"{target} = {values[k]}{against}",
            True,
            masks,
            [(c[m] == k).astype(np.float64) for c, m in zip(codes, masks, strict=True)],
        )


def _compare(both: Sides, outcome: str, logistic: bool, made: Design, real: Fit, synthetic: Fit, level: float) -> list[dict]:
    """One row a coefficient."""
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))
    labels = [("(intercept)", ""), *made.labels]
    rows = []
    for i, (variable, term) in enumerate(labels):
        row = {"outcome": outcome, "model": "logistic" if logistic else "linear", "variable": variable, "term": term}
        row["against"] = _reference(both, variable)
        ends = []
        for name, side in (("real", real), ("synthetic", synthetic)):
            b, e = float(side.coefficient[i]), float(side.error[i])
            ends.append((b - z * e, b + z * e))
            row |= {name: b, f"{name}_error": e, f"{name}_low": ends[-1][0], f"{name}_high": ends[-1][1]}
        row["difference"] = row["synthetic"] - row["real"]
        row["standardised"] = row["difference"] / row["real_error"] if row["real_error"] > 0 else math.nan
        row["overlap"] = interval_overlap(*ends)
        missing = [n for n, side in (("real", real), ("synthetic", synthetic)) if np.isnan(side.coefficient[i])]
        signs = [0 if low <= 0 <= high else float(np.sign(low)) for low, high in ends]
        row["same_conclusion"] = math.nan if missing else float(signs[0] == signs[1])
        row["undetermined"] = "both" if len(missing) == 2 else "".join(missing)
        rows.append(row)
    return rows


def _reference(both: Sides, variable: str) -> str:
    """Most frequent real value of a category, which its columns are against."""
    if variable not in both.pair.names or both.pair.variable(variable).kind == "number":
        return ""
    column = both.pair.real[variable].cat
    codes = column.codes.to_numpy().astype(np.int64)
    count = np.bincount(
        np.where(codes < 0, len(column.categories), codes), both.real_weight, minlength=len(column.categories) + 1
    )
    return [*map(str, column.categories), "missing"][int(np.argmax(count))]


def _overall(outcome: str, logistic: bool, rows: list[dict], real: Fit, synthetic: Fit) -> dict[str, object]:
    """One model as a whole."""
    from scipy.stats import chi2

    known = np.array([r["undetermined"] == "" and math.isfinite(r["standardised"]) for r in rows])
    difference = np.array([r["difference"] for r in rows])[known]
    df = int(known.sum())
    lof = lack_of_fit(difference, real.covariance[np.ix_(known, known)], real.n, synthetic.n)
    of = {n: np.array([r[n] for r in rows], np.float64)[known] for n in ("standardised", "overlap", "same_conclusion")}
    some = df > 0
    return {
        "outcome": outcome, "model": "logistic" if logistic else "linear", "records_real": real.records,
        "records_synthetic": synthetic.records, "terms": len(rows), "compared": df, "lof": lof, "df": df,
        "s_lof": lof / df if some else math.nan, "p": float(chi2.sf(lof, df)) if some else math.nan,
        "mean_abs_standardised": float(np.abs(of["standardised"]).mean()) if some else math.nan,
        "expected_abs_standardised": math.sqrt(2 * real.n / (math.pi * synthetic.n)),
        "mean_overlap": float(np.maximum(of["overlap"], 0).mean()) if some else math.nan,
        "disjoint": int((of["overlap"] < 0).sum()),
        "same_conclusion": float(of["same_conclusion"].mean()) if some else math.nan,
    }  # fmt: skip


def _undetermined(outcome: str, rows: list[dict], real: Fit, synthetic: Fit) -> list[Finding]:
    """Say which coefficients the records do not determine."""
    out = []
    for name, of in (("do not vary or repeat others", "aliased"), ("are infinite: a value has one outcome only", "separated")):
        at = getattr(real, of) | getattr(synthetic, of)
        if at.any():
            terms = [f"{r['variable']}{' = ' * bool(r['term'])}{r['term']}" for r, a in zip(rows, at, strict=True) if a]
            message = (
                f"Coefficients of the regression of {outcome} that {name}: {', '.join(terms[:8])}{' ...' * (len(terms) > 8)}."
            )
            out.append(finding("utility-degenerate", message, count=len(terms)))
    return out


def _headline(overall: pd.DataFrame, findings: list[Finding]) -> dict[str, object]:
    out = {}
    for row in overall.to_dict("records"):
        out[f"regression of {row['outcome']}"] = (
            f"{percent(row['mean_overlap'])} mean overlap of confidence intervals, {percent(row['same_conclusion'])} of "
            f"{row['compared']} coefficients lead to the same conclusion, lack of fit {said(row['s_lof'])} times its expectation"
            if row["compared"]
            else "no coefficient is determined on both sides"
        )
    poor = overall[overall["s_lof"].astype(float) >= ACCEPTABLE]
    if len(poor):
        named = "; ".join(f"{r['outcome']} ({plainly(r['s_lof'])} times its expectation)" for r in poor.to_dict("records"))
        findings.append(finding("utility-low", f"The lack of fit of regressions is large: {named}.", count=len(poor)))
    return out
