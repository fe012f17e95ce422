"""Disclosure of copied people: who is alone in a zone with what neighbours can see, and how often records are repeated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.indicators.question import labels_of
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.disclosure.assess import CLONED
from synthpop_gb.validation.disclosure.intruder import Copies, intruder_table
from synthpop_gb.validation.disclosure.regions import regions_of
from synthpop_gb.validation.donor_reuse import donor_reuse
from synthpop_gb.validation.recount import Ledger, RecordUse, recount

__all__ = ["VISIBLE", "cloned_disclosure", "count_copies", "key_codes", "visible_keys", "zone_uniqueness"]

VISIBLE = ("age", "sex", "ethnic_group", "marital_status", "religion", "country_of_birth", "household_type", "tenure")
"""Common names of what neighbours may know of each other: the keys where none are named."""

FEW = (2, 3, 5, 10)
"""Sizes below which people with one combination of keys in a zone are counted: alone, under 3, under 5, under 10."""

PROTECTION = (
    "the licence of the survey: every answer is a respondent's own, so whoever may see the people may see respondents' answers; "
    "what keeps them safe is who may have the file, not how it was made"
)
"""What protects the people of a survey whose records were copied."""


def visible_keys(aligned: Aligned) -> tuple[str, ...]:
    """Return those of `VISIBLE` that the survey has."""
    held = aligned.survey.records.columns
    return tuple(n for n in VISIBLE if n in aligned.survey.variables and (aligned.survey.variables[n].column or n) in held)


def key_codes(aligned: Aligned, keys: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Give every combination of keys a number.

    Returns
    -------
    (code, lacking)
        code (n_records,) int32: combination of each usable record, a missing value being a value; lacking (n_records,) bool:
        records without a value in one of the keys.

    Raises
    ------
    InputError
        `bad-condition` for unknown names and for columns with more than 500 values: every one.
    """
    code, lacking, problems = np.zeros(len(aligned.records), np.int64), np.zeros(len(aligned.records), bool), []
    for name in dict.fromkeys(keys):
        try:
            values = labels_of(name, aligned)
        except InputError as error:
            problems += error.findings
            continue
        lacking |= values.codes < 0
        code = np.unique(code * (len(values.categories) + 1) + values.codes + 1, return_inverse=True)[1].ravel()
    if problems:
        raise InputError(problems)
    return code.astype(np.int32), lacking


@dataclass(frozen=True, eq=False)
class _Work:
    """What one pass over the donors adds up, beside the recount."""

    key_of: np.ndarray
    copies: Copies
    limits: np.ndarray

    def passing(self, counts: Iterable[DonorCounts], zones: pd.Index, few: np.ndarray) -> Iterator[DonorCounts]:
        """Hand on each block, and count it once the recount has checked it."""
        from synthpop_gb.kernels.uniqueness import unique_in_zones

        c, n_keys = self.copies, len(self.copies.people)
        tally, touched = np.zeros(n_keys, np.int64), np.empty(n_keys, np.int32)
        for block in counts:
            yield block
            here = np.empty((len(block.zones), len(self.limits)), np.int64)
            # copies: what is read from files is often read-only, for which the kernel would be compiled anew
            indptr, record, n = np.array(block.indptr, np.int64), np.array(block.record, np.int32), np.array(block.n, np.int32)
            unique_in_zones(
                indptr,
                record,
                n,
                self.key_of,
                self.limits,
                here,
                c.people,
                c.zones,
                c.squares,
                c.largest,
                c.alike,
                tally,
                touched,
            )
            where = zones.get_indexer(block.zones)
            few[where] = here
            c.regions.add(block, where)


def count_copies(
    counts: Iterable[DonorCounts], aligned: Aligned, key_of: np.ndarray, region_level: str | None = None
) -> tuple[Copies, np.ndarray, np.ndarray]:
    """Count who shares keys with whom, and how often records are copied, in one pass over the donors.

    Parameters
    ----------
    counts : iterable of DonorCounts
        In any order and cut anywhere between zones; zones left out have nobody.
    aligned : Aligned
        Records and zones.
    key_of : numpy.ndarray
        (n_records,) int32 from `key_codes`.
    region_level : str, optional
        See `regions_of`.

    Returns
    -------
    (copies, few, reuse)
        What `intruder_table` needs; few (n_zones, 4) int64: people whose keys fewer than 2, 3, 5 and 10 people of the zone have;
        reuse (n_zones, 4) int64 as `donor_reuse` takes it.

    Raises
    ------
    ValueError
        Where counts name zones or records that there are not, or a zone twice.
    """
    n_records, n_zones = len(aligned.records), len(aligned.zones)
    n_keys = int(key_of.max(initial=-1)) + 1
    use = RecordUse.empty(n_records)
    sums = [np.zeros(n_keys, np.int64) for _ in range(4)]
    copies = Copies(key_of, use, *sums, np.zeros(n_records, np.int64), regions_of(aligned, region_level))
    few, reuse = np.zeros((n_zones, len(FEW)), np.int64), np.zeros((n_zones, 4), np.int64)
    work = _Work(key_of, copies, np.array(FEW, np.int64))
    ledger = Ledger([np.zeros(n_records, np.int32)], [1])
    for block in recount(work.passing(counts, aligned.zones, few), ledger, aligned.zones, use):
        reuse[block.where] = block.reuse
    return copies, few, reuse


def zone_uniqueness(counts: Iterable[DonorCounts], aligned: Aligned, keys: Sequence[str]) -> pd.DataFrame:
    """One row a zone: zone, people, unique (alone with their keys in the zone), under_3, under_5, under_10 (in people).

    People who share their keys with fewer than k people of the zone, themselves counted, break k-anonymity there (Sweeney 2002).
    They are synthetic: alone in the table is not alone in the street; but who is taken for somebody is not helped by that.

    Raises
    ------
    InputError
        `bad-condition` for keys that there are not.
    """
    _, few, reuse = count_copies(counts, aligned, key_codes(aligned, keys)[0])
    return _uniqueness_frame(aligned.zones, few, reuse)


def _uniqueness_frame(zones: pd.Index, few: np.ndarray, reuse: np.ndarray) -> pd.DataFrame:
    names = ["unique", *(f"under_{k}" for k in FEW[1:])]
    frame = {"zone": zones, "people": reuse[:, 0], **{n: few[:, i] for i, n in enumerate(names)}}
    return pd.DataFrame(frame).reset_index(drop=True)


def cloned_disclosure(
    counts: Iterable[DonorCounts],
    aligned: Aligned,
    keys: Sequence[str] | None = None,
    *,
    targets: Sequence[str] | None = None,
    region_level: str | None = None,
) -> Checks:
    """Measure what a population of copied survey records exposes: the measures that mean something for it.

    Parameters
    ----------
    counts : iterable of DonorCounts
        The people: `Population.blocks()`, or `run_folder.read_counts`.
    aligned : Aligned
        Survey, records and zones.
    keys : sequence of str, optional
        What is known of somebody; those of `VISIBLE` that the survey has where absent.
    targets : sequence of str, optional
        Answers that an intruder wants; every variable of the survey that is no key where absent.
    region_level : str, optional
        Parent level whose areas are the survey's regions; the level whose codes or names match is found where absent.

    Returns
    -------
    Checks
        Tables 'zone_uniqueness' (`zone_uniqueness`), 'intruder' (`intruder_table`), 'donor_reuse' and 'copies' (one row: people,
        records, records_used, most_copied (per cent of people), herfindahl, effective_records); the headline in words, with what
        is not applicable and why; findings 'not-applicable', 'no-keys'.

    Raises
    ------
    InputError
        `bad-condition` for unknown keys or targets.
    ValueError
        Where counts name zones or records that there are not.
    """
    found: list[Finding] = []
    if keys is None:
        keys = visible_keys(aligned)
        message = f"No keys were named; taken for known: {', '.join(keys) or 'nothing, so that nothing is measured by keys'}."
        found.append(finding("no-keys", message, place="keys"))
    keys = tuple(dict.fromkeys(keys))
    key_of, lacking = key_codes(aligned, keys)
    copies, few, reuse = count_copies(counts, aligned, key_of, region_level)
    frame = _uniqueness_frame(aligned.zones, few, reuse)
    tables = {"zone_uniqueness": frame, "donor_reuse": donor_reuse(reuse, aligned.zones), "copies": _copies_frame(copies.use)}
    tables["intruder"] = intruder_table(copies, aligned, keys, targets=targets)
    message = f"Replicated uniques, DiSCO and distances against the survey are {CLONED}."
    found.append(finding("not-applicable", message, place=aligned.survey.name))
    if lacking.any():
        message = f"{int(lacking.sum()):,} of {len(lacking):,} records lack one of the keys; missing is taken for a value."
        found.append(finding("missing-value", message, place="keys", count=int(lacking.sum()), level="note", remedy="Nothing."))
    return Checks(_headline(tables, keys), tables, tuple(found))


def _copies_frame(use: RecordUse) -> pd.DataFrame:
    """One row: how evenly people are spread over records. Herfindahl index: sum of squared shares; effective = its inverse."""
    people = int(use.copies.sum())
    share = use.copies / max(people, 1)
    herfindahl = float((share**2).sum()) if people else float("nan")
    return pd.DataFrame(
        [{"people": people, "records": len(use.copies), "records_used": int((use.copies > 0).sum()),
          "most_copied": 100 * float(share.max(initial=0)), "herfindahl": herfindahl,
          "effective_records": 1 / herfindahl if people else 0.0}]
    )  # fmt: skip


def _headline(tables, keys: Sequence[str]) -> dict[str, object]:
    frame, copies = tables["zone_uniqueness"], tables["copies"].iloc[0]
    people = int(frame["people"].sum())
    shares = {
        n: f"{100 * float(frame[n].sum()) / people:.1f} %" if people else "unknown" for n in ("unique", "under_3", "under_10")
    }
    out: dict[str, object] = {
        "what protects": PROTECTION,
        "keys": ", ".join(keys) or "none",
        "alone with their keys in their zone": f"{shares['unique']} of people (under 3: {shares['under_3']}, under 10: "
        f"{shares['under_10']})",
        "records copied": f"{int(copies['records_used']):,} of {int(copies['records']):,}, "
        f"{people / max(copies['records_used'], 1):,.1f} people each; effective number {copies['effective_records']:,.0f}",
    }
    for row in tables["intruder"][tables["intruder"]["headline"]].to_dict("records"):
        out[row["measure"]] = f"{row['value']:.3g} {row['unit']} ({row['baseline_is']}: {row['baseline']:.3g})"
    out["replicated uniques, DiSCO, distance to the closest record"] = CLONED
    return out
