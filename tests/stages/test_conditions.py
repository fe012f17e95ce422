"""Conditions are parsed, never run; they mean what a plain reading by hand means, and every mistake is named with its place."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.codebook import Category, Variable, age_atoms, age_label
from synthpop_gb.errors import InputError
from synthpop_gb.indicators import parse_condition, share_by_zone
from synthpop_gb.indicators.conditions import And, Comparison, Not, Or
from synthpop_gb.population import DonorCounts
from tests.stages.grid_world import solved


def bands(*limits):
    ends = [x - 1 for x in limits[1:]] + [None]
    atoms = [age_atoms(a, b) for a, b in zip(limits, ends, strict=True)]
    return Variable("age", tuple(Category(str(i + 1), age_label(a), a) for i, a in enumerate(atoms)), "AGEP")


AGE = bands(0, 16, 65, 75)
HEALTH = Variable(
    "health", (*(Category(str(i + 1), x, frozenset([x])) for i, x in enumerate(["good", "bad", "very bad"])),
               Category("-9", "not asked", frozenset())), "HEALTH",
)  # fmt: skip
VARIABLES = {"age": AGE, "health": HEALTH}
SURVEY = pd.DataFrame(
    {
        "AGEP": [1, 2, 3, 4, 3, 3],
        "HEALTH": [1, 2, 3, 1, -9, 7],
        "Hours Worked": [0.0, 37.5, np.nan, 10.0, 5.0, 1.0],
        "smokes": ["yes", "no", "Yes", None, "no", "no"],
    }
)


def met(text, frame=SURVEY, variables=VARIABLES):
    return np.flatnonzero(parse_condition(text).matches(frame, variables)).tolist()


def refused(text, frame=SURVEY, variables=VARIABLES):
    with pytest.raises(InputError) as caught:
        parse_condition(text).matches(frame, variables)
    assert {f.code for f in caught.value.findings} == {"bad-condition"}
    return [f.message for f in caught.value.findings]


def test_tree_and_precedence():
    tree = parse_condition("a = 1 or b = 2 and not c in ('x', 'y')").root
    a, b, c = Comparison("a", "=", (1.0,), 1), Comparison("b", "=", (2.0,), 10), Comparison("c", "in", ("x", "y"), 24)
    assert tree == Or((a, And((b, Not(c)))))
    assert parse_condition("(a = 1 or b = 2) and c = 3").names == ("a", "b", "c")
    assert parse_condition("A == 'it''s'").root.values == ("it's",)
    assert parse_condition('A = "say ""x"""').root.values == ('say "x"',)
    assert parse_condition("`Hours Worked` >= -1.5e1").root == Comparison("Hours Worked", ">=", (-15.0,), 1)
    assert parse_condition("a != 1").root == parse_condition("a <> 1").root == Not(Comparison("a", "=", (1.0,), 1))


def test_labels_codes_and_columns():
    assert met("health = 'BAD'") == met("health = 2") == met("HEALTH = '2'") == [1]
    assert met("health in ('bad', 'Very  bad')") == [1, 2]
    assert met("smokes = 'yes'") == [0, 2]
    assert met("`Hours Worked` > 5") == met("hours_worked > 5") == [1, 3]
    assert met("health = 'not asked'") == [4]


def test_a_variable_without_a_column_is_found_by_its_name():
    sex = Variable("sex", (Category("m", "male", frozenset(["male"])), Category("f", "female", frozenset(["female"]))))
    assert sex.column == ""
    assert met("sex = 'male'", pd.DataFrame({"sex": ["f", "m", "m"]}), {"sex": sex}) == [1, 2]
    assert "'male'" in refused("sex = 'mael'", pd.DataFrame({"sex": ["f"]}), {"sex": sex})[0]


def test_a_hyphen_between_words_is_a_space_and_that_of_a_number_is_not():
    assert met("health = 'very-bad'") == met("health = 'very_bad'") == [2]
    assert met("smokes = 'self-employed'", pd.DataFrame({"smokes": ["Self employed", "no"]}), {}) == [0]
    assert met("health = '-9'") == [4]
    assert "no category '9'" in refused("health = '9'")[0]


def test_ages_go_by_whole_bands():
    assert met("age >= 65") == [2, 3, 4, 5]
    assert met("age < 16 or age >= 75") == [0, 3]
    assert met("age > 64") == met("age >= 65")
    assert met("age = '65-74'") == met("age in ('65-74')") == [2, 4, 5]
    assert met("age in ('65+')") == [2, 3, 4, 5]
    (message,) = refused("age >= 70")
    assert "cuts through '65-74'" in message
    assert "'16-64'" in message
    (message,) = refused("age = 70")
    assert "cuts through '65-74'" in message


def test_labels_of_bands_without_a_codebook():
    frame = pd.DataFrame({"age": ["0-15", "16 to 64", "65+"], "n": [1, 2, 3]})
    assert met("age >= 65", frame, {}) == [2]
    assert met("age >= 16 and n != 3", frame, {}) == [1]
    assert "cuts through" in refused("age >= 20", frame, {})[0]


def test_who_has_no_value_meets_neither_side():
    assert met("health = 'good'") == [0, 3]
    assert met("health != 'good'") == met("not health = 'good'") == [1, 2]  # code -9 and an unknown code are neither
    assert met("`Hours Worked` < 20 or not `Hours Worked` < 20") == [0, 1, 3, 4, 5]
    assert met("health = 'good' or age >= 65") == [0, 2, 3, 4, 5]  # one side known to hold is enough


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected the name of a variable at character 1, found the end"),
        ("health = bad", "expected a value at character 10, found 'bad'. Put text between quotes: 'bad'"),
        ("health 'bad'", "expected a comparison"),
        ("health in 'bad'", "expected '(' at character 11"),
        ("health in ()", "expected a value at character 12"),
        ("health in ('bad'", "expected ',' or ')' at character 17, found the end"),
        ("health = 'bad' age > 3", "expected 'and', 'or' or the end at character 16, found 'age'"),
        ("(health = 'bad'", "expected ')' at character 16, found the end"),
        ("health = 'bad' & age > 3", "cannot read '&' at character 16 (write 'and')"),
        ("health = 'bad", "a quote is not closed"),
        ("health not 'bad'", "expected 'in' at character 12"),
        ("(" * 60 + "a = 1" + ")" * 60, "more than 50 parts inside each other"),
        ("__import__('os')", "expected a comparison (=, !=, <, <=, >, >=, in) at character 11"),
        ("age >= 65; drop", "cannot read ';' at character 10"),
    ],
)
def test_where_it_cannot_be_understood(text, said):
    with pytest.raises(InputError, match="bad-condition") as caught:
        parse_condition(text)
    assert said in caught.value.findings[0].message


def test_every_unknown_word_at_once_with_the_nearest():
    messages = refused("helth = 'bad' and health = 'very bda' and smokes = 'noo' and smokes > 3 and health >= 2 and age < 'old'")
    assert len(messages) == 6
    assert "Did you mean 'health'?" in messages[0]
    assert "Did you mean 'very bad'?" in messages[1]
    assert "Did you mean 'no'?" in messages[2]
    assert "has no order" in messages[3]
    assert "name its categories" in messages[4]
    assert "needs a number" in messages[5]


def test_labels_after_harmonising_count_too():
    aligned, _, _ = solved()
    frame = aligned.frame()
    assert parse_condition("age >= 45").matches(aligned).tolist() == frame["age"].isin(["45", "65"]).tolist()
    assert (
        parse_condition("health = 'bad' and sex = 'female'").matches(aligned).sum()
        == ((frame.health == 3) & (frame.sex == 2)).sum()
    )


# a slow twin: Python's own reading of the same tree, row by row, with None for 'not known'
leaves = st.one_of(
    st.builds(lambda v, o: (f"a {o} {v}", ("a", o, v)), st.integers(-3, 3), st.sampled_from(["<", "<=", ">", ">=", "=", "!="])),
    st.builds(
        lambda v: (f"b in ({', '.join(map(repr, v))})", ("b", "in", v)), st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)
    ),
)
trees = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.builds(lambda p: (f"not ({p[0]})", ("not", p[1])), part),
        st.builds(lambda w, p: (f" {w} ".join(f"({t})" for t, _ in p), (w, [m for _, m in p])), st.sampled_from(["and", "or"]),
                  st.lists(part, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)  # fmt: skip


def by_hand(meaning, row):
    if meaning[0] == "not":
        known = by_hand(meaning[1], row)
        return None if known is None else not known
    if meaning[0] in ("and", "or"):
        found, decides = [by_hand(m, row) for m in meaning[1]], meaning[0] == "or"
        return decides if decides in found else None if None in found else not decides
    value, operator, other = row[meaning[0]], meaning[1], meaning[2]
    if value is None or value != value:
        return None
    if operator == "in":
        return value in other
    compare = {"<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other, "=": value == other}
    return value != other if operator == "!=" else compare[operator]


@given(
    trees, st.lists(st.tuples(st.sampled_from([-2.0, 0.0, 1.0, 3.0, np.nan]), st.sampled_from(["x", "y", "z", None])), max_size=8)
)
def test_equals_a_reading_by_hand(tree, rows):
    text, meaning = tree
    # every label occurs once, so that none is refused as a slip of the pen
    frame = pd.DataFrame([*rows, (0.0, "x"), (0.0, "y"), (0.0, "z")], columns=["a", "b"])
    wanted = [
        by_hand(meaning, {"a": a, "b": b if isinstance(b, str) else None}) is True for a, b in frame.itertuples(index=False)
    ]
    assert parse_condition(text).matches(frame).tolist() == wanted
    decided = [by_hand(meaning, {"a": a, "b": b if isinstance(b, str) else None}) for a, b in frame.itertuples(index=False)]
    assert parse_condition(text).known(frame).tolist() == [d is not None for d in decided]


def test_shares_by_zone():
    record, n = np.array([0, 2, 1, 2], np.int32), np.array([3, 1, 5, 2], np.int32)
    block = DonorCounts(pd.Index(["a", "empty", "b"]), np.array([0, 2, 2, 4]), record, n)
    found = share_by_zone([block], np.array([True, False, True]), pd.Index(["b", "a", "empty", "elsewhere"]))
    assert found["people"].tolist() == [7, 4, 0, 0]
    assert found["matching"].tolist() == [2, 4, 0, 0]
    assert found["share"].tolist()[:2] == pytest.approx([2 / 7, 1.0])
    assert found["share"].isna().tolist() == [False, False, True, True]
    assert found.index.name == "zone"


def test_shares_equal_the_expanded_people():
    aligned, population, _ = solved()
    mask = parse_condition("age >= 65 or health = 'bad'").matches(aligned)
    found = share_by_zone(population.blocks(5), mask, aligned.zones)
    for zone in aligned.zones[:3]:
        donors = population.donors([zone])
        assert found.loc[zone, "matching"] == donors.n[mask[donors.record]].sum()
    assert found["people"].sum() == population.people


def test_who_did_not_answer_is_not_in_the_base_of_a_share():
    frame = pd.DataFrame({"smokes": ["yes", "no", None]})
    block = DonorCounts(
        pd.Index(["a", "silent"]), np.array([0, 3, 4]), np.array([0, 1, 2, 2], np.int32), np.array([3, 3, 4, 9], np.int32)
    )
    found = {}
    for text in ("smokes = 'yes'", "smokes = 'no'"):
        condition = parse_condition(text)
        found[text] = share_by_zone([block], condition.matches(frame), pd.Index(["a", "silent"]), condition.known(frame))
    yes, no = found.values()
    assert yes.columns.tolist() == ["people", "known", "matching", "share"]
    assert yes["people"].tolist() == [10, 9]
    assert yes["known"].tolist() == [6, 0]
    assert yes.loc["a", "share"] + no.loc["a", "share"] == 1
    assert yes["share"].isna().tolist() == [False, True]
    everybody = share_by_zone([block], parse_condition("smokes = 'yes'").matches(frame), pd.Index(["a"]))
    assert everybody.loc["a"].tolist() == [10, 10, 3, 0.3]
