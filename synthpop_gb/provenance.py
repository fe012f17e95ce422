"""What produced a result: versions, input files with their hashes, seed and parameters, so that it can be repeated."""

from __future__ import annotations

import hashlib
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["InputFile", "Provenance", "hash_file", "versions"]

_PACKAGES = ("synthpop_gb", "numpy", "pandas", "scipy", "numba", "pyarrow", "geopandas")


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide results."""
    found = {"python": sys.version.split()[0], "platform": platform.platform()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a checkout that was never installed
            found[name] = "not installed"
    return found


@dataclass(frozen=True)
class InputFile:
    """One file that was read: its path as given, SHA-256, and size in bytes."""

    path: str
    sha256: str
    bytes: int

    @classmethod
    def of(cls, path: str | Path) -> InputFile:
        """Describe the file at `path` as it is now."""
        return cls(str(path), hash_file(path), Path(path).stat().st_size)


@dataclass(frozen=True)
class Provenance:
    """Everything needed to repeat a result: what, from which files, with which parameters, on which versions.

    `start` is what was chosen and learnt of a better start (`BetterStart.facts`): with it nothing is chosen anew. `scenario` says
    what was changed after the population was made, in plain values: with it the result is a scenario, not an estimate.
    """

    seed: int
    method: str
    options: dict
    inputs: tuple[InputFile, ...] = ()
    study: dict | None = None
    start: dict | None = None
    scenario: dict | None = None
    versions: dict = field(default_factory=versions)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict:
        """Return plain values for JSON."""
        return asdict(self)
