"""Rows into one file, or into a folder partitioned by area; read back, and under their name only when all went well."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._person_rows import PersonRows
from synthpop_gb.export._rows import Tally, writing
from synthpop_gb.population import DonorCounts

__all__ = ["write_rows"]

_LEAST_ZONES = 20
"""Zones that an area of the partitioned folder has on average at least: local authorities rather than thousands of tiny files."""


def write_rows(rows: PersonRows, aligned: Aligned, path: Path, kind: str, partition: str | None) -> Path:
    """Write people or households to a file, or without a `kind` a folder; what is there is replaced when the new one is whole.

    Raises InputError (`study-reference` for a level that there is not, `output-locked`); OSError where what was read back is not
    what was meant.
    """
    level = None if kind else _level(aligned, partition)
    with replacing(path) as temporary:
        if kind:
            _write_file(rows, rows.everybody(), temporary, kind)
        else:
            _write_folder(rows, temporary, level)
    return path


def _write_file(rows: PersonRows, blocks: Iterable[DonorCounts], path: Path, kind: str, drop: str | None = None) -> None:
    """Write one file and check it. `drop` is the column that the folder's name says."""
    schema = rows.schema()
    if drop:
        schema = schema.remove(schema.get_field_index(drop))
    expected = Tally()
    with writing(path, kind, schema) as write:
        for block in blocks:
            rows.tally(block, expected)
            for table in rows.tables(rows.in_order(block)):
                write(table.drop_columns([drop]) if drop else table)
    rows.check(path, kind, expected)


def _level(aligned: Aligned, partition: str | None) -> str | None:
    """Parent level that a folder is partitioned by; None where zones nest in nothing."""
    parents = aligned.geography.parents
    if partition is not None and partition not in parents:
        message = f"Zones do not nest in {partition!r}; there are: {', '.join(parents) or 'no areas'}."
        raise InputError([finding("study-reference", message, place="partition")])
    places = aligned.geography.zones
    covering = aligned.geography.covering
    wide = [p for p in covering if len(places) >= _LEAST_ZONES * places[p].nunique()]
    return partition or (wide or list(covering[-1:]) or [None])[0]


def _write_folder(rows: PersonRows, folder: Path, level: str | None) -> None:
    """One file an area, `<level>=<code>/people.parquet`, as DuckDB, Arrow and R read it."""
    from urllib.parse import quote

    folder.mkdir(exist_ok=True)
    if level is None:
        _write_file(rows, rows.everybody(), folder / rows.file, ".parquet")
        return
    code, areas = pd.factorize(rows.areas[level].astype("string").fillna("__HIVE_DEFAULT_PARTITION__"))
    for k, blocks in rows.by_area(code):
        place = folder / f"{level}={quote(str(areas[k]), safe='')}"
        place.mkdir()
        drop = f"{level}_area" if level in rows.own else level
        _write_file(rows, blocks, place / rows.file, ".parquet", drop=drop)
