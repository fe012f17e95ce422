"""Households of real surveys: EU-SILC in one file (Austria), PopulationSim's example in two."""

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb import read
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Universe
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import examine

pytestmark = pytest.mark.data

SEX = {"male": "male", "female": "female"}
VARIABLES = {
    "household_size": read.variable("household_size", "hsize"),
    "age": read.variable("age", "age", {**{str(a): str(a) for a in range(100)}, "-1": "0"}),
    "sex": read.variable("sex", "rb090", SEX),
}


@pytest.fixture(scope="module")
def silc(data_folder):
    return read.survey(
        data_folder / "classic" / "simpop" / "eusilcS.parquet", household="db030", household_weight="db090", weight="rb050",
        variables=VARIABLES, universe="usual residents",
    )  # fmt: skip


def tables_of(truth, survey):
    """Tables by region of the true households and people."""
    regions = sorted(truth["region"].unique())
    homes = truth.drop_duplicates("hid")

    def table(name, frame, values, universe, categories):
        variable = read.variable(name, categories=categories)
        counts = pd.crosstab(frame["region"], values).reindex(regions)
        counts.columns = pd.MultiIndex.from_arrays([[str(c) for c in counts.columns]], names=[name])
        return BenchmarkTable(name, counts, (variable,), universe)

    bands = pd.cut(truth["age"].clip(lower=0), [0, 16, 45, 65, 200], right=False, labels=["0-15", "16-44", "45-64", "65+"])
    sizes = homes["hsize"].astype(str)
    everybody = Universe("usual residents")
    return {
        "household_size": table("household_size", homes, sizes, Universe("households", "household"), sorted(sizes.unique())),
        "age": table("age", truth, bands, everybody, ["0-15", "16-44", "45-64", "65+"]),
        "sex": table("sex", truth, truth["gender"].astype(str), everybody, SEX),
    }, Geography(pd.DataFrame(index=pd.Index(regions, name="zone")))


def test_eu_silc_is_a_survey_of_households(silc, data_folder):
    truth = pd.read_parquet(data_folder / "classic" / "simpop" / "eusilcP.parquet")
    truth["region"] = truth["region"].astype(str)
    tables, places = tables_of(truth, silc)
    aligned, findings = examine(silc, tables, places, constraints=["household_size", "age", "sex"])
    assert aligned is not None, [str(f) for f in findings]
    homes = aligned.households
    raw = silc.records
    assert len(homes.ids) == raw["db030"].nunique() == 4_641
    assert len(aligned.records) == len(raw) == 11_725
    assert homes.size.tolist() == raw.groupby("db030", sort=False)["hsize"].first().tolist()
    assert homes.weight.tolist() == raw.groupby("db030", sort=False)["db090"].first().tolist()
    assert not [
        f for f in findings if f.code in ("people-mismatch", "uneven-household", "incomplete-household", "lost-household")
    ]
    totals = {c.name: c.targets.to_numpy().sum() for c in aligned.constraints}
    assert totals["household_size"] == truth["hid"].nunique()
    assert totals["age"] == totals["sex"] == len(truth)


def test_its_sizes_can_be_counted(silc, data_folder):
    from dataclasses import replace

    truth = pd.read_parquet(data_folder / "classic" / "simpop" / "eusilcP.parquet")
    truth["region"] = truth["region"].astype(str)
    tables, places = tables_of(truth, silc)
    without = replace(silc, variables={n: v for n, v in silc.variables.items() if n != "household_size"})
    said, counted = (
        sp.harmonise(s, tables, places, constraints=["household_size", "age"]).constraints[0] for s in (silc, without)
    )
    assert said.cell_labels == counted.cell_labels
    assert np.array_equal(said.record_cell, counted.record_cell)


def test_populationsims_example_is_two_files(data_folder):
    folder = data_folder / "classic" / "populationsim" / "example_test"
    survey = read.survey(
        folder / "seed_persons.csv", household="SERIALNO", households=folder / "seed_households.csv", household_weight="WGTP",
        weight="WGTP",
        variables={"household_size": read.variable("household_size", "NP"), "htype": read.variable("htype", "HTYPE")},
    )  # fmt: skip
    assert len(survey.records) == 252, "a remark in the file is no record"
    assert [f.rows["of_household"].tolist() for f in survey.findings if f.code == "column-clash"] == [["household_WGTP"]]
    assert survey.household_weight == "household_WGTP"
    homes = pd.read_csv(folder / "seed_households.csv", comment="#").set_index("SERIALNO")
    assert survey.records["NP"].tolist() == homes["NP"].reindex(survey.records["SERIALNO"]).tolist()
    assert survey.records["HTYPE"].notna().all()
