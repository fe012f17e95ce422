"""What the card of a run says of its people: how many, which zones do not fit, how well tables and combinations are met."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synthpop_gb.card.claims import Claim, Facts, Source, braced, say, spoken
from synthpop_gb.card.noun import CardTable, Section
from synthpop_gb.status import FIT_MEANING, FitStatus

__all__ = ["fidelity", "limits", "summary", "unfitted"]

_MOST_ZONES = 10

_NEAR = 1.25
"""Times the noise floor up to which a table counts as right, as the audit's verdicts take it: one card must not say both."""


def summary(facts: Facts) -> Section:
    """Say what this is: people, zones, records, constraints."""
    run, homes = "run.json", "/households/"
    if facts.get(run, f"{homes}placed").known:
        return Section.of("summary", "What this is", _households(facts))
    claims = [
        say(
            "{people} synthetic people in {zones} zone{zones:s}. Each is a copy of one of {donors} survey records, "
            "placed so that its "
            "zone meets counts of {constraints}.",
            people=facts.get(run, "/people"), zones=facts.get(run, "/zones"), donors=facts.get(run, "/donors"),
            constraints=facts.get(run, "/constraints"),
        ),
        say(
            "The zone of a copy is made by the fit, not reported: none of the {donors} records says in which zone its "
            "respondent lives.",
            donors=facts.get(run, "/donors"),
        ),
    ]  # fmt: skip
    return Section.of("summary", "What this is", claims)


def _households(facts: Facts) -> list[Claim | None]:
    """Say what a population of whole households is."""
    run = "run.json"
    records = facts.get(run, "/households/records")
    communal = facts.get(run, "/households/communal")
    return [
        say(
            "{members} synthetic people in {homes} whole households in {zones} zone{zones:s}. Each household is a copy of one of "
            "the survey's with all its members ({records} records in all), placed so that its zone meets {constraints}.",
            members=facts.get(run, "/households/members"), homes=facts.get(run, "/households/placed"),
            zones=facts.get(run, "/zones"), records=records, constraints=facts.get(run, "/constraints"),
        ),
        say("{n} more live in communal establishments, each by themselves and in no household.", n=communal)
        if communal.value
        else say("Nobody lives in a communal establishment here: the survey has {n} such residents to place.", n=communal),
        say(
            "The zone of a copy is made by the fit, not reported: none of the {records} records says in which zone its "
            "respondent lives.",
            records=records,
        ),
    ]  # fmt: skip


def unfitted(facts: Facts) -> Section:
    """Say which zones do not fit: what a reader must know first."""
    run = "run.json"
    zones, exact = facts.get(run, "/zones"), facts.get(run, "/whole/EXACT")
    missed = facts.get(run, "/not_fitted", "length")
    zones_said = "All {zones} zones meet" if zones.value != 1 else "The {zones} zone meets"
    claims: list[Claim | None] = []
    if exact.value == zones.value:
        claims.append(say(zones_said + " every count that they were fitted to.", zones=zones, exact=exact))
    else:
        claims.append(say("{exact} of {zones} zones meet every count that they were fitted to.", exact=exact, zones=zones))
        largest = facts.get(run, "/largest_remainder")
        how = f"The largest total absolute error is {{largest}} {_counted(facts)}."
        if largest.value == 0:
            how = "Whole people miss {largest} of the zones' own counts: what they miss are counts of areas above, or the fit."
        claims.append(
            say(f"{{missed}} zone{{missed:s}} miss some: do not publish as they stand. {how}", missed=missed, largest=largest)
        )
        claims.append(
            say(
                "{within} of {zones} zones are within the publisher's noise, all their tables together.",
                within=facts.of("validation/zones", "within_noise", "sum"), zones=zones,
            )
        )  # fmt: skip
    for status in FitStatus:
        if status.name not in ("CONVERGED", "EMPTY"):
            n = facts.get(run, f"/fit/{status.name}")
            claims.append(say(f"{{n}} {status.name}: {FIT_MEANING[status]}.", n=n))
    claims.append(say("{n} zone{n:s} without people.", n=facts.get(run, "/fit/EMPTY")))
    rows = [
        (m["zone"], _lower(m.get("fit", "")), m["remainder"], spoken(m.get("worst_cell") or ""))
        for m in (facts.files.get(run) or {}).get("not_fitted", [])[:_MOST_ZONES]
    ]
    table = CardTable(
        "Zones that miss counts", ("Zone", "Fit", f"Total error, {_counted(facts)}", "Most in"), tuple(rows),
        Source(run, "/not_fitted"),
    )  # fmt: skip
    return Section.of("unfitted", "Zones that do not fit", claims, [table])


def _counted(facts: Facts) -> str:
    """Say what errors over all tables are in."""
    return "people and households" if facts.get("run.json", "/households/placed").known else "people"


def _lower(status: Any) -> str:
    return str(status).lower().replace("_", " ")


def fidelity(facts: Facts) -> Section:
    """Say how well it fits: tables, pairs, tables that were kept back, and the truth where it is known."""
    fit, head = "validation/table_fit", "/headline/"
    checks, floor = "validation/checks.json", facts.of(fit, "floor", "sum")
    settled = f"{', {above} above the {floor} that settling them left' if floor.value else ''}."
    apart = f" ({_apart(facts)})" if "households" in list(facts.table(fit).get("unit", [])) else ""
    claims = [
        say(
            f"Fitted tables: total absolute error {{tae}} {_counted(facts)} over {{tables}} table{{tables:s}}{apart}{settled}",
            tae=facts.of(fit, "tae", "sum"), tables=facts.of(fit, how="rows"), floor=floor,
            above=facts.of(fit, "tae_above_floor", "sum"), **_taes(facts, apart),
        ),
        say(
            "Against the counts as published: total absolute error {tae} people; {cells} of perturbed cells lie within "
            "the publisher's "
            "noise, and {tables} of zones' tables.",
            tae=facts.get(checks, f"{head}total absolute error against the counts as published"),
            cells=facts.get(checks, f"{head}cells within the publisher's noise"),
            tables=facts.get(checks, f"{head}tables within the publisher's noise"),
        ),
    ]  # fmt: skip
    pairs = {"pair": "all pairs", "reference": "fit"}
    homes = facts.get("run.json", "/households/placed").known
    claims.append(
        say(
            "Pairs of fitted variables by zone, which no table gives: {whole:.2f} % of people away from the fractional fit "
            f"(independence {{independence:.2f}} %, mean of {{n}} pairs{' that count people' if homes else ''}).",
            whole=facts.of("validation/intersections", "rounding", **pairs),
            independence=facts.of("validation/intersections", "wrong_independence", **pairs),
            n=facts.of("validation/intersections", "pairs", **pairs),
        )
    )  # fmt: skip
    for table in facts.table("validation/held_out").get("table", []):
        claims.append(_held_out(facts, str(table)))
    for indicator in facts.table("validation/true_error").get("indicator", []):
        claims.append(_true_error(facts, str(indicator)))
    return Section.of("fidelity", "How well it fits", claims)


def _apart(facts: Facts) -> str:
    """Tell the errors of tables of people and of households apart, as far as there are both."""
    parts = ["{homes} households in tables of households"]
    parts += ["{folk} people in the others"] if "people" in list(facts.table("validation/table_fit")["unit"]) else []
    return ", ".join(parts)


def _taes(facts: Facts, apart: str) -> dict:
    at = {"homes": "households", "folk": "people"}
    return {n: facts.of("validation/table_fit", "tae", "sum", unit=unit) for n, unit in at.items() if f"{{{n}}}" in apart}


def _held_out(facts: Facts, table: str) -> Claim | None:
    """One table that was kept back; without independence where it is not known."""
    at = {
        column: facts.of("validation/held_out", column, table=table) for column in ("wrong_whole", "wrong_independence", "floor")
    }
    name = facts.of("validation/held_out", "variables", table=table)
    words = braced(spoken(name.value if name.known else table))
    unit = facts.of("validation/held_out", "unit", table=table)
    of = "households" if unit.known and unit.value == "households" else "people"
    full = say(
        f"{words}, kept back: {{wrong:.2f}} % of {of} in the wrong cell of their zone (independence {{independence:.2f}} %, "
        "noise floor {floor:.2f} %).",
        wrong=at["wrong_whole"], independence=at["wrong_independence"], floor=at["floor"],
    )  # fmt: skip
    plain = say(f"{words}, kept back: {{wrong:.2f}} % of {of} in the wrong cell of their zone.", wrong=at["wrong_whole"])
    if full is not None and at["wrong_whole"].value > at["wrong_independence"].value:
        near = at["wrong_whole"].value <= _NEAR * at["floor"].value
        said = "worse than the product of its margins, so do not use it by zone"
        if near:
            said = "no better than the product of its margins, though about as near as a perfect draw would be"
        full = replace(full, text=f"{full.text[:-2]}): {said}.")
    return full or plain


def _true_error(facts: Facts, indicator: str) -> Claim | None:
    at = {c: facts.of("validation/true_error", c, indicator=indicator) for c in ("rmse", "rmse_survey", "floor", "zones")}
    return say(
        f"True error of {braced(indicator)}: {{rmse:.2f}} points, root mean square over {{zones}} zones (the survey's mean "
        "everywhere {survey:.2f}, noise floor {floor:.2f}).",
        rmse=at["rmse"], zones=at["zones"], survey=at["rmse_survey"], floor=at["floor"],
    )  # fmt: skip


def limits(facts: Facts) -> Section:
    """Say what it cannot tell, with the figure that says so."""
    run = "run.json"
    n = facts.get(run, "/made_from/other_columns/number")
    claims = [
        say(
            "No table places people by {copied}: within a zone these are as frequent as the survey makes them among "
            "people alike on "
            "{constraints}.",
            copied=facts.get(run, "/made_from/copied"), constraints=facts.get(run, "/constraints"),
        ),
        say("{n} further column{n:s} of the survey can be joined to people by record; nothing was checked of that.", n=n)
        if n.value else None,
        say(
            "Counts of a few people are noise: drawing whole people at random moves {floor:.2f} % of people to another "
            "two-way cell of "
            "their zone.",
            floor=facts.of("validation/intersections", "floor", pair="all pairs", reference="fit"),
        ),
    ]  # fmt: skip
    return Section.of("limits", "What it cannot tell", claims)
