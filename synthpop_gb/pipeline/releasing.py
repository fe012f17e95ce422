"""People of a run held against a release rule, before anything of them is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import refuse
from synthpop_gb.export.people import person_columns
from synthpop_gb.export.release import donor_labels
from synthpop_gb.release import ReleaseRule, check_release
from synthpop_gb.validation.disclosure import zone_uniqueness
from synthpop_gb.validation.disclosure.cloned import visible_keys

__all__ = ["checked_people"]


def checked_people(
    folder: Path, aligned: Aligned, rule: ReleaseRule, keys: Sequence[str] = ()
) -> dict[str, pd.Index | Literal["drop"]]:
    """Refuse people who break a rule; return what stands in place of their record ids, and of their households', by argument.

    Parameters
    ----------
    folder : path
        The run whose people are to leave.
    aligned : Aligned
        Its survey and zones.
    rule : ReleaseRule
        What may leave.
    keys : sequence of str
        What a neighbour may know; without any, the visible variables among the answers that would be written.

    Raises
    ------
    InputError
        `release-refused` for every breach; `bad-condition` for keys that there are not.
    """
    answers = list(person_columns(aligned))
    judged = list(keys) or [k for k in visible_keys(aligned) if k in answers]
    uniqueness = None
    if rule.people and rule.maximum_unique_share is not None and judged and (answers or keys):
        uniqueness = zone_uniqueness(run_folder.read_counts(folder, aligned.records), aligned, judged)
    labels = donor_labels(aligned.records, rule)
    columns = ["person", "zone", *(["donor"] if labels is not None else []), *answers]
    refuse(
        check_release(rule, licence=aligned.survey.licence, columns=columns, answers=answers, uniqueness=uniqueness, keys=judged)
    )
    ids = {"donors": "drop" if labels is None else labels}
    if aligned.households is not None:
        homes = donor_labels(aligned.households.ids, rule)
        ids["donor_households"] = "drop" if homes is None else homes
    return ids
