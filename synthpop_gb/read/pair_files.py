"""Pairs: a real and a synthetic file, or two frames, brought to the same variables, or every reason why they cannot be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.pair import Pair, PairVariable
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._codebooks import common_name
from synthpop_gb.read._pair_columns import Side, unify
from synthpop_gb.read.survey_files import load_records

__all__ = ["MISSING_MARKS", "pair"]

MISSING_MARKS = ("?", "NA", "N/A", "#N/A", "NaN", "nan", "<NA>", "None", "NULL", ".")
"""Texts that mean "no value" in either file, unless `missing` says otherwise."""

_PROTECTED = ("sex", "age", "ethnic_group", "disability", "health", "religion", "legal_partnership")
_ALSO = {"race": "ethnic_group", "ethnicity": "ethnic_group", "gender": "sex", "marital": "legal_partnership"}
_FEW = 30


def pair(
    real: str | Path | pd.DataFrame,
    synthetic: str | Path | pd.DataFrame,
    *,
    keys: Iterable[str] = (),
    target: str | None = None,
    protected: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    weight: str | None = None,
    kinds: Mapping[str, str] | None = None,
    missing: Iterable[str] = MISSING_MARKS,
    cloned: bool | None = None,
    names: tuple[str, str] | None = None,
) -> Pair:
    """Read real and synthetic records of the same variables, to be audited.

    Columns are matched by name, case and punctuation apart. Text is a category; numbers are numbers, unless they carry value
    labels (Stata, SPSS), are a target of two values, or `kinds` says otherwise; dates are days since 1970. Columns that name
    nearly every record (ids, free text), that one side lacks, that are empty or have no value in common are left out, each with
    its reason in `Pair.left_out`.

    Parameters
    ----------
    real, synthetic : path or pandas.DataFrame
        CSV (any delimiter), Parquet, Stata (.dta), SPSS (.sav) or .tab file, one row a record; or a frame.
    keys : iterable of str
        Columns that an intruder may know.
    target : str, optional
        Column to be predicted, and to be learnt by an intruder.
    protected : iterable of str, optional
        Columns whose groups must not be wronged; by default those recognised as sex, age, ethnic group, disability, health,
        religion or marital status.
    exclude : iterable of str
        Columns to leave out, such as ids.
    weight : str, optional
        Column of design weights, in the real file and, where it is there, in the synthetic one.
    kinds : mapping of str to str, optional
        'category' or 'number' by column, where the file does not say it right.
    missing : iterable of str
        Texts that mean "no value".
    cloned : bool, optional
        The synthetic records are copies of the real ones. Told from the records where absent: every one has its like.
    names : (str, str), optional
        What to call the sides; the files' names where absent.

    Returns
    -------
    Pair

    Raises
    ------
    InputError
        With every finding: 'missing-file', 'unreadable-file', 'missing-extra', 'empty-side' (no rows), 'no-common-columns',
        'missing-column' (a key, target ... that is not there), 'duplicate-column', 'missing-weight', 'negative-weight'.

    Examples
    --------
    >>> real = pd.DataFrame({"sex": ["f", "m"] * 40, "Age": [i % 40 for i in range(80)]})
    >>> made = pair(real, real.sample(frac=1, random_state=1), target="sex")
    >>> made, [(v.name, v.kind, v.concept) for v in made.variables]
    (Pair: 80 real and 80 synthetic records of 2 variables; target sex, [('sex', 'category', 'sex'), ('Age', 'number', 'age')])
    """
    findings: list[Finding] = []
    sides = [
        _open(source, name, findings) for source, name in zip((real, synthetic), names or ("real", "synthetic"), strict=True)
    ]
    refuse(findings)
    for side in sides:
        findings.extend(side.empty())
    refuse(findings)
    wanted = {"keys": tuple(keys), "protected": tuple(protected or ()), "target": (target,) if target else ()}
    asked = {"exclude": tuple(exclude), "kinds": tuple(kinds or {}), "weight": (weight,) if weight else (), **wanted}
    found = {role: tuple(_find(c, sides[0], role, findings) for c in columns) for role, columns in asked.items()}
    weights = [_weights(side, found["weight"], findings) for side in sides]
    refuse(findings)
    said = dict(zip(found["kinds"], (kinds or {}).values(), strict=True))
    for column in found["target"]:  # an outcome of two numbers is one of two answers: survived, 0 or 1
        if pd.api.types.is_numeric_dtype(sides[0].frame[column]) and sides[0].frame[column].nunique() <= 2:
            said.setdefault(column, "category")
    frames, kinds_found, left_out = unify(
        *sides, kinds=said, missing=frozenset(missing), skip=dict.fromkeys(found["exclude"], "left out as asked")
        | dict.fromkeys(found["weight"], "design weight"), findings=findings,
    )  # fmt: skip
    if not kinds_found:
        message = f"{sides[0].name} and {sides[1].name} have no column in common that can be compared."
        findings.append(finding("no-common-columns", message, place=sides[1].place, count=len(left_out)))
    reasons = dict(left_out)
    for role in wanted:
        for column in found[role]:
            if column in reasons:
                message = f"{column!r} cannot be among the {role}: {reasons[column]}."
                findings.append(finding("missing-column", message, place=sides[0].place))
    refuse(findings)
    variables = tuple(
        PairVariable(name, kind, _concept(name), kind == "number" and _whole(frames[0][name]))
        for name, kind in kinds_found.items()
    )
    chosen = found["protected"] if protected is not None else tuple(v.name for v in variables if v.concept in _PROTECTED)
    findings.extend(_few(sides))
    if cloned is None:
        cloned = False
        if _all_alike(*frames):
            message = f"Every record of {sides[1].name} has its like in {sides[0].name} on all {len(variables)} variables."
            findings.append(finding("looks-cloned", message, place=sides[1].place, count=len(frames[1])))
    return Pair(
        *frames, variables, *weights, keys=found["keys"], target=found["target"][0] if target else None, protected=chosen,
        cloned=bool(cloned), real_name=sides[0].name, synthetic_name=sides[1].name, findings=tuple(findings),
        files=tuple(InputFile.of(s.path) for s in sides if s.path is not None), left_out=tuple(left_out),
    )  # fmt: skip


def _open(source, name: str, findings: list[Finding]) -> Side:
    """One side's records with their value labels; what cannot be opened is a finding."""
    if isinstance(source, pd.DataFrame):
        return Side(source.reset_index(drop=True), {}, name, name, None)
    path = Path(source)
    try:
        frame, labels, found = load_records(path)
    except InputError as error:
        findings.extend(error.findings)
        return Side(pd.DataFrame(), {}, path.name, str(path), path)
    findings.extend(found)
    return Side(frame.reset_index(drop=True), labels, path.name if name in ("real", "synthetic") else name, str(path), path)


def _find(column: str, side: Side, role: str, findings: list[Finding]) -> str:
    """Name of a column of the real side, case and punctuation apart; a finding where there is none."""
    name = side.named(column)
    if name is None:
        near = difflib.get_close_matches(str(column), [str(c) for c in side.frame.columns], n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(map(str, side.frame.columns[:12]))}."
        findings.append(finding("missing-column", f"{side.name} has no column {column!r} ({role}).{hint}", place=side.place))
    return name or column


def _weights(side: Side, column: tuple[str, ...], findings: list[Finding]) -> np.ndarray | None:
    """Design weights of one side as numbers."""
    name = side.named(column[0]) if column else None
    if name is None:
        return None
    numbers = pd.to_numeric(side.frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    for code, bad, word in (
        ("missing-weight", ~np.isfinite(numbers), "are not numbers"),
        ("negative-weight", numbers < 0, "are negative"),
    ):
        if bad.any():
            message = f"{side.name}: {int(bad.sum()):,} weights in {name!r} {word} (first in row {int(np.argmax(bad)) + 1:,})."
            findings.append(finding(code, message, place=side.place, count=int(bad.sum())))
    return numbers


def _concept(name: str) -> str:
    key = name.casefold().replace("-", "_").replace(" ", "_")
    return common_name(name) or _ALSO.get(key, "")


def _whole(values: pd.Series) -> bool:
    known = values.dropna()
    return bool(len(known)) and bool((known == np.floor(known)).all())


def _few(sides: list[Side]) -> list[Finding]:
    """Say where a side is too small for most comparisons."""
    return [
        finding("few-rows", f"{s.name} has {len(s.frame):,} row{'s' * (len(s.frame) != 1)}.", place=s.place, count=len(s.frame))
        for s in sides
        if len(s.frame) < _FEW
    ]


def _all_alike(real: pd.DataFrame, synthetic: pd.DataFrame) -> bool:
    """Whether every synthetic record equals some real one on all of many variables; on few that says nothing."""
    if real.shape[1] < 6:
        return False
    keys = [
        pd.util.hash_pandas_object(f.astype(object).where(f.notna(), None).astype(str), index=False) for f in (real, synthetic)
    ]
    return bool(keys[1].isin(set(keys[0])).all())
