"""The initial population of SimPaths UK: one row a person under the names that its data parser reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding
from synthpop_gb.export.entity_tables._layout import Layout, layout_of
from synthpop_gb.export.entity_tables._tables import Column, Numbering, Table, answer, coded, made
from synthpop_gb.export.entity_tables._write import households_table, regions_of, units_table, write_tables
from synthpop_gb.population import DonorCounts, Population

__all__ = ["simpaths"]

RESPONSIBLE = 18
"""Age from which SimPaths lets people be the reference of a benefit unit (`Parameters.AGE_TO_BECOME_RESPONSIBLE`)."""
WEEKS_A_MONTH = 365.25 / (7.0 * 12.0)
HOURS = 36.0
"""Hours a week of people in work where the survey has none."""
NOT_KNOWN = -9


def simpaths(
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
    """Write `population_initial_UK_<year>.csv`, and beside it `benefitunits.csv` and `households.csv` with zone and areas.

    The columns are those that SimPaths asks of an initial population (its `Parameters.PERSON_VARIABLES_INITIAL`,
    `BENEFIT_UNIT_VARIABLES_INITIAL`, `HOUSEHOLD_VARIABLES_INITIAL`, 2026), under their names and codes; its data parser makes its
    tables of persons, benefit units and households from that file. `columns.csv` says which are the survey's and which are
    defaults: what a survey of incomes and a census do not tell (mental health scores, hours of care, wealth) is.

    SimPaths knows couples of a woman and a man, everybody under 18 lives with a responsible adult, and each household has one:
    couples of one sex are two benefit units here, children without a parent in the household are the reference's, and households
    of people under 18 alone are left out, with a note.

    Parameters
    ----------
    population, aligned, folder, inputs, labels, include, weighted, overwrite, counts, donors, donor_households, places, say
        As in `export.entity_tables.openfisca`; of further columns named in `include` none is written. SimPaths copies households
        by their weight itself.
    zones : sequence of str, optional
        Only these.
    year : int, optional
        First year of the simulation; the survey's year where absent.

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
        donor_households=donor_households, zones=zones, places=places, adult=RESPONSIBLE, opposite_sex=True,
    )  # fmt: skip
    layout = _adopted(layout.without(_without_adults(layout)))
    numbering = Numbering(first=1, nobody=NOT_KNOWN)
    year = int(year or aligned.survey.year or 0)
    persons = Table(f"population_initial_UK_{year}.csv", "person", tuple(_columns(layout, numbering, year)))
    keys = {
        "household": "idHh", "person": "idPers", "unit": "idBu", "partner": "idPartner", "mother": "idMother",
        "father": "idFather", "age": "demAge", "home_id": "idHh", "zone": "zone", "weight": "wgtHhCross",
    }  # fmt: skip
    units = units_table(layout, numbering, "idBu", household="idHh", file="benefitunits.csv")
    tables = (persons, units, households_table(layout, numbering, "idHh", weight="wgtHhCross"))
    return write_tables(layout, tables, numbering, folder, keys=keys, overwrite=overwrite, say=say)


def _without_adults(layout: Layout) -> np.ndarray:
    """(n_units,) bool: households with a benefit unit whose head is under 18."""
    young = layout.known.number("age")[layout.head] < RESPONSIBLE
    return np.bincount(layout.families.home, young, len(layout.homes.ids)) > 0


def _adopted(layout: Layout) -> Layout:
    """Make the reference the parent of everybody under 18 who has none in the household."""
    families, homes = layout.families, layout.homes
    head = layout.head[layout.first_family[:-1]][homes.of_record]
    alone = families.child & (layout.mother == 0) & (layout.father == 0) & (head != np.arange(len(head)))
    male = layout.known.is_("sex", "male")[head]
    mother, father = layout.mother.copy(), layout.father.copy()
    mother[alone & ~male], father[alone & male] = homes.place[head[alone & ~male]], homes.place[head[alone & male]]
    return replace(layout, mother=mother, father=father)


def _columns(layout: Layout, numbering: Numbering, year: int) -> list[Column]:
    known, families = layout.known, layout.families
    age, n = np.floor(known.number("age")).astype(np.int64), len(layout.known.frame)
    works, student = known.is_("activity", "employee", "self-employed"), known.is_("activity", "student")
    school = (age < 16) | student
    hours = np.where(works, known.number("hours", HOURS), 0.0)
    earned = known.number("employment_income") + known.number("self_employment_income")
    other = known.number("pension_income") + known.number("other_income")
    month = {k: np.arcsinh(v / 12.0) for k, v in {"all": earned + other, "earned": earned, "other": other}.items()}
    wage = np.divide(earned / 12.0, hours * WEEKS_A_MONTH, out=np.zeros(n), where=hours > 0)
    homes, spouse = layout.homes, families.spouse
    partnered = spouse >= 0
    child = np.where(families.child, age, 99)
    children, small = (families.sum(child < a)[families.unit].astype(np.int64) for a in (RESPONSIBLE, 3))
    education = coded(known, "qualification", {"high": 1, "medium": 2, "low": 3}, 3 if known.has("qualification") else 2)
    education = np.where(age < 16, 3, education)

    def of_parent(place: np.ndarray) -> np.ndarray:
        parent = homes.at(place)
        return np.where(parent >= 0, education[parent], NOT_KNOWN)

    def default(name: str, what: str, value) -> Column:
        return Column(name, what, "default", "record", np.full(n, value))

    def partners(values: np.ndarray, nobody) -> np.ndarray:
        return np.where(partnered, values[spouse], nobody)

    quintile = _quintiles(layout, earned + other)
    owned = known.is_("tenure", "outright", "mortgage")[homes.reference].astype(np.int64)
    health = coded(known, "health", {"very bad": 1, "bad": 1, "fair": 2, "good": 3, "very good": 4}, 3)
    ethnic = coded(known, "ethnic_group", {"white": 1, "mixed": 2, "asian": 3, "black": 4, "other": 5}, 6)
    income = ("employment_income", "self_employment_income", "pension_income", "other_income", "income")
    return [
        made("idHh", "id of the household", "row", numbering.home_of_person),
        made("idBu", "id of the benefit unit", "row", lambda rows: numbering.unit(rows, layout)),
        made("idPers", "id of the person", "row", numbering.person),
        made("idPartner", "id of the partner, -9 = none", "row", numbering.link(layout.spouse)),
        made("idMother", "id of the mother or responsible woman, -9 = not in it", "row", numbering.link(layout.mother)),
        made("idFather", "id of the father or responsible man, -9 = not in it", "row", numbering.link(layout.father)),
        made("wgtHhCross", "households that the row stands for", "row", lambda rows: rows.weight[rows.home]),
        made("statInterviewYear", "year", "record", np.full(n, year)),
        default("statCollectionWave", "wave of the survey", 1),
        answer(layout, "demMaleFlag", "1 male, 0 female", "record", known.is_("sex", "male").astype(np.int64), "sex"),
        answer(layout, "demAge", "age, years", "record", age, "age"),
        answer(layout, "demNChild0to2", "children under 3 in the benefit unit", "record", small, "age"),
        answer(layout, "demNChild", "children under 18 in the benefit unit", "record", children, "age"),
        made("demAdultChildFlag", "1 = 18 or over and living with a parent", "record",
             ((age >= RESPONSIBLE) & ((layout.mother > 0) | (layout.father > 0))).astype(np.int64)),
        default("demPartnerNYear", "years with the partner", 0),
        answer(layout, "demAgePartnerDiff", "own age less the partner's, 0 = none", "record",
               partners(age - age[spouse], 0), "age"),
        answer(layout, "demEthnC6", "1 white, 2 mixed, 3 Asian, 4 black, 5 other, 6 not known", "record", ethnic, "ethnic_group"),
        answer(layout, "demEthnC4", "1 white, 2 Asian, 3 black, 4 other (read off the training data)", "record",
               np.array([4, 1, 4, 2, 3, 4, 4])[ethnic], "ethnic_group"),
        made("demRgn", "region as in the Family Resources Survey: 1 North East ... 13 Northern Ireland, 0 = not known", "zone",
             regions_of(layout)),
        answer(layout, "eduSpellFlag", "1 in education", "record", school.astype(np.int64), "activity"),
        answer(layout, "eduHighestC3", "highest education: 1 high, 2 medium, 3 low", "record", education, "qualification"),
        answer(layout, "eduHighestC4", "the same, 0 = in education", "record", np.where(school, 0, education), "qualification"),
        answer(layout, "eduHighestMotherC3", "the mother's, -9 = not known", "record", of_parent(layout.mother), "qualification"),
        answer(layout, "eduHighestFatherC3", "the father's, -9 = not known", "record", of_parent(layout.father), "qualification"),
        default("eduReturnFlag", "1 went back to education", 0),
        default("eduExitSampleFlag", "1 left education this year", 0),
        answer(layout, "healthSelfRated", "1 poor ... 5 excellent; very bad and bad = 1, very good = 4", "record", health,
               "health"),
        answer(layout, "healthDsblLongtermFlag", "1 long-term sick or disabled", "record",
               known.is_("activity", "sick").astype(np.int64), "activity"),
        default("healthMentalMcs", "SF-12 mental score; 50 is the mean by construction", 50.0),
        default("healthPhysicalPcs", "SF-12 physical score", 50.0),
        made("healthMentalPartnerMcs", "the partner's, -9 = none", "record", np.where(partnered, 50.0, NOT_KNOWN)),
        made("healthPhysicalPartnerPcs", "the partner's, -9 = none", "record", np.where(partnered, 50.0, NOT_KNOWN)),
        default("healthWbScore0to36", "GHQ-12, Likert scale", 11),
        default("healthPsyDstrss0to12", "GHQ-12, cases", 1),
        default("demLifeSatScore0to10", "life satisfaction", 7),
        default("yFinDstrssFlag", "1 in financial distress", 0),
        answer(layout, "labC4", "1 in work, 2 student, 3 not in work, 4 retired", "record",
               np.select([works, school, known.is_("activity", "retired")], [1, 2, 4], 3), "activity"),
        answer(layout, "labHrsWorkWeek", f"hours of work a week; {HOURS:g} where not known", "record", hours, "hours"),
        answer(layout, "labHrsWorkWeekL1", "the same a year ago: as now", "record", hours, "hours"),
        answer(layout, "labWageHrly", "earnings an hour, pounds", "record", wage, *income[:2], "income", "hours"),
        answer(layout, "labWageHrlyL1", "the same a year ago: as now", "record", wage, *income[:2], "income", "hours"),
        answer(layout, "yEmpPersGrossMonth", "arsinh of earnings and profits, pounds a month", "record", month["earned"],
               *income),
        answer(layout, "yNonBenPersGrossMonth", "arsinh of all income but benefits", "record", month["all"], *income),
        answer(layout, "yMiscPersGrossMonth", "arsinh of income but earnings and benefits", "record", month["other"], *income),
        answer(layout, "yPensPersGrossMonth", "arsinh of pensions", "record",
               np.arcsinh(known.number("pension_income") / 12.0), *income),
        default("yCapitalPersMonth", "arsinh of income from capital", 0.0),
        answer(layout, "yPersAndPartnerGrossDiffMonth", "own yNonBenPersGrossMonth less the partner's, 0 = none", "record",
               partners(month["all"] - month["all"][spouse], 0.0), *income),
        answer(layout, "yHhQuintilesMonthC5", "fifth of the household's income in the survey, 1 = lowest", "home", quintile,
               *income),
        default("yDispMonth", "disposable income of the benefit unit, which the model works out", 0.0),
        answer(layout, "wealthPrptyFlag", "1 owns the home", "home", owned, "tenure"),
        *(default(f"wealth{w}", "pounds", 0.0) for w in ("TotValue", "PensValue", "PrptyValue", "MortgageDebtValue")),
        *(default(f"care{c}", "care", 0) for c in ("NeedFlag", "HrsFormal", "FormalX", "HrsInformal", "HrsProvidedWeek")),
        *(default(f"yBen{b}ReceivedFlag", "1 has benefits", 0) for b in ("", "UC", "NonUC")),
    ]  # fmt: skip


def _quintiles(layout: Layout, income: np.ndarray) -> np.ndarray:
    """(n_units,) int64 fifth of each household's income, by the survey's design weights."""
    homes = layout.homes
    total = np.bincount(homes.of_record, income, len(homes.ids))
    order = np.argsort(total, kind="stable")
    share = (np.cumsum(homes.weight[order]) - homes.weight[order] / 2) / homes.weight.sum()
    out = np.empty(len(total), np.int64)
    out[order] = np.clip(np.floor(5 * share), 0, 4).astype(np.int64) + 1
    return out
