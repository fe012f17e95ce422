"""Replicates as files: `population/replicates.parquet` (zone, profile, replicate, n) and `replicate_status.parquet`.

Apart from the population's own `profiles.parquet`, so that who wants the population reads no more than it. Row groups hold one
replicate each, zones in order: 40 replicates of 3,317 zones are 15 million rows.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import Population, Replicates
from synthpop_gb.problem import Problem
from synthpop_gb.run_folder._counts import opened, writing
from synthpop_gb.run_folder._files import REPLICATE_STATUS, REPLICATES, remove
from synthpop_gb.status import FitStatus

__all__ = ["read_replicates", "write_replicates"]

_FACTS = b"synthpop_gb"


def write_replicates(population: Population, folder: Path) -> None:
    """Write a population's replicates, or take away those of an earlier attempt where it has none."""
    import pyarrow as pa

    made = population.replicates
    if made is None:
        remove(folder / REPLICATES)
        remove(folder / REPLICATE_STATUS)
        return
    zones = pa.array(population.zones.astype(str), pa.string())
    key = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([("zone", key), ("profile", pa.int32()), ("replicate", pa.int32()), ("n", pa.int32())])
    encoding = {"use_dictionary": ["zone", "n", "replicate"], "column_encoding": {"profile": "DELTA_BINARY_PACKED"}}
    facts = {_FACTS: json.dumps({"numbers": made.numbers.tolist(), "sources": list(made.sources)}).encode()}
    with replacing(folder / REPLICATES) as temporary, writing(temporary, schema, encoding) as writer:
        for place, number in enumerate(made.numbers.tolist()):
            indptr, profile, count = made.rows(place)
            zone = np.repeat(np.arange(len(zones), dtype=np.int32), np.diff(indptr))
            columns = [
                pa.DictionaryArray.from_arrays(zone, zones), pa.array(profile),
                pa.array(np.full(len(profile), number, np.int32)), pa.array(count),
            ]  # fmt: skip
            writer.write_batch(pa.record_batch(columns, schema=schema), row_group_size=max(len(profile), 1))
        writer.add_key_value_metadata(facts)
    names = np.array([s.name for s in FitStatus])
    fits = pa.DictionaryArray.from_arrays(made.fit.ravel().astype(np.int32), pa.array(names))
    zone = np.tile(np.arange(len(zones), dtype=np.int32), len(made))
    table = pa.table(
        {
            "zone": pa.DictionaryArray.from_arrays(zone, zones),
            "replicate": np.repeat(made.numbers.astype(np.int32), len(zones)),
            "fit": fits,
            "remainder": made.remainder.ravel(),
        }
    )
    with replacing(folder / REPLICATE_STATUS) as temporary:
        import pyarrow.parquet as pq

        pq.write_table(table, temporary, compression="zstd")


def read_replicates(folder: Path, problem: Problem) -> Replicates | None:
    """Read what `write_replicates` wrote; None where the run has no replicates.

    Raises InputError (`unreadable-file`; `input-changed` where the zones are not those of the problem).
    """
    import pyarrow.parquet as pq

    if not (folder / REPLICATES).exists():
        return None
    zones = problem.zones.astype(str)
    rows = []
    with opened(folder / REPLICATES, read_dictionary=["zone"]) as file:
        facts = json.loads((file.metadata.metadata or {}).get(_FACTS, b"{}"))
        numbers = facts.get("numbers", [])
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=["zone", "profile", "replicate", "n"], use_threads=False).combine_chunks()
            rows.append(_rows(table, zones, problem, folder))
    status = pq.read_table(folder / REPLICATE_STATUS)
    if len(rows) != len(numbers) or status.num_rows != len(numbers) * len(zones):
        message = f"{folder / REPLICATES} does not hold the replicates that it names."
        raise InputError([finding("unreadable-file", message, place=str(folder / REPLICATES))])
    codes = {s.name: int(s) for s in FitStatus}
    fit = np.array([codes[name] for name in status["fit"].to_pylist()], np.int8).reshape(len(numbers), len(zones))
    remainder = status["remainder"].to_numpy().astype(np.float32).reshape(len(numbers), len(zones))
    indptr, profile, count = zip(*rows, strict=True) if rows else ((), (), ())
    return Replicates(np.array(numbers, np.int64), tuple(facts["sources"]), indptr, profile, count, fit, remainder)


def _rows(table, zones, problem: Problem, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sparse rows of one replicate, in the smallest integers that hold them."""
    zone = table["zone"].chunk(0) if table.num_rows else None
    where = np.empty(0, np.int64)
    if zone is not None:
        known = zones.get_indexer(zone.dictionary.to_pylist())
        where = known[zone.indices.to_numpy()]
    profile, n = table["profile"].to_numpy(), table["n"].to_numpy()
    if (where < 0).any() or (np.diff(where) < 0).any() or profile.max(initial=0) >= max(problem.n_profiles, 1):
        message = f"{folder / REPLICATES} holds other zones or profiles than the problem."
        raise InputError([finding("input-changed", message, place=str(folder / REPLICATES))])
    indptr = np.searchsorted(where, np.arange(len(zones) + 1)).astype(np.int64)
    profile = profile.astype(np.uint16 if problem.n_profiles <= 1 << 16 else np.int32)
    count = n.astype(np.uint16 if n.max(initial=0) < 1 << 16 else np.int32)
    for array in (indptr, profile, count):
        array.setflags(write=False)
    return indptr, profile, count
