"""What leaves a population of whole households: people household by household, households beside them, nobody split."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError
from synthpop_gb.export import _rows, households, people, pointers
from synthpop_gb.export.people import MemberRows
from synthpop_gb.export.release import donor_labels
from synthpop_gb.population import DonorCounts
from synthpop_gb.release import release_rule
from synthpop_gb.validation import validate
from synthpop_gb.validation.comparisons import pairs
from synthpop_gb.validation.verdicts.of_households import household_verdict
from synthpop_gb.validation.whole_households import households_differ
from tests.stages.household_study import world


def read(path):
    if path.is_dir() or path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype={"communal": bool, "mother": "Int64", "place": "Int64"})


@pytest.fixture(params=["people.parquet", "people.csv", "people.csv.gz", "people"])
def written(request, tmp_path, monkeypatch):
    """People and households of a small world, written a few rows at a time."""
    made = world()
    for module in (_rows, *(__import__("sys").modules[f"synthpop_gb.export.{m}"] for m in ("_person_rows", "_household_rows"))):
        monkeypatch.setattr(module, "CHUNK", 37)
    names = ["age", "sex", "tenure", "partner", "mother"]
    folk = people(made.population, made.aligned, tmp_path / request.param, include=names)
    homes = households(made.population, made.aligned, tmp_path / request.param.replace("people", "homes"))
    folk, homes = read(folk), read(homes)
    return made, folk.astype({"zone": str, "lad": str}), homes.astype({"zone": str})


def test_nobody_is_split(written):
    made, folk, _ = written
    at_home = folk[~folk["communal"]]
    sizes = at_home.groupby("household")["place"].agg(["min", "max", "count"])
    assert (sizes["min"] == 1).all()
    assert (sizes["max"] == sizes["count"]).all()
    members = at_home.groupby("household", sort=False)["donor"].agg(list)
    donors = at_home.groupby("household", sort=False)["donor_household"].agg(["nunique", "first"])
    assert (donors["nunique"] == 1).all()
    of_survey = made.frame[~made.frame["communal"]].reset_index().groupby("household")["person"].agg(list)
    assert members.tolist() == of_survey.loc[donors["first"]].tolist()
    assert folk["person"].is_unique
    assert len(folk) == made.population.people


def test_rows_of_a_household_follow_one_another_in_order(written):
    _, folk, _ = written
    home = folk["household"].fillna("")
    runs = (home != home.shift()).cumsum()[home != ""]
    assert runs.groupby(home[home != ""]).nunique().max() == 1
    numbers = folk["person"].str.rsplit("-", n=1).str[1].astype(int)
    assert (numbers.groupby(folk["zone"]).agg(list).map(lambda n: n == list(range(1, len(n) + 1)))).all()
    first = folk[folk["place"] == 1]
    order = first["household"].str.rsplit("-H", n=1).str[1].astype(int)
    assert (order.groupby(first["zone"]).agg(list).map(lambda n: n == list(range(1, len(n) + 1)))).all()
    assert (first["household"].str.rsplit("-H", n=1).str[0] == first["zone"]).all()


def test_a_partner_is_the_partner_within_the_copy(written):
    made, folk, _ = written
    by_person = folk.set_index("person")
    told = folk[folk["partner"].notna()]
    partner = by_person.loc[told["partner"]]
    assert len(told)
    assert partner["household"].tolist() == told["household"].tolist()
    assert partner["partner"].tolist() == told["person"].tolist()
    assert partner["donor"].tolist() == made.frame.loc[told["donor"], "partner"].tolist()
    assert (folk["partner"].isna() == made.frame.loc[folk["donor"], "partner"].isna().to_numpy()).all()


def test_numbers_of_members_stay_right_since_places_do(written):
    made, folk, _ = written
    assert folk["mother"].fillna(0).tolist() == made.frame.loc[folk["donor"], "mother"].fillna(0).tolist()
    by_place = folk.set_index(["household", "place"])["age"]
    mothers = folk[folk["mother"].notna()]
    assert set(by_place.loc[list(zip(mothers["household"], mothers["mother"], strict=True))]) <= {"adult", "old"}


def test_communal_residents_live_in_no_household(written):
    made, folk, homes = written
    alone = folk[folk["communal"]]
    assert len(alone) == made.population.people - int((homes["size"]).sum())
    assert alone["household"].isna().all()
    assert alone["place"].isna().all()
    assert alone["partner"].isna().all()


def test_households_have_their_own_table(written):
    made, folk, homes = written
    assert list(homes.columns.drop("lad")) == ["household", "zone", "donor_household", "size", "tenure", "household_size"]
    assert len(homes) == int(made.population.status["households"].sum())
    counted = folk[~folk["communal"]].groupby("household").agg(size=("place", "count"), tenure=("tenure", "first"))
    mine = homes.set_index("household")
    assert counted["size"].to_dict() == mine["size"].to_dict()
    assert counted["tenure"].astype(str).to_dict() == mine["tenure"].astype(str).to_dict()
    for table in made.aligned.constraints[:2]:
        found = pd.crosstab(homes["zone"], homes[table.name].astype(str))
        assert found[list(table.targets.columns.get_level_values(0))].to_numpy().tolist() == table.targets.to_numpy().tolist()


def test_an_open_survey_brings_variables_and_pointers_and_another_none(tmp_path):
    made, shut = world(), world(licence="restricted")
    own = ["person", "household", "place", "zone", "lad", "donor", "donor_household", "communal"]
    folk = pd.read_parquet(people(made.population, made.aligned, tmp_path / "a.parquet"))
    assert list(folk) == [*own, "partner", "age", "sex", "tenure", "household_size"]
    assert list(pd.read_parquet(people(shut.population, shut.aligned, tmp_path / "b.parquet"))) == own
    homes = pd.read_parquet(households(shut.population, shut.aligned, tmp_path / "c.parquet"))
    assert list(homes) == ["household", "zone", "lad", "donor_household", "size"]


@pytest.mark.parametrize("profile", ["drop", "relabel"])
def test_ids_leave_as_the_rule_says(tmp_path, profile):
    made = world()
    rule = release_rule({"profile": "open", "donor_ids": profile})
    donors = donor_labels(made.aligned.records, rule, seed=1)
    homes = donor_labels(made.aligned.households.ids, rule, seed=1)
    given = {"donors": "drop" if donors is None else donors, "donor_households": "drop" if homes is None else homes}
    folk = pd.read_parquet(people(made.population, made.aligned, tmp_path / "p.parquet", **given))
    told = pd.read_parquet(households(made.population, made.aligned, tmp_path / "h.parquet", **given))
    assert ("donor" in folk, "donor_household" in folk, "donor_household" in told) == (profile == "relabel",) * 3
    counted = folk[~folk["communal"]].groupby("household")["place"].count()
    assert counted.to_dict() == told.set_index("household")["size"].to_dict()
    kept = pd.read_parquet(people(made.population, made.aligned, tmp_path / "k.parquet"))
    same = ["zone", "age", "sex", "tenure", "household_size"]
    assert folk.astype(str).groupby(same).size().to_dict() == kept.astype(str).groupby(same).size().to_dict()
    if profile == "drop":  # the order tells nothing that the rows do not
        other = replace(made.aligned, records=made.aligned.records)
        again = pd.read_parquet(people(made.population, other, tmp_path / "q.parquet", **given))
        pd.testing.assert_frame_equal(folk, again)


def test_ids_of_households_go_with_those_of_records(tmp_path):
    made = world()
    folk = pd.read_parquet(people(made.population, made.aligned, tmp_path / "p.parquet", donors="drop"))
    assert "donor_household" not in folk


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("harm", ["swapped", "merged", "lost"])
def test_a_split_household_is_noticed(tmp_path, monkeypatch, kind, harm):
    made, write = world(), MemberRows.tables

    def harmed(self, block):
        for table in write(self, block):
            frame = table.to_pandas()
            where = np.flatnonzero(frame["place"] == 2)[0]
            if harm == "swapped":  # two neighbours change places, nobody is lost
                order = np.arange(len(frame))
                order[[where - 1, where]] = order[[where, where - 1]]
                frame = frame.iloc[order]
            elif harm == "merged":
                frame.loc[where + 1 :, "household"] = frame["household"].shift(1).loc[where + 1 :]
            else:
                frame = frame.drop(index=where)
            yield __import__("pyarrow").Table.from_pandas(frame, schema=table.schema, preserve_index=False)

    monkeypatch.setattr(MemberRows, "tables", harmed)
    with pytest.raises(OSError, match="was not written"):
        people(made.population, made.aligned, tmp_path / f"p.{kind}")
    assert list(tmp_path.iterdir()) == []


def test_columns_that_point_are_found_whatever_the_ids_are():
    made = world()
    places = pointers(made.aligned)
    assert list(places) == ["partner"]
    frame = made.frame
    to = frame["partner"].notna().to_numpy()
    at = frame.index.get_indexer(frame["partner"][to])
    assert places["partner"][to].tolist() == made.homes.place[at].tolist()
    assert (places["partner"][~to] == 0).all()
    numbers = pd.Index(range(101, 101 + len(frame)), name="person")
    number = dict(zip(frame.index, numbers, strict=True))
    other = frame.set_axis(numbers).assign(
        partner=frame["partner"].map(number).fillna(-1).astype(int).to_numpy(),
        head=np.repeat(numbers[made.homes.reference], made.homes.size), stranger=numbers[::-1].to_numpy(), mine=numbers,
    )  # fmt: skip
    aligned = replace(made.aligned, survey=replace(made.aligned.survey, records=other), records=numbers)
    found = pointers(aligned)
    assert list(found) == ["partner", "head"]
    assert found["partner"].tolist() == places["partner"].tolist()
    assert (found["head"] == 1).all()


def test_what_members_differ_in_is_no_column_of_households(tmp_path):
    made = world()
    with pytest.raises(InputError) as error:
        households(made.population, made.aligned, tmp_path / "h.parquet", include=["tenure", "sex"])
    assert error.value.findings[0].code == "study-value"
    frame = pd.read_parquet(households(made.population, made.aligned, tmp_path / "h.parquet", include=["income"]))
    assert frame["income"].tolist() == made.frame.groupby("household")["income"].first().loc[frame["donor_household"]].tolist()


def test_a_population_of_persons_has_no_households(tmp_path):
    from tests.stages.grid_world import solved

    aligned, population, _ = solved()
    with pytest.raises(ValueError, match="population is of persons"):
        households(population, aligned, tmp_path / "h.parquet")


# --- counted again


def test_people_who_are_not_those_of_their_households_are_found():
    made = world()
    assert households_differ(iter([made.population.households()]), made.population.blocks(2), made.aligned) == ()
    homes = made.population.households()
    n = np.array(homes.n)
    n[homes.indptr[1]] += 1  # the second zone has one household more
    wrong = DonorCounts(homes.zones, homes.indptr, homes.record, n)
    (found,) = households_differ([wrong], made.population.blocks(), made.aligned)
    assert found.code == "recount-differs"
    assert found.place == made.aligned.zones[1]
    (found,) = households_differ([homes.at(np.arange(1, len(homes.zones)))], made.population.blocks(), made.aligned)
    assert found.rows.to_dict("records") == [{"zone": made.aligned.zones[0], "lacking": "households"}]


def test_checks_tell_people_and_households_apart():
    made = world()
    checks = validate(made.population, made.aligned)
    tables = checks["table_fit"].set_index("table")
    assert tables["unit"].to_dict() == {"household_size": "households", "tenure": "households", "age": "people", "sex": "people"}
    assert (tables["tae"] == 0).all()
    homes = int(made.population.status["households"].sum())
    assert tables.loc["tenure", "observed"] == homes == checks.headline["households"]
    zones = checks["zones"]
    assert zones["people"].tolist() == zones["target_people"].tolist() == made.population.status["people"].tolist()
    assert zones["households"].tolist() == zones["target_households"].tolist() == made.population.status["households"].tolist()
    assert checks.findings == ()


def test_errors_are_in_what_their_table_counts():
    made = world()
    tenure = made.aligned.constraints[1]
    moved = tenure.targets + np.array([[3.0, -3.0]] + [[0.0, 0.0]] * (len(tenure.targets) - 1))
    wrong = replace(tenure, targets=moved, published=moved)
    aligned = replace(made.aligned, constraints=(made.aligned.constraints[0], wrong, *made.aligned.constraints[2:]))
    checks = validate(made.population, aligned)
    assert checks.headline["total absolute error in households"] == 6
    assert checks.headline["total absolute error in people"] == 0
    assert checks.headline["zones exact in people"] == len(aligned.zones) == checks.headline["zones exact in households"] + 1
    first = checks["zones"].iloc[0]
    assert (first["tae"], first["tae_households"], first["tae_people"], first["worst_table"]) == (6, 6, 0, "tenure")


def test_pairs_count_households_where_both_variables_are_theirs():
    made = world()
    population = replace(made.population, duals=np.zeros((made.problem.n_zones, made.problem.n_cells)))
    table = validate(population, made.aligned)["intersections"].set_index("pair")
    homes, people = int(made.population.status["households"].sum()), made.population.people
    communal = int(made.frame["communal"].to_numpy()[made.population.donors().record] @ made.population.donors().n)
    assert table.loc["household_size x tenure", "unit"] == "households"
    assert table.loc["tenure x age", "unit"] == table.loc["age x sex", "unit"] == "people"
    assert {"all pairs", "all pairs of households"} <= set(table.index)
    kept_back = (  # tenure by age, counted in people by the household that they live in
        pairs(made.aligned, ())[3]
    )
    assert kept_back.name == "tenure x age"
    donors = made.population.donors()
    inside = kept_back.record_cell[donors.record] >= 0
    assert int(donors.n[inside].sum()) == people - communal
    assert kept_back.kept == (False, False)
    size_by_tenure = pairs(made.aligned, ())[0]
    inside = size_by_tenure.record_cell[donors.record] >= 0
    assert int(donors.n[inside].sum()) == homes
    assert size_by_tenure.kept == (True, True)


@pytest.mark.parametrize(
    ("mix", "split", "wrong", "expected"),
    [
        (None, 0, 0.0, "care"),
        ({"zone_wrong": 5.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 0, 0.0, "fit"),
        ({"zone_wrong": 9.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 0, 0.0, "care"),
        ({"zone_wrong": 13.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 0, 0.0, "unfit"),
        ({"zone_wrong": 5.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 2, 0.0, "unfit"),
        ({"zone_wrong": 5.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 0, 6.0, "care"),
        ({"zone_wrong": 5.0, "zone_floor": 4.5, "zone_as_survey": 12.0}, 0, 60.0, "unfit"),
    ],
)
def test_the_verdict_on_households_follows_the_figures(mix, split, wrong, expected):
    tables = pd.DataFrame({"table": ["tenure"], "unit": ["households"], "people": [1000.0], "tae_above_floor": [wrong],
                           "zones": [10], "zones_exact": [10 if not wrong else 8]})  # fmt: skip
    held = {"table_fit": tables, "impossible_households": pd.DataFrame({"rule": ["split households"], "population": [split]})}
    if mix is not None:
        held["household_mix"] = pd.DataFrame([{"distribution": "size x composition", **mix}])
    said = household_verdict(Checks({}), Checks({"households": 1000}, held), 0.0005, 0.01, 1.25)
    assert said["verdict"] == expected
    assert said["meant"]
    assert "zones' tables of households exact" in said["figure"]


def test_persons_one_by_one_tell_nothing_of_households():
    people = pd.DataFrame({"people": [20.0], "unique": [1.0]})
    said = household_verdict(Checks({}, {"zone_uniqueness": people}), Checks({}), 0.0005, 0.01, 1.25)
    assert (said["verdict"], said["meant"]) == ("unfit", False)
    assert said["figure"] == "20 people placed one by one, 0 households"


def test_members_of_a_household_are_not_counted_as_different_people():
    made = world()
    zones = validate(made.population, made.aligned)["zones"].set_index("zone")
    homes, placed = made.aligned.households, made.population.households()
    placed = placed.without(homes.communal)
    for z, code in enumerate(placed.zones):
        n = placed.n[placed.indptr[z] : placed.indptr[z + 1]].astype(float)
        assert zones.loc[code, "different_households"] == len(n)
        assert zones.loc[code, "effective_households"] == pytest.approx(n.sum() ** 2 / (n**2).sum())
        assert zones.loc[code, "largest_household"] == pytest.approx(n.max() / n.sum())
    assert homes.communal.any()
    assert (zones["effective_households"] < zones["effective_donors"]).all()
