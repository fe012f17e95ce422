"""Numbers in sentences: what is not known is called so."""

from __future__ import annotations

import math

__all__ = ["percent", "said"]


def said(value: float, form: str = ".3g") -> str:
    """Format a number, or 'unknown'.

    >>> said(0.12345), said(float("nan"))
    ('0.123', 'unknown')
    """
    return "unknown" if math.isnan(value) else format(float(value), form)


def percent(share: float, form: str = ".0f") -> str:
    """Format a share in per cent, or 'unknown'.

    >>> percent(0.123), percent(float("nan"))
    ('12 %', 'unknown')
    """
    return "unknown" if math.isnan(share) else f"{format(100 * float(share), form)} %"
