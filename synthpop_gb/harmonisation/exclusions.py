"""Records that are never to be placed: taken out of the survey before anything else is made of it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators import parse_condition
from synthpop_gb.microdata import Microdata

__all__ = ["exclude"]


def exclude(survey: Microdata, condition: str) -> Microdata:
    """Leave out the records that meet a condition, and where the survey holds households, whole households with such a member.

    Parameters
    ----------
    survey : Microdata
        As read.
    condition : str
        On its variables and columns, as for indicators: `"age >= 75 and health = 'bad'"`. A record of which it is not known
        whether it meets the condition stays.

    Returns
    -------
    Microdata
        With a finding `excluded` that says how many are gone.

    Raises
    ------
    InputError
        `bad-condition`; `no-records` where nobody is left.

    Examples
    --------
    >>> from synthpop_gb.codebook import Universe
    >>> people = pd.DataFrame({"job": ["none", "nurse", "none"], "home": ["a", "a", "b"]}, index=[1, 2, 3])
    >>> survey = Microdata("three", people, {}, Universe("everybody"), household="home")
    >>> exclude(survey, "job = 'nurse'").records.index.tolist()
    [3]
    """
    met = parse_condition(condition).matches(survey.records, survey.variables)
    gone, said = met, f"{int(met.sum()):,} of {len(met):,} records of {survey.name} meet {condition!r}"
    if survey.household is not None and survey.household in survey.records:
        home = survey.records[survey.household]
        gone = met | (home.isin(home[met]) & home.notna()).to_numpy()
        said += f", with their households {int(gone.sum()):,} records"
    if gone.all():
        raise InputError([finding("no-records", f"{said}: nobody is left.", place="start.exclude")])
    rows = pd.DataFrame({"record": survey.records.index[gone]})
    told = finding("excluded", f"{said}, and are never placed.", place="start.exclude", count=int(gone.sum()), rows=rows)
    return replace(survey, records=survey.records[~gone], findings=(*survey.findings, told))
