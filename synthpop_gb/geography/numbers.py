"""How a number is written for people: one writer for legends, pages and styles."""

from __future__ import annotations

import numpy as np

__all__ = ["number"]


def number(value: float, decimals: int = 0) -> str:
    """Write a number for people: thousands separated, a true minus sign, no '-0', a dash where there is none.

    >>> number(1234567.891, 1), number(-0.04, 1), number(-2.5, 1), number(float("nan"))
    ('1,234,567.9', '0.0', '−2.5', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if not any(d in "123456789" for d in text) else f"−{text[1:]}"
    return text
