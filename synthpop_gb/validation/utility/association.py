"""Association of every two variables on both sides: correlations, Cramer's V, correlation ratios, and how far they differ."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.utility._association_floors import eta_floor, matrix_floors, v_floor
from synthpop_gb.validation.utility._sides import Sides, sides, size_of
from synthpop_gb.validation.utility._words import said
from synthpop_gb.validation.utility.correlation import CORRELATIONS, NORMS, correlation_matrix, matrix_norm, numbers_of

__all__ = ["association", "correlation_ratio", "cramers_v"]

_COLUMNS = ("a", "b", "kind", "real", "synthetic", "difference", "floor")
_NORM_COLUMNS = ("correlation", "norm", "variables", "n_variables", "value", "floor")


def association(pair: Pair, *, seed: int = 1, draws: int = 40, most_categories: int = 200, most_pairs: int = 5_000) -> Checks:
    """Compare the association of every two variables, and the correlation matrices as a whole.

    Parameters
    ----------
    pair : Pair
        Both sides. Records without a value of either variable are left out, pair by pair.
    seed, draws : int
        Of the perfect samples whose expected difference is the floor.
    most_categories : int
        A category with more is left out, and said.
    most_pairs : int
        Most pairs of variables compared; what is left out is said.

    Returns
    -------
    Checks
        Table 'association', one row a pair and kind: a, b, kind ('pearson' and 'spearman' of two numbers, 'cramers_v' of two
        categories, 'correlation_ratio' of a number by a category), real, synthetic, difference (synthetic less real), floor
        (expected absolute difference of a sample of the synthetic side's effective size, drawn from the real records).
        Table 'association_norms': correlation ('pearson', 'spearman', 'mixed'), norm (see `correlation.NORMS`), variables
        ('numbers'; 'numbers and categories of two', those as 0 and 1; 'all', the matrix of all kinds of association with
        Pearson's r of numbers), n_variables, value, floor (NaN where not known).

    >>> from synthpop_gb.pair import PairVariable
    >>> real = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2, 3, 4]})
    >>> made = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [4.0, 3, 2, 1]})
    >>> found = association(Pair(real, made, (PairVariable("x", "number"), PairVariable("y", "number"))))
    >>> found["association"][["kind", "difference"]].round(6).values.tolist()
    [['pearson', -2.0], ['spearman', -2.0]]
    """
    both = sides(pair)
    findings = list(both.findings)
    names = _looked_at(both, most_categories, findings) if both.usable else ()
    wanted = list(combinations(names, 2))
    if len(wanted) > most_pairs:
        message = f"The association of {len(wanted) - most_pairs:,} of {len(wanted):,} pairs of variables was not looked at."
        findings.append(finding("utility-partial", message, count=len(wanted) - most_pairs))
    numbers = tuple(n for n in names if both.pair.variable(n).kind == "number")
    matrices = _matrices(both, numbers)
    rows = []
    for a, b in wanted[:most_pairs]:
        kinds = [both.pair.variable(n).kind for n in (a, b)]
        if kinds == ["number", "number"]:
            rows += _numbers(both, matrices, numbers, a, b)
        elif kinds == ["category", "category"]:
            rows.append(_categories(both, a, b, seed, draws))
        else:
            rows.append(_mixed(both, *((a, b) if kinds[0] == "category" else (b, a)), seed, draws))
    table = pd.DataFrame(rows, columns=["a", "b", "kind", "real", "synthetic", "floor"])
    table["difference"] = table["synthetic"].astype(float) - table["real"].astype(float)
    table = table[list(_COLUMNS)]
    norms = pd.DataFrame(_norms(both, names, numbers, table, seed), columns=list(_NORM_COLUMNS))
    lost = table[table["real"].notna() & table["synthetic"].isna() & (table["kind"] != "spearman")]
    if len(lost):  # matrices are compared without them, so that what is lost altogether would count for nothing
        message = (
            f"{len(lost):,} associations of the real records are not defined of the synthetic ones, where a variable does not "
            f"vary (first: {lost['a'].iloc[0]} x {lost['b'].iloc[0]}); differences of matrices are without them, and too kind."
        )
        findings.append(finding("utility-partial", message, count=len(lost), rows=lost.reset_index(drop=True), level="warning"))
    return Checks(_headline(table, norms), {"association": table, "association_norms": norms}, tuple(findings))


def cramers_v(table: np.ndarray) -> float:
    """Cramer's V with the bias correction of Bergsma (2013).

    phi^2 = chi^2 / n less its expectation under independence, (r - 1)(c - 1) / (n - 1), not below 0; over
    min(r', c') - 1 with r' = r - (r - 1)^2 / (n - 1). Rows and columns with nobody do not count.

    Parameters
    ----------
    table : numpy.ndarray
        (r, c) counts, weighted ones scaled to the effective number of records.

    Returns
    -------
    float
        From 0 to 1; NaN where fewer than two rows or columns have anybody.

    >>> cramers_v(np.array([[10, 0], [0, 10]])), cramers_v(np.array([[5, 5], [5, 5]]))
    (1.0, 0.0)
    """
    t = np.asarray(table, np.float64)
    t = t[t.sum(axis=1) > 0][:, t.sum(axis=0) > 0]
    n, (r, c) = t.sum(), t.shape
    if min(r, c) < 2 or n <= 2:
        return math.nan
    hoped = np.outer(t.sum(axis=1), t.sum(axis=0)) / n
    phi2 = float(((t - hoped) ** 2 / hoped).sum() / n)
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(min(math.sqrt(phi2 / smaller), 1.0)) if smaller > 0 else math.nan


def correlation_ratio(codes: np.ndarray, values: np.ndarray, weight: np.ndarray) -> float:
    """Correlation ratio eta: root of the share of a number's variance that lies between categories (Pearson 1905).

    Parameters
    ----------
    codes, values, weight : numpy.ndarray
        (n,) category (int, from 0), number and weight of each record, none missing.

    Returns
    -------
    float
        From 0 to 1; NaN where there are fewer than two categories or the number does not vary.

    >>> correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 3, 5, 7]), np.ones(4)).__round__(6)  # root of 16 of 20
    0.894427
    """
    some = weight > 0
    codes, values, weight = codes[some], values[some], weight[some]
    if not len(values) or (values == values[0]).all():
        return math.nan
    values = values / size_of(values)
    each = np.bincount(codes, weight)
    if (each > 0).sum() < 2:
        return math.nan
    total = weight.sum()
    away = values - (weight * values).sum() / total
    mean = np.bincount(codes, weight * away)[each > 0] / each[each > 0]
    return float(math.sqrt(min((each[each > 0] * mean**2).sum() / (weight * away**2).sum(), 1.0)))


def _looked_at(both: Sides, most_categories: int, findings: list[Finding]) -> tuple[str, ...]:
    """Variables, without categories of too many values."""
    wide = [n for n in both.pair.of_kind("category") if len(both.pair.real[n].cat.categories) > most_categories]
    if wide:
        message = f"The association of {', '.join(wide)} was not looked at: more than {most_categories} categories."
        findings.append(finding("utility-partial", message, place=wide[0], count=len(wide)))
    return tuple(n for n in both.pair.names if n not in wide)


def _matrices(both: Sides, numbers: tuple[str, ...]) -> dict[str, list[np.ndarray]]:
    """Both sides' correlation matrices of the numbers, by correlation."""
    values, weights = numbers_of(both.pair, numbers), (both.real_weight, both.synthetic_weight)
    return {c: [correlation_matrix(x, w, correlation=c) for x, w in zip(values, weights, strict=True)] for c in CORRELATIONS}


def _numbers(both: Sides, matrices: dict, numbers: tuple[str, ...], a: str, b: str) -> list[tuple]:
    """Both correlations of two numbers; floors by the normal limit, of Spearman's after Bonett & Wright (2000)."""
    i, j = numbers.index(a), numbers.index(b)
    there = both.pair.synthetic[a].notna().to_numpy() & both.pair.synthetic[b].notna().to_numpy()
    n = float(both.synthetic_weight[there].sum())
    out = []
    for kind in CORRELATIONS:
        real, synthetic = (m[i, j] for m in matrices[kind])
        spread = 1.0 if kind == "pearson" else math.sqrt(1 + real**2 / 2)
        floor = math.sqrt(2 / math.pi) * spread * (1 - real**2) / math.sqrt(n - 3) if n > 3 else math.nan
        out.append((a, b, kind, real, synthetic, floor))
    return out


def _categories(both: Sides, a: str, b: str, seed: int, draws: int) -> tuple:
    """Cramer's V of two categories."""
    tables = []
    for side, weight in ((both.pair.real, both.real_weight), (both.pair.synthetic, both.synthetic_weight)):
        x, y = (side[n].cat.codes.to_numpy().astype(np.int64) for n in (a, b))
        shape = [len(side[n].cat.categories) for n in (a, b)]
        there = (x >= 0) & (y >= 0)
        cell = x[there] * shape[1] + y[there]
        tables.append(np.bincount(cell, weight[there], minlength=shape[0] * shape[1]).reshape(shape))
    real, synthetic = (cramers_v(t) for t in tables)
    return a, b, "cramers_v", real, synthetic, v_floor(tables[0], tables[1].sum(), cramers_v, seed=seed, draws=draws)


def _mixed(both: Sides, category: str, number: str, seed: int, draws: int) -> tuple:
    """Correlation ratio of a number by a category."""
    found, kept = [], []
    for side, weight in ((both.pair.real, both.real_weight), (both.pair.synthetic, both.synthetic_weight)):
        code, value = side[category].cat.codes.to_numpy().astype(np.int64), side[number].to_numpy()
        there = (code >= 0) & np.isfinite(value)
        kept.append((code[there], value[there], weight[there]))
        found.append(correlation_ratio(*kept[-1]))
    floor = eta_floor(*kept[0], float(kept[1][2].sum()), found[0], seed=seed, draws=draws)
    return category, number, "correlation_ratio", *found, floor


def _norms(both: Sides, names: tuple[str, ...], numbers: tuple[str, ...], table: pd.DataFrame, seed: int) -> list[tuple]:
    """Sizes of the differences of whole matrices."""
    out = []
    binary = [n for n in names if n not in numbers and len(both.pair.real[n].cat.categories) == 2]
    sets = {"numbers": numbers}
    if binary:
        sets["numbers and categories of two"] = tuple(n for n in names if n in numbers or n in binary)
    for label, chosen in sets.items():
        if len(chosen) < 2:
            continue
        values = numbers_of(both.pair, chosen)
        for kind in CORRELATIONS:
            real = correlation_matrix(values[0], both.real_weight, correlation=kind)
            synthetic = correlation_matrix(values[1], both.synthetic_weight, correlation=kind)
            floors = matrix_floors(values[0], both.real_weight, both.n_synthetic, kind, seed=seed)
            out += [(kind, n, label, len(chosen), matrix_norm(synthetic - real, n), floors[n]) for n in NORMS]
    if len(names) >= 2:
        at = {n: i for i, n in enumerate(names)}
        difference, floor = np.zeros((len(names),) * 2), np.zeros((len(names),) * 2)  # the floor of what is compared
        for row in table[table["kind"] != "spearman"].to_dict("records"):
            for i, j in ((at[row["a"]], at[row["b"]]), (at[row["b"]], at[row["a"]])):
                difference[i, j] = row["difference"]
                floor[i, j] = row["floor"] if math.isfinite(row["difference"]) else 0.0
        for n in NORMS:  # the expectation of a sum is the sum of expectations; of a largest or a root it is not
            hoped = matrix_norm(floor, n) if n in ("entrywise", "upper") else math.nan
            out.append(("mixed", n, "all", len(names), matrix_norm(difference, n), hoped))
    return out


def _headline(table: pd.DataFrame, norms: pd.DataFrame) -> dict[str, object]:
    out = {}
    known = table.dropna(subset=["difference"])
    if len(known):
        worst = known.loc[known["difference"].abs().idxmax()]
        out["association least alike"] = (
            f"{worst['a']} x {worst['b']}: {worst['kind'].replace('_', ' ')} {worst['real']:.2f} real, "
            f"{worst['synthetic']:.2f} synthetic (a perfect sample differs by {said(worst['floor'], '.2g')})"
        )
    of_numbers = norms[norms["variables"] == "numbers"].set_index(["correlation", "norm"])
    for kind in CORRELATIONS if len(of_numbers) else ():
        values = [f"{n} {said(of_numbers.loc[(kind, n), 'value'])}" for n in ("entrywise", "upper", "induced_1")]
        hoped = said(of_numbers.loc[(kind, "entrywise"), "floor"], ".2g")
        out[f"difference of {kind.capitalize()} matrices"] = f"{', '.join(values)} (a perfect sample: entrywise {hoped})"
    return out
