"""Coverage of intervals against known truth: python benchmarks/bench_intervals.py [--quick]

300 random LSOAs and Leeds (2011), the demo counties, zones of EU-SILC; --quick: the random LSOAs only. Needs the folder of open
data but for the demo counties. Nothing is asserted about coverage: it is printed as it is, by outcome.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from _intervals import census, demo_counties, silc


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if os.environ.get("SYNTHPOP_GB_DATA"):
            census(("random",) if quick else ("random", "leeds"), folder=place)
            if not quick:
                silc(folder=place / "silc")
        else:
            print("SYNTHPOP_GB_DATA is not set: census and EU-SILC are left out")
        if not quick:
            demo_counties(folder=place / "demo")
    return 0


if __name__ == "__main__":
    sys.exit(main())
