"""The audit: is it right, for whom, what for, and whom does it expose; of any two files, and of a population."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.pair import Pair
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.disclosure import cloned_disclosure, disclosure
from synthpop_gb.validation.intersections import protected_names, scan, scan_zones, survey_codes
from synthpop_gb.validation.utility import utility
from synthpop_gb.validation.verdicts import GIVING, HANDING, pair_verdicts, population_verdicts, summary

__all__ = ["audit", "audit_population", "refused_release"]


def audit(
    pair: Pair,
    *,
    seed: int = 1,
    order: int = 3,
    impossible: Iterable[str] = (),
    holdout: pd.DataFrame | None = None,
    models: bool = True,
    splits: int = 1,
    workers: int | None = None,
    tell: Callable[[str], object] | None = None,
) -> Checks:
    """Audit synthetic records against real ones: utility, intersections, disclosure, and a verdict for each use.

    Parameters
    ----------
    pair : Pair
        Both sides, with keys, target and protected attributes; `read.pair` makes one of two files.
    seed : int
        Fixes whatever is drawn; the same seed gives the same tables.
    order : int
        Variables in the largest combinations, 1 to 3 and, where you have time, more.
    impossible : iterable of str
        Structural zeros as conditions: "relationship = 'Husband' and sex = 'Female'".
    holdout : pandas.DataFrame, optional
        Real records that were not synthesised from, with the pair's columns: the control of attacks.
    models : bool
        Whether models are trained where there is a target: most of the time goes there.
    splits : int
        Times that real records are split into training and test records.
    workers : int, optional
        Threads of the scan; results do not depend on it.
    tell : callable, optional
        Called with a few words as each part begins.

    Returns
    -------
    Checks
        Tables of `utility`, `scan` and `disclosure`, and 'verdicts' (`pair_verdicts`). Findings: those of reading, then errors,
        warnings, notes.

    Raises
    ------
    InputError
        Where a rule about what is impossible cannot be understood.

    >>> from synthpop_gb.read import pair
    >>> real = pd.DataFrame({"sex": ["f", "m"] * 200, "works": ["yes", "yes", "no", "no"] * 100})
    >>> found = audit(pair(real, real.sample(400, replace=True, random_state=1)), models=False)
    >>> found["verdicts"].set_index("use")["verdict"].loc["Tables of two variables"]
    'fit'
    """
    tell = tell or (lambda words: None)
    real, synthetic = pair.coded()
    tell(f"combinations of up to {order} of {len(pair.variables)} variables")
    groups = scan(
        real, synthetic, orders=range(1, order + 1), protected=pair.protected, impossible=impossible,
        reference_name=pair.real_name, reference_kind="survey cloned" if pair.cloned else "sample",
        left_out=pair.left_out, workers=workers,
    )  # fmt: skip
    tell("utility" + (f": variables, tables and models of {pair.target}" if models and pair.target else ": variables and tables"))
    useful = utility(pair, seed=seed, order=min(order, 3), prediction=models, splits=splits)
    tell("disclosure")
    parts = [groups, useful, disclosure(pair, seed=seed, holdout=holdout)]
    return _whole(parts, pair.findings, pair_verdicts)


def audit_population(
    population: Population,
    aligned: Aligned,
    validation: Checks,
    *,
    counts: Sequence[DonorCounts] | None = None,
    names: Iterable[str] | None = None,
    keys: Sequence[str] | None = None,
    order: int = 3,
    impossible: Iterable[str] = (),
    workers: int | None = None,
    tell: Callable[[str], object] | None = None,
) -> Checks:
    """Audit a population of copied survey records: combinations by zone and over all zones, and whom it exposes.

    Parameters
    ----------
    population : Population
        Whose fractional fit is the first reference.
    aligned : Aligned
        Survey, tables and zones; held-out tables are references as well, and the survey itself over the whole area.
    validation : Checks
        What `validate` found, for the verdicts.
    counts : sequence of DonorCounts, optional
        The people judged; `population.blocks()` where absent.
    names : iterable of str, optional
        Variables of the survey to scan; all that its codebook describes where absent, the protected ones first.
    keys : sequence of str, optional
        What an intruder knows of somebody.
    order, impossible, workers, tell
        As of `audit`.

    Returns
    -------
    Checks
        Tables of `scan_zones` and `cloned_disclosure`, and 'verdicts' (`population_verdicts`).

    Raises
    ------
    InputError
        Where a rule about what is impossible, a key or a variable is not known.
    """
    tell = tell or (lambda words: None)
    blocks = list(population.blocks()) if counts is None else list(counts)
    records = survey_codes(aligned, names)
    tell(f"combinations of up to {order} of {len(records.names)} variables in {len(aligned.zones):,} zones")
    found = scan_zones(
        blocks, records, aligned.zones, fit=population if population.duals is not None else None, tables=aligned.held_out,
        orders=range(1, order + 1), protected=protected_names(records.names), impossible=impossible,
        survey_name="the survey" + f" {aligned.survey.name}" * (aligned.survey.name != "survey"), workers=workers,
    )  # fmt: skip
    tell("disclosure")
    exposed = cloned_disclosure(blocks, aligned, keys)
    number = 0 if population.replicates is None else len(population.replicates)
    judge = partial(population_verdicts, validation=validation, licence=aligned.survey.licence, replicates=number)
    return _whole([found, exposed], (), judge)


def _whole(parts: Iterable[Checks], before: Iterable[Finding], judge) -> Checks:
    """Put parts together: one headline, one set of tables, findings once, the worst first; then the verdicts."""
    headline, tables, found = {}, {}, list(before)
    for part in parts:
        headline |= part.headline
        tables |= part.tables
        known = {(f.code, f.message) for f in found}
        found += [f for f in part.findings if (f.code, f.message) not in known]
    rank = {"error": 0, "warning": 1, "note": 2}
    found.sort(key=lambda f: rank[f.level])
    checks = Checks(headline, tables, tuple(found))
    verdicts = judge(checks)
    return Checks({"uses judged": summary(verdicts), **headline}, {"verdicts": verdicts, **tables}, tuple(found))


def refused_release(checks: Checks, rule: str, refused: Sequence[Finding]) -> Checks:
    """Put what a release rule refuses where whoever opens the folder sees it.

    Parameters
    ----------
    checks : Checks
        Of `audit` or `audit_population`.
    rule : str
        The rule's name.
    refused : sequence of Finding
        What breaks it; nothing where it is kept.

    Returns
    -------
    Checks
        With the rule in the headline, the findings first, and the use that the rule decides unfit where it is broken.
    """
    n, verdicts = len(refused), checks["verdicts"].copy()
    if refused:
        verdicts.loc[verdicts["use"].isin([GIVING, HANDING]), ["verdict", "reason"]] = ["unfit", refused[0].message]
    said = f"{rule}: {'kept' if not n else f'broken in {n} way' + 's' * (n > 1)}"
    headline = {**checks.headline, "uses judged": summary(verdicts), "release rule": said}
    return Checks(headline, {**checks.tables, "verdicts": verdicts}, (*refused, *checks.findings))
