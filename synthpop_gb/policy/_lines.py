"""Poverty lines: a share of the median of the projected people, of the baseline or moving with the reform, or an amount."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PovertyLine", "poverty_line"]


@dataclass(frozen=True)
class PovertyLine:
    """Below what somebody is poor.

    Attributes
    ----------
    share : float
        Of the median: 0.6, as *Households Below Average Income* and Eurostat have it.
    of : str
        Whose median: 'all' for the whole study area, or a parent level ('region'), each zone then having its parent's line.
        Everybody counts, whoever is asked about.
    moving : bool
        Whether a reform has the line of its own median. False = the baseline's, so that a change is of incomes alone.
    amount : float, optional
        An absolute line in the outcome's unit; the others then mean nothing.

    Raises
    ------
    ValueError
        For a share that is not above nought, or an amount that is no number.
    """

    share: float = 0.6
    of: str = "all"
    moving: bool = False
    amount: float | None = None

    def __post_init__(self):
        if not (math.isfinite(self.share) and self.share > 0):
            raise ValueError(f"a poverty line is a share of the median above 0, not {self.share}")
        if self.amount is not None and not math.isfinite(self.amount):
            raise ValueError(f"a poverty line is a number, not {self.amount}")

    def __str__(self) -> str:
        """Return it in words.

        >>> print(PovertyLine()), print(PovertyLine(amount=12000.0))
        below 60 % of the median of all, of the baseline
        below 12,000
        (None, None)
        """
        if self.amount is not None:
            return f"below {self.amount:,g}"
        whose = "the median of all" if self.of == "all" else f"the median of its {self.of}"
        return f"below {100 * self.share:g} % of {whose}, of {'each scenario' if self.moving else 'the baseline'}"


def poverty_line(line: PovertyLine | float | Mapping[str, Any]) -> PovertyLine:
    """Take a line as it is, a share of the median, or a mapping of its fields.

    >>> poverty_line(0.5).share, poverty_line({"amount": 9000}).amount
    (0.5, 9000)
    """
    if isinstance(line, PovertyLine):
        return line
    if isinstance(line, Mapping):
        try:
            return PovertyLine(**line)
        except TypeError as error:
            raise ValueError(f"a poverty line has share, of, moving and amount: {error}") from None
    return PovertyLine(float(line))
