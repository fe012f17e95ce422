"""How sure a population is, in reports and on maps: sentences, tables, charts; hostile headings are shown, never run."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.assessment import indicator, leave_one_out
from synthpop_gb.checks import Checks
from synthpop_gb.errors import FitWarning
from synthpop_gb.execution import solve
from synthpop_gb.indicators import Indicators, Question
from synthpop_gb.report import draw_map, figures, uncertainty, write_report
from tests.stages.grid_world import HOSTILE, on_grid, solved


@pytest.fixture(scope="module")
def asked():
    """(aligned, population with replicates, checks with tables left out, indicators under hostile headings)."""
    aligned, population, checks = solved(hostile=True)
    population = solve(population.problem, seed=11, workers=1, replicates=3)
    left_out = leave_one_out(population, refits=2)
    checks = replace(checks, tables={**checks.tables, **left_out.tables()})
    where = f"health = '{HOSTILE[0]}' or age >= 16"
    asking = (
        Question("age >= 65 and sex = 'male'"),
        Question("sex = 'male'", where=where),
        Question("weight", "mean", by=("zone", "sex")),
        Question("age >= 65", "count", by=("lad",)),
    )
    found = [(HOSTILE[i], indicator(population, q, left_out=left_out, aligned=aligned)) for i, q in enumerate(asking)]
    return aligned, population, checks, found


def test_hostile_headings_are_shown_and_not_run(asked, tmp_path):
    aligned, population, checks, found = asked
    page = write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="x", indicators=found)
    text = page.read_text(encoding="utf-8")
    section = text[text.index('<section id="sure">') :].split("</section>")[0]
    assert "<script>window.hacked" not in text
    assert "<img src=x" not in text
    assert "49" not in re.sub(r"<svg.*?</svg>", "", section, flags=re.S).split("Tables left out")[0].split("What was asked")[0]
    for heading in ("&lt;/script&gt;&lt;script&gt;", "&lt;img src=x onerror=", "{{ 7 * 7 }}{% raw %}", "=HYPERLINK("):
        assert heading in section
    assert section.count("<figure>") == 2  # by zone, without groups
    assert "% of people, where health" in section


def test_without_replicates_nothing_is_said(asked):
    _, population, checks, found = asked
    assert uncertainty.sure(replace(population, replicates=None), checks, found) == []
    assert uncertainty.sure(population, Checks({}, {}, ()), found) == []
    assert uncertainty.left_out_grid(Checks({}, {}, ())) is None
    assert uncertainty.indicators_grid([]) is None
    assert uncertainty.charts([]) == []


def test_sentences_count_what_is_unreliable(asked):
    _, population, checks, found = asked
    first, second, third = uncertainty.sure(population, checks, found)
    assert first.startswith("3 replicates")
    assert "the whole people and the survey’s records" in first
    assert "compare with something published" in second
    frame = pd.concat([i.frame for _, i in found])
    bad = (frame["reliability"] == "unreliable").sum()
    assert third.startswith(f"{bad} of {len(frame)} figures")
    empty = replace(found[0][1], frame=found[0][1].frame.assign(reliability=""))
    assert uncertainty.sure(population, checks, [("x", empty)])[2].startswith("0 of 0 figures")
    still = replace(population, replicates=replace(population.replicates, sources=()))
    assert "draws nothing again" in uncertainty.sure(still, checks, [])[0]


def test_tables_left_out_are_summed_up(asked):
    _, _, checks, _ = asked
    grid = uncertainty.left_out_grid(checks)
    assert len(grid.rows) == 3
    by_zone = checks.tables["left_out"]
    error = (by_zone["published"] - by_zone["predicted"])[by_zone["table"] == "age"]
    assert f"{100 * np.sqrt((error**2).mean()):.2f}" in str(grid.rows[0])


def made_up(n, unreliable=0, value=0.4, what="share"):
    """Indicators by zone from plain numbers; the first `unreliable` are so, the last has none."""
    estimate = np.append(np.linspace(0.1, value, n - 1), np.nan)
    frame = pd.DataFrame(
        {
            "zone": [f"E01{i:06d}" for i in range(1, n + 1)],
            "estimate": estimate,
            "lower": estimate - 0.05,
            "upper": estimate + 0.05,
            "reliability": np.where(np.arange(n) < unreliable, "unreliable", "precise"),
        }
    )
    return Indicators(Question("x", what), frame, 0.9, Question("x", what).unit)


@pytest.mark.parametrize("n", [3, 900])
def test_caterpillars_draw_every_zone_or_a_sample(n):
    svg = figures.caterpillar(made_up(n, unreliable=2))
    assert svg.startswith("<svg")
    assert "NaN" not in svg
    assert min(n - 1, 400) <= svg.count("<line") <= 460 if n > 400 else svg.count("<line") >= n - 1
    assert "% of people" in svg


def test_caterpillars_cut_long_units_and_escape_hostile_ones():
    found = made_up(5, what="mean")
    found = replace(found, unit="</text><script>window.hacked = 1</script>" * 5)
    svg = figures.caterpillar(found)
    assert "<script" not in svg
    assert "…" in svg
    assert uncertainty.charts([("x", made_up(2))]) == []  # one zone with a figure is no order


def test_maps_mark_what_is_unreliable(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    values = pd.Series(np.linspace(1, 12, 12), aligned.zones)
    values.iloc[0] = np.nan
    doubtful = pd.Series(False, aligned.zones)
    doubtful.iloc[:4] = True  # the first has no value, so three are doubtful
    plain, marked, none = (
        draw_map(values, aligned.geography, tmp_path / f"{name}.svg", title="t", unit="u", unreliable=what)[0].read_text("utf-8")
        for name, what in (("plain", None), ("marked", doubtful), ("none", doubtful & False))
    )
    assert "unreliable" in marked
    assert "3 zones" in marked.split("unreliable")[1]
    assert "unreliable" not in plain
    assert "unreliable" not in none
    assert marked.count("<pattern") > plain.count("<pattern")
    part = draw_map(values, aligned.geography, tmp_path / "part.svg", title="t", unit="u", unreliable=doubtful.iloc[1:3])[0]
    assert "2 zones" in part.read_text("utf-8").split("unreliable")[1]  # zones without a word are taken to be sound


def test_a_run_drawn_from_tables_that_are_exact_still_reports(tmp_path):
    aligned, population, checks = solved()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        population = solve(population.problem, seed=1, workers=1, replicates=2, sources=["tables"])
    checks = replace(checks, tables={**checks.tables, **leave_one_out(population, refits=2).tables()})
    page = write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="x")
    assert "draws nothing again" in page.read_text(encoding="utf-8")
