"""How explanations write numbers, cells and lists."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["amount", "between", "cell_words", "listed", "share"]


def amount(value: float, unit: str = "people") -> str:
    """Write a number of people or households; fractions keep one digit.

    >>> amount(1.0), amount(1204.0, "households"), amount(2.25)
    ('1 person', '1,204 households', '2.2 people')
    """
    text = f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"
    return f"{text} {({'people': 'person', 'households': 'household'}[unit]) if text == '1' else unit}"


def between(low: float, high: float) -> str:
    """Write a range of whole numbers.

    >>> between(266.0, 1269.0), between(9.0, 9.0)
    ('266 to 1,269', '9')
    """
    return f"{low:,.0f}" if round(low) == round(high) else f"{low:,.0f} to {high:,.0f}"


def cell_words(table: object, cell: object = "") -> str:
    """Say a cell of a table, or the table alone.

    >>> cell_words("ethnic_group", "other"), cell_words("age x sex")
    ('ethnic group = other', 'age × sex')
    """
    name = str(table).replace("_", " ").replace(" x ", " × ")
    return f"{name} = {str(cell).replace(' x ', ' × ')}" if str(cell) else name


def listed(items: Iterable, limit: int = 4) -> str:
    """Join the first few with commas and 'and'; say how many are left out.

    >>> listed(["a", "b", "c"]), listed("abcdef")
    ('a, b and c', 'a, b, c, d and 2 more')
    """
    items = [str(i) for i in items]
    if len(items) > limit:
        items = [*items[:limit], f"{len(items) - limit:,} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def share(part: float, whole: float) -> str:
    """Write a share in per cent: '0.8 %'.

    >>> share(12, 1500), share(0, 0)
    ('0.8 %', '0.0 %')
    """
    return f"{100 * part / whole if whole else 0.0:.1f} %"
