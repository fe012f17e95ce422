"""What a scenario asks of its model: requests, answers of every scenario beside the baseline, and what the licence withholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.errors import finding, refuse
from synthpop_gb.indicators.withheld import few_withheld, three_figures
from synthpop_gb.pipeline.scenario_population import Populations
from synthpop_gb.policy import CHANGES, Outcomes, PolicyModel, PovertyLine, Simulation
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation import simulate
from synthpop_gb.simulation.beside import beside
from synthpop_gb.simulation.deciles import DECILE, Deciles
from synthpop_gb.spec import Scenario
from synthpop_gb.spec.scenario import OutcomeRequest, PovertyModel

__all__ = ["Asking", "joined", "requests_of", "withheld"]


def requests_of(scenario: Scenario, base: Outcomes) -> list[OutcomeRequest]:
    """List what is asked: what the page shows of every scenario, by the whole area, decile and zone; then what the file asks.

    Raises InputError ('study-value') for outcomes that the model does not give.
    """
    asked = [r.model_copy(update={"what": _names(r.what, base)}) for r in scenario.outcome]
    asked = asked or [OutcomeRequest(what=list(base.names), measures=["mean", "total"], by=["zone"])]
    compared = bool(scenario.reform or scenario.population)
    names = list(dict.fromkeys(n for r in asked for n in r.what if n in base.names)) or list(base.names)
    main = names[0]
    pages = [OutcomeRequest(what=names, measures=["mean", "total", *(CHANGES if compared else ())], by=["all"])]
    if scenario.deciles is not None:
        pages.append(OutcomeRequest(what=[main], measures=["mean", *(CHANGES if compared else ())], by=["all", DECILE]))
    pages.append(OutcomeRequest(what=[main], measures=["mean", *(CHANGES[:1] if compared else ())], by=["zone"]))
    problems = []
    if scenario.deciles is not None and scenario.deciles.of not in base.names:
        message = f"deciles.of: {base.model} gives no outcome {scenario.deciles.of!r}; it gives {', '.join(base.names)}."
        problems.append(finding("study-value", message, place="deciles.of"))
    if not compared:
        for number, request in enumerate(asked):
            if told := [m for m in request.measures if m in CHANGES]:
                message = f"outcome.{number}: {', '.join(told)} compare scenarios, and the file has none beside the baseline."
                problems.append(finding("study-value", message, place=f"outcome.{number}"))
    refuse(problems)
    return _once([*pages, *asked])


def _names(what: Sequence[str], base: Outcomes) -> list[str]:
    """Outcomes by name; '*' is all of them."""
    return list(dict.fromkeys(n for w in what for n in (base.names if w == "*" else (w,))))


def _once(requests: list[OutcomeRequest]) -> list[OutcomeRequest]:
    """Leave out of later requests what an earlier one asks already."""
    known: set[tuple] = set()
    kept = []
    for r in requests:
        left = {n: [m for m in r.measures if (n, m, tuple(r.by), r.where, r.quantile) not in known] for n in r.what}
        known |= {(n, m, tuple(r.by), r.where, r.quantile) for n in r.what for m in r.measures}
        for measures in dict.fromkeys(tuple(m) for m in left.values() if m):
            of = [n for n in r.what if tuple(left[n]) == measures]
            kept.append(r.model_copy(update={"what": of, "measures": list(measures)}))
    return kept


@dataclass(eq=False)
class Asking:
    """Everything that questions of one scenario share."""

    population: Population
    aligned: Aligned
    model: PolicyModel
    reforms: dict
    changed: Populations
    places: pd.DataFrame | None
    level: float
    scenario: Scenario
    left_out: LeftOut
    counts: list[DonorCounts]
    checked: set[str] = field(default_factory=set)

    def answer(self, request: OutcomeRequest) -> Simulation:
        """Answer one request: the baseline, every reform and shift, every changed population."""
        deciles = None
        if self.scenario.deciles is not None and DECILE in request.by:
            deciles = Deciles(self.scenario.deciles.of, self.scenario.deciles.within)
        common = {
            "by": request.by, "where": request.where, "deciles": deciles, "places": self.places, "level": self.level,
            "aligned": self.aligned, "left_out": self.left_out, "counts": self.counts, "quantile": request.quantile,
            "line": _line(self.scenario.poverty),
        }  # fmt: skip
        used = {*request.what, *([] if deciles is None else [deciles.of])}
        check, self.checked = not used <= self.checked, self.checked | used  # a probe each is enough
        measures = [m for m in request.measures if self.reforms or m not in CHANGES]
        found = simulate(
            self.population, self.model, reforms=self.reforms, outcomes=request.what, measures=measures or ["mean"],
            threshold=self.scenario.gain, check=check, **common,
        )  # fmt: skip
        if not measures:  # a baseline to be beside, which nobody asked to see
            found = replace(found, frame=found.frame.iloc[:0])
        for name, one in self.changed.changed.items():
            pair = (one.population, one.baseline) if hasattr(one, "baseline") else one
            names = {"names": request.what}
            found = beside(
                found, name, pair[0], self.model, before=pair[1], measures=request.measures, check=False, **names, **common
            )
        return found


def _line(poverty: PovertyModel | None) -> PovertyLine:
    if poverty is None:
        return PovertyLine()
    return PovertyLine(poverty.line, poverty.within, not poverty.anchored, poverty.absolute)


def withheld(found: Simulation) -> Simulation:
    """Blank figures that fewer than ten records stand behind; leave out groups that fewer than ten records are in."""
    frame, held = few_withheld(found.frame, found.facts["records by group"] if found.groups else None)
    of_records = frame["measure"].isin(["quantile", "p90p10"])  # some record's answer, or two records': three figures of it
    return replace(found, frame=three_figures(frame, of_records), facts={**found.facts, "withheld": held})


def joined(requests: Sequence[OutcomeRequest], answers: Sequence[Simulation]) -> pd.DataFrame:
    """Put the answers under each other: a column a level of place, blank but for a row's own, and one a variable that groups.

    A quantile that is not the median carries its number: 'quantile 0.9'.
    """
    groups = list(dict.fromkeys(g for a in answers for g in a.groups))
    levels = list(dict.fromkeys(a.place for a in answers))
    parts = []
    for request, found in zip(requests, answers, strict=True):
        frame = found.frame
        units = [found.unit_of(o, m) for o, m in zip(frame["outcome"], frame["measure"], strict=True)]
        measure = frame["measure"]
        if request.quantile != 0.5:
            measure = measure.astype(object).replace("quantile", f"quantile {request.quantile:g}")
        told = {
            "scenario": frame["scenario"], "outcome": frame["outcome"], "measure": measure, "unit": units,
            "where": request.where or "",
        }  # fmt: skip
        told |= {level: frame[level].astype(str) if level == found.place else None for level in levels}
        told |= {g: frame[g].astype(str) if g in found.groups else "" for g in groups}
        rest = frame.columns[list(frame.columns).index("estimate") :]
        parts.append(pd.DataFrame(told, index=frame.index).astype(dict.fromkeys(levels, "str")).join(frame[rest]))
    return pd.concat(parts, ignore_index=True)
