"""Rezoning: whole people and households in other areas, tables summed, and what is said of zones that do not fit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.lookup import Lookup
from synthpop_gb.population import DonorCounts, ZoneDonors
from synthpop_gb.rezoning import deal_out, fate, rezone, rezone_table
from synthpop_gb.testing import small_problem
from tests.problems import make_problem
from tests.stages.household_study import world


@pytest.fixture(scope="module")
def population():
    return solve(make_problem(n_zones=14, empty=(0, 6), ids="text"), seed=3)


@pytest.fixture(scope="module")
def homes():
    return world(9).population


def halves(zones, weight=False):
    """Zones 2 and 5 lie in two areas; the others in that of their parity."""
    rows = [(z, "AB"[i % 2], 3.0) for i, z in enumerate(zones)] + [(zones[2], "B", 1.0), (zones[5], "C", 5.0)]
    return Lookup.of(pd.DataFrame(rows, columns=["zone", "area", "homes"]), weight="homes" if weight else None)


def codes(findings):
    return [f.code for f in findings]


def test_nested_zones_are_counted_and_nobody_is_lost_or_made(population):
    areas = {z: "AB"[i % 2] for i, z in enumerate(population.zones)}
    found = rezone(population, Lookup.of(areas), to="half")
    assert list(found.zones) == ["A", "B"]
    donors = population.donors()
    for k, area in enumerate("AB"):
        expected = np.zeros(len(population.problem.records), int)
        for z, zone in enumerate(population.zones):
            if areas[zone] == area:
                entry = slice(donors.indptr[z], donors.indptr[z + 1])
                expected[donors.record[entry]] += donors.n[entry]
        mine = slice(found.counts.indptr[k], found.counts.indptr[k + 1])
        assert (np.bincount(found.counts.record[mine], found.counts.n[mine], len(expected)) == expected).all()
        ids = found.donors[found.counts.record[mine]]
        assert list(ids) == sorted(ids)
    assert found.findings == ()


def test_divided_zones_are_dealt_out_whole_and_as_asked(population):
    lookup = halves(population.zones, weight=True)
    found = rezone(population, lookup)
    people = population.status["people"]
    assert found.people == population.people
    assert codes(found.findings) == ["divided-zone"]
    assert sorted(found.findings[0].rows["share"]) == [0.25, 0.375, 0.625, 0.75]
    nested = {"A": people.iloc[0::2].sum() - people.iloc[2], "B": people.iloc[1::2].sum() - people.iloc[5]}
    got = dict(zip(found.zones, found.counts.people, strict=True))
    expected = {"A": nested["A"] + 0.75 * people.iloc[2], "B": nested["B"] + 0.25 * people.iloc[2] + 0.375 * people.iloc[5]}
    assert all(abs(got[a] - n) < 2 for a, n in expected.items())
    assert abs(got["C"] - 0.625 * people.iloc[5]) < 1


def test_the_draw_hangs_on_seed_and_zone_alone(population, monkeypatch):
    lookup = halves(population.zones, weight=True)
    first = rezone(population, lookup)
    assert rezone(population, lookup).digest() == first.digest()
    assert rezone(population, lookup, seed=99).digest() != first.digest()
    from synthpop_gb.rezoning import population as module

    monkeypatch.setattr(module, "_UNITS", 50)  # many blocks
    assert rezone(population, lookup).digest() == first.digest()
    order = np.random.default_rng(1).permutation(len(population.zones))
    shuffled = solve(population.problem.take(order), seed=3)
    assert rezone(shuffled, lookup).digest() == first.digest()


def test_ambiguous_zones_are_refused_unless_best_fit_is_asked_for(population):
    lookup = halves(population.zones)
    with pytest.raises(InputError) as error:
        rezone(population, lookup)
    (finding,) = [f for f in error.value.findings if f.level == "error"]
    assert (finding.code, finding.count) == ("ambiguous-zone", 2)
    assert set(finding.rows["zone"]) == {population.zones[2], population.zones[5]}
    assert "--weight" in finding.remedy
    assert "--best-fit" in finding.remedy
    more = pd.DataFrame([(z, "AB"[i % 2]) for i, z in enumerate(population.zones)], columns=["zone", "area"])
    more = pd.concat([more, pd.DataFrame({"zone": [population.zones[2]] * 2, "area": ["B", "B"]})])  # of three parts two in B
    whole = rezone(population, Lookup.of(more), best_fit=True)
    assert codes(whole.findings) == ["ambiguous-zone"]
    assert whole.findings[0].level == "warning"
    assert "with most rows of the lookup" in whole.findings[0].message
    assert whole.findings[0].rows["given"].tolist() == [False, True]
    assert whole.people == population.people
    assert whole.counts.people[1] == population.status["people"].iloc[[1, 2, 3, 5, 7, 9, 11, 13]].sum()
    weighed = rezone(population, halves(population.zones, weight=True), best_fit=True)
    assert set(weighed.zones) == {"A", "B", "C"}  # zone 5 is mostly in C
    assert weighed.counts.people[2] == population.status["people"].iloc[5]


def test_a_tie_is_no_best_fit_unless_it_was_weighed(population):
    with pytest.raises(InputError) as error:
        rezone(population, halves(population.zones), best_fit=True)
    (finding,) = error.value.findings
    assert (finding.code, finding.level, finding.count) == ("ambiguous-zone", "error", 2)
    assert "as much of each lies in one as in another" in finding.message
    assert "--weight" in finding.remedy
    people, zones = population.status["people"], population.zones
    rows = [(z, "A", 2.0) for z in zones] + [(zones[3], "B", 2.0), (zones[4], "C", 7.0), (zones[4], "D", 7.0)]
    found = rezone(population, Lookup.of(pd.DataFrame(rows, columns=["zone", "area", "w"]), weight="w"), best_fit=True)
    assert found.counts.people.tolist() == [people.sum() - people.iloc[4], 0, people.iloc[4], 0]  # B and D are there, and empty
    assert [(f.code, f.level, f.count) for f in found.findings] == [("ambiguous-zone", "warning", 2)]
    assert "the first of these" in found.findings[0].message
    assert found.findings[0].rows["given"].tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("best_fit", [False, True])
def test_weights_that_are_all_0_divide_nothing(population, best_fit):
    rows = [(z, "A", 0.0) for z in population.zones] + [(population.zones[3], "B", 0.0)]
    with pytest.raises(InputError) as error:
        rezone(population, Lookup.of(pd.DataFrame(rows, columns=["zone", "area", "w"]), weight="w"), best_fit=best_fit)
    (finding,) = error.value.findings
    assert (finding.code, finding.level, finding.count) == ("ambiguous-zone", "error", 1)
    assert set(finding.rows["zone"]) == {population.zones[3]}  # a zone in one area needs no weight


def test_an_ambiguous_zone_without_anybody_is_no_fault(population):
    lookup = Lookup.of(
        pd.DataFrame([(z, "A") for z in population.zones] + [(population.zones[6], "B")], columns=["zone", "area"])
    )
    assert rezone(population, lookup).people == population.people  # zone 6 is empty


def test_lost_zones_and_areas_covered_in_part_are_said(population):
    areas = dict.fromkeys(population.zones[1:5], "A") | {"elsewhere": "A", population.zones[5]: None, "far": "B"}
    found = rezone(population, Lookup.of(areas))
    assert codes(found.findings) == ["zone-without-area", "partly-covered"]
    lost, partly = found.findings
    people = population.status["people"]
    assert lost.count == (people.iloc[5:] > 0).sum()
    assert lost.rows["left_out"].tolist() == lost.rows["people"].tolist() == people.iloc[5:][people.iloc[5:] > 0].tolist()
    assert f"{people.iloc[5:].sum():,} people are left out" in lost.message
    assert all(zone in lost.message for zone in lost.rows["zone"])
    assert partly.rows.to_dict("records") == [{"area": "A", "zones": 4, "zones_missing": 1}]
    assert found.people == population.status["people"].iloc[1:5].sum()
    with pytest.raises(InputError, match="no-zones"):
        rezone(population, Lookup.of({"far": "B"}))


def test_part_of_a_zone_may_lie_in_no_area(population):
    zone = population.zones[3]
    frame = pd.DataFrame({"zone": [zone, zone], "area": ["A", None], "w": [1.0, 3.0]})
    found = rezone(population, Lookup.of(frame, weight="w"))
    assert abs(found.people - population.status["people"].iloc[3] / 4) <= 1
    lost = next(f for f in found.findings if f.code == "zone-without-area")
    assert lost.rows.set_index("zone")["share"][zone] == 0.75
    n, gone = population.status["people"].iloc[3], population.status["people"].iloc[3] - found.people
    assert lost.rows.set_index("zone")["left_out"][zone] == gone
    assert f"1 zone is partly in no area of area: {gone:,} of the {n:,} people of {zone} are left out" in lost.message


def test_households_stay_together(homes):
    zones = homes.zones
    frame = pd.DataFrame({"zone": [*zones, *zones], "area": ["A"] * 9 + ["B"] * 9, "w": [1.0] * 9 + [2.0] * 9})
    found = rezone(homes, Lookup.of(frame, weight="w"))
    assert found.people == homes.people
    assert found.households.n.sum() == homes.placed().n.sum()
    size = np.diff(homes.problem.member_start)
    members = np.add.reduceat(found.households.n * size[found.households.record], found.households.indptr[:-1])
    assert (members == found.counts.people).all()
    for k in range(2):
        unit = np.zeros(len(size), int)
        rows = slice(found.households.indptr[k], found.households.indptr[k + 1])
        unit[found.households.record[rows]] = found.households.n[rows]
        person = np.zeros(len(homes.problem.records), int)
        rows = slice(found.counts.indptr[k], found.counts.indptr[k + 1])
        person[found.counts.record[rows]] = found.counts.n[rows]
        assert (person[homes.problem.member] == np.repeat(unit, size)).all()
    with pytest.raises(ValueError, match="rezone the population they came from"):
        rezone(found, Lookup.of({"A": "X", "B": "X"}))


def test_units_are_numbered_as_they_are_placed(homes):
    where = fate(homes.zones, Lookup.of(dict.fromkeys(homes.zones, "A")))
    placed, seen = homes.placed(), 0
    for dealt in deal_out(homes, where):
        assert (dealt.unit == np.repeat(placed.record, placed.n)).all()
        assert (dealt.area == 0).all()
        seen += len(dealt.unit)
    assert seen == placed.n.sum()


def test_a_file_of_two_columns_can_be_rezoned():
    counts = DonorCounts(pd.Index(["a", "b"]), np.array([0, 2, 3]), np.array([0, 1, 1], np.int32), np.array([2, 3, 4], np.int32))
    lone = ZoneDonors("file.csv", counts, pd.Index([7, 9]), 9, ("zone", "donor"))
    found = rezone(lone, Lookup.of({"a": "X", "b": "X"}))
    assert found.counts.n.tolist() == [2, 7]
    assert found.tally([1, 0]).tolist() == [2.0]
    assert found.tally(found.donors == 9).tolist() == [7.0]


def test_one_replicate_has_draws_of_its_own():
    population = solve(small_problem(6), seed=1, replicates=2, sources=["whole"])
    frame = pd.DataFrame({"zone": [*population.zones] * 2, "area": ["A"] * 6 + ["B"] * 6, "w": 1.0})
    first, second = (rezone(population.replicate(i), Lookup.of(frame, weight="w")) for i in (1, 2))
    assert first.people == second.people == population.people


# tables


def table(rows, zones, error=0.0, total=None):
    sex = Variable("sex", (Category("f", "female", frozenset("f")), Category("m", "male", frozenset("m"))))
    cells = pd.MultiIndex.from_arrays([["f", "m"]], names=["sex"])
    counts = pd.DataFrame(rows, list(zones), cells)
    return BenchmarkTable("t", counts, (sex,), Universe("usual residents"), total=total, standard_error=error, year=2011)


def test_tables_are_summed_where_zones_merge_and_copied_where_they_do_not():
    old = table([(5, 4), (3, 2), (8, 9)], "abc", error=0.5, total=pd.Series([9, 5, 17], list("abc")))
    new = rezone_table(old, Lookup.of({"a": "X", "b": "X", "c": "c"}))
    assert new.counts.loc["X"].tolist() == [8, 6]
    assert new.counts.loc["c"].tolist() == [8, 9]
    assert new.total.to_dict() == {"X": 14, "c": 17}
    assert np.allclose(new.errors.loc["X"], 0.5 * np.sqrt(2))
    assert np.allclose(new.errors.loc["c"], 0.5)
    assert new.standard_error == pytest.approx(0.5 * np.sqrt(2))
    assert rezone_table(old, Lookup.of({"a": "q", "b": "r", "c": "s"})).errors is None
    again = rezone_table(new, Lookup.of({"X": "U", "c": "U"}))
    assert np.allclose(again.errors.loc["U"], 0.5 * np.sqrt(3))


def test_divided_zones_and_missing_ones_make_no_new_zone():
    old = table([(5, 4), (3, 2), (8, 9), (1, 1)], "abcd")
    pairs = [("a", "X"), ("a", "Y"), ("b", "Y"), ("c", "Z"), ("e", "Z"), ("d", "W")]
    new = rezone_table(old, Lookup.of(pd.DataFrame(pairs, columns=["zone", "area"])))
    assert list(new.counts.index) == ["W"]
    assert codes(new.findings) == ["ambiguous-zone", "partly-covered"]
    assert all(f.level == "note" for f in new.findings)
    lost = rezone_table(old, Lookup.of({"q": "X"}))
    assert codes(lost.findings) == ["zone-without-area", "no-zones"]
    assert not len(lost.counts)


def test_marks_stay_where_a_zone_keeps_to_itself_and_spoil_a_sum():
    old = table([(5, 4), (3, 2), ("*", 9), ("*", 1)], "abcd")
    new = rezone_table(old, Lookup.of({"a": "X", "d": "X", "b": "b", "c": "c"}))
    assert new.counts.loc["c"].tolist() == ["*", 9]
    assert np.isnan(new.counts.loc["X"].iloc[0])
    assert new.counts.loc["X"].iloc[1] == 5


def test_a_zone_listed_twice_is_refused_by_name():
    assert "duplicate-zone" in codes(rezone_table(table([(5, 4), (3, 2)], "aa"), Lookup.of({"a": "X"})).findings)


# lookups


def test_lookups_are_read_with_names_weights_and_blanks(tmp_path):
    file = tmp_path / "oa.csv"
    file.write_text(
        "oa21cd,lsoa21cd,wd24cd,wd24nm,homes\nE00000001,E01000001,E05000001,=Ward,3\nE00000002,E01000001,E05000001,=Ward,2\n"
        "E00000003,E01000001,E05000002,Other,5\nE00000004,E01000002,,,7\n,E01000003,E05000002,Other,1\n"
    )
    found = read.lookup(file, zone="LSOA21CD", to="wd24cd", weight="homes")
    assert found.pairs.to_numpy().tolist() == [
        ["E01000001", "E05000001", 5.0], ["E01000001", "E05000002", 5.0], ["E01000002", "", 7.0], ["E01000003", "E05000002", 1.0]
    ]  # fmt: skip
    assert found.names == {"E05000001": "=Ward", "E05000002": "Other"}
    assert found.nested().to_dict() == {"E01000002": "", "E01000003": "E05000002"}
    finest = read.lookup(file, to="wd24cd")
    assert finest.zone == "oa21cd"
    assert codes(finest.findings) == ["rows-without-zone"]
    assert read.column_of(file, {"E01000002"}) == "lsoa21cd"


@pytest.mark.parametrize("weight", ["homes", None])
def test_rows_that_stand_twice_count_once(tmp_path, weight):
    file = tmp_path / "lookup.csv"
    file.write_text("zone,ward,homes,oa\nZ1,W1,70,a\nZ1,W2,30,b\nZ1,W1,70,a\nZ2,W2,5,\nZ1,W1,70,c\nZ2,W2,5, \n")
    found = read.lookup(file, zone="zone", to="ward", weight=weight)
    assert found.pairs["weight"].tolist() == ([140.0, 30.0, 5.0] if weight else [2.0, 1.0, 1.0])
    (said,) = found.findings
    assert (said.code, said.level, said.count) == ("repeated-rows", "warning", 2)
    assert said.rows.to_numpy().tolist() == [["Z1", "W1"], ["Z2", "W2"]]


@pytest.mark.parametrize(
    ("text", "asked", "code"),
    [
        ("a,b\nx,y\n", {"zone": "a", "to": "c"}, "missing-column"),
        ("a,b\nx,y\n", {"zone": "a", "to": "a"}, "study-reference"),
        ("a,b,w\nx,y,many\n", {"zone": "a", "to": "b", "weight": "w"}, "not-a-number"),
        ("a,b,w\nx,y,-1\n", {"zone": "a", "to": "b", "weight": "w"}, "negative-count"),
        ("a,b\n,y\n", {"zone": "a", "to": "b"}, "no-zones"),
        ("a,b\nx,y\n", {"to": "b"}, "unknown-layout"),
        ("", {"zone": "a", "to": "b"}, "unreadable-file"),
    ],
)
def test_broken_lookups_are_findings(tmp_path, text, asked, code):
    file = tmp_path / "lookup.csv"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read.lookup(file, **asked)
    assert code in codes(error.value.findings)


def test_zones_without_any_weight_stay_and_weights_of_nought_are_nobody():
    lookup = Lookup.of(pd.DataFrame({"zone": list("aabbc"), "area": list("XYXYX"), "w": [0.0, 0, 2, 0, 0]}), weight="w")
    assert lookup.pairs.to_numpy().tolist() == [["a", "X", 0.0], ["a", "Y", 0.0], ["b", "X", 2.0], ["c", "X", 1.0]]
    with pytest.raises(ValueError, match="finite and not negative"):
        Lookup.of(pd.DataFrame({"zone": ["a"], "area": ["X"], "w": [-1.0]}), weight="w")


def test_fate_compares_codes_as_text():
    assert fate(pd.Index([1, 2]), Lookup.of({"1": "X", "2": "X"})).n_parts.tolist() == [1, 1]
    assert replace(Lookup.of({"1": "X"}), to="ward").areas.name == "ward"
