"""PolicyEngine UK datasets as surveys: persons with all that PolicyEngine's rules read of them, their benefit units and homes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.hdf5 import read_hdf5_tables
from synthpop_gb.microdata import Microdata
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._codebooks import category, codebook_file, common
from synthpop_gb.read._households import join_households
from synthpop_gb.read._universes import universe

__all__ = ["is_policyengine_file", "policyengine"]

_ENTITIES = ("person", "benunit", "household")
_KEYS = {
    "person": ("person_id", "person_benunit_id", "person_household_id"),
    "benunit": ("benunit_id",),
    "household": ("household_id",),
}
_MANY_VALUES = 60
"""A column of words with more values than this is no variable of categories."""


def is_policyengine_file(path: str | Path) -> bool:
    """Whether a path is named like a PolicyEngine dataset: `.h5` or `.hdf5`.

    >>> is_policyengine_file("frs_2024.h5"), is_policyengine_file("frs_2024.tab")
    (True, False)
    """
    return Path(path).suffix.lower() in {".h5", ".hdf5"}


def policyengine(
    dataset: str | Path | Any,
    *,
    year: int | None = None,
    name: str | None = None,
    variables: Mapping[str, Variable] | None = None,
    licence: str = "restricted",
) -> Microdata:
    """Read a PolicyEngine UK dataset as a survey of whole households.

    One record a person, with every column of its own, of its benefit unit and of its household under the names that they have,
    so that the policy model 'policyengine-uk' reads back what PolicyEngine's users gave. Variables that the census counts too
    (age, sex, region, tenure, accommodation ...) are described by the codebook `codebooks/policyengine.toml`.

    Parameters
    ----------
    dataset : path, or UKSingleYearDataset or UKMultiYearDataset
        The .h5 file that `dataset.save()` writes, or the object. policyengine-uk itself need not be installed for a file.
    year : int, optional
        Which fiscal year of a dataset of several (the year it starts in); the first where absent.
    name : str, optional
        Short name for reports; the file's where absent.
    variables : mapping of name to Variable, optional
        Further ones, made with `read.variable`; they go before the codebook's of that name.
    licence : str
        'open' only where records may be copied into outputs: datasets made from the Family Resources Survey may not.

    Returns
    -------
    Microdata
        Indexed by person_id; `household` is 'person_household_id', `weight` 'household_weight', and a column
        'household_size' counts members.

    Raises
    ------
    InputError
        With every finding: 'missing-file', 'unreadable-file', 'unknown-layout', 'missing-extra' (h5py), 'study-value' (no such
        year), 'missing-column', 'duplicate-record', 'duplicate-household', 'unmatched-household', 'missing-weight'.
    """
    path = Path(dataset) if isinstance(dataset, str | Path) else None
    place = str(path) if path else "survey"
    tables, year, findings = _tables_of(dataset, path, year, place)
    findings += _checked(tables, place)
    refuse(findings)
    people = tables["person"]
    for entity in ("benunit", "household"):
        key = f"person_{entity}_id"
        frame = tables[entity].rename(columns={f"{entity}_id": key})
        ours = (Path(f"{place}: person"), Path(f"{place}: {entity}"))
        people, _ = join_households(people, frame, key, ours, findings)
    findings = [_strict(f) for f in findings]
    people = people.set_index(pd.Index(people.pop("person_id"), name="person_id"))
    if people.index.has_duplicates:
        n = int(people.index.duplicated().sum())
        findings.append(finding("duplicate-record", f"{n:,} persons have an id that another has.", place=place, count=n))
    refuse(findings)
    weighted = "household_weight" in people
    if not weighted:
        message = "The dataset has no household_weight: every household counts alike."
        findings.append(finding("no-weight", message, place=place))
    if "household_size" not in people:
        people["household_size"] = people.groupby("person_household_id")["person_household_id"].transform("size")
    people = _whole_ages(people)
    weight = "household_weight" if weighted else None
    return Microdata(
        name or (path.stem if path else "policyengine"), people, {**_described(people), **(variables or {})},
        universe("usual residents"), weight, year, licence, InputFile.of(path) if path else None, tuple(findings),
        household="person_household_id", household_weight=weight,
    )  # fmt: skip


def _tables_of(dataset, path: Path | None, year: int | None, place: str) -> tuple[dict[str, pd.DataFrame], int, list[Finding]]:
    """Three tables of one year, that year, and a note where there were others."""
    if path is not None:
        stored = read_hdf5_tables(path)
        told = stored.get("time_period")
        years = {}
        for key, frame in stored.items():
            entity, _, of = key.partition("/")
            if entity in _ENTITIES:
                when = int(of) if of.isdigit() else _year(told)
                years.setdefault(when, {})[entity] = frame
    elif hasattr(dataset, "datasets") or all(hasattr(dataset, entity) for entity in _ENTITIES):
        singles = dataset.datasets if hasattr(dataset, "datasets") else {int(str(dataset.time_period)[:4]): dataset}
        years = {int(y): {e: getattr(d, e).copy().reset_index(drop=True) for e in _ENTITIES} for y, d in singles.items()}
    else:
        raise TypeError(f"a path or a PolicyEngine UK dataset is wanted, not {type(dataset).__name__}")
    known = sorted(y for y in years if y is not None)
    if path is not None and (not known or any(set(_ENTITIES) - set(t) for t in years.values())):
        message = f"{path.name} has not the tables person, benunit, household and time_period of a PolicyEngine UK dataset."
        remedy = "Write it with `UKSingleYearDataset.save()`."
        raise InputError([finding("unknown-layout", message, place=place, remedy=remedy)])
    if year is not None and year not in known:
        message = f"The dataset has no year {year}: {', '.join(map(str, known))}."
        raise InputError([finding("study-value", message, place=f"{place}: year")])
    taken = known[0] if year is None else int(year)
    findings = []
    if year is None and len(known) > 1:
        message = f"The dataset has {len(known)} years ({known[0]} to {known[-1]}); {taken} is read."
        findings.append(finding("several-years", message, place=place, count=len(known)))
    return years[taken], taken, findings


def _year(told: pd.DataFrame | None) -> int | None:
    """Year that a one-year file says it is of."""
    value = "" if told is None or told.empty else str(told.iloc[0, -1])[:4]
    return int(value) if value.isdigit() else None


def _checked(tables: dict[str, pd.DataFrame], place: str) -> list[Finding]:
    """'missing-column' of ids, ages and sexes, 'missing-weight' for weights that are no numbers."""
    findings = []
    for entity, keys in _KEYS.items():
        wanted = (*keys, "age", "gender") if entity == "person" else keys
        for column in wanted:
            if column not in tables[entity]:
                message = f"The table {entity} of the dataset has no column {column!r}."
                findings.append(finding("missing-column", message, place=f"{place}: {entity}"))
    weight = tables["household"].get("household_weight")
    if weight is not None and (not pd.api.types.is_numeric_dtype(weight) or weight.isna().any()):
        message = "household_weight holds blanks or values that are no numbers."
        findings.append(finding("missing-weight", message, place=f"{place}: household"))
    return findings


def _strict(found: Finding) -> Finding:
    """In one dataset nobody can be of a household that is not there: what is a warning between two files is an error here."""
    if found.code != "unmatched-household" or "no member" in found.message or found.level == "error":
        return found
    return finding(found.code, found.message, place=found.place, count=found.count, rows=found.rows, level="error", why=found.why,
                   remedy="Give every person the id of a household and benefit unit of the dataset.")  # fmt: skip


def _whole_ages(people: pd.DataFrame) -> pd.DataFrame:
    """Ages stored as floats are whole years."""
    age = people["age"]
    if pd.api.types.is_float_dtype(age) and age.notna().all() and (age == age.round()).all():
        people["age"] = age.astype("int64")
    return people


def _described(people: pd.DataFrame) -> dict[str, Variable]:
    """Variables of the codebook whose columns are there, single years of age, household size, and other columns of words."""
    found = {}
    for name, entry in codebook_file("policyengine").items():
        if entry["column"] in people:
            made = tuple(
                Category(code, "does not apply", frozenset()) if meaning == [] else category(name, meaning, code)
                for code, meaning in entry["codes"].items()
            )
            found[name] = Variable(name, made, entry["column"], common(name).label, "policyengine")
    years = tuple(category("age", str(age), str(age)) for age in range(121))
    found["age"] = Variable("age", years, "age", common("age").label, "policyengine")
    sizes = tuple(category("household_size", str(n), str(n)) for n in sorted(set(people["household_size"])))
    found["household_size"] = Variable("household_size", sizes, "household_size", common("household_size").label, "policyengine")
    taken = {v.column for v in found.values()}
    for column in people.columns:
        values = people[column]
        if column in taken or pd.api.types.is_numeric_dtype(values) or str(column) in found:
            continue
        present = sorted(map(str, values.dropna().unique()))
        if 0 < len(present) <= _MANY_VALUES:
            made = tuple(category(str(column), value, value) for value in present)
            found[str(column)] = Variable(str(column), made, str(column), "", "policyengine")
    return found
