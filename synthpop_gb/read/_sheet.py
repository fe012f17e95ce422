"""A file opened: named columns, the rows above them, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from synthpop_gb.errors import Finding, InputError, finding

__all__ = ["Sheet", "refuse_file", "stem_of"]

_SUFFIXES = {
    ".csv", ".tsv", ".tab", ".txt", ".gz", ".zip", ".parquet", ".xlsx", ".geo", ".full", ".data", ".bulk", ".dta", ".sav",
}  # fmt: skip


@dataclass
class Sheet:
    """A file opened: `table` has one column a header, in file order; `preamble` holds the rows above the header as text.

    `broken` holds rows with another number of columns than the header: footers, or damage.
    """

    path: Path
    table: pa.Table
    preamble: list[list[str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    member: str = ""
    broken: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """Headers, in file order."""
        return self.table.column_names

    def report_broken(self) -> None:
        """Add a finding about rows that do not fit the header, where there are any."""
        if self.broken:
            message = f"{self.place}: {len(self.broken):,} rows have not the {len(self.columns)} columns of the header"
            message += f" (first: {self.broken[0][:60]!r})."
            self.findings.append(finding("ragged-rows", message, place=self.place, count=len(self.broken)))

    @property
    def place(self) -> str:
        """File name for messages."""
        return f"{self.path.name}:{self.member}" if self.member else self.path.name


def stem_of(path: str | Path) -> str:
    """Return the file's name without its endings: 'census2021-ts002-lsoa' of 'census2021-ts002-lsoa..csv.full.gz'.

    >>> stem_of("a/census2021-ts002-lsoa..csv.full.gz")
    'census2021-ts002-lsoa'
    """
    name = Path(path).name
    while Path(name).suffix.lower() in _SUFFIXES or name.endswith("."):
        name = name.rstrip(".")
        name = name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in _SUFFIXES else name
    return name


def refuse_file(code: str, message: str, path: Path, **more) -> InputError:
    """Return the error of a file that cannot be used."""
    return InputError([finding(code, message, place=str(path), **more)])
