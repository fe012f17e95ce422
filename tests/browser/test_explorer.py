"""The explorer in a real browser, every host unreachable: each control by mouse and keyboard, what is said and what is drawn."""

import base64
import io
import json
import re
import time
from itertools import pairwise

import numpy as np
import pytest

from synthpop_gb.pipeline import explore
from tests.stages.explorer_world import CONDITIONS, simulated, town
from tests.stages.grid_world import HOSTILE

WEBGL = True
KEYS = {"Enter": 13, "ArrowDown": 40, "ArrowRight": 39, "ArrowUp": 38, "Tab": 9, " ": 32, "+": 187}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages written once: the grid with a simulation, without boundaries, without replicates, of a licensed survey, hostile."""
    made = {}

    def page(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            study = {"hostile": {"hostile": True}, "licensed": {"licence": "restricted"}}.get(kind, {})
            aligned, population = town(folder, boundaries=kind != "bare", replicates=kind != "unsure", **study)
            title = HOSTILE[0] if kind == "hostile" else "Twelve squares"
            conditions = [(HOSTILE[1], "sex = 'male'", None)] if kind == "hostile" else CONDITIONS
            simulations = (
                simulated(folder, aligned, label=HOSTILE[3] if kind == "hostile" else "double")
                if kind in ("plain", "hostile")
                else None
            )
            path = folder / "explorer.html"
            made[kind] = explore(population, aligned, path, title=title, conditions=conditions, simulations=simulations).path
        return made[kind]

    return page


def shown(browser, path, width=1400, height=1000, where=""):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    browser.call("Page.navigate", url="about:blank")
    browser.events.clear()
    browser.call("Page.navigate", url=path.resolve().as_uri() + where)
    browser.wait("document.body && document.body.dataset.state")
    assert browser.ask("document.body.dataset.state") == "shown", browser.problems()
    browser.ask(
        "window.shows = 0; window.paints = 0; document.addEventListener('explorer:shown', () => { shows += 1; });"
        " document.addEventListener('explorer:painted', () => { paints += 1; }); 0"
    )


def settled(browser, act):
    """Do something and wait until the page has followed."""
    before = browser.ask("shows")
    act()
    browser.wait(f"shows > {before}", 20)
    pause(browser, 120)


def pause(browser, milliseconds):
    browser.ask(f"new Promise((done) => setTimeout(done, {milliseconds}))")


def pick(browser, control, text):
    """Choose an option as a script would see it: value set, change told."""
    found = browser.ask(
        f"(() => {{ const s = document.getElementById({control!r});"
        f" const o = [...s.options].find((o) => o.text === {json.dumps(text)});"
        " if (!o) return [...s.options].map((o) => o.text).join('|'); s.value = o.value; return ''; })()"
    )
    assert not found, found
    settled(browser, lambda: browser.ask(f"document.getElementById({control!r}).dispatchEvent(new Event('change')); 0"))


def key(browser, name, **more):
    text = {"text": "\r"} if name == "Enter" else {"text": name} if len(name) == 1 else {}
    code = {"key": name, "windowsVirtualKeyCode": KEYS.get(name, ord(name[0].upper())), **more}
    browser.call("Input.dispatchKeyEvent", type="keyDown", **code, **text)
    browser.call("Input.dispatchKeyEvent", type="keyUp", **code)


def typed(browser, text):
    browser.call("Input.insertText", text=text)


def box(browser, selector):
    browser.ask(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}}); 0")
    pause(browser, 60)
    return browser.ask(
        f"(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();"
        " return [r.x, r.y, r.width, r.height]; })()"
    )


def click(browser, selector, across=0.5, down=0.5):
    x, y, w, h = box(browser, selector)
    at = {"x": x + w * across, "y": y + h * down}
    browser.point(**at)
    for kind in ("mousePressed", "mouseReleased"):
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)


def text(browser, name):
    return browser.ask(f"document.getElementById({name!r}).innerText")


def pixels(browser, selector="#map canvas"):
    from matplotlib import image

    x, y, w, h = box(browser, selector)
    clip = {"x": x + browser.ask("scrollX"), "y": y + browser.ask("scrollY"), "width": w, "height": h, "scale": 1}
    shot = browser.call("Page.captureScreenshot", clip=clip)["data"]
    return (image.imread(io.BytesIO(base64.b64decode(shot)))[..., :3] * 255).round().astype(int)


def share(picture, colour):
    rgb = (
        [int(v) for v in re.findall(r"\d+", colour)[:3]]
        if colour.startswith("rgb")
        else [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    )
    return float((np.abs(picture - rgb).sum(axis=-1) <= 8).mean())


def swatches(browser):
    return browser.ask(
        "[...document.querySelectorAll('#legend-list .swatch:not(.hatch)')].map((s) => getComputedStyle(s).backgroundColor)"
    )


def live(browser, wanted):
    browser.wait(f"document.getElementById('live').textContent.includes({json.dumps(wanted)})", 10)


def clean(browser):
    assert browser.problems() == []
    assert browser.requests() == []
    assert browser.ask("document.getElementById('map-frame').dataset.problem") is None
    assert browser.ask("window.hacked") is None


# -- what is seen ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 800, 1400])
def test_the_page_fits_its_window_and_asks_for_nothing(browser, pages, width):
    shown(browser, pages("plain"), width)
    clean(browser)
    assert len(browser.files()) == 1  # itself
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.ask("document.querySelectorAll('h1').length") == 1
    if browser.ask("!document.getElementById('doubt-field').hidden"):
        settled(browser, lambda: click(browser, "#doubt"))
    drawn = pixels(browser)
    colours = swatches(browser)
    assert len(colours) >= 2
    for colour in colours:
        assert share(drawn, colour) > 0.01, colour
    small = browser.ask(
        "[...document.querySelectorAll('svg text')].filter((t) => t.getBoundingClientRect().height > 0).map((t) =>"
        " parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width"
        " / t.ownerSVGElement.viewBox.baseVal.width)"
        ".reduce((a, b) => Math.min(a, b), 99)"
    )
    assert small >= 8  # pixels, of the smallest text in any picture


def test_every_choice_changes_heading_map_legend_and_table(browser, pages):
    shown(browser, pages("plain"))
    for control, choice, heading in (
        ("topic", "Health", "Health: "),
        ("column", "bad", "Health: bad"),
        ("group", "female", "sex: female"),
        ("show", "Width of the interval", "half the width of the 90 % interval"),
        ("show", "Reliability", "how far each figure can be trusted"),
        ("show", "Estimate", "% of"),
        ("level", "Districts (2)", "districts"),
    ):
        before = text(browser, "map-title") + text(browser, "map-unit") + text(browser, "legend")
        pick(browser, control, choice)
        said = text(browser, "map-title") + " " + text(browser, "map-unit")
        assert heading in said, (control, said)
        assert text(browser, "map-title") + text(browser, "map-unit") + text(browser, "legend") != before
    assert browser.ask("document.querySelectorAll('#areas-table tbody tr').length") == 2
    clean(browser)


def test_the_map_is_coloured_by_the_figures_of_the_table(browser, pages):
    shown(browser, pages("plain"))
    pick(browser, "topic", "Health")
    pick(browser, "column", "bad")
    if browser.ask("!document.getElementById('doubt-field').hidden"):
        settled(browser, lambda: click(browser, "#doubt"))
    top = browser.ask("document.querySelector('#areas-table tbody tr th button').textContent")
    highest = swatches(browser)[0]
    number = int(top.split()[-1]) - 1
    x, y, _, _ = box(browser, "#map canvas")
    drawn = pixels(browser)
    rows, columns = np.nonzero(np.abs(drawn - 255).sum(axis=-1) > 12)
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    at = (int(x0 + (x1 - x0) * (number % 4 + 0.5) / 4), int(y1 - (y1 - y0) * (number // 4 + 0.25) / 3))
    assert share(drawn[at[1] - 3 : at[1] + 3, at[0] - 3 : at[0] + 3], highest) > 0.8, (top, at)
    browser.point(x + at[0], y + at[1])
    browser.wait("!document.getElementById('tip').hidden", 10)
    assert top in text(browser, "tip")
    estimate = browser.ask("document.querySelector('#areas-table tbody tr td:nth-of-type(2)').textContent")
    assert estimate in text(browser, "tip")
    clean(browser)


def test_a_click_takes_a_and_b_and_they_are_compared(browser, pages):
    shown(browser, pages("plain"))
    settled(browser, lambda: click(browser, "#map canvas", 0.2, 0.5))
    assert re.search(r"A\s*Square \d+", text(browser, "cards"))
    click(browser, "input[value=b]")
    settled(browser, lambda: click(browser, "#map canvas", 0.8, 0.5))
    assert re.search(r"B\s*Square \d+", text(browser, "cards"))
    assert re.search(r"A is .* (above|below) B\.|A and B are alike", text(browser, "graphs"))
    assert "Profile of Square" in text(browser, "profile")
    assert browser.ask("document.querySelectorAll('#pyramid svg').length") == 3  # A, B, everybody
    assert (
        browser.ask("document.querySelectorAll('#bars svg .mark.a').length")
        == browser.ask("document.querySelectorAll('#bars svg .mark.b').length")
        > 0
    )
    drawn = pixels(browser)
    assert share(drawn, "#0072b2") > 0.0005  # their outlines
    assert share(drawn, "#b94a00") > 0.0005
    address = browser.ask("location.hash")
    assert "a=" in address
    assert "b=" in address
    cards = text(browser, "cards")
    shown(browser, pages("plain"), where=address)
    assert text(browser, "cards") == cards  # a view can be passed on
    click(browser, "#clear")
    browser.wait("document.getElementById('cards').innerText.includes('no area chosen')", 20)
    assert "no second area" in text(browser, "cards")
    clean(browser)


def test_areas_are_found_by_name_and_code(browser, pages):
    shown(browser, pages("plain"))
    click(browser, "#find-a")
    typed(browser, "Square 7")
    settled(browser, lambda: key(browser, "Enter"))
    assert "Square 7" in text(browser, "cards")
    live(browser, "A: Square 7")
    click(browser, "#find-b")
    typed(browser, "square")
    key(browser, "Enter")
    browser.wait("document.getElementById('find-said').textContent !== ''", 10)
    assert "12 zones hold" in text(browser, "find-said") or "hold" in text(browser, "find-said")
    browser.ask("document.getElementById('find-b').select(); 0")
    typed(browser, "nowhere")
    key(browser, "Enter")
    browser.wait("document.getElementById('find-said').textContent.startsWith('No ')", 10)
    clean(browser)


def test_the_map_by_keyboard(browser, pages):
    shown(browser, pages("plain"))
    browser.ask("document.getElementById('doubt').focus(); 0")
    browser.ask("document.querySelector('#map canvas').focus(); 0")
    key(browser, "ArrowRight")
    browser.wait("!document.getElementById('cross').hidden && !document.getElementById('tip').hidden", 10)
    live(browser, "Square")
    before = text(browser, "tip")
    for direction in ("ArrowUp", "ArrowUp"):  # 100 pixels each: over the edge of a square of 150
        key(browser, direction)
        pause(browser, 900)
    browser.wait("!document.getElementById('tip').hidden", 10)
    assert "Square" in text(browser, "tip")
    assert text(browser, "tip") != before
    settled(browser, lambda: key(browser, "Enter"))
    assert "Square" in text(browser, "cards")
    zoom = browser.ask("document.querySelector('.maplibregl-ctrl-scale').textContent")
    key(browser, "+")
    pause(browser, 900)
    assert browser.ask("document.querySelector('.maplibregl-ctrl-scale').textContent") != zoom
    settled_scale = browser.ask("document.querySelector('.maplibregl-ctrl-scale').textContent")
    click(browser, "#whole")
    pause(browser, 1200)
    assert browser.ask("document.querySelector('.maplibregl-ctrl-scale').textContent") != settled_scale
    clean(browser)


def test_selects_by_keyboard(browser, pages):
    shown(browser, pages("plain"))
    for control in ("group", "show", "level", "topic"):
        browser.ask(f"document.getElementById({control!r}).focus(); 0")
        before = browser.ask(f"document.getElementById({control!r}).selectedIndex")
        settled(browser, lambda: key(browser, "ArrowDown"))
        assert browser.ask(f"document.getElementById({control!r}).selectedIndex") == before + 1, control
    clean(browser)


def test_everything_that_can_be_pressed_is_reached_by_tab(browser, pages):
    shown(browser, pages("plain"))
    browser.ask("document.activeElement.blur(); scrollTo(0, 0); 0")
    seen = []
    for _ in range(120):
        key(browser, "Tab")
        name = browser.ask(
            "(document.activeElement.id || document.activeElement.className || document.activeElement.tagName) + ''"
        )
        if name in ("BODY",):
            break
        seen.append(name)
        assert browser.ask("getComputedStyle(document.activeElement).outlineStyle") != "none", f"{name}: focus is not seen"
    wanted = [
        "level",
        "topic",
        "column",
        "group",
        "show",
        "whole",
        "find-a",
        "find-b",
        "clear",
        "profile-csv",
        "table-csv",
        "all-csv",
        "filter",
    ]
    assert [w for w in wanted if w in seen] == wanted
    assert any("maplibregl-canvas" in s for s in seen)
    assert not any("sheet" in s for s in seen), "what does not scroll is no stop"


# -- table and files ------------------------------------------------------------------------------------------------------------


def test_the_table_is_sorted_searched_and_turned(browser, pages):
    shown(browser, pages("plain"))
    names = "[...document.querySelectorAll('#areas-table tbody th')].map((t) => t.textContent)"
    click(browser, "#areas-table [data-key=name]")
    assert browser.ask(names) == [f"Square {i}" for i in range(1, 13)]
    assert browser.ask("document.querySelector('#areas-table th').getAttribute('aria-sort')") == "ascending"
    key(browser, "Enter")  # focus stayed on the heading
    assert browser.ask(names)[0] == "Square 12"
    live(browser, "largest first")
    click(browser, "#filter")
    typed(browser, "square 1")
    browser.wait("document.querySelectorAll('#areas-table tbody tr').length === 4", 10)
    typed(browser, "xx")
    browser.wait("document.getElementById('page-said').textContent === 'No row holds that'", 10)
    assert browser.ask("document.getElementById('after').disabled")
    clean(browser)


def taken(browser, folder, selector):
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=False)
    before = set(folder.iterdir())
    click(browser, selector)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = [p for p in set(folder.iterdir()) - before if p.suffix == ".csv"]
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"nothing was downloaded: {list(folder.iterdir())}")


def test_tables_are_taken_away_as_csv(browser, pages, tmp_path):
    import pandas as pd

    shown(browser, pages("plain"))
    pick(browser, "topic", "Health")
    pick(browser, "column", "bad")
    frame = pd.read_csv(taken(browser, tmp_path, "#table-csv"), encoding="utf-8-sig")
    assert len(frame) == 12
    assert {"code", "name", "estimate", "lower", "upper", "reliability"} <= set(frame.columns)
    assert (frame["lower"] <= frame["estimate"]).all()
    assert frame["group"].isna().all()
    assert set(frame["unit"]) == {"share of usual residents"}
    first = browser.ask("document.querySelector('#areas-table tbody tr td:nth-of-type(2)').textContent")
    assert f"{100 * frame['estimate'][0]:.1f}" == first or f"{100 * frame['estimate'][0]:.2f}" == first
    everything = pd.read_csv(taken(browser, tmp_path, "#all-csv"), encoding="utf-8-sig")
    assert set(everything["code"]) == set(frame["code"])
    assert everything["indicator"].nunique() > 8
    assert {"pounds a year", "share of usual residents"} <= set(everything["unit"])  # no number without its unit
    pick(browser, "topic", "Child benefit doubled")
    pick(browser, "column", "Mean change of net income")
    pick(browser, "group", "female")
    women = pd.read_csv(taken(browser, tmp_path, "#table-csv"), encoding="utf-8-sig")
    assert set(women["group"]) == {"Sex: female"}
    assert set(women["unit"]) == {"pounds a year"}
    profile = pd.read_csv(taken(browser, tmp_path, "#profile-csv"), encoding="utf-8-sig")
    assert {"census", "estimate"} <= set(profile.columns)
    assert profile["census"].notna().any()
    clean(browser)


def test_an_area_that_lies_in_several_is_put_into_none(browser, pages):
    shown(browser, pages("plain"))
    options = browser.ask("[...document.getElementById('level').options].map((o) => o.text)")
    pick(browser, "level", next(o for o in options if o.startswith("Local authorities")))
    within = browser.ask("[...document.querySelectorAll('#areas-table tbody tr td:nth-of-type(1)')].map((t) => t.textContent)")
    assert within == ["several"] * len(within) != []
    clean(browser)


# -- simulations ----------------------------------------------------------------------------------------------------------------


def test_a_simulation_is_chosen_scenario_by_scenario(browser, pages):
    shown(browser, pages("plain"))
    assert browser.ask("document.getElementById('scenario-field').hidden")
    pick(browser, "topic", "Child benefit doubled")
    assert not browser.ask("document.getElementById('scenario-field').hidden")
    pick(browser, "column", "Mean net income")
    assert "pounds a year" in text(browser, "map-unit")
    pick(browser, "scenario", "baseline")
    assert "20,500" in text(browser, "areas-table")
    pick(browser, "column", "Mean change of net income")
    assert "double − baseline" in text(browser, "map-unit")
    drawn = pixels(browser)
    for colour in ("#b35806", "#542788"):  # below nought, above it
        assert share(drawn, colour) > 0.01, colour
    assert "−250" in text(browser, "areas-table")
    pick(browser, "group", "female")
    assert "female" in text(browser, "map-unit")
    pick(browser, "column", "People whose net income rises")
    assert "%" in text(browser, "legend")
    clean(browser)


# -- without ... ----------------------------------------------------------------------------------------------------------------


def test_without_boundaries_the_table_holds_the_figures(browser, pages):
    shown(browser, pages("bare"))
    assert "no map" in text(browser, "map-frame")
    assert browser.ask("document.querySelectorAll('canvas').length") == 0
    assert browser.ask("document.querySelectorAll('#areas-table tbody tr').length") == 12
    click(browser, "#find-a")
    typed(browser, "Square 3")
    settled(browser, lambda: key(browser, "Enter"))
    assert "Square 3" in text(browser, "cards")
    clean(browser)


def test_without_replicates_no_interval_is_shown(browser, pages):
    shown(browser, pages("unsure"))
    assert "no intervals" in text(browser, "lede")
    assert [o for o in browser.ask("[...document.getElementById('show').options].map((o) => o.text)") if "interval" in o] == []
    assert "Reliability" not in text(browser, "areas-table")
    clean(browser)


def test_a_licensed_survey_shows_no_small_numbers(browser, pages):
    shown(browser, pages("licensed"))
    assert "fewer than 10 records" in text(browser, "words")
    clean(browser)


def test_hostile_names_are_text(browser, pages):
    shown(browser, pages("hostile"))
    pick(browser, "topic", HOSTILE[1])
    for across in (0.15, 0.4, 0.6, 0.85):
        settled(browser, lambda across=across: click(browser, "#map canvas", across, 0.5))
    pick(browser, "topic", "Health")
    pause(browser, 300)
    assert browser.ask("document.querySelectorAll('img[src=x], script:not([type])').length") == 2  # the engine and ours
    assert "window.hacked = 1" in text(browser, "areas-table")
    clean(browser)


def test_formulas_in_names_are_text_in_a_csv(browser, pages, tmp_path):
    shown(browser, pages("hostile"))
    content = taken(browser, tmp_path, "#table-csv").read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in content
    assert not re.search(r'(^|,)"?=HYPERLINK', content, re.MULTILINE)


def test_a_script_that_is_not_ours_cannot_run(browser, pages, tmp_path):
    tampered = (
        pages("plain")
        .read_text("utf-8")
        .replace("</main>", "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'></main>")
    )
    (tmp_path / "tampered.html").write_text(tampered, "utf-8")
    shown(browser, tmp_path / "tampered.html")
    pause(browser, 300)
    assert browser.ask("window.hacked") is None
    assert any("Content Security Policy" in p for p in browser.problems())


# -- for everybody --------------------------------------------------------------------------------------------------------------


def test_controls_have_names_roles_and_room(browser, pages):
    shown(browser, pages("plain"), 390)
    settled(browser, lambda: click(browser, "#map canvas", 0.3, 0.5))
    nameless = browser.ask(
        "[...document.querySelectorAll('select, input, button, canvas, svg[role=img], [role=region], section, form, aside')]"
        ".filter((e) => {"
        " const label = e.labels && e.labels.length ? e.labels[0].textContent : '';"
        " const by = (e.getAttribute('aria-labelledby') || '').split(' ')"
        ".map((i) => (document.getElementById(i) || {}).textContent || '').join('');"
        " return e.getBoundingClientRect().width > 0 && !(label + by + (e.getAttribute('aria-label') || '')"
        " + (e.tagName === 'BUTTON' ? e.textContent : '')).trim(); })"
        ".map((e) => e.outerHTML.slice(0, 90))"
    )
    assert nameless == []
    small = browser.ask(
        "[...document.querySelectorAll('select, input, button')].filter((e) => {"
        " const r = (e.closest('label') || e).getBoundingClientRect();"
        " return r.width > 0 && (r.height < 24 || r.width < 24); }).map((e) => e.outerHTML.slice(0, 90))"
    )
    assert small == []  # WCAG 2.2, 2.5.8: at least 24 pixels
    headings = browser.ask(
        "[...document.querySelectorAll('h1, h2, h3')].filter((h) => h.getBoundingClientRect().height > 0)"
        ".map((h) => +h.tagName[1])"
    )
    assert headings[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    doubled = browser.ask("[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)")
    assert doubled == []
    heads = browser.ask(
        "[...document.querySelectorAll('table')].every((t) => t.caption && [...t.querySelectorAll('th')].every((h) => h.scope))"
    )
    assert heads
    assert browser.ask("document.documentElement.lang") == "en-GB"
    assert browser.ask("document.getElementById('live').getAttribute('aria-live')") == "polite"


CONTRAST = """
(() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (let n = e; n; n = n.parentElement) {
      const c = parse(getComputedStyle(n).backgroundColor);
      if (c.length === 3 || c[3] > 0.9) return c;
    }
    return [255, 255, 255];
  };
  const out_of_it = '#labels, #map, script, style, noscript, .unseen, button:disabled';
  const out = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
    if (!walker.currentNode.textContent.trim() || r.width < 2 || s.visibility === 'hidden' || e.closest(out_of_it)) continue;
    const front = parse(e.namespaceURI.includes('svg') ? s.fill : s.color), back = behind(e);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) out.push([ratio.toFixed(2), e.tagName, walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return out;
})()
"""


@pytest.mark.parametrize("show", ["Estimate", "Reliability"])
def test_text_stands_out_from_its_ground(browser, pages, show):
    shown(browser, pages("plain"))
    pick(browser, "show", show)
    for across in (0.2, 0.8):
        settled(browser, lambda across=across: click(browser, "#map canvas", across, 0.5))
    assert browser.ask(CONTRAST) == []


def test_it_prints_with_the_map(browser, pages):
    shown(browser, pages("plain"))
    pdf = browser.call("Page.printToPDF", printBackground=True)["data"]
    assert len(pdf) > 40_000
    assert browser.ask(
        "(() => { const i = document.getElementById('map-print');"
        " return i.src.startsWith('data:image/png') && i.src.length > 5000; })()"
    )
    assert browser.ask("document.getElementById('map-print').hidden")
    clean(browser)
