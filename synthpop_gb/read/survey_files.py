"""Surveys: any file of one row a person, with its weights, ids, value labels and missing codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from synthpop_gb.codebook import AGE_TOP, Category, Universe, Variable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.microdata import Microdata
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._codebooks import atoms_of, category, common_name
from synthpop_gb.read._files import open_sheet, stem_of
from synthpop_gb.read._households import check_household_keys, find_column, join_households
from synthpop_gb.read._labels import does_not_apply
from synthpop_gb.read._universes import universe as parse_universe

__all__ = ["load_records", "survey"]

_MANY_VALUES = 60
"""A column of words with more values than this is no variable of categories."""

_NEGATIVE = {".tab", ".dta", ".sav", ".zsav", ".por"}
"""Formats of the UK Data Service, in which negative codes mean "no answer" or "does not apply"."""


def load_records(path: str | Path) -> tuple[pd.DataFrame, dict[str, dict], list[Finding]]:
    """Read the records of a survey: (frame, value labels by column, findings). Columns of a .tab file are in lower case.

    Raises InputError with 'missing-file', 'unreadable-file' or 'missing-extra'.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in {".dta", ".sav", ".zsav", ".por"}:
        sheet = open_sheet(path)
        sheet.report_broken()
        frame = _to_frame(sheet.table)
        if suffix == ".tab":
            frame.columns = [c.lower() for c in frame.columns]
        return frame, {}, sheet.findings
    if not path.exists():
        raise InputError([finding("missing-file", f"There is no file {path}.", place=str(path))])
    if suffix == ".dta":
        return *_stata(path), []
    return *_spss(path), []


def _to_frame(table: pa.Table) -> pd.DataFrame:
    """Table as a frame: whole numbers stay whole beside blanks, text without outer spaces, blank text missing."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        kind = column.type
        if pa.types.is_dictionary(kind):
            column = column.cast(kind.value_type)
            kind = column.type
        if pa.types.is_integer(kind) and column.null_count:
            columns[name] = pd.Series(pd.array(column.to_pylist(), dtype="Int64"))
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values = column.to_pandas().astype(object)
            stripped = values.map(lambda v: v.strip() if isinstance(v, str) else v)
            columns[name] = stripped.where(stripped != "", None).infer_objects()
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns)


def _stata(path: Path) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Read a Stata file with its value labels, codes left as they are."""
    from pandas.io.stata import StataReader

    try:
        with StataReader(path, convert_categoricals=False) as reader:
            frame = reader.read()
            labels = reader.value_labels()
            names = dict(zip(reader._varlist, reader._lbllist, strict=True)) if hasattr(reader, "_lbllist") else {}
    except Exception as error:  # damage shows wherever the bytes stop making sense
        raise InputError(
            [finding("unreadable-file", f"{path.name} is no Stata file that can be read: {error}.", place=str(path))]
        ) from None
    return _tidy_numbers(frame), {c: labels[n] for c, n in names.items() if n in labels}


def _spss(path: Path) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Read an SPSS file with its value labels, codes left as they are."""
    pyreadstat = _pyreadstat(path)
    try:
        read = pyreadstat.read_por if path.suffix.lower() == ".por" else pyreadstat.read_sav
        frame, meta = read(str(path), apply_value_formats=False, user_missing=True)
    except (pyreadstat.ReadstatError, OSError, ValueError) as error:
        raise InputError(
            [finding("unreadable-file", f"{path.name} is no SPSS file that can be read: {error}.", place=str(path))]
        ) from None
    return _tidy_numbers(frame), dict(meta.variable_value_labels)


def _pyreadstat(path: Path):
    """Return the package that reads SPSS files, or say how to install it."""
    try:
        import pyreadstat
    except ImportError:
        message = f"{path.name} is an SPSS file, which needs the package pyreadstat."
        raise InputError(
            [finding("missing-extra", message, place=str(path), remedy="pip install synthpop_gb[surveys]")]
        ) from None
    return pyreadstat


def _tidy_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Make codes that are stored as floats whole again; missing values stay missing."""
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_float_dtype(values) and not pd.api.types.is_extension_array_dtype(values):
            known = values.dropna()
            if len(known) and np.isfinite(known).all() and (known == np.floor(known)).all() and known.abs().max() < 2**53:
                frame[name] = values.astype("Int64") if values.isna().any() else values.astype("int64")
    return frame


def survey(
    path: str | Path,
    *,
    name: str | None = None,
    variables: Mapping[str, Variable] | None = None,
    id: str | None = None,  # noqa: A002 - as studies call it
    weight: str | None = None,
    strata: str | None = None,
    cluster: str | None = None,
    region: str | None = None,
    household: str | None = None,
    households: str | Path | None = None,
    household_weight: str | None = None,
    communal: str | None = None,
    universe: str | Universe | None = None,
    year: int | None = None,
    licence: str = "restricted",
    missing: Iterable[str] = (),
    wanted: Iterable[str] = (),
) -> Microdata:
    """Read a survey of persons from CSV, Parquet, Stata (.dta), SPSS (.sav) or a UK Data Service .tab file.

    With `household` the survey is one of whole households: people of equal ids live together, the first of them in the file
    is the *reference*, and what describes the household stands on each of them, or in a file of its own.

    Parameters
    ----------
    path : path
        One row a person.
    name : str, optional
        Short name for reports; the file's where absent.
    variables : mapping of name to Variable, optional
        Made with `read.variable`. Categories left out are filled in from value labels, else from the values. Without any,
        columns are recognised by their names and values.
    id : str, optional
        Column of record ids; rows are numbered from 0 where absent.
    weight : str, optional
        Column of design weights.
    strata, cluster : str, optional
        Columns of the design's strata and primary sampling units: replicates then resample clusters within strata.
    region : str, optional
        Column of the part of the country that a record is from, from which intervals learn how outcomes cluster.
    household : str, optional
        Column of household ids.
    households : path, optional
        File of one row a household, with that column too: its columns are repeated on the members.
    household_weight : str, optional
        Column of the household's design weight; the mean of its members' weights where absent.
    communal : str, optional
        Column that is true, or not empty, for residents of communal establishments, who live in no household.
    universe : str or Universe, optional
        Whom the survey covers; usual residents where absent.
    year : int, optional
        Year that the records describe.
    licence : str
        'open' only where records may be copied into outputs.
    missing : iterable of str
        Codes that mean "no answer" in every described column. Negative codes that no category has do so in .tab, .dta and
        .sav files (the UK Data Service's -9 ... -1); there they are no household ids and mark nobody as communal either.
    wanted : iterable of str
        Further variables to recognise by their columns' names and values, where `variables` describes others only.

    Raises
    ------
    InputError
        With every finding: 'missing-file', 'unreadable-file', 'missing-extra', 'missing-column', 'duplicate-record',
        'missing-weight' (words instead of weights), 'universe-unknown', 'unknown-variable' (nothing recognised),
        'study-missing' (households without `household`), 'duplicate-household'. What two files of households and people do not
        share ('unmatched-household', 'column-clash') are warnings.
    """
    path = Path(path)
    records, labels, findings = load_records(path)
    findings += check_household_keys(
        {"household": household, "households": households, "household_weight": household_weight, "communal": communal}, path
    )
    if households is not None:
        records, labels, household_weight = _joined(
            records, labels, household, Path(households), household_weight, path, findings
        )
    special = {"id": id, "weight": weight, "strata": strata, "cluster": cluster, "region": region,
               "household": household, "household_weight": household_weight, "communal": communal}  # fmt: skip
    columns = _find_columns(records, special, variables or {}, path, findings)
    if path.suffix.lower() in _NEGATIVE:
        _blank_negative(records, [columns[c] for c in ("household", "communal") if columns[c] is not None])
    keep = [columns[c] for c in special if c != "id" and columns[c] is not None]
    records = _with_index(records, columns["id"], keep, path, findings)
    if variables:
        used = {n: v.with_column(columns[n]) for n, v in variables.items() if columns.get(n)}
        codes = {str(m) for m in missing}
        for variable in used.values():
            _blank_missing(records, variable, codes, path.suffix.lower() in _NEGATIVE)
        described = {n: _filled(v, records, labels) for n, v in used.items()}
        if further := set(wanted) - set(variables):
            told = _recognised(records, labels, {columns[c] for c in special if c != "region"})
            described |= {n: v for n, v in told.items() if n in further}
    else:
        described = _recognised(records, labels, {columns[c] for c in special if c != "region"})
        if not described:
            message = f"{path.name}: no column could be recognised ({', '.join(map(str, records.columns[:10]))})."
            findings.append(
                finding("unknown-variable", message, place=str(path), remedy="Describe the variables: column and categories.")
            )
    covers = _universe(universe, path, findings)
    if weight is not None or household_weight is None:
        _check_weight(records, columns["weight"], path, findings)
    if columns["household_weight"] is not None:
        _check_weight(records, columns["household_weight"], path, findings)
    refuse(findings)
    return Microdata(
        name or stem_of(path), records, described, covers, columns["weight"], year, licence, InputFile.of(path), tuple(findings),
        columns["strata"], columns["cluster"], columns["region"], columns["household"], columns["household_weight"],
        columns["communal"], None if households is None else InputFile.of(Path(households)),
    )  # fmt: skip


def _joined(
    records: pd.DataFrame, labels: dict[str, dict], household: str | None, other: Path, weight: str | None, path: Path,
    findings: list[Finding],
) -> tuple[pd.DataFrame, dict[str, dict], str | None]:  # fmt: skip
    """Join the file of households: the records, the value labels of both, and what the household's weight is called now."""
    homes, more, said = load_records(other)
    findings += said
    records, names = join_households(records, homes, household, (path, other), findings)
    labels = {**{names[c]: said for c, said in more.items() if c in names}, **labels}
    if weight is None:
        return records, labels, None
    theirs = find_column(homes, weight, other, "household_weight", [])
    return records, labels, names.get(theirs, weight)


def _find_columns(
    records: pd.DataFrame, special: dict[str, str | None], variables: Mapping[str, Variable], path: Path, findings: list[Finding]
) -> dict[str, str | None]:
    """Column of each thing asked for, case apart; a finding for each that is not there."""
    asked = {**{n: v.column or n for n, v in variables.items()}, **special}
    return {
        what: None if wanted is None else find_column(records, wanted, path, what, findings) for what, wanted in asked.items()
    }


def _with_index(records: pd.DataFrame, column: str | None, keep: list[str], path: Path, findings: list[Finding]) -> pd.DataFrame:
    """Index the records by their ids; the column goes, unless it is kept for something else as well."""
    if column is None:
        return records.rename_axis("record")
    index = pd.Index(records[column], name=str(column))
    if index.hasnans:
        n = int(index.isna().sum())
        findings.append(
            finding("duplicate-record", f"{path.name}: {n:,} records have no id in {column!r}.", place=str(path), count=n)
        )
    twice = index[index.duplicated()].dropna().unique()
    if len(twice):
        message = f"{path.name}: {len(twice):,} ids in {column!r} belong to several records (first: {twice[0]})."
        remedy = "Make the ids unique; a household's id repeats on its members, so use the person's."
        rows = pd.DataFrame({column: twice})
        findings.append(finding("duplicate-record", message, place=str(path), count=len(twice), rows=rows, remedy=remedy))
    return records.set_index(index).drop(columns=[] if column in keep else column)


def _blank_missing(records: pd.DataFrame, variable: Variable, codes: set[str], negative: bool) -> None:
    """Blank the codes of a described column that mean "no answer"."""
    values = records[variable.column]
    known = {c.code for c in variable.categories}
    text = values.astype(object).map(lambda v: v if v is None or v is pd.NA or v != v else _code(v))
    gone = text.isin([c for c in codes if c not in known])
    if negative:
        gone |= (pd.to_numeric(values, errors="coerce") < 0).fillna(False).astype(bool) & ~text.isin(list(known))
    if gone.any():
        if pd.api.types.is_integer_dtype(values) and not pd.api.types.is_extension_array_dtype(values):
            records[variable.column] = values.astype("Int64")
        records.loc[gone.to_numpy(), variable.column] = (
            pd.NA if pd.api.types.is_extension_array_dtype(records[variable.column]) else None
        )


def _blank_negative(records: pd.DataFrame, columns: list[str]) -> None:
    """Blank negative codes, else everybody of household -9 would live together, and -8 would mark a communal establishment."""
    for column in columns:
        gone = (pd.to_numeric(records[column], errors="coerce") < 0).fillna(False).to_numpy(bool)
        if gone.any():
            whole = pd.api.types.is_integer_dtype(records[column])
            records[column] = (records[column].astype("Int64") if whole else records[column]).mask(gone)


def _code(value) -> str:
    """Text of a code as codebooks write it: 3 for 3.0."""
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


def _filled(variable: Variable, records: pd.DataFrame, labels: Mapping[str, Mapping]) -> Variable:
    """Return the variable with its categories: as described, else from the file's value labels, else from its values."""
    if any(c.atoms for c in variable.categories):
        return variable
    outside = {c.code for c in variable.categories}
    said = {_code(k): str(v) for k, v in labels.get(variable.column, {}).items()}
    values = records[variable.column].dropna()
    present = sorted(
        {_code(v) for v in pd.unique(values)},
        key=lambda c: (not c.lstrip("-").isdigit(), int(c) if c.lstrip("-").isdigit() else 0, c),
    )
    if (
        not said
        and common_name(variable.name) == "age"
        and present
        and all((c.isdigit() and int(c) <= AGE_TOP) or c.startswith("-") for c in present if c not in outside)
    ):
        present = [str(year) for year in range(AGE_TOP + 1)]  # whole years: every year has a code, met or not
    if common_name(variable.name) == "age" and not said:
        present = [c for c in present if not c.startswith("-")]  # no years, whatever they mean
    made = [category(variable.name, said.get(c, c), c) for c in present if c not in outside]
    known = [Category(c.code, c.label, c.atoms if not does_not_apply(c.label) else frozenset()) for c in made]
    return replace(variable, categories=(*known, *variable.categories))


def _recognised(records: pd.DataFrame, labels: Mapping[str, Mapping], skip: set) -> dict[str, Variable]:
    """Variables told from columns' names and values: common ones, and columns of words with few values."""
    found: dict[str, Variable] = {}
    for column in records.columns:
        if column in skip:
            continue
        slug = "_".join("".join(c if c.isalnum() else " " for c in str(column).casefold()).split())
        called = common_name(str(column))
        values = pd.unique(records[column].dropna())
        said = {_code(k): str(v) for k, v in labels.get(column, {}).items()}
        words = not pd.api.types.is_numeric_dtype(records[column]) or bool(said)
        if not len(values) or (len(values) > _MANY_VALUES and called != "age"):
            continue
        texts = [said.get(_code(v), _code(v)) for v in values]
        if called == "age" and not words:
            texts = [t for t in texts if not t.startswith("-")]  # a code beside the years: found out where records are counted
        resolves = called is not None and all(atoms_of(called, t) is not None for t in texts)
        if not resolves and (not words or called == "age"):
            continue
        filled = _filled(Variable(slug, (), str(column), "", "recognised"), records, labels)
        found[slug] = filled
        if called and called != slug and resolves:
            found.setdefault(called, replace(filled, name=called))
    return found


def _universe(given: str | Universe | None, path: Path, findings: list[Finding]) -> Universe:
    """Whom the survey covers."""
    if isinstance(given, Universe):
        return given
    found = parse_universe(given or "usual residents")
    if found is None:
        message = f"{path.name}: the universe {given!r} names neither persons nor households."
        remedy = "Write it as: usual residents; usual residents aged 16 and over; people aged 16 to 74."
        findings.append(finding("universe-unknown", message, place=str(path), remedy=remedy))
        return Universe("people")
    return found


def _check_weight(records: pd.DataFrame, weight: str | None, path: Path, findings: list[Finding]) -> None:
    """Weights must be numbers; how many are blank, nought or negative is said when survey and tables meet."""
    if weight is None:
        findings.append(finding("no-weight", f"{path.name} is used without design weights.", place=str(path)))
        return
    if not pd.api.types.is_numeric_dtype(records[weight]):
        numbers = pd.to_numeric(records[weight], errors="coerce")
        bad = numbers.isna() & records[weight].notna()
        if bad.any():
            first = records[weight][bad].iloc[0]
            message = f"{path.name}: {int(bad.sum()):,} weights in {weight!r} are not numbers (first: {first!r})."
            findings.append(finding("missing-weight", message, place=str(path), count=int(bad.sum())))
        records[weight] = numbers
