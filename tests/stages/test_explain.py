"""Why zones miss: every cause in a study made so that it is the only one; bounds that are true; words that run nothing."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb import InputError, formulate, solve
from synthpop_gb.errors import finding
from synthpop_gb.report.explanation import explanation_text, write_explanations
from synthpop_gb.validation.explanation import CAUSES, explain, zone_causes
from synthpop_gb.validation.explanation.counted import count
from synthpop_gb.validation.explanation.mending import partner_of
from synthpop_gb.validation.explanation.room import pinches
from tests.stages.explained_world import ZONES, homes_of, level, placed, study, table
from tests.stages.pages import Page

pytestmark = pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")


def solved(made, **options):
    return solve(formulate(made), seed=1, **options)


def test_a_zone_that_fits_says_how_close_it_is():
    made = study(
        table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1, 0]), table("age", ["young", "old"], [[5, 5], [5, 5]], [0, 1, 1])
    )
    found = explain(solved(made), made, "E01000001")
    assert found.fits
    assert "nothing misses: all 4 cells of 2 tables are met exactly" in found.headline
    assert found.why == found.remedies == ()
    assert found["causes"].empty
    assert re.search(r"Fractional weights meet every target to \S+ of a person", found.text)
    assert found["cells"]["observed"].tolist() == found["cells"]["target"].tolist() == [6, 4, 5, 5]
    assert found["donors"]["copies"].sum() == 10
    assert found["donors"].columns.tolist() == ["donor", "copies", "share", "sex", "age"]


def test_nobody_in_the_survey_is_so():
    made = study(table("health", ["good", "fair", "bad"], [[5, 3, 2], [6, 4, 0]], [0, 0, 1]))
    population = solved(made)
    found = explain(population, made, "mill lane")
    assert found.place == "E01000001"
    assert found["causes"]["cause"].tolist() == ["empty cell"]
    assert found.why == ("Health = bad asks for 2 people, and nobody in the survey is so.",)
    assert found.remedies[0].startswith("Merge 'fair' and 'bad' of health")
    assert found["cells"].set_index("cell").loc["bad", ["donors", "missed", "cause"]].tolist() == [0, True, "empty cell"]
    assert explain(population, made, "E01000002").fits


def test_all_who_are_so_are_something_that_nobody_is_to_be():
    sex, work = (
        table("sex", ["f", "m"], [[10, 0], [5, 5]], [0, 0, 1, 1]),
        table("work", ["none", "some"], [[6, 4], [5, 5]], [0, 0, 0, 1]),
    )
    made = study(sex, work)
    found = explain(solved(made), made, "E01000001")
    assert found["causes"]["cause"].iloc[0] == "no donor here"
    assert found.why[0] == (
        "Work = some asks for 4 people. All 1 records of the survey in it are also sex = m, which nobody is to be here."
    )
    assert explain(solved(made), made, "E01000002").fits


def test_a_table_leaves_too_little_room_for_another():
    """Nobody old is in good health, so 8 old people leave room for 2 of the 5 in good health."""
    age = table("age", ["young", "old"], [[2, 8], [6, 4]], [0, 0, 1])
    made = study(age, table("health", ["good", "bad"], [[5, 5], [5, 5]], [0, 1, 1]))
    found = explain(solved(made), made, "E01000001")
    assert found["causes"]["cause"].iloc[0] == "tables clash"
    assert found["causes"]["amount"].iloc[0] == 3
    assert "3 too" in found.why[0]
    assert found["cells"]["missed"].any()
    assert explain(solved(made), made, "E01000002").fits


def test_household_sizes_imply_other_numbers_of_people():
    """Three households of one and one of two or three: three to six people more than six cannot be."""
    size = table("size", ["1", "2+"], [[3, 1], [1, 2]], [0, 1, -1, 1, -1, -1], "household")
    sex = table("sex", ["f", "m"], [[5, 4], [3, 3]], [0, 0, 1, 0, 0, 1])
    made = study(size, sex, homes=homes_of(1, 2, 3))
    problem = formulate(made)
    rows = np.zeros((2, problem.n_profiles), int)
    rows[0, problem.size == 1], rows[0, problem.size == 3] = 3, 1
    rows[1, problem.size == 1], rows[1, problem.size == 2] = 1, 2
    found = explain(placed(problem, rows), made, "E01000001")
    first = found["causes"].iloc[0]
    assert (first["cause"], first["amount"], first["unit"]) == ("people and households", 3, "people")
    assert first["words"] == "The households of size make 5 to 6 people (at most 3 × 1 + 1 × 3); sex counts 9: 3 too many."
    assert "communal establishments" in first["remedy"]
    assert found["tables"]["unit"].tolist() == ["households", "people"]
    # with residents of communal establishments in the survey there may be more people than households hold
    size = table("size", ["1", "2+"], [[3, 1], [1, 2]], [0, 1, -1, 1, -1, -1, -1], "household")
    sex = table("sex", ["f", "m"], [[5, 4], [3, 3]], [0, 0, 1, 0, 0, 1, 1])
    made = study(size, sex, homes=homes_of(1, 2, 3, 1, communal={3}))
    counted = count(placed(formulate(made), np.ones((2, 4), int)), made, ZONES[:1])
    assert not any(what[p.column] == (1, None) and p.over > 0 for found, what in [pinches(counted, 0)] for p in found)


def test_households_need_more_people_than_there_are():
    size = table("size", ["1", "3"], [[1, 4], [1, 1]], [0, 1, -1, -1], "household")
    sex = table("sex", ["f", "m"], [[6, 4], [2, 2]], [0, 0, 0, 1])
    made = study(size, sex, homes=homes_of(1, 3))
    problem = formulate(made)
    rows = np.array([[1, 4], [1, 1]])[:, np.where(problem.size == 1, 0, 1)]
    found = explain(placed(problem, rows), made, "E01000001")
    causes = found["causes"].set_index("cause")
    assert causes.loc["people and households", "amount"] == 3
    words = causes.loc["people and households", "words"]
    assert words == "The households of size make at least 13 people (1 × 1 + 4 × 3); sex counts 10: 3 too few."


def test_only_whole_people_miss():
    made = study(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]))
    problem = formulate(made)
    found = explain(placed(problem, [[7, 3], [5, 5]], whole="REMAINDER"), made, "E01000001")
    assert found["causes"]["cause"].tolist() == ["made whole"]
    assert "2 cells are off; most: sex = f, 1 person too many" in found.why[0]
    assert "keeps no fractional weights" in found.text
    assert np.isnan(found["tables"]["fitted"]).all()


def test_bounds_are_named():
    made = study(
        table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 0, 1, 1]), table("age", ["y", "o"], [[3, 7], [5, 5]], [0, 1, 0, 1])
    )
    bounded = solve(formulate(made), method="calibrate", seed=1, options={"distance": "logit", "lower": 0.9, "upper": 1.1})
    found = explain(bounded, made, "E01000001")
    assert "bounds" in set(found["causes"]["cause"]), found
    assert "lower = 0.9 and upper = 1.1" in found.text


def test_zones_of_several_publishers_have_errors_of_their_own():
    """The first zone's counts are perturbed, the second's are exact, as in tables of several nations joined."""
    error = np.array([[2.0, 2.0], [0.0, 0.0]])
    sex = replace(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]), errors=error)
    made = study(sex, table("age", ["y"], [[10], [10]], [0, 0]))
    population = solve(formulate(made), seed=1)
    assert "The publisher perturbed 2 of these counts; 2 of them (100.0 %)" in explain(population, made, "E01000001").text
    assert "perturbed" not in explain(population, made, "E01000002").text


@pytest.mark.parametrize("method", ["ipf", "balance"])
def test_a_limit_on_copies_is_named_and_nought_is_no_bound(method):
    """Eight of ten are wanted of two donors, who may stand three times each; nothing else forbids it."""
    made = study(table("a", ["x", "y"], [[5, 5], [5, 5]], [0, 0, 1, 1]), table("b", ["u", "v"], [[2, 8], [6, 4]], [0, 1, 0, 1]))
    found = explain(solve(replace(formulate(made), max_copies=3), method=method, seed=1), made, "E01000001")
    assert "bounds" in set(found["causes"]["cause"])
    assert "Weights were bounded (max_copies = 3)" in found.text


def test_tables_that_disagreed_as_published_are_told():
    sex = table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1], published=[[6, 6], [5, 5]], error=1.5)
    made = study(sex, table("age", ["y", "o"], [[5, 5], [5, 5]], [0, 1]))
    made.constraints[1].record_cell[:] = [0, 1]
    found = explain(placed(formulate(made), [[6, 4], [5, 5]]), made, "E01000001")
    assert (
        "As published the tables disagree on how many people there are: sex 12 and age 10; they were settled at 10" in found.text
    )
    assert "2 of these counts; 2 of them (100.0 %) are met to within that noise" in found.text


def test_a_table_of_the_area_is_counted_over_its_zones():
    health = table("health", ["good", "bad"], [[14, 6]], [0, 1], index=pd.Index(["E02000001"]))
    made = study(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]), levels=[level(health)])
    problem = formulate(made)
    found = explain(placed(problem, [[6, 4], [5, 5]]), made, "E01000001")
    assert found["levels"]["observed"].tolist() == [11, 9]  # both zones of the area
    assert found["causes"]["cause"].tolist() == ["area's table"]
    assert "3 people too few over its zones together" in found.why[0]
    assert found.fits
    assert "2 cells of the areas it lies in are not" in found.headline


def test_an_area_is_its_zones():
    made = study(table("health", ["good", "fair", "bad"], [[5, 3, 2], [6, 4, 0]], [0, 0, 1]))
    found = explain(solved(made), made, area="old town")
    assert (found.place, found.name, found.level) == ("E02000001", "Old Town", "msoa")
    assert found["zones"]["zone"].tolist() == ["E01000001", "E01000002"]
    assert found["zones"]["cause"].tolist() == ["empty cell", ""]
    assert found["cells"]["target"].tolist() == [11, 7, 2]
    assert found.why[0].startswith("E01000001: Health = bad")
    assert "2 zones of msoa" in found.headline


def test_places_that_are_not_there():
    made = study(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]))
    population = solved(made)
    with pytest.raises(InputError, match=r"Did you mean 'E01000001'"):
        explain(population, made, "E0100001")
    with pytest.raises(InputError, match=r"unknown-zone"):
        explain(population, made, area="Mill Lane")
    with pytest.raises(ValueError, match="one of the two"):
        explain(population, made)
    made.geography.zones["name"] = "Same"
    with pytest.raises(InputError, match="2 places are called 'same'"):
        explain(population, made, "same")


def test_a_licence_keeps_answers_out():
    made = study(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]), licence="restricted")
    assert explain(solved(made), made, "E01000001")["donors"].columns.tolist() == ["donor", "copies", "share"]


def test_clashes_found_before_the_fit_are_told_again():
    rows = pd.DataFrame({"zone": ["E01000001"], "people": [2.0], "cause": ["three tables ask for what nobody has"]})
    noticed = finding("structural-clash", "A clash.", place="sex and age", rows=rows)
    made = study(table("sex", ["f", "m"], [[6, 4], [5, 5]], [0, 1]), findings=[noticed])
    found = explain(placed(formulate(made), [[7, 3], [5, 5]]), made, "E01000001")
    assert found["causes"]["cause"].tolist() == ["tables clash", "pulled along"]
    assert found.why[0] == "Three tables ask for what nobody has."
    assert explain(placed(formulate(made), [[6, 4], [5, 5]]), made, "E01000001")["causes"].empty


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_called_impossible_is_impossible(data):
    """No pinch in a problem that has a solution: targets are made from weights."""
    n = data.draw(st.integers(2, 6))
    cells = [data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)) for _ in range(2)]
    weights = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)))
    targets = [np.bincount(c, weights, minlength=3) for c in cells]
    made = study(*(table(f"t{i}", list("abc"), [t, t], c) for i, (t, c) in enumerate(zip(targets, cells, strict=True))))
    problem = formulate(made)
    counted = count(placed(problem, np.zeros((2, problem.n_profiles), int)), made, ZONES)
    assert pinches(counted, 0)[0] == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_called_impossible_for_households_is_impossible(data):
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    homes, n = homes_of(*sizes), sum(sizes)
    sex = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    kind = np.full(n, -1)
    kind[homes.reference] = np.minimum(np.array(sizes) - 1, 2)
    weights = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(sizes), max_size=len(sizes))))
    by_record = np.repeat(weights, sizes)
    of_size = np.bincount(kind[homes.reference], weights, minlength=3)
    of_sex = np.bincount(sex, by_record, minlength=2)
    off = data.draw(st.integers(0, 3))
    wanted = [of_sex + np.array([off, 0])] * 2
    made = study(table("size", list("123"), [of_size] * 2, kind, "household"), table("sex", ["f", "m"], wanted, sex), homes=homes)
    problem = formulate(made)
    counted = count(placed(problem, np.zeros((2, problem.n_profiles), int)), made, ZONES)
    found, _ = pinches(counted, 0)
    if off == 0:
        assert found == []
    if found:  # a linear programme agrees that nothing meets the targets
        from scipy.optimize import linprog

        a = problem.members.matrix().toarray().T
        assert linprog(np.zeros(a.shape[1]), A_eq=a, b_eq=problem.targets[0]).status == 2


def test_the_nearest_neighbour_with_donors_is_merged_with():
    keys = [("f", "y"), ("f", "o"), ("m", "y"), ("m", "o")]
    assert partner_of(keys, 0, np.array([0, 3, 9, 9])) == (0, 2)  # both differ in one variable; more donors
    assert partner_of(keys, 0, np.array([0, 0, 0, 9])) is None
    assert partner_of([("a",), ("b",), ("c",), ("d",)], 3, np.array([90, 9, 1, 0])) == (0, 2)  # next to it, though thinner


HOSTILE = ["<img src=x onerror=alert(1)>", '=HYPERLINK("http://x")', "a|b `c` [d](javascript:e)\n# f"]


@pytest.fixture
def hostile():
    made = study(table("health", HOSTILE, [[5, 3, 2], [6, 4, 0]], [0, 0, 1]))
    made.geography.zones["name"] = ["../../<b>x</b>", "y"]
    return explain(solved(made), made, "E01000001"), explain(solved(made), made, "E01000002")


def test_texts_of_others_are_shown_and_never_run(hostile, tmp_path):
    (page,) = write_explanations(hostile, tmp_path / "x.html", title="<script>alert(1)</script>")
    text = page.read_text(encoding="utf-8")
    assert "<img src=x" not in text
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not Page(text).having("onerror")
    assert {i for _, i in Page(text).having("id")} >= {"place-0", "place-1", "words"}
    (made,) = write_explanations(hostile, tmp_path / "x.md", title="# <b>x</b>")
    words = made.read_text(encoding="utf-8")
    assert "<img" not in words
    assert not re.search(r"(?<!\\)\]\(", words)
    assert not re.search(r"^# f", words, re.MULTILINE)
    files = write_explanations(hostile, tmp_path / "out", title="x")
    assert all(tmp_path / "out" in f.parents for f in files)
    assert "'=HYPERLINK" in (tmp_path / "out" / "e01000001" / "cells.csv").read_text(encoding="utf-8")


def test_json_says_the_same(hostile, tmp_path):
    (path,) = write_explanations(hostile, tmp_path / "x.json", title="run")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert [e["fits"] for e in read["explanations"]] == [False, True]
    first = read["explanations"][0]
    assert first["why"] == list(hostile[0].why)
    assert [c["target"] for c in first["tables"]["cells"]] == hostile[0]["cells"]["target"].tolist()


def test_the_terminal_lists_cells_that_miss(hostile):
    text = explanation_text(hostile)
    assert text.index("Why") < text.index("Tables: what they ask")
    assert "Cells: targets, fit and donors" in text
    assert "Cells: targets" not in explanation_text(hostile[1:])


def test_every_cause_has_a_meaning():
    from pathlib import Path

    import synthpop_gb.validation.explanation as folder

    source = "".join(p.read_text(encoding="utf-8") for p in Path(folder.__file__).parent.glob("*.py"))
    named = set(re.findall(r'Cause\(\s*"([^"]+)"', source)) | set(re.findall(r'kind = "([^"]+)"', source))
    assert named
    assert named <= set(CAUSES)


def three_tables(wanted):
    """Three tables, each pair of which can be met, and all three not: nobody in the survey is a, c and e at once."""
    rows = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
    names = (("one", ["a", "b"]), ("two", ["c", "d"]), ("three", ["e", "f"]))
    return study(
        *(table(n, labels, [w, [2, 2]], rows[:, i]) for i, ((n, labels), w) in enumerate(zip(names, wanted, strict=True)))
    )


def test_what_three_tables_cannot_have_together_is_proved_and_relaxed():
    made = three_tables([[8, 2], [8, 2], [8, 2]])
    population = solved(made)
    found = explain(population, made, "E01000001")
    assert "targets clash" in set(found["causes"]["cause"])
    assert not found["relax"].empty
    assert any(r.startswith("Relax ") and "no fewer will do" in r for r in found.remedies)
    targets = formulate(made).targets[0].copy()
    at = {(t, c): i for i, (t, c) in enumerate(formulate(made).cells)}
    for row in found["relax"].to_dict("records"):
        targets[at[row["table"], row["cell"]]] = row["to"]
    from scipy.optimize import linprog

    a = formulate(made).members.matrix().toarray().T
    assert linprog(np.zeros(a.shape[1]), A_eq=a, b_eq=targets).status == 0  # relaxed so, it can be met
    assert linprog(np.zeros(a.shape[1]), A_eq=a, b_eq=formulate(made).targets[0]).status == 2
    assert "relax" not in explain(population, made, "E01000002").tables


def test_a_fit_that_was_stopped_is_told_from_one_that_cannot_be():
    rng = np.random.default_rng(3)
    one, two = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    people = rng.multinomial(400, rng.dirichlet(np.full(60, 0.1)))
    targets = [np.bincount(c, people, minlength=4) for c in (one, two)]
    made = study(*(table(n, list("abcd"), [t, t], c) for n, t, c in zip(("one", "two"), targets, (one, two), strict=True)))
    stopped = solve(formulate(made), seed=1, options={"max_cycles": 1})
    assert (stopped.status["fit"] == "CYCLE_LIMIT").all()
    assert (stopped.status["residual"] > 0.5).all()
    found = explain(stopped, made, "E01000001")
    assert "limit" in set(found["causes"]["cause"])
    assert "Let the fit run longer" in found.text


def test_tables_of_the_same_people_are_told_together():
    size = table("size", ["1", "2+"], [[3, 1], [1, 2]], [0, 1, -1, 1, -1, -1], "household")
    sex, age = (
        table(n, labels, [[5, 4], [3, 3]], [0, 0, 1, 0, 0, 1]) for n, labels in (("sex", ["f", "m"]), ("age", ["y", "o"]))
    )
    made = study(size, sex, age, homes=homes_of(1, 2, 3))
    problem = formulate(made)
    rows = np.zeros((2, problem.n_profiles), int)
    rows[0, problem.size == 1], rows[0, problem.size == 3] = 3, 1
    rows[1, problem.size == 1], rows[1, problem.size == 2] = 1, 2
    found = explain(placed(problem, rows), made, "E01000001")
    assert (found["causes"]["cause"] == "people and households").sum() == 1
    assert found.why[0].endswith("; sex and age count 9: 3 too many.")


def test_a_fit_to_soft_targets_says_what_it_settled():
    sex = table("sex", ["f", "m"], [[60, 40], [50, 50]], [0, 0, 1, 1], error=4.0)
    work = table("work", ["none", "some"], [[70, 30], [50, 50]], [0, 1, 0, 1], error=4.0)
    both = table("both", ["a", "b"], [[30, 70], [50, 50]], [0, 0, 1, 1], error=4.0)  # says other of sex than sex does
    made = study(sex, work, both)
    found = explain(solve(formulate(made), method="calibrate", seed=1), made, "E01000001")
    assert "known with an error, so the fit weighed them against each other" in found.text
    assert found.fits
    assert "count of the tables that the fit settled on" in found.headline or "met exactly" in found.headline
    assert "relax" not in found.tables


def test_few_donors_of_a_survey_under_licence_are_not_counted():
    """Two of eleven women, and three men who are all young, where nobody is to be young."""
    sex = table("sex", ["f", "m"], [[8, 2], [5, 5]], [0] * 11 + [1] * 3)
    age = table("age", ["old", "young"], [[10, 0], [5, 5]], [0] * 9 + [1] * 5)
    told = {}
    for licence in ("open", "restricted"):
        made = study(sex, age, licence=licence)
        found = explain(solved(made), made, "E01000001")
        written = explanation_text([found])
        kept = " ".join(zone_causes(solved(made), made)["words"])  # what validation/causes.parquet holds
        assert ("All 3 records" in kept, "All fewer than 10 records" in kept) == (licence == "open", licence != "open")
        cells = found["cells"].set_index("cell")
        told[licence] = cells.loc["m", "donors"], cells.loc["f", "donors"], cells.loc["old", "donors_here"]
        assert ("All 3 records" in written) == (licence == "open")
        assert ("All fewer than 10 records" in written) == (licence != "open")
    assert told == {"open": (3, 11, 9), "restricted": ("fewer than 10", 11, "fewer than 10")}
    assert np.isnan(cells.loc["old", "effective_donors"])
    few = cells["used"].map(lambda n: n == "fewer than 10")
    assert few.any()
    assert cells.loc[few, "largest_share"].isna().all()
    assert not re.search(r"donors in the other: [1-9]\b", found.text)


def test_what_to_relax_says_how_and_what_keeps_totals():
    """Four alone and a home of three make 7 people, and 11 are counted: two of those alone in homes of three would do."""
    size = table("size", ["1", "3"], [[4, 1], [1, 1]], [0, 1, -1, -1], "household")
    sex = table("sex", ["f"], [[11], [4]], [0, 0, 0, 0])
    made = study(size, sex, homes=homes_of(1, 3))
    found = explain(solved(made, method="balance"), made, "E01000001")
    assert found["relax"][["table", "cell"]].values.tolist() != []
    assert found["keeping"][["table", "cell", "change"]].values.tolist() == [["size", "1", -2.0], ["size", "3", 2.0]]
    remedy = found.remedies[0]
    assert "Or keep every table's total: size = 1 from 4 to 2 households and size = 3 from 1 to 3 households." in remedy
    assert "As good by number: " in remedy
    assert "under [method]" in remedy
