"""Propensity: how well a model tells synthetic records from real ones, beside how well it could tell a perfect synthesis."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.utility._design import design, with_products
from synthpop_gb.validation.utility._sides import Sides, generator, part, sides, some_records
from synthpop_gb.validation.utility._tree import leaves, ordered_codes
from synthpop_gb.validation.utility._words import said
from synthpop_gb.validation.utility.measures import ACCEPTABLE, plainly, pmse_null, propensity_measures, verdict

__all__ = ["MODELS", "propensity"]

MODELS = ("logistic", "interactions", "cart")
"""Propensity models: logistic regression on all variables; with all products of two of them; a classification tree."""

_NO_PENALTY = 1e6
"""Inverse penalty of logistic regression on standardised columns: pMSE is that of maximum likelihood to some five digits."""

_COLUMNS = (
    "model", "records", "n_real", "n_synthetic", "c", "df", "pmse", "pmse_null", "pmse_null_error", "s_pmse", "null",
    "permutations", "po50", "specks", "specks_null", "u", "auc", "verdict",
)  # fmt: skip


def propensity(
    pair: Pair,
    *,
    models: tuple[str, ...] = ("logistic", "cart"),
    seed: int = 1,
    permutations: int = 50,
    cp: float = 1e-3,
    smallest: int = 5,
    most_records: int = 40_000,
    most_parameters: int = 400,
) -> Checks:
    """Fit propensity models and measure how well they tell the sides apart.

    The null of a logistic model is exact, df c (1 - c)^2 / N. A tree's is the mean pMSE of trees grown on records whose labels
    were permuted, times 1 - c: permuted labels vary on both sides, by df c (1 - c) / N, a synthesis drawn from these real
    records only on one. Weights travel with the labels, so that the null has the effective numbers of records.

    Parameters
    ----------
    pair : Pair
        Both sides.
    models : tuple of str
        Of `MODELS`.
    seed : int
        Of the permutations, ties in trees and sub-samples.
    permutations : int
        Permuted trees.
    cp, smallest : float, int
        Of the tree, as rpart's cp and minbucket: each leaf beyond the first must put `cp` of the root's misclassified records
        right; fewest records in a leaf. A category's values are ordered by their share of synthetic records.
    most_records : int
        The tree looks at so many records, of both sides in proportion, logistic regression at five times as many; of more, at
        a random part, and says so.
    most_parameters : int
        A model with interactions that has more is not fitted, and said.

    Returns
    -------
    Checks
        Table 'propensity', one row a model: model, records, n_real and n_synthetic (effective), c, df (parameters without the
        intercept; leaves less one), pmse, pmse_null with pmse_null_error (standard error of a permuted one), s_pmse = pmse /
        pmse_null, null ('exact' or 'permutation'), permutations, po50, specks, specks_null (mean of the permuted, not scaled;
        NaN without), u, auc, verdict. See
        `measures.propensity_measures`.

    Raises
    ------
    ValueError
        For an unknown model.
    InputError
        'missing-extra' where scikit-learn is not installed.

    Notes
    -----
    Woo et al. (2009); Snoke et al. (2018); Raab, Nowok & Dibben (2021).

    >>> from synthpop_gb.pair import PairVariable
    >>> sides = [pd.DataFrame({"x": pd.Categorical(list(x), list("ab"))}) for x in ("aaaaabbbbb", "aabbbbbbbb")]
    >>> row = propensity(Pair(*sides, (PairVariable("x", "category"),)), models=("logistic",))["propensity"].iloc[0]
    >>> float(row["pmse"].round(6)), int(row["df"])  # the two-cell table's: (3^2 / 3.5 + 3^2 / 6.5) x 1/8 / 20
    (0.024725, 1)
    """
    if unknown := [m for m in models if m not in MODELS]:
        raise ValueError(f"there is no propensity model {unknown[0]!r}: {', '.join(MODELS)}")
    both = sides(pair)
    rows, findings = [], list(both.findings)
    if both.usable:
        for model in models:
            if model == "cart":
                rows.append(_cart(both, seed, permutations, cp, smallest, most_records, findings))
            else:
                rows.append(_logistic(both, model, 5 * most_records, most_parameters, seed, findings))
    table = pd.DataFrame([r for r in rows if r], columns=list(_COLUMNS))
    poor = table[table["s_pmse"].astype(float) >= ACCEPTABLE]
    if len(poor):
        named = "; ".join(f"{r['model']} (S_pMSE {plainly(r['s_pmse'])}, AUC {r['auc']:.2f})" for r in poor.to_dict("records"))
        findings.append(finding("utility-low", f"Models tell synthetic from real records: {named}.", count=len(poor)))
    headline = {
        f"S_pMSE by {_SAID[r['model']]}": f"{said(r['s_pmse'])} ({r['verdict']}; AUC {said(r['auc'], '.3f')})"
        for r in table.to_dict("records")
    }
    return Checks(headline, {"propensity": table}, tuple(findings))


_SAID = {
    "logistic": "logistic regression",
    "interactions": "logistic regression with interactions",
    "cart": "classification tree",
}


def _rows(both: Sides, most: int, seed: int, model: str, findings: list[Finding]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each side that a model looks at: those of some weight; of too many a random part of each, in proportion."""
    live = [np.flatnonzero(w > 0) for w in (both.real_weight, both.synthetic_weight)]
    total = sum(len(x) for x in live)
    if total > most:
        counts = [max(round(len(x) * most / total), 1) for x in live]
        live = [x[some_records(len(x), n, seed, f"propensity {i}")] for i, (x, n) in enumerate(zip(live, counts, strict=True))]
        message = f"The {model} looked at a random {sum(counts):,} of {total:,} records (`most_records`)."
        findings.append(finding("utility-partial", message, count=total - sum(counts)))
    return live[0], live[1]


def _stacked(both: Sides, rows: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Whether each stacked record is synthetic, and its weight."""
    synthetic = np.repeat([False, True], [len(r) for r in rows])
    return synthetic, np.concatenate([both.real_weight[rows[0]], both.synthetic_weight[rows[1]]])


def _row(model: str, score: np.ndarray, synthetic: np.ndarray, weight: np.ndarray, df: int) -> dict[str, object]:
    """Measures of one model's scores; its null is filled in by the caller."""
    n = [float(weight[~synthetic].sum()), float(weight[synthetic].sum())]
    measured = propensity_measures(score, weight * ~synthetic, weight * synthetic)
    sizes = {"records": len(score), "n_real": n[0], "n_synthetic": n[1], "c": n[1] / sum(n)}
    unknown = {"permutations": 0, "specks_null": math.nan, "pmse_null_error": math.nan}
    return {"model": model, **sizes, "df": df, **measured, **unknown}


def _judged(row: dict[str, object], null: float, how: str) -> dict[str, object]:
    ratio = row["pmse"] / null if null > 0 else math.nan
    return {**row, "pmse_null": null, "s_pmse": ratio, "null": how, "verdict": verdict(ratio)}


def _logistic(both: Sides, model: str, most_records: int, most: int, seed: int, findings: list[Finding]) -> dict | None:
    """Logistic regression by maximum likelihood, but for a penalty that only matters where coefficients would be infinite."""
    (regression,) = part("sklearn.linear_model", "LogisticRegression")
    rows = _rows(both, most_records, seed, _SAID[model], findings)
    made = design(both, both.pair.names, rows)
    if model == "interactions":
        made = with_products(made, most)
        if isinstance(made, int):
            message = f"The {_SAID[model]} would have {made:,} parameters, more than {most:,} (`most_parameters`)."
            findings.append(finding("utility-not-computed", message, level="note"))
            return None
    synthetic, weight = _stacked(both, rows)
    x = np.concatenate([made.real, made.synthetic])
    if not x.shape[1]:  # nothing varies: nothing tells the sides apart
        score = np.full(len(x), weight[synthetic].sum() / weight.sum())
        return _judged(_row(model, score, synthetic, weight, 0), 0.0, "exact")
    centre = weight @ x / weight.sum()
    spread = np.sqrt(weight @ (x - centre) ** 2 / weight.sum())
    x = (x - centre) / np.where(spread > 0, spread, 1.0)
    with warnings.catch_warnings():  # where the sides can be told apart for certain it never converges, and is good enough
        warnings.simplefilter("ignore")
        fit = regression(C=_NO_PENALTY, solver="newton-cholesky", tol=1e-8, max_iter=100).fit(x, synthetic, sample_weight=weight)
    score = fit.predict_proba(x)[:, 1]
    values = np.linalg.eigvalsh((x * weight[:, None]).T @ x / weight.sum())
    df = int((values > 1e-9 * max(values.max(), 1e-300)).sum())  # aliased columns take no degree of freedom
    row = _row(model, score, synthetic, weight, df)
    return _judged(row, pmse_null(df, row["n_real"], row["n_synthetic"]), "exact")


def _cart(
    both: Sides, seed: int, permutations: int, cp: float, smallest: int, most: int, findings: list[Finding]
) -> dict[str, object]:
    """Classification tree, and trees on permuted labels for its null."""
    rows = _rows(both, most, seed, _SAID["cart"], findings)
    synthetic, weight = _stacked(both, rows)
    columns = _tree_columns(both, rows)

    def scores(synthetic: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, int]:
        x = np.stack([ordered_codes(c, synthetic, weight) if c.dtype.kind == "i" else c for c in columns], axis=1)
        leaf = leaves(x, synthetic, weight, cp=cp, smallest=smallest, seed=seed)
        _, leaf = np.unique(leaf, return_inverse=True)
        return (np.bincount(leaf, weight * synthetic) / np.bincount(leaf, weight))[leaf], int(leaf.max())

    row = _row("cart", *_scored(scores, synthetic, weight))
    rng, nulls = generator(seed, "propensity null"), []
    for _ in range(permutations):
        order = rng.permutation(len(synthetic))  # weights go with labels: each side keeps its effective number
        nulls.append(_row("cart", *_scored(scores, synthetic[order], weight[order])))
    null = (1 - row["c"]) * float(np.mean([r["pmse"] for r in nulls])) if nulls else math.nan
    row["permutations"] = permutations
    if nulls:
        row["specks_null"] = float(np.mean([r["specks"] for r in nulls]))
    if len(nulls) > 1:
        row["pmse_null_error"] = (1 - row["c"]) * float(np.std([r["pmse"] for r in nulls], ddof=1)) / math.sqrt(len(nulls))
    if nulls and not null > 0:
        message = (
            f"The pMSE of the classification tree ({row['pmse']:.2g}) cannot be standardised: no permuted tree had a second leaf."
        )
        findings.append(finding("utility-not-computed", message, level="note"))
    return _judged(row, null, "permutation")


def _scored(scores, synthetic: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    score, df = scores(synthetic, weight)
    return score, synthetic, weight, df


def _tree_columns(both: Sides, rows: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """One column a variable: codes (int64, missing a category), or numbers with missing below all others."""
    out = []
    for v in both.pair.variables:
        sides = [side[v.name] for side in (both.pair.real, both.pair.synthetic)]
        if v.kind == "category":
            out.append(np.concatenate([c.cat.codes.to_numpy().astype(np.int64)[r] + 1 for c, r in zip(sides, rows, strict=True)]))
        else:
            values = np.concatenate([c.to_numpy()[r] for c, r in zip(sides, rows, strict=True)])
            known = np.isfinite(values)
            # ranks: the trees keep columns in single precision, which would merge large numbers
            rank = np.zeros(len(values))
            rank[known] = np.unique(values[known], return_inverse=True)[1] + 1.0
            out.append(rank)
    return out
