"""Checks that options of several methods share, each with one wording. Numbers may be NumPy's; truth values are no numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real

__all__ = ["check_above", "check_choice", "check_whole", "is_number"]

_MOST = 2**62  # kernels count in int64


def is_number(value: object) -> bool:
    """Whether a value is a finite real number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def check_above(name: str, value: object, unit: str = "") -> None:
    """Raise ValueError unless a value is a number above nought."""
    if not (is_number(value) and value > 0):
        raise ValueError(f"{name} is a number{unit and f' of {unit}'} above 0, not {value!r}")


def check_whole(name: str, value: object, least: int) -> None:
    """Raise ValueError unless a value is a whole number and not below the least."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= value < _MOST:
        raise ValueError(f"{name} is a whole number, at least {least}, not {value!r}")


def check_choice(name: str, value: object, choices: Iterable) -> None:
    """Raise ValueError unless a value is one of the choices."""
    choices = tuple(choices)
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")
