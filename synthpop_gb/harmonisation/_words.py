"""Words that several findings share: short lists, nearest names, plural people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["article", "listed", "nearest", "number"]


def article(name: str) -> str:
    """Return 'a' or 'an', as the name needs.

    >>> article("age"), article("sex")
    ('an', 'a')
    """
    return "an" if name[:1].lower() in "aeio" else "a"


def listed(items: Iterable, limit: int = 3) -> str:
    """Return the first few items, and how many there are in all where some are left out.

    >>> listed(["E01", "E02", "E03", "E04", "E05"])
    'E01, E02, E03 ... (5 in all)'
    """
    items = [str(i) for i in items]
    return ", ".join(items) if len(items) <= limit else f"{', '.join(items[:limit])} ... ({len(items):,} in all)"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ' Did you mean ...?' with the closest of `names`, else the names there are.

    >>> nearest("Leads", ["Leeds", "York"])
    " Did you mean 'Leeds'?"
    """
    names = list(dict.fromkeys(str(n) for n in names))
    lower = {n.lower(): n for n in reversed(names)}
    close = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.6)
    if close:
        return f" Did you mean {lower[close[0]]!r}?"
    return f" There are: {listed(names, 8)}." if names else ""


def number(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: '1 zone', '1,204 zones'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
