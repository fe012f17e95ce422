"""A run of whole households: what is written can be read back, whole households stand beside people, changes are noticed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import formulate, run_folder
from synthpop_gb.errors import InputError
from synthpop_gb.execution.checkpoint import Checkpoint, problem_hash
from synthpop_gb.incidence import Incidence
from synthpop_gb.testing import assert_same_population, small_household_problem
from tests.stages.household_study import counted, world
from tests.stages.test_households import aligned as with_level


def test_saved_and_loaded_alone(tmp_path):
    made = world()
    folder = run_folder.save(made.population, tmp_path / "run", aligned=made.aligned)
    loaded = run_folder.load(folder)
    assert_same_population(loaded, made.population)
    assert problem_hash(loaded.problem) == problem_hash(made.problem)
    for name in ("member_start", "member", "size", "communal"):
        assert getattr(loaded.problem, name).tobytes() == getattr(made.problem, name).tobytes()
    assert loaded.problem.households.equals(made.problem.households)
    assert loaded.problem.incidence.matrix().toarray().tolist() == made.problem.incidence.matrix().toarray().tolist()
    assert repr(loaded) == repr(made.population)


def test_the_file_of_households_holds_who_was_placed(tmp_path):
    made = world()
    folder = run_folder.save(made.population, tmp_path / "run", aligned=made.aligned)
    frame = pd.read_parquet(folder / "population/households.parquet")
    assert list(frame.columns) == ["zone", "household", "n"]
    people = pd.read_parquet(folder / "population/counts.parquet")
    who = made.frame.assign(unit=np.where(made.frame["communal"], made.frame.index, made.frame["household"]))
    expected = frame.merge(who.reset_index()[["person", "unit"]], left_on="household", right_on="unit")
    expected = expected.groupby(["zone", "person"], observed=True)["n"].sum().sort_index()
    found = people.groupby(["zone", "donor"], observed=True)["n"].sum().sort_index()
    assert expected.tolist() == found.tolist()
    assert [(str(z), d) for z, d in expected.index] == [(str(z), d) for z, d in found.index]
    run = json.loads((folder / "run.json").read_text())
    assert run["households"]["placed"] == int(made.population.status["households"].sum())
    assert run["households"]["placed"] + run["households"]["communal"] == frame["n"].sum() == made.population.households().n.sum()
    assert run["households"]["members"] + run["households"]["communal"] == run["people"]
    assert "population/households.parquet" in run["files"]
    blocks = list(run_folder.read_households(folder, made.problem.households))
    assert sum(int(b.n.sum()) for b in blocks) == frame["n"].sum()


def test_levels_and_tilts_are_kept(tmp_path):
    problem = formulate(with_level())
    problem = replace(problem, tilt_of=np.zeros((1, problem.n_profiles), int), tilt=np.array([[0.5], [-0.5]]))
    population = counted(problem, [[1, 0, 0], [0, 1, 2]], duals=np.zeros((2, problem.n_duals)))
    loaded = run_folder.load(run_folder.save(population, tmp_path / "run", licence="open"))
    (level,), (known,) = loaded.problem.levels, problem.levels
    assert (level.name, list(level.areas), level.cells.tolist()) == (known.name, list(known.areas), known.cells.tolist())
    assert level.incidence.matrix().toarray().tolist() == known.incidence.matrix().toarray().tolist()
    assert loaded.problem.tilt.tolist() == problem.tilt.tolist()
    assert loaded.duals.shape == (2, problem.n_duals)
    names = pd.read_parquet(tmp_path / "run/population/duals.parquet").columns
    assert names[-1] == "msoa: age = adult"


@pytest.mark.parametrize("field", ["incidence", "member", "size", "communal", "households", "tilt", "levels"])
def test_the_hash_of_a_problem_covers_households_tilts_and_levels(field):
    problem = formulate(with_level())
    problem = replace(
        problem, communal=np.zeros(3, bool), tilt_of=np.zeros((1, 3), int), tilt=np.array([[0.5], [-0.5]])
    )  # fmt: skip
    other = {
        "incidence": Incidence.of_rows(problem.incidence.matrix().toarray().astype(int) * 2),
        "member": np.roll(problem.member, 1), "size": problem.size + 1, "communal": np.ones(3, bool),
        "households": pd.Index(["x", "z", "15"]), "tilt": problem.tilt * 2,
        "levels": (replace(problem.levels[0], targets=problem.levels[0].targets + 1),),
    }  # fmt: skip
    changed = replace(problem, **{field: other[field]})
    assert problem_hash(changed) != problem_hash(problem)
    if field not in ("tilt", "levels"):
        assert problem_hash(changed, zones=False) != problem_hash(problem, zones=False)
    else:
        assert problem_hash(changed, zones=False) == problem_hash(problem, zones=False)


def test_a_tilt_is_part_of_a_zones_mark(tmp_path):
    from synthpop_gb.methods import METHODS, Streams, make_options

    problem = small_household_problem()
    problem = replace(problem, tilt_of=np.zeros((1, problem.n_profiles), int), tilt=np.zeros((2, 1)))
    tilted = replace(problem, tilt=np.array([[0.0], [1.0]]))
    made = [Checkpoint(tmp_path, p, METHODS["ipf"], make_options(METHODS["ipf"], {}), Streams(1)) for p in (problem, tilted)]
    same = made[0]._marks == made[1]._marks
    assert same.tolist() == [True, False]


def test_a_restricted_survey_is_needed_to_load(tmp_path):
    made = world(licence="restricted")
    folder = run_folder.save(made.population, tmp_path / "run", aligned=made.aligned)
    assert not (folder / "population/problem.npz").exists()
    with pytest.raises(InputError) as error:
        run_folder.load(folder)
    assert error.value.findings[0].code == "licence"
    assert_same_population(run_folder.load(folder, aligned=made.aligned), made.population)


def test_changed_households_are_noticed(tmp_path):
    made = world()
    folder = run_folder.save(made.population, tmp_path / "run", aligned=made.aligned)
    path = folder / "population/households.parquet"
    frame = pd.read_parquet(path)
    frame.assign(n=frame["n"] + 1).to_parquet(path)
    with pytest.raises(InputError) as error:
        run_folder.load(folder)
    assert error.value.findings[0].code == "input-changed"


def test_a_run_of_persons_leaves_no_households_of_an_earlier_attempt(tmp_path):
    from synthpop_gb import solve
    from synthpop_gb.testing import small_problem

    made = world()
    folder = run_folder.save(made.population, tmp_path / "run", aligned=made.aligned)
    run_folder.write_population(solve(small_problem(), seed=1), folder, licence="open")
    assert not (folder / "population/households.parquet").exists()
