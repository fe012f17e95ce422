"""Fairness: whom a model trained on synthetic records serves worse than one trained on real ones, group by group."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.chance import adjusted, paired_difference, paired_probability, wilson
from synthpop_gb.validation.utility._sides import sides
from synthpop_gb.validation.utility._trials import AGAIN, REAL, SYNTHETIC, Forest, Trial, task, trials

__all__ = ["MEASURES", "fairness"]

MEASURES = ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate")
"""Share of a group's test records predicted right; predicted positive; of the positive, and of the others, predicted positive."""

_COLUMNS = (
    "split", "by", "group", "measure", "positive", "records", "n", "real", "real_low", "real_high", "synthetic", "synthetic_low",
    "synthetic_high", "difference", "difference_low", "difference_high", "p", "q", "again", "again_q",
)  # fmt: skip

FALSE = 0.05
"""False discoveries tolerated among the differences of all groups and measures of a split."""


def fairness(
    pair: Pair,
    *,
    target: str | None = None,
    protected: tuple[str, ...] | None = None,
    positive: str | None = None,
    seed: int = 1,
    splits: int = 1,
    forest: Forest | None = None,
    fewest: int = 30,
    fewest_together: int = 50,
) -> Checks:
    """Compare models trained on real and on synthetic records within each group of protected variables.

    Parameters
    ----------
    pair : Pair
        Both sides.
    target : str, optional
        What is predicted; `pair.target` by default.
    protected : tuple of str, optional
        Whose groups are looked at; `pair.protected` by default. Numbers are cut into groups.
    positive : str, optional
        Value of the target that counts as selected; the rarer of two by default. Of more values only accuracy is compared
        unless it is given.
    seed, splits, forest
        As for `prediction`: with the same ones the models are the same.
    fewest, fewest_together : int
        Test records that a group, or a group of two variables together, must have; smaller ones are not judged, and counted.

    Returns
    -------
    Checks
        Table 'fairness', one row a split, group and measure: split, by (variable, or 'a x b'), group ('everybody' where by is
        empty), measure (of `MEASURES`, or 'mean_absolute_error' of a number), positive, records (test records of the group), n
        (effective number that the measure is taken over: positives for the true positive rate), real and synthetic (of the
        models trained on either) with 95 % intervals (Wilson 1927), difference (synthetic less real) with its interval for the
        same people (Newcombe 1998; of errors normal), its probability p (McNemar 1947, exact; of errors normal) and q, adjusted
        over all groups and measures of the split (NaN for everybody); again and again_q: the same of a model trained on a
        bootstrap sample of the real training records. Two such models differ although nobody is wronged: what a difference
        has to be held against, beside the chance of the test.

    Raises
    ------
    KeyError
        For a name that is not there.
    ValueError
        For a positive value that no real record has.
    InputError
        'missing-extra' where scikit-learn is not installed.
    """
    both = sides(pair)
    findings = list(both.findings)
    protected = both.pair.protected if protected is None else protected
    for name in protected:
        both.pair.variable(name)
    made = task(both, target, findings)
    done = [] if made is None else trials(made, seed, splits, forest or Forest(), findings)
    return judge(done, protected, positive, fewest, fewest_together, findings)


def judge(
    done: list[Trial],
    protected: tuple[str, ...],
    positive: str | None,
    fewest: int,
    fewest_together: int,
    findings: list[Finding],
) -> Checks:
    """Measure groups in trials that were run."""
    rows: list[dict] = []
    small = 0
    done = [t for t in done if SYNTHETIC in t.models]
    if done and not protected:
        findings.append(finding("utility-not-computed", "No group is looked at: no variable is named protected.", level="note"))
        done = []
    chosen = _positive(done[0], positive) if done else None
    for t in done:
        rows += _of_group(t, "", "everybody", np.ones(len(t.test), bool), chosen)
        names = tuple(n for n in dict.fromkeys(protected) if n != t.task.target)
        real, _ = t.task.both.pair.coded(names)
        codes = real.codes[t.task.rows[0][t.test]]
        for at in [(i,) for i in range(len(names))] + list(combinations(range(len(names)), 2)):
            by = " x ".join(names[i] for i in at)
            for values in np.unique(codes[:, at], axis=0):
                mask = (codes[:, at] == values).all(axis=1)
                if mask.sum() < (fewest if len(at) == 1 else fewest_together):
                    small += 1
                    continue
                group = ", ".join(real.labels[i][k] for i, k in zip(at, values, strict=True))
                rows += _of_group(t, by, group, mask, chosen)
    if small:
        message = (
            f"{small:,} groups have fewer than {fewest} test records, or {fewest_together} for two variables together: "
            f"the models are not judged there."
        )
        findings.append(finding("utility-partial", message, count=small))
    table = _adjusted(pd.DataFrame(rows, columns=[*_COLUMNS, "again_p"]))
    return Checks(_headline(table, findings), {"fairness": table}, tuple(findings))


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust the probabilities of groups for how many there are in a split."""
    for p, q in (("p", "q"), ("again_p", "again_q")):
        table[q] = np.nan
        for _, rows in table[(table["by"] != "") & table[p].notna()].groupby("split"):
            table.loc[rows.index, q] = adjusted(rows[p].to_numpy(np.float64))
    return table[list(_COLUMNS)]


def _positive(first: Trial, positive: str | None) -> int | None:
    """Position of the positive class, None where there is none."""
    classes = first.task.classes
    if not classes:
        return None
    if positive is not None:
        if positive not in classes:
            raise ValueError(f"no real record has {first.task.target} = {positive!r}: {', '.join(classes[:10])}")
        return classes.index(positive)
    if len(classes) != 2:
        return None
    return int(np.argmin(np.bincount(first.task.y[0], minlength=2)))


def _of_group(t: Trial, by: str, group: str, mask: np.ndarray, positive: int | None) -> list[dict[str, object]]:
    """Rows of one group."""
    weight, actual = t.weight[mask], t.actual[mask]
    weight = weight * (weight.sum() / (weight**2).sum())  # the group's own effective number
    predicted = [t.predicted(name)[mask] for name in (REAL, SYNTHETIC, AGAIN)]
    keys = {"split": t.split, "by": by, "group": group, "records": int(mask.sum())}
    if not t.task.classes:
        return [{**keys, "measure": "mean_absolute_error", "positive": "", **_errors(t, weight, actual, predicted)}]
    said = "" if positive is None else t.task.classes[positive]
    found = [("accuracy", np.ones(len(actual), bool), [p == actual for p in predicted])]
    if positive is not None:
        chosen, truly = [p == positive for p in predicted], actual == positive
        found += [(m, of, chosen) for m, of in zip(MEASURES[1:], (np.ones(len(actual), bool), truly, ~truly), strict=True)]
    return [{**keys, "measure": m, "positive": said, **_shares(weight[of], *(h[of] for h in hits))} for m, of, hits in found]


def _shares(weight: np.ndarray, real: np.ndarray, synthetic: np.ndarray, again: np.ndarray) -> dict[str, float]:
    """Models' shares among the same people, and their differences from that of the real records."""
    n = float(weight.sum())
    out: dict[str, float] = {"n": n}
    for name, hit in (("real", real), ("synthetic", synthetic)):
        hits = float(weight[hit].sum())
        low, high = wilson(hits, n)
        out |= {name: hits / n if n > 0 else math.nan, f"{name}_low": low, f"{name}_high": high}
    cells = [
        float(weight[a & b].sum()) for a, b in ((synthetic, real), (synthetic, ~real), (~synthetic, real), (~synthetic, ~real))
    ]
    low, high = paired_difference(*cells)
    out |= {"difference": out["synthetic"] - out["real"], "difference_low": low, "difference_high": high}
    for name, hit in (("", synthetic), ("again_", again)):
        apart = (float(weight[a & ~b].sum()) for a, b in ((hit, real), (real, hit)))
        out[f"{name}p"] = paired_probability(*apart) if n > 0 else math.nan
    return {**out, "again": float(weight[again].sum()) / n if n > 0 else math.nan}


def _errors(t: Trial, weight: np.ndarray, actual: np.ndarray, predicted: list[np.ndarray]) -> dict[str, float]:
    """Mean absolute errors of predicted numbers, with normal intervals."""
    errors = [np.abs(p - actual) * t.task.unit for p in predicted]
    out: dict[str, float] = {"n": float(weight.sum())}
    sides = {"real": errors[0], "synthetic": errors[1], "difference": errors[1] - errors[0]}
    for name, values in sides.items():
        mean, error = _mean(weight, values)
        out |= {name: mean, f"{name}_low": mean - 1.96 * error, f"{name}_high": mean + 1.96 * error}
    for name, values in (("", sides["difference"]), ("again_", errors[2] - errors[0])):
        mean, error = _mean(weight, values)
        out[f"{name}p"] = math.erfc(abs(mean) / error / math.sqrt(2)) if error > 0 else float(mean == 0)
    return {**out, "again": _mean(weight, errors[2])[0]}


def _mean(weight: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error."""
    mean = float((weight * values).sum() / weight.sum())
    size = float(np.abs(values).max()) or 1.0  # squares of huge numbers would overflow
    return mean, size * math.sqrt(float((weight * ((values - mean) / size) ** 2).sum())) / weight.sum()


def _headline(table: pd.DataFrame, findings: list[Finding]) -> dict[str, object]:
    """Say who loses most, and how far apart groups are under either model."""
    groups = table[table["by"] != ""]
    if groups.empty:
        return {}
    out: dict[str, object] = {"groups judged": int(groups[["by", "group"]].drop_duplicates().shape[0])}
    errors = groups["measure"].eq("mean_absolute_error").any()
    main = groups[groups["measure"].isin(["accuracy", "mean_absolute_error"])]
    sign = 1 if errors else -1
    main = main.assign(
        lost=(main["q"] <= FALSE) & (sign * main["difference"] > 0),
        lost_again=(main["again_q"] <= FALSE) & (sign * (main["again"] - main["real"]) > 0),
    )
    kept = ["records", "real", "synthetic", "difference", "lost", "lost_again"]
    main = main.groupby(["by", "group"], sort=False, as_index=False)[kept].mean()
    worst = main.loc[main["difference"].idxmax() if errors else main["difference"].idxmin()]
    if errors:
        said = f"mean error {worst['synthetic']:.4g} trained on synthetic, {worst['real']:.4g} on real"
    else:
        said = f"accuracy {worst['synthetic']:.3f} trained on synthetic, {worst['real']:.3f} on real"
    lost, again = (main[column] > 0.5 for column in ("lost", "lost_again"))  # in most of the splits
    out["group that loses most"] = f"{worst['group']} ({worst['by']}, {worst['records']:,.0f} test records): {said}"
    out["groups that lose"] = (
        f"{int(lost.sum()):,} of {len(main):,} beyond chance (false discovery rate {100 * FALSE:g} %); trained on real records "
        f"again {int(again.sum()):,}"
    )
    for measure in ("selection_rate", "true_positive_rate"):
        rows = groups[(groups["measure"] == measure) & (groups["n"] >= 10)].dropna(subset=["real", "synthetic"])
        spread = {
            n: (g["real"].max() - g["real"].min(), g["synthetic"].max() - g["synthetic"].min()) for n, g in rows.groupby("by")
        }
        if spread:
            by = max(spread, key=lambda n: spread[n][1] - spread[n][0])
            words = measure.replace("_", " ")
            out[f"spread of the {words}"] = (
                f"between groups of {by} {spread[by][1]:.3f} trained on synthetic, {spread[by][0]:.3f} on real"
            )
    if lost.sum() > again.sum():
        rows = (
            main[lost]
            .drop(columns=["lost", "lost_again"])
            .sort_values("difference", ascending=not errors, kind="stable")
            .reset_index(drop=True)
        )
        named = "; ".join(f"{r['group']} ({r['by']})" for r in rows.head(5).to_dict("records"))
        message = (
            f"Models trained on synthetic records serve {len(rows):,} of {len(main):,} groups worse, most of all {named}; those "
            f"trained on real records again {int(again.sum()):,}."
        )
        findings.append(finding("utility-low", message, count=len(rows), rows=rows))
    return out
