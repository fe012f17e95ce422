"""What is wrong with the inputs, said once and for all: findings with stable codes, and the error that carries them all.

Every code stands in `errors.codes` with its usual reason and remedy; the documentation lists them from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthpop_gb.errors.codes import CODES, Meaning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODES", "Finding", "FitWarning", "InputError", "Meaning", "distinct", "finding", "refuse"]


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing found about the inputs or the fit.

    Attributes
    ----------
    code : str
        Stable name of the kind of finding, a key of `CODES`.
    message : str
        What was found, where, and how many, in one sentence.
    place : str
        File, table, column or zone; what a user would open.
    count : int
        How many rows, zones, cells or records are concerned.
    level : str
        'error' (nothing can be computed), 'warning' (computed, look at it) or 'note'.
    why, remedy : str
        Why it matters and what to do.
    rows : pandas.DataFrame or None
        The failing rows themselves, as many as are useful.
    """

    code: str
    message: str
    place: str
    count: int
    level: str
    why: str
    remedy: str
    rows: pd.DataFrame | None = None

    def __str__(self) -> str:
        """Return the finding as people read it: code, what, why, remedy."""
        return f"[{self.code}] {self.message}\n    {self.why} {self.remedy}"

    def to_dict(self, most: int | None = 1000) -> dict:
        """Return plain values for JSON, with at most `most` failing rows; None = all of them."""
        shown = None if self.rows is None else self.rows.iloc[:most]
        rows = [] if shown is None else shown.astype(object).where(shown.notna(), None)
        return {
            "code": self.code, "level": self.level, "message": self.message, "place": self.place, "count": int(self.count),
            "why": self.why, "remedy": self.remedy, "rows": rows if isinstance(rows, list) else rows.to_dict("records"),
        }  # fmt: skip


def finding(
    code: str,
    message: str,
    *,
    place: str = "",
    count: int = 1,
    rows: pd.DataFrame | None = None,
    level: str | None = None,
    why: str | None = None,
    remedy: str | None = None,
) -> Finding:
    """Make a finding of a declared code; level, reason and remedy default to the code's own.

    >>> print(finding("duplicate-zone", "age.csv lists 2 zones more than once (first: E01000001).", place="age.csv", count=2))
    [duplicate-zone] age.csv lists 2 zones more than once (first: E01000001).
        A zone listed twice is counted twice or at random. Keep one row a zone; several areas a zone need a lookup.
    """
    meaning = CODES[code]
    return Finding(code, message, place, count, level or meaning.level, why or meaning.why, remedy or meaning.remedy, rows)


class InputError(ValueError):
    """The inputs cannot be used; `findings` holds everything that was found, errors and the rest.

    >>> raise InputError([finding("no-zones", "No zone has the parent 'Leads'.", place="study.toml")])
    Traceback (most recent call last):
    synthpop_gb.errors.InputError: 1 problem in the inputs
      [no-zones] No zone has the parent 'Leads'.
        The study area is empty. Check the parent's name and the zone codes.
    """

    def __init__(self, findings: Iterable[Finding]):
        self.findings = tuple(findings)
        errors = [f for f in self.findings if f.level == "error"] or self.findings
        head = f"{len(errors)} problem{'s' if len(errors) != 1 else ''} in the inputs"
        super().__init__("\n  ".join([head, *(str(f) for f in errors)]))

    def __reduce__(self):
        return (InputError, (self.findings,))


class FitWarning(UserWarning):
    """The population was made, but some zones do not fit; the same findings at a lower level."""


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings without those that say again what an earlier one says of the same place.

    >>> twice = [finding("empty-cell", "nobody is 99 or over.", place="age") for _ in range(2)]
    >>> len(distinct(twice))
    1
    """
    return tuple({(f.code, f.place, f.message): f for f in findings}.values())


def refuse(findings: Iterable[Finding]) -> None:
    """Raise `InputError` with all findings where at least one of them is an error."""
    findings = tuple(findings)
    if any(f.level == "error" for f in findings):
        raise InputError(findings)
