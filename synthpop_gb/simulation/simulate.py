"""The door to policy figures: a model runs once on every donor, and counts turn what it says into figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.estimates import Averaged, Means
from synthpop_gb.assessment.figures import figures, labels_by_row, model_errors, of_few, with_donors
from synthpop_gb.assessment.grounds import Grounds, aligned_of
from synthpop_gb.assessment.indicator import REPLICATES, with_replicates
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.assessment.together import means_together
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.indicators.group_sums import placed_sums
from synthpop_gb.indicators.question import UNITS, Asked, asked_about
from synthpop_gb.indicators.sums import Behind, donors_behind
from synthpop_gb.policy import BASELINE, Outcomes, Places, PolicyModel, Simulation, as_model, run_model
from synthpop_gb.policy._run import classes_for
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation.deciles import DECILE, Deciles, in_deciles, refined
from synthpop_gb.simulation.wanted import Wanted, measures_by_outcome, wanted_of

__all__ = ["simulate"]


def simulate(
    population: Population,
    model: PolicyModel | Callable | str,
    *,
    reforms: Mapping[str, Mapping[str, Any]] | None = None,
    outcomes: Sequence[str] | str | None = None,
    measures: str | Sequence[str] | Mapping[str, Sequence[str]] = ("mean",),
    by: str | Sequence[str] = ("zone",),
    where: str | None = None,
    places: Places | pd.DataFrame | None = None,
    unit: str = "person",
    threshold: float = 0.0,
    deciles: Deciles | str | None = None,
    level: float = 0.9,
    aligned: Aligned | None = None,
    left_out: LeftOut | None = None,
    counts: Iterable[DonorCounts] | None = None,
) -> Simulation:
    """Run a model on a population's donors, and estimate what it comes to in each area and group, with intervals."""
    aligned, model = aligned_of(population, aligned), as_model(model)
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    if unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(UNITS)}, not {unit!r}")
    problems: list[Finding] = []
    by = (by,) if isinstance(by, str) else tuple(by)
    deciles = Deciles(deciles) if isinstance(deciles, str) else deciles
    asked = asked_about(aligned, [b for b in by if b != DECILE], where, unit, problems)
    ran = _ran(model, aligned, classes_for(model, aligned, places), reforms or {}, problems)
    if DECILE in by and deciles is None:
        problems.append(finding("study-value", "figures by decile need deciles=, the outcome that they are of.", place="by"))
    if BASELINE not in ran or asked is None:
        raise InputError(problems)
    if DECILE in by and deciles is not None and deciles.within != "all":
        ran = {scenario: refined(outcome, aligned, deciles.within) for scenario, outcome in ran.items()}
    names = list(ran[BASELINE].names if outcomes is None else [outcomes] if isinstance(outcomes, str) else outcomes)
    of_each = measures_by_outcome(measures, names, bool(reforms), problems)
    wanted = wanted_of(ran, of_each, aligned, unit=unit, threshold=threshold, problems=problems)
    refuse(problems)
    asked_of, population = population, with_replicates(population, REPLICATES)
    blocks = list(population.blocks() if counts is None else counts)
    if DECILE in by:
        asked = in_deciles(asked, deciles, ran[BASELINE], blocks, aligned)
    grounds = Grounds.of(population, aligned, asked, level, left_out)
    return _estimated(wanted, ran, asked, grounds, blocks, level, own=asked_of is population, unit=unit, where=where)


def _ran(model, aligned: Aligned, places: Places, reforms: Mapping, problems: list[Finding]) -> dict[str, Outcomes]:
    """Outcomes of the baseline and of each reform; findings of all of them together."""
    ran: dict[str, Outcomes] = {}
    for scenario, parameters in ((BASELINE, None), *reforms.items()):
        if (scenario == BASELINE and parameters is not None) or not isinstance(scenario, str) or not scenario.strip():
            problems.append(finding("study-value", f"a reform cannot be called {scenario!r}.", place="reforms"))
            continue
        try:
            ran[scenario] = run_model(model, aligned, places=places, parameters=parameters, scenario=scenario)
        except InputError as error:
            problems.extend(error.findings)
            continue
        if BASELINE in ran and ran[scenario].names != ran[BASELINE].names:
            message = f"{ran[scenario].model} gives other outcomes under {scenario!r} than in the baseline."
            problems.append(
                finding("model-outcomes", message, place=scenario, remedy="Return the same columns whatever the reform.")
            )
    return ran


def _estimated(wanted: list[Wanted], ran, asked: Asked, grounds: Grounds, blocks, level, *, own, unit, where) -> Simulation:
    """Estimate everything wanted at once."""
    places, n_groups, zones = ran[BASELINE].places, len(asked.groups), grounds.population.zones
    asked = _by_place(asked, places) if len(places) > 1 else asked
    blocks = list(blocks)
    averaged = [Averaged(w.value if len(places) > 1 else w.value[0], w.kind.adds) for w in wanted]
    means = means_together(asked, grounds.population, grounds.design, averaged)
    behind = donors_behind(asked, blocks, zones)
    of_class = [np.stack([w.value[c] for w in wanted], axis=1) for c in range(len(places))]
    totals = placed_sums(asked, blocks, zones, of_class)
    z, labels, parts = float(ndtri((1 + level) / 2)), labels_by_row(asked), []
    for i, want in enumerate(wanted):
        columns = _columns(want, means[i], model_errors(grounds.model, means[i], asked), totals[..., i], behind, z)
        parts.append(pd.DataFrame({"scenario": want.scenario, "outcome": want.outcome, "measure": want.measure, **labels, **columns}))
    base = ran[BASELINE]
    facts = {
        "model": base.model, "unit": unit, "where": where, "replicates": len(grounds.population.replicates),
        "classes of place": len(places), "model facts": dict(base.facts),
        "reforms": {s: dict(o.parameters) for s, o in ran.items() if s != BASELINE},
        "records by group": np.bincount(asked.group[asked.group >= 0], minlength=n_groups).tolist(),
    }  # fmt: skip
    whom = UNITS[unit] + (f", where {where}" if where else "")
    units = dict(zip(base.names, base.units, strict=True))
    return Simulation(base.model, tuple(ran), ran, pd.concat(parts, ignore_index=True), level, units, whom, facts)


def _by_place(asked: Asked, places: Places) -> Asked:
    """Whom is asked about, told by class of place."""
    shape = (len(places), asked.base.shape[-1])
    base, group = np.broadcast_to(asked.base, shape), np.broadcast_to(asked.group, shape)
    return Asked(base, group, asked.groups, asked.area, asked.areas, asked.everybody, places.of_zone)


def _columns(want: Wanted, means: Means, error: np.ndarray, total: np.ndarray, behind: Behind, z: float) -> dict[str, np.ndarray]:
    """Columns of figures of one value."""
    spread = means.spread
    deviation = np.sqrt(spread**2 + means.finite + error**2 + of_few(means, behind, want.kind))
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = total if want.kind.adds else total / behind.people
    return with_donors(figures(means, spread, error, deviation, z, want.kind), counted, behind, want.kind)
