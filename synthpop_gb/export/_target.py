"""Where people are written: what kind of file or folder, and whether what lies there may be replaced."""

from __future__ import annotations

import re
from pathlib import Path

from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._rows import FORMATS

__all__ = ["kind_of"]

_WRITTEN = r"([^=/]+=[^/]*/)?(people|households)\.parquet"


def kind_of(path: Path, overwrite: bool, *, folder: bool = False) -> str:
    """Tell the format from the ending, empty for a folder where that may be; refuse what may not be written.

    Raises InputError: `study-value` for another ending, `output-exists`.
    """
    name = path.name.lower()
    kind = next((ending for ending in FORMATS if name.endswith(ending)), "")
    if not kind and not (folder and (not path.suffix or path.is_dir())):
        message = f"{path.name} has none of the endings {', '.join(FORMATS)}{'; a folder has none at all' if folder else ''}."
        raise InputError([finding("study-value", message, place=str(path))])
    if kind and path.is_dir():
        message, why = f"{path} is a folder.", "What lies in it would be lost."
        raise InputError([finding("output-exists", message, place=str(path), why=why, remedy="Name a file in it.")])
    _may_write(path, overwrite)
    return kind


def _may_write(path: Path, overwrite: bool) -> None:
    """Refuse to replace without leave, and ever to delete a folder that holds anything but people."""
    if not path.exists():
        return
    others = _not_ours(path) if path.is_dir() else []
    if others:
        message = f"{path} holds other files ({', '.join(sorted(others)[:3])})."
        raise InputError([finding("output-exists", message, place=str(path), remedy="Choose another folder, or an empty one.")])
    if not overwrite and not (path.is_dir() and not any(path.iterdir())):
        message, what = f"{path} exists already.", "folder" if path.is_dir() else "file"
        why, remedy = f"A {what} is never replaced in silence.", f"Name another {what}, or add --overwrite."
        raise InputError([finding("output-exists", message, place=str(path), why=why, remedy=remedy)])


def _not_ours(folder: Path) -> list[str]:
    """Everything below a folder that this module did not write: by name, and by the columns that each file of people has."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    others = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        ours = not path.is_symlink() and re.fullmatch(r"[^=/]+=[^/]*" if path.is_dir() else _WRITTEN, name)
        if ours and not path.is_dir():
            try:
                named = set(pq.read_schema(path).names)
                ours = {"person", "zone"} <= named or {"household", "zone", "size"} <= named
            except (pa.ArrowInvalid, OSError):
                ours = False
        if not ours:
            others.append(name)
    return others
