"""A changed population beside the one it was made from: the same model on both, differences paired replicate by replicate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.describing import describer
from synthpop_gb.assessment.estimates import Averaged, Means, fractional_means, replicate_means, spread_of
from synthpop_gb.assessment.features import Design
from synthpop_gb.assessment.figures import labels_by_row
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.assessment.regions import region_of
from synthpop_gb.errors import refuse
from synthpop_gb.indicators import classify
from synthpop_gb.indicators.group_sums import placed_sums
from synthpop_gb.indicators.question import Asked, asked_about
from synthpop_gb.indicators.sums import donors_behind
from synthpop_gb.policy import BASELINE, CHANGES, Outcomes, PolicyModel, Simulation
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation.deciles import DECILE, Deciles, in_deciles, tenths_of
from synthpop_gb.simulation.estimating import by_place
from synthpop_gb.simulation.population_scenarios import Changed
from synthpop_gb.simulation.simulate import simulate
from synthpop_gb.simulation.wanted import wanted_of

__all__ = ["beside"]

_LIKE = {"change": "mean", "total_change": "total"}


def beside(
    simulation: Simulation,
    name: str,
    changed: Changed | Population,
    model: PolicyModel | Callable | str,
    *,
    before: Population | None = None,
    names: Sequence[str] | None = None,
    measures: Sequence[str] = ("mean", "change"),
    by: str | Sequence[str] = ("zone",),
    where: str | None = None,
    deciles: Deciles | str | None = None,
    aligned: Aligned | None = None,
    left_out: LeftOut | None = None,
    counts: Iterable[DonorCounts] | None = None,
    **asked,
) -> Simulation:
    """Add what a model says of a changed population to a simulation of the population that it was made from.

    The figures of the changed population are estimated as those of any; 'change' and 'total_change' are differences between the
    two, whose intervals hold what replicates differ by: each replicate is compared with itself before the change. A scenario is
    not an estimate of anything, so no model error is added to a difference.

    Parameters
    ----------
    simulation : Simulation
        Of the population before: its outcomes are asked for, and its baseline's deciles kept.
    name : str
        Of the scenario.
    changed : Changed or Population
        From `change_population`; or another population of the same zones and records, such as one of a projection's tables, with
        `before`.
    model : PolicyModel, callable or str
        The model that `simulation` is of.
    before : Population, optional
        What differences are taken from; `changed.baseline` by default.
    names : sequence of str, optional
        Outcomes; those that `simulation` has figures of where None.
    measures, by, where, deciles, left_out : as in `simulate`
        'gainers' and 'losers' are of donors under reforms, and left out here.
    aligned : Aligned, optional
        Records and zones.
    counts : iterable of DonorCounts, optional
        People placed of the population before, by which deciles are told.
    asked
        Further arguments of `simulate`: places, unit, level.

    Returns
    -------
    Simulation
        With one more scenario.

    Raises
    ------
    InputError
        For words that neither the model nor the survey knows, as `simulate`.
    ValueError
        Where there is nothing to compare with, zones or the replicates' numbers differ, or there are no replicates.
    """
    after = changed.population if isinstance(changed, Changed) else changed
    before = before or (changed.baseline if isinstance(changed, Changed) else None)
    if before is None:
        raise ValueError("give before=, the population that differences are taken from")
    if not before.zones.equals(after.zones):
        raise ValueError("the populations have other zones, or have them in another order")
    if any(one.replicates is None or len(one.replicates) < 2 for one in (before, after)):
        raise ValueError("both populations need replicates for intervals: change_population(..., replicates=True)")
    if not np.array_equal(before.replicates.numbers, after.replicates.numbers):
        raise ValueError("each replicate is compared with itself, and the populations have replicates of other numbers")
    aligned = aligned or before.problem.aligned
    base, level = simulation.outcomes[BASELINE], asked.get("level", 0.9)
    by = (by,) if isinstance(by, str) else tuple(by)
    names = list(dict.fromkeys(simulation.frame["outcome"])) if names is None else list(names)
    absolute = [m for m in measures if m not in CHANGES]
    if DECILE in by:  # who is in which decile is as before
        deciles = Deciles(deciles) if isinstance(deciles, str) else deciles
        blocks = before.blocks() if counts is None else counts
        deciles = replace(deciles, codes=tenths_of(deciles, base, blocks, aligned))
    frames = [simulation.frame] if len(simulation.frame) else []
    if absolute:
        of_after = after.problem.aligned or aligned
        made = simulate(
            after, model, outcomes=names, measures=absolute, by=by, where=where, deciles=deciles, aligned=of_after,
            left_out=left_out, **asked,
        )  # fmt: skip
        frames.append(made.frame.assign(scenario=name))
    differing = [m for m in measures if m in _LIKE]
    if differing:
        whom = _whom(aligned, by, where, asked.get("unit", "person"), deciles, base)
        unit = asked.get("unit", "person")
        frames.append(_differences(name, before, after, base, names, differing, whom, aligned, level, unit))
    facts = {**simulation.facts, "populations": [*simulation.facts.get("populations", []), name]}
    return replace(
        simulation, scenarios=(*simulation.scenarios, name), outcomes={**simulation.outcomes, name: replace(base, scenario=name)},
        frame=pd.concat(frames, ignore_index=True) if frames else simulation.frame, facts=facts,
    )  # fmt: skip


def _whom(aligned, by, where, unit, deciles, base: Outcomes) -> Asked:
    """Whom is asked about, by class of place."""
    problems: list = []
    asked = asked_about(aligned, [b for b in by if b != DECILE], where, unit, problems)
    refuse(problems)
    if DECILE in by:
        asked = in_deciles(asked, deciles.codes)
    return by_place(asked, base.places)


def _differences(name, before, after, base: Outcomes, names, measures, asked: Asked, aligned, level, unit) -> pd.DataFrame:
    """Rows of differences, replicate by replicate."""
    like = {n: tuple(_LIKE[m] for m in measures) for n in names}
    problems: list = []
    wanted = wanted_of({BASELINE: base}, like, aligned, unit=unit, problems=problems)
    refuse(problems)
    n_classes, region = len(base.places), region_of(aligned)
    averaged = [Averaged(w.value[0] if n_classes == 1 else w.value, w.kind.adds) for w in wanted]
    of_class = [np.stack([w.value[c] for w in wanted], axis=1) for c in range(n_classes)]
    means, counted, behind = [], [], []
    for p in (before, after):
        design, blocks = Design.of(p.problem, range(p.problem.n_constraints), region), list(p.blocks())
        means.append(fractional_means(asked, p, design, averaged, describer(design)))
        counted.append(placed_sums(asked, blocks, before.zones, of_class))
        behind.append(donors_behind(asked, blocks, before.zones))
    adds = np.array([w.kind.adds for w in wanted])
    was, now = (_whole(np.stack([m.estimate for m in of], axis=-1), of, adds) for of in means)
    spread = _paired_spread(asked, before, after, averaged, means, adds)
    with np.errstate(invalid="ignore", divide="ignore"):
        placed = [np.where(adds, t, t / b.people[..., None]) for t, b in zip(counted, behind, strict=True)]
    parts, labels, z = [], labels_by_row(asked), float(ndtri((1 + level) / 2))
    for i, want in enumerate(wanted):
        error, estimate, nothing = spread[..., i], (now - was)[..., i], np.zeros(spread.shape[:2])
        columns = {
            "estimate": estimate, "standard_error": error, "lower": estimate - z * error, "upper": estimate + z * error,
            "counted": (placed[1] - placed[0])[..., i], "people": means[1][i].asked, "replicate_error": error,
            "finite_error": nothing, "model_error": nothing, "n_eff": behind[1].n_eff,
            "donors": np.minimum(behind[0].donors, behind[1].donors), "largest_donor": behind[1].largest,
        }  # fmt: skip
        flat = {key: np.asarray(value).ravel() for key, value in columns.items()}
        flat["reliability"] = classify(flat["estimate"], flat["standard_error"], flat["donors"])
        measure = next(m for m, like in _LIKE.items() if like == want.measure)
        parts.append(pd.DataFrame({"scenario": name, "outcome": want.outcome, "measure": measure, **labels, **flat}))
    return pd.concat(parts, ignore_index=True)


def _whole(values: np.ndarray, of: Sequence[Means], adds: np.ndarray) -> np.ndarray:
    """Turn means into what is asked: sums are means over everybody times the people. Last axis: the values."""
    return values * np.where(adds, np.stack([m.people for m in of], axis=-1), 1.0)


def _paired_spread(asked: Asked, before, after, averaged, means, adds) -> np.ndarray:
    """Compute the standard deviation of differences between replicates of one number, (n_areas, n_groups, n_values)."""
    pairs = zip(replicate_means(asked, before, averaged), replicate_means(asked, after, averaged), strict=True)
    drawn = np.stack([_whole(b, means[1], adds) - _whole(a, means[0], adds) for a, b in pairs])
    return spread_of(drawn)
