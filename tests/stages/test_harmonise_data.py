"""Real censuses harmonised: Leeds and England and Wales 2011, England and Wales 2021, CakeMap's three impossible zones."""

import numpy as np
import pytest

from synthpop_gb import read
from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import harmonise

pytestmark = pytest.mark.data

NAMES = ["age", "sex", "health", "ethnic_group"]


@pytest.fixture(scope="module")
def survey(data_folder):
    file = data_folder / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet"
    return read.census_microdata(file, licence="open")


@pytest.fixture(scope="module")
def inputs_2011(data_folder):
    folder = data_folder / "census2011-lsoa-ew"
    tables = dict(read.tables([folder / "age9_by_sex.parquet", folder / "general_health5.parquet"]))
    groups = read.table(folder / "ethnicity14_oa11_with_lookup.parquet", zone="LSOA", aggregate=True)
    tables[groups.name] = groups
    return tables, read.geography(folder / "ethnicity14_oa11_with_lookup.parquet", zone="LSOA")


def codes(findings, level):
    return {f.code for f in findings if f.level == level}


def test_leeds_2011(survey, inputs_2011):
    aligned = harmonise(survey, *inputs_2011, constraints=NAMES, held_out=["age x sex"], parent=("lad", "Leeds"))
    problem = formulate(aligned)
    assert (problem.n_zones, problem.n_profiles, problem.n_cells) == (482, 212, 17)
    assert len(aligned.records) == 58_342
    for constraint in [*aligned.constraints, *aligned.held_out]:
        assert constraint.targets.to_numpy().sum() == 751_485
        assert constraint.targets.equals(constraint.published)
    assert aligned.changes.empty
    assert aligned.constraints[0].cell_labels == ["0-15", "16-44", "45-64", "65-74", "75+"]
    assert aligned.held_out[0].targets.shape == (482, 10)
    assert "structural-clash" not in codes(aligned.findings, "warning")
    missing = [f.count for f in aligned.findings if f.code == "missing-value"]
    assert missing == [8, 8]


def test_england_and_wales_2011(survey, inputs_2011):
    aligned = harmonise(survey, *inputs_2011, constraints=NAMES)
    assert len(aligned.zones) == 34_753
    assert all(c.targets.to_numpy().sum() == 56_075_912 for c in aligned.constraints)
    assert (aligned.floor == 0).all()
    assert not {"structural-clash", "empty-cell", "thin-donors", "total-mismatch"} & codes(aligned.findings, "warning")


def test_england_and_wales_2021(survey, data_folder):
    folder = data_folder / "census2021-lsoa-ew"
    tables = read.tables([folder / f"{name}.parquet" for name in ("age6", "ts008", "ts037", "ts021", "ts002")])
    places = read.geography(data_folder / "lookups" / "lsoa11_lsoa21_ltla22.parquet", zone="lsoa21_code")
    names = [*NAMES, "legal_partnership"]
    aligned = harmonise(survey, tables, places, constraints=names, seed=2021)
    assert len(aligned.zones) == 35_672
    by = {c.name: c.targets.to_numpy() for c in aligned.constraints}
    people = by["age"].sum(axis=1)
    assert all(np.array_equal(by[n].sum(axis=1), people) for n in NAMES)
    assert np.array_equal(by["legal_partnership"].sum(axis=1), people - by["age"][:, 0])
    assert {"vintage-mismatch", "total-mismatch"} <= codes(aligned.findings, "warning")
    published = np.stack([c.published.to_numpy().sum(axis=1) for c in aligned.constraints])
    settled = np.stack([by[n].sum(axis=1) for n in names])
    assert np.array_equal(aligned.floor, np.abs(published - settled).sum(axis=0))
    moved = aligned.changes.groupby("zone").people_moved.sum().reindex(aligned.zones, fill_value=0)
    assert np.array_equal(moved, aligned.floor)
    settled_tae = sum(np.abs(c.targets - c.published).to_numpy().sum(axis=1) for c in aligned.constraints)
    assert np.array_equal(aligned.floor, settled_tae)  # one-way tables that differ in totals only: each move is the least
    assert not any("margins they share" in f.message for f in aligned.findings)
    four = harmonise(survey, tables, places, constraints=NAMES, seed=2021)
    assert four.floor.sum() == 102_775
    assert round(float(four.floor.mean()), 2) == 2.88
    bands = read.tables([folder / f"{name}.parquet" for name in ("ts007a", "ts008", "ts037", "ts021")])
    assert round(float(harmonise(survey, bands, places, constraints=NAMES, seed=2021).floor.mean()), 2) == 3.7
    part = harmonise(survey, tables, places, constraints=names, seed=2021, zones=list(aligned.zones[[31_000, 7, 412]]))
    for whole, some in zip(aligned.constraints, part.constraints, strict=True):
        assert np.array_equal(whole.targets.loc[some.targets.index], some.targets)


def test_cakemap_names_its_three_impossible_zones(data_folder):
    ages = ["16-24", "25-34", "35-44", "45-54", "55-64", "65-74"]
    classes = {"1.1": "X1.1", "1.2": "X1.2", **{k: f"X{k}" for k in "2345678"}, "97": "Other"}
    age = Variable("age", tuple(Category(a, a, age_atoms(*map(int, a.split("-")))) for a in ages), "ageband4")
    sex = Variable("sex", tuple(Category(c, label, frozenset([label])) for c, label in (("1", "male"), ("2", "female"))), "Sex")
    car = Variable("car", tuple(Category(c, label, frozenset([label])) for c, label in (("1", "car"), ("2", "no car"))), "Car")
    nssec = Variable("nssec", tuple(Category(c, label, frozenset([label])) for c, label in classes.items()), "NSSEC8")
    adults = Universe("people aged 16 to 74", members={"age": age_atoms(16, 74)})
    folder = data_folder / "classic" / "cakemap"
    survey = read.survey(
        folder / "ind.csv", name="cakemap", variables={v.name: v for v in (age, sex, car, nssec)}, universe=adults, licence="open"
    )
    joint = {f"{s[0]}{a.replace('-', '_')}": [s, a] for s in ("male", "female") for a in ages}
    wide = {
        "age_by_sex": ((sex, age), joint),
        "car": ((car,), {"Car": "car", "NoCar": "no car"}),
        "nssec": ((nssec,), {v: v for v in classes.values()}),
    }
    tables = {
        name: read.table(folder / "cons.csv", name=name, zone="#", variables=list(variables), columns=columns, universe=adults)
        for name, (variables, columns) in wide.items()
    }
    zones = tables["car"].counts.index
    places = Geography(tables["car"].counts.iloc[:, :0].set_axis([], axis=1))
    aligned = harmonise(survey, tables, places, constraints=["age x sex", "car", "nssec"])
    clashes = [f for f in aligned.findings if f.code == "structural-clash"]
    assert [f.count for f in clashes] == [3]
    assert set(clashes[0].rows.zone) == set(zones[[6, 81, 83]])
    worst = clashes[0].rows.iloc[0]
    assert worst.zone == zones[83]
    assert worst.people == 7354
    assert worst.cause.startswith(
        "nssec Other is wanted by 17,381 people, but all its records have age x sex 45-54 x male, 55-64 x male"
    )
    problem = formulate(aligned)
    assert (problem.n_zones, problem.n_cells) == (124, 24)
    assert {"thin-donors", "few-records"} <= codes(aligned.findings, "warning")
