"""The codebooks as data: every category means something, none of a source overlaps another, and sources meet as they should."""

import tomllib
from importlib.resources import files

import pytest

from synthpop_gb.codebook import age_atoms, common_categories
from synthpop_gb.read import universe, variable
from synthpop_gb.read._codebooks import atoms_of, category, codebook_file, common, common_name, common_variables, guess_variable

BOOKS = sorted(
    p.name.removesuffix(".toml") for p in files("synthpop_gb").joinpath("codebooks").iterdir() if p.name.endswith(".toml")
)
TEACHING = ("teaching_2011", "teaching_2021")
TABLES = ("tables_2021", "tables_2011", "tables_scotland")


def teaching(book, name):
    entry = codebook_file(book)[name]
    return {code: atoms_of(name, meaning) if meaning != [] else frozenset() for code, meaning in entry["codes"].items()}


@pytest.mark.parametrize("name", BOOKS)
def test_every_codebook_is_valid_toml_with_its_story(name):
    text = files("synthpop_gb").joinpath("codebooks", f"{name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# "), "a codebook begins by saying what it describes"
    assert tomllib.loads(text)


@pytest.mark.parametrize("name", sorted(common_variables()))
def test_groups_are_made_of_atoms_and_every_spelling_has_one_meaning(name):
    known = common(name)
    assert known.label
    for group, members in known.groups.items():
        assert members <= set(known.atoms), f"{name}: {group} holds something that is no atom"
        assert len(members) > 1, f"{name}: {group} is no group"
    assert set().union(*known.meaning.values()) if known.meaning else known.name == "age"
    for atom in known.atoms:
        assert atoms_of(name, atom) == {atom}


@pytest.mark.parametrize("book", TABLES)
def test_tables_name_known_variables_and_universes_that_are_understood(book):
    for table, entry in codebook_file(book)["tables"].items():
        assert all(v in common_variables() for v in entry["variables"]), table
        if "unit" not in entry:
            assert universe(entry["universe"]) is not None, table
        for label, meaning in entry.get("labels", {}).items():
            assert atoms_of(entry["variables"][0], meaning), (table, label)


def test_tidied_tables_name_categories_that_are_known():
    for name, entry in codebook_file("tables_tidy").items():
        assert universe(entry["universe"]) is not None, name
        for meaning in entry.get("columns", {}).values():
            for v, label in zip(entry["variables"], [meaning] if isinstance(meaning, str) else meaning, strict=True):
                assert category(v, label).atoms, (name, label)
        if "remainder" in entry:
            assert atoms_of(entry["variables"][0], entry["remainder"]), name


def test_long_files_name_tables_that_exist():
    book = codebook_file("tables_long")
    assert set(book["same_as"].values()) <= set(codebook_file("tables_2021")["tables"])


@pytest.mark.parametrize("book", TEACHING)
def test_teaching_files_describe_every_code_without_overlap(book):
    for name, entry in codebook_file(book).items():
        if name == "file":
            continue
        found = teaching(book, name)
        for code, meaning in entry["codes"].items():
            assert meaning == [] or found[code], f"{book} {name} {code}: {meaning!r} is in no codebook"
        atoms = [a for m in set(found.values()) for a in m]
        assert len(atoms) == len(set(atoms)), f"{book} {name}: categories overlap"


def test_sex_codes_flip_between_the_censuses():
    assert teaching("teaching_2011", "sex") == {"1": {"male"}, "2": {"female"}}
    assert teaching("teaching_2021", "sex") == {"1": {"female"}, "2": {"male"}}


def test_chinese_sits_with_other_in_2011_and_with_asian_in_the_tables():
    old, new = teaching("teaching_2011", "ethnic_group"), teaching("teaching_2021", "ethnic_group")
    assert "chinese" in old["5"]
    assert "chinese" not in old["3"]
    assert "chinese" in new["1"]
    assert "chinese" in atoms_of("ethnic_group", "Asian, Asian British or Asian Welsh")
    assert "roma" in old["1"]


def test_ages_of_the_teaching_files_end_where_they_say():
    assert teaching("teaching_2011", "age")["8"] == age_atoms(75)
    assert teaching("teaching_2021", "age")["7"] == age_atoms(65)
    assert frozenset().union(*teaching("teaching_2011", "age").values()) == age_atoms(0)


def test_no_code_required_belongs_to_no_category():
    assert teaching("teaching_2011", "health")["-9"] == frozenset()
    assert teaching("teaching_2011", "in_employment")["-9"] == {"not in employment"}


def test_2011_records_meet_2021_ethnic_groups_in_four_categories():
    """White, mixed and black as they stand; Asian and Chinese or other fall together, since Chinese changes sides."""
    old = variable(
        "ethnic_group", "x", {c: m for c, m in codebook_file("teaching_2011")["ethnic_group"]["codes"].items() if m != []}
    )
    five = variable("ethnic_group", "", {"a": "asian", "b": "black", "m": "mixed", "w": "white", "o": "other"})
    assert [c.label for c in common_categories([old, five])] == [
        "white",
        "mixed",
        "asian except chinese or chinese or other",
        "black",
    ]


def test_variables_are_told_from_their_labels():
    assert guess_variable(["asian", "black", "mixed", "other", "white"]) == "ethnic_group"
    assert guess_variable(["Aged 15 years and under", "Aged 16 to 24 years", "Aged 25 years and over"]) == "age"
    assert guess_variable(["Female", "Male"]) == "sex"
    assert guess_variable(["yes", "no"]) is None, "several variables say yes and no"
    assert guess_variable(["15 or less", "16 to 30", "31 to 48", "49 or more"], "hours worked") == "hours"
    assert guess_variable([]) is None


def test_headings_name_variables():
    assert common_name("Ethnic group (20 categories)") == "ethnic_group"
    assert common_name("C2021_HEALTH_6_NAME") == "health"
    assert common_name("Purple") is None


def test_labels_of_no_codebook_are_atoms_of_their_own_and_equal_when_equal():
    assert category("cake", "3-5").atoms == category("cake", "3-5", "b").atoms
    assert category("nssec", "Other").atoms == {"other"}


def test_strings_that_look_like_formulas_or_markup_stay_text():
    for text in ('=HYPERLINK("http://x")', "<script>alert(1)</script>", "+1+1", "@SUM(A1)"):
        assert category("thing", text).label == text


@pytest.mark.parametrize(
    ("text", "unit", "members"),
    [
        ("All usual residents", "person", {"population_base"}),
        ("Total: All usual residents aged 16 years and over", "person", {"population_base", "age"}),
        (
            "All usual residents aged 16 years and over in employment the week before the census",
            "person",
            {"population_base", "age", "in_employment"},
        ),
        ("people aged 16 to 74", "person", {"age"}),
        ("usual residents in households", "person", {"population_base", "residence_type"}),
        ("Total: All households", "household", set()),
        ("All household spaces", "household", set()),
        ("usual residents with a second address", "person", {"population_base", "second_address"}),
        ("women aged 16-44", "person", {"age", "sex"}),
    ],
)
def test_universes_from_their_words(text, unit, members):
    found = universe(text)
    assert (found.unit, set(found.members)) == (unit, members)


def test_universes_keep_their_ages():
    assert universe("residents under 16").members["age"] == age_atoms(0, 15)
    assert universe("people aged 16 to 74").members["age"] == age_atoms(16, 74)
    assert universe("usual residents aged 16 and over not in employment").members["in_employment"] == {"not in employment"}
    assert universe("non-UK born short-term residents").members["population_base"] == {"short-term resident"}
    assert universe("bananas") is None
