"""Columns of a survey under plain names, whatever it calls them; and whether it is a PolicyEngine dataset itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from synthpop_gb.circumstances import INPUTS, meaning_of
from synthpop_gb.errors import finding, refuse

__all__ = ["PLAIN", "is_engine_survey", "plain_columns"]

PLAIN = {
    "sex": "sex", "role": "role", "activity": "economic_activity", "partnership": "partnership", "tenure": "tenure",
    "income": "income",
}  # fmt: skip
"""What is understood of a survey under the plain names of `circumstances.INPUTS`, and the column that holds it here."""


def plain_columns(
    donors: pd.DataFrame, inputs: Mapping[str, Any], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, pd.Series]:
    """Find the columns that say sex, role, activity, partnership, tenure and income, whatever the survey calls them.

    Parameters
    ----------
    donors : pandas.DataFrame
        Persons.
    inputs : mapping
        May name the column under a plain name, {'income': 'pay'}, or a number for everybody; else usual names are looked for.
    labels : mapping
        By plain name: what labels mean that are not understood by themselves, {'role': {'1': 'reference'}}.

    Returns
    -------
    dict of str to pandas.Series
        Columns to be added to the donors, labels turned into plain words where `labels` says so.

    Raises
    ------
    InputError
        `engine-input` for a column that there is not, and for words that there are not.
    """
    found, problems = {}, []
    for name, column in PLAIN.items():
        source = inputs.get(name)
        if isinstance(source, int | float) and not isinstance(source, bool):
            found[column] = pd.Series(float(source), index=donors.index)
            continue
        if source is not None and (not isinstance(source, str) or source not in donors.columns):
            message = f"The survey has no column {source!r}, which {name!r} is to be read from."
            problems.append(finding("engine-input", message, place=f"inputs.{name}"))
            continue
        usual = (column, *INPUTS[name][1])
        at = source if source is not None else next((u for u in usual if u in donors.columns), None)
        if at is None:
            continue
        values = donors[at]
        if name in labels:
            try:
                words, _ = meaning_of(name, values, labels[name])
            except ValueError as error:
                problems.append(finding("engine-input", f"labels: {error}.", place=f"labels.{name}"))
                continue
            values = pd.Series(words, index=donors.index).where(words != "", values)
        if at != column or name in labels:
            found[column] = values
    refuse(problems)
    return found


def is_engine_survey(donors: pd.DataFrame) -> bool:
    """Whether the survey is a PolicyEngine dataset itself, whose columns are inputs under their own names."""
    return {"person_benunit_id", "gender", "age"} <= set(donors.columns)
