"""What the card of a run says of how it was made: preparation, method, seed, versions, replicates, donors, licence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthpop_gb.card.claims import Claim, Facts, Figure, braced, listed, pointer, say, spoken
from synthpop_gb.card.noun import Section

__all__ = ["artefacts", "disclosure", "generator", "preparation", "uncertainty"]

_RUN = "run.json"
_DRAWN = {"whole": "whole people", "donors": "the survey's records", "tables": "the publisher's perturbation of tables"}


def generator(facts: Facts) -> Section:
    """Name method with all its options, seed, versions, digest, and how to make it again."""
    run: Mapping[str, Any] = facts.files.get(_RUN) or {}
    names = [k for k in run.get("versions", {}) if k != "platform"]
    versions = {n: facts.get(_RUN, f"/versions/{n}") for n in names}
    claims = [
        say("Method {method}, seed {seed}.", method=facts.get(_RUN, "/method/name"), seed=_text(facts.get(_RUN, "/seed"))),
        say("Options: {options}.", options=facts.get(_RUN, "/method/options")),
        say("Versions: " + ", ".join(f"{n} {{{n}}}" for n in names) + "." if names else "{}", **versions),
        say("Digest of the people: {digest}.", digest=facts.get(_RUN, "/digest")),
    ]
    if run.get("study"):
        again = "To make the same people again from the same inputs: synthpop-gb run run.json (study {name})."
        claims.append(say(again, name=facts.get(_RUN, "/study/name")))
        changed = facts.get(_RUN, "/scenario/changes", "length")
        claims.append(say("Then the changes named above are to be made again: {n}.", n=changed))
    else:
        claims.append(say("Made in Python, not from a study file, on {created}.", created=facts.get(_RUN, "/created")))
    return Section.of("generator", "How it was made, and how to make it again", claims)


def _text(figure: Figure) -> Figure:
    """Show a number that is a name, such as a seed, without separators."""
    return Figure(None if figure.value is None else str(figure.value), figure.source)


def preparation(facts: Facts) -> Section:
    """Name recodes, what settling changed, perturbation, what was noticed."""
    run: Mapping[str, Any] = facts.files.get(_RUN) or {}
    made = run.get("made_from") or {}
    claims: list[Claim | None] = [
        say(
            "Zones of {year}: {n} in the study area; number of larger areas: {levels}.",
            year=_text(facts.get(_RUN, "/study/zones/year")), n=facts.get(_RUN, "/made_from/zones/number"),
            levels=facts.get(_RUN, "/made_from/zones/levels"),
        )
    ]  # fmt: skip
    for name, recode in ((run.get("study") or {}).get("recode") or {}).items():
        how = next((k for k in ("bands", "merge", "map") if recode.get(k)), None)
        if how:
            shown = facts.get(_RUN, pointer("study", "recode", name, how))
            claims.append(say(f"Recoded by {how}: {braced(spoken(name))}: {{to}}.", to=_json_text(shown)))
    for i in range(len(made.get("settled", []))):
        at = f"/made_from/settled/{i}"
        claims.append(
            say(
                "Settled so that tables agree: {table:name}, {people} people moved between cells in {zones} zones.",
                table=facts.get(_RUN, f"{at}/table"), people=facts.get(_RUN, f"{at}/people"),
                zones=facts.get(_RUN, f"{at}/zones"),
            )
        )  # fmt: skip
    perturbed = [i for i, t in enumerate(made.get("tables", [])) if t.get("standard_error")]
    for i in perturbed:
        claims.append(
            say(
                "Counts of {name:name} are perturbed by the publisher, about {error} people a cell (standard deviation).",
                name=facts.get(_RUN, f"/made_from/tables/{i}/name"),
                error=facts.get(_RUN, f"/made_from/tables/{i}/standard_error"),
            )
        )  # fmt: skip
    if made.get("tables") and not perturbed:
        exact = facts.get(_RUN, "/made_from/tables", "length")
        claims.append(say("No perturbation is known of any of the {n} tables: their counts were taken as exact.", n=exact))
    records, usable = facts.get(_RUN, "/made_from/survey/records"), facts.get(_RUN, "/made_from/survey/usable")
    if records.known and usable.known and records.value > usable.value:
        claims.append(say("{usable} of {records} survey records could be used.", usable=usable, records=records))
    claims += [_noticed(facts, i) for i, f in enumerate(made.get("noticed", [])) if f["level"] == "warning"]
    return Section.of("preparation", "What was done to the inputs", claims)


def _json_text(figure: Figure) -> Figure:
    """Say nested lists and mappings plainly."""
    value = figure.value
    if isinstance(value, Mapping):
        value = "; ".join(f"{k} is {v}" for k, v in value.items())
    elif isinstance(value, list):
        value = "; ".join(" or ".join(map(str, v)) if isinstance(v, list) else str(v) for v in value)
    return Figure(value, figure.source)


def _noticed(facts: Facts, i: int) -> Claim | None:
    """One warning about the inputs."""
    at = f"/made_from/noticed/{i}"
    return say("{code}: {message}", code=facts.get(_RUN, f"{at}/code"), message=facts.get(_RUN, f"{at}/message"))


def artefacts(facts: Facts) -> Section:
    """Name known artefacts: records that repeat, people who rest on few records."""
    use, zones, checks = "validation/record_use", "validation/zones", "validation/checks.json"
    homes = facts.of(zones, "effective_households", "median")
    claims = [
        say(
            "{used} of {records} usable records stand for everybody, worth {effective:,.0f} of equal weight.",
            used=facts.get(checks, "/headline/records used"), records=facts.get(checks, "/headline/records"),
            effective=facts.get(checks, "/headline/effective records"),
        ),
        say(
            "Median zone: {n:,.0f} households, as varied as {varied:,.0f} different ones (effective number of households).",
            n=facts.of("validation/donor_reuse", "households", "median"), varied=homes,
        )
        if homes.known
        else say(
            "Median zone: {n:,.0f} people, as varied as {varied:,.0f} different ones (effective number of records).",
            n=facts.of(zones, "people", "median"), varied=facts.of(zones, "effective_donors", "median"),
        ),
        say(
            "The record copied most often stands for {copies} people in {zones} zone{zones:s}, {share:.3f} % of all.",
            copies=facts.of(use, "copies", "max"), zones=facts.of(use, "zones"), share=facts.of(use, "share", "max"),
        ),
        say(
            "Largest share of one zone's households that are copies of a single one: {share:.1%}.",
            share=facts.of(zones, "largest_household", "max"),
        ),
        say(
            "Largest share of one zone's people who are copies of a single record: {share:.1%}.",
            share=facts.of(zones, "largest_share", "max"),
        ),
    ]  # fmt: skip
    return Section.of("artefacts", "Known artefacts", claims)


def uncertainty(facts: Facts) -> Section:
    """Name replicates, what intervals mean, and the coverage that was measured, where it was."""
    run: Mapping[str, Any] = facts.files.get(_RUN) or {}
    claims: list[Claim | None] = []
    if run.get("replicates"):
        words = listed([_DRAWN.get(s, s) for s in run["replicates"].get("sources", [])])
        claims.append(
            say(
                f"{{n}} replicate{{n:s}}: further populations in which {braced(words)} were drawn again.",
                n=facts.get(_RUN, "/replicates/numbers", "length"), sources=facts.get(_RUN, "/replicates/sources"),
            )
        )  # fmt: skip
    else:
        n = facts.get(_RUN, "/study/replicates/number")
        claims.append(say("{n} replicates were made: no figure here has an interval.", n=n))
    levels = {round(float(q.get("level", 0.9)), 6) for q in (run.get("study") or {}).get("indicators", [])}
    if levels:
        claims.append(
            say(
                "Intervals aim to hold the true figure of an area in {level:.0%} of areas. They cover draws of people "
                "and records and "
                "how far tables that were left out were missed; not that survey and census may mean different things.",
                level=facts.get(_RUN, "/study/indicators/0/level"),
            )
        )  # fmt: skip
    for name in ("validation/coverage", "audit/coverage"):
        claims.append(
            say(
                "Measured coverage: {covered:.1%} of intervals of level {level:.0%} held the truth.",
                covered=facts.of(name, "coverage"), level=facts.of(name, "level"),
            )
        )  # fmt: skip
    for key in (facts.files.get("validation/checks.json") or {}).get("headline", {}):
        for kind, words in (("indicator ", "Indicator"), ("income ", "Published incomes,")):
            if key.startswith(kind):
                said = facts.get("validation/checks.json", pointer("headline", key))
                claims.append(say(f"{words} {braced(key.removeprefix(kind))}: {{said}}.", said=said))
    return Section.of("uncertainty", "How sure", claims)


def disclosure(facts: Facts) -> Section:
    """Say who could learn what: copies of records, record ids, the licence that protects them."""
    used = facts.get("validation/checks.json", "/headline/records used")
    named = used if used.known else facts.get(_RUN, "/donors")
    licence = facts.get(_RUN, "/licence")
    members = facts.get(_RUN, "/households/records")
    claims = [
        say(
            "Every household is a copy of one of the survey's, with everybody in it, of {records} survey records in all. Whoever "
            "knows some answers of its members can look for copies of them: a whole household is easier to recognise than a "
            "person. The protection is the survey's licence.",
            records=members,
        )
        if members.known
        else say(
            "Every person is a copy of one of {donors} survey records. Whoever knows some answers of a respondent can "
            "look for copies "
            "of that record; the protection is the survey's licence.",
            donors=facts.get(_RUN, "/donors"),
        ),
        say(
            "population/counts.parquet names {named} records by the survey's own ids: drop or replace them before "
            "anybody outside "
            "the licence sees the file.",
            named=named,
        ),
    ]  # fmt: skip
    if licence.value == "open":
        said = "The survey is declared {licence}: its records' categories travel with the run. Its own terms may ask to be named."
    else:
        said = (
            "The survey is {licence}: no record's answers are in this folder, only record ids, how often each was "
            "placed, and figures "
            "that ten records or more stand behind. Whoever joins records to it must hold the survey's licence, and "
            "the result falls "
            "under that licence."
        )
    return Section.of("disclosure", "Whom it could expose", [*claims, say(said, licence=licence)])
