"""One file of persons for EUROMOD and UKMOD: tab-separated numbers, their names for things, monthly amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding
from synthpop_gb.export.entity_tables._layout import Layout, layout_of
from synthpop_gb.export.entity_tables._tables import Column, Numbering, Table, answer, coded, made
from synthpop_gb.export.entity_tables._write import households_table, regions_of, write_tables
from synthpop_gb.population import DonorCounts, Population

__all__ = ["euromod"]

STATUS = {
    "self-employed": 2,
    "employee": 3,
    "retired": 4,
    "unemployed": 5,
    "student": 6,
    "home": 7,
    "sick": 8,
    "other": 7,
    "none": 9,
}
"""les, labour status (EUROMOD's descriptions of variables): 0 pre-school, 2 self-employed, 3 employee, 4 pensioner, 5 unemployed,
6 student, 7 inactive, 8 sick or disabled, 9 other."""
MARITAL = {"single": 1, "married": 2, "separated": 3, "divorced": 4, "widowed": 5}
EDUCATION = {"low": 2, "medium": 3, "high": 5}
TENURE = {"mortgage": 1, "outright": 2, "private": 3, "social": 5, "free": 6}


def euromod(
    population: Population,
    aligned: Aligned,
    folder: str | Path,
    *,
    year: int | None = None,
    inputs: Mapping[str, str | float] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    include: Sequence[str] = (),
    weighted: bool = False,
    overwrite: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    donors: pd.Index | str = "keep",
    donor_households: pd.Index | str | None = None,
    zones: Sequence[str] | None = None,
    places: pd.DataFrame | None = None,
    say: Callable[[Finding], object] | None = None,
) -> Path:
    """Write `UK_<year>_synthpop.txt`, one row a person, and beside it `households.csv` with zone and areas of each `idhh`.

    EUROMOD reads numbers only, so places stand in the table of households, by `idhh`. Ids are 1, 2 ... for households and
    idhh x 100 + 1, 2 ... for their people, the reference first; 0 = nobody. Names and codes are those of EUROMOD's
    descriptions of variables (Sutherland & Figari 2013; UKMOD country report): dag, dgn, les, yem ... Amounts are
    pounds a month. What the model reads beyond them is left at its default when the data are added to a project.

    Parameters
    ----------
    population, aligned, folder, inputs, labels, include, weighted, overwrite, counts, donors, donor_households, places, say
        As in `export.entity_tables.openfisca`; of further columns named in `include` none is written.
    zones : sequence of str, optional
        Only these.
    year : int, optional
        In the file's name; the survey's year where absent.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        See `_layout.layout_of` and `_write.write_tables`.
    """
    layout = layout_of(
        population, aligned, inputs=inputs, labels=labels, include=include, weighted=weighted, counts=counts, donors=donors,
        donor_households=donor_households, zones=zones, places=places,
    )  # fmt: skip
    numbering = Numbering(first=1, nobody=0, by_household=True)
    year = year or aligned.survey.year or 0
    persons = Table(f"UK_{year}_synthpop.txt", "person", tuple(_columns(layout, numbering)), "\t")
    keys = {
        "household": "idhh", "person": "idperson", "unit": "idhh", "partner": "idpartner", "mother": "idmother",
        "father": "idfather", "age": "dag", "home_id": "idhh", "zone": "zone", "weight": "dwt",
    }  # fmt: skip
    tables = (persons, households_table(layout, numbering, "idhh", weight="dwt"))
    return write_tables(layout, tables, numbering, folder, keys=keys, overwrite=overwrite, say=say)


def _columns(layout: Layout, numbering: Numbering) -> list[Column]:
    known, age = layout.known, layout.known.number("age")
    student = known.is_("activity", "student") | (age < 16)
    level = np.select([age < 5, age < 11, age < 16, age < 19], [1, 2, 3, 4], 6)
    labour = np.where(age < 5, 0, np.where(age < 16, 6, coded(known, "activity", STATUS, 9)))
    married = coded(known, "partnership", MARITAL, 1)
    couple = layout.spouse > 0
    dms = married if known.has("partnership") else np.where(couple, 2, 1)

    def monthly(name: str) -> np.ndarray:
        return known.number(name) / 12.0

    def of_home(values: np.ndarray) -> np.ndarray:
        return values[layout.homes.reference]

    columns = [
        made("idhh", "id of the household", "row", numbering.home_of_person),
        made("idperson", "id of the person: idhh x 100 + place", "row", numbering.person),
        made("idpartner", "id of the partner, 0 = none", "row", numbering.link(layout.spouse)),
        made("idmother", "id of the mother, 0 = not in the household", "row", numbering.link(layout.mother)),
        made("idfather", "id of the father, 0 = not in the household", "row", numbering.link(layout.father)),
        made("dwt", "weight: households that the row stands for", "row", lambda rows: rows.weight[rows.home]),
        made("dct", "country, 15 = United Kingdom", "zone", np.full(len(layout.population.zones), 15)),
        made("drgn1", "region as in the Family Resources Survey: 1 North East ... 13 Northern Ireland, 0 = not known", "zone",
             regions_of(layout)),
        answer(layout, "dag", "age, years", "record", np.floor(age).astype(np.int64), "age"),
        answer(layout, "dgn", "1 male, 0 female", "record", known.is_("sex", "male").astype(np.int64), "sex"),
        answer(layout, "dms", "1 single, 2 married, 3 separated, 4 divorced, 5 widowed", "record", dms, "partnership"),
        answer(layout, "dec", "in education: 0 no, 1 pre-primary ... 6 tertiary, by age", "record",
               np.where(student, level, 0), "activity"),
        answer(layout, "deh", "highest education: 2 lower secondary, 3 upper secondary, 5 tertiary; 0 = none yet", "record",
               np.where(age < 16, 0, coded(known, "qualification", EDUCATION, 0)), "qualification"),
        answer(layout, "les", "labour status: 0 pre-school, 2 self-employed, 3 employee, 4 pensioner, 5 unemployed, 6 student, "
               "7 inactive, 8 sick or disabled, 9 other", "record", labour, "activity"),
        answer(layout, "ddi", "1 long-term sick or disabled", "record",
               known.is_("activity", "sick").astype(np.int64), "activity"),
        answer(layout, "lhw", "hours of work a week; 36 for people in work where not known", "record",
               np.where(known.is_("activity", "employee", "self-employed"), known.number("hours", 36.0), 0.0), "hours"),
        answer(layout, "yem", "employment income, pounds a month", "record", monthly("employment_income"), "employment_income",
               "income"),
        answer(layout, "yse", "self-employment income, pounds a month", "record", monthly("self_employment_income"),
               "self_employment_income", "income"),
        answer(layout, "ypp", "pensions, pounds a month (the state's too: the survey does not part them)", "record",
               monthly("pension_income"), "pension_income", "income"),
        answer(layout, "yot", "other income, pounds a month", "record", monthly("other_income"), "other_income", "income"),
        answer(layout, "amrtn", "tenure: 1 with mortgage, 2 outright, 3 rented at market rent, 5 social, 6 free", "home",
               of_home(coded(known, "tenure", TENURE, 0)), "tenure"),
        answer(layout, "xhcrt", "rent of the household, pounds a month", "home", of_home(monthly("rent")), "rent"),
    ]  # fmt: skip
    return columns
