"""What the card of a run says of scenarios: of people who were changed on purpose, and of simulations made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthpop_gb.card.claims import Claim, Facts, Figure, say
from synthpop_gb.card.noun import Section

__all__ = ["scenario", "simulations"]

_RUN = "run.json"


def scenario(facts: Facts) -> Section:
    """Say that the people were changed on purpose, and how; nothing of a population that is an estimate."""
    changes = ((facts.files.get(_RUN) or {}).get("scenario") or {}).get("changes") or []
    claims: list[Claim | None] = []
    if changes:
        n = facts.get(_RUN, "/scenario/changes", "length")
        claims.append(
            say("This is a scenario, not an estimate: {n} change{n:s} were made to the population on purpose.", n=n)
            if len(changes) > 1
            else say("This is a scenario, not an estimate: {n} change was made to the population on purpose.", n=n)
        )
    claims += [say("Changed: {change}.", change=_plain(facts.get(_RUN, f"/scenario/changes/{i}"))) for i in range(len(changes))]
    return Section.of("scenario", "A scenario, not an estimate", claims)


def simulations(facts: Facts) -> Section:
    """Name the simulations in the folder: model, reforms, changed populations, what is not an estimate."""
    made = (facts.files.get(_RUN) or {}).get("simulations") or []
    claims: list[Claim | None] = []
    for i, one in enumerate(made):
        at = f"/simulations/{i}"
        claims.append(
            say(
                "simulations/{name} holds what the model {model} says of these people, under {n} scenario{n:s} beside the "
                "baseline: {scenarios}.",
                name=facts.get(_RUN, f"{at}/name"), model=facts.get(_RUN, f"{at}/model"),
                n=facts.get(_RUN, f"{at}/scenarios", "length"), scenarios=facts.get(_RUN, f"{at}/scenarios"),
            )
            if one.get("scenarios")
            else say(
                "simulations/{name} holds what the model {model} says of these people.",
                name=facts.get(_RUN, f"{at}/name"), model=facts.get(_RUN, f"{at}/model"),
            )
        )  # fmt: skip
        if one.get("populations"):
            claims.append(
                say(
                    "Scenarios, not estimates, whose people or their answers were changed on purpose: {populations}.",
                    populations=facts.get(_RUN, f"{at}/populations"),
                )
            )
    if made:
        claims.append(
            say(
                "What a model says under a reform holds if its rules do and nobody behaves otherwise; {n} simulation{n:s} "
                "of this kind.",
                n=facts.get(_RUN, "/simulations", "length"),
            )
        )
    return Section.of("simulations", "Simulations", claims)


def _plain(figure: Figure) -> Figure:
    """Say a change plainly: 'raise, what smokes = 'yes', by 0.05'."""
    value: Any = figure.value
    if isinstance(value, Mapping):
        said = [str(value.get("change", ""))]
        said += [f"{k} {_words(v)}" for k, v in value.items() if k != "change"]
        value = ", ".join(said)
    return Figure(value, figure.source)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_words(v)}" for k, v in value.items())
    return " or ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
