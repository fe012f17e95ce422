"""Benchmarks: shares published for larger areas, which estimates are brought onto; and what is wrong with a request for them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.estimates import Means, spread_of
from synthpop_gb.assessment.leave_one_out import shifted
from synthpop_gb.errors import Finding, FitWarning, finding
from synthpop_gb.indicators import Question

__all__ = ["benchmarked", "goals_of", "request_findings"]


def request_findings(
    question: Question, aligned: Aligned, *, resembles: str | None = None, benchmark: pd.Series | None = None,
    constraints: Sequence[str] | None = None,
) -> list[Finding]:  # fmt: skip
    """List what is wrong with a question's `resembles` and `benchmark`: tables and areas that are not there, wrong values.

    Parameters
    ----------
    question : Question
    aligned : Aligned
    resembles : str, optional
        Name of a constraint.
    benchmark : pandas.Series, optional
        See `indicator`.
    constraints : sequence of str, optional
        Names of the constraints; those of `aligned` where absent.
    """
    names = [t.name for t in aligned.constraints] if constraints is None else constraints
    found = []
    if resembles is not None and resembles not in names:
        message = f"no constraint is called {resembles!r}; there are {', '.join(names)}."
        found.append(finding("study-reference", message, place="resembles"))
    if benchmark is None:
        return found
    if not isinstance(benchmark, pd.Series):
        message = f"a benchmark is a pandas Series of shares by area, not a {type(benchmark).__name__}."
        found.append(finding("study-value", message, place="benchmark", remedy="pd.Series(shares, pd.Index(codes, name='lad'))."))
        return found
    if benchmark.index.name is None:
        message = "the benchmark does not say of what its areas are."
        remedy = f"Name its index after a level: {', '.join((*aligned.geography.parents, 'all'))}."
        found.append(finding("study-reference", message, place="benchmark", remedy=remedy))
        return found
    level, known = benchmark.index.name, (*aligned.geography.parents, "all")
    if question.measure != "share" or question.by != ("zone",):
        found.append(finding("study-value", "a benchmark is for shares by zone, without groups.", place="benchmark"))
    bad = benchmark[~benchmark.between(0, 1)]
    if len(bad):
        message = f"{len(bad)} values of the benchmark are no shares between 0 and 1 (first: {bad.index[0]} = {bad.iloc[0]})."
        found.append(finding("study-value", message, place="benchmark", count=len(bad)))
    twice = benchmark.index[benchmark.index.duplicated()].unique()
    if len(twice):
        message = f"the benchmark names {len(twice)} areas more than once (first: {twice[0]})."
        found.append(finding("study-value", message, place="benchmark", count=len(twice)))
    if level not in known:
        message = f"the benchmark's areas are of the level {level!r}; the zones nest in {', '.join(known)}."
        found.append(finding("study-reference", message, place="benchmark"))
        return found
    codes = _codes(level, aligned)
    if not codes.isin(benchmark.index).any():
        first = codes.dropna().iloc[0] if codes.notna().any() else None
        zones = f"; the zones': {first!r}" if first is not None else ""
        shown = f" (first: {benchmark.index[0]!r}{zones})" if len(benchmark) else ""
        message = f"no area of the benchmark is among the zones' {level}{shown}."
        found.append(finding("study-reference", message, place="benchmark"))
    return found


def _codes(level: str, aligned: Aligned) -> pd.Series:
    """Code of each zone's area, in the order of the zones."""
    return pd.Series("all", aligned.zones) if level == "all" else aligned.geography.zones[level]


def goals_of(benchmark: pd.Series, aligned: Aligned) -> tuple[np.ndarray, np.ndarray]:
    """Return the parent of each zone, (n_zones,) int64, and what each parent's mean is to be, (n_parents,) float64.

    NaN for parents that the benchmark does not name, with a `FitWarning`: they are left alone. -1 for zones without a parent.
    """
    parent, parents = pd.factorize(_codes(benchmark.index.name, aligned))
    goal = benchmark.reindex(parents).to_numpy(np.float64)
    absent = int(np.isnan(goal).sum())
    if absent:
        warnings.warn(FitWarning(f"the benchmark has no value for {absent} of {len(goal)} areas"), stacklevel=3)
    return parent.astype(np.int64), goal


def benchmarked(means: Means, parent: np.ndarray, goal: np.ndarray) -> Means:
    """Move the estimates of one group, and each replicate's, onto the benchmark, and bring scale and variance to where they are.

    A share that was nought, or everybody, has no scale to be brought along: it takes that of a draw, p(1 - p).
    """
    before, people = means.estimate[:, 0], means.people[:, 0]
    estimate = shifted(before, people, parent, goal)
    drawn = np.stack([shifted(r[:, 0], people, parent, goal) for r in means.replicates])
    room, old = estimate * (1 - estimate), before * (1 - before)
    with np.errstate(invalid="ignore", divide="ignore"):
        moved, change = estimate != before, room / old
        scale = np.where(moved, np.where(old > 0, means.scale[:, 0] * change, room), means.scale[:, 0])
        finite = np.where(moved, np.where(old > 0, means.finite[:, 0] * change, room / people), means.finite[:, 0])
        scale, finite = np.minimum(scale, 0.25), np.where(moved, np.minimum(finite, 0.25 / people), finite)
    replicates = drawn[:, :, None]
    moved = {"estimate": estimate[:, None], "scale": scale[:, None], "finite": finite[:, None], "spread": spread_of(replicates)}
    return replace(means, **moved, replicates=replicates)
