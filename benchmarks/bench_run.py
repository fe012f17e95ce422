"""A whole run stage by stage: seconds, processor seconds, peak memory. python benchmarks/bench_run.py [study ...] [--quick]

The ordinary pipeline runs; its stages are wrapped in clocks. Studies of inputs/ need SYNTHPOP_GB_DATA; without it a large demo
county is run. Before anything is timed, a small run is solved and recounted, so that a fast wrong answer is no result.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from _measure import ROOT, machine

STAGES = {  # where the pipeline finds each stage: the name it is printed by, module, attribute
    "read and harmonise": ("synthpop_gb.pipeline.run", "align"),
    "formulate": ("synthpop_gb.formulation", "formulate"),
    "solve": ("synthpop_gb.execution", "solve"),
    "write population": ("synthpop_gb.run_folder", "write_population"),
    "count again and validate": ("synthpop_gb.validation", "validate"),
    "write checks": ("synthpop_gb.run_folder", "write_checks"),
    "maps": ("synthpop_gb.pipeline.after", "draw"),
    "report": ("synthpop_gb.report", "write_report"),
    "finish": ("synthpop_gb.run_folder", "finish"),
}


class Clock:
    """Seconds, processor seconds and peak memory by stage, in order of first use."""

    def __init__(self):
        self.stages: dict[str, list[float]] = {}

    @contextmanager
    def stage(self, name: str):
        """Time what happens inside; peaks are of this stage alone where the system can forget earlier ones."""
        _forget_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            spent = self.stages.setdefault(name, [0.0, 0.0, 0.0])
            spent[0] += time.perf_counter() - wall
            spent[1] += time.process_time() - cpu
            spent[2] = max(spent[2], _peak_gb())

    def wrap(self, name: str, function):
        """Return the function with the clock around it."""

        def timed(*args, **kwargs):
            with self.stage(name):
                return function(*args, **kwargs)

        return timed

    def __str__(self) -> str:
        """Return one line a stage."""
        lines = [f"  {name:28}{wall:8.2f} s {cpu:8.2f} s {peak:7.2f} GB" for name, (wall, cpu, peak) in self.stages.items()]
        return "\n".join([f"  {'stage':28}{'wall':>10} {'processor':>10} {'peak':>10}", *lines])


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux: peak memory counts from now
    except OSError:
        return


def _peak_gb() -> float:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1e9


@contextmanager
def clocks():
    """Put a clock around every stage of the pipeline; yields it."""
    clock, before = Clock(), []
    for name, (module, attribute) in STAGES.items():
        owner = importlib.import_module(module)
        function = getattr(owner, attribute)
        before.append((owner, attribute, function))
        setattr(owner, attribute, clock.wrap(name, function))
    try:
        yield clock
    finally:
        for owner, attribute, function in before:
            setattr(owner, attribute, function)


def assert_agreement() -> None:
    """Solve a problem with known people and count it again by other code than the solver; compiles what is to be timed."""
    import synthpop_gb as sp
    from synthpop_gb.testing import assert_fits, small_problem

    problem = small_problem(40)
    population = sp.solve(problem, seed=1, workers=1)
    assert_fits(population)
    assert sp.solve(problem, seed=1, workers=2, block_size=7).digest() == population.digest()


def time_study(name: str, workers: int | None) -> None:
    """Run one study of inputs/, or 'demo', and print its stages."""
    import synthpop_gb as sp

    with tempfile.TemporaryDirectory() as folder, clocks() as clock:
        began = time.perf_counter()
        if name == "demo":
            result = sp.pipeline.run_demo(folder, scale=5.0, workers=workers)
        else:
            result = sp.run(ROOT / "inputs" / f"{name}.toml", folder, workers=workers)
        seconds = time.perf_counter() - began
    assert result.fits, f"{name}: some zones do not fit"
    assert result.checks.headline["total absolute error above the floor"] == 0, f"{name}: people in the wrong cell"
    print(f"\n{name}: {result.population.people:,} people in {len(result.population.zones):,} zones, {seconds:.1f} s\n{clock}")


def main() -> None:
    """Time the studies asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", help="names of studies in inputs/, or 'demo'")
    parser.add_argument("--quick", action="store_true", help="one small study")
    parser.add_argument("--workers", type=int, help="threads that solve")
    asked = parser.parse_args()
    real = bool(os.environ.get("SYNTHPOP_GB_DATA"))
    if not real:
        print("SYNTHPOP_GB_DATA is not set: a made-up county stands in for the census")
    default = (["leeds-2011"] if asked.quick else ["leeds-2011", "yorkshire-2011", "england-wales-2011"]) if real else ["demo"]
    made = machine()
    print(f"{made['cpu']}, {made['cores']} cores, {made['memory']:g} GB")
    assert_agreement()
    for name in asked.studies or default:
        time_study(name, asked.workers)


if __name__ == "__main__":
    main()
