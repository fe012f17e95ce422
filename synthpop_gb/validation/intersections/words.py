"""Cells in words: 'relationship = Husband and sex = Female'."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

__all__ = ["cell_words", "combination_words", "group_sentence"]


def _plain(text: str) -> str:
    """Names and labels on one line: a line break inside one would break the tables that they stand in."""
    return re.sub(r"\s+", " ", str(text)).strip()


def cell_words(names: Sequence[str], labels: Sequence[str]) -> str:
    """Say a cell.

    >>> cell_words(["relationship", "sex"], ["Husband", "Female"])
    'relationship = Husband and sex = Female'
    """
    return " and ".join(f"{_plain(n)} = {_plain(v)}" for n, v in zip(names, labels, strict=True))


def combination_words(names: Sequence[str]) -> str:
    """Say a combination of variables.

    >>> combination_words(["relationship", "sex"])
    'relationship x sex'
    """
    return " x ".join(map(_plain, names))


def group_sentence(cell: str, observed: float, expected: float, unit: str = "people") -> str:
    """Say how many people, or households, are in a cell and how many were expected, where both sides have one total.

    >>> group_sentence("sex = Female", 6540, 1)
    'sex = Female: 6,540 people where 1 was expected'
    """
    e = f"{expected:,.0f}" if expected >= 10 or expected == np.rint(expected) else f"{expected:.1f}"
    o = f"{observed:,.0f}"
    one = "person" if unit == "people" else "household"
    return f"{cell}: {o} {one if o == '1' else unit} where {e} {'was' if e == '1' else 'were'} expected"
