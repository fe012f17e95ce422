"""Columns of two files brought to one type each: text and labelled codes to categories, numbers and dates to numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding

__all__ = ["Side", "unify"]

_MANY = 100
"""Text with more different values than this, and in more than a tenth of the records, is free text or an id."""

_NAMES = 0.98
"""Share of records with a value of their own from which a column of text names them."""

_MOST = 2000
"""Text with more different values than this is never a category."""


@dataclass(frozen=True)
class Side:
    """One file as read: frame, value labels by column, name, place for findings, path (None for a frame)."""

    frame: pd.DataFrame
    labels: Mapping[str, Mapping]
    name: str
    place: str
    path: Path | None

    @cached_property
    def _by_key(self) -> dict[str, str]:
        return {_key(c): c for c in reversed(list(self.frame.columns))}

    def named(self, column: str) -> str | None:
        """Return this side's name of a column, case and punctuation apart, or None."""
        return column if column in self.frame.columns else self._by_key.get(_key(column))

    def empty(self) -> list[Finding]:
        """Say where a file has no rows, or two columns of one name."""
        found = []
        if self.frame.empty:
            found.append(finding("empty-side", f"{self.name} has no rows.", place=self.place))
        names = pd.Index([_key(c) for c in self.frame.columns])
        if names.has_duplicates:
            twice = [str(c) for c, again in zip(self.frame.columns, names.duplicated(keep=False), strict=True) if again]
            message = f"{self.name} has columns that cannot be told apart: {', '.join(twice[:6])}."
            found.append(finding("duplicate-column", message, place=self.place, count=len(twice)))
        return found


def _key(column) -> str:
    return re.sub(r"[\W_]+", "", str(column).casefold()) or str(column)


def unify(
    real: Side, synthetic: Side, *, kinds: Mapping[str, str], missing: frozenset[str], skip: Mapping[str, str],
    findings: list[Finding],
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], dict[str, str], list[tuple[str, str]]]:  # fmt: skip
    """Bring both sides to the same columns and types.

    Returns
    -------
    (frames, kinds, left_out)
        Real and synthetic frame (see `Pair`), kind by column, and columns left out with the reason. What happened to values is
        added to `findings`.
    """
    columns, found, left_out = ({}, {}), {}, []
    for name in real.frame.columns:
        other = synthetic.named(name)
        if name in skip:
            left_out.append((str(name), skip[name]))
        elif other is None:
            left_out.append((str(name), f"not in {synthetic.name}"))
        else:
            two = _column(real, name, synthetic, other, kinds.get(name), missing, findings)
            if isinstance(two, str):
                left_out.append((str(name), two))
            else:
                found[str(name)] = "number" if two[0].dtype == np.float64 else "category"
                for side, values in zip(columns, two, strict=True):
                    side[str(name)] = values
    known = {synthetic.named(c) for c in real.frame.columns}
    left_out += [(str(c), f"not in {real.name}") for c in synthetic.frame.columns if c not in known]
    absent = [c for c, why in left_out if why.startswith("not in ")]
    if absent:
        message = f"{len(absent)} columns are in one file only: {', '.join(absent[:8])}{' ...' * (len(absent) > 8)}."
        rows = pd.DataFrame([(c, w) for c, w in left_out if c in absent], columns=["column", "reason"])
        findings.append(finding("columns-differ", message, place=synthetic.place, count=len(absent), rows=rows))
    frames = (pd.DataFrame(columns[0], index=real.frame.index), pd.DataFrame(columns[1], index=synthetic.frame.index))
    return frames, found, left_out


def _column(real: Side, name: str, synthetic: Side, other: str, kind: str | None, missing: frozenset[str], findings):
    """Both sides of one column: two Series of one type, or the reason why it is left out."""
    sides = [_plain(real.frame[name], missing), _plain(synthetic.frame[other], missing)]
    said = {**_text_keys(synthetic.labels.get(other, {})), **_text_keys(real.labels.get(name, {}))}
    if sides[0].notna().sum() == 0:
        return f"no value in {real.name}"
    if sides[1].notna().sum() == 0:
        findings.append(
            finding("all-missing", f"{name!r} has no value in {synthetic.name}.", place=synthetic.place, count=len(sides[1]))
        )
        return f"no value in {synthetic.name}"
    numeric = [pd.api.types.is_numeric_dtype(s) for s in sides]
    if kind is None:
        kind = "number" if numeric[0] and not said else "category"
    if kind == "number":
        two = [s if n else _parsed(s) for s, n in zip(sides, numeric, strict=True)]
        for side, before, after in zip((real, synthetic), sides, two, strict=True):
            bad = before.notna() & after.isna()
            if bad.any():
                first = str(before[bad].iloc[0])[:40]
                message = f"{name!r} of {side.name}: {int(bad.sum()):,} values are no numbers (first: {first!r})."
                findings.append(finding("types-differ", message, place=side.place, count=int(bad.sum())))
        if any(s.notna().sum() == 0 for s in two):
            return f"numbers in {real.name}, text in {synthetic.name}"
        two = [s.astype("Float64").to_numpy(np.float64, na_value=np.nan) for s in two]
        for side, values in zip((real, synthetic), two, strict=True):
            if n := int(np.isinf(values).sum()):
                message = f"{name!r} of {side.name}: {n:,} values are infinite, and count as missing."
                findings.append(finding("types-differ", message, place=side.place, count=n))
        two = [_finite(values, s.index) for values, s in zip(two, sides, strict=True)]
        if any(s.notna().sum() == 0 for s in two):
            return "no finite number on one side"
        return "an id: another number in every record" if _is_id(name, sides[0], two[0]) else tuple(two)
    texts = [_labelled(s, said) for s in sides]
    texts = [t.where(~t.isin(missing), None) for t in texts]  # a mark may stand behind a value label, too
    many = texts[0].nunique()
    if many > _MOST or (many > _MANY and many * 10 > len(texts[0])):
        _copied(real, name, synthetic, texts, findings)
        return f"free text or an id: {many:,} different values in {len(texts[0]):,} records"
    if not set(texts[0].dropna()) & set(texts[1].dropna()):
        first = [str(t.dropna().iloc[0])[:30] if t.notna().any() else "nothing" for t in texts]
        message = (
            f"{name!r}: no value of {synthetic.name} ({first[1]!r} ...) is in {real.name} ({first[0]!r} ...): are these codes?"
        )
        findings.append(finding("no-common-values", message, place=synthetic.place, count=len(texts[1])))
        return f"no value in common with {synthetic.name}"
    order = list(dict.fromkeys([*_ordered(sides[0], texts[0], said), *sorted(texts[1].dropna().unique())]))
    return tuple(pd.Series(pd.Categorical(t, categories=order), index=t.index) for t in texts)


def _copied(real: Side, name: str, synthetic: Side, texts: list[pd.Series], findings: list[Finding]) -> None:
    """Say where names or ids of real records, which nothing else looks at, stand in the synthetic file."""
    known = texts[1].dropna()
    n = int(known.isin(set(texts[0].dropna())).sum())
    if n:
        share = 100 * n / len(known)
        message = (
            f"{name!r}: {n:,} of {len(known):,} values of {synthetic.name} ({share:.3g} %) are those of records of {real.name}."
        )
        names_them = texts[0].nunique() >= _NAMES * max(int(texts[0].notna().sum()), 1)  # a town or a ticket is shared
        level = "warning" if names_them else "note"
        findings.append(finding("identifiers-copied", message, place=synthetic.place, count=n, level=level))


def _plain(values: pd.Series, missing: frozenset[str]) -> pd.Series:
    """Values without types of their own: dates as days, truth values and categories as text; marks of missing values blanked."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype if values.cat.categories.dtype != object else object)
    if pd.api.types.is_complex_dtype(values):
        values = values.astype(str)
    if pd.api.types.is_datetime64_any_dtype(values):
        return (values - pd.Timestamp("1970-01-01", tz=values.dt.tz)).dt.total_seconds() / 86400
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "yes", False: "no"}).astype(object)
    if pd.api.types.is_numeric_dtype(values):
        return values
    text = values.astype(object).map(lambda v: v.strip() if isinstance(v, str) else v)
    gone = text.isna() | text.map(lambda v: isinstance(v, str) and (v == "" or v in missing))
    return text.where(~gone, None)


def _text_keys(labels: Mapping) -> dict[str, str]:
    return {_code(k): str(v) for k, v in labels.items()}


def _code(value) -> str:
    """Text of a value: 3 for 3.0, so that codes read as numbers on one side and text on the other are the same."""
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


def _labelled(values: pd.Series, said: Mapping[str, str]) -> pd.Series:
    codes = values.astype(object).map(_code, na_action="ignore")
    return codes.map(lambda c: said.get(c, c), na_action="ignore").where(values.notna(), None).astype(object)


def _ordered(values: pd.Series, texts: pd.Series, said: Mapping[str, str]) -> list[str]:
    """Categories of the real side in an order that people expect: of codes and numbers rising, else alphabetical."""
    met = set(texts.dropna().unique())
    if said:
        keys = sorted(said, key=lambda c: (not c.lstrip("-").isdigit(), int(c) if c.lstrip("-").isdigit() else 0, c))
        first = [said[k] for k in keys if said[k] in met]
        return [*dict.fromkeys(first), *sorted(met - set(first))]
    if pd.api.types.is_numeric_dtype(values):
        return [_code(v) for v in sorted(values.dropna().unique())]
    return sorted(met)


def _parsed(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce")


def _finite(values: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(np.where(np.isfinite(values), values, np.nan), index=index, dtype=np.float64)


def _is_id(name: str, values: pd.Series, numbers: pd.Series) -> bool:
    """Whether whole numbers name records: each once, and either in a row from the first to the last or called an id."""
    known = numbers.dropna()
    if len(known) < 30 or known.nunique() < len(known) or not (known == np.floor(known)).all():
        return False
    in_a_row = known.max() - known.min() == len(known) - 1
    return in_a_row or bool(re.search(r"(^|[_\W])(id|pid|pidp|hid|hidp|serial|index|record)$", str(name).casefold()))
