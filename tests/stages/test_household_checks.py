"""Who lives with whom: distributions by hand, errors and floors against slow ones, households that cannot be."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from synthpop_gb import formulate
from synthpop_gb.validation.inside_households import household_checks
from synthpop_gb.validation.inside_households.check import placed_units
from synthpop_gb.validation.inside_households.compared import sampling_error
from synthpop_gb.validation.inside_households.distributions import describe
from synthpop_gb.validation.inside_households.impossible import broken_rules
from synthpop_gb.validation.inside_households.view import of_survey
from tests.stages.inside_world import SURVEY, WEIGHT, copies, people, world
from tests.stages.test_households import small_household_problem


def checked(aligned, rows, **truth):
    population = SimpleNamespace(problem=formulate(aligned))
    return household_checks(population, aligned, counts=[copies(aligned, rows)], **truth)


def shares(checks, name, column="population"):
    rows = checks["household_cells"].query("distribution == @name")
    return {k: round(v, 6) for k, v in zip(rows["cell"], rows[column], strict=True) if v}


def test_distributions_by_hand():
    made, missing = describe(of_survey(world()))
    counted = {d.name: {d.labels[c]: n for c, n in zip(*np.unique(d.cell, return_counts=True), strict=True)} for d in made}
    assert missing == {}
    assert counted["size x composition"] == {
        "1 person x 1 adult": 2, "2 people x 2 adults": 2, "3 people x 2 adults, with children": 1,
    }  # fmt: skip
    assert counted["children"] == {"no children": 4, "1 child": 1}
    assert counted["adults x workers"] == {"1 adult x none in work": 2, "2 adults x none in work": 1, "2 adults x 2 in work": 2}
    assert counted["partners: ages"] == {"25-34 x 25-34": 1, "45-54 x 45-54": 1}
    assert counted["partners: age gap"] == {"3-5 older": 1, "0-2 younger": 1}
    assert counted["partners: ethnic groups"] == {"white x asian": 1, "white x white": 1}
    assert counted["reference and child: age gap"] == {"25-29": 2}
    assert counted["age of reference x size"]["75+ x 1 person"] == 1
    assert sum(counted["people: age x composition"].values()) == len(SURVEY)


def test_a_population_is_compared_with_the_survey():
    aligned = world()
    checks = checked(aligned, [WEIGHT.astype(int), 2 * WEIGHT.astype(int)])
    assert np.allclose(checks["household_mix"]["wrong_survey"], 0)  # as the survey weighs them
    assert checks.headline["households"] == 24
    checks = checked(aligned, [[1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert shares(checks, "children") == {"no children": 50, "1 child": 50}
    assert shares(checks, "children", "survey") == {"no children": 75, "1 child": 25}
    row = checks["household_mix"].set_index("distribution").loc["children"]
    assert row["wrong_survey"] == pytest.approx(25)
    assert "wrong" not in row


def test_the_truth_is_compared_zone_by_zone():
    aligned = world()
    frame = people()
    truth = pd.concat([frame[frame["household"] == h].assign(household=f"{h}{z}", zone=z) for z, homes in
                       (("E01000001", "abbe"), ("E01000002", "cd")) for h in homes])  # fmt: skip
    truth["household"] = truth["household"] + truth.groupby("household").cumcount().astype(str).where(truth["role"] == "x", "")
    truth = truth[~((truth["household"] == "bE01000001") & truth.duplicated(["household", "role"]))]
    truth = pd.concat([truth, frame[frame["household"] == "b"].assign(household="again", zone="E01000001")])
    same = checked(aligned, [[1, 2, 0, 0, 1], [0, 0, 1, 1, 0]], truth=truth)
    mix = same["household_mix"].set_index("distribution")
    assert np.allclose(mix["wrong"], 0)
    assert np.allclose(mix["zone_wrong"], 0)
    assert (mix["floor"] > 0).any()
    swapped = checked(aligned, [[0, 0, 1, 1, 0], [1, 2, 0, 0, 1]], truth=truth)
    mix = swapped["household_mix"].set_index("distribution")
    assert np.allclose(mix["wrong"], 0)  # the same households in all, elsewhere
    assert mix.loc["size x composition", "zone_wrong"] == pytest.approx(100)
    by_zone = swapped["household_zones"].query("distribution == 'children'")
    assert by_zone["wrong"].tolist() == pytest.approx([25, 25])
    assert by_zone["entries"].tolist() == [4, 2]


def test_true_households_are_joined():
    aligned = world()
    frame = people().drop(columns="tenure").assign(zone="E01000001")
    homes = pd.DataFrame({"household": list("abcde"), "tenure": ["own", "rent", "rent", "own", "own"]})
    checks = checked(aligned, [[1] * 5, [0] * 5], truth=frame, true_households=homes)
    mix = checks["household_mix"].set_index("distribution")
    assert mix.loc["tenure x composition", "wrong"] == pytest.approx(0)
    alone = checked(aligned, [[1] * 5, [0] * 5], truth=frame)
    assert np.isnan(alone["household_mix"].set_index("distribution").loc["tenure x composition", "wrong"])
    assert "tenure x composition (truth)" in alone.findings[-1].message


def test_partners_are_told_by_pointers_where_nobody_says_the_role():
    frame = people().drop(columns="role").assign(partner=["p1", "p0", None, None, None, None, "p7", "p6", None])
    made, missing = describe(of_survey(world(frame)))
    gap = next(d for d in made if d.name == "partners: age gap")
    assert sorted(gap.labels[c] for c in gap.cell) == ["0-2 younger", "3-5 older"]
    assert "nothing says who is whose child" in missing.values()
    numbers = people().drop(columns="role").assign(partner=[2, 1, 0, 0, 0, -1, 2, 1, np.nan])
    again = next(d for d in describe(of_survey(world(numbers)))[0] if d.name == "partners: age gap")
    assert again.cell.tolist() == gap.cell.tolist()


def test_what_the_survey_cannot_tell_is_named():
    frame = people()[["household", "sex", "age"]].assign(age=lambda f: f["age"].where(f["age"] < 0, "16-64"))
    checks = checked(world(frame), [[1] * 5, [1] * 5])
    assert checks["household_mix"].empty
    (note,) = [f for f in checks.findings if f.code == "not-looked-at"]
    assert "children (nothing says the children)" in note.message
    assert "how members are related" in note.message


def test_households_that_cannot_be_are_counted():
    rows = [("a", "reference", 15, "f", "white", "student", "own"), ("a", "partner", 14, "m", "white", "student", "own"),
            ("b", "reference", 30, "f", "white", "employee", "own"), ("b", "child", 25, "m", "white", "employee", "own"),
            ("b", "partner", 31, "f", "white", "employee", "own"), ("b", "partner", 32, "f", "white", "employee", "own"),
            ("c", "reference", 30, "f", "white", "employee", "own"), ("c", "reference", 31, "f", "white", "employee", "own"),
            ("d", "reference", 40, "f", "white", "employee", "own"), ("d", "child", 10, "f", "white", "x", "own")]  # fmt: skip
    aligned = world(people(rows), weight=[1, 1, 1, 1])
    found = {rule: np.flatnonzero(broken).tolist() for rule, broken in broken_rules(of_survey(aligned)).items()}
    assert found == {
        "no adult": [0],
        "partner under 16": [0],
        "parent too young": [1],
        "two partners": [1],
        "two references": [2],
    }
    checks = checked(aligned, [[2, 0, 1, 5], [1, 0, 0, 0]])
    table = checks["impossible_households"].set_index("rule")
    assert table["population"].tolist() == [3, 3, 0, 0, 1, 0]
    assert table.index.tolist() == [*found, "split households"]
    assert table.loc["no adult", "survey_share"] == 25
    assert [f.place for f in checks.findings if f.code == "impossible-combination"] == [
        "no adult", "partner under 16", "two references",
    ]  # fmt: skip


def test_split_households_are_noticed():
    aligned = world()
    whole = copies(aligned, [[2, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    units, split = placed_units([whole], aligned)
    assert split == 0
    assert units.toarray().tolist() == [[2, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    n = whole.n.copy()
    n[1] = 1  # one partner of household a is missing
    broken = SimpleNamespace(zones=whole.zones, indptr=whole.indptr, record=whole.record, n=n)
    assert placed_units([broken], aligned)[1] == 1


def test_residents_of_communal_establishments_are_in_no_household():
    aligned = world(communal="be")
    checks = checked(aligned, [[1, 5, 0, 0, 5], [0] * 5])
    assert checks.headline["households"] == 1
    assert shares(checks, "children", "survey") == {"no children": 66.666667, "1 child": 33.333333}


def test_few_entries_are_withheld_where_the_survey_is_not_open():
    cells = checked(world(licence="restricted"), [[1] * 5, [1] * 5])["household_cells"]
    assert cells.loc[cells["population"] > 0, "survey"].isna().all()
    assert checked(world(), [[1] * 5, [1] * 5])["household_cells"].loc[lambda f: f["population"] > 0, "survey"].notna().all()


def test_rare_households_that_cannot_be_are_withheld_where_the_survey_is_not_open():
    rows = [("a", "reference", 15, "f", "white", "student", "own"), ("b", "reference", 30, "f", "white", "employee", "own")]
    for licence, survey, words in (("restricted", None, "fewer than 10"), ("open", 1, "The survey has 1 of them")):
        aligned = world(people(rows), weight=[1, 1], licence=licence)
        checks = checked(aligned, [[2, 1], [1, 0]])
        row = checks["impossible_households"].set_index("rule").loc["no adult"]
        assert (None if pd.isna(row["survey"]) else row["survey"]) == survey
        assert pd.isna(row["survey_share"]) == (licence == "restricted")
        (told,) = [f for f in checks.findings if f.code == "impossible-combination"]
        assert words in told.message
        assert told.message.startswith("3 households")


def test_persons_have_no_households_to_look_into():
    aligned = world()
    with pytest.raises(ValueError, match="of persons"):
        household_checks(SimpleNamespace(problem=SimpleNamespace(households=None)), aligned)
    assert small_household_problem().households is not None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12), st.data())
def test_sampling_error_is_the_ratio_estimators(rows, data):
    """The slow twin: residuals of each household, squared and summed."""
    counts = np.array(rows, float)
    weight = np.array(data.draw(st.lists(st.floats(0.1, 5), min_size=len(rows), max_size=len(rows))))
    share, error = sampling_error(csr_array(counts), weight)
    total = (weight[:, None] * counts).sum()
    if total == 0:
        assert share.tolist() == error.tolist() == [0, 0]
        return
    expected = weight @ counts / total
    residual = counts - counts.sum(axis=1, keepdims=True) * expected
    assert np.allclose(share, expected)
    assert np.allclose(error, np.sqrt((weight[:, None] ** 2 * residual**2).sum(axis=0)) / total, atol=1e-7)


def test_a_truth_that_cannot_be_read_is_a_finding(tmp_path):
    from synthpop_gb import InputError
    from synthpop_gb.pipeline.households import true_people
    from synthpop_gb.spec.model import Truth

    aligned = world()
    people().assign(zone="E01000001").to_csv(tmp_path / "people.csv", index=False)
    pd.DataFrame({"home": ["a"], "tenure": ["own"]}).to_csv(tmp_path / "homes.csv", index=False)
    truth = Truth(persons=str(tmp_path / "people.csv"), indicators={})
    assert len(true_people(truth, aligned)[0]) == len(SURVEY)
    with pytest.raises(InputError, match="missing-file"):
        true_people(truth.model_copy(update={"households": str(tmp_path / "no.csv")}), aligned)
    with pytest.raises(InputError, match="missing-column"):
        true_people(truth.model_copy(update={"households": str(tmp_path / "homes.csv")}), aligned)
    people().drop(columns="household").assign(zone="E01000001").to_csv(tmp_path / "people.csv", index=False)
    assert true_people(truth, aligned) == (None, None)
