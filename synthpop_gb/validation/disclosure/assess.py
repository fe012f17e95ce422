"""Disclosure of a pair: identity, attributes, distances and attacks together, each finding against a limit that is stated."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.disclosure._records import held_back, known_names, missing_word, overlapping
from synthpop_gb.validation.disclosure.attacks import attack_table
from synthpop_gb.validation.disclosure.attributes import Guards, attribute_table
from synthpop_gb.validation.disclosure.distance import distance_table
from synthpop_gb.validation.disclosure.identity import identity_table
from synthpop_gb.validation.disclosure.limits import FEW_ATTACKS, Limits, beyond
from synthpop_gb.validation.disclosure.near import near_copies

__all__ = ["CLONED", "disclosure"]

CLONED = (
    "not applicable: every synthetic person is a copy of a survey record, so records agree with those they were copied from by "
    "construction; see how often records are copied, who is alone in a zone, and what an intruder learns. The protection is the "
    "survey's licence"
)
"""What the measures of a pair say where the synthetic records are copies."""


def disclosure(
    pair: Pair,
    *,
    seed: int,
    holdout: pd.DataFrame | None = None,
    keys: Sequence[str] | None = None,
    target: str | None = None,
    groups: int | None = 20,
    key_groups: int | None = None,
    missing: str = "category",
    guards: Guards | None = None,
    limits: Limits | None = None,
    attacks: int = 2000,
    most: int = 10_000,
    workers: int = 2,
) -> Checks:
    """Measure what the synthetic records of a pair give away of the real ones.

    Weights play no part: whoever is exposed is a record, however many people it stands for.

    Parameters
    ----------
    pair : Pair
        The real records are those that were synthesised from. Where it is marked `cloned` nothing is measured, and said why.
    seed : int
        Fixes whatever is drawn: records looked at, ties, predicates, shuffles.
    holdout : pandas.DataFrame, optional
        Real records that were *not* synthesised from, with the pair's columns. Without them leaks cannot be told from general
        knowledge: there is no control of attacks, and no distance beside which that of the real records is short.
    keys, target : optional
        Instead of the pair's. Without any keys the pair's protected variables are taken for known, and said so.
    groups, key_groups : int or None
        Numbers among targets and among keys are cut in about so many groups; None: each number for itself.
    missing : str
        'category' or 'leave out': missing keys and targets are a value of their own, or such records are passed over.
    guards : Guards, optional
        What is no disclosure although the keys give it away.
    limits : Limits, optional
        From where on a measure is a finding.
    attacks, most : int
        Attacks of each kind, and records whose closest record is looked for, at most.
    workers : int
        Threads; results do not depend on it.

    Returns
    -------
    Checks
        Tables 'disclosure_identity' (`identity_table`), 'disclosure_attribute' and 'disclosure_guarded' (`attribute_table`),
        'disclosure_distance' (`distance_table`), 'disclosure_near' (`near_copies`), 'attacks' (`attack_table`); findings
        'disclosure-risk', 'no-holdout', 'no-keys',
        'nothing-to-measure', 'not-applicable'; the headline in words.

    Raises
    ------
    InputError
        `missing-column` for keys, targets or holdout columns that there are not; `few-records` for an empty holdout.
    ValueError
        For another way of treating missing values.
    """
    missing_word(missing)
    if pair.cloned:
        names = ("replicated uniques", "attributes disclosed", "distance to the closest record", "attacks")
        item = finding("not-applicable", f"Disclosure measures of a pair are {CLONED}.", place=pair.synthetic_name)
        return Checks(dict.fromkeys(names, CLONED), {}, (item,))
    limits = limits or Limits()
    target = pair.target if target is None else known_names(pair, [target], "target")[0]
    chosen = known_names(pair, pair.keys if keys is None else keys, "keys")
    chosen = tuple(k for k in chosen if k != target)
    found: list[Finding] = []
    if not chosen and pair.protected:
        chosen = tuple(k for k in pair.protected if k != target)
        message = f"No keys were named, so {', '.join(chosen) or 'nothing'} are taken for what an intruder knows."
        found.append(finding("no-keys", message, place="keys"))
    elif not chosen:
        message = "No keys were named and none are plain, so uniqueness and attributes disclosed are not measured."
        found.append(finding("no-keys", message, place="keys", level="warning"))
    if holdout is not None:
        holdout, more = held_back(holdout, pair)
        found += more
        if overlap := overlapping(holdout, pair):
            found.append(overlap)
            holdout = None
    else:
        message = "There is no holdout: attacks have no control, and distances none but the real records among themselves."
        found.append(finding("no-holdout", message, place="holdout"))
    found += _nothing(pair)
    tables = {}
    if chosen:
        tables["disclosure_identity"] = identity_table(pair, chosen, holdout=holdout, groups=key_groups, missing=missing)
        tables["disclosure_attribute"], tables["disclosure_guarded"] = attribute_table(
            pair, chosen, seed=seed, holdout=holdout, groups=groups, key_groups=key_groups, missing=missing, guards=guards
        )
        if len(tables["disclosure_attribute"]):
            tables["disclosure_attribute"]["wanted"] = tables["disclosure_attribute"]["target"] == target
    tables["disclosure_distance"] = distance_table(pair, seed=seed, holdout=holdout, most=most, workers=workers)
    tables["disclosure_near"], near = near_copies(pair, tables["disclosure_distance"], holdout, most=limits.near)
    found += near
    wanted = None if target is None else [target]
    tables["attacks"] = attack_table(pair, seed=seed, keys=chosen, targets=wanted, holdout=holdout, n=attacks)
    found += beyond(tables, limits, len(pair.real))
    return Checks(_headline(tables, chosen), tables, tuple(found))


def _nothing(pair: Pair) -> list[Finding]:
    """Say where there is nothing to measure."""
    found = []
    for frame, name in ((pair.real, pair.real_name), (pair.synthetic, pair.synthetic_name)):
        if len(frame) < 2 or not frame.shape[1]:
            message = f"The {name} data have {len(frame):,} record{'s' * (len(frame) != 1)} of {frame.shape[1]} variables."
            found.append(finding("nothing-to-measure", message, place=name))
    return found


def _headline(tables, keys: Sequence[str]) -> dict[str, object]:
    """Say the few numbers that are read first in words."""
    out: dict[str, object] = {}
    if "disclosure_identity" in tables:
        row = tables["disclosure_identity"].iloc[0]
        out["keys"] = ", ".join(keys)
        out["replicated uniques"] = f"{_percent(row['repU'])} of real records (unique among the real: {_percent(row['UiO'])})"
    frame = tables.get("disclosure_attribute")
    if frame is not None and len(frame):
        most = frame["wanted"] if frame["wanted"].any() else frame["DiSCO_guarded"].fillna(-1)
        row = frame.loc[most.idxmax()]
        held, shuffled = row["DiSCO_guarded_holdout"], row["DiSCO_guarded_shuffled"]
        beside = f"{_percent(held)} of the holdout" if held == held else f"{_percent(shuffled)} with shuffled targets"
        out["attributes disclosed"] = (
            f"{row['target']}: {_percent(row['DiSCO'])} of real records, {_percent(row['DiSCO_guarded'])} without common "
            f"knowledge ({beside}; from the real data {_percent(row['Dorig'])})"
        )
    first = tables["disclosure_distance"].iloc[0]
    if first["share_closer"] == first["share_closer"]:
        out["closer to training than to holdout"] = (
            f"{_percent(100 * first['share_closer'])} ({_percent(100 * first['lower'])} to {_percent(100 * first['upper'])}), "
            f"expected {_percent(100 * first['expected'])}"
        )
    out["identical to a real record"] = _percent(first["identical"])
    rows = tables["attacks"].dropna(subset=["risk"])
    rows = rows[(rows["n"] >= FEW_ATTACKS) & (rows["control_n"] >= FEW_ATTACKS)]
    if len(rows):
        row = rows.loc[rows["risk"].idxmax()]
        out["largest risk of an attack"] = (
            f"{row['risk']:.2f} ({row['risk_lower']:.2f} to {row['risk_upper']:.2f}), {row['attack']}"
        )
    else:
        out["largest risk of an attack"] = f"unknown: there is no holdout, or fewer than {FEW_ATTACKS} attacks could be made"
    return out


def _percent(value: float) -> str:
    return "unknown" if value != value else f"{value:.1f} %"
