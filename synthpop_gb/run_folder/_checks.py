"""The folders `validation/` and `audit/`: every table of checks as Parquet, headline and findings as JSON."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.checks import Checks, without_records
from synthpop_gb.errors import Finding
from synthpop_gb.run_folder._files import AUDIT, CHECKS, read_json, write_json

__all__ = ["AUDIT", "checks_there", "read_checks", "write_checks"]

_SUMMARY = "checks.json"


def write_checks(checks: Checks, folder: str | Path, *, licence: str | None = None, under: str = CHECKS) -> Path:
    """Write `validation/<table>.parquet` for every table, headline and findings as `validation/checks.json`; returns the folder.

    Tables of earlier checks go. Findings name records only where `licence`, the survey's, is 'open'. `under`: name of the
    folder: 'validation', or 'audit'. Raises InputError (`output-locked`).
    """
    place = Path(folder) / under
    for name, table in checks.tables.items():
        with replacing(place / f"{name}.parquet") as temporary:
            table.to_parquet(temporary, compression="zstd")
    for path in place.glob("*.parquet"):
        if path.stem not in checks.tables and not path.name.startswith("."):
            path.unlink()
    summary = {
        "headline": dict(checks.headline),
        "tables": list(checks.tables),
        "findings": [(f if licence == "open" else without_records(f)).to_dict() for f in checks.findings],
    }
    write_json(place / _SUMMARY, summary)
    return place


def checks_there(folder: str | Path, under: str = CHECKS) -> Checks | None:
    """Read checks where there are any. Raises InputError (`unreadable-file`)."""
    return read_checks(folder, under) if (Path(folder) / under / _SUMMARY).is_file() else None


def read_checks(folder: str | Path, under: str = CHECKS) -> Checks:
    """Read what `write_checks` wrote. Raises InputError (`missing-file`, `unreadable-file`)."""
    place = Path(folder) / under
    summary = read_json(place / _SUMMARY)
    tables = {name: pd.read_parquet(place / f"{name}.parquet") for name in summary["tables"]}
    findings = tuple(Finding(**{**f, "rows": pd.DataFrame(f["rows"]) if f["rows"] else None}) for f in summary["findings"])
    return Checks(summary["headline"], tables, findings)
