"""Files and folders written whole or not at all: under a name of their own until all went well, and several of them together."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from synthpop_gb.errors import InputError, finding

__all__ = ["delete", "replacing", "replacing_all", "told_if_locked"]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same ending; what was made there takes its place when the block ends well.

    Nothing lies at the temporary path, or where `path` is a folder an empty folder: a file never takes a folder's place. Where
    the block raises, or is stopped, what was there stays as it was and what was made is deleted.

    Raises
    ------
    InputError
        `output-locked` where another program holds the file, or the folder may not be written: the latter before the block runs.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "new", "a.txt")
    ...     with replacing(path) as temporary:
    ...         _ = temporary.write_text("whole")
    ...     try:
    ...         with replacing(path) as temporary:
    ...             _ = temporary.write_text("ha")
    ...             raise OSError("disk full")
    ...     except OSError:
    ...         path.read_text(), len(list(path.parent.iterdir()))
    ('whole', 1)
    """
    with replacing_all(path) as (temporary,):
        yield temporary


@contextmanager
def replacing_all(*paths: str | Path) -> Iterator[tuple[Path, ...]]:
    """Give a temporary path for each; all take their places, or where one cannot, what was there comes back.

    Only a program that is killed between two renames leaves some places new and others old. Raises as `replacing`.
    """
    targets = tuple(Path(path) for path in paths)
    temporaries = tuple(_beside(path) for path in targets)
    try:
        with told_if_locked(*targets):
            for path, temporary in zip(targets, temporaries, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.touch()  # a folder that may not be written is told before the work
                temporary.unlink()
                if path.is_dir():
                    temporary.mkdir()
            yield temporaries
            _put(temporaries, targets)
    finally:
        for temporary in temporaries:
            with suppress(OSError):  # what cannot be deleted must not hide why it was left
                delete(temporary)


def _beside(path: Path, mark: str = "") -> Path:
    """Name a hidden neighbour that is this process's; a '-' before the name, so that a name without ending gets none."""
    return path.with_name(f".{os.getpid()}{mark}-{path.name}")


def _put(temporaries: tuple[Path, ...], targets: tuple[Path, ...]) -> None:
    """Rename all. A lone file is renamed over the old one; else the old ones step aside first, so that they can come back."""
    moved: list[tuple[Path, Path, Path | None]] = []
    try:
        for temporary, path in zip(temporaries, targets, strict=True):
            if path.exists() and path.is_dir() != temporary.is_dir():
                raise FileExistsError(errno.EEXIST, "a file and a folder never replace each other", str(path))
            aside = None
            if path.exists() and (path.is_dir() or len(targets) > 1):
                aside = _beside(path, "-old")
                os.replace(path, aside)
            moved.append((temporary, path, aside))
            os.replace(temporary, path)
    except BaseException:
        for temporary, path, aside in reversed(moved):
            if not temporary.exists():  # it had taken its place
                delete(path)
            if aside is not None:
                os.replace(aside, path)
        raise
    for *_, aside in moved:
        if aside is not None:
            with suppress(OSError):  # the new ones are in their places, whatever becomes of the old
                delete(aside)


@contextmanager
def told_if_locked(*paths: Path) -> Iterator[None]:
    """Turn the system's refusal to write into the finding `output-locked`, under the name of what was to be written."""
    try:
        yield
    except PermissionError as error:
        place = Path(error.filename2 or error.filename or paths[0])
        for path in paths:
            hidden = (_beside(path), _beside(path, "-old"))
            if any(h == place or h in place.parents for h in hidden):
                place = path
        message = f"{place} cannot be written: {error.strerror or error}."
        raise InputError([finding("output-locked", message, place=str(place))]) from error


def delete(path: Path) -> None:
    """Delete a file or a folder with all that is in it, if it is there; of a link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
