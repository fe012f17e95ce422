"""A population as files, and back: profiles, counts, statuses, duals, and the problem itself where the survey may be copied."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import STATUS_COLUMNS, Population
from synthpop_gb.problem import Problem
from synthpop_gb.provenance import Provenance
from synthpop_gb.run_folder._counts import read_profiles, write_counts, write_households, write_profiles
from synthpop_gb.run_folder._files import DUALS, PROBLEM, SETTLED, STATUS, remove
from synthpop_gb.run_folder._problem import read_problem, write_problem
from synthpop_gb.run_folder._replicates import read_replicates, write_replicates

__all__ = ["is_open", "read_population", "read_problem", "write_population", "write_problem"]


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
        rows and people of `counts.parquet`, and the population's digest; of a population of whole households also `households`:
        rows, units and digest of `households.parquet`.

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
    above = [f"{v.name}: {' = '.join(map(str, cell))}" for v in population.problem.levels for cell in v.cells]
    for array, name in ((population.duals, DUALS), (population.settled, SETTLED)):
        if array is None:
            remove(folder / name)
            continue
        frame = pd.DataFrame(array, columns=[*names, *above][: array.shape[1]])
        frame.insert(0, "zone", population.zones.astype(str))
        _write_frame(frame, folder / name)
    if is_open(licence):
        write_problem(population.problem, folder / PROBLEM)
    else:
        remove(folder / PROBLEM)  # one that an earlier attempt wrote, when the licence was thought to be open
    facts = write_counts(population, folder)
    homes = write_households(population, folder)
    return facts if homes is None else {**facts, "households": homes}


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
