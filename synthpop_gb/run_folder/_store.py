"""A population as files, and back: profiles, counts, statuses, duals, and the problem itself where the survey may be copied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import STATUS_COLUMNS, Population
from synthpop_gb.problem import Problem
from synthpop_gb.provenance import Provenance
from synthpop_gb.run_folder._counts import read_profiles, write_counts, write_profiles
from synthpop_gb.run_folder._files import DUALS, PROBLEM, SETTLED, STATUS, remove, replacing
from synthpop_gb.run_folder._replicates import read_replicates, write_replicates

__all__ = ["is_open", "read_population", "read_problem", "write_population", "write_problem"]

_ARRAYS = ("start", "cell_of", "constraint_start", "targets", "zone_keys", "donor_start", "donor", "donor_weight")
_OPTIONAL = ("standard_error", "published", "stratum", "cluster", "guide_of", "guide_start", "guide_targets")


def is_open(licence: str | None) -> bool:
    """Say whether survey values may be written; anything but 'open' keeps them out."""
    return licence == "open"


def write_population(population: Population, folder: str | Path, *, licence: str | None = None) -> dict:
    """Write the files of `population/` into a run's folder that `begin` made.

    Parameters
    ----------
    population : Population
        What to write.
    folder : path
        A run's folder.
    licence : str, optional
        The survey's. Only with 'open' is `population/problem.npz` written, which tells each record's categories; record ids and
        counts are written always.

    Returns
    -------
    dict
        rows and people of `counts.parquet`, and the population's digest.

    Raises
    ------
    InputError
        `output-locked` where a file cannot be written.
    """
    folder = Path(folder)
    write_profiles(population, folder)
    write_replicates(population, folder)
    _write_frame(population.status.rename_axis("zone").reset_index(), folder / STATUS)
    names = [" = ".join(map(str, cell)) for cell in population.problem.cells]
    for array, name in ((population.duals, DUALS), (population.settled, SETTLED)):
        if array is None:
            remove(folder / name)
            continue
        frame = pd.DataFrame(array, columns=names)
        frame.insert(0, "zone", population.zones.astype(str))
        _write_frame(frame, folder / name)
    if is_open(licence):
        write_problem(population.problem, folder / PROBLEM)
    else:
        remove(folder / PROBLEM)  # one that an earlier attempt wrote, when the licence was thought to be open
    return write_counts(population, folder)


def _write_frame(frame: pd.DataFrame, path: Path) -> None:
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")


def read_population(
    folder: str | Path,
    problem: Problem,
    provenance: Provenance,
    link: Mapping[str, Any] | None = None,
    *,
    replicates: bool = True,
) -> Population:  # fmt: skip
    """Read a population that `write_population` wrote, for the problem that it solves; without its replicates where False.

    link : as run.json tells it.

    Raises InputError (`missing-file`, `unreadable-file`; `input-changed` where the zones are not those of the problem).
    """
    from synthpop_gb.kernels.links import link_from

    folder = Path(folder)
    indptr, profile, count = read_profiles(folder, problem.zones)
    status = _read_frame(folder / STATUS, problem.zones)
    status = status[[*STATUS_COLUMNS, *(c for c in status.columns if c not in STATUS_COLUMNS)]]
    found = [_read_frame(folder / name, problem.zones) if (folder / name).exists() else None for name in (DUALS, SETTLED)]
    duals, settled = (None if f is None else np.ascontiguousarray(f.to_numpy(dtype=np.float64)) for f in found)
    for array in (indptr, profile, count, duals, settled):
        if array is not None:
            array.setflags(write=False)
    further = read_replicates(folder, problem) if replicates else None
    return Population(problem, indptr, profile, count, status, duals, provenance, link_from(link), settled, further)


def _read_frame(path: Path, zones: pd.Index) -> pd.DataFrame:
    import pyarrow as pa

    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(
            [finding("missing-file", f"{path} is missing.", place=str(path), remedy="Run the study again.")]
        ) from None
    except pa.ArrowInvalid as error:
        raise InputError([finding("unreadable-file", f"{path} is no Parquet file: {error}.", place=str(path))]) from None
    if list(frame["zone"]) != [str(z) for z in zones]:
        raise InputError([finding("input-changed", f"{path} holds other zones than the problem.", place=str(path))])
    return frame.drop(columns="zone").set_index(zones.rename("zone"))


def write_problem(problem: Problem, path: Path) -> None:
    """Write a problem as a NumPy archive that needs no pickle. Only for surveys that may be copied: `is_open`."""
    levels = {f"cells_{i}": problem.cells.get_level_values(i).to_numpy().astype(str) for i in range(problem.cells.nlevels)}
    if problem.guides is not None:
        levels |= {f"guides_{i}": problem.guides.get_level_values(i).to_numpy().astype(str) for i in range(2)}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        names = np.array([str(n or "") for n in (problem.zones.name, problem.records.name, *problem.cells.names)])
        arrays = {name: getattr(problem, name) for name in (*_ARRAYS, *_OPTIONAL) if getattr(problem, name) is not None}
        np.savez(file, **arrays, **levels, zones=_labels(problem.zones), records=_labels(problem.records), names=names)


def _labels(index: pd.Index) -> np.ndarray:
    """Labels as numbers where they are whole numbers, else as text: what an archive holds without pickle."""
    return index.to_numpy(dtype=np.int64) if index.dtype.kind in "iu" else index.to_numpy().astype(str)


def _guides(stored) -> pd.MultiIndex | None:
    """Labels of the bins of distributions, where there are any."""
    if "guides_0" not in stored:
        return None
    return pd.MultiIndex.from_arrays([stored[f"guides_{i}"].tolist() for i in range(2)], names=["distribution", "bin"])


def read_problem(path: Path) -> Problem:
    """Read what `write_problem` wrote. Raises InputError (`unreadable-file`)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            zones, records, *levels = [str(n) or None for n in stored["names"]]
            cells = [stored[f"cells_{i}"].tolist() for i in range(len(levels))]
            return Problem(
                **{name: stored[name] for name in (*_ARRAYS, *(n for n in _OPTIONAL if n in stored))},
                zones=pd.Index(stored["zones"].tolist(), name=zones),
                records=pd.Index(stored["records"].tolist(), name=records),
                cells=pd.MultiIndex.from_arrays(cells, names=levels),
                guides=_guides(stored),
            )
    except (OSError, ValueError, KeyError) as error:
        raise InputError([finding("unreadable-file", f"{path} is not a problem's archive: {error}.", place=str(path))]) from None
