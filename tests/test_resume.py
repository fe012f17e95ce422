"""A run that is killed goes on where it stopped, to the same bits; files of other runs and damaged ones are not mixed in."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from synthpop_gb import run_folder
from synthpop_gb.execution import solve
from synthpop_gb.execution.checkpoint import ResumeWarning
from synthpop_gb.methods import METHODS
from tests.problems import make_problem

SEED = 7
N_ZONES = 20


@pytest.fixture
def problem():
    return make_problem(n_zones=N_ZONES)


@pytest.fixture
def expected(problem):
    return solve(problem, seed=SEED)


@pytest.fixture
def solved(monkeypatch):
    """Codes of the zones that the method was asked for."""
    asked = []
    method = METHODS["ipf"]
    original = type(method).solve_block

    def counting(self, problem, zones, options, streams):
        asked.extend(problem.zones[zones])
        return original(self, problem, zones, options, streams)

    monkeypatch.setattr(type(method), "solve_block", counting)
    return asked


def killed_run(folder, *, block_size=4, after=8):
    """Solve in a process that kills itself, as by `kill -9`, once `after` zones are done."""
    code = f"""
        import os, signal
        from synthpop_gb.execution import solve
        from tests.problems import make_problem

        def die(done, total, seconds_left):
            if done >= {after}:
                os.kill(os.getpid(), {int(getattr(signal, "SIGKILL", signal.SIGTERM))})

        problem = make_problem(n_zones={N_ZONES})
        solve(problem, seed={SEED}, workers=1, block_size={block_size}, checkpoint={str(folder)!r}, progress=die)
    """
    root = Path(__file__).parent.parent
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    assert ran.returncode != 0


@pytest.mark.parametrize("block_size", [1, 4, 256])
def test_killed_run_goes_on(tmp_path, problem, expected, solved, block_size):
    killed_run(tmp_path)
    seen = []
    found = solve(
        problem, seed=SEED, workers=1, block_size=block_size, checkpoint=tmp_path, progress=lambda *said: seen.append(said)
    )
    assert sorted(solved) == sorted(problem.zones[8:])  # 8 zones were done, and not one of them is solved again
    assert seen[0][:2] == (8, N_ZONES)
    assert seen[-1] == (N_ZONES, N_ZONES, 0.0)
    for name in ("indptr", "profile", "count", "duals"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
    assert found.status.equals(expected.status)
    assert found.digest() == expected.digest()


def test_finished_zones_are_known_one_by_one(tmp_path, problem, expected, solved):
    """Another order, fewer zones, a changed target: what is still wanted is used, the rest solved."""
    solve(problem.take(np.arange(10)), seed=SEED, block_size=5, workers=1, checkpoint=tmp_path)
    solved.clear()
    order = np.array([3, 15, 0, 9, 12])
    found = solve(problem.take(order), seed=SEED, workers=1, checkpoint=tmp_path)
    assert list(solved) == list(problem.zones[[15, 12]])
    for i, z in enumerate(order):
        assert (
            found.count[found.indptr[i] : found.indptr[i + 1]] == expected.count[expected.indptr[z] : expected.indptr[z + 1]]
        ).all()
    targets = problem.targets.copy()
    targets[3] *= 2
    solved.clear()
    from dataclasses import replace

    solve(replace(problem, targets=targets), seed=SEED, workers=1, checkpoint=tmp_path)
    assert problem.zones[3] in solved
    assert problem.zones[0] not in solved


def test_damaged_block_is_solved_again(tmp_path, problem, expected, solved):
    solve(problem, seed=SEED, block_size=5, workers=1, checkpoint=tmp_path)
    files = sorted(tmp_path.glob("*.block"))
    assert len(files) == 4
    content = bytearray(files[1].read_bytes())
    content[200] ^= 1
    files[1].write_bytes(content)
    files[2].write_bytes(files[2].read_bytes()[:-40])  # cut short
    solved.clear()
    with pytest.warns(ResumeWarning, match="is damaged"):
        found = solve(problem, seed=SEED, workers=1, checkpoint=tmp_path)
    assert len(solved) == 10
    assert found.digest() == expected.digest()


@pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")
@pytest.mark.parametrize("change", [{"seed": SEED + 1}, {"options": {"integerise": "trs"}}, {"options": {"tolerance": 1e-3}}])
def test_blocks_of_another_run_are_not_used(tmp_path, problem, solved, change):
    solve(problem, seed=SEED, checkpoint=tmp_path, workers=1)
    solved.clear()
    with pytest.warns(ResumeWarning, match="of other inputs, options or versions"):
        found = solve(problem, **{"seed": SEED, "workers": 1, "checkpoint": tmp_path, **change})
    assert len(solved) == N_ZONES
    assert found.digest() == solve(problem, **{"seed": SEED, **change}).digest()


def test_other_records_make_other_blocks(tmp_path, problem, solved):
    solve(problem, seed=SEED, checkpoint=tmp_path, workers=1)
    from dataclasses import replace

    solved.clear()
    with pytest.warns(ResumeWarning):
        solve(
            replace(problem, start=problem.start * np.linspace(1, 2, problem.n_profiles)),
            seed=SEED,
            checkpoint=tmp_path,
            workers=1,
        )
    assert len(solved) == N_ZONES


def test_run_folder_is_taken_up_and_cleaned(tmp_path, problem, expected, solved):
    folder = run_folder.begin(tmp_path / "run")
    killed_run(run_folder.blocks_folder(folder))
    assert not run_folder.is_finished(folder)
    assert run_folder.begin(folder) == folder  # taken up, nothing lost
    population = solve(problem, seed=SEED, workers=1, checkpoint=run_folder.blocks_folder(folder))
    assert len(solved) == N_ZONES - 8
    run_folder.write_population(population, folder, licence="open")
    run_folder.finish(population, folder, licence="open")
    assert run_folder.is_finished(folder)
    assert not run_folder.blocks_folder(folder).exists()
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]
    assert run_folder.load(folder).digest() == expected.digest()


def test_a_command_says_what_is_not_used_as_a_finding(tmp_path, problem):
    """No source path of Python's, but code, words and remedy."""
    import warnings

    import click
    from click.testing import CliRunner

    from synthpop_gb.cli._output import guarded

    solve(problem, seed=SEED, block_size=20, workers=1, checkpoint=tmp_path)

    @click.command()
    @guarded
    def again():
        solve(problem, seed=SEED + 1, workers=1, checkpoint=tmp_path)
        warnings.warn("something else", stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        said = CliRunner().invoke(again).stderr
    assert "warning [blocks-unused]" in said
    assert "of other inputs, options or versions and not used." in said
    assert "Their zones are solved again" in said
    assert "warning something else" in said
    assert ".py" not in said
    assert "Warning" not in said
