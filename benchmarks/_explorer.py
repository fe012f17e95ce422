"""The explorer of a region: time to write it, size of the page, and how long a change of indicator takes in a real browser.

Headless Chromium draws by software (SwiftShader) here, where there is no graphics card, with every outside host unreachable. A
change is timed in the page itself, from the handler of the choice to the first frame after the map was drawn; what all of the
browser's processes used for it, table and graphs included, does not depend on who else uses the machine.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _measure import ROOT, figure, run_timed
from _studies import warm_up

__all__ = ["yorkshire"]

_REPLICATES, _CHANGES = 40, 60
_LISTEN = (
    "window.done = 0; window.took = []; document.addEventListener('explorer:painted', (e) => took.push(e.detail));"
    " document.addEventListener('explorer:shown', () => { done += 1; }); 0"
)
_CHANGE = (
    "(() => {{ const list = document.getElementById({control!r});"
    " list.selectedIndex = (list.selectedIndex + 1) % list.options.length;"
    " list.dispatchEvent(new Event('change')); return 0; }})()"
)


def yorkshire(*, folder: Path) -> tuple[str, dict]:
    """Write the explorer of Yorkshire and the Humber, 2011, with 40 replicates, and turn its choices in a browser."""
    warm_up()
    study = (ROOT / "inputs" / "yorkshire-2011.toml").read_text(encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(study.replace("seed = 2011", f"seed = 2011\nreplicates = {_REPLICATES}", 1), encoding="utf-8")
    run_timed([sys.executable, "-m", "synthpop_gb", "run", str(path), "--output", str(folder)])
    run, page = folder / "yorkshire-2011", folder / "explorer.html"
    written = run_timed([sys.executable, "-m", "synthpop_gb", "explore", str(run), "--output", str(page)])
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    values = {
        "zones": figure(record["zones"], "zones"),
        "figures": figure(int(written.out.split("Explorer: ")[1].split(" ")[0].replace(",", "")), "figures"),
        "seconds": figure(written.seconds, "s"),
        "peak_gb": figure(written.peak_gb, "GB"),
        "page_mb": figure(page.stat().st_size / 1e6, "MB"),
        **_in_browser(page),
    }
    return "synthpop-gb explore outputs/yorkshire-2011", values


def _in_browser(page: Path) -> dict:
    """Open the page and change what it shows; nothing where no browser is found."""
    sys.path.insert(0, str(ROOT))
    from tests.browser.devtools import Browser, find_browser

    found = find_browser()
    if found is None:
        return {}
    with tempfile.TemporaryDirectory() as profile:
        tab = Browser(found, profile, webgl=True)
        tab.call("Emulation.setDeviceMetricsOverride", width=1400, height=1000, deviceScaleFactor=1, mobile=False)
        began = time.perf_counter()
        tab.open(page)
        tab.wait("document.body && document.body.dataset.state === 'shown'", 120)
        opened = time.perf_counter() - began
        tab.ask(_LISTEN)
        before = _processor_seconds(tab.pid)
        for number in range(_CHANGES):
            control = ("topic", "column", "group")[number % 3]
            tab.ask(_CHANGE.format(control=control))
            tab.wait(f"done > {number}", 60)
            tab.ask("new Promise((rest) => setTimeout(rest, 150))")
        took, used = tab.ask("took"), _processor_seconds(tab.pid) - before
        asked, problems = tab.requests(), tab.problems()
        tab.close()
    assert not asked, asked
    assert not problems, problems
    drawn = np.array([t["painted"] for t in took])
    return {
        "opened_seconds": figure(opened, "s"),
        "changes": figure(len(took), "changes"),
        "change_ms": figure(float(np.median(drawn)), "ms"),
        "change_least_ms": figure(float(drawn.min()), "ms"),
        "change_most_ms": figure(float(np.quantile(drawn, 0.95)), "ms"),
        "change_within": figure(float(100 * (drawn < 200).mean()), "%"),
        "script_ms": figure(float(np.median([t["worked"] for t in took])), "ms"),
        "processor_ms": figure(1000 * used / len(took), "ms"),
        "hosts_asked": figure(len(asked), ""),
    }


def _processor_seconds(pid: int) -> float:
    """Processor seconds that a process and all below it have used, as Linux tells; 0 elsewhere."""
    used, parent = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        number = int(path.parent.name)
        parent[number], used[number] = int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    total = 0.0
    for number, seconds in used.items():
        above = number
        while above in parent and above != pid:
            above = parent[above]
        total += seconds if above == pid else 0.0
    return total
