"""Prose cannot rot: every figure that README and docs quote comes from docs/figures.json, and what is promised holds there."""

import json
import re

import numpy as np
import pytest


@pytest.fixture(scope="module")
def root(pytestconfig):
    return pytestconfig.rootpath


@pytest.fixture(scope="module")
def figures(root):
    return json.loads((root / "docs" / "figures.json").read_text(encoding="utf-8"))


@pytest.fixture
def benchmarks(root, monkeypatch):
    """The folder benchmarks/ on the import path, as its scripts have it."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))


def test_every_name_in_the_docs_is_measured(root, figures):
    known = {f"{group}_{name}" for group, part in figures["figures"].items() for name in part["values"]}
    pages = [p for p in (root / "docs").rglob("*.md") if "_build" not in p.parts]
    used = {(page.name, name) for page in pages for name in re.findall(r"\{\{\s*(\w+)\s*\}\}", page.read_text(encoding="utf-8"))}
    assert used
    assert {(page, name) for page, name in used if name not in known} == set()


def test_every_figure_has_value_unit_and_text(figures):
    assert {"cpu", "cores", "memory", "platform"} <= set(figures["machine"])
    assert {"python", "numpy", "numba", "synthpop_gb"} <= set(figures["versions"])
    for group, part in figures["figures"].items():
        assert part["command"], group
        assert {"cpu", "cores", "memory", "platform"} <= set(part["machine"]), group
        for name, entry in part["values"].items():
            assert {"value", "unit", "text"} <= set(entry), (group, name)
            assert entry["text"], (group, name)


def test_page_and_readme_are_written_from_the_figures(root, figures, benchmarks, tmp_path):
    from _pages import write_page, write_readme
    from figures import GROUPS

    write_page(figures, {name: group.about for name, group in GROUPS.items()}, tmp_path / "figures.md")
    assert (tmp_path / "figures.md").read_text(encoding="utf-8") == (root / "docs" / "figures.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text((root / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    write_readme(figures, tmp_path / "README.md")
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == (root / "README.md").read_text(encoding="utf-8")


def test_measured_groups_are_those_that_can_be_measured(figures, benchmarks):
    from figures import GROUPS

    assert set(figures["figures"]) == set(GROUPS)


@pytest.mark.parametrize(
    ("group", "zones", "people"),
    [
        ("leeds_2011", 482, 751_485),
        ("yorkshire_2011", 3_317, 5_283_733),
        ("england_wales_2011", 34_753, 56_075_912),
        ("england_wales_2021", 35_672, None),
    ],
)
def test_promises_of_whole_runs_hold_in_the_figures(figures, group, zones, people):
    found = {name: entry["value"] for name, entry in figures["figures"][group]["values"].items()}
    assert found["zones"] == found["zones_converged"] == zones
    assert people is None or found["people"] == people
    assert found["tae_above_floor"] == 0
    assert found["largest_residual"] < 0.01
    if "held_out_error" in found:
        assert found["held_out_above_fractional"] <= 0.02
        assert found["held_out_error"] < found["held_out_independence"]


def test_promises_about_the_ordinary_size_hold_in_the_figures(figures):
    found = {name: entry["value"] for name, entry in figures["figures"]["region"]["values"].items()}
    assert found["tae"] == 0
    assert found["largest_relative_error"] <= 1e-6
    assert found["two_way_whole"] <= 4.5
    assert figures["figures"]["unbiased"]["values"]["rms_z"]["value"] < 1.1
    assert figures["figures"]["same_bits"]["values"]["digests"]["value"] == 1
    assert figures["figures"]["cakemap"]["values"]["zones_not_fitted"]["value"] == "7, 82, 84"


def test_promises_about_intersections_hold_in_the_figures(figures):
    found = {name: entry["value"] for name, entry in figures["figures"]["adult"]["values"].items()}
    verdicts = {name: found[f"{name}_verdict"] for name in ("bootstrap", "independent", "pairs", "swap", "rare")}
    assert verdicts == {"bootstrap": "passes"} | dict.fromkeys(("independent", "pairs", "swap", "rare"), "fails")
    assert (found["real_husband_female"], found["real_husband_single"], found["real_wife_single"]) == (1, 0, 0)
    assert found["independent_husband_female_rank"] <= 3
    assert found["independent_husband_single_rank"] <= 3
    assert found["pairs_husband_single_rank"] == found["swap_husband_female_rank"] == found["rare_countries_rank"] == 1
    assert found["halves_pass"] >= 0.9 * found["halves"]
    found = {name: entry["value"] for name, entry in figures["figures"]["scan"]["values"].items()}
    assert found["people"] == 751_485
    assert found["default_tae"] == found["fmf_tae"] == 0
    assert (found["default_verdict"], found["fmf_verdict"]) == ("passes", "fails")


def test_ordinary_size_is_the_problem_that_it_always_was(benchmarks):
    """Figures of different versions are about the same problem, up to what another processor rounds otherwise."""
    from _region import make_region

    made = make_region()
    assert len(made.start) == pytest.approx(16_255, abs=3)
    assert made.targets.sum() == pytest.approx(10_415_320, rel=1e-3)
    assert 100 * (made.targets == 0).mean() == pytest.approx(0.19, abs=0.02)
    assert made.weight.mean() == pytest.approx(1.0)
    assert (made.truth.sum(axis=1) == made.targets[: len(made.truth), :2].sum(axis=1)).all()


def test_texts_are_rounded_for_reading(benchmarks):
    from _measure import figure

    assert figure(np.int64(5_283_733), "people") == {"value": 5283733, "unit": "people", "text": "5,283,733"}
    shown = {
        (2.0741, "%"): "2.07 %",
        (12.34, "s"): "12.3 s",
        (3e-7, "people"): "3.0e-07",
        (1072.4, "zones/s"): "1,072",
        (0.0, ""): "0",
    }
    for (value, unit), text in shown.items():
        assert figure(value, unit)["text"] == text
