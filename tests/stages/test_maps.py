"""Pictures of zones: one scale for several maps, two figures in one, changes, how sure; colours that can be told apart."""

import html
import itertools
import re

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.export import polygons
from synthpop_gb.geography.classes import DIVERGING, MISSING, SEQUENTIAL, classify, classify_widths
from synthpop_gb.indicators import RELIABILITY
from synthpop_gb.report import Drawing, draw_bivariate, draw_change, draw_map, draw_multiples, draw_pair
from synthpop_gb.report._panels import Outlines, of_classes
from synthpop_gb.report._sheet import Sheet, lay_out
from synthpop_gb.report.bivariate import BIVARIATE, _palette
from tests.stages.grid_world import HOSTILE, on_grid, shares

COLOUR_VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What is left of linear red, green and blue: Machado, Oliveira and Fernandes (2009), table of severity 1.0."""


def lab(colour, seen):
    """CIE L*a*b* (D65) of a colour, as somebody sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(seen) @ linear, 0, 1)
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = np.asarray(to_xyz) @ linear / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen", COLOUR_VISION)
def test_colours_can_be_told_apart(seen):
    palettes = [(p, 12) for n, p in SEQUENTIAL.items() if 1 < n < 6] + [(SEQUENTIAL[6], 6)]
    palettes += [(p, 20) for n, p in DIVERGING.items() if n > 1] + [(tuple(itertools.chain(*BIVARIATE)), 12)]
    for palette, least in palettes:
        seen_as = [lab(c, COLOUR_VISION[seen]) for c in palette]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen_as, 2)) >= least, palette
    for n, palette in SEQUENTIAL.items():
        light = [lab(c, COLOUR_VISION[seen])[0] for c in palette]
        assert light == sorted(light, reverse=True), f"{n} classes: darker is more"


def pixels(path):
    return (matplotlib.image.imread(path)[..., :3] * 255).round().astype(int).reshape(-1, 3)


def covered(path, colour):
    """Share of a picture in a colour."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(pixels(path) - rgb).sum(axis=1) <= 3).mean()


def words(drawing):
    """Texts of the SVG: matplotlib leaves each in a comment before its outlines."""
    (svg,) = (p for p in drawing if p.suffix == ".svg")
    return [html.unescape(t.strip()) for t in re.findall(r"<!--(.*?)-->", svg.read_text("utf-8"), re.DOTALL)]


def test_multiples_share_one_scale(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    low, high = pd.Series(np.arange(12.0), aligned.zones), pd.Series(np.arange(12.0) + 50, aligned.zones)
    drawn = draw_multiples({"low <b>": low, "high": high}, aligned.geography, tmp_path / "m", title="Two", unit="% of people")
    together = classify(np.concatenate([low, high]))
    for colour in together.colours:
        assert covered(drawn[0], colour) > 0.005
    said = words(drawn)
    assert {"low <b>", "high", "% of people"} <= set(said)
    assert [t for t in said if t in together.labels] == [*reversed(together.labels)], "one legend"
    panels = [of_classes(s.to_numpy(), together, unit="u")[0] for s in (low, high)]
    used = [set(p.fill) for p in panels]
    assert together.colours[0] in used[0] - used[1], "the palest is for the low alone"
    assert together.colours[-1] in used[1] - used[0]
    again = draw_multiples(
        pd.DataFrame({"low <b>": low, "high": high}), aligned.geography, tmp_path / "n", title="Two", unit="% of people"
    )
    assert again[0].read_bytes() == drawn[0].read_bytes()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 12])
def test_any_number_of_maps_finds_room(tmp_path, n):
    aligned, _, _ = on_grid(tmp_path)
    shapes = polygons(aligned.geography)
    numbers = shares(aligned).to_numpy()
    panel, legend = of_classes(numbers, classify(numbers), title="t", unit="u")
    figure = lay_out(Outlines(shapes, aligned.geography, "auto"), [panel] * n, legend, Sheet("t", "", ""))
    boxes = [a.get_position(original=True) for a in figure.axes[:n]]
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= 1
        assert 0 <= box.y0 < box.y1 <= 1
    for a, b in itertools.combinations(boxes, 2):
        assert a.x1 <= b.x0 + 1e-9 or b.x1 <= a.x0 + 1e-9 or a.y1 <= b.y0 + 1e-9 or b.y1 <= a.y0 + 1e-9
    assert figure.get_figwidth() < 13
    assert figure.get_figheight() < 13


@pytest.mark.parametrize("n", [0, 13])
def test_too_many_maps_are_refused(tmp_path, n):
    aligned, _, _ = on_grid(tmp_path)
    with pytest.raises(ValueError, match="1 to 12"):
        draw_multiples({str(i): shares(aligned) for i in range(n)}, aligned.geography, tmp_path / "m", title="t", unit="u")


def test_two_figures_in_nine_colours(tmp_path):
    aligned, _, _ = on_grid(tmp_path, left_out=("E01000012",))
    zones = aligned.zones
    first = pd.Series(np.repeat([1.0, 5.0, 9.0], 4), zones)
    second = pd.Series(np.tile([10.0, 50.0, 90.0], 4), zones)
    second.iloc[0] = np.nan
    drawn = draw_bivariate(first, second, aligned.geography, tmp_path / "b", title="Both", labels=("Ill", "Poor"),
                           units=("% of people", "% of homes"))  # fmt: skip
    for i, j in itertools.product(range(3), range(3)):
        there = any(first.iloc[z] == [1, 5, 9][i] and second.iloc[z] == [10, 50, 90][j] for z in range(11))
        assert covered(drawn[0], BIVARIATE[i][j]) > (0.02 if there else 0.002)
    said = words(drawn)
    assert {"↑ Ill, % of people", "→ Poor, % of homes", "no value", "1 zone", "Numbers in the square: zones"} <= set(said)
    assert covered(drawn[0], MISSING) > 0.005
    numbers = [int(t) for t in said if t.isdigit()]
    assert sum(numbers[:9]) == 10, "zones with both figures and a polygon"


def test_two_figures_with_few_values(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    same, two = pd.Series(3.0, aligned.zones), pd.Series([0.0, 1.0] * 6, aligned.zones)
    for first, second in ((same, two), (two, same), (same * np.nan, two)):
        draw_bivariate(first, second, aligned.geography, tmp_path / "b.png", title="t", labels=("a", "b"), units=("u", "v"))
    one, pair = classify(same.to_numpy()), classify(two.to_numpy())
    assert _palette(one, pair) == [[BIVARIATE[1][0], BIVARIATE[1][2]]]


def test_changes_are_hatched_where_their_sign_is_not_known(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    change = pd.Series(np.linspace(-50, 60, 12), aligned.zones)
    sure = draw_change(change, aligned.geography, tmp_path / "a", title="t", unit="pounds")
    doubtful = draw_change(
        change, aligned.geography, tmp_path / "b", title="t", unit="pounds", lower=change - 20, upper=change + 20
    )
    assert "rise or fall not known" not in words(sure)
    assert (
        words(doubtful)[words(doubtful).index("rise or fall not known") + 1]
        == f"{((change - 20 <= 0) & (change + 20 >= 0)).sum()} zones"
    )
    for colour in (DIVERGING[5][0], DIVERGING[5][4]):
        assert covered(sure[0], colour) > 0.01


def test_estimate_and_width_side_by_side(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    drawn = draw_pair(shares(aligned), shares(aligned, 1) / 10, aligned.geography, tmp_path / "p", title="t", unit="% of people",
                      width_unit="points", level=0.95, unreliable=shares(aligned) > 60)  # fmt: skip
    assert {"Estimate", "How sure: ± of the 95 % interval", "Estimate, % of people", "unreliable"} <= set(words(drawn))
    assert any("points" in t for t in words(drawn))


def test_widths_of_the_solver_are_one_class(tmp_path):
    """A figure that the tables settle has an interval of its solver's tolerance: no four colours of that."""
    aligned, _, _ = on_grid(tmp_path)
    value = shares(aligned)
    noise = value * 0 + np.linspace(4e-5, 1.6e-4, len(value))
    said = words(draw_pair(value, noise, aligned.geography, tmp_path / "p", title="t", unit="% of people", width_unit="points"))
    assert sum(t.startswith("below ") for t in said) == 1
    assert not any("0.000" in t for t in said)
    told = classify(np.linspace(1.0, 9.0, 30))
    mixed = classify_widths(np.r_[noise.to_numpy()[:3], np.linspace(0.5, 3.0, 9)], told)
    assert mixed.labels[0].startswith("below ")
    assert sum(mixed.counts) == 12
    plain = np.linspace(0.5, 3.0, 9)
    assert classify_widths(plain, told).labels == classify(plain).labels


def test_zones_fade_as_figures_get_less_sure(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    classes = pd.Series(np.resize([*RELIABILITY, ""], 12), aligned.zones)
    panel, legend = of_classes(np.full(12, 3.0), classify(np.full(12, 3.0)), unit="u", reliability=classes.to_numpy(object))
    fading = [panel.veil[np.flatnonzero(classes == c)[0]] for c in RELIABILITY]
    assert fading == sorted(set(fading)), "each class fainter than the last"
    assert fading[0] == panel.veil[4] == 0
    assert (panel.hatched == (classes == "unreliable")).all()
    assert [r[1] for r in legend[1].rows] == list(RELIABILITY)
    drawn = draw_map(shares(aligned), aligned.geography, tmp_path / "f", title="t", unit="u", reliability=classes)
    assert {"How sure: colours fade", *RELIABILITY} <= set(words(drawn))


def test_hostile_words_stay_words(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    for text in HOSTILE:
        drawn = draw_multiples({text: shares(aligned)}, aligned.geography, tmp_path / "h", title=text, unit=text, subtitle=text)
        both = (text, text)
        drawn += draw_bivariate(shares(aligned), shares(aligned, 1), aligned.geography, tmp_path / "i", title=text, labels=both,
                                units=both)  # fmt: skip
        for path in drawn:
            if path.suffix == ".svg":
                assert not re.search(r"<(script|img|b)\b", re.sub(r"<!--.*?-->", "", path.read_text("utf-8"), flags=re.DOTALL))
                assert "onerror" not in re.sub(r"<!--.*?-->", "", path.read_text("utf-8"), flags=re.DOTALL)


def test_a_notebook_shows_the_picture(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    both = draw_map(shares(aligned), aligned.geography, tmp_path / "a", title="t", unit="u")
    assert both == [tmp_path / "a.png", tmp_path / "a.svg"]
    assert both._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")
    svg = draw_map(shares(aligned), aligned.geography, tmp_path / "b.svg", title="t", unit="u")
    assert svg._repr_mimebundle_()["image/svg+xml"].startswith("<?xml")
    svg[0].unlink()
    assert svg._repr_mimebundle_() == {}
    assert Drawing()._repr_mimebundle_() == {}


def test_either_every_file_or_none(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match="pdx"):
        draw_map(shares(aligned), aligned.geography, tmp_path / "a", title="t", unit="u", formats=("png", "pdx"))
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(InputError, match="missing-file"):
        draw_pair(
            shares(aligned),
            shares(aligned),
            type(aligned.geography)(aligned.geography.zones),
            tmp_path / "p",
            title="t",
            unit="u",
        )
