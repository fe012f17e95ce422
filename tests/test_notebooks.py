"""Every notebook runs from top to bottom; there is at least one."""

import runpy
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_runs_and_its_numbers_hold(path):
    assert "assert " in path.read_text(encoding="utf-8"), "a notebook asserts one number that it shows"
    runpy.run_path(str(path))
