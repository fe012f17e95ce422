"""All benchmarks in turn: fitting, whole people, annealing, whole runs. `make bench`, or python benchmarks/run_all.py [--quick]

Each asserts that its answers are right before it times them, and none asserts a time. Exit code 1 where one of them failed.
"""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = (
    "bench_fit.py", "bench_whole.py", "bench_anneal.py", "bench_quasirandom.py", "bench_calibrate.py", "bench_intervals.py",
    "bench_run.py",
)  # fmt: skip


def main() -> int:
    """Run each benchmark in a process of its own, with the arguments given here."""
    failed = []
    for name in BENCHMARKS:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, str(Path(__file__).with_name(name)), *sys.argv[1:]], check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
