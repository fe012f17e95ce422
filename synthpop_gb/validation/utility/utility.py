"""Utility of a pair: everything that this folder measures, merged, with what could not be computed and why."""

from __future__ import annotations

from collections.abc import Callable

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError
from synthpop_gb.pair import Pair
from synthpop_gb.validation.utility._sides import Sides, sides
from synthpop_gb.validation.utility._trials import Forest, task, trials
from synthpop_gb.validation.utility.association import association
from synthpop_gb.validation.utility.fairness import judge as judge_groups
from synthpop_gb.validation.utility.prediction import judge as judge_models
from synthpop_gb.validation.utility.propensity import propensity
from synthpop_gb.validation.utility.regression import regression
from synthpop_gb.validation.utility.tables import tables
from synthpop_gb.validation.utility.univariate import univariate

__all__ = ["utility"]


def utility(
    pair: Pair,
    *,
    seed: int = 1,
    target: str | None = None,
    order: int = 3,
    prediction: bool = True,
    splits: int = 1,
    permutations: int = 20,
    positive: str | None = None,
) -> Checks:
    """Measure what the synthetic records of a pair can be used for.

    Parameters
    ----------
    pair : Pair
        Both sides. Of a cloned pair every null expectation is taken at the effective number of records.
    seed : int
        Of everything that is drawn; the same seed gives the same tables.
    target : str, optional
        Outcome of regressions and models; `pair.target` by default. Without one there are none.
    order : int
        Variables in the largest tables, 1 to 3.
    prediction : bool
        Whether models are trained (prediction, importance and fairness): most of the time goes there.
    splits : int
        Times that real records are split into training and test records.
    permutations : int
        Permuted trees of the propensity's null, whose standard error is told.
    positive : str, optional
        Value of the target that counts as selected, see `fairness`.

    Returns
    -------
    Checks
        The tables of `univariate` ('univariate', 'univariate_bins'), `association` ('association', 'association_norms'),
        `tables` ('utility_tables'), `propensity` ('propensity'), `regression` ('regression', 'regression_fit'), `prediction`
        ('prediction', 'confusion', 'importance', 'importance_agreement') and `fairness` ('fairness'); their headlines; their
        findings, errors first, then warnings, then notes. Where an optional package is missing, what needs it is a finding.

    Raises
    ------
    KeyError
        For a target that is not there.
    """
    if target is not None:
        pair.variable(target)
    both = sides(pair)
    target = pair.target if target is None else target
    steps: list[Callable[[], Checks]] = [
        lambda: univariate(both, seed=seed),
        lambda: association(both, seed=seed),
        lambda: tables(both, order=order),
        lambda: propensity(both, seed=seed, permutations=permutations),
        lambda: regression(both, target=target),
    ]
    if prediction:
        steps.append(lambda: _models(both, target, seed, splits, positive))
    headline: dict[str, object] = {}
    found: dict = {}
    findings: list[Finding] = list(both.findings)
    for step in steps:
        try:
            checks = step()
        except InputError as error:  # an optional package is missing: the rest is worth having
            findings += [f for f in error.findings if str(f) not in {str(g) for g in findings}]
            continue
        headline |= checks.headline
        found |= checks.tables
        known = {str(f) for f in findings}
        findings += [f for f in checks.findings if str(f) not in known]
    rank = {"error": 0, "warning": 1, "note": 2}
    return Checks(headline, found, tuple(sorted(findings, key=lambda f: rank.get(f.level, 3))))


def _models(both: Sides, target: str | None, seed: int, splits: int, positive: str | None) -> Checks:
    """Train once, judge for everybody and for groups."""
    findings: list[Finding] = []
    made = task(both, target, findings)
    done = [] if made is None else trials(made, seed, splits, Forest(), findings)
    options = {"permuted": 2_000, "repeats": 5, "explained": 200, "explained_trees": 25}
    overall = judge_models(done, seed, options, findings)
    groups = judge_groups(done, both.pair.protected, positive, 30, 50, list(overall.findings))
    return Checks({**overall.headline, **groups.headline}, {**overall.tables, **groups.tables}, groups.findings)
