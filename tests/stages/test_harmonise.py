"""Survey, tables and zones brought to common categories: names, margins, recodes, universes, zones, records."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
from synthpop_gb.errors import finding
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import Recode, examine, harmonise
from tests.stages.nouns import ADULTS, AGE, EVERYBODY, HEALTH, SEX, ages, table, variable, world


def codes(findings, *levels):
    return [f.code for f in findings if f.level in (levels or ("error",))]


def observed(aligned, constraint):
    """Weighted people of the survey in each cell."""
    inside = constraint.record_cell >= 0
    return np.bincount(constraint.record_cell[inside], weights=aligned.weight[inside], minlength=constraint.targets.shape[1])


# names


def test_a_margin_is_taken_from_a_joint_table():
    survey, tables, geography = world()
    joint = {"age_by_sex": tables["age_by_sex"]}
    aligned = harmonise(survey, joint, geography, constraints=["age", "sex"], held_out=["age x sex"])
    assert np.array_equal(aligned.constraints[0].targets, tables["age"].counts)
    assert np.array_equal(aligned.constraints[1].targets, tables["sex"].counts)
    held = aligned.held_out[0]
    assert held.name == "age x sex"
    assert held.variables == ("age", "sex")
    assert np.array_equal(held.targets, tables["age_by_sex"].counts)
    assert held.cell_labels[:3] == ["0-15 x male", "0-15 x female", "16-24 x male"]


@pytest.mark.parametrize("name", ["age x sex", "sex x age", "age_by_sex"])
def test_a_joint_table_is_found_by_its_variables_in_any_order_and_by_name(name):
    survey, tables, geography = world()
    found = harmonise(survey, tables, geography, constraints=[name]).constraints[0]
    assert found.name == name
    assert found.variables == (("sex", "age") if name == "sex x age" else ("age", "sex"))
    by = tables["age_by_sex"].counts.T.groupby(level=list(found.variables), sort=False).sum().T
    assert np.array_equal(np.sort(found.targets.to_numpy(), axis=1), np.sort(by.to_numpy(), axis=1))
    male_old = found.targets.xs("male", axis=1, level="sex")["65+"].to_numpy().ravel()
    assert np.array_equal(male_old, tables["age_by_sex"].counts[("65", "1")])


def test_the_exact_table_comes_before_the_margin_and_the_wider_margin_before_the_narrower():
    survey, tables, geography = world()
    adults = table("adults", (AGE, HEALTH), np.ones((12, 15), int), geography.codes, universe=ADULTS)
    chosen = harmonise(survey, {"adults": adults, **tables}, geography, constraints=["age", "sex"]).constraints[0]
    assert np.array_equal(chosen.targets, tables["age"].counts)
    without = {"adults": adults, "age_by_sex": tables["age_by_sex"]}
    assert np.array_equal(harmonise(survey, without, geography, constraints=["age"]).constraints[0].targets, tables["age"].counts)


# categories


def test_categories_are_the_finest_that_both_can_express():
    survey, _, geography = world()
    fine = ages(0, 5, 16, 20, 25, 45, 60, 65, 80)
    counts = np.arange(12 * 9).reshape(12, 9)
    aligned = harmonise(survey, {"age": table("age", fine, counts, geography.codes)}, geography, constraints=["age"])
    constraint = aligned.constraints[0]
    assert constraint.cell_labels == ["0-15", "16-24", "25-44", "45-64", "65+"]
    expected = np.stack(
        [counts[:, :2].sum(1), counts[:, 2:4].sum(1), counts[:, 4], counts[:, 5:7].sum(1), counts[:, 7:].sum(1)], 1
    )
    assert np.array_equal(constraint.targets, expected)
    assert [c.atoms for c in constraint.categories[0]] == [c.atoms for c in AGE.categories]
    assert "coarse-join" not in codes(aligned.findings, "warning")


def test_a_coarser_join_than_either_source_is_said():
    survey, _, geography = world()
    crossing = ages(0, 16, 30, 65)
    aligned = harmonise(
        survey, {"age": table("age", crossing, np.ones((12, 4), int), geography.codes)}, geography, constraints=["age"]
    )
    assert aligned.constraints[0].cell_labels == ["0-15", "16-64", "65+"]
    found = next(f for f in aligned.findings if f.code == "coarse-join")
    assert found.place == "age: age"
    assert found.count == 3
    assert found.rows.survey[1] == "16-24; 25-44; 45-64"


def test_does_not_apply_in_a_table_is_an_ordinary_cell_where_it_has_atoms_and_none_where_it_has_not():
    survey, _, geography = world()
    work = Variable("work", (Category("1", "in work", frozenset(["in"])), Category("2", "not", frozenset(["not"])),
                             Category("3", "under 16", frozenset(["child"]))))  # fmt: skip
    with_atoms = replace(work, column="work")
    records = survey.records.assign(work=np.where(survey.records.age == "0", 3, np.arange(len(survey.records)) % 2 + 1))
    survey = replace(survey, records=records, variables={**survey.variables, "work": with_atoms})
    counts = np.tile([50, 30, 20], (12, 1))
    aligned = harmonise(survey, {"work": table("work", work, counts, geography.codes)}, geography, constraints=["work"])
    assert aligned.constraints[0].cell_labels == ["in work", "not", "under 16"]
    assert (aligned.constraints[0].record_cell >= 0).all()
    nobody = replace(work, categories=(*work.categories[:2], Category("3", "does not apply", frozenset())))
    survey = replace(survey, variables={**survey.variables, "work": replace(nobody, column="work")})
    aligned = harmonise(
        survey, {"work": table("work", nobody, counts, geography.codes, universe=ADULTS)}, geography, constraints=["work"]
    )
    assert aligned.constraints[0].cell_labels == ["in work", "not"]
    assert (aligned.constraints[0].targets.sum(axis=1) == 80).all()


@pytest.mark.parametrize(
    ("recode", "labels"),
    [
        (Recode(bands=(0, 25, 65)), ["0-24", "25-64", "65+"]),
        (Recode(bands=[16, 45]), ["0-15", "16-44", "45+"]),
        (Recode(merge=[["0-15", "16-24"]]), ["0-24", "25-44", "45-64", "65+"]),
        (Recode(map={"45-64": "old", "65+": "old"}), ["0-15", "16-24", "25-44", "old"]),
    ],
)
def test_recodes_coarsen_survey_and_table_alike(recode, labels):
    survey, tables, geography = world()
    plain = harmonise(survey, tables, geography, constraints=["age"])
    aligned = harmonise(survey, tables, geography, constraints=["age", "age x sex"], recodes={"age": recode})
    constraint = aligned.constraints[0]
    assert constraint.cell_labels == labels
    assert constraint.targets.to_numpy().sum() == plain.constraints[0].targets.to_numpy().sum()
    cell_of_old = np.array(
        [next(i for i, c in enumerate(constraint.categories[0]) if old.atoms <= c.atoms) for old in AGE.categories]
    )
    assert np.array_equal(constraint.record_cell, cell_of_old[plain.constraints[0].record_cell])
    assert "coarse-join" not in codes(aligned.findings, "warning", "error")
    assert aligned.constraints[1].targets.shape[1] == 2 * len(labels)


def test_bands_that_cut_a_category_are_widened_and_said():
    survey, tables, geography = world()
    aligned = harmonise(survey, tables, geography, constraints=["age"], recodes={"age": Recode(bands=(0, 16, 30, 65))})
    assert aligned.constraints[0].cell_labels == ["0-15", "16-64", "65+"]
    found = [f for f in aligned.findings if f.code == "coarse-join"]
    assert [(f.place, f.count) for f in found] == [("recode.age", 2)]


def test_a_map_can_name_codes_that_the_codebook_does_not_have():
    survey, tables, geography = world()
    survey.records.loc[survey.records.index[-5:], "health"] = 9
    assert codes(examine(survey, tables, geography, constraints=["health"])[1]) == ["unmapped-code"]
    aligned = harmonise(survey, tables, geography, constraints=["health"], recodes={"health": Recode(map={"9": "bad"})})
    assert (aligned.constraints[0].record_cell[-5:] == 2).all()
    assert aligned.constraints[0].cell_labels == ["good", "fair", "bad"]


@pytest.mark.parametrize("wrong", [{}, {"bands": (0, 16), "merge": [["a", "b"]]}, {"bands": (16, 0)}, {"bands": (-1, 4)}])
def test_a_recode_is_exactly_one_thing(wrong):
    with pytest.raises(ValueError):
        Recode(**wrong)


# universes


def test_a_table_crossed_with_age_serves_a_survey_of_adults():
    survey, tables, geography = world()
    rng = np.random.default_rng(2)
    split = np.stack([rng.multinomial(n, [0.5, 0.3, 0.2]) for n in tables["age"].counts.to_numpy().ravel()]).reshape(12, 15)
    joint = table("age_by_health", (AGE, HEALTH), split, geography.codes)
    adults = replace(survey, records=survey.records[survey.records.age != "0"], universe=ADULTS)
    aligned = harmonise(adults, {"age": tables["age"], "age_by_health": joint}, geography, constraints=["age", "health"])
    assert np.array_equal(aligned.constraints[0].targets, tables["age"].counts.to_numpy()[:, 1:])
    expected = split.reshape(12, 5, 3)[:, 1:].sum(axis=1)
    assert np.array_equal(aligned.constraints[1].published, expected)
    assert {f.level for f in aligned.findings if f.code == "narrow-universe"} == {"note"}


def test_a_survey_whose_codes_know_no_children_covers_adults_only():
    survey, tables, geography = world()
    adults = replace(
        survey, records=survey.records[survey.records.age != "0"], variables={**survey.variables, "age": ages(16, 25, 45, 65)}
    )
    aligned, findings = examine(adults, tables, geography, constraints=["age", "health"])
    assert aligned is None
    assert [(f.code, f.place) for f in findings if f.level == "error"] == [("narrow-universe", "health")]


def test_properties_of_the_sample_are_taken_on_trust_where_the_survey_does_not_record_them():
    survey, tables, geography = world()
    resident = Universe("usual residents", members={"population_base": frozenset(["usual resident"])})
    tables = {name: replace(t, universe=resident) for name, t in tables.items()}
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex"])
    assert len(aligned.records) == 400
    private = replace(survey, universe=Universe("people in households", members={"residence_type": frozenset(["household"])}))
    aligned = harmonise(private, tables, geography, constraints=["age", "sex"])
    assert {f.level for f in aligned.findings if f.code == "narrow-universe"} == {"warning"}
    kinds = ("usual resident", "short-term resident")
    base = Variable("population_base", tuple(Category(str(i + 1), k, frozenset([k])) for i, k in enumerate(kinds)), "base")
    recorded = replace(
        survey, records=survey.records.assign(base=[2] * 7 + [1] * 393), variables={**survey.variables, "population_base": base}
    )
    aligned = harmonise(recorded, tables, geography, constraints=["age", "sex"])
    assert list(aligned.records) == list(survey.records.index[7:])


def test_records_outside_every_universe_are_left_out():
    survey, tables, geography = world()
    adults = {"health": replace(tables["health"], universe=ADULTS)}
    aligned = harmonise(survey, adults, geography, constraints=["health"])
    assert list(aligned.records) == list(survey.records.index[survey.records.age != "0"])
    assert aligned.constraints[0].universe.name == ADULTS.name


# records


def test_records_without_a_value_or_weight_are_left_out_and_counted():
    survey, tables, geography = world()
    records = survey.records.astype({"health": float})
    records.iloc[50:58, records.columns.get_loc("health")] = np.nan
    records.iloc[60:63, records.columns.get_loc("weight")] = 0
    survey = replace(survey, records=records)
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex"], held_out=["health"])
    assert len(aligned.records) == 397
    assert (aligned.held_out[0].record_cell == -1).sum() == 8
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex", "health"])
    assert len(aligned.records) == 389
    found = {f.code: f for f in aligned.findings if f.level == "warning"}
    assert found["missing-value"].count == 8
    assert list(found["missing-value"].rows.record) == list(records.index[50:58])
    assert found["zero-weight"].count == 3
    assert list(aligned.weight) == list(records.weight[aligned.records])


def test_every_record_is_in_the_cell_of_its_codes():
    survey, tables, geography = world()
    aligned = harmonise(survey, tables, geography, constraints=["age", "health"], held_out=["age x sex"])
    frame = aligned.frame()
    for constraint, columns in zip([*aligned.constraints, *aligned.held_out], [["age"], ["health"], ["age", "sex"]], strict=True):
        variables = [survey.variables[c] for c in columns]
        labels = [{c.code: c.label for c in v.categories} for v in variables]
        said = [" x ".join(labels[i][str(v)] for i, v in enumerate(row)) for row in frame[columns].itertuples(index=False)]
        assert [constraint.cell_labels[c] for c in constraint.record_cell] == said


@pytest.mark.parametrize("kind", [str, float, "category", "Int64", "string"])
def test_codes_are_met_however_the_file_was_read(kind):
    survey, tables, geography = world()
    records = survey.records.copy()
    records["health"] = records["health"].astype(kind)
    aligned = harmonise(replace(survey, records=records), tables, geography, constraints=["health"])
    assert np.array_equal(aligned.constraints[0].record_cell, survey.records.health - 1)


# zones


def test_zones_keep_the_order_of_the_geography():
    survey, tables, geography = world()
    some = [geography.codes[i] for i in (7, 2, 5)]
    aligned = harmonise(survey, tables, geography, constraints=["age"], zones=some)
    assert list(aligned.zones) == [geography.codes[i] for i in (2, 5, 7)]
    assert list(aligned.constraints[0].targets.index) == list(aligned.zones)


@pytest.mark.parametrize("name", ["Southby", "southby", "E07000002"])
def test_zones_of_a_parent_by_name_or_code(name):
    survey, tables, geography = world()
    aligned = harmonise(survey, tables, geography, constraints=["age"], parent=("lad", name))
    assert list(aligned.zones) == list(geography.codes[6:])
    both = harmonise(survey, tables, geography, constraints=["age"], parent=("lad", name), zones=list(geography.codes[4:8]))
    assert list(both.zones) == list(geography.codes[6:8])


@settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_columns_and_records_changes_nothing(random):
    survey, tables, geography = world(noise=1.0)
    names = ["age", "sex", "age x sex"]
    plain = harmonise(survey, tables, geography, constraints=names)

    def shuffled(frame, axis):
        order = list(range(frame.shape[axis]))
        random.shuffle(order)
        return frame.iloc[order] if axis == 0 else frame.iloc[:, order]

    mixed = {name: replace(t, counts=shuffled(shuffled(t.counts, 0), 1)) for name, t in tables.items()}
    records = shuffled(survey.records, 0)
    other = harmonise(replace(survey, records=records), mixed, Geography(shuffled(geography.zones, 0)), constraints=names)
    for a, b in zip(plain.constraints, other.constraints, strict=True):
        assert np.array_equal(a.targets, b.targets.loc[a.targets.index])
        cells = pd.Series(b.record_cell, other.records)
        assert np.array_equal(a.record_cell, cells[plain.records])


# everything else


def test_findings_of_reading_come_first_and_are_not_said_twice():
    survey, tables, geography = world()
    tables["age"] = replace(tables["age"], findings=(finding("encoding", "Not UTF-8.", place="age.csv"),))
    geography = replace(geography, findings=(finding("unknown-zone", "One more.", place="lookup.csv"),))
    survey = replace(survey, findings=(finding("missing-value", "Seven.", place="survey.csv"),))
    found = harmonise(survey, tables, geography, constraints=["age"]).findings
    assert [f.code for f in found][:3] == ["missing-value", "unknown-zone", "encoding"]


def test_a_published_total_that_the_cells_miss_is_said_only_beyond_perturbation():
    survey, tables, geography = world(noise=1.5)
    total = tables["age"].counts.sum(axis=1)
    near = replace(tables["age"], total=total + np.tile([3, -3], 6))
    assert "incomplete-cells" not in codes(harmonise(survey, {"age": near}, geography, constraints=["age"]).findings, "warning")
    far = replace(tables["age"], total=total + 60)
    found = next(
        f for f in harmonise(survey, {"age": far}, geography, constraints=["age"]).findings if f.code == "incomplete-cells"
    )
    assert (found.place, found.count) == ("age", 12)
    assert "720 too few in all" in found.message


def test_aligned_holds_what_formulating_and_validating_need():
    survey, tables, geography = world()
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex"], held_out=["health"])
    assert aligned.survey is survey
    for constraint in [*aligned.constraints, *aligned.held_out]:
        assert constraint.record_cell.dtype == np.int32
        assert constraint.targets.to_numpy().dtype == np.float64
        assert isinstance(constraint.targets.columns, pd.MultiIndex)
        assert list(constraint.targets.columns.names) == list(constraint.variables)
        assert constraint.universe == EVERYBODY
        assert (observed(aligned, constraint) > 0).all()
    assert isinstance(tables["age"], BenchmarkTable)
    assert SEX.name == "sex"


def test_universe_and_member_atoms_need_not_reach_the_same_oldest_age():
    survey, tables, geography = world()
    work = Universe("aged 16 to 64", members={"age": age_atoms(16, 64)})
    tables["health"] = replace(tables["health"], universe=work)
    aligned, findings = examine(survey, tables, geography, constraints=["age", "health"])
    assert codes(findings) == ["total-mismatch"]
    aligned = harmonise(survey, tables, geography, constraints=["age", "health"], total_from="age")
    assert set(survey.records.age[aligned.constraints[1].record_cell == -1]) == {"0", "65"}


def test_labels_that_two_sources_share_for_different_people_stay_apart():
    survey, _, geography = world()
    mine = variable("group", "a", "other", column="group", other=["x", "y"], a=["a"])
    theirs = variable("group", "a", "other", "x", other=["y"], x=["x"])
    records = survey.records.assign(group=np.arange(400) % 2 + 1)
    survey = replace(survey, records=records, variables={**survey.variables, "group": mine})
    aligned = harmonise(
        survey, {"group": table("group", theirs, np.ones((12, 3), int), geography.codes)}, geography, constraints=["group"]
    )
    assert aligned.constraints[0].cell_labels == ["a", "other"]
    assert (aligned.constraints[0].targets.to_numpy() == [1, 2]).all()


def nested(atoms, noise=0):
    """A study whose table of health has 'not good', which is fair and bad together."""
    survey, tables, geography = world(40)
    counts = tables["health"].counts.to_numpy()
    whole = counts[:, 1:].sum(axis=1) + np.random.default_rng(5).integers(-noise, noise + 1, 40)
    last = HEALTH.categories[1].atoms | HEALTH.categories[2].atoms if atoms else frozenset()
    described = Variable("health", (*HEALTH.categories, Category("9", "not good", last)))
    tables["health"] = table("health", described, np.column_stack([counts, whole]), geography.codes)
    return survey, tables, geography


@pytest.mark.parametrize("n", [1, 4, 40])
@pytest.mark.parametrize(("atoms", "noise"), [(True, 0), (True, 2), (False, 0)])
def test_a_subtotal_is_left_out_however_few_zones_are_studied(n, atoms, noise):
    survey, tables, geography = nested(atoms, noise)
    whole = tables["health"]
    aligned = harmonise(survey, tables, geography, constraints=["health"], zones=list(geography.codes[:n]))
    assert aligned.constraints[0].targets.equals(aligned.constraints[0].published)
    assert np.array_equal(aligned.constraints[0].targets, whole.counts.to_numpy()[:n, :3])
    found = [f for f in aligned.findings if f.code == "nested-subtotal"]
    assert [f.level for f in found] == ["note" if atoms else "warning"]
    assert not any(f.code == "coarse-join" for f in aligned.findings)


def test_a_table_of_one_zone_has_its_subtotal_found_by_atoms():
    survey, tables, geography = nested(atoms=True)
    first = geography.codes[:1]
    tables["health"] = replace(tables["health"], counts=tables["health"].counts.loc[first])
    aligned = harmonise(survey, tables, Geography(geography.zones.loc[first]), constraints=["health"])
    assert aligned.constraints[0].targets.to_numpy().sum() == 300


def test_a_codebook_that_contradicts_the_counts_drops_nobody():
    survey, tables, geography = nested(atoms=True)
    tables["health"].counts.iloc[:, 3] //= 2
    _, findings = examine(survey, tables, geography, constraints=["health"])
    assert "nested-subtotal" not in {f.code for f in findings}


def test_polygons_that_only_other_zones_lack_are_not_missed():
    from synthpop_gb.errors import finding
    from synthpop_gb.geography import Geography
    from synthpop_gb.harmonisation.zones import choose_zones

    lacking = finding("missing-boundary", "x", place="b", count=1, rows=pd.DataFrame({"zone": ["B"]}))
    places = Geography(pd.DataFrame(index=pd.Index(["A", "B"], name="zone")), findings=(lacking,))
    assert choose_zones(places, ["A"])[0].findings == ()
    assert [f.count for f in choose_zones(places, ["A", "B"])[0].findings] == [1]
