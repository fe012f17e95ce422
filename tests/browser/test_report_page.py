"""The page in a real browser without any network: the map is drawn, list and bars work, nothing is asked for, nothing runs."""

import io

import numpy as np

from synthpop_gb.report import write_report
from tests.stages.grid_world import HOSTILE, on_grid


def written(folder, **study):
    aligned, population, checks = on_grid(folder, **study)
    title = HOSTILE[0] if study.get("hostile") else "Twelve squares"
    return write_report(folder, population=population, aligned=aligned, checks=checks, title=title)


def shown(browser, path):
    browser.open(path)
    browser.wait("document.readyState === 'complete' && document.getElementById('atlas') !== null")
    browser.wait("document.getElementById('atlas').dataset.state !== 'waiting'")
    assert browser.ask("document.getElementById('atlas').dataset.state") == "drawn"


def canvas(browser):
    """(x, y, width, height) of the drawing in the page."""
    return browser.ask(
        "(() => { const r = document.querySelector('#atlas-drawing canvas').getBoundingClientRect();"
        " return [r.x + scrollX, r.y + scrollY, r.width, r.height]; })()"
    )


def pixels(browser, clip=None):
    import matplotlib.image as image

    return (image.imread(io.BytesIO(browser.picture(clip)))[..., :3] * 255).round().astype(int)


def share(picture, colour):
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return float((np.abs(picture - rgb).sum(axis=-1) <= 6).mean())


def colours(browser):
    return browser.ask("[...document.querySelectorAll('#atlas-legend .swatch')].map((s) => s.style.background)")


def as_hex(text):
    return "#" + "".join(f"{int(v):02x}" for v in text[4:-1].split(","))


def test_the_page_as_it_opens(browser, tmp_path):
    shown(browser, written(tmp_path))
    assert browser.problems() == []
    assert browser.requests() == []
    assert len(browser.files()) == 1  # itself
    drawn = pixels(browser, canvas(browser))
    for colour in map(as_hex, colours(browser)):
        assert share(drawn, colour) > 0.02, colour
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.ask("[...document.querySelectorAll('figure svg')].every((s) => s.getBoundingClientRect().width > 100)")
    assert browser.ask("document.querySelectorAll('h1').length") == 1


def test_the_list_changes_map_and_legend(browser, tmp_path):
    shown(browser, written(tmp_path))
    before, legend = pixels(browser, canvas(browser)), browser.ask("document.getElementById('atlas').innerText")
    browser.ask(
        "(() => { const list = document.getElementById('atlas-measure');"
        " list.value = [...list.options].find((o) => o.text === 'bad').value; list.dispatchEvent(new Event('change')); })()"
    )
    browser.wait(f"document.getElementById('atlas').innerText !== {legend!r}")
    assert browser.ask("document.getElementById('atlas-title').textContent") == "bad"
    assert browser.ask("document.getElementById('atlas-unit').textContent") == "% of usual residents"
    browser.ask("new Promise((done) => setTimeout(done, 300))")
    after = pixels(browser, canvas(browser))
    assert (before != after).any(axis=-1).mean() > 0.05
    assert browser.problems() == []


def test_bars_pick_out_zones_and_a_new_measure_lets_go(browser, tmp_path):
    shown(browser, written(tmp_path))
    x, y, width, height = canvas(browser)
    faint = "#eceff1"
    browser.ask(f"window.scrollTo(0, {y})")
    browser.ask("new Promise((done) => setTimeout(done, 400))")
    top = y - browser.ask("scrollY")
    browser.drag(x + 5, top + height - 60, x + width * 0.3)
    browser.ask("new Promise((done) => setTimeout(done, 400))")
    assert share(pixels(browser, canvas(browser)), faint) > 0.1  # zones outside the range
    browser.ask("window.list = document.getElementById('atlas-measure'); list.selectedIndex = 0")
    browser.ask("list.dispatchEvent(new Event('change'))")
    browser.ask("new Promise((done) => setTimeout(done, 400))")
    assert share(pixels(browser, canvas(browser)), faint) < 0.01
    assert browser.problems() == []


def test_hostile_names_are_text_also_in_the_tooltip(browser, tmp_path):
    shown(browser, written(tmp_path, hostile=True))
    x, y, width, height = canvas(browser)
    browser.ask(f"window.scrollTo(0, {y})")
    browser.ask("new Promise((done) => setTimeout(done, 400))")
    top, seen = y - browser.ask("scrollY"), set()
    for column in range(4):
        for row in range(3):
            browser.point(x + width * 0.9 * (column + 0.5) / 4, top + (height - 110) * (row + 0.5) / 3)
            browser.ask("new Promise((done) => setTimeout(done, 60))")
            seen.add(browser.ask("(document.querySelector('.vg-tooltip, #vg-tooltip-element') || {}).innerText || ''"))
    said = "\n".join(seen)
    assert sum(name.split("\u2028")[0].strip() in said for name in HOSTILE) >= 4, said
    assert browser.ask("window.hacked") is None
    assert browser.ask("document.querySelectorAll('img').length") == 0
    assert browser.problems() == []


def test_a_script_that_is_not_ours_cannot_run(browser, tmp_path):
    path = written(tmp_path)
    text = path.read_text("utf-8").replace(
        "</main>", "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'></main>"
    )
    (tmp_path / "tampered.html").write_text(text, "utf-8")
    shown(browser, tmp_path / "tampered.html")
    browser.ask("new Promise((done) => setTimeout(done, 300))")
    assert browser.ask("window.hacked") is None
    assert any("Content Security Policy" in p for p in browser.problems())


def test_without_maps_nothing_runs_at_all(browser, tmp_path):
    from tests.stages.grid_world import solved

    aligned, population, checks = solved()
    path = write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="Without maps")
    browser.open(path)
    browser.wait("document.readyState === 'complete' && document.title.startsWith('Without maps')")
    assert browser.ask("document.scripts.length") == 0
    assert browser.problems() == []
    assert browser.requests() == []
