"""Names of a run's files, how a run begins and ends, and its JSON; nothing finished is overwritten."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from synthpop_gb.atomic import delete, replacing, told_if_locked
from synthpop_gb.card import CARD_FILES
from synthpop_gb.errors import InputError, finding

__all__ = [
    "AUDIT", "BLOCKS", "CHECKS", "COUNTS", "DUALS", "HOMES", "MARKER", "PREVIOUS", "PROBLEM", "PROFILES", "REPLICATES",
    "REPLICATE_STATUS", "RUN", "SETTLED", "STATUS",
    "begin", "begin_folder", "blocks_folder", "end", "is_finished", "read_json", "remove", "write_json",
]  # fmt: skip

RUN, MARKER = "run.json", ".unfinished"
PREVIOUS = "run.previous.json"  # recipe of the run that is being replaced, until the new one is finished
PROFILES, COUNTS, STATUS = "population/profiles.parquet", "population/counts.parquet", "population/status.parquet"
HOMES = "population/households.parquet"  # only where whole households were placed
SETTLED = "population/settled.parquet"  # only where the method settled tables by itself
DUALS, PROBLEM, BLOCKS = "population/duals.parquet", "population/problem.npz", "population/.blocks"
REPLICATES, REPLICATE_STATUS = "population/replicates.parquet", "population/replicate_status.parquet"
CHECKS, AUDIT = "validation", "audit"
# what a run that begins or goes on loses:
_OURS = (
    *CARD_FILES, "population", CHECKS, AUDIT, "report.html", "audit.html", "maps", "indicators", "people", "simulations",
)  # fmt: skip


def begin(folder: str | Path, *, overwrite: bool = False) -> Path:
    """Make a run's folder and mark it unfinished; take up an unfinished one; refuse a finished one.

    Call it when the inputs are known to be good. The files of the run that was there are deleted now: with `overwrite` those of
    the finished one, and of an unfinished one all but its finished blocks, since its study may have been corrected, its licence
    too. A run.json that was there stays as `run.previous.json` until the new run is finished: it may be what is run.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        `output-exists` where a finished run, or anything that no run made, lies there; `output-locked` where writing fails.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError([finding("output-exists", f"{folder} is a file, not a folder.", place=str(folder))])
    if not (folder / MARKER).exists():
        if is_finished(folder):
            if not overwrite:
                raise InputError([finding("output-exists", f"{folder} holds a finished run.", place=str(folder))])
        elif folder.exists() and any(folder.iterdir()):
            message = f"{folder} holds files, but no run of this program."
            raise InputError(
                [finding("output-exists", message, place=str(folder), remedy="Choose another folder, or an empty one.")]
            )
    with told_if_locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
        resumed = (folder / MARKER).exists() and not is_finished(folder)
        (folder / MARKER).write_text(
            "This run is not finished. Run it again, and it goes on where it stopped.\n", encoding="utf-8"
        )
        if (folder / RUN).exists():
            os.replace(folder / RUN, folder / PREVIOUS)
        for name in _OURS:
            if resumed and (folder / name).is_dir() and folder / name == (folder / BLOCKS).parent:
                for path in (folder / name).iterdir():
                    if path != folder / BLOCKS:
                        delete(path)
            else:
                delete(folder / name)
    return folder


def begin_folder(folder: str | Path) -> Path:
    """Make a folder that is no run's, or take the one that is there. Raises InputError (`output-exists`, `output-locked`)."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError([finding("output-exists", f"{folder} is a file, not a folder.", place=str(folder))])
    with told_if_locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def end(folder: Path) -> None:
    """Mark a run finished; its finished blocks are of no more use and go."""
    with told_if_locked(folder):
        delete(folder / BLOCKS)
        (folder / MARKER).unlink(missing_ok=True)
        (folder / PREVIOUS).unlink(missing_ok=True)


def is_finished(folder: str | Path) -> bool:
    """Say whether a finished run lies in the folder."""
    return (Path(folder) / RUN).is_file() and not (Path(folder) / MARKER).exists()


def blocks_folder(folder: str | Path) -> Path:
    """Where a run keeps its finished blocks until it is complete: what `solve(checkpoint=...)` is given."""
    return Path(folder) / BLOCKS


def remove(path: Path) -> None:
    """Delete a file of ours, if it is there. Raises InputError (`output-locked`)."""
    with told_if_locked(path):
        path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON, NumPy's numbers included, in UTF-8 with two spaces."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file of ours. Raises InputError (`missing-file`, `unreadable-file`)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            [finding("missing-file", f"{path} is missing.", place=str(path), remedy="Check the run's folder.")]
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError([finding("unreadable-file", f"{path} is not JSON: {error}.", place=str(path))]) from None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
