"""Tables of several levels: told apart, settled bottom up, fitted together, whole people that nest, counted again."""

import re
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb import InputError, formulate, harmonise, solve, validate
from synthpop_gb.assessment import compare_methods
from synthpop_gb.execution.checkpoint import Checkpoint
from synthpop_gb.harmonisation import examine
from synthpop_gb.methods import BlockResult, Streams, get_method, make_options
from synthpop_gb.pipeline import check
from synthpop_gb.pipeline.wishes import check_method
from synthpop_gb.spec import load_study
from synthpop_gb.testing import assert_fits, assert_same_population
from synthpop_gb.validation.explanation import explain
from tests.nested_problems import nested_problem, turned
from tests.stages.level_world import VARIABLES, World

INPUTS = Path(__file__).parents[2] / "inputs"
ONE = (("age", "zone"), ("sex", "zone"))


def codes(findings):
    return [f.code for f in findings]


def by_area(aligned, level):
    """Sums of the zones' settled tables in each area of a level."""
    bound = level.of_zone >= 0
    return {t.name: t.targets[bound].groupby(level.of_zone[bound]).sum() for t in aligned.constraints}


def test_levels_are_told_by_codes_and_come_finest_first():
    aligned = World().aligned()
    msoa, lad = aligned.levels
    assert (msoa.name, lad.name) == ("msoa", "lad")
    assert msoa.of_zone.tolist() == [i // 3 for i in range(12)]
    assert lad.of_zone.tolist() == [i // 6 for i in range(12)]
    assert [t.name for t in msoa.constraints] == ["age x sex", "work"]
    assert [t.name for t in lad.constraints] == ["health"]
    assert msoa.constraints[0].table == "age_sex_msoa"
    assert msoa.areas.tolist() == sorted(set(World().msoa))
    assert not {"level-mismatch", "partial-area"} & set(codes(aligned.findings))


def test_a_name_is_found_in_the_table_of_the_level_asked_for():
    wanted = (*ONE, ("work", "zone"), ("work", "msoa"), ("work", "lad"))
    aligned = World().aligned(*wanted, constraints=["age", "work"], levels={"msoa": ["work"]}, held_out_levels={"lad": ["work"]})
    assert aligned.constraints[1].table == "work_zone"
    assert [t.table for v in aligned.levels for t in (*v.constraints, *v.held_out)] == ["work_msoa", "work_lad"]
    assert [v.name for v in formulate(aligned).levels] == ["msoa"]  # what is kept back binds nobody


def test_a_table_of_zones_that_says_its_level_is_added_up():
    world = World()
    wanted = (*ONE, ("work", "zone", {"says": "msoa", "name": "work up"}))
    aligned = world.aligned(*wanted, levels={"msoa": ["work"]})
    true = world.table(("work",), "msoa").counts
    assert np.array_equal(aligned.levels[0].constraints[0].targets.to_numpy(), true.to_numpy())
    assert "added-up" in codes(aligned.findings)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_perturbed_parents_move_to_the_sums_of_what_is_below(seed, noise):
    world, more = World(seed % 7), {"noise": noise, "seed": seed, "error": 1.0}
    wanted = [(names, level, more) for names, level in (("age", "zone"), ("sex", "zone"), ("age x sex", "msoa"), ("work", "msoa"),
                                                        ("work x age", "lad"))]  # fmt: skip
    aligned = world.aligned(*wanted, levels={"msoa": ["age x sex", "work"], "lad": ["work x age"]}, seed=seed)
    msoa, lad = aligned.levels
    sums, joint = by_area(aligned, msoa), msoa.constraints[0].targets
    assert np.array_equal(joint.T.groupby(level="age", sort=False).sum().T.to_numpy(), sums["age"].to_numpy())
    assert np.array_equal(joint.T.groupby(level="sex", sort=False).sum().T.to_numpy(), sums["sex"].to_numpy())
    assert np.array_equal(msoa.constraints[1].targets.sum(axis=1).to_numpy(), sums["age"].sum(axis=1).to_numpy())
    above, work = lad.constraints[0].targets, msoa.constraints[1].targets.groupby([0, 0, 1, 1]).sum()
    assert np.array_equal(above.T.groupby(level="age", sort=False).sum().T.to_numpy(), by_area(aligned, lad)["age"].to_numpy())
    assert np.array_equal(above.T.groupby(level="work", sort=False).sum().T.to_numpy(), work.to_numpy())
    assert "level-mismatch" in codes(aligned.findings)
    assert msoa.changes["people_moved"].sum() > 0
    again = world.aligned(*wanted, levels={"lad": ["work x age"], "msoa": ["age x sex", "work"]}, seed=seed)
    assert all(a.targets.equals(b.targets) for v, w in zip(aligned.levels, again.levels, strict=True)
               for a, b in zip(v.constraints, w.constraints, strict=True))  # fmt: skip
    population = solve(formulate(aligned), seed=seed, workers=1)
    assert_fits(population)
    assert not population.status["level_remainder"].any()


def test_moves_of_parents_are_unbiased():
    world = World()
    moved = []
    for seed in range(200):
        aligned = world.aligned(("age", "zone"), ("sex", "zone"), ("work", "msoa", {"noise": 5, "seed": 3}),
                                levels={"msoa": ["work"]}, seed=seed)  # fmt: skip
        moved.append(aligned.levels[0].constraints[0].targets.to_numpy())
    table = aligned.levels[0].constraints[0]
    published = table.published.to_numpy()
    expected = published * (table.targets.sum(axis=1) / table.published.sum(axis=1)).to_numpy()[:, None]
    error = np.std(moved, axis=0) / np.sqrt(200)
    z = (np.mean(moved, axis=0) - expected)[error > 0] / error[error > 0]
    assert len(z) > 5
    assert np.sqrt(np.mean(z**2)) < 1.6


def test_parents_grossly_apart_are_refused():
    world = World()
    tables = world.tables(*ONE, ("work", "msoa"))
    wrong = tables["work_msoa"]
    tables["work_msoa"] = replace(wrong, counts=wrong.counts * 2)
    with pytest.raises(InputError, match="level-mismatch"):
        harmonise(world.survey, tables, world.geography, constraints=["age", "sex"], levels={"msoa": ["work"]})


def test_areas_partly_in_the_study_bind_nobody():
    world = World()
    aligned = world.aligned(zones=world.zones[:8].tolist())
    msoa, lad = aligned.levels
    assert msoa.of_zone.tolist() == [0, 0, 0, 1, 1, 1, -1, -1]
    assert lad.of_zone.tolist() == [0] * 6 + [-1, -1]
    found = [f for f in aligned.findings if f.code == "partial-area"]
    assert [f.place for f in found] == ["levels.lad", "levels.msoa"]
    assert found[1].rows.loc[0, ["zones", "of"]].tolist() == [2, 3]
    problem = formulate(aligned)
    assert problem.component.tolist() == [0] * 6 + [6, 7]
    population = solve(problem, seed=4)
    assert_fits(population)
    assert not population.status["level_remainder"].any()


def test_zones_without_parent_are_named():
    world = World(orphan=True)
    aligned = world.aligned()
    found = next(f for f in aligned.findings if f.code == "no-parent")
    assert found.rows["zone"].tolist() == [world.zones[0]]
    assert aligned.levels[0].of_zone[0] == -1
    assert_fits(solve(formulate(aligned), seed=1))


@pytest.mark.parametrize(
    ("options", "place"),
    [({"levels": {"msoas": ["work"]}}, "levels.msoas"), ({"levels": {"msoa": ["tenure"]}}, "levels.msoa"),
     ({"levels": {"msoa": ["health"]}}, "levels.msoa"), ({"held_out_levels": {"ward": ["work"]}}, "levels.ward")],
)  # fmt: skip
def test_levels_and_tables_that_are_not_there(options, place):
    world = World()
    tables = world.tables(*ONE, ("work", "msoa"), ("health", "lad"))
    _, findings = examine(world.survey, tables, world.geography, constraints=["age", "sex"], **options)
    assert ("study-reference", place) in [(f.code, f.place) for f in findings]


def test_a_category_of_an_area_that_nobody_has_is_an_empty_cell():
    world = World()
    nobody = replace(world.survey, records=world.survey.records[world.survey.records["work"] != "part"])
    _, findings = examine(nobody, world.tables(*ONE, ("work", "msoa")), world.geography, constraints=["age", "sex"],
                          levels={"msoa": ["work"]})  # fmt: skip
    assert any(f.code == "empty-cell" and f.level == "error" and f.place == "work" for f in findings)


def test_a_table_of_areas_that_clashes_with_those_of_their_zones_is_found():
    world = World(3)
    records = world.survey.records
    survey = replace(world.survey, records=records[(records["age"] == "o") | (records["health"] == "good")])  # the young are well
    tables = world.tables(("age", "zone"), ("sex", "zone"), ("health", "msoa"))
    counts = tables["health_msoa"].counts.copy()
    old = world.people.assign(area=world.people["zone"].map(world.msoa)).groupby("area")["age"].agg(lambda a: (a == "o").sum())
    for area, extra in zip(counts.index, (7, 0, 0, 3), strict=True):
        everybody = counts.loc[area].sum()
        counts.loc[area] = [everybody - old[area] - extra, old[area] + extra]
    tables["health_msoa"] = replace(tables["health_msoa"], counts=counts)
    wanted = {"constraints": ["age", "sex"], "levels": {"msoa": ["health"]}}
    _, findings = examine(survey, tables, world.geography, **wanted)
    (found,) = (f for f in findings if f.code == "structural-clash")
    assert found.place == "age of its zones and health of msoa"
    assert found.rows["zone"].tolist() == [world.msoa.unique()[i] for i in (0, 3)]
    assert found.rows["people"].tolist() == [7, 3]
    assert "2 areas of msoa ask for combinations that no record has" in found.message
    counts.loc[:] = np.column_stack([counts.sum(axis=1) - old, old])
    _, findings = examine(survey, tables, world.geography, **wanted)
    assert "structural-clash" not in codes(findings)


def test_people_meet_zones_and_areas_by_recount():
    aligned = World(3).aligned(("age", "zone"), ("sex", "zone"), ("age x sex", "msoa"), ("work", "msoa"), ("health", "lad"),
                               ("work x sex", "msoa"), held_out_levels={"msoa": ["work x sex"]})  # fmt: skip
    population = solve(formulate(aligned), seed=11)
    checks = validate(population, aligned)
    fit = checks["level_fit"]
    assert checks.headline["msoa tables met"] == "4 of 4 areas"
    assert checks.headline["lad tables met"] == "2 of 2 areas"
    assert fit[~fit["held_out"]]["exact"].all()
    assert not fit[fit["held_out"]]["exact"].all()
    assert "held out msoa work x sex" in checks.headline
    donors, zone = population.donors(), aligned.levels[0].of_zone
    people = aligned.survey.records.loc[population.problem.records[donors.record]]
    area = np.repeat(zone, np.diff(donors.indptr))
    found = pd.crosstab(area, people["work"].to_numpy(), donors.n, aggfunc="sum").fillna(0)[["none", "part", "full"]]
    assert np.array_equal(found.to_numpy(), aligned.levels[0].constraints[1].targets.to_numpy())
    assert not checks.findings


def test_an_area_that_cannot_be_met_shows_in_its_zones_and_spares_the_others():
    problem = formulate(World(5).aligned())
    msoa = problem.levels[0]
    targets = msoa.targets.copy()
    targets[0, -1] += 25  # more who work full time in the first area, and nobody fewer
    wrong = replace(problem, levels=(replace(msoa, targets=targets), *problem.levels[1:]))
    with pytest.warns(UserWarning, match="level-not-met"):
        population = solve(wrong, seed=2)
    status = population.status
    assert (status["fit"][:3] == "STALLED").all()
    assert (status["fit"][6:] == "CONVERGED").all()
    assert status["worst_cell"].iloc[0].startswith("msoa: ")
    assert not status["remainder"].any()
    assert (status["whole"][6:] == "EXACT").all()
    assert 24 <= status["level_remainder"].iloc[0] <= 26
    found = next(f for f in population.findings() if f.code == "level-not-met")
    assert msoa.areas[0] in found.message


def test_a_miss_of_areas_only_is_not_said_of_zones():
    aligned = World(5).aligned()
    problem = formulate(aligned)
    msoa = problem.levels[0]
    targets = msoa.targets.copy()
    targets[0, -1] += 25
    wrong = replace(problem, levels=(replace(msoa, targets=targets), *problem.levels[1:]))
    with pytest.warns(UserWarning, match="lie in areas that miss their tables"):
        population = solve(wrong, seed=2)
    _, whole, fits = repr(population).splitlines()
    tae = int(population.status["level_remainder"].max())
    assert whole == (
        "whole people meet every target of the zone in 12 of 12 zones; 1 of 4 areas of msoa misses its own tables "
        f"(largest total miss {tae} persons, {msoa.areas[0]})"
    )
    assert "12 of 12" not in fits
    messages = {f.code: f.message for f in population.findings()}
    n = int((population.status["fit"] != "CONVERGED").sum())
    assert messages["zone-not-fitted"].startswith(
        f"{n} of 12 zones lie in areas that miss their tables, while every zone's own tables are met: {fits}"
    )
    checks = validate(population, aligned)
    unfit = next(f for f in checks.findings if f.code == "zone-not-fitted")
    assert "its whole people meet the zone's own tables" in unfit.message
    assert "fits" not in checks["level_fit"]
    told = explain(population, aligned, population.zones[0]).notes[0]
    assert re.search(
        r"meet every target of the zones' own to \S+ of a person, but miss tables of areas above them: most msoa", told
    )


def test_zones_that_miss_their_own_tables_are_told_from_those_of_areas_that_do():
    problem = formulate(World(5).aligned())
    msoa = problem.levels[0]
    targets = msoa.targets.copy()
    targets[0, -1] += 25
    with pytest.warns(UserWarning, match="level-not-met"):
        population = solve(replace(problem, levels=(replace(msoa, targets=targets), *problem.levels[1:])), seed=2)
    status = population.status.copy()
    n = len(population.unfitted)
    status.loc[status.index[0], ["remainder", "whole"]] = [2.0, "REMAINDER"]
    mixed = replace(population, status=status)
    found = next(f for f in mixed.findings() if f.code == "zone-not-fitted")
    assert found.message.startswith(f"1 of 12 zones miss targets; {n - 1} more miss only those of the areas they lie in: ")
    assert "in 11 of 12 zones (largest total miss 2 persons" in repr(mixed)


@pytest.mark.parametrize("method", ["ipf", "balance"])
def test_bits_do_not_depend_on_order_blocks_or_workers(method):
    problem = nested_problem()
    population = solve(problem, seed=5, workers=1, method=method)
    assert_fits(population)
    order = np.random.default_rng(3).permutation(problem.n_zones)
    assert_same_population(population, solve(turned(problem, order), seed=5, workers=2, block_size=7, method=method))
    with ProcessPoolExecutor(2) as pool:
        assert_same_population(population, solve(problem, seed=5, executor=pool, block_size=10, method=method))


def test_methods_agree_on_the_fit():
    problem = nested_problem(seed=8)
    left, right = (solve(problem, seed=1, method=m) for m in ("ipf", "balance"))
    assert np.allclose(left.fitted(), right.fitted(), atol=1e-5)


def test_methods_of_single_zones_refuse():
    with pytest.raises(ValueError, match="cannot bind zones together"):
        solve(nested_problem(), method="anneal")


def test_finished_blocks_hang_on_all_zones_of_a_component(tmp_path):
    problem = nested_problem()
    population = solve(problem, seed=5, checkpoint=tmp_path, block_size=10)
    calls = []
    again = solve(problem, seed=5, checkpoint=tmp_path, progress=lambda done, total, left: calls.append(done))
    assert calls == [problem.n_zones]
    assert_same_population(population, again)
    targets = problem.levels[0].targets.copy()
    targets[0, [0, 1]] += [1, -1]  # the first area of five, in the first area of ten
    other = replace(problem, levels=(replace(problem.levels[0], targets=targets), *problem.levels[1:]))
    calls.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solve(other, seed=5, checkpoint=tmp_path, progress=lambda done, total, left: calls.append(done))
    assert calls[0] == 10


@pytest.mark.parametrize("name", ["targets", "published", "standard_error"])
def test_blocks_are_not_used_where_anything_of_an_area_has_changed(tmp_path, name):
    problem = nested_problem()
    level, *others = problem.levels
    level = replace(level, published=level.targets, standard_error=np.ones(level.targets.shape))
    problem, moved = replace(problem, levels=(level, *others)), np.array(getattr(level, name))
    moved[0, 0] += 1  # the first area of five, in the first area of ten
    other = replace(problem, levels=(replace(level, **{name: moved}), *others))
    method = get_method("ipf")
    how = method, make_options(method, None), Streams(1)
    saved, opened = (Checkpoint(tmp_path, p, *how) for p in (problem, other))
    rows = np.zeros(20, np.int32)
    saved.save(np.arange(20), BlockResult(np.arange(21), rows, rows + 1, rows, rows, rows, rows, rows))
    assert len(saved.load()[0][1]) == 20
    assert np.sort(opened.load()[0][1]).tolist() == list(range(10, 20))


def test_a_replicate_whose_areas_are_missed_is_not_called_exact():
    problem = nested_problem()
    level, *others = problem.levels
    targets = level.targets.copy()
    targets[0, 0] += 1  # one more than the zones of the first area have
    problem = replace(problem, levels=(replace(level, targets=targets), *others))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        population = solve(problem, seed=5, replicates=1, sources=["whole"])
    missed = (population.status["level_remainder"] > 0).to_numpy()
    assert missed[:5].all()
    other = population.replicate(1).status
    assert (other["whole"][:5] == "REMAINDER").all()
    assert (other["whole"][10:] == "EXACT").all()


def test_replicates_nest_too():
    problem = nested_problem(seed=2)
    noisy = tuple(replace(v, standard_error=np.full(v.n_cells, 1.5)) for v in problem.levels)
    problem = replace(problem, levels=noisy, standard_error=np.full(problem.n_cells, 1.0))
    made = solve(problem, seed=2, replicates=4, block_size=10).replicates
    assert not made.remainder.any()
    assert (made.fit == 0).all()
    assert (
        solve(problem, seed=2, replicates=[3]).replicate(3).digest() == solve(problem, seed=2, replicates=4).replicate(3).digest()
    )


def test_whole_people_are_unbiased():
    problem = nested_problem(10, 60, (2, 3, 2, 2, 3, 2), seed=4, mean_people=80.0)
    expected = solve(problem, seed=0).fitted()
    drawn = np.zeros((300, *expected.shape))
    for seed in range(300):
        population = solve(problem, seed=seed, workers=1)
        for z in range(problem.n_zones):
            mine = slice(population.indptr[z], population.indptr[z + 1])
            drawn[seed, z, population.profile[mine]] = population.count[mine]
    spread = expected * 0 + drawn.std(axis=0)
    seen = spread > 0.15  # cells that rounding can turn either way
    z = (drawn.mean(axis=0) - expected)[seen] / (spread[seen] / np.sqrt(300))
    assert seen.sum() > 100
    assert np.sqrt(np.mean(z**2)) < 1.1


@pytest.mark.parametrize("mean_people", [25.0, 60.0, 400.0])
def test_small_and_large_zones_nest_exactly(mean_people):
    for seed in range(15):
        population = solve(nested_problem(seed=seed, mean_people=mean_people), seed=seed, workers=1)
        assert_fits(population)
        assert not population.status["level_remainder"].any(), seed


def test_a_study_names_levels(tmp_path):
    study = World().aligned()  # the same through files: tables, a lookup, a study
    world = World()
    world.survey.records.to_csv(tmp_path / "survey.csv", index=False)
    world.geography.zones.to_csv(tmp_path / "lookup.csv")
    text = ['name = "levels"', 'constraints = ["age", "sex"]', 'levels = { msoa = ["age x sex"], lad = ["health"] }']
    described = {n: {c.code: c.label for c in v.categories} for n, v in VARIABLES.items()}
    files = []
    for names, level in (("age", "zone"), ("sex", "zone"), ("age x sex", "msoa"), ("health", "lad")):
        table = world.table(tuple(names.split(" x ")), level)
        cells = [zip(table.variable_names, np.atleast_1d(cell), strict=True) for cell in table.counts]
        labels = [[described[n][c] for n, c in cell] for cell in cells]
        heads = [f"c{i}" for i in range(len(labels))]
        table.counts.set_axis(heads, axis=1).to_csv(tmp_path / f"{table.name}.csv")
        columns = ", ".join(f"{h} = {label if len(label) > 1 else label[0]!r}" for h, label in zip(heads, labels, strict=True))
        files.append(
            f'{{ path = "{table.name}.csv", zone = "zone", variables = {list(table.variable_names)}, columns = {{ {columns} }}, '
            f'universe = "usual residents" }}'
        )
    text += ["tables = [", *(f"    {f}," for f in files), "]", "[survey]", 'path = "survey.csv"', 'universe = "usual residents"']
    text += ["[zones]", 'lookup = "lookup.csv"', 'zone = "zone"']
    for name, categories in described.items():
        if name != "work":
            listed = ", ".join(f'"{code}" = "{label}"' for code, label in categories.items())
            text += [f"[survey.variables.{name}]", f'column = "{name}"', f"categories = {{ {listed} }}"]
    (tmp_path / "study.toml").write_text("\n".join(text), encoding="utf-8")
    found, findings = check(tmp_path / "study.toml")
    assert found is not None, "\n".join(map(str, findings))
    assert [(v.name, [t.name for t in v.constraints]) for v in found.levels] == [("msoa", ["age x sex"]), ("lad", ["health"])]
    assert np.array_equal(found.levels[0].constraints[0].targets.to_numpy(), study.levels[0].constraints[0].targets.to_numpy())
    world.geography.zones.rename(columns={"lad": "patch"}).to_csv(tmp_path / "lookup.csv")  # no level of any known name
    (tmp_path / "study.toml").write_text("\n".join(text).replace("lad = [", "patch = ["), encoding="utf-8")
    found, findings = check(tmp_path / "study.toml")
    assert found is not None, "\n".join(map(str, findings))
    assert [v.name for v in found.levels] == ["msoa", "patch"]


def test_a_study_with_levels_needs_a_method_that_nests():
    study = load_study(INPUTS / "demo-county.toml")
    wrong = study.model_copy(update={"levels": {"msoa": ["age"]}, "method": study.method.model_copy(update={"name": "anneal"})})
    assert [f.place for f in check_method(wrong) if f.code == "study-value"] == ["method.name"]
    assert not check_method(wrong.model_copy(update={"method": study.method}))


def test_methods_that_do_not_nest_are_not_compared():
    with pytest.raises(ValueError, match="by tables of msoa"):
        compare_methods(World().aligned(), ["ipf", "anneal"])


def test_the_noise_of_each_zones_cells_is_added_up_with_them():
    made = World()
    tables = made.tables(("age", "zone"), ("sex", "zone"), ("work", "zone", {"says": "msoa", "error": 0.5}))
    noisy = tables["work_zone"]
    tables["work_zone"] = replace(noisy, errors=(noisy.counts * 0 + 0.5).astype(float))
    aligned = harmonise(made.survey, tables, made.geography, constraints=["age", "sex"], levels={"msoa": ["work"]})
    (work,) = aligned.levels[0].constraints
    assert np.allclose(work.errors, 0.5 * np.sqrt(3))
    assert work.standard_error == pytest.approx(0.5 * np.sqrt(3))


def test_what_a_level_lacks_is_said_in_its_own_words():
    made = World()
    tables = made.tables(("age", "zone"), ("sex", "zone"), ("health", "zone"), ("work", "msoa"))
    tables["work_msoa"] = replace(tables["work_msoa"], counts=tables["work_msoa"].counts.iloc[1:])
    _, findings = examine(made.survey, tables, made.geography, constraints=["age", "sex"], levels={"msoa": ["work", "health"]})
    told = {f.code: f for f in findings if f.level == "error"}
    assert "1 of 4 areas of msoa" in told["missing-zone"].message
    assert told["study-reference"].message.startswith("No table of msoa counts 'health'")
    assert 'level = "msoa"' in told["study-reference"].remedy
