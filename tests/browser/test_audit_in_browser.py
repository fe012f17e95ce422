"""The audit's page in a real browser: nothing runs, nothing is asked for, and it can be read on a phone."""

import pytest

from synthpop_gb.report import write_audit
from tests.stages.audit_world import FACTS, TITLE, audit

HOSTILE = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"


def shown(browser, path, width=1400):
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=width < 600)
    browser.open(path)
    browser.wait("document.readyState === 'complete' && document.getElementById('verdict') !== null")


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_the_page_fits_its_window(browser, tmp_path, width):
    shown(browser, write_audit(tmp_path, audit(), title=TITLE, facts=FACTS), width)
    assert browser.problems() == []
    assert browser.requests() == []
    assert len(browser.files()) == 1  # itself
    assert browser.ask("document.scripts.length") == 0
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
    small = browser.ask(
        "[...document.querySelectorAll('figure svg text')].filter((t) => t.getBoundingClientRect().height > 0)"
        ".map((t) => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width"
        " / t.ownerSVGElement.viewBox.baseVal.width).reduce((a, b) => Math.min(a, b), 99)"
    )
    assert small >= 8  # pixels, of the smallest text in any picture


def test_names_are_shown_not_run(browser, tmp_path):
    checks = audit(name=HOSTILE, value=HOSTILE)
    shown(browser, write_audit(tmp_path, checks, title=HOSTILE, facts={HOSTILE: HOSTILE}))
    browser.ask("new Promise((done) => setTimeout(done, 200))")
    assert browser.ask("window.hacked") is None
    assert browser.ask("document.querySelectorAll('img, script').length") == 0
    assert browser.ask("document.body.innerText.includes('<script>window.hacked = 1')")
    assert browser.problems() == []


def test_everything_folded_can_be_opened_by_keyboard(browser, tmp_path):
    shown(browser, write_audit(tmp_path, audit(), title=TITLE, facts=FACTS))
    assert browser.ask("[...document.querySelectorAll('details')].every((d) => d.firstElementChild.tagName === 'SUMMARY')")
    browser.ask("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")
