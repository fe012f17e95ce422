"""The page says first what failed, holds every number it promises, reads nothing from elsewhere, and no text in it can run."""

import json
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import DIVERGING, SEQUENTIAL, classify
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.provenance import InputFile
from synthpop_gb.report import atlas, context, draw_map, figures, write_report
from synthpop_gb.report._shapes import borders
from synthpop_gb.report.measures import first_shown, measures
from synthpop_gb.report.words import number
from synthpop_gb.validation import true_error, validate
from tests.stages.grid_world import HOSTILE, on_grid, shares, solved, squares, with_boundaries
from tests.stages.nouns import world
from tests.stages.pages import Page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Pages by name, each written once."""
    made = {}

    def write(name, **options):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            study = {k: v for k, v in options.items() if k not in ("title", "truth", "bare")}
            aligned, population, checks = solved(**study) if options.get("bare") else on_grid(folder, **study)
            path = write_report(
                folder,
                population=population,
                aligned=aligned,
                checks=checks,
                title=options.get("title", "A study"),
                truth=options.get("truth"),
            )
            made[name] = path, Page(path.read_text(encoding="utf-8"))
        return made[name]

    return write


def test_an_exact_population(written):
    path, page = written("exact")
    assert path.name == "report.html"
    assert "Every table is met exactly in every one of the 12 zones." in page.text
    assert "Zones that miss published counts" not in page.text
    assert "3,600 whole people" in page.text
    for heading in (
        "Fit, table by table",
        "Maps",
        "What no table says",
        "Zones to look at",
        "Who is copied",
        "How to read this",
        "How it was made",
    ):
        assert heading in page.text
    assert "Nothing. The tables agree on the people of every zone" in page.text
    assert ("html", "en-GB") in page.having("lang")
    assert len(re.findall("standardised absolute error", page.text)) >= 1


def test_what_failed_comes_first(written):
    _, page = written("failing", n_zones=12, impossible=2)
    _, _, checks = solved(n_zones=12, impossible=2)
    missed = checks["zones"].query("tae > 0")["zone"].tolist()
    assert len(missed) == 2
    first = page.text.index(f"{len(missed)} of 12 zones miss")
    assert first < page.text.index("Zones that miss published counts", first) < page.text.index("Fit, table by table", first + 1)
    for zone in missed:
        assert page.text.index(zone) < page.text.index("Published and counted people, table by table")


def failing(n=3):
    """Checks of a study in which n zones did not converge, whatever the solver would do."""
    aligned, population, checks = solved()
    zones = checks["zones"].copy()
    rows = zones.index[:n]
    zones.loc[rows, "fit"], zones.loc[rows, "residual"] = "INFEASIBLE", 17.25
    zones.loc[rows, "worst_cell"], zones.loc[rows, "tae"], zones.loc[rows, "exact"] = "health = bad", [40.0, 4.0, 36.0][:n], False
    rows = zones.loc[rows, ["zone", "tae"]]
    found = (finding("zone-not-fitted", f"{n} zones did not converge.", count=n, rows=rows),)
    return aligned, population, Checks(checks.headline, {**checks.tables, "zones": zones}, found)


def test_causes_are_named(tmp_path):
    aligned, population, checks = failing()
    text = Page(write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="t").read_text("utf-8")).text
    assert "3 of 12 zones miss published counts; the other 9 meet every one." in text
    assert "80 people of error in all" in text
    assert text.count("infeasible: a target above zero has no record that could fill it") == 3
    listed = text[text.index("Zones that miss published counts, the largest") :]
    assert listed.index("E01000001") < listed.index("E01000003") < listed.index("E01000002")  # by total error
    assert "17" in listed
    assert "health = bad" in listed
    assert "3 zones did not converge." in text


def test_numbers_are_those_of_the_checks(written):
    _, page = written("exact")
    _, _, checks = solved()
    held = checks["held_out"].iloc[0]
    for value in (held["wrong_whole"], held["wrong_independence"], held["floor"], held["wrong_survey"]):
        assert number(value, 2) in page.text
    assert checks["zones"].sort_values("two_way_wrong").iloc[-1]["zone"] in page.text
    assert {f"{n:,}" for n in checks["record_use"]["copies"].head(5)} <= set(page.text.split())


def test_nothing_is_fetched(written):
    _, page = written("exact")
    assert [v for tag, v in page.having("src")] == []
    assert [v for tag, v in page.having("href") if not v.startswith("#")] == []
    assert not [tag for tag, _ in page.elements if tag in ("link", "iframe", "object", "embed", "form", "base")]
    policy = next(a["content"] for t, a in page.elements if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy
    assert not [a for _, a in page.elements if any(k.startswith("on") for k in a)]


def test_scripts_are_those_named_by_hash(written):
    import base64
    import hashlib

    path, page = written("exact")
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    code = re.findall(r"<script>(.*?)</script>", path.read_text("utf-8"), re.DOTALL)
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in code]
    assert len(hashes) == 2
    assert all(h in policy for h in hashes)


def test_no_text_from_files_can_run(written):
    path, page = written("hostile", hostile=True, title=f"{HOSTILE[0]} {HOSTILE[2]}")
    _, plain = written("exact")
    tags = [t for t, _ in page.elements]
    for tag in ("script", "img", "iframe", "svg"):
        assert tags.count(tag) == [t for t, _ in plain.elements].count(tag), tag
    assert not [a for _, a in page.elements if any(k.startswith("on") for k in a)]
    assert HOSTILE[0] in page.text  # it is there, as text
    assert HOSTILE[2] in page.text
    assert "49" not in re.findall(r"\{\{[^}]*\}\}|(?<=: )49(?= )", page.text)
    areas = json.loads(re.search(r'id="atlas-areas">(.*?)</script>', path.read_text("utf-8"), re.DOTALL).group(1))
    assert {a["n"] for a in areas} == set(HOSTILE)


def test_hostile_findings_sources_and_versions(tmp_path):
    aligned, population, checks = solved(hostile=True)
    rows = pd.DataFrame({HOSTILE[1]: [HOSTILE[0], None], "n": [0.5, np.nan]})
    bad = finding("perturbed", f"{HOSTILE[0]} and `code {HOSTILE[1]}`", why=HOSTILE[1], remedy=HOSTILE[2], rows=rows)
    aligned = replace(aligned, findings=(bad,))
    made = replace(
        population.provenance,
        inputs=(InputFile(HOSTILE[0], "0" * 64, 12),),
        options={"x": HOSTILE[1]},
        study={"name": HOSTILE[0]},
    )
    population = replace(population, provenance=made)
    path = write_report(
        tmp_path / "it's mine" / "r.html", population=population, aligned=aligned, checks=checks, title=HOSTILE[1]
    )
    page = Page(path.read_text("utf-8"))
    assert [t for t, _ in page.elements].count("img") == 0
    assert HOSTILE[0] in page.text
    assert ("code", {}) in page.elements
    assert f"code {HOSTILE[1]}" in page.text
    assert "it'\\''s mine/run.json'" in page.text


def test_map_data_are_the_checks(written):
    path, _ = written("exact")
    text = path.read_text("utf-8")
    parts = {
        k: json.loads(re.search(rf'id="atlas-{k}">(.*?)</script>', text, re.DOTALL).group(1))
        for k in ("areas", "measures", "spec")
    }
    aligned, _, checks = solved()
    labels = [m["label"] for m in parts["measures"]]
    cells = checks["cell_fit"].query("table == 'health' and cell == 'bad'").set_index("zone")["observed"]
    people = checks["zones"].set_index("zone")["people"]
    k = labels.index("bad")
    assert parts["measures"][k]["unit"] == "% of usual residents"
    found = {a["c"]: a["v"][k] for a in parts["areas"]}
    assert found == pytest.approx({z: 100 * cells[z] / people[z] for z in aligned.zones}, abs=0.006)
    assert [a["n"] for a in parts["areas"]] == aligned.geography.zones["name"].tolist()
    for m in parts["measures"]:
        assert sum(row["count"] for row in m["legend"]) == 12
    assert parts["areas"][0]["geometry"]["type"] == "Polygon"
    assert '{"name": "areas"}' in json.dumps(parts["spec"])


def test_large_areas_where_zones_are_many(tmp_path, monkeypatch):
    aligned, population, checks = on_grid(tmp_path)
    monkeypatch.setattr(atlas, "MOST_AREAS", 5)
    monkeypatch.setattr(context, "MOST_AREAS", 5)
    path = write_report(tmp_path / "r.html", population=population, aligned=aligned, checks=checks, title="t")
    text = path.read_text("utf-8")
    areas = json.loads(re.search(r'id="atlas-areas">(.*?)</script>', text, re.DOTALL).group(1))
    assert {(a["c"], a["n"]) for a in areas} == {("E07000001", "Northby"), ("E07000002", "Southby")}
    known = [m["label"] for m in json.loads(re.search(r'id="atlas-measures">(.*?)</script>', text, re.DOTALL).group(1))]
    assert sum(a["v"][known.index("People")] for a in areas) == 3600
    assert "Different people" not in known  # does not add up over zones
    pictures = [v for t, v in Page(text).having("src")]
    assert len(pictures) == 2
    assert all(v.startswith("data:image/png;base64,") for v in pictures)
    assert all(a["alt"] for t, a in Page(text).elements if t == "img")


def test_without_boundaries_or_with_broken_ones(written, tmp_path):
    _, page = written("bare", bare=True)
    assert "The study names no boundaries" in page.text
    assert "script" not in [t for t, _ in page.elements]
    aligned, population, checks = on_grid(tmp_path)
    broken = replace(aligned, geography=replace(aligned.geography, boundary_file=str(tmp_path / "no.gpkg")))
    text = Page(write_report(tmp_path, population=population, aligned=broken, checks=checks, title="t").read_text("utf-8")).text
    assert "The boundaries cannot be read" in text
    given_apart = write_report(
        tmp_path, population=population, aligned=solved()[0], checks=checks, title="t", geography=aligned.geography
    )
    assert "atlas-areas" in given_apart.read_text("utf-8")


def test_true_error_where_the_truth_is_known(written):
    aligned, population, _ = solved()
    rng = np.random.default_rng(0)
    values = pd.DataFrame({HOSTILE[0]: rng.random(len(aligned.records)) * 100}, aligned.records)
    truth = pd.DataFrame({HOSTILE[0]: rng.random(len(aligned.zones)) * 100}, aligned.zones)
    known = true_error(population.blocks(), aligned, truth, values, population=population)
    path, page = written("truth", truth=known)
    row = known["true_error"].iloc[0]
    assert "Against the truth" in page.text
    assert number(row["rmse"], 2) in page.text
    assert f"{number(row['rmse'], 1)} {number(row['rmse_average'], 1)} {number(row['floor'], 1)}" in page.text
    assert HOSTILE[0] in page.text
    described = json.loads(re.search(r'id="atlas-measures">(.*?)</script>', path.read_text("utf-8"), re.DOTALL).group(1))
    error = next(m for m in described if m["label"].endswith("estimate − truth"))
    assert error["unit"] == "percentage points"
    assert set(error["colours"]) <= {c for row in DIVERGING.values() for c in row}


@pytest.mark.parametrize("constraints", [["sex"], ["sex", "health"]])
def test_a_bare_study_without_held_out_tables_and_with_an_empty_zone(tmp_path, constraints):
    survey, tables, geography = world(5)
    empty = {k: replace(t, counts=t.counts.mul(t.counts.index != "E01000002", axis=0)) for k, t in tables.items()}
    bare = Geography(geography.zones[[]])  # no names, no areas
    aligned = harmonise(survey, empty, bare, constraints=constraints)
    population = solve(formulate(aligned), seed=1)
    checks = validate(population, aligned)
    aligned = replace(aligned, geography=with_boundaries(aligned.geography, tmp_path))
    text = Page(write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="t").read_text("utf-8")).text
    assert "Every table is met exactly" in text
    assert "says nothing about combinations of variables" in text
    assert "4 converged, 1 without people" in text
    assert ("one variable only" in text) == (len(constraints) == 1)
    assert ("Every pair of variables" in text) == (len(constraints) == 2)
    assert "Tables that were kept back" not in text


def test_scatter_of_many_zones_is_a_picture():
    n = 6_500
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"indicator": "x", "truth": rng.random(n), "estimate": rng.random(n)})
    picture = figures.truth_scatter(frame, "% of people")
    assert picture.startswith('<img alt="" src="data:image/png;base64,')
    assert len(picture) < 600_000
    assert figures.truth_scatter(frame.head(100), "%").startswith("<svg")
    assert figures.truth_scatter(frame.head(0), "%") == ""


def test_settled_tables_are_reported(written):
    _, page = written("noisy", noise=1.5)
    aligned, _, _ = solved(noise=1.5)
    assert f"{aligned.floor.sum():,.0f} people in {(aligned.floor > 0).sum()} zones" in page.text
    assert "What was changed so that the tables agree" in page.text


def test_records_under_licence_stay_unnamed(written):
    _, page = written("restricted", licence="restricted", bare=True)
    _, _, checks = solved()
    assert not [r for r in checks["record_use"]["record"].head(10) if r in page.text]
    assert "Record ids are left out" in page.text


def test_report_replaces_and_locks(tmp_path, monkeypatch):
    aligned, population, checks = solved()
    path = tmp_path / "report.html"
    path.write_text("old")
    write_report(path, population=population, aligned=aligned, checks=checks, title="t")
    assert path.read_text("utf-8").startswith("<!doctype html>")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "held open")))
    with pytest.raises(InputError, match="output-locked"):
        write_report(path, population=population, aligned=aligned, checks=checks, title="t")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


# --- measures and classes


def test_measures_add_up():
    aligned, _, checks = solved()
    offered = measures(aligned, checks)
    area = np.arange(12) // 4
    for m in offered:
        zones, areas = m.values(), m.values(area, 3)
        if m.bottom is None and m.adds:
            assert areas.sum() == pytest.approx(np.nansum(zones))
        elif m.adds:
            assert areas[0] == pytest.approx(m.scale * m.top[:4].sum() / m.bottom[:4].sum())
    assert offered[first_shown(offered)].group == "Tables kept back"
    assert first_shown(measures(aligned, failing()[2])) == 0


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.integers(0, 5).map(float), st.just(np.nan)), max_size=60),
    st.sampled_from(["quantile", "equal"]), st.integers(1, 6), st.sampled_from([None, 0.0]),
)  # fmt: skip
def test_classes_hold_every_value_once(values, method, n, centre):
    values = np.array(values, float)
    classes = classify(values, method=method, n=n, centre=centre)
    of = classes.of(values)
    assert (of == -1).sum() == np.isnan(values).sum() == classes.missing
    if len(classes.labels):
        assert np.bincount(of[of >= 0], minlength=len(classes.labels)).tolist() == list(classes.counts)
        assert len(classes.labels) == len(classes.colours) == len(classes.limits) + 1
        assert (np.diff(classes.limits) > 0).all()
        assert len(classes.labels) <= (6 if centre is None else 5)
    if centre is None:
        assert len(classes.labels) <= n
        assert method == "equal" or 0 not in classes.counts
        assert classes.colours == SEQUENTIAL.get(len(classes.labels), ())


def test_labels_say_what_is_inside():
    assert classify(np.array([0.0] * 50 + [3, 5, 8, 13, 21, 34]), n=4).labels[0] == "0"
    assert classify(np.arange(100.0), n=4).labels == ("0 to 24", "25 to 49", "50 to 74", "75 to 99")
    assert classify(np.linspace(1200, 98000, 200), n=2).labels == ("1,200 to 50,000", "50,000 to 98,000")
    assert classify(np.array([-2.0, -0.5, 0.5, 2.0]), centre=0.0).labels[2].startswith("−")
    with pytest.raises(ValueError, match="1 to 6"):
        classify(np.arange(3.0), n=7)


# --- static maps


def pixels(path):
    import matplotlib.image as image

    return (image.imread(path)[..., :3] * 255).round().astype(int).reshape(-1, 3)


def test_static_map_shows_every_class_and_what_is_missing(tmp_path):
    aligned, _, _ = on_grid(tmp_path, crs=4326, left_out=("E01000012",))
    values = pd.Series([0.0, 10, 20, 30, 40, 50, 60, 70, 80, np.nan, 100, 110], aligned.zones)
    before = dict(mpl.rcParams)
    paths = draw_map(
        values, aligned.geography, tmp_path / "maps" / "a.b", title="Share $x$ of <b>all</b>", unit="% of people", n_classes=4
    )
    assert [p.name for p in paths] == ["a.b.png", "a.b.svg"]
    assert dict(mpl.rcParams) == before
    found = pixels(paths[0])
    for colour in SEQUENTIAL[4]:
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (np.abs(found - rgb).sum(axis=1) <= 3).mean() > 0.02, colour
    grey = (np.abs(found - 0xD9).sum(axis=1) <= 3).mean()
    assert grey > 0.005  # the zone without a value
    svg = paths[1].read_text("utf-8")
    assert "<script" not in svg
    assert "<b>" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org") + svg.count("http://purl") + svg.count(
        "https://matplotlib"
    ) + svg.count("http://creativecommons")
    again = draw_map(values, aligned.geography, tmp_path / "c.png", title="t", unit="u")
    assert [p.name for p in again] == ["c.png"]
    assert not (tmp_path / "c.svg").exists()


def test_same_map_same_picture(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    one, two = (
        draw_map(shares(aligned), aligned.geography, tmp_path / n, title="t", unit="u")[0].read_bytes() for n in ("a", "b")
    )
    assert one == two


@pytest.mark.parametrize("values", [np.nan, 0.0, 5.5])
def test_maps_without_variation(tmp_path, values):
    aligned, _, _ = on_grid(tmp_path)
    for path in draw_map(pd.Series(values, aligned.zones), aligned.geography, tmp_path / "m", title="t" * 300, unit="u" * 80):
        assert path.stat().st_size > 2000


def test_map_needs_boundaries(tmp_path):
    with pytest.raises(InputError, match="missing-file"):
        draw_map(shares(solved()[0]), solved()[0].geography, tmp_path / "m", title="t", unit="u")
    assert list(tmp_path.iterdir()) == []


def test_borders_run_between_areas_and_around():
    shapes = squares(range(8), columns=4).geometry.to_numpy()  # two rows of four
    lengths = lambda lines: np.abs(np.diff(lines, axis=1)).sum() / 1000  # noqa: E731
    assert lengths(borders(shapes, np.zeros(8, int))) == 12  # the outside
    assert lengths(borders(shapes, np.array([0, 0, 1, 1, 0, 0, 1, 1]))) == 14  # and one line down the middle
    assert lengths(borders(shapes, np.arange(8))) == 22
    apart = np.array([s.buffer(-10) for s in shapes])
    assert len(borders(apart, np.zeros(8, int))) == 0  # polygons that share nothing have no borders to tell apart
