"""The audit's page says first what it is fit for, in words made from the numbers; holds up whatever is absent; runs nothing."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.report import write_audit
from synthpop_gb.report.audit.cells import KIND_MARKS, band, cells_picture
from synthpop_gb.report.audit.charts import Mark, Row, dot_chart, slope_picture
from synthpop_gb.report.audit.matrix import DIFFERENCE, UTILITY, matrix_picture
from synthpop_gb.report.audit.univariate import variable_picture
from synthpop_gb.report.audit.words import VERDICTS, amount, group_sentence, headline, per_hundred
from synthpop_gb.report.svg import Counts, Drawing, Linear, place_labels, short, ticks, width_of, wrapped
from tests.stages.audit_world import FACTS, TITLE, audit, tables
from tests.stages.pages import Page

HOSTILE = "<script>alert(1)</script><img src=x onerror='window.hacked=1'>\"'&`{{ 7*7 }}"


def page(folder, checks, **options):
    path = write_audit(folder, checks, **{"title": TITLE, "facts": FACTS, **options})
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return page(tmp_path_factory.mktemp("whole"), audit())


def test_sections_stand_in_order(whole):
    headings = [
        "Not fit for 1 of 4 uses; with care for 1; not known for 1; fit for 1.",
        "What does not fit, first",
        "The worst groups, in words",
        "What was not looked at",
        "Intersections, real against synthetic",
        "What is lost, by how rare",
        "How well pairs of variables are kept",
        "Variables one by one",
        "Associations between variables",
        "Can a model tell real from synthetic?",
        "Does a regression give the same answers?",
        "Does a model learnt from it predict real records?",
        "Does it lean on the same variables?",
        "Does it serve every group alike?",
        "Whom it exposes",
        "Alone in a zone",
        "What an intruder learns",
        "Attacks",
        "How to read this",
        "Settings",
        "Everything found",
    ]
    body = whole.text[whole.text.index("Audit of synthetic data") :]
    at = [body.index(h) for h in headings]
    assert at == sorted(at)
    levels = [int(t[1]) for t, _ in whole.elements if re.fullmatch("h[1-6]", t)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_verdicts_are_words_symbols_and_figures(whole):
    for symbol, word, _ in VERDICTS.values():
        assert f"{symbol} {word}" in whole.text
    assert "repU 12 % threshold: 5 %" in whole.text
    links = [v for t, v in whole.having("href") if t == "a"]
    assert links.count("#disclosure") == 2  # in the navigation and beside the verdict that its figures are behind


def test_the_title_says_synthetic(tmp_path):
    assert page(tmp_path, audit(), title="Households of Leeds").text.count("Synthetic data: Households of Leeds") == 2
    assert "Synthetic data: Synthetic" not in page(tmp_path, audit()).text


def test_groups_are_named_with_both_counts(whole):
    for sentence in (
        "259 records with relationship = Husband and sex = Female; a combination declared impossible, though the real data",
        "68 records with relationship = Wife and sex = Male; none in the real data.",
        "No record with country = Holland; 41 in the real data, worth 82 at the synthetic data’s size.",
        "800 records with sex = Female; 500 in the real data, worth 1,000 at the synthetic data’s size.",
        "Also lost, though chance could explain it, with real records in brackets: country = Peru (1).",
        "1 cell of more variables follows from it",
        "2 cells of more variables follow from it",
        "at least 9 times as many (95 %)",
        "5 combinations of more variables than were asked for were not looked at.",
        "Not looked at, or not crossed: person_id (more than 500 categories).",
    ):
        assert sentence in whole.text, sentence
    worst = whole.text[whole.text.index("The worst groups, in words") : whole.text.index("All figures of these groups")]
    assert "age = 20" not in worst  # it follows from female husbands
    assert "protected: relationship × sex" in worst


def test_numbers_are_those_of_the_tables(whole):
    for text in (
        "Worst is sex × relationship, 2,326 times what a perfect synthesis would show.",
        "2.58 (0.10)",
        "1.28",
        "it picks out the synthetic one in 91 of 100 cases",
        "cannot tell them apart at all",
        "1 pair does not touch",
        "340 times as far off",
        "is right for 76.1 of 100 real records that it never saw; learnt from real records, for 86.4",
        "By SHAP, age is the most important variable learnt from real records, relationship learnt from synthetic ones",
        "rank correlation of −1.00, where two models of real records agree with 0.99",
        "1 of 2 groups is served worse by the model learnt from synthetic records; most of all sex = Female: right for 60 of 100",
        "Whoever knows age and sex finds 3.1 of 100 real records to be the only one of its kind; 5 of 1,000 real records are so",
        "Singling out, one variable: 1 of 1 attack succeeds",
        "195 of 300 attacks succeed, and 60 of 100 attacks on people",
        "the risk that is left is 0.13 (−0.01 to 0.26, 95 %)",
        "10 of 100 records are alone in their zone (2 zones; in the median",
        "751,485 records are copies of 59,147 survey records, 58,000 of which are used, worth 41,000 used alike.",
        "No synthetic record is identical to a real one; of real records 1.3 of 1,000 are identical to another.",
    ):
        assert text in whole.text, text


def test_groups_that_may_not_be_named_are_no_all_clear(tmp_path):
    """A page without any group named says that some are withheld, not that nothing differs."""
    checks = audit()
    found = finding("few-behind", "3 groups are neither named nor counted: fewer than 10 records of the survey are in each.")
    none = checks.tables["scan_cells"].head(0)
    text = page(tmp_path, Checks({}, {**checks.tables, "scan_cells": none}, (found,))).text
    assert "no group that may be named is further from the reference" in text.lower()
    assert "3 groups are neither named nor counted" in text


@pytest.mark.parametrize("name", sorted(tables()))
def test_any_table_may_be_absent_empty_or_without_values(tmp_path, name):
    full = tables()
    frame = full[name]
    for other in (None, frame.iloc[:0], frame.iloc[:1], frame.assign(**dict.fromkeys(frame.columns, np.nan))):
        left = {k: v for k, v in full.items() if k != name} | ({} if other is None else {name: other})
        made = page(tmp_path, Checks({}, left, ()))
        assert "How to read this" in made.text
        assert not re.search(r"\bnan\b", made.text)
    alone = page(tmp_path, Checks({}, {name: frame}, ()))
    assert "How to read this" in alone.text


@pytest.mark.parametrize("name", sorted(tables()))
def test_any_column_may_be_absent(tmp_path, name):
    full = tables()
    for column in full[name].columns:
        assert "How to read this" in page(tmp_path, Checks({}, {name: full[name].drop(columns=column)}, ())).text


def test_nothing_at_all(tmp_path):
    made = page(tmp_path, Checks({}), facts={})
    assert "No use was judged." in made.text
    assert "Intersections" not in made.text


def test_a_run_says_what_does_not_apply(tmp_path):
    scan = tables()["scan_tables"].assign(reference="the survey", invented=np.nan, tvd=[0.0, 1e-13])
    made = page(tmp_path, Checks({}, {"scan_tables": scan}), unit="people")
    assert (
        "Invented combinations are not applicable against the survey: the synthetic people are copies of its records."
        in made.text
    )
    assert "no person would have to change cells" in made.text


def test_references_follow_one_another(tmp_path):
    cells = tables()["scan_cells"].iloc[[1, 3]]
    both = pd.concat([cells.assign(reference="fractional fit"), cells.assign(reference="survey")])
    made = page(tmp_path, Checks({}, {"scan_cells": both}), unit="people")
    said = re.findall(r"(\d+) people with [^;]*; (?:none|500) in the (fractional fit|survey)", made.text)
    assert said[:4] == [("68", "fractional fit"), ("800", "fractional fit"), ("68", "survey"), ("800", "survey")]


def test_copies_are_judged_beside_no_more_different_records(tmp_path):
    scan = tables()["scan_tables"].assign(reference="the fit", tvd=0.06, tvd_floor=0.01, tvd_floor_effective=0.08, discoveries=0)
    made = page(tmp_path, Checks({}, {"scan_tables": scan, "scan_zone_cells": tables()["scan_zone_cells"]}), unit="people")
    assert "a perfect sample would need 1 of 100 people, one of no more different records 8 of 100 people." in made.text
    assert "Over all zones together no group is further" in made.text


def test_nobody_alone_in_a_zone(tmp_path):
    zones = tables()["zone_uniqueness"].assign(unique=0, under_3=0, under_5=0, under_10=[0, 4, 0])
    made = page(tmp_path, Checks({}, {"zone_uniqueness": zones}), unit="people")
    assert "no person is alone in their zone" in made.text
    assert "In groups of fewer than 10: 1.3 of 100 people." in made.text
    assert "fewer than 3" not in made.text


def test_a_perfect_pair_is_told_as_one(tmp_path):
    scanned = tables()["scan_tables"].assign(discoveries=0)
    few = {"scan_tables": scanned, "scan_cells": tables()["scan_cells"].iloc[:0]}
    copies = page(tmp_path, Checks({}, few))
    assert "No cell differs by more than the luck of so few different records explains." in copies.text
    made = page(tmp_path, Checks({}, few | {"scan_tables": scanned.assign(tvd_floor_effective=scanned["tvd_floor"])}))
    assert "No cell differs by more than chance explains." in made.text
    assert "No group is further from the reference than chance explains." in made.text


def test_names_are_shown_not_run(tmp_path):
    name, value = f"n{HOSTILE}", f"v{HOSTILE}"
    checks = audit(name=name, value=value)
    facts = {HOSTILE: HOSTILE, "files": {HOSTILE: HOSTILE}}
    found = (finding("few-rows", HOSTILE, place=HOSTILE, rows=pd.DataFrame({HOSTILE: [HOSTILE]})),)
    made = page(tmp_path, checks, title=HOSTILE, facts=facts, findings=found)
    tags = {t for t, _ in made.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "form", "base"}
    assert not [a for _, a in made.elements if any(k.startswith("on") for k in a)]
    assert made.text.count("<script>alert(1)</script>") > 20
    assert "{{ 7*7 }}" in made.text


def test_nothing_is_fetched_and_no_script_may_run(whole):
    policy = next(a["content"] for t, a in whole.elements if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "script-src 'none'" in policy
    assert [v for _, v in whole.having("src")] == []
    ids = {v for _, v in whole.having("id")}
    assert {v for _, v in whole.having("href")} <= {f"#{i}" for i in ids}
    assert len(ids) == len(whole.having("id"))


def test_pictures_and_tables_can_be_heard(whole):
    pictures = [a for t, a in whole.elements if t == "svg" and a.get("aria-hidden") != "true"]
    assert pictures
    assert all(len(a.get("aria-label", "")) > 15 or a.get("aria-roledescription") for a in pictures)
    assert sum(t == "caption" for t, _ in whole.elements) >= 10
    assert all(a.get("scope") in ("col", "row") for t, a in whole.elements if t == "th")


def test_records_of_findings_are_not_named(whole):
    assert "P7" not in whole.text


def test_written_into_a_folder_or_a_file_and_replaced(tmp_path):
    first = write_audit(tmp_path, audit(), title=TITLE, facts=FACTS)
    assert first.name == "audit.html"
    other = write_audit(tmp_path / "deep" / "page.html", audit(), title=TITLE, facts=FACTS)
    assert other.read_bytes() == first.read_bytes()  # no time, no path, no chance in it
    write_audit(first, Checks({}), title="Another", facts={})
    assert "Another" in first.read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["audit.html"]


def test_a_page_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *a: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(InputError, match="output-locked"):
        write_audit(tmp_path, audit(), title=TITLE, facts=FACTS)


def test_sentences_of_counts():
    assert group_sentence({"kind": "invented", "cell": "a = b", "expected": 0.0, "observed": 1.0}, "people") == (
        "1 person with a = b; none in the real data."
    )
    fit = {"kind": "too few", "cell": "a = b", "expected": 12.34, "observed": 3.0, "reference": "fit by zone"}
    assert group_sentence(fit, "people") == "3 people with a = b; 12.3 expected from the fit by zone."
    unknown = {"kind": "missing", "cell": "a = b", "expected": np.nan, "observed": np.nan}
    assert "an unknown number of records" in group_sentence(unknown).lower()


@given(st.floats(0, 1e9) | st.sampled_from([0.0, 1.0, np.nan, np.inf]), st.sampled_from(["records", "people", "households"]))
def test_amounts_never_say_nought_people(n, unit):
    text = amount(n, unit)
    assert not re.match(r"^0(\.0)? ", text)
    assert not re.match(r"^1 (records|people|households)$", text)


@given(st.floats(0, 1))
def test_shares_are_said_so_that_they_can_be_pictured(share):
    text = per_hundred(share)
    if found := re.match(r"^([\d.,]+) of ([\d,]+) records$", text):
        part, base = (float(x.replace(",", "")) for x in found.groups())
        assert 0.9 <= part < base
        assert part / base == pytest.approx(share, rel=0.06)
    else:
        assert text in ("no record", "all records", "nearly all records", "fewer than 1 of 1,000,000 records")


@given(st.lists(st.sampled_from(list(VERDICTS)), max_size=12))
def test_the_headline_counts_every_use(verdicts):
    tone, text = headline(verdicts)
    assert tone in ("ok", "warn", "bad")
    assert ("unfit" in verdicts) == (tone == "bad")
    if len(set(verdicts)) > 1:
        numbers = [int(n) for n in re.findall(r"for (\d+)", text)]
        assert sum(numbers) == len(verdicts)


@pytest.mark.parametrize("spread", [1.0, 2.0, 5.0])
def test_the_band_holds_nineteen_of_twenty_cells_of_a_perfect_sample(spread):
    rng = np.random.default_rng(1)
    ratio = spread - 1.0  # synthetic over real size
    truth = np.geomspace(8, 3000, 40_000)
    observed = rng.poisson(truth)
    expected = truth if ratio == 0 else rng.poisson(truth / ratio) * ratio
    low, high = band(expected, spread)
    assert ((observed >= low) & (observed <= high)).mean() == pytest.approx(0.95, abs=0.015)


def picture_cells(n, seed=1):
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(KIND_MARKS), n)
    expected = np.where(kinds == "invented", 0.0, rng.geometric(0.01, n))
    observed = np.where(kinds == "missing", 0.0, rng.geometric(0.01, n))
    cell = [f"variable_{i % 7} = value {i} and sex = Female" for i in range(n)]
    return pd.DataFrame(
        {"expected": expected, "observed": observed, "kind": kinds, "cell": cell, "rank": np.arange(1, n + 1), "explained_by": ""}
    )


def test_a_point_costs_little():
    rng = np.random.default_rng(1)
    points = pd.DataFrame(
        {"expected": 10 ** rng.uniform(0, 6, 200_000), "observed": 10 ** rng.uniform(0, 6, 200_000), "cells": 1, "beyond": False,
         "spread": 2.0}
    )  # fmt: skip
    svg = cells_picture(picture_cells(900), points, title="Three variables")
    assert len(svg) < 1_500_000  # pixels are drawn once, however many cells fall on them
    assert "200,000 cells" in svg


def test_labels_of_cells_do_not_touch():
    for seed in range(6):
        svg = cells_picture(picture_cells(60, seed), title="Two variables", most_labels=12)
        boxes = []
        for x, y, size, text in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="(10)"[^>]*>([^<]+)</text>', svg):
            if "value" in text:
                boxes.append((float(x), float(y) - 9.5, float(x) + width_of(text, float(size)), float(y) + 2))
        assert len(boxes) >= 3
        for i, (a, b, c, d) in enumerate(boxes):
            for e, f, g, h in boxes[:i]:
                assert not (a < g and e < c and b + 1.6 < h and f + 1.6 < d)


@given(
    st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=1, max_size=12),
    st.lists(st.tuples(st.floats(5, 120), st.floats(8, 30)), min_size=12, max_size=12),
)
def test_placed_labels_lie_inside_and_apart(points, sizes):
    sizes = sizes[: len(points)]
    spots = place_labels(points, sizes, (0, 0, 300, 300))
    boxes = [(x, y, x + w, y + h) for s, (w, h) in zip(spots, sizes, strict=True) if s for x, y in [s]]
    for i, (a, b, c, d) in enumerate(boxes):
        assert a >= 0
        assert b >= 0
        assert c <= 300 + 1e-9
        assert d <= 300 + 1e-9
        assert not any(a < g and e < c and b < h and f < d for e, f, g, h in boxes[:i])
        assert not any(a < px < c and b < py < d for px, py in points)


def test_the_scale_of_counts_keeps_a_place_for_nought():
    scale = Counts(1.0, 1000.0, 400.0, 100.0)
    at = scale(np.array([0.0, 1.0, 10.0, 1000.0]))
    assert at[0] == 400
    assert at[1] == 374  # a gap after nought
    assert np.all(np.diff(at) < 0)
    assert at[2] == pytest.approx(374 - 274 / 3)
    assert [said for _, said in scale.marks()] == ["0", "1", "10", "100", "1,000"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 9))
def test_ticks_are_round_and_inside(low, width, about):
    found = ticks(low, low + width, about)
    assert len(found) <= 2 * about + 2
    slack = 1e-6 * max(abs(low), width)
    assert all(low - slack <= t <= low + width + slack for t in found)


def test_a_linear_scale_holds_what_lies_beyond_it():
    scale = Linear(0, 10, 100, 200)
    assert [scale(v) for v in (-5, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]


@given(st.text(max_size=60), st.floats(20, 200))
def test_texts_are_cut_to_their_width(text, width):
    assert width_of(short(text, width, 10), 10) <= max(width, width_of("…", 10))
    for line in wrapped(text, width, 10):
        assert width_of(line, 10) <= max(width, width_of("…", 10))


def test_drawings_escape_words_and_attributes():
    drawing = Drawing(10, 10, HOSTILE)
    drawing.text(1, 1, HOSTILE, title=HOSTILE)
    drawing.rect(0, 0, 1, 1, HOSTILE, HOSTILE)
    made = Page(drawing.svg())
    assert {t for t, _ in made.elements} == {"svg", "text", "rect", "title"}
    assert not [a for _, a in made.elements if any(k.startswith("on") for k in a)]


def test_classes_of_utility_are_the_published_ones():
    assert [UTILITY.words[UTILITY.of(v)].split(": ")[1] for v in (0.0, 2.99, 3.0, 9.99, 10.0, 500.0)] == [
        "good", "good", "acceptable", "acceptable", "poor", "poor",
    ]  # fmt: skip
    assert UTILITY.of(np.nan) == -1
    assert [r["n"] for r in UTILITY.legend([1.0, 4.0, np.nan])] == [1, 1, 0, 0, 0, 1]
    assert DIFFERENCE.words[DIFFERENCE.of(0.0)] == "within 0.03"


def test_forty_variables_fit_the_page():
    names = [f"question_{i}_about_something_with_a_long_name" for i in range(40)]
    values = {(a, b): 1.0 * i for i, b in enumerate(names) for a in names[:i]}
    svg = matrix_picture(names, values, UTILITY, label="Heat map")
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) < 1_120
    assert svg.count("<rect") == 780
    assert min(float(s) for s in re.findall(r'font-size="([\d.]+)"', svg)) >= 10.5


def test_charts_hold_every_mark_and_say_what_lies_beyond():
    rows = [Row("a", (Mark("real", 1.0, 0.5, 1.5), Mark("synthetic", 50.0, -99.0, 99.0))), Row("b", (Mark("real", np.nan),))]
    svg = dot_chart(rows, label="A chart", axis="units", names={"real": "real", "synthetic": "made"}, ends=(0.0, 10.0))
    assert "a, made: 50.000 (−99.000 to 99.000)" in svg
    order = slope_picture(pd.DataFrame({"variable": ["x", "y"], "real": [2.0, 1.0], "synthetic": [1.0, 2.0]}), title="By SHAP")
    assert "0 of 2 variables keep their place" in order


def test_bins_of_one_value_or_none():
    for kind in ("number", "category"):
        for bins in (
            pd.DataFrame({"label": ["any"], "low": [np.nan], "high": [np.nan], "real": [1.0], "synthetic": [1.0]}),
            pd.DataFrame({"label": list("abcdefghijkl"), "real": 0.0, "synthetic": np.nan}),
        ):
            assert variable_picture(bins, name="x", kind=kind).startswith("<svg")


def test_a_real_audit_of_a_small_pair(tmp_path):
    """The tables as the stages make them, so that a column renamed there is noticed here."""
    utility = pytest.importorskip("synthpop_gb.validation.utility").utility
    disclosure = pytest.importorskip("synthpop_gb.validation.disclosure").disclosure
    from synthpop_gb.read import pair
    from synthpop_gb.validation.intersections import scan

    rng = np.random.default_rng(1)
    sex, n = rng.integers(0, 2, 600), 600
    real = pd.DataFrame(
        {"sex": np.where(sex, "Female", "Male"), "relationship": np.where(sex, "Wife", "Husband"), "age": rng.integers(16, 90, n),
         "income": np.where(rng.random(n) < 0.2 + 0.4 * sex, "high", "low")}
    )  # fmt: skip
    made = pd.DataFrame({c: real[c].to_numpy()[rng.permutation(n)] for c in real})
    both = pair(real, made, keys=("sex", "age"), target="income")
    parts = [scan(*both.coded()), utility(both, seed=1, permutations=3), disclosure(both, seed=1, attacks=100)]
    checks = Checks({}, {k: v for p in parts for k, v in p.tables.items()}, tuple(f for p in parts for f in p.findings))
    text = page(tmp_path, checks).text
    for words in (
        "relationship = Husband", "sex = Female and relationship = Husband; none in the real data", "Worst is sex × relationship",
        "A classification tree tells them apart", "The regression of income", "A random forest of income", "served worse",
        "Whoever knows sex and age", "Inference of income",
    ):  # fmt: skip
        assert words in text, words
