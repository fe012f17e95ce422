"""Tables of several nations in one constraint: categories, universes, gaps, perturbation by zone, and studies across a border."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.aligned import AlignedTable
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.export import geopackage, people
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import examine, harmonise
from synthpop_gb.harmonisation.joining import join_tables
from synthpop_gb.harmonisation.zones import choose_zones
from synthpop_gb.indicators import share_by_zone
from synthpop_gb.microdata import Microdata
from synthpop_gb.validation import validate
from synthpop_gb.validation.noise import noise_measures

EVERYBODY = Universe("usual residents")
ENGLAND = [f"E0100000{i}" for i in range(1, 5)]
SCOTLAND = [f"S0100650{i}" for i in range(1, 4)]
SEX = Variable("sex", (Category("f", "female", frozenset("f")), Category("m", "male", frozenset("m"))))


def ages(*bands):
    return Variable("age", tuple(Category(str(a), f"{a}-{b}" if b else f"{a}+", age_atoms(a, b)) for a, b in bands))


ENGLISH, SCOTTISH = ages((0, 15), (16, 24), (25, 64), (65, None)), ages((0, 15), (16, 17), (18, 64), (65, 79), (80, None))


def table(name, variables, zones, counts, **more):
    cells = pd.MultiIndex.from_product([[c.code for c in v.categories] for v in variables], names=[v.name for v in variables])
    frame = pd.DataFrame(counts, pd.Index(zones, name="zone"), cells)
    return BenchmarkTable(name, frame, tuple(variables), **{"universe": EVERYBODY, **more})


def nations():
    """England's age and sex by themselves, Scotland's as one joint table: 30 people in every zone."""
    english = table("ew_age", [ENGLISH], ENGLAND, [[6, 4, 13, 7]] * 4, standard_error=0.5, year=2021)
    sex = table("ew_sex", [SEX], ENGLAND, [[16, 14]] * 4, standard_error=0.5, year=2021)
    joint = table("s_joint", [SCOTTISH, SEX], SCOTLAND, [[3, 4, 1, 1, 8, 7, 2, 2, 1, 1]] * 3, standard_error=1.1, year=2022)
    return {t.name: t for t in (english, sex, joint)}


def survey(n=400, seed=3):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": rng.integers(0, 95, n), "sex": rng.choice(["f", "m"], n)}, pd.RangeIndex(n, name="id"))
    years = Variable("age", tuple(Category(str(a), str(a), age_atoms(a, a)) for a in range(95)), "age")
    return Microdata("made", frame, {"age": years, "sex": SEX.with_column("sex")}, EVERYBODY, year=2021, licence="open")


def border(**more):
    zones = pd.DataFrame(
        {
            "msoa": ["E02000001"] * 2 + ["E02000002"] * 2 + [None] * 3,
            "iz": [None] * 4 + ["S02000001"] * 3,
            "lad": ["N"] * 4 + ["B"] * 3,
        },
        pd.Index(ENGLAND + SCOTLAND, name="zone"),
    )
    return Geography(zones, **more)


def codes(findings):
    return [f.code for f in findings]


def join(tables, names, zones=None):
    zones = pd.Index(ENGLAND + SCOTLAND if zones is None else zones)
    return join_tables(tables, names, zones, zones)


def test_parts_are_joined_over_the_categories_that_all_tell_apart():
    made, findings = join(nations(), ["age", "sex"])
    assert [c.label for c in made["age"].variables[0].categories] == ["0-15", "16-64", "65+"]
    assert made["age"].counts.loc[ENGLAND[0]].tolist() == [6, 17, 7]
    assert made["age"].counts.loc[SCOTLAND[0]].tolist() == [7, 17, 6]
    assert made["sex"].counts.loc[SCOTLAND[0]].tolist() == [15, 15]
    assert codes(findings) == ["joined-tables", "coarse-join", "joined-tables"]
    assert findings[0].rows["zones"].tolist() == [4, 3]
    assert all(f.level == "note" for f in findings)


def test_each_part_keeps_its_own_perturbation():
    made, _ = join(nations(), ["age", "sex"])
    errors = made["age"].errors
    assert np.allclose(errors.loc[ENGLAND[0]], 0.5 * np.sqrt([1, 2, 1]))
    assert np.allclose(errors.loc[SCOTLAND[0]], 1.1 * np.sqrt([2, 4, 4]))
    assert made["age"].standard_error == pytest.approx(2.2)
    exact = {k: replace(t, standard_error=0.0) for k, t in nations().items()}
    joined, _ = join(exact, ["age"])
    assert joined["age"].errors is None
    assert joined["age"].standard_error == 0


def test_what_one_table_answers_is_left_alone():
    tables = nations()
    for names, zones in ((["age"], ENGLAND), (["age x sex"], SCOTLAND), (["ew_age", "s_joint"], None), (["health"], None)):
        made, findings = join(tables, names, zones)
        assert made == tables
        assert not findings


def test_exact_tables_are_joined_whatever_their_codes():
    tables = {
        "north": table("north", [ENGLISH], ["a", "b"], [[1, 2, 3, 4]] * 2),
        "south": table("south", [SCOTTISH], ["c"], [[1] * 5]),
    }
    made, _ = join(tables, ["age"], ["c", "a", "b"])
    assert sorted(made["age"].counts.index) == ["a", "b", "c"]
    assert made["age"].counts.loc["c"].tolist() == [1, 2, 2]


def test_a_margin_does_not_mend_a_table_that_lacks_zones():
    tables = nations()
    tables["ew_age"] = replace(tables["ew_age"], counts=tables["ew_age"].counts.iloc[:3])
    spare = table("ew_joint", [ENGLISH, SEX], ENGLAND, [[3, 3, 2, 2, 6, 7, 3, 4]] * 4)
    made, _ = join({**tables, "ew_joint": spare}, ["age"])
    assert ENGLAND[3] not in made.get("age", tables["ew_age"]).counts.index


def test_zones_in_two_tables_are_refused():
    tables = nations()
    tables["again"] = table("again", [ENGLISH], [ENGLAND[0]], [[6, 4, 13, 7]])
    made, findings = join(tables, ["age"])
    assert "age" not in made
    assert codes(findings) == ["duplicate-zone"]
    assert findings[0].rows["zone"].tolist() == [ENGLAND[0]]


def test_unlike_universes_are_refused():
    tables = nations()
    adults = Universe("usual residents aged 16 and over", "person", {"age": age_atoms(16)})
    tables["ew_age"] = replace(tables["ew_age"], universe=adults)
    made, findings = join(tables, ["age"])
    assert "age" not in made
    assert "unlike-universes" in codes(findings)
    homes = replace(nations()["ew_sex"], universe=Universe("households", "household"))
    assert "unlike-universes" in codes(join({**nations(), "ew_sex": homes}, ["sex"])[1])


def test_a_category_that_one_nation_does_not_know_is_said():
    tenure = [
        Variable("tenure", tuple(Category(x, x, frozenset([x])) for x in labels))
        for labels in (["own", "rent"], ["own", "rent", "equity"])
    ]
    tables = {"e": table("e", [tenure[0]], ENGLAND, [[5, 5]] * 4), "s": table("s", [tenure[1]], SCOTLAND, [[4, 5, 1]] * 3)}
    made, findings = join(tables, ["tenure"])
    assert made["tenure"].counts.loc[ENGLAND[0]].tolist() == [5, 5, 0]
    (said,) = [f for f in findings if f.code == "one-sided-category"]
    assert said.rows.to_dict("records") == [{"category": "equity", "unknown_to": "e"}]


def test_what_is_wrong_with_a_part_is_said_by_its_name():
    tables = nations()
    counts = tables["s_joint"].counts.copy().astype(float)
    counts.iloc[1, 2] = -4
    tables["s_joint"] = replace(tables["s_joint"], counts=counts)
    _, findings = examine(survey(), tables, border(), constraints=["age", "sex"])
    said = [f for f in findings if f.code == "negative-count"]
    assert said
    assert {f.place for f in said} == {"s_joint"}


def test_gaps_are_missing_zones():
    tables = nations()
    tables["s_joint"] = replace(tables["s_joint"], counts=tables["s_joint"].counts.iloc[:2])
    with pytest.raises(InputError) as error:
        harmonise(survey(), tables, border(), constraints=["age", "sex"])
    lost = [f for f in error.value.findings if f.code == "missing-zone"]
    assert lost
    assert all(f.rows["zone"].tolist() == [SCOTLAND[2]] for f in lost)


@pytest.fixture(scope="module")
def study():
    aligned = harmonise(survey(), nations(), border(), constraints=["age", "sex"])
    return aligned, solve(formulate(aligned), seed=1, replicates=2)


def test_a_study_across_the_border_runs(study, tmp_path):
    aligned, population = study
    assert population.problem.standard_error.shape == (7, 5)
    assert population.problem.standard_error[0, 0] == 0.5
    assert population.problem.standard_error[6, 0] == pytest.approx(1.1 * np.sqrt(2))
    assert (population.status["whole"] == "EXACT").all()
    checks = validate(population, aligned)
    fits = checks["parent_fit"]
    assert fits.groupby("level")["parent"].nunique().to_dict() == {"msoa": 2, "iz": 1, "lad": 2}
    noise = checks["table_fit"].set_index("table")
    assert noise.loc["age", "noisy_cells"] == 21
    rows = pd.read_parquet(people(population, aligned, tmp_path / "people.parquet"))
    scottish = rows["zone"].astype(str).str.startswith("S")
    assert rows.loc[scottish, "msoa"].isna().all()
    assert rows.loc[~scottish, "msoa"].notna().all()
    people(population, aligned, tmp_path / "folder")
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == ["lad=B", "lad=N"]  # a level that every zone has
    shares = share_by_zone(population.blocks(), np.asarray(aligned.frame()["sex"] == "f"), aligned.zones)
    assert len(shares) == 7


def test_indicators_by_a_level_that_some_zones_lack_answer_for_the_others(study):
    from synthpop_gb.assessment import indicator

    _, population = study
    found = indicator(population, "sex = 'f'", by=["msoa"]).frame
    assert found["msoa"].tolist() == ["E02000001", "E02000002"]


def test_levels_that_cover_all_zones():
    assert border().parents == ("msoa", "iz", "lad")
    assert border().covering == ("lad",)


def test_noise_by_zone():
    observed, published = np.array([[10.0, 12], [10, 12]]), np.array([[11.0, 12], [13, 12]])
    error = np.array([[0.5, 0.5], [0.0, 2.0]])
    by_zone = noise_measures(observed, published, error)
    alone = noise_measures(observed[:1], published[:1], error[0])
    assert by_zone["noisy_cells"].tolist() == [2, 1]
    assert by_zone["noise_ratio"][0] == alone["noise_ratio"][0]
    assert by_zone["cells_within_noise"].tolist() == [2.0, 1.0]


def test_aligned_tables_carry_errors_by_zone(study):
    (age, sex) = study[0].constraints
    assert isinstance(age, AlignedTable)
    assert age.standard_errors.shape == (7, 3)
    assert np.allclose(sex.standard_errors[:4], 0.5)


# geographies of several files


def write(folder, name, rows, header):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_lookups_of_two_nations_side_by_side(tmp_path):
    ew = write(tmp_path, "ew.csv", [f"{z},E02000001,Town,E06000001" for z in ENGLAND], "lsoa21cd,msoa21cd,msoa21nm,lad24cd")
    s = write(tmp_path, "s.csv", [f"{z},S02000001,Glen,S12000026" for z in SCOTLAND], "dz11_code,iz11_code,iz11_name,lad24_code")
    found = read.geography([ew, s], zone=["lsoa21cd", None])
    assert list(found.zones.columns) == ["msoa", "msoa_name", "iz", "iz_name", "lad"]
    assert found.covering == ("lad",)
    assert found.zones["msoa"].isna().tolist() == [False] * 4 + [True] * 3
    assert len(found.sources) == 2
    with pytest.raises(ValueError, match="1 columns are given as zone, for 2 files"):
        read.geography([ew, s], zone=["lsoa21cd"])


def test_further_lookups_add_levels_to_zones(tmp_path):
    first = write(tmp_path, "a.csv", [f"{z},E06000001" for z in ENGLAND], "lsoa21cd,lad24cd")
    second = write(
        tmp_path, "b.csv", [f"{z},E05000001,E0600000{i // 3 + 1}" for i, z in enumerate(ENGLAND)], "lsoa21cd,wd24cd,lad24cd"
    )
    found = read.geography([first, second])
    assert list(found.zones.columns) == ["ward", "lad"]
    assert (found.zones["lad"] == "E06000001").all()  # the first file's
    (said,) = found.findings
    assert (said.code, said.count) == ("not-nested", 1)


def test_boundaries_of_two_nations(tmp_path):
    import geopandas
    from shapely.geometry import box

    def draw(name, zones, column, crs, first):
        shapes = [box(first + i, 0, first + i + 1, 1) for i in range(len(zones))]
        geopandas.GeoDataFrame({column: zones}, geometry=shapes, crs=4326).to_crs(crs).to_parquet(tmp_path / name)
        return tmp_path / name

    ew, s = draw("ew.parquet", ENGLAND, "LSOA21CD", 4326, 0), draw("s.parquet", SCOTLAND[:2], "DZ", 27700, 10)
    lookup = write(tmp_path, "all.csv", [f"{z},X" for z in ENGLAND + SCOTLAND], "zone,lad")
    found = read.geography(lookup, boundaries=[ew, s])
    assert codes(found.findings) == ["missing-boundary"]
    assert found.findings[0].rows["zone"].tolist() == [SCOTLAND[2]]
    shapes = found.boundaries()
    assert list(shapes.index) == ENGLAND + SCOTLAND[:2]
    assert shapes.crs.to_epsg() == 4326
    assert shapes.loc[SCOTLAND[0]].geometry.centroid.x == pytest.approx(10.5, abs=0.01)
    assert found.boundary_column == ("LSOA21CD", "DZ")
    area, _ = choose_zones(found, zones=SCOTLAND[:2])
    assert area.boundary_file == found.boundary_file
    geopackage(pd.Series(1.0, area.codes, name="x"), area, tmp_path / "map.gpkg")


def test_a_study_area_of_several_areas():
    area, findings = choose_zones(border(), parent=("lad", ["n", "B"]))
    assert not findings
    assert len(area.codes) == 7
    _, findings = choose_zones(border(), parent=("lad", ["N", "Nowhere"]))
    assert codes(findings) == ["no-zones"]
    assert "Nowhere" in findings[0].message
