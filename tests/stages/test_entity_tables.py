"""Entity tables: what other models read is the population, link by link and pound by pound."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.export.entity_tables import _write, euromod, openfisca, simpaths
from synthpop_gb.population import with_members
from tests.policy.demo_run import population
from tests.stages.household_study import world

WRITERS = {"openfisca": openfisca, "euromod": euromod, "simpaths": simpaths}
MAIN = {
    "openfisca": ("persons.csv", ","),
    "euromod": ("UK_2021_synthpop.txt", "\t"),
    "simpaths": ("population_initial_UK_2021.csv", ","),
}
SIMPATHS = """
idHh idBu demRgn yDispMonth yHhQuintilesMonthC5 wealthPrptyFlag wealthTotValue wealthPensValue wealthPrptyValue
wealthMortgageDebtValue idPers wgtHhCross idFather idMother demAge eduHighestC3 eduHighestMotherC3 eduHighestFatherC3 eduSpellFlag
eduReturnFlag demEthnC4 demEthnC6 healthSelfRated healthMentalMcs healthPhysicalPcs healthMentalPartnerMcs
healthPhysicalPartnerPcs
healthWbScore0to36 healthPsyDstrss0to12 demLifeSatScore0to10 yFinDstrssFlag demPartnerNYear demAgePartnerDiff demNChild0to2
demNChild yNonBenPersGrossMonth yMiscPersGrossMonth yCapitalPersMonth yPensPersGrossMonth yEmpPersGrossMonth
yPersAndPartnerGrossDiffMonth healthDsblLongtermFlag eduExitSampleFlag statInterviewYear statCollectionWave demMaleFlag labC4
labHrsWorkWeek labHrsWorkWeekL1 demAdultChildFlag labWageHrly labWageHrlyL1 careNeedFlag careHrsFormal careFormalX careHrsInformal
careHrsProvidedWeek yBenReceivedFlag yBenUCReceivedFlag yBenNonUCReceivedFlag
"""
"""Columns without which SimPaths refuses an initial population (2026)."""


def codes(error):
    return [f.code for f in error.value.findings]


@pytest.fixture(scope="module")
def homes():
    """Aligned inputs and population of the demo county, whose survey is of 2021."""
    aligned, made = population()
    return made, aligned


@pytest.fixture(scope="module")
def written(homes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    return {name: write(*homes, folder / name, year=2021) for name, write in WRITERS.items()}


def read(folder, name, file=None):
    file, sep = (MAIN[name][0], MAIN[name][1]) if file is None else (file, ",")
    return pd.read_csv(folder / file, sep=sep)


def donors_people(made, aligned):
    """(n_records,) copies of each record, counted by the population alone."""
    placed = made.households()
    people = with_members(placed, aligned.households.member_start, aligned.households.member)
    return np.bincount(people.record, people.n, len(aligned.records))


@pytest.mark.parametrize("name", WRITERS)
def test_there_are_the_people_of_the_population_zone_by_zone(name, homes, written):
    made, _ = homes
    people, households = read(written[name], name), read(written[name], name, "households.csv")
    key = households.columns[0]
    assert len(people) == made.people
    zone = households.set_index(key)["zone"]
    by_zone = zone.loc[people[{"openfisca": "household_id", "euromod": "idhh", "simpaths": "idHh"}[name]]].value_counts()
    assert by_zone.reindex(made.zones).tolist() == made.status["people"].tolist()
    assert set(households["district"]) <= set(homes[1].geography.zones["district"])


def test_openfisca_takes_ids_roles_and_links(homes, written):
    made, aligned = homes
    people, units, households = (read(written["openfisca"], "", f"{n}.csv") for n in ("persons", "benunits", "households"))
    assert people["person_id"].tolist() == list(range(len(people)))
    assert households["household_id"].tolist() == list(range(len(households)))
    assert units["benunit_id"].tolist() == list(range(len(units)))
    assert set(people["benunit_id"]) == set(units["benunit_id"])
    assert (units.set_index("benunit_id")["household_id"].loc[people["benunit_id"]].to_numpy() == people["household_id"]).all()
    assert (people[people["household_role_index"] == 0].groupby("household_id").size() == 1).all()
    assert people["household_role"].isin(["reference", "partner", "child", "other"]).all()
    couples = people[people["partner_id"] >= 0].set_index("person_id")
    assert (couples["partner_id"].loc[couples["partner_id"]].to_numpy() == couples.index).all()
    assert units["is_couple"].sum() * 2 == len(couples)
    copies = donors_people(made, aligned)
    income = aligned.frame()["income"].to_numpy()
    kinds = people[["employment_income", "self_employment_income", "pension_income", "other_income"]].sum().sum()
    assert kinds == pytest.approx((copies * income).sum())
    assert people["donor"].value_counts().reindex(aligned.records, fill_value=0).tolist() == copies.tolist()


def test_one_row_a_donor_and_zone_weighs_its_copies(homes, tmp_path):
    made, aligned = homes
    folder = openfisca(*homes, tmp_path / "w", weighted=True)
    people, households = pd.read_csv(folder / "persons.csv"), pd.read_csv(folder / "households.csv")
    placed = made.households()
    assert len(households) == len(placed.n)
    assert households["household_weight"].sum() == placed.n.sum()
    assert people["person_weight"].sum() == made.people
    assert np.bincount(aligned.records.get_indexer(people["donor"]), people["person_weight"], len(aligned.records)).tolist() == (
        donors_people(made, aligned).tolist()
    )


def test_euromod_has_its_numbers_and_nothing_else(homes, written):
    people = read(written["euromod"], "euromod")
    header = (written["euromod"] / MAIN["euromod"][0]).read_text().splitlines()[0]
    assert header.split("\t")[:6] == ["idhh", "idperson", "idpartner", "idmother", "idfather", "dwt"]
    assert all(pd.api.types.is_numeric_dtype(people[c]) for c in people)
    assert people["idperson"].is_unique
    assert (people["idperson"] // 100 == people["idhh"]).all()
    assert people["idhh"].min() == 1
    child = people[people["dag"] < 16]
    assert ((child["idmother"] > 0) | (child["idfather"] > 0)).mean() > 0.95
    women = people.set_index("idperson")["dgn"]
    mothers, fathers = child["idmother"][child["idmother"] > 0], child["idfather"][child["idfather"] > 0]
    assert women.loc[mothers].mean() < 0.05
    assert women.loc[fathers].mean() > 0.95
    work = homes[1].frame()["income"][homes[1].frame()["economic_activity"] == "employee"]
    assert people["yem"].max() <= work.max() / 12
    assert people.loc[people["yse"] > 0, "les"].eq(2).all()


def test_simpaths_has_every_column_and_no_orphans(written):
    people = read(written["simpaths"], "simpaths")
    assert set(SIMPATHS.split()) <= set(people.columns)
    assert not people.isna().any(axis=None)
    young = people[people["demAge"] < 18]
    assert ((young["idMother"] > 0) | (young["idFather"] > 0)).all()
    assert (people.groupby("idBu")["demAge"].max() >= 18).all()
    sex = people.set_index("idPers")["demMaleFlag"]
    partner = people.set_index("idPers")["idPartner"]
    couples = partner[partner > 0]
    assert (sex.loc[couples.index].to_numpy() != sex.loc[couples].to_numpy()).all()
    same_unit = people.set_index("idPers")["idBu"]
    assert (same_unit.loc[couples.index].to_numpy() == same_unit.loc[couples].to_numpy()).all()


def test_columns_say_what_they_mean_and_where_they_are_from(written):
    for name, folder in written.items():
        told = pd.read_csv(folder / "columns.csv")
        for file, rows in told.groupby("file"):
            sep = "\t" if file.endswith(".txt") else ","
            assert rows["column"].tolist() == pd.read_csv(folder / file, sep=sep, nrows=1).columns.tolist()
        assert told["meaning"].str.len().min() > 3, name
        assert told["source"].str.match(r"made|default|survey: ").all()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_only_some_zones(name, weighted, homes, tmp_path):
    made, _ = homes
    zones = made.zones[[7, 2]].tolist()
    folder = WRITERS[name](*homes, tmp_path / "some", zones=zones, weighted=weighted, year=2021)
    households = pd.read_csv(folder / "households.csv")
    assert set(households["zone"]) == set(zones)
    assert households.iloc[:, 1].sum() == made.households(zones).n.sum()
    with pytest.raises(InputError) as error:
        WRITERS[name](*homes, tmp_path / "none", zones=["nowhere"])
    assert codes(error) == ["study-reference"]


def half_a_couple(frame, column, nobody):
    """The same table where one person has a partner who has none."""
    first = frame.index[frame[column] != nobody][0]
    return frame.assign(**{column: frame[column].where(frame.index != first, nobody)})


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("openfisca", lambda f: f.assign(age=f["age"].where(f.index > 0, f["age"] + 1)), "age in persons.csv adds up to"),
        ("openfisca", lambda f: f.iloc[:-1], "people, not the"),
        ("openfisca", lambda f: half_a_couple(f, "partner_id", -1), "wrong partner"),
        ("openfisca", lambda f: f.assign(mother_id=f["person_id"]), "wrong parent"),
        ("openfisca", lambda f: f.assign(benunit_id=0), "wrong unit"),
        ("openfisca", lambda f: f.assign(person_id=0), "wrong person"),
        ("euromod", lambda f: f.assign(yem=f["yem"] * 1.001), "yem in UK_2021_synthpop.txt adds up to"),
        ("euromod", lambda f: half_a_couple(f, "idpartner", 0), "wrong partner"),
        ("euromod", lambda f: f.assign(idhh=f["idhh"] + 1, idperson=f["idperson"] + 100), "wrong household"),
        ("simpaths", lambda f: f.assign(idPers=f["idPers"][::-1].to_numpy()), "wrong person"),
    ],
)
def test_a_file_that_differs_is_not_left(name, change, told, homes, tmp_path, monkeypatch):
    """Something goes wrong between writing and reading back."""
    check, (file, sep) = _write.check_tables, MAIN[name]

    def spoilt(folder, *args):
        change(pd.read_csv(folder / file, sep=sep)).to_csv(folder / file, sep=sep, index=False)
        return check(folder, *args)

    monkeypatch.setattr(_write, "check_tables", spoilt)
    with pytest.raises(InputError, match=told) as error:
        WRITERS[name](*homes, tmp_path / "x", year=2021)
    assert codes(error) == ["export-differs"]
    assert not any(tmp_path.iterdir())


def test_households_in_other_zones_are_noticed(homes, tmp_path, monkeypatch):
    check = _write.check_tables

    def moved(folder, *args):
        frame = pd.read_csv(folder / "households.csv")
        frame.assign(zone=frame["zone"][::-1].to_numpy()).to_csv(folder / "households.csv", index=False)
        return check(folder, *args)

    monkeypatch.setattr(_write, "check_tables", moved)
    with pytest.raises(InputError, match=r"people, not the .* meant, in 10 zones"):
        euromod(*homes, tmp_path / "x")


def test_a_folder_is_replaced_with_leave_and_others_never(homes, tmp_path):
    folder = openfisca(*homes, tmp_path / "x", zones=homes[0].zones[:1].tolist())
    with pytest.raises(InputError, match="exists already"):
        openfisca(*homes, folder)
    openfisca(*homes, folder, overwrite=True, weighted=True)
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="no folder of entity tables"):
        openfisca(*homes, other, overwrite=True)
    assert (other / "thesis.txt").read_text() == "precious"


def test_a_population_of_persons_is_refused(tmp_path):
    aligned, made = population("persons")
    with pytest.raises(InputError) as error:
        openfisca(made, aligned, tmp_path / "x")
    assert codes(error) == ["study-value"]


def test_answers_under_licence_leave_with_the_callers_word_only(tmp_path):
    aligned, made = population("guarded")
    with pytest.raises(InputError) as error:
        euromod(made, aligned, tmp_path / "x")
    assert codes(error) == ["licence"]
    asked = error.value.findings[0].remedy.split("--include ")[1].rstrip(".").split(",")
    assert {"age", "sex", "income"} <= set(asked)
    assert euromod(made, aligned, tmp_path / "x", include=asked).is_dir()


def test_links_that_cannot_be_are_refused(homes, tmp_path):
    made, aligned = homes
    words = {"partner": "reference", "reference": "reference", "child": "child", "other": "other"}
    with pytest.raises(InputError) as error:
        openfisca(made, aligned, tmp_path / "x", labels={"role": words})
    (found,) = error.value.findings
    assert found.code == "bad-links"
    assert "more than one reference" in found.message


def test_every_problem_is_told_at_once(homes, tmp_path):
    made, aligned = population("guarded")[1], population("guarded")[0]
    with pytest.raises(InputError) as error:
        openfisca(made, aligned, tmp_path / "x", zones=["nowhere"], labels={"role": {"partner": "reference"}})
    assert sorted(codes(error)) == ["bad-links", "licence", "study-reference"]
    with pytest.raises(InputError) as error:
        openfisca(*homes, tmp_path / "x", inputs={"income": "wages"})
    assert codes(error) == ["missing-column"]


def test_ids_are_replaced_and_nothing_tells_them(homes, tmp_path):
    made, aligned = homes
    folder = openfisca(*homes, tmp_path / "dropped", donors="drop")
    assert "donor" not in pd.read_csv(folder / "persons.csv", nrows=1)
    assert "donor_household" not in pd.read_csv(folder / "households.csv", nrows=1)
    labels = pd.Index(np.random.default_rng(1).permutation(len(aligned.records)) + 1)
    renamed = pd.read_csv(openfisca(*homes, tmp_path / "named", donors=labels) / "persons.csv")
    assert renamed["donor"].value_counts().reindex(labels, fill_value=0).tolist() == donors_people(made, aligned).tolist()


def test_regions_are_told_by_a_table(homes, tmp_path):
    districts = homes[1].geography.zones["district"].unique()
    table = pd.DataFrame({"region": ["Scotland", *["London"] * (len(districts) - 1)]}, index=pd.Index(districts, name="district"))
    notes = []
    folder = euromod(*homes, tmp_path / "x", places=table, year=2021, say=notes.append)
    people, households = read(folder, "euromod"), pd.read_csv(folder / "households.csv").set_index("idhh")
    expected = np.where(households["district"].loc[people["idhh"]] == districts[0], 12, 8)
    assert people["drgn1"].tolist() == expected.tolist()
    assert "region" not in {r["what"] for r in notes[0].rows.to_dict("records")}


def with_partners(aligned, change=None):
    """The same survey with a column of the partner's id, made from its roles; `change` spoils it."""
    frame = aligned.survey.records.copy()
    reference = frame[frame["role"] == "reference"].reset_index().set_index("household")["person"]
    partner = frame[frame["role"] == "partner"].reset_index().set_index("household")["person"]
    couple = frame["household"].isin(partner.index)
    frame["partner_id"] = pd.Series(index=frame.index, dtype="string")
    for role, other in (("reference", partner), ("partner", reference)):
        who = couple & (frame["role"] == role)
        frame.loc[who, "partner_id"] = other.reindex(frame.loc[who, "household"]).to_numpy()
    frame = frame if change is None else change(frame)
    return replace(aligned, survey=replace(aligned.survey, records=frame))


@pytest.mark.parametrize("name", WRITERS)
def test_a_survey_that_links_people_is_believed(name, homes, tmp_path, written):
    made, aligned = homes
    folder = WRITERS[name](made, with_partners(aligned), tmp_path / "x", year=2021)
    columns = {"openfisca": "partner_id", "euromod": "idpartner", "simpaths": "idPartner"}
    assert read(folder, name)[columns[name]].tolist() == read(written[name], name)[columns[name]].tolist()


def test_partners_who_are_not_each_others_are_refused(homes, tmp_path):
    made, aligned = homes

    def spoil(frame):
        other = frame[
            (frame["role"] == "other") & frame["household"].isin(frame["household"][frame["partner_id"].notna()])
        ].index[0]
        mate = frame.index[(frame["household"] == frame.loc[other, "household"]) & (frame["role"] == "reference")][0]
        return frame.assign(partner_id=frame["partner_id"].where(frame.index != other, mate))

    with pytest.raises(InputError, match="a partner who is somebody else's in 1") as error:
        openfisca(made, with_partners(aligned, spoil), tmp_path / "x")
    assert codes(error) == ["bad-links"]


def test_residents_of_communal_establishments_are_left_out_and_said(tmp_path):
    study, notes = world(), []
    folder = openfisca(study.population, study.aligned, tmp_path / "x", say=notes.append, inputs={"age": 40.0})
    alone = study.aligned.households.communal
    placed = study.population.households()
    (left,) = [n for n in notes if n.code == "export-left-out"]
    assert left.count == placed.n[alone[placed.record]].sum() > 0
    assert len(pd.read_csv(folder / "persons.csv")) == study.population.people - left.count


def test_labels_that_a_spreadsheet_would_run_are_guarded(homes, tmp_path):
    made, aligned = homes
    zones = aligned.geography.zones
    wild = replace(aligned.geography, zones=zones.assign(district="=cmd|' /C calc'!A0"))
    records = aligned.survey.records.assign(**{"=1+1": 2.5, "said": '@SUM(1), "quoted"'})
    survey = replace(aligned.survey, records=records)
    folder = openfisca(made, replace(aligned, geography=wild, survey=survey), tmp_path / "x", include=["=1+1", "said"])
    assert pd.read_csv(folder / "households.csv")["district"].str.startswith("'=").all()
    people = pd.read_csv(folder / "persons.csv")
    assert people["'=1+1"].eq(2.5).all()
    assert people["said"].eq('\'@SUM(1), "quoted"').all()
