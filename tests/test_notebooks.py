"""Notebooks: each has a question for a title, is listed, runs from top to bottom on a made-up county and on real data, and checks
the figures that it shows."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def cells(path):
    """Cells of a notebook: (kind, text), comment marks taken off markdown."""
    parts = re.split(r"^# %%(.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = []
    for mark, text in zip(parts[::2], parts[1::2], strict=True):
        plain = "[markdown]" in mark
        found.append(("markdown", re.sub(r"^# ?", "", text, flags=re.MULTILINE)) if plain else ("code", text))
    return found


def title(path):
    return cells(path)[0][1].strip().splitlines()[0].removeprefix("# ")


def test_there_are_notebooks():
    assert [p.name[:3] for p in NOTEBOOKS] == [f"{n:02}_" for n in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) >= 7


@every
def test_it_asks_a_question_and_checks_what_it_shows(path):
    found = cells(path)
    assert found[0][0] == "markdown"
    assert title(path).endswith("?"), "a notebook has a question for a title"
    assert sum(kind == "markdown" for kind, _ in found) >= 3
    checks = sum(text.count("assert ") for kind, text in found if kind == "code")
    assert checks >= 3, "a notebook checks the figures that it shows"


def test_the_page_lists_them_all():
    page = runpy.run_path(str(ROOT / "docs" / "conf.py"))["_notebooks_page"]()
    listed = dict(re.findall(r"^\| `([^`]+\.py)` \| (.*) \|$", page, re.MULTILINE))
    assert listed == {p.name: title(p) for p in NOTEBOOKS}


@every
def test_it_runs_on_a_made_up_county(path, monkeypatch):
    monkeypatch.delenv("SYNTHPOP_GB_DATA", raising=False)
    runpy.run_path(str(path))


@pytest.mark.data
@every
def test_it_runs_on_real_data(path, data_folder):
    if "SYNTHPOP_GB_DATA" not in path.read_text(encoding="utf-8"):
        pytest.skip("it needs no real data")
    runpy.run_path(str(path))


@every
def test_jupytext_reads_the_same_cells(path):
    jupytext = pytest.importorskip("jupytext")
    assert [c.cell_type for c in jupytext.read(path).cells] == [kind for kind, _ in cells(path)]


def test_jupyter_shows_pictures_of_maps():
    jupytext, nbclient = pytest.importorskip("jupytext"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = jupytext.reads(SMALL, fmt="py:percent")
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = [set(output.data) for cell in book.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("image/png" in kinds for kinds in shown)


SMALL = """
# %% [markdown]
# # Does a map show in a notebook?

# %%
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
sp.datasets.make_county("penmarrow", zones=12, seed=1).write(folder)
places = sp.read.geography(folder / "lookup.csv", boundaries=folder / "boundaries.geo.parquet")
sp.report.draw_map(pd.Series(range(12), places.codes), places, folder / "m", title="t", unit="u")
"""
