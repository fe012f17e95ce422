"""Population scenarios: who lives where changed on purpose, whole people, in every replicate, recorded as what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.indicator import REPLICATES, with_replicates
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation._exchanges import Plan, plan_of
from synthpop_gb.simulation._placed import placed_population
from synthpop_gb.simulation.steps import Shift, Step

__all__ = ["Changed", "change_population"]


@dataclass(frozen=True, eq=False)
class Changed:
    """A population scenario beside the population that it was made from.

    Attributes
    ----------
    population : Population
        The people after every step, each unit an entry of its own. `provenance.scenario` says what was changed; saved, exported,
        described, it says that it is a scenario and not an estimate.
    baseline : Population
        The same people before, in the same form, so that the two differ by nothing but the exchanges, replicate by replicate.
    steps : tuple of Step
        What was done, in order.
    moved : pandas.DataFrame
        One row a step and zone, of the population itself: step (from 1), zone, category (those who meet the condition,
        of a balance those farthest from what was wanted), before, wanted, after (members), exchanges, alike (share of them
        between donors alike in every table; of steps that draw from the zone itself, drawn there), missed (members away from
        the goal).
    findings : tuple of Finding
        'scenario-not-reached' where goals could not be met.
    """

    population: Population
    baseline: Population
    steps: tuple[Step, ...]
    moved: pd.DataFrame
    findings: tuple[Finding, ...] = field(default=())

    def __repr__(self) -> str:
        """Say what was changed, how many copies were exchanged, and how well goals were met."""
        lines = ["A scenario, not an estimate:"]
        for number, step in enumerate(self.steps, 1):
            mine = self.moved[self.moved["step"] == number]
            lines.append(
                f"  {step}: {mine['exchanges'].sum():,} exchanges in {(mine['exchanges'] > 0).sum():,} zones, "
                f"{mine['before'].sum():,} to {mine['after'].sum():,} people"
                + (f"; missed in {(mine['missed'] > 0).sum():,} zones" if (mine["missed"] > 0).any() else "")
            )
        return "\n".join([*lines, repr(self.population).splitlines()[0]])


def change_population(
    population: Population,
    steps: Step | Sequence[Step],
    *,
    aligned: Aligned | None = None,
    seed: int | None = None,
    replicates: bool = True,
) -> Changed:
    """Change who lives where, step by step, keeping every zone's people (and households).

    Parameters
    ----------
    population : Population
        What to start from. Replicates are changed like it, each from its own people and streams.
    steps : Step or sequence of Step
        `Amplify`, `Balance`, `Raise`, in order. A `Shift` changes answers, not people: give it to `shifted`.
    aligned : Aligned, optional
        Records and zones; the population's own where it has them.
    seed : int, optional
        Fixes the draws; the population's own where None. Each zone draws from its own stream, so that its people do not hang on
        which other zones there are.
    replicates : bool
        Make `REPLICATES` replicates first where there are none, so that differences have intervals.

    Returns
    -------
    Changed

    Raises
    ------
    InputError
        Every finding at once: `bad-condition`, `study-reference`, `scenario-empty`.
    ValueError
        Without records, without steps, or for a `Shift`.

    Examples
    --------
    >>> smokers = change_population(population, Raise("smokes = 'yes'", by=0.05))  # doctest: +SKIP
    >>> smokers.moved.groupby("step")[["before", "after"]].sum()                   # doctest: +SKIP
    """
    steps = (steps,) if isinstance(steps, Step) else tuple(steps)
    aligned = aligned or population.problem.aligned
    if aligned is None:
        raise ValueError("the records are needed: give aligned=")
    if not steps or any(isinstance(s, Shift) for s in steps):
        raise ValueError("give one or more of Amplify, Balance and Raise: a Shift changes answers, see `shifted`")
    plans = _plans(steps, population, aligned)
    if replicates:
        population = with_replicates(population, REPLICATES)
    seed = population.provenance.seed if seed is None else seed
    told: list[pd.DataFrame] = []

    def exchange(one: Population, units: DonorCounts) -> DonorCounts:
        for number, (step, plan) in enumerate(zip(steps, plans, strict=True)):
            units, moved, missed, before, goal = plan.exchanged(one, units, seed, number)
            if one is population:
                told.append(_told(step, number + 1, plan, units, moved, missed, before, goal))
        return units

    changes = tuple(step.to_dict() for step in steps)
    after = placed_population(population, exchange, changes=changes)
    frame = pd.concat(told, ignore_index=True)
    return Changed(after, placed_population(population), steps, frame, tuple(_not_reached(steps, frame)))


def _plans(steps: Sequence[Step], population: Population, aligned: Aligned) -> list[Plan]:
    """Make every step ready; everything that is wrong with any of them at once."""
    plans, problems = [], []
    for number, step in enumerate(steps):
        try:
            plans.append(plan_of(step, population.problem, aligned))
        except InputError as error:
            for f in error.findings:
                place = f"population.{number}"
                problems.append(finding(f.code, f"{place}: {f.message}", place=place, count=f.count, remedy=f.remedy))
    if problems:
        raise InputError(problems)
    return plans


def _told(step, number: int, plan: Plan, units: DonorCounts, moved, missed, before, goal) -> pd.DataFrame:
    """Say what a step did, by zone."""
    after = plan.members(units)
    shown = np.zeros(len(before), np.int64) if len(plan.names) <= 3 else np.abs(goal - before).argmax(axis=1)
    rows = np.arange(len(before))
    exchanges = moved.sum(axis=1)
    columns = {
        "step": number, "zone": units.zones, "category": np.array(plan.names, dtype=object)[shown],
        "before": before[rows, shown], "wanted": goal[rows, shown], "after": after[rows, shown], "exchanges": exchanges,
        "alike": np.where(exchanges > 0, moved[:, 0] / np.maximum(exchanges, 1), np.nan), "missed": (missed + 1) // 2,
    }  # fmt: skip
    return pd.DataFrame(columns)


def _not_reached(steps: Sequence[Step], moved: pd.DataFrame) -> list[Finding]:
    """`scenario-not-reached` for each step that left zones away from their goals."""
    found = []
    for number, step in enumerate(steps, 1):
        short = moved[(moved["step"] == number) & (moved["missed"] > 0)].sort_values("missed", ascending=False, kind="stable")
        if len(short):
            worst = short.iloc[0]
            message = (
                f"{step}: {len(short):,} zones are not where they were to be (the farthest {worst['zone']}: "
                f"{worst['missed']:,} people away)."
            )
            place = f"population.{number - 1}"
            found.append(finding("scenario-not-reached", message, place=place, count=len(short), rows=short))
    return found
