"""Release: rules that say what may leave, for whom, with named profiles; and whether something keeps to its rule."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError, finding

__all__ = ["DONOR_IDS", "PROFILES", "ROUNDING", "ReleaseRule", "check_release", "release_rule"]

DONOR_IDS = ("keep", "drop", "relabel", "hash")
"""What becomes of the survey's record ids: kept; left out; random labels, one a record; a keyed hash with a secret salt."""

ROUNDING = ("nearest", "random")
"""How counts are rounded: to the nearest multiple; or up or down at random so that the expected count is the count."""


@dataclass(frozen=True)
class ReleaseRule:
    """What may leave, in plain values: readable from TOML by the same names.

    Attributes
    ----------
    name : str
        Of the profile, or your own.
    words : str
        For whom it is and what it does, in plain words.
    people : bool
        Whether rows of people may leave at all.
    donor_ids : str
        One of `DONOR_IDS`. Labels by record, of any kind, still say which people are copies of one record.
    answers : bool
        Whether the answers of a survey whose licence is not open may stand beside people.
    maximum_unique_share : float or None
        Per cent of people, over all zones, who may be alone with their keys in their zone; None = any number.
    minimum_count : int
        Counts of tables above nought and below this are withheld, and others with them where a margin would give them away.
    minimum_records : int
        Figures that fewer survey records stand behind are withheld.
    rounding : int
        Base that counts of tables are rounded to; 1 = none.
    rounding_method : str
        One of `ROUNDING`.
    maximum_replicated : float or None
        Replicated uniques of a pair, per cent of the real records.
    maximum_risk : float or None
        Risk of any attack on a pair, between 0 and 1, at the upper end of its interval.

    Raises
    ------
    ValueError
        For values out of range.
    """

    name: str
    words: str = ""
    people: bool = True
    donor_ids: str = "keep"
    answers: bool = False
    maximum_unique_share: float | None = None
    minimum_count: int = 0
    minimum_records: int = 0
    rounding: int = 1
    rounding_method: str = "nearest"
    maximum_replicated: float | None = None
    maximum_risk: float | None = None

    def __post_init__(self):
        for name, allowed in (("donor_ids", DONOR_IDS), ("rounding_method", ROUNDING)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        for name in ("people", "answers"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is true or false, not {getattr(self, name)!r}")
        for name, least in (("minimum_count", 0), ("minimum_records", 0), ("rounding", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} is a whole number from {least}, not {value!r}")
        for name, most in (("maximum_unique_share", 100), ("maximum_replicated", 100), ("maximum_risk", 1)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most):
                raise ValueError(f"{name} is a number from 0 to {most}, not {value!r}")
        if not isinstance(self.name, str) or not self.name or not isinstance(self.words, str):
            raise ValueError(f"name and words are text, not {self.name!r} and {self.words!r}")

    def to_dict(self) -> dict:
        """Return plain values for JSON and TOML; None is left out."""
        return {k: v for k, v in asdict(self).items() if v is not None}

    def __str__(self) -> str:
        """Return name and words."""
        return f"{self.name}: {self.words}" if self.words else self.name


PROFILES: dict[str, ReleaseRule] = {
    rule.name: rule
    for rule in (
        ReleaseRule(
            "safeguarded",
            "for people who hold the survey's licence themselves. Rows of people with the survey's own record ids, to be joined "
            "with the survey by whoever holds it; answers only of an open survey. Figures that fewer than ten records stand "
            "behind are withheld.",
            minimum_records=10,
        ),
        ReleaseRule(
            "open",
            "for anybody. Rows of people without record ids and in an order that tells nothing of them; answers only of an open "
            "survey, and only where at most 5 % of people are alone with their keys in their zone. Counts below ten are "
            "withheld, the others rounded to five.",
            donor_ids="drop", maximum_unique_share=5.0, minimum_count=10, minimum_records=10, rounding=5, maximum_replicated=5.0,
            maximum_risk=0.1,
        ),
        ReleaseRule(
            "public",
            "for printing. No rows of people: tables and figures only, counts below ten withheld, and others with them where "
            "margins would give them away, what is left rounded to five.",
            people=False, donor_ids="drop", maximum_unique_share=5.0, minimum_count=10, minimum_records=10, rounding=5,
            maximum_replicated=1.0, maximum_risk=0.05,
        ),
    )
}  # fmt: skip
"""Rules by name. Their numbers are custom, not law: ten records and base five are usual for tables of surveys and censuses."""


def release_rule(given: str | Mapping | ReleaseRule) -> ReleaseRule:
    """Return a rule: a profile's name; a mapping, as read from TOML, that may name a `profile` to start from; or a rule.

    Raises
    ------
    InputError
        `study-value` for an unknown profile or a value out of range, `study-key` for unknown keys: all at once.

    >>> release_rule("open").donor_ids, release_rule({"profile": "open", "rounding": 10}).rounding
    ('drop', 10)
    """
    if isinstance(given, ReleaseRule):
        return given
    if isinstance(given, str):
        given = {"profile": given}
    given = dict(given)
    start, problems = given.pop("profile", None), []
    if start is not None and start not in PROFILES:
        near = difflib.get_close_matches(str(start), PROFILES, 1)
        message = f"There is no release profile {start!r}; there are: {', '.join(PROFILES)}."
        remedy = f"Did you mean {near[0]!r}?" if near else "Name one of them."
        problems.append(finding("study-value", message, place="release", remedy=remedy))
    known = {f.name for f in fields(ReleaseRule)}
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            said = f" Did you mean {near[0]!r}?" if near else ""
            problems.append(finding("study-key", f"release: there is no key {key!r}.{said}", place="release"))
    base = PROFILES[start].to_dict() if start in PROFILES else {"name": "own"}
    try:
        rule = ReleaseRule(**(base | {k: v for k, v in given.items() if k in known}))
    except ValueError as error:
        problems.append(finding("study-value", f"release: {error}.", place="release"))
    if problems:
        raise InputError(problems)
    return rule


def check_release(
    rule: ReleaseRule,
    *,
    licence: str = "restricted",
    columns: Sequence[str] | None = None,
    answers: Sequence[str] = (),
    uniqueness: pd.DataFrame | None = None,
    keys: Sequence[str] = (),
    tables: Mapping[str, pd.DataFrame] | None = None,
    checks: Checks | None = None,
) -> list[Finding]:
    """List everything that breaks a rule: one `release-refused` each, and nothing where all is well.

    Parameters
    ----------
    rule : ReleaseRule
        What may leave.
    licence : str
        The survey's; 'open' lets its answers go.
    columns : sequence of str, optional
        Of rows of people, where such are to leave; a column of ids is called 'donor'.
    answers : sequence of str
        Those of them that are respondents' answers.
    uniqueness : pandas.DataFrame, optional
        `zone_uniqueness` of the people: columns people and unique.
    keys : sequence of str
        What uniqueness was measured by.
    tables : mapping of str to pandas.DataFrame, optional
        Counts to be published, areas x categories, withheld ones as NaN.
    checks : Checks, optional
        Disclosure measures of a pair or a population; its tables 'disclosure_identity', 'attacks' and 'zone_uniqueness' are held
        against the rule. Of a pair whose real records are not open, what the rule limits and nobody measured breaks it: without
        keys there are no replicated uniques, and without records kept apart no attack has a control.

    Returns
    -------
    list of Finding
    """
    found = []

    def refused(message: str, remedy: str, place: str, count: int = 1) -> None:
        found.append(finding("release-refused", f"Release {rule.name}: {message}", place=place, remedy=remedy, count=count))

    if columns is not None:
        if not rule.people:
            refused("rows of people may not leave.", "Release tables or indicators, or choose another rule.", "people")
        if "donor" in columns and rule.donor_ids == "drop":
            refused("record ids may not leave, under whatever name.", "Leave the column out.", "donor")
        if answers and not rule.answers and licence != "open":
            message = f"the survey's licence is {licence!r}, so its answers ({', '.join(answers)}) may not leave."
            refused(message, "Leave the answers out.", ", ".join(answers), len(answers))
        if rule.people and answers and rule.maximum_unique_share is not None and uniqueness is None and checks is None:
            refused("who is alone in a zone was not measured.", "Name keys that the survey has.", "keys")
    tested = dict(checks.tables) if checks is not None else {}
    frame = uniqueness if uniqueness is not None else tested.get("zone_uniqueness")
    if frame is not None and rule.maximum_unique_share is not None:
        people = float(frame["people"].sum())
        share = 100 * float(frame["unique"].sum()) / people if people else 0.0
        if share > rule.maximum_unique_share:
            by = f" by {', '.join(keys)}" if keys else ""
            message = f"{share:.1f} % of people are alone in their zone{by}; {rule.maximum_unique_share:g} % may be."
            refused(message, "Leave answers out, coarsen them, or use larger zones.", "zones", int(frame["unique"].sum()))
    if checks is not None and "zone_uniqueness" not in tested:
        _check_pair(rule, tested, licence, refused)
    for name, table in (tables or {}).items():
        _check_table(rule, name, table.to_numpy(np.float64), refused)
    return found


def _check_pair(rule: ReleaseRule, tables: Mapping[str, pd.DataFrame], licence: str, refused) -> None:
    """Hold the disclosure of a pair against the rule; what nobody measured breaks it, unless the real records are open."""

    def unmeasured(what: str, verb: str, remedy: str) -> None:
        if licence != "open":
            refused(f"{what} {verb} not measured.", remedy, what)

    if rule.maximum_replicated is not None:
        known = tables.get("disclosure_identity", pd.DataFrame({"repU": []}))["repU"].dropna()
        value = float(known.iloc[0]) if len(known) else 0.0
        if not len(known):
            unmeasured("replicated uniques", "were", "Name keys; of copies of real records nothing can be measured so.")
        elif value > rule.maximum_replicated:
            message = f"{value:.1f} % of the real records are replicated uniques; {rule.maximum_replicated:g} % may be."
            refused(message, "Coarsen the keys, or drop these records.", "replicated uniques")
    if rule.maximum_risk is not None:
        attacks = tables.get("attacks", pd.DataFrame({"n": [], "risk_upper": []}))
        # a handful of attacks has an interval from nought to one, and proves nothing either way
        attacks = attacks[(attacks["n"] >= 20) & attacks["risk_upper"].notna()]
        if attacks.empty:
            unmeasured("the risk of attacks", "was", "Give records that were not synthesised from (a holdout).")
        for row in attacks[attacks["risk_upper"] > rule.maximum_risk].to_dict("records"):
            most = f"at most {row['risk_upper']:.2f}; {rule.maximum_risk:g} may be"
            message = f"the risk of {row['attack']} is {row['risk']:.2f}, {most}."
            refused(message, "Synthesise less closely, or attack more people where the interval is wide.", row["attack"])


def _check_table(rule: ReleaseRule, name: str, counts: np.ndarray, refused) -> None:
    small = (counts > 0) & (counts < rule.minimum_count)
    if small.any():
        refused(f"{name} shows {int(small.sum()):,} counts below {rule.minimum_count}.", "Withhold them.", name, int(small.sum()))
    known = counts[~np.isnan(counts)]
    off = int((known % rule.rounding != 0).sum()) if rule.rounding > 1 else 0
    if off:
        refused(f"{name} shows {off:,} counts that are not rounded to {rule.rounding}.", "Round them.", name, off)
