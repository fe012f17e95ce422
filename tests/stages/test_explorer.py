"""The explorer's figures are those of `indicator`; outlines close without gaps; nothing reaches the page that may not."""

import base64
import warnings
import zlib
from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.assessment import indicator, leave_one_out
from synthpop_gb.assessment.tabulate import tabulate
from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import InputError
from synthpop_gb.explorer import engine, offer_of, outlines_of, page, simulation_items
from synthpop_gb.explorer.packing import NOTHING, Store, pack_figures, zigzag
from synthpop_gb.export import script_json
from synthpop_gb.indicators import classify
from synthpop_gb.indicators.tabulated import CLASSES, WITHHELD, Figures, reliability_codes
from synthpop_gb.pipeline import explore
from synthpop_gb.population import DonorCounts
from tests.stages.explorer_world import CONDITIONS, Read, page_of, simulated, town
from tests.stages.grid_world import HOSTILE, squares

NUMBERS = st.floats(0, 1, allow_nan=False, allow_subnormal=False)


# -- figures --------------------------------------------------------------------------------------------------------------------


def tabulated(aligned, population, **options):
    offer = offer_of(aligned, CONDITIONS)
    left_out = leave_one_out(population)
    return offer, left_out, tabulate(population, offer.measured, offer.groups, offer.levels, left_out=left_out, **options)


@pytest.mark.parametrize("place", ["zone", "district", "all"])
def test_shares_are_those_of_indicator(tmp_path, place):
    aligned, population = town(tmp_path)
    offer, left_out, found = tabulated(aligned, population)
    k = next(i for i, level in enumerate(offer.levels) if level.name == place)
    for name, question in (("health", "health = 'bad'"), ("health = 'bad'", "health = 'bad'")):
        i = next(i for i, m in enumerate(offer.measured) if m.name == name)
        column = offer.measured[i].columns.index("bad") if name == "health" else 0
        for by in ((place,), (place, "sex"), (place, "age")):
            asked = indicator(population, question, by=by, aligned=aligned, left_out=left_out).frame
            variable = by[1] if len(by) > 1 else ""
            for g, group in enumerate(offer.groups):
                if group.variable != variable:
                    continue
                frame = asked if not variable else asked[asked[variable] == group.label]
                mine = found[k][i]
                np.testing.assert_allclose(mine.estimate[g, column], frame["estimate"], atol=1e-12)
                lower = np.clip(mine.estimate[g, column] - mine.half[g, column], 0, 1)
                upper = np.clip(mine.estimate[g, column] + mine.half[g, column], 0, 1)
                np.testing.assert_allclose(lower, frame["lower"], atol=1e-12)
                np.testing.assert_allclose(upper, frame["upper"], atol=1e-12)
                assert [CLASSES[c] for c in mine.reliability[g, column]] == frame["reliability"].tolist()
                assert mine.donors[g].tolist() == frame["donors"].tolist()
                np.testing.assert_allclose(mine.people[g], frame["people"])


def test_a_mean_is_that_of_indicator(tmp_path):
    aligned, population = town(tmp_path)
    income = 1000.0 + 37.0 * (np.arange(len(aligned.survey.records)) * 7919 % 1013)
    aligned = replace(aligned, survey=replace(aligned.survey, records=aligned.survey.records.assign(income=income)))
    offer = offer_of(aligned)
    i = next(i for i, m in enumerate(offer.measured) if m.name == "income")
    left_out = leave_one_out(population)
    (figures,) = tabulate(population, [offer.measured[i]], offer.groups[:1], offer.levels[:1], left_out=left_out)
    frame = indicator(population, "income", measure="mean", aligned=aligned, left_out=left_out).frame
    np.testing.assert_allclose(figures[0].estimate[0, 0], frame["estimate"])
    np.testing.assert_allclose(figures[0].half[0, 0], (frame["upper"] - frame["lower"]) / 2)
    assert not offer.measured[i].share


def test_parts_give_the_same_as_all_at_once(tmp_path, monkeypatch):
    aligned, population = town(tmp_path)
    _, _, whole = tabulated(aligned, population)
    monkeypatch.setattr("synthpop_gb.assessment.tabulate._MOST", 500)
    monkeypatch.setattr("synthpop_gb.assessment.tabulate._BLOCK", 5)
    _, _, parts = tabulated(aligned, population)
    for a, b in zip((f for level in whole for f in level), (f for level in parts for f in level), strict=True):
        np.testing.assert_allclose(a.estimate, b.estimate, atol=1e-12)
        np.testing.assert_allclose(a.half, b.half, atol=1e-12)


def test_without_replicates_there_are_no_intervals(tmp_path):
    aligned, population = town(tmp_path, replicates=False)
    offer = offer_of(aligned)
    (figures,) = tabulate(population, offer.measured[:1], offer.groups[:1], offer.levels[:1])
    assert np.isnan(figures[0].half).all()
    assert set(figures[0].reliability.ravel()) <= {len(CLASSES) - 1, len(CLASSES) - 2}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 30)), min_size=1, max_size=20), st.booleans())
def test_codes_say_what_classify_says(rows, share):
    estimate, error, donors = map(np.array, zip(*rows, strict=True))
    assert [CLASSES[c] for c in reliability_codes(estimate, error, donors, share=share)] == classify(
        estimate, error, donors, share=share
    ).tolist()


# -- packing --------------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), min_size=1, max_size=40), st.sampled_from([1.0, 1e-4, 1e7, -3e3]))
def test_what_is_packed_is_read_back_far_within_the_interval(rows, size):
    value, half, there = map(np.array, zip(*rows, strict=True))
    value, half = np.where(there, size * value, np.nan)[None, None], np.where(there, abs(size) * half, np.nan)[None, None]
    n = value.shape[-1]
    figures = Figures(value, half, np.zeros(value.shape, np.uint8), np.ones((1, n)), np.ones((1, n), int), half / 2)
    store = Store()
    packed = pack_figures(store, figures, [0]) | {"who": store.put((np.ones(n, int), 4), (np.ones(n, int), 4))}
    read = object.__new__(Read)
    read.blobs = [zlib.decompress(base64.b64decode(t), -15) for t in store.texts]
    back = read.figures(packed, n)
    assert np.array_equal(np.isnan(back["estimate"]), np.isnan(value[0]))
    middle = np.median(half[np.isfinite(half)]) if there.any() else 0.0
    reach = np.nanmax(np.abs(value)) if there.any() else 0.0
    allowed = max(middle / 200, 2 * reach / 60_000, 2 * np.nanmax(half, initial=0.0) / 60_000) * (1 + 1e-4)
    for name, true in (("estimate", value), ("h", half), ("l", half / 2)):
        if name in back:
            off = np.abs(back[name] - true[0])
            assert np.nanmax(off, initial=0.0) <= allowed + 1e-12


def test_numbers_too_large_are_refused_and_equal_arrays_stand_once():
    store = Store()
    with pytest.raises(ValueError, match="do not fit"):
        store.put((np.array([70_000]), 2))
    first, again = store.put((np.arange(9), 2)), store.put((np.arange(9), 2))
    assert first == again
    assert len(store.texts) == 1
    assert zigzag(np.array([3, -3])).tolist() == [6, 5]
    assert NOTHING == 65_535


def test_json_ends_no_element():
    text = script_json({"a": "</script><!-- & \u2028"})
    assert not set("<>&\u2028") & set(text)


# -- outlines -------------------------------------------------------------------------------------------------------------------


def rebuilt(outlines, n):
    """Polygons of the zones from their arcs, in degrees."""
    lines = np.stack(
        [outlines.west + outlines.points[:, 0] * outlines.step, outlines.south + outlines.points[:, 1] * outlines.step], 1
    )
    arc = [lines[a:b] for a, b in zip(outlines.arc_start[:-1], outlines.arc_start[1:], strict=True)]
    parts = [[] for _ in range(n)]
    for r, zone in enumerate(outlines.ring_zone):
        numbers = outlines.rings[outlines.ring_start[r] : outlines.ring_start[r + 1]]
        points = np.concatenate([arc[-1 - k][::-1] if k < 0 else arc[k] for k in numbers])
        assert (points[0] == points[-1]).all()
        if outlines.ring_first[r] or not parts[zone]:
            parts[zone].append([points])
        else:
            parts[zone][-1].append(points)
    return [shapely.MultiPolygon([shapely.Polygon(p[0], p[1:]) for p in zone]) if zone else None for zone in parts]


def test_neighbours_share_arcs_and_nothing_is_lost():
    shapes = squares([f"Z{i}" for i in range(12)])
    outlines = outlines_of(shapes, np.arange(12))
    inner = outlines.sides[:, 0] >= 0
    assert inner.sum() == 17  # sides between the squares of a grid of 4 x 3
    assert (
        np.bincount(np.where(outlines.rings < 0, -1 - outlines.rings, outlines.rings), minlength=len(inner)).tolist()
        == (1 + inner).tolist()
    )
    degrees = shapes.to_crs(4326).geometry.to_numpy()
    back = rebuilt(outlines, 12)
    assert shapely.area(shapely.union_all(back)) == pytest.approx(shapely.area(shapely.union_all(degrees)), rel=1e-3)
    assert sum(shapely.area(b) for b in back) == pytest.approx(shapely.area(shapely.union_all(back)), rel=1e-9)


def test_holes_islands_and_pieces():
    inner = shapely.box(400, 400, 600, 600)
    outer = shapely.box(0, 0, 1000, 1000).difference(inner)
    pieces = shapely.MultiPolygon([shapely.box(2000, 0, 2400, 400), shapely.box(2000, 600, 2400, 1000)])
    frame = geopandas.GeoDataFrame(geometry=[outer, inner, pieces], crs=27700)
    outlines = outlines_of(frame, np.array([4, 0, 2]))
    back = rebuilt(outlines, 5)
    assert back[1] is None
    assert back[3] is None
    assert len(back[4].geoms[0].interiors) == 1
    assert len(back[2].geoms) == 2
    assert back[4].intersection(back[0]).area == 0
    assert ((outlines.sides == [0, 4]).all(axis=1)).sum() == 1  # the island's coast is one arc, shared


def test_polygons_that_do_not_share_vertices_keep_their_own_lines():
    frame = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10), shapely.box(10, 0.5, 20, 9.5)], crs=27700)
    outlines = outlines_of(frame, np.arange(2))
    assert (outlines.sides[:, 0] == -1).all()
    assert len(rebuilt(outlines, 2)) == 2


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10_000))
def test_any_partition_is_put_together_again(n, seed):
    rng = np.random.default_rng(seed)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, 5000, (3 * n, 2))), extend_to=shapely.box(0, 0, 5000, 5000))
    )
    cells = np.array([shapely.intersection(c, shapely.box(0, 0, 5000, 5000)) for c in cells])
    zone = rng.integers(0, n, len(cells))
    merged = [shapely.coverage_union_all(cells[zone == z]) for z in np.unique(zone)]
    frame = geopandas.GeoDataFrame(geometry=merged, crs=27700)
    outlines = outlines_of(frame, np.arange(len(merged)))
    back = rebuilt(outlines, len(merged))
    true = shapely.area(frame.to_crs(4326).geometry.to_numpy())
    assert np.abs(shapely.area(np.array(back)) - true).max() <= 2e-3 * true.sum()


# -- what is offered ------------------------------------------------------------------------------------------------------------


def test_variables_domains_groups_and_levels(tmp_path):
    aligned, _ = town(tmp_path)
    offer = offer_of(aligned, CONDITIONS)
    assert {"age", "sex", "health"} <= {m.name for m in offer.measured}
    assert offer.domains[[m.name for m in offer.measured].index("health")] == "Health and wellbeing"
    assert [level.name for level in offer.levels] == ["zone", "lad", "district", "all"]  # the one region is the whole
    assert offer.groups[0].member.all()
    assert {g.variable for g in offer.groups} == {"", "sex", "age"}
    census = offer.census[[m.name for m in offer.measured].index("health")]
    table = next(t for t in aligned.constraints if t.name == "health")
    assert np.array_equal(census.counts, table.published.to_numpy())
    measured, crossed, ages, sexes = offer.pyramid
    assert len(measured.columns) == len(ages) * len(sexes)
    assert crossed.counts.sum() == aligned.held_out[0].published.to_numpy().sum()


def test_wrong_words_are_told_all_at_once(tmp_path):
    aligned, _ = town(tmp_path)
    with pytest.raises(InputError) as error:
        offer_of(aligned, [("x", "helth = 'bad'", None), ("y", "health = 'bd'", None)], only=["sexx", "age"])
    assert len(error.value.findings) == 3
    assert {f.code for f in error.value.findings} == {"bad-condition"}


def test_rare_answers_of_a_licensed_survey_have_no_name_on_the_page(tmp_path):
    aligned, _ = town(tmp_path, licence="restricted")
    job = np.where(
        np.arange(len(aligned.survey.records)) < 4, "astronaut", np.where(np.arange(len(aligned.survey.records)) % 2, "a", "b")
    )
    variable = Variable("job", tuple(Category(c, c, frozenset({c})) for c in ("a", "b", "astronaut")), "job")
    survey = replace(
        aligned.survey, records=aligned.survey.records.assign(job=job), variables={**aligned.survey.variables, "job": variable}
    )
    offer = offer_of(replace(aligned, survey=survey), only=["job"])
    assert offer.measured[0].columns == ("a", "b")
    opened = offer_of(replace(aligned, survey=replace(survey, licence="open")), only=["job"])
    assert opened.measured[0].columns == ("a", "b", "astronaut")


def test_a_category_without_a_name_still_counts_and_joins_no_other(tmp_path, monkeypatch):
    aligned, population = town(tmp_path, licence="restricted")
    monkeypatch.setattr("synthpop_gb.explorer.offered.FEW_DONORS", 77)  # hides two ages of 76 records each
    offer = offer_of(aligned)
    i = [m.name for m in offer.measured].index("age")
    assert offer.measured[i].columns == ("16-24", "25-44", "65+")
    assert [int(g.member.sum()) for g in offer.groups if g.variable == "age"] == [89, 77, 82]
    published = next(t for t in aligned.constraints if t.name == "age").published
    crossed = next(t for t in aligned.held_out if set(t.variables) == {"age", "sex"}).published
    assert np.array_equal(offer.census[i].total, published.sum(axis=1))
    assert np.array_equal(offer.pyramid[1].total, crossed.sum(axis=1))
    assert (offer.census[i].counts.sum(axis=1) < offer.census[i].total).all()
    read = Read(explore(population, aligned, tmp_path / "x.html", title="x").path)
    assert np.array_equal(read.arrays(read.item("age")["census"])[1], published.sum(axis=1))


# -- the page -------------------------------------------------------------------------------------------------------------------


def test_what_the_page_holds_is_what_was_estimated(tmp_path):
    aligned, population = town(tmp_path)
    path = page_of(tmp_path, conditions=CONDITIONS)
    read = Read(path)
    offer, _, found = tabulated(aligned, population)
    item, i = read.item("health"), [m.name for m in offer.measured].index("health")
    back = read.figures(item["levels"]["0"][""], 12)
    half = found[0][i].half[0]
    allowed = np.maximum(np.median(half, axis=1, keepdims=True), 1e-3) / 200 + 2e-5
    assert (np.abs(back["estimate"] - found[0][i].estimate[0]) <= allowed).all()
    assert np.array_equal(back["class"], found[0][i].reliability[0])
    assert np.array_equal(back["donors"][0], found[0][i].donors[0])
    assert len(read.meta["pyramid"]["sexes"]) == 2
    assert read.arrays(item["census"])[0].reshape(3, 12).sum() == aligned.constraints[2].published.to_numpy().sum()


def test_nothing_is_on_the_page_that_few_records_stand_behind(tmp_path):
    aligned, population = town(tmp_path, licence="restricted")
    few = [DonorCounts(aligned.zones[:1], np.array([0, 3]), np.array([0, 1, 2], np.int32), np.array([5, 5, 5], np.int32))]
    blocks = list(population.blocks())
    rest = [DonorCounts(b.zones[1:], b.indptr[1:] - b.indptr[1], b.record[b.indptr[1] :], b.n[b.indptr[1] :]) for b in blocks]
    made = explore(population, aligned, tmp_path / "x.html", title="x", counts=lambda: [*few, *rest])
    read = Read(made.path)
    assert not read.meta["open"]
    for item in read.meta["items"]:
        for packed in item["levels"]["0"].values():
            back = read.figures(packed, 12)
            assert np.isnan(back["estimate"][:, 0]).all()
            assert set(back["class"][:, 0]) <= {WITHHELD, len(CLASSES) - 1}
            assert (back["donors"][:, 0] == 0).all()
    health = read.figures(read.item("health")["levels"]["0"][""], 12)
    assert np.isfinite(health["estimate"][:, 1:]).all()


def test_no_record_is_named_and_nothing_runs_that_is_not_ours(tmp_path):
    aligned, _ = town(tmp_path, hostile=True)
    text = page_of(tmp_path, hostile=True, title=HOSTILE[0], conditions=[(HOSTILE[1], "sex = 'male'", None)]).read_text("utf-8")
    assert "<script>window.hacked" not in text
    assert "<img src=x" not in text
    assert "window.hacked" in text  # as text
    assert text.count("<script>") == 2  # the engine's and ours, named by hashes
    assert "unsafe-eval" not in text
    assert "script-src &#39;sha256-" in text or "script-src 'sha256-" in text
    ids = [str(r) for r in aligned.records if not str(r).isdigit()]
    assert not any(r in text for r in ids)


def test_the_engine_is_read_not_imported():
    script, style = engine()
    assert "maplibregl" in script
    assert "sourceMappingURL" not in script[-300:]
    assert "</script" not in script
    assert ".maplibregl" in style


def test_without_the_engine_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        page_of(tmp_path)
    assert [f.code for f in error.value.findings] == ["missing-extra"]
    assert "explore" in error.value.findings[0].remedy
    assert not (tmp_path / "explorer.html").exists()


def test_without_boundaries_there_is_a_page_and_a_finding(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "find_spec", lambda name: None)  # nor is the engine needed
    aligned, population = town(tmp_path, boundaries=False)
    made = explore(population, aligned, tmp_path / "x.html", title="x")
    assert [f.code for f in made.findings] == ["no-map"]
    read = Read(made.path)
    assert read.meta["outlines"] is None
    assert "maplibregl" not in read.text[read.text.rindex("<script>") - 2000 : read.text.rindex("<script>")]
    assert made.path.stat().st_size < 400_000


def test_without_replicates_the_page_says_so(tmp_path):
    aligned, population = town(tmp_path, replicates=False)
    made = explore(population, aligned, tmp_path / "x.html", title="x")
    assert [f.code for f in made.findings] == ["study-missing"]
    read = Read(made.path)
    assert read.meta["sure"] is False
    assert "h" not in read.item("health")["levels"]["0"][""]


def test_too_many_figures_are_left_out_and_told(tmp_path, monkeypatch):
    aligned, population = town(tmp_path)
    columns = sum(len(m.columns) for m in offer_of(aligned).measured)
    monkeypatch.setattr("synthpop_gb.pipeline.exploring._MOST", columns * 12)
    made = explore(population, aligned, tmp_path / "x.html", title="x")
    assert {f.code for f in made.findings} == {"explorer-trimmed"}
    item = Read(made.path).item("health")
    assert set(item["levels"]["0"]) == {""}
    assert set(item["levels"]["3"]) == {"", "sex", "age"}
    monkeypatch.setattr("synthpop_gb.pipeline.exploring._MOST", columns * 12 - 1)
    again = Read(explore(population, aligned, tmp_path / "x.html", title="x").path)
    assert set(again.item("health")["levels"]) == {"1", "2", "3"}


# -- simulations ----------------------------------------------------------------------------------------------------------------


def test_simulations_are_on_the_page_scenario_by_scenario(tmp_path):
    aligned, population = town(tmp_path)
    folder = simulated(tmp_path, aligned)
    made = explore(population, aligned, tmp_path / "x.html", title="x", simulations=folder)
    assert made.simulations == ("Child benefit doubled",)
    read = Read(made.path)
    item = next(i for i in read.meta["items"] if i.get("change"))
    assert item["unit"] == "pounds a year"
    assert item["scenarios"] == ["double"]
    back = read.figures(item["levels"]["0"]["double"][""], 12)
    np.testing.assert_allclose(back["estimate"][0], 50.0 * (np.arange(12) - 5), atol=1.0)
    np.testing.assert_allclose(back["h"][0], 40.0, atol=1.0)
    np.testing.assert_allclose(back["l"][0], 20.0, atol=1.0)
    sexes = read.figures(item["levels"]["0"]["double"]["sex"], 12)
    assert sexes["estimate"].shape == (2, 12)
    assert read.figures(item["levels"]["3"]["double"][""], 1)["estimate"][0, 0] == pytest.approx(25, abs=0.5)
    mean = next(i for i in read.meta["items"] if i["title"] == "Mean net income")
    assert mean["scenarios"] == ["baseline", "double"]


def test_simulations_of_licensed_surveys_are_withheld_here_too(tmp_path):
    aligned, population = town(tmp_path, licence="restricted")
    folder = simulated(tmp_path, aligned, donors=9)
    read = Read(explore(population, aligned, tmp_path / "x.html", title="x", simulations=folder).path)
    item = next(i for i in read.meta["items"] if i.get("change"))
    assert np.isnan(read.figures(item["levels"]["0"]["double"][""], 12)["estimate"]).all()


def test_a_broken_simulation_is_told_and_the_others_shown(tmp_path):
    aligned, population = town(tmp_path)
    folder = simulated(tmp_path, aligned)
    for name, frame in (("lacking", pd.DataFrame({"a": [1]})), ("other", None)):
        (folder / name).mkdir()
        if frame is None:
            (folder / name / "outcomes.parquet").write_bytes(b"no parquet")
        else:
            frame.to_parquet(folder / name / "outcomes.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = explore(population, aligned, tmp_path / "x.html", title="x", simulations=folder)
    assert [f.code for f in made.findings] == ["unreadable-file"] * 2
    assert made.simulations == ("Child benefit doubled",)
    assert simulation_items("x", pd.DataFrame(columns=["scenario", "outcome", "measure", "estimate"]), []) == []
