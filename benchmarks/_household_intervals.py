"""Coverage of intervals of whole households: a demo county whose true people and households are known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from _intervals import Outcome, judge, summary

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
    found = judge(aligned, [*frames["person"], *frames["household"]], replicates=replicates, method="balance")
    print(found.round(3).to_string(), flush=True)
    n = len(frames["person"])
    values = summary(found.iloc[:n], "people") | summary(found.iloc[n:], "households") | summary(found, "all", each=False)
    return "python benchmarks/figures.py --only intervals_households", values
