"""What an audit says in sentences: each made from numbers, so that no sentence can say what the numbers do not."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.report.words import counted, number, plain

__all__ = [
    "VERDICTS", "amount", "chance", "cell_count", "group_sentence", "headline", "listed", "per_hundred", "quality",
    "reference_words", "times",
]  # fmt: skip

VERDICTS = {
    "fit": ("✓", "Fit", "ok"),
    "care": ("!", "With care", "warn"),
    "unfit": ("✕", "Not fit", "bad"),
    "unknown": ("?", "Not known", "none"),
}
"""Symbol, word and tone of each verdict; never told by colour alone."""

_UNITS = {"records": ("record", "records"), "people": ("person", "people"), "households": ("household", "households")}


def amount(n: float, unit: str = "records") -> str:
    """Write a count of people or records; nobody is 'no', fractions keep one decimal.

    >>> amount(0), amount(1, "people"), amount(1259, "people"), amount(1.26), amount(0.04), amount(float("nan"))
    ('no record', '1 person', '1,259 people', '1.3 records', 'under 0.1 records', 'an unknown number of records')
    """
    one, many = _UNITS.get(unit, (unit.removesuffix("s"), unit))
    if n is None or not math.isfinite(n):
        return f"an unknown number of {many}"
    if n == 0:
        return f"no {one}"
    if n < 0.05:
        return f"under 0.1 {many}"
    shown = cell_count(n)
    return f"{shown} {one if shown == '1' else many}"


def cell_count(n: float) -> str:
    """Write a count: whole where it is or where it is large, else to one decimal.

    >>> cell_count(259.0), cell_count(1.26), cell_count(1204.4), cell_count(0.01)
    ('259', '1.3', '1,204', 'under 0.1')
    """
    if n is None or not math.isfinite(n):
        return "–"
    if n and abs(n) < 0.05:
        return "under 0.1"
    decimals = 0 if float(n).is_integer() or abs(n) >= 100 or round(n, 1) == round(n) else 1
    return number(float(n), decimals)


def times(ratio: float) -> str:
    """Write a ratio of synthetic to real.

    >>> times(259.0), times(1.34), times(0.0123), times(0), times(float("inf"))
    ('259 times', '1.3 times', '0.012 times', 'none', 'from nothing')
    """
    if ratio is None or math.isnan(ratio):
        return "–"
    if math.isinf(ratio):
        return "from nothing"
    if ratio == 0:
        return "none"
    return f"{number(ratio, 0) if ratio >= 10 else number(ratio, 1) if ratio >= 0.95 else f'{ratio:.2g}'} times"


def chance(p: float) -> str:
    """Write how likely a difference is by chance.

    >>> chance(0.0), chance(0.00002), chance(0.034), chance(float("nan"))
    ('< 0.0001', '< 0.0001', '0.034', '–')
    """
    if p is None or math.isnan(p):
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def per_hundred(share: float, unit: str = "records") -> str:
    """Write a share as so many in a hundred; small shares in a thousand, and so on.

    >>> per_hundred(0.1234), per_hundred(0.0004), per_hundred(0), per_hundred(1, "people"), per_hundred(0.01)
    ('12 of 100 records', '4 of 10,000 records', 'no record', 'all people', '1 of 100 records')
    """
    one, many = _UNITS.get(unit, (unit.removesuffix("s"), unit))
    if share is None or not math.isfinite(share):
        return f"an unknown share of {many}"
    if share <= 1e-12:
        return f"no {one}"
    if share >= 1:
        return f"all {many}"
    for base in (100, 1_000, 10_000, 100_000, 1_000_000):
        n = share * base
        if n >= 0.95:
            shown = number(n, 0 if n >= 9.5 or abs(n - round(n)) < 0.05 else 1)
            if shown == f"{base:,}":
                return f"nearly all {many}"
            return f"{shown} of {base:,} {many}"
    return f"fewer than 1 of 1,000,000 {many}"


def listed(words: Sequence[str], most: int | None = None) -> str:
    """Write a list of words.

    >>> listed(["age"]), listed(["age", "sex"]), listed(["age", "sex", "health"], most=2)
    ('age', 'age and sex', 'age, sex and 1 more')
    """
    words = [str(w) for w in words]
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most:,} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def reference_words(reference: str) -> str:
    """Name a reference inside a sentence.

    >>> reference_words("real"), reference_words("fit by zone"), reference_words("adult.csv"), reference_words("")
    ('the real data', 'the fit by zone', 'adult.csv', 'the real data')
    """
    text = plain(reference).strip()
    if text.lower() in ("", "real", "real data"):
        return "the real data"
    if text.lower().startswith("the ") or "." in text or text[0].isupper():
        return text
    return f"the {text}"


def cell_words(cell: str) -> str:
    """Write a cell for people: names without underscores, values as they are.

    >>> cell_words("marital_status = Married-civ_spouse and native_country = Holland")
    'marital status = Married-civ_spouse and native country = Holland'
    """
    parts = re.split(r"( and (?=[^=]* = ))", plain(cell))
    return "".join(
        p if " = " not in p else " = ".join([p.split(" = ", 1)[0].replace("_", " "), p.split(" = ", 1)[1]]) for p in parts
    )


def short_cell(cell: str) -> str:
    """Write a cell by its values, with the names of those that say nothing by themselves.

    >>> short_cell("relationship = Husband and sex = Female"), short_cell("education_num = 9 and owns_home = yes")
    ('Husband · Female', 'education num 9 · owns home yes')
    """
    out = []
    for part in re.split(r" and (?=[^=]* = )", plain(cell)):
        name, _, value = part.partition(" = ")
        plain_word = len(value) > 3 and value[:1].isalpha() and value.casefold() not in ("true", "false", "other", "none")
        out.append(value if plain_word or not value else f"{name.replace('_', ' ')} {value}")
    return " · ".join(v or cell_words(cell) for v in out)


def score(value: float) -> str:
    """Write a standardised measure: one decimal below a hundred, none above.

    >>> score(2326.04), score(2.34), score(0.0)
    ('2,326', '2.3', '0.0')
    """
    return number(value, 0 if value is not None and abs(value) >= 100 else 1)


def group_sentence(row: dict, unit: str = "records") -> str:
    """Say of one cell who is there and who should be.

    row : kind, cell (in words), expected (at the synthetic data's size), observed; `real`, the reference's own count, and
    `reference`, where they are known.

    >>> group_sentence({"kind": "too many", "cell": "relationship = Husband and sex = Female", "expected": 1, "observed": 259})
    '259 records with relationship = Husband and sex = Female; 1 in the real data.'
    >>> group_sentence({"kind": "missing", "cell": "country = Holland", "expected": 41.0, "observed": 0.0}, "people")
    'No person with country = Holland; 41 in the real data.'
    """
    where, cell = reference_words(row.get("reference", "")), cell_words(row["cell"])
    observed, expected, real = float(row["observed"]), float(row["expected"]), row.get("real")
    real = None if real is None or pd.isna(real) else float(real)
    known = expected if real is None else real
    first = f"{amount(observed, unit)} with {cell}"
    first = first[0].upper() + first[1:]
    if row["kind"] == "impossible":
        said = "a combination declared impossible"
        return f"{first}; {said}" + (
            "." if known == 0 else f", though {where} {'has' if where != 'the real data' else 'have'} {cell_count(known)}."
        )
    if known == 0:
        return f"{first}; none in {where}."
    if real is not None and not math.isclose(real, expected, rel_tol=0.005, abs_tol=0.05):
        return f"{first}; {cell_count(real)} in {where}, worth {cell_count(expected)} at the synthetic data’s size."
    if not float(known).is_integer() and real is None:
        return f"{first}; {cell_count(known)} expected from {where}."
    return f"{first}; {cell_count(known)} in {where}."


def headline(verdicts: Sequence[str]) -> tuple[str, str]:
    """Say in one sentence for how many uses the data fit; returns (tone, sentence).

    >>> headline(["fit", "fit"]), headline(["fit", "unfit", "care"])
    (('ok', 'Fit for both uses that were judged.'), ('bad', 'Not fit for 1 of 3 uses; with care for 1; fit for 1.'))
    >>> headline(["unknown"]), headline([])
    (('warn', 'Not known for the one use that was judged.'), ('warn', 'No use was judged.'))
    """
    n = {v: sum(w == v for w in verdicts) for v in VERDICTS}
    total = len(verdicts)
    if not total:
        return "warn", "No use was judged."
    tone = "bad" if n["unfit"] else "warn" if n["care"] or n["unknown"] else "ok"
    some = [v for v in ("unfit", "care", "unknown", "fit") if n[v]]
    if len(some) == 1:
        all_of = {1: "the one use that was", 2: "both uses that were"}.get(total, f"all {total:,} uses that were")
        return tone, f"{VERDICTS[some[0]][1]} for {all_of} judged."
    first, *rest = (f"{VERDICTS[v][1].lower()} for {n[v]:,}" for v in some)
    return tone, "; ".join([f"{first[0].upper()}{first[1:]} of {counted(total, 'use')}", *rest]) + "."


def quality(s_pmse: float) -> str:
    """Word for a standardised pMSE: rules of thumb of Raab, Nowok & Dibben (2021), below 3 good, below 10 acceptable.

    >>> quality(1.2), quality(3), quality(10), quality(float("nan"))
    ('good', 'acceptable', 'poor', 'not known')
    """
    if s_pmse is None or np.isnan(s_pmse):
        return "not known"
    return "good" if s_pmse < 3 else "acceptable" if s_pmse < 10 else "poor"
