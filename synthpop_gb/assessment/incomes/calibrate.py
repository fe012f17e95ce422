"""calibrate_incomes: start weights tilted by area, so that fitted incomes come as near published ones as these are sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.incomes._aims import aims_of
from synthpop_gb.assessment.incomes._moments import first_duals, moments_of
from synthpop_gb.assessment.incomes._seek import by_aim, predicted, seek
from synthpop_gb.assessment.incomes._told import again, facts_of, frame_of, noticed
from synthpop_gb.assessment.incomes.target import IncomeTarget, match_all
from synthpop_gb.errors import Finding
from synthpop_gb.problem import Problem

__all__ = ["BANDS", "CalibratedIncomes", "calibrate_incomes"]

BANDS = 20
"""Bands of income that profiles are told apart by."""


@dataclass(frozen=True, eq=False)
class CalibratedIncomes:
    """A problem whose start is tilted by area, and what became of incomes.

    Attributes
    ----------
    problem : Problem
        To be solved; its profiles are told apart by bands of the incomes, and every table is met as before.
    frame : pandas.DataFrame
        One row a target and area: `incomes` (its name), `area`, `published`, `published_error`, `before` (fitted from the
        survey's own start), `predicted` (fitted with this area's figure left out), `after`, `standard_error` of it,
        `weight` (share of the published figure in it; the rest is what others like it say), `tilt`, `held_out`, `at_limit`.
    facts : dict
        Plain values for the record of the run; with these and the same inputs `calibrate_incomes(..., known=facts)` makes the
        same problem again.
    findings : tuple of Finding
        What was noticed: areas without a figure, years, figures out of the survey's reach.
    """

    problem: Problem
    frame: pd.DataFrame
    facts: dict[str, Any]
    findings: tuple[Finding, ...] = field(default=())

    def __repr__(self) -> str:
        """One line a target: error before, with areas left out, after."""
        return "\n".join(["CalibratedIncomes", *(f"  {line}" for line in self.facts["said"])])


def calibrate_incomes(
    problem: Problem,
    aligned: Aligned,
    targets: Sequence[IncomeTarget],
    *,
    bands: int = BANDS,
    prior: float | None = None,
    known: Mapping[str, Any] | None = None,
) -> CalibratedIncomes:
    """Tilt the start weights of every area so that its fitted income moves to what is published of it, as far as that is sure.

    Profiles are told apart by bands of income. In area a the start weight of a unit is multiplied by exp(theta_a g), where g is
    the normal score of its band (summed over members who count), and every zone is fitted to its tables as before: cells are met
    exactly, and within them incomes move. The tilts are the mode of what is known of them: the published figure with its standard
    error, and the other areas, whose tilts lie about a line with a standard deviation that is learnt (Fay & Herriot 1979). So a
    sure figure is met, an unsure one shrinks to the line, and an area without one gets the line.

    Parameters
    ----------
    problem : Problem
        From `formulate`, or `better_start`.
    aligned : Aligned
        What it was formulated from.
    targets : sequence of IncomeTarget
        Published incomes; those held out only judge.
    bands : int
        Bands of income.
    prior : float, optional
        Standard deviation of tilts about their line, in standard deviations of incomes: 0 lets no area differ from the line, a
        large one meets every figure. Learnt from the areas where None.
    known : mapping, optional
        `facts` of an earlier call with the same arguments.

    Returns
    -------
    CalibratedIncomes

    Raises
    ------
    InputError
        `income-year`, `income-error`, `income-areas`, `bad-condition`: every reason why targets cannot be used.
    ValueError
        Without targets, for fewer than four bands or a negative prior.

    Examples
    --------
    >>> published = sp.read.area_incomes("incomes.csv", year=2021)                                    # doctest: +SKIP
    >>> target = IncomeTarget(published, "equivalised_income", "msoa", uprate=1.05)                   # doctest: +SKIP
    >>> found = calibrate_incomes(problem, aligned, [target])                                         # doctest: +SKIP
    >>> population = sp.solve(found.problem, method="balance", seed=1)                                # doctest: +SKIP
    """
    if not targets:
        raise ValueError("no targets: give at least one IncomeTarget")
    if bands < 4 or (prior is not None and not prior >= 0):
        raise ValueError(f"four bands at least and a prior that is not negative, not {bands} and {prior}")
    matched, findings = match_all(aligned, targets)
    aims = aims_of(problem, matched, bands)
    if known is not None:
        frame, tilts = again(matched, known)
        return CalibratedIncomes(aims.tilted(tilts), frame, dict(known), (*findings, *noticed(frame)))
    duals = first_duals(aims.problem)
    before = moments_of(aims, aims.problem, answers=False, duals=duals).ratio
    sought = seek(aims, before, prior, duals)
    tilts = [np.round(t, 9) for t in by_aim(aims, sought.tilt)]  # last bits of matrix products differ by machine
    frame = frame_of(aims, sought, before, predicted(aims, sought, before, prior, duals))
    facts = facts_of(aims, frame, sought, bands)
    return CalibratedIncomes(aims.tilted(tilts), frame, facts, (*findings, *noticed(frame, settled=sought.settled)))
