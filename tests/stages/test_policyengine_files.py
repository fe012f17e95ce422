"""PolicyEngine UK datasets as surveys: every input kept, labels as the census has them, nothing in a file run."""

import os
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.hdf5 import read_hdf5_tables
from synthpop_gb.read import is_policyengine_file, policyengine
from synthpop_gb.spec.model import Study

h5py = pytest.importorskip("h5py", reason="the extra `policy` is not installed: no HDF5 file can be read")
pytestmark = pytest.mark.filterwarnings("ignore:object name is not a valid Python", "ignore:The default value of 'track_times'")
pytest.importorskip("tables", reason="the extra `policy` is not installed: pandas cannot write HDF5 files")


def frames(n=6):
    """Households of two: a couple each, in benefit units of their own every third."""
    home = np.repeat(np.arange(n), 2)
    unit = np.where(home % 3 == 2, np.arange(2 * n), 2 * home)
    person = pd.DataFrame({
        "person_id": np.arange(2 * n) + 100, "person_benunit_id": unit, "person_household_id": home + 1,
        "age": np.arange(2 * n, dtype=float) * 7 % 90, "gender": ["MALE", "FEMALE"] * n,
        "employment_status": ["FT_EMPLOYED", "CHILD", "CARER", "STUDENT"] * (n // 2),
        "employment_income": np.arange(2 * n) * 1000.5,
        "is_disabled_for_benefits": [False, True] * n,
    })  # fmt: skip
    benunit = pd.DataFrame({"benunit_id": np.unique(unit), "would_claim_uc": True, "benunit_rent": 7.0})
    household = pd.DataFrame({
        "household_id": np.arange(n) + 1, "household_weight": np.linspace(0.5, 2.0, n),
        "region": ["YORKSHIRE", "SCOTLAND", "LONDON"] * (n // 3),
        "tenure_type": ["OWNED_OUTRIGHT", "RENT_FROM_COUNCIL"] * (n // 2),
        "num_vehicles": np.arange(n) % 3, "council_tax": np.arange(n) * 100.0, "council_tax_band": np.resize(list("ABCDEF"), n),
    })  # fmt: skip
    return {"person": person, "benunit": benunit, "household": household}


def write(path, tables=None, years=(2024,), **options):
    """Write as `UKSingleYearDataset.save()` does, and of several years as `UKMultiYearDataset.save()`."""
    with pd.HDFStore(path, "w") as file:
        for year in years:
            below = "" if len(years) == 1 else f"/{year}"
            for name, frame in (frames() if tables is None else tables).items():
                file.put(f"{name}{below}", frame, format="table", **{"data_columns": True, **options})
            file.put(f"time_period{below}", pd.Series([str(year)] if not below else [year]), format="table", data_columns=True)
    return path


def test_every_column_is_kept_and_common_ones_are_understood(tmp_path):
    survey = policyengine(write(tmp_path / "frs.h5"))
    assert survey.name == "frs"
    assert survey.year == 2024
    assert survey.licence == "restricted"
    assert (survey.household, survey.weight, survey.household_weight) == ("person_household_id", *["household_weight"] * 2)
    made, records = frames(), survey.records
    assert records.index.tolist() == made["person"]["person_id"].tolist()
    kept = {c for f in made.values() for c in f} - {"person_id", "benunit_id", "household_id"}
    assert kept | {"household_size"} == set(records.columns)
    assert records["would_claim_uc"].dtype == bool
    assert records["council_tax"].tolist() == np.repeat(made["household"]["council_tax"], 2).tolist()
    assert records["age"].dtype.kind == "i"
    labels = {n: {c.code: c.label for c in v.categories} for n, v in survey.variables.items()}
    assert labels["sex"] == {"MALE": "male", "FEMALE": "female"}
    assert labels["tenure"]["RENT_FROM_COUNCIL"] == "council"
    assert labels["region"]["YORKSHIRE"] == "Yorkshire and The Humber"
    assert labels["cars"]["2"] == "2 cars"
    assert labels["household_size"] == {"2": "2 people"}
    work = {c.code: c.atoms for c in survey.variables["economic_activity"].categories}
    assert work["FT_SELF_EMPLOYED"] == {"employer, full-time", "own account, full-time"}
    assert not work["CHILD"]
    assert labels["council_tax_band"]["A"] == "A"
    assert survey.source.path.endswith("frs.h5")
    assert survey.findings == ()


def test_a_dataset_in_memory_is_a_survey_too():
    made = frames()
    survey = policyengine(SimpleNamespace(**made, time_period="2025"), name="mine", licence="open")
    assert (survey.name, survey.year, survey.licence, survey.source) == ("mine", 2025, "open", None)
    assert "person_id" in made["person"], "what was given is left as it was"
    several = SimpleNamespace(datasets={2024: SimpleNamespace(**made), 2025: SimpleNamespace(**made)})
    survey = policyengine(several, year=2025)
    assert survey.year == 2025
    assert survey.findings == ()
    assert [f.code for f in policyengine(several).findings] == ["several-years"]
    with pytest.raises(TypeError, match="a path or a PolicyEngine UK dataset"):
        policyengine(3)


def test_of_several_years_one_is_read(tmp_path):
    path = write(tmp_path / "x.h5", years=(2024, 2026))
    assert policyengine(path, year=2026).year == 2026
    first = policyengine(path)
    assert first.year == 2024
    assert [f.code for f in first.findings] == ["several-years"]
    with pytest.raises(InputError, match="has no year 2025: 2024, 2026"):
        policyengine(path, year=2025)


def test_without_weights_every_household_counts_alike(tmp_path):
    tables = frames()
    tables["household"] = tables["household"].drop(columns="household_weight")
    survey = policyengine(write(tmp_path / "x.h5", tables))
    assert survey.weight is None
    assert [f.code for f in survey.findings] == ["no-weight"]


def broken(entity, change):
    tables = frames()
    tables[entity] = change(tables[entity])
    return tables


@pytest.mark.parametrize(
    ("tables", "codes"),
    [
        (broken("person", lambda f: f.drop(columns=["age", "gender"])), ["missing-column"] * 2),
        (broken("household", lambda f: f.rename(columns={"household_id": "id"})), ["missing-column"]),
        (broken("household", lambda f: f.assign(household_weight="x")), ["missing-weight"]),
        (broken("household", lambda f: pd.concat([f, f.iloc[:1]])), ["duplicate-household"]),
        (broken("household", lambda f: f.iloc[1:]), ["unmatched-household"]),
        (broken("benunit", lambda f: f.iloc[1:]), ["unmatched-household"]),
        (broken("person", lambda f: f.assign(person_id=1)), ["duplicate-record"]),
        ({"person": frames()["person"]}, ["unknown-layout"]),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path, tables, codes):
    with pytest.raises(InputError) as error:
        policyengine(write(tmp_path / "x.h5", tables))
    assert [f.code for f in error.value.findings if f.level == "error"] == codes


def test_files_that_are_no_datasets_are_refused(tmp_path):
    with pytest.raises(InputError, match="missing-file"):
        policyengine(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("person_id,age\n1,2\n")
    with pytest.raises(InputError, match="unreadable-file"):
        policyengine(tmp_path / "text.h5")
    plain = {"person": frames()["person"].select_dtypes("number")}
    write(tmp_path / "blocks.h5", plain, data_columns=None)
    with pytest.raises(InputError, match="stored in blocks") as error:
        policyengine(tmp_path / "blocks.h5")
    assert [f.code for f in error.value.findings] == ["unknown-layout"]
    write(tmp_path / "other.h5")
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["person"] = h5py.ExternalLink("other.h5", "/person")
    with pytest.raises(InputError, match="is a link"):
        policyengine(tmp_path / "link.h5")


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_in_a_file_is_run(tmp_path):
    path, trace = write(tmp_path / "bomb.h5"), tmp_path / "exploded"
    with h5py.File(path, "a") as file:
        for where in ("person", "person/table"):
            for name in list(file[where].attrs):
                if name not in ("pandas_type", "CLASS", "VERSION", "TITLE"):
                    file[where].attrs[name] = np.bytes_(pickle.dumps(Bomb(trace), 0))
    assert len(policyengine(path).records) == 12
    assert not trace.exists()


def test_tables_of_every_kind_of_column(tmp_path):
    made = pd.DataFrame({
        "whole": [1, 2, 3], "small": np.array([1, 2, 3], np.int16), "half": np.array([0.5, 1.5, 2.5], np.float32),
        "yes": [True, False, True], "word": ["é", "b", ""], "kind": pd.Categorical(["x", "y", "x"]), "two words": [1, 2, 3],
    })  # fmt: skip
    with pd.HDFStore(tmp_path / "x.h5", "w") as file:
        file.put("a/b", made, format="table", data_columns=True)
    found = read_hdf5_tables(tmp_path / "x.h5")["a/b"]
    for column in made:
        assert found[column].tolist() == made[column].tolist()
    assert found["yes"].dtype == bool
    assert found["half"].dtype == np.float32


@pytest.mark.parametrize("way", ["link", "external", "lost"])
def test_categories_are_read_from_the_file_itself(tmp_path, way):
    path = tmp_path / "x.h5"
    with pd.HDFStore(path, "w") as file:
        file.put("a", pd.DataFrame({"kind": pd.Categorical(["x", "y", "x"])}), format="table", data_columns=True)
    (tmp_path / "secret.bin").write_bytes(b"secret..........secret.........." * 4)
    with h5py.File(path, "a") as file:
        meta = file["a/meta/kind/meta"]
        kind = meta["table"].dtype
        del meta["table"]
        if way == "external":
            meta.create_dataset("table", (2,), kind, external=[(str(tmp_path / "secret.bin"), 0, 2 * kind.itemsize)])
        elif way == "link":
            with h5py.File(tmp_path / "other.h5", "w") as other:
                other["table"] = np.zeros(2, kind)
            meta["table"] = h5py.ExternalLink("other.h5", "/table")
    with pytest.raises(InputError, match="the categories of kind are not in it"):
        read_hdf5_tables(path)


def test_a_study_names_it_as_its_survey(tmp_path):
    assert is_policyengine_file("x.H5")
    assert not is_policyengine_file("x.csv")
    study = {"name": "x", "constraints": ["age"], "survey": {"path": "frs.h5"}, "tables": ["age.csv"]}
    made = Study.model_validate(study)
    assert made.survey.of_policyengine
    assert made.method.name == "balance"
    assert Study.model_validate({**study, "survey": {"path": "frs", "format": "policyengine"}}).method.name == "balance"
    assert Study.model_validate({**study, "survey": {"path": "frs.h5", "format": "tidy"}}).method.name == "ipf"
    with pytest.raises(ValueError, match="knows its ids"):
        Study.model_validate({**study, "survey": {"path": "frs.h5", "household": "hid"}})


def test_a_population_is_made_of_it(tmp_path):
    """The whole way: zones' households are copies of the dataset's, with every input of it."""
    rng = np.random.default_rng(3)
    tables = frames(60)
    tables["household"]["tenure_type"] = rng.choice(["OWNED_OUTRIGHT", "RENT_PRIVATELY"], 60)
    tables["household"]["council_tax_band"] = "B"
    write(tmp_path / "frs.h5", tables)
    text = pd.DataFrame({"zone": ["E01000001", "E01000002"], "Owned outright": [30, 10], "Private rented": [10, 30]})
    text.to_csv(tmp_path / "tenure.csv", index=False)
    (tmp_path / "study.toml").write_text(
        'name = "from-policyengine"\nconstraints = ["tenure"]\n[survey]\npath = "frs.h5"\nyear = 2024\nlicence = "open"\n'
        '[[tables]]\npath = "tenure.csv"\nvariables = ["tenure"]\nuniverse = "households"\nzone = "zone"\n',
        encoding="utf-8",
    )
    result = sp.run(tmp_path / "study.toml", output=tmp_path / "out")
    population = sp.load(result.folder)
    assert population.status["households"].tolist() == [40, 40]
    assert population.people == 160
