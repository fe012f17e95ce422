"""Entity tables for OpenFisca: persons with the id of their household and benefit unit and their role in each, as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding
from synthpop_gb.export.entity_tables._layout import Layout, layout_of
from synthpop_gb.export.entity_tables._tables import Column, Numbering, Table, answer, made
from synthpop_gb.export.entity_tables._write import households_table, regions_of, units_table, write_tables
from synthpop_gb.population import DonorCounts, Population

__all__ = ["openfisca"]

ROLES = ("reference", "partner", "child", "other")
"""Roles in a household, in the order of their index."""
REGIONS = (
    "UNKNOWN", "NORTH_EAST", "NORTH_WEST", "NORTH_WEST", "YORKSHIRE", "EAST_MIDLANDS", "WEST_MIDLANDS", "EAST_OF_ENGLAND",
    "LONDON", "SOUTH_EAST", "SOUTH_WEST", "WALES", "SCOTLAND", "NORTHERN_IRELAND",
)  # fmt: skip
"""As the UK packages name them, by number of the Family Resources Survey (3 was Merseyside)."""


def openfisca(
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
    """Write persons, benefit units and households as an OpenFisca `SimulationBuilder` takes them.

    `persons.csv`, `benunits.csv`, `households.csv` hold ids from 0 without gaps, in order; persons point to their household and
    benefit unit, and have a role in each, as a word and as an index: `declare_person_entity`, `declare_entity` and
    `join_with_persons` (openfisca-core) take these columns as they are. Variables are called as in the UK packages; `columns.csv`
    says what each means and where it is from. Money is pounds a year.

    Parameters
    ----------
    population, aligned : Population, Aligned
        Of whole households.
    folder : path
        Where the files go.
    year : int, optional
        For the record alone.
    inputs, labels : mapping, optional
        Columns of the survey and what its labels mean; see `circumstances.circumstances_of`.
    include : sequence of str
        Columns of a survey whose licence is not open that may leave nevertheless: the caller's word. Of any survey: further
        columns are written with the persons as they are.
    weighted : bool
        One row a household of the survey and zone, with its copies as weight, instead of one row a copy.
    overwrite : bool
        Replace such a folder.
    counts : iterable of DonorCounts, optional
        Households by zone; by default those that the population places.
    donors, donor_households : pandas.Index, 'keep' or 'drop'
        What stands for the survey's ids; see `export.people`.
    zones : sequence of str, optional
        Only these.
    places : pandas.DataFrame, optional
        Region or local authority by zone, or by the level that its index is named for, where the study's own codes and names do
        not tell the region.
    say : callable, optional
        Is given notes, such as `export-left-out`: residents of communal establishments live in no household.

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
    numbering = Numbering(first=0, nobody=-1)
    tables = (_persons(layout, numbering, include), _units(layout, numbering), _households(layout, numbering))
    keys = {
        "household": "household_id", "person": "person_id", "unit": "benunit_id", "partner": "partner_id", "mother": "mother_id",
        "father": "father_id", "age": "age", "home_id": "household_id", "zone": "zone", "weight": "household_weight",
    }  # fmt: skip
    return write_tables(layout, tables, numbering, folder, keys=keys, overwrite=overwrite, say=say)


def _persons(layout: Layout, numbering: Numbering, include: Sequence[str]) -> Table:
    known, families = layout.known, layout.families
    reference = families.head & families.first[families.unit]
    child = families.child | known.is_("role", "child")
    in_home = np.select([reference, families.partner, child], [0, 1, 2], 3)
    in_unit = np.select([families.head, families.partner], [0, 1], 2)
    columns: list[Column] = [
        made("person_id", "id of the person", "row", numbering.person),
        made("household_id", "id of the household", "row", numbering.home_of_person),
        made("household_role", "reference, partner, child or other", "record", np.array(ROLES, object)[in_home]),
        made("household_role_index", "0 reference, 1 partner, 2 child, 3 other", "record", in_home.astype(np.int64)),
        made("benunit_id", "id of the benefit unit", "row", lambda rows: numbering.unit(rows, layout)),
        made("benunit_role", "reference, partner or child (dependent)", "record", np.array(ROLES, object)[in_unit]),
        made("benunit_role_index", "0 reference, 1 partner, 2 child", "record", in_unit.astype(np.int64)),
        made("partner_id", "id of the partner, -1 = nobody", "row", numbering.link(layout.spouse)),
        made("mother_id", "id of the mother, -1 = not in it", "row", numbering.link(layout.mother)),
        made("father_id", "id of the father, -1 = not in it", "row", numbering.link(layout.father)),
        made("person_weight", "people that the row stands for", "row", lambda rows: rows.weight[rows.home]),
        answer(layout, "age", "years", "record", known.number("age"), "age"),
        answer(layout, "gender", "MALE, FEMALE", "record", np.where(known.is_("sex", "male"), "MALE", "FEMALE"), "sex"),
        answer(layout, "activity", "what the person does", "record", known.frame["activity"].to_numpy(object), "activity"),
    ]
    for name, what in (
        ("employment_income", "earnings of employees"), ("self_employment_income", "profits"),
        ("pension_income", "pensions"), ("other_income", "income of any other kind"),
    ):  # fmt: skip
        columns.append(answer(layout, name, f"{what}, pounds a year", "record", known.number(name), name, "income"))
    taken = {c.name for c in columns}
    frame = layout.aligned.frame()
    for name in include:
        if name not in taken and name in frame and name not in known.taken.values():
            values = frame[name]
            plain = (
                values.to_numpy()
                if values.dtype.kind in "iuf" and not values.isna().any()
                else values.astype("string").to_numpy(object)
            )
            columns.append(Column(name, "as in the survey", f"survey: {name}", "record", plain))
    if layout.ids is not None:
        columns.append(made("donor", "the survey's id of the record copied", "record", layout.ids.astype(str).to_numpy(object)))
    return Table("persons.csv", "person", tuple(columns))


def _units(layout: Layout, numbering: Numbering) -> Table:
    couple = layout.families.sum(layout.families.partner).astype(np.int64)
    weight = made(
        "benunit_weight", "benefit units that the row stands for", "row", lambda rows: rows.weight[layout.home_of_unit(rows)]
    )
    more = [weight, made("is_couple", "1 where there is a partner", "family", couple)]
    return units_table(layout, numbering, "benunit_id", household="household_id", file="benunits.csv", more=more)


def _households(layout: Layout, numbering: Numbering) -> Table:
    known, reference = layout.known, layout.homes.reference
    names = np.array(REGIONS, object)[regions_of(layout)]
    more = [made("region", "region or country of the UK, UNKNOWN where the study does not tell", "zone", names)]
    if known.has("tenure"):
        words = {
            "outright": "OWNED_OUTRIGHT",
            "mortgage": "OWNED_WITH_MORTGAGE",
            "social": "RENT_FROM_COUNCIL",
            "private": "RENT_PRIVATELY",
        }
        tenure = known.frame["tenure"].map(words).fillna("OTHER").to_numpy(object)[reference]
        more.append(answer(layout, "tenure_type", "tenure; social tenants as of the council", "home", tenure, "tenure"))
    for name in ("rent", "council_tax"):
        if known.has(name):
            more.append(answer(layout, name, "pounds a year", "home", known.number(name)[reference], name))
    return households_table(layout, numbering, "household_id", weight="household_weight", more=more)
