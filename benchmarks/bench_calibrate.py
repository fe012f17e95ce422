"""Calibration: python benchmarks/bench_calibrate.py [--only hard_and_soft,prior,times,speed,perturbation]

Soft targets beside hard ones on Leeds 2021, table by table against the publisher's noise; how near a known truth they come; and
processor milliseconds a zone on one core. All but `speed` read the folder named by SYNTHPOP_GB_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import _calibration


def main() -> int:
    """Measure the groups asked for and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="groups, separated by commas")
    parser.add_argument("--quick", action="store_true", help="leave out the ordinary size")
    asked = parser.parse_args()
    names = [n for n in asked.only.split(",") if n] or [n for n in _calibration.__all__ if not (asked.quick and n == "speed")]
    if unknown := sorted(set(names) - set(_calibration.__all__)):
        parser.error(f"there is no group {', '.join(unknown)}; there are {', '.join(_calibration.__all__)}")
    for name in names:
        if name != "speed" and not os.environ.get("SYNTHPOP_GB_DATA"):
            print(f"{name}: left out, since SYNTHPOP_GB_DATA names no folder of open data")
            continue
        with tempfile.TemporaryDirectory() as folder:
            _, values = getattr(_calibration, name)(folder=Path(folder))
        print(f"{name}: {getattr(_calibration, name).__doc__.splitlines()[0]}")
        for value, entry in values.items():
            print(f"  {value:40}{entry['text']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
