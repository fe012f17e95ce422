"""Measure a command in a process of its own: seconds, processor seconds, peak memory; and the machine it ran on.

The command is started by a trampoline, this file run as a script, which loads nothing but the standard library: the peak
memory that Linux reports for a process is never less than that of the process it was forked from. Linux and macOS.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Timing", "figure", "machine", "processor", "run_timed", "versions"]

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("synthpop_gb", "numpy", "pandas", "scipy", "numba", "pyarrow", "geopandas", "matplotlib", "altair", "pydantic")


@dataclass(frozen=True)
class Timing:
    """One run of a command: wall clock and processor seconds, peak resident memory in GB (10^9 bytes), and what it printed."""

    seconds: float
    cpu_seconds: float
    peak_gb: float
    code: int
    out: str
    err: str


def run_timed(command: list[str], *, codes: tuple[int, ...] = (0,), **environment: str) -> Timing:
    """Run a command from the root of the checkout and measure it.

    codes: exit codes that are expected. environment: variables set for it on top of ours.
    Raises RuntimeError, with the end of what it said, for any other exit code.
    """
    with tempfile.TemporaryDirectory() as folder:
        note = Path(folder) / "timing.json"
        trampoline = [sys.executable, "-I", "-S", __file__, str(note), *map(str, command)]
        done = subprocess.run(
            trampoline, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        facts = json.loads(note.read_text(encoding="utf-8"))
    timing = Timing(**facts, out=done.stdout, err=done.stderr)
    if timing.code not in codes:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {timing.code}:\n{(done.stdout + done.stderr)[-4000:]}")
    return timing


def _trampoline(note: str, *command: str) -> None:
    """Start the command, wait for it, and note what the system says it used, the children it waited for included."""
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    facts = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9,  # kB on Linux, bytes on macOS
        "code": os.waitstatus_to_exitcode(status),
    }
    Path(note).write_text(json.dumps(facts), encoding="utf-8")


def figure(value, unit: str = "", text: str | None = None) -> dict:
    """Make one entry of figures.json: the number, its unit, and the words that prose prints.

    >>> figure(5283733, "people")["text"]
    '5,283,733'
    >>> figure(2.0741, "%")["text"]
    '2.07 %'
    """
    if hasattr(value, "item"):  # NumPy's numbers are not JSON's
        value = value.item()
    if text is None:
        shown = str(value) if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else _decimal(value, unit)
        text = f"{shown} {unit}" if unit in _PRINTED else shown
    return {"value": value, "unit": unit, "text": text}


_PRINTED = ("%", "points", "s", "ms", "us", "GB", "MB")


def _decimal(value: float, unit: str) -> str:
    """Round for reading: per cents to two places, other numbers to three figures, tiny ones as powers of ten."""
    if unit in ("%", "points"):
        return f"{value:.2f}"
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.machine()


def machine() -> dict:
    """Describe the machine: processor, cores this process may use, memory in GB, platform. No names of hosts or people."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9 if hasattr(os, "sysconf") else 0.0
    return {
        "cpu": processor(),
        "cores": cores,
        "memory": round(memory, 1),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict:
    """Versions of Python and of the packages that do the work."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


if __name__ == "__main__":
    _trampoline(*sys.argv[1:])
