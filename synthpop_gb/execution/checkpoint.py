"""Finished blocks kept on disk, so that a run that was killed goes on where it stopped.

A block's file is its SHA-256 followed by a NumPy archive, written to a temporary name and renamed. What is in it is known zone by
zone, by a mark over the zone's code and targets: blocks may be cut differently, zones added or reordered after a restart, and
every zone that is still wanted as it was is used. Everything that zones share (records, method, options, seed, versions, code) is
in the fingerprint, which names the files: files of another fingerprint are not used, and said to be so.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import Finding, finding
from synthpop_gb.level import Level
from synthpop_gb.methods import BlockResult, Method, Streams
from synthpop_gb.problem import Problem
from synthpop_gb.provenance import versions

__all__ = ["Checkpoint", "ResumeWarning", "problem_hash", "run_fingerprint"]

_FORMAT = 2
_ARRAYS = [f.name for f in dataclasses.fields(BlockResult) if f.name != "extra"]
_EXTRA = "extra "  # before the names of a method's own columns


class ResumeWarning(UserWarning):
    """A block's file could not be used; its zones are solved again. `finding` says so with code, reason and remedy."""

    def __init__(self, told: Finding):
        super().__init__(f"{told.message} {told.why}")
        self.finding = told


def problem_hash(problem: Problem, *, zones: bool = True) -> str:
    """SHA-256 over a problem's arrays and labels; without its zones, codes and targets where `zones` is False."""
    found = hashlib.sha256()
    for name in ("start", "cell_of", "constraint_start", "donor_start", "donor", "donor_weight"):
        array = getattr(problem, name)
        found.update(f"{name}{array.shape}".encode() + array.tobytes())
    for name in ("standard_error", "stratum", "cluster"):
        if (array := getattr(problem, name)) is not None and (name != "standard_error" or array.ndim == 1):
            found.update(name.encode() + array.tobytes())
    if problem.n_guides:
        found.update(b"guides" + problem.guide_of.tobytes() + problem.guide_start.tobytes())
    for name, array in _unit_arrays(problem).items():
        found.update(f"{name}{array.shape}".encode() + array.tobytes())
    if problem.max_copies is not None:
        found.update(f"max_copies {float(problem.max_copies)!r}".encode())
    if problem.households is not None:
        found.update(b"households" + "\0".join(map(str, problem.households)).encode() + b"\1")
    for level in problem.levels:
        found.update(_level_bytes(level, zones))
    for labels in (problem.records, problem.cells):
        found.update("\0".join(map(str, labels)).encode() + b"\1")
    if zones:
        for array in _zone_arrays(problem):
            found.update(array.tobytes())
        found.update("\0".join(map(str, problem.zones)).encode())
    return found.hexdigest()


def _unit_arrays(problem: Problem) -> dict[str, np.ndarray]:
    """Return what makes units households, and what tilts lie on, by name; nothing for persons without tilts."""
    found = {n: getattr(problem, n) for n in ("member_start", "member", "size", "communal", "tilt_of")}
    found |= (
        {} if problem.incidence is None else {f"incidence {n}": getattr(problem.incidence, n) for n in ("start", "cell", "count")}
    )
    return {name: array for name, array in found.items() if array is not None}


def _level_bytes(level: Level, zones: bool) -> bytes:
    """Pack a level's cells into bytes; with `zones` also its areas, who lies in them and their targets."""
    arrays = {n: getattr(level, n) for n in ("cell_of", "constraint_start")}
    if zones or (level.standard_error is not None and level.standard_error.ndim == 1):
        arrays["standard_error"] = level.standard_error
    if level.incidence is not None:
        arrays |= {f"incidence {n}": getattr(level.incidence, n) for n in ("start", "cell", "count")}
    labels = [level.name, *map(str, level.cells)]
    if zones:
        arrays |= {n: getattr(level, n) for n in ("of_zone", "targets", "published")}
        labels += map(str, level.areas)
    parts = [f"{n}{a.shape}".encode() + a.tobytes() for n, a in arrays.items() if a is not None]
    return b"level" + "\0".join(labels).encode() + b"\1" + b"".join(parts)


def _zone_arrays(problem: Problem) -> list[np.ndarray]:
    """Numbers by zone that a zone's people may depend on: targets, and what is given of publication and perturbation."""
    given = [problem.targets, problem.published, problem.first_duals, problem.tilt]
    if problem.standard_error is not None and problem.standard_error.ndim == 2:
        given.append(problem.standard_error)
    return [array for array in (*given, problem.guide_targets) if array is not None]


def _code_hash() -> str:
    """SHA-256 over the source of kernels and methods: a block solved by other code is never mixed in."""
    package = Path(__file__).parent.parent
    found = hashlib.sha256()
    for folder in ("kernels", "methods"):
        for path in sorted((package / folder).glob("*.py")):
            found.update(path.name.encode() + path.read_bytes())
    others = [*sorted((package / "execution").glob("*re*drawn*.py")), package / "execution" / "replicates.py"]
    for path in (*others, package / "population" / "_replicates.py"):
        found.update(path.read_bytes())
    return found.hexdigest()


def run_fingerprint(problem: Problem, method: Method, options: Any, streams: Streams) -> str:
    """SHA-256 over everything that a zone's people depend on, but for the zone itself."""
    known = versions()
    said = {
        "format": _FORMAT,
        "problem": problem_hash(problem, zones=False),
        "method": method.name,
        "options": dataclasses.asdict(options),
        "streams": dataclasses.asdict(streams),
        "code": _code_hash(),
        "versions": {name: known[name] for name in ("synthpop_gb", "numpy", "scipy", "numba")},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _marks(problem: Problem) -> np.ndarray:
    """(n_zones,) uint64: a hash of each zone's key and numbers; where levels bind zones together, of all that are bound to it."""
    rows = np.column_stack([problem.zone_keys, *(array.view(np.uint64) for array in _zone_arrays(problem))])
    if not problem.levels:
        return np.array([_mark(row.tobytes()) for row in rows], np.uint64)
    parts = [row.tobytes() for row in rows]
    for level in problem.levels:
        given = [level.targets, level.published, level.standard_error]
        given = [array for array in given if array is not None and array.ndim == 2]
        areas = [f"{level.name} {c}".encode() + b"".join(a[i].tobytes() for a in given) for i, c in enumerate(level.areas)]
        parts = [part + (areas[area] if area >= 0 else b"") for part, area in zip(parts, level.of_zone.tolist(), strict=True)]
    alone, together = np.array([_mark(part) for part in parts], np.uint64), {}
    for component in np.unique(problem.component).tolist():
        together[component] = np.sort(alone[problem.component == component]).tobytes()
    both = zip(alone, problem.component.tolist(), strict=True)
    return np.array([_mark(mark.tobytes() + together[component]) for mark, component in both], np.uint64)


def _mark(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


class Checkpoint:
    """The files of one run's finished blocks.

    Parameters
    ----------
    folder : path
        Where they lie; made where it is missing.
    problem, method, options, streams
        What is being solved.
    quiet : bool
        Say nothing of blocks that belong to something else: replicates share one folder.
    """

    def __init__(
        self, folder: str | Path, problem: Problem, method: Method, options: Any, streams: Streams, *, quiet: bool = False
    ):
        self._quiet = quiet
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._name = run_fingerprint(problem, method, options, streams)[:16]
        self._marks = _marks(problem)
        self._n_cells = problem.n_cells

    def save(self, zones: np.ndarray, result: BlockResult) -> None:
        """Keep the result of the zones at these positions."""
        arrays = {name: value for name in _ARRAYS if (value := getattr(result, name)) is not None}
        arrays |= {_EXTRA + name: value for name, value in (result.extra or {}).items()}
        body = io.BytesIO()
        np.savez(body, marks=self._marks[zones], **arrays)
        content = body.getvalue()
        name = f"{self._name}-{hashlib.blake2b(self._marks[zones].tobytes(), digest_size=8).hexdigest()}.block"
        with replacing(self.folder / name) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)

    def load(self) -> list[tuple[np.ndarray, np.ndarray, BlockResult]]:
        """Return what is done: (rows of the result, positions of their zones, result), each zone at most once.

        Files that are damaged, or of other inputs, options or versions, are not used, with a `ResumeWarning`; damaged ones go.
        """
        others = sum(not path.name.startswith(f"{self._name}-") for path in self.folder.glob("[!.]*.block"))
        if others and not self._quiet:
            what = "blocks solved earlier are" if others > 1 else "block solved earlier is"
            message = f"{others} {what} of other inputs, options or versions and not used."
            warnings.warn(ResumeWarning(finding("blocks-unused", message, place=str(self.folder), count=others)), stacklevel=3)
        position = {int(mark): i for i, mark in enumerate(self._marks)}
        found = []
        for path in sorted(self.folder.glob(f"{self._name}-*.block")):
            opened = self._open(path)
            if opened is None:
                message = f"{path.name} is damaged and not used."
                warnings.warn(ResumeWarning(finding("blocks-unused", message, place=str(path), count=1)), stacklevel=3)
                path.unlink()
                continue
            marks, result = opened
            rows = [(row, position.pop(int(mark))) for row, mark in enumerate(marks) if int(mark) in position]
            if rows:
                row, zone = np.array(rows, np.int64).T
                found.append((row, zone, result))
        return found

    def _open(self, path: Path) -> tuple[np.ndarray, BlockResult] | None:
        """Read one file; None where its content is not what was written."""
        content = path.read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return None
        with np.load(io.BytesIO(content[32:]), allow_pickle=False) as arrays:
            extra = {name.removeprefix(_EXTRA): arrays[name] for name in arrays.files if name.startswith(_EXTRA)}
            stored = {name: arrays[name] for name in _ARRAYS if name in arrays}
            return arrays["marks"], BlockResult(**stored, extra=extra or None)
