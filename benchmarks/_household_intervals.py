"""Coverage of intervals of whole households: a demo county whose true people and households are known.

Replicates that `sp.indicator` makes itself get one attempt a zone; beside them stand replicates of all attempts, of the same
numbers and so of the same draws.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from _intervals import Outcome, judge_population, summary
from _measure import figure

__all__ = ["demo_households"]

_PEOPLE = {
    "adults who smoke": ("smokes = 'yes'", "age >= 16"),
    "adults on 40,000 or more": ("income >= 40000", "age >= 16"),
    "in bad health": ("health in ('bad', 'very bad')", None),
    "in bad health at 65 and over": ("health in ('bad', 'very bad')", "age >= 65"),
    "graduates": ("qualification = 'level 4 or above'", "age >= 16"),
    "people on low income": ("low_income = 'yes'", None),
    "without a car at 65 and over": ("cars = 'no car'", "age >= 65"),
    "children of social tenants": ("age < 16", "tenure = 'social rented'"),
}
_HOUSEHOLDS = {
    "households on low income": ("low_income = 'yes'", None),
    "households on 40,000 or more": ("net_income >= 40000", None),
    "reference of 65 or over": ("age >= 65", None),
    "reference in bad health": ("health in ('bad', 'very bad')", None),
    "social tenants without a car": ("cars = 'no car'", "tenure = 'social rented'"),
    "private tenants under 35": ("tenure = 'private rented'", "age < 35"),
}


def demo_households(*, folder: Path, zones: int = 24, replicates: int = 8) -> tuple[str, dict]:
    """Shares of people and of households that no table says, in a county placed household by household."""
    import synthpop_gb as sp
    from synthpop_gb.assessment import leave_one_out, region_of
    from synthpop_gb.assessment.indicator import with_replicates
    from synthpop_gb.indicators import parse_condition
    from synthpop_gb.pipeline.demo import demo_study

    county = sp.datasets.make_county("penmarrow", zones=zones, seed=6, survey_persons=3000)
    county.write(folder)
    (folder / "study.toml").write_text(demo_study(".", households=True), encoding="utf-8")
    aligned = sp.pipeline.align(sp.load_study(folder / "study.toml"))[0]
    homes = county.households
    people = county.persons.merge(homes.drop(columns="zone"), on="household")
    reference = people.sort_values("person").drop_duplicates("household")
    frames = {}
    for unit, asked, frame in (("person", _PEOPLE, people), ("household", _HOUSEHOLDS, reference)):
        frame, outcomes = frame.reset_index(drop=True), []
        for name, (what, where) in asked.items():
            inside = pd.Series(True, frame.index) if where is None else pd.Series(parse_condition(where).matches(frame))
            truth = pd.Series(parse_condition(what).matches(frame))[inside].groupby(frame["zone"][inside]).mean()
            outcomes.append(Outcome(name, {"what": what, "where": where, "unit": unit}, truth))
        frames[unit] = outcomes
    population = sp.solve(sp.formulate(aligned), method="balance", seed=1)
    left_out = leave_one_out(population, region_of(aligned))
    made, seconds = {}, {}
    for attempts in ("one_attempt", "all_attempts"):
        with_replicates(population, 1, one_attempt=attempts == "one_attempt")  # compiled, and what is remembered laid out
        began = time.process_time()
        made[attempts] = with_replicates(population, replicates, one_attempt=attempts == "one_attempt")
        seconds[attempts] = time.process_time() - began
    outcomes = [*frames["person"], *frames["household"]]
    found = {attempts: judge_population(p, outcomes, left_out) for attempts, p in made.items()}
    print(pd.concat(found, axis=1).round(3).to_string(), flush=True)
    n, values = len(frames["person"]), {}
    for name, part in (("people", slice(n)), ("households", slice(n, None)), ("all", slice(None))):
        mine = {attempts: frame.iloc[part] for attempts, frame in found.items()}
        values |= summary(mine["all_attempts"], name, each=name != "all") | _beside(name, mine)
    values |= {f"{a}_seconds": figure(s, "s") for a, s in seconds.items()}
    share = 100 * seconds["one_attempt"] / seconds["all_attempts"]
    values["one_attempt_time"] = figure(share, "%", f"{share:.0f} %")
    for attempts, p in made.items():
        values[f"{attempts}_exact"] = figure(100 * float((p.replicates.remainder == 0).mean()), "%")
        values[f"{attempts}_missed"] = figure(float(p.replicates.remainder.mean()), "people and households a zone")
    return "python benchmarks/figures.py --only intervals_households", values


def _beside(name: str, found: dict[str, pd.DataFrame]) -> dict:
    """Widths where replicates get one attempt a zone, over those where they get all: means over outcomes, and the extremes."""
    coverage = float(found["one_attempt"]["ours_coverage"].mean())
    values = {f"{name}_one_attempt_coverage": figure(coverage, "", f"{coverage:.2f}")}
    for rule, said in (("ours", "width"), ("replicates", "replicate_width")):
        ratio = found["one_attempt"][f"{rule}_half"] / found["all_attempts"][f"{rule}_half"]
        mean = float(np.exp(np.log(ratio).mean()))
        text = f"{mean:.3f} ({ratio.min():.2f} to {ratio.max():.2f})"
        values[f"{name}_one_attempt_{said}"] = figure(mean, "", text)
    return values
