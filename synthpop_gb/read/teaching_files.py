"""The census microdata teaching files of 2011 and 2021 (ONS): recognised by their columns, described by codebooks."""

from __future__ import annotations

from pathlib import Path

from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.microdata import Microdata
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._codebooks import category, codebook_file, common
from synthpop_gb.read._files import open_sheet
from synthpop_gb.read.survey_files import load_records

__all__ = ["census_microdata", "is_census_microdata"]

_BOOKS = ("teaching_2011", "teaching_2021")


def _book(columns) -> str | None:
    """Codebook of the teaching file that has these columns."""
    return next((b for b in _BOOKS if set(codebook_file(b)["file"]["columns"]) <= set(columns)), None)


def is_census_microdata(path: str | Path) -> bool:
    """Whether a file has the columns of a census teaching file; False for any file that cannot be read."""
    try:
        return _book(open_sheet(path).columns) is not None
    except InputError:
        return False


def census_microdata(path: str | Path, *, licence: str = "open", sample: str | None = None) -> Microdata:
    """Read a census microdata teaching file, 2011 or 2021, as the statistical office gives it or as Parquet.

    Parameters
    ----------
    path : path
        CSV (a line of title above the header is passed over) or Parquet file.
    licence : str
        'open': both files are under the Open Government Licence.
    sample : str, optional
        Where a column `sample` says which draw a record comes from: this one only (records of both draws included).

    Returns
    -------
    Microdata
        Every record, short-term residents and students living away included; the variable 'population_base' tells them
        apart, and tables of usual residents use only those. Codes of "no code required" (-9, -8) belong to no category.

    Raises
    ------
    InputError
        'missing-file', 'unreadable-file', 'unknown-layout' (not a teaching file), 'duplicate-record', 'study-value' (sample).
    """
    records, _, findings = load_records(path)
    book = _book(records.columns)
    if book is None:
        message = f"{Path(path).name} has not the columns of a census teaching file."
        remedy = "Read other surveys with their variables described."
        raise InputError([finding("unknown-layout", message, place=str(path), remedy=remedy)])
    about = codebook_file(book)["file"]
    records = records.set_index(about["id"])
    if not records.index.is_unique:
        n = int(records.index.duplicated().sum())
        raise InputError([finding("duplicate-record", f"{Path(path).name}: {n:,} ids stand twice.", place=str(path), count=n)])
    if "sample" in records.columns:
        records = _draw(records, sample, path, findings)
    findings.append(
        finding(
            "no-weight", f"{about['title']}: every record counts alike.", place=str(path), remedy="Nothing: it is a flat sample."
        )
    )
    variables = {
        n: _variable(n, entry, book)
        for n, entry in codebook_file(book).items()
        if n != "file" and entry["column"] in records.columns
    }
    everybody = Universe(about["universe"])
    return Microdata(
        about["name"], records, variables, everybody, None, about["year"], licence, InputFile.of(path), tuple(findings)
    )


def _draw(records, sample: str | None, path: str | Path, findings: list):
    """Return the records of one draw, or all with a note that they are not one random draw."""
    draws = [str(v) for v in records["sample"].dropna().unique()]
    if sample is not None:
        if sample not in draws:
            message = f"{Path(path).name} has no draw {sample!r}: {', '.join(draws)}."
            raise InputError([finding("study-value", message, place=str(path))])
        return records[records["sample"].isin([sample, "both"])]
    if len(draws) > 1:
        shares = records["sample"].value_counts()
        message = f"{Path(path).name} puts {len(draws)} draws together ({', '.join(f'{k} {v:,}' for k, v in shares.items())})."
        findings.append(finding("not-a-random-draw", message, place=str(path), count=len(records)))
    return records


def _variable(name: str, entry: dict, book: str) -> Variable:
    """Variable of a teaching file as its codebook describes it."""
    made = tuple(
        Category(code, "no code required", frozenset()) if meaning == [] else category(name, meaning, code)
        for code, meaning in entry["codes"].items()
    )
    return Variable(name, made, entry["column"], common(name).label, book)
