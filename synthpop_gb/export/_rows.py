"""Files of rows: written chunk by chunk, guarded against spreadsheet formulas, counted again from the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CHUNK", "FORMATS", "Tally", "batches", "check_file", "guarded", "writing"]

CHUNK = 2**20
"""Rows handled at once, and rows of one Parquet row group: about 60 MB with twenty columns of labels."""

FORMATS = (".parquet", ".csv", ".csv.gz")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a cell (OWASP, CSV injection)."""


def guarded(text: str | None) -> str | None:
    """Text that no spreadsheet takes for a formula: a ' in front where it might be one.

    >>> guarded("=1+1"), guarded("white"), guarded("-9")
    ("'=1+1", 'white', "'-9")
    """
    return f"'{text}" if text is not None and text.startswith(_FORMULA) else text


class Tally:
    """Rows by zone, and by whatever else they are counted by, such as donor."""

    def __init__(self):
        self.of: dict[str, dict] = {"zone": {}}

    def add(self, keys, numbers, of: str = "zone") -> None:
        """Add numbers to the tally of a column."""
        into = self.of.setdefault(of, {})
        summed = pd.Series(np.asarray(numbers, np.int64)).groupby(np.asarray(keys)).sum()
        for key, number in zip(summed.index.tolist(), summed.tolist(), strict=True):
            if number:
                into[key] = into.get(key, 0) + number


@contextmanager
def writing(path: Path, kind: str, schema: pa.Schema) -> Iterator[Callable]:
    """Open a file and give a function that writes one more table of rows."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    with ExitStack() as stack:
        if kind == ".parquet":
            # every person id is different: a dictionary of them would be the column twice
            coded = [f.name for f in schema if f.name not in ("person", "household")]
            writer = stack.enter_context(parquet.ParquetWriter(path, schema, compression="zstd", use_dictionary=coded))
            yield lambda table: writer.write_table(table.cast(schema), row_group_size=CHUNK)
            return
        sink = stack.enter_context(pa.OSFile(str(path), "wb"))
        if kind == ".csv.gz":
            sink = stack.enter_context(pa.CompressedOutputStream(sink, "gzip"))
        plain = pa.schema([(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema])
        header = pa.schema([(guarded(f.name), f.type) for f in plain])
        options = csv.WriteOptions(quoting_style="needed")
        writer = stack.enter_context(csv.CSVWriter(sink, header, write_options=options))
        yield lambda table: writer.write_table(pa.table([_plain(c) for c in table.columns], schema=header))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turn a column into what CSV can hold: labels instead of codes, no formulas."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        safe = pa.array([guarded(v) if isinstance(v, str) else v for v in column.dictionary.to_pylist()], column.type.value_type)
        return safe.take(column.indices)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        risky = pc.match_substring_regex(column, r"^[=+\-@\t\r]")
        return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column) if pc.any(risky).as_py() else column
    return column


def check_file(path: Path, kind: str, expected: Tally, *, donor: str | None = "donor", what: str = "people") -> None:
    """Count the rows of a written file by zone and, where it has such a column, donor.

    Raises OSError where they are not those meant. what : what a row is, in words.
    """
    found = Tally()
    names = ("zone", *((donor,) if donor else ()))
    for batch in batches(path, kind, names):
        for name in names:
            counted = batch.column(name).value_counts()
            found.add(counted.field("values").to_numpy(zero_copy_only=False), counted.field("counts").to_numpy(), name)
    tallies = [(found.of.get(n, {}), expected.of.get(n, {})) for n in names]
    if kind == ".parquet":
        same = all(a == b for a, b in tallies)
    else:  # everything is text there, guarded
        same = all(_as_text(b) == _as_text(a, again=False) for a, b in tallies)
    if not same:
        rows, meant = (sum(t.of["zone"].values()) for t in (found, expected))
        raise OSError(f"{path} was not written: it holds {rows:,} {what}, not the {meant:,} meant by zone and donor")


def _as_text(tally: dict, again: bool = True) -> dict:
    """Keys as they stand in a CSV file."""
    return {(guarded(k) if again and isinstance(k, str) else str(k)): n for k, n in tally.items()}


def batches(path: Path, kind: str, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a written file, zone first, a batch at a time; those of CSV files as text."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    if kind == ".parquet":
        with parquet.ParquetFile(path, read_dictionary=["zone"]) as file:
            yield from file.iter_batches(batch_size=CHUNK, columns=list(names))
        return
    with ExitStack() as stack:
        source = stack.enter_context(pa.OSFile(str(path), "rb"))
        if kind == ".csv.gz":
            source = stack.enter_context(pa.CompressedInputStream(source, "gzip"))
        text = dict.fromkeys(names, pa.string())
        options = csv.ConvertOptions(include_columns=list(text), column_types=text, strings_can_be_null=False)
        yield from csv.open_csv(source, convert_options=options)
