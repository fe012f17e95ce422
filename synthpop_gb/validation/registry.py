"""The table of metrics: name to function. A metric registered here appears in the tables of `validate` with no further code."""

from __future__ import annotations

import inspect
from collections.abc import Callable

__all__ = ["METRICS", "register_metric"]

METRICS: dict[str, Callable] = {}
"""Every registered metric by name. Each is `metric(observed, expected, *, weights=None)` with the attributes below."""

_BETTER = ("lower", "higher", "zero")


def register_metric(
    function: Callable | None = None,
    *,
    name: str | None = None,
    better: str = "lower",
    source: str,
    unit: str = "",
    per: str = "table",
):
    """Put a metric into `METRICS`, so that it is computed for every table and printed in every report.

    Parameters
    ----------
    function : callable, optional
        `metric(observed, expected, *, weights=None)` returning a float. Where it also takes `axis` (see `tae`), it is
        computed for every zone and parent too, not only once a table. Without it a decorator is returned.
    name : str, optional
        Column in the tables; the function's own name by default.
    better : str
        'lower', 'higher' or 'zero' (nearest nought is best).
    source : str
        Who defined it: author, year.
    unit : str
        'people', '%' or nothing for a pure number.
    per : str
        'table' for one number a table, 'cell' for one a cell.

    Returns
    -------
    callable
        The function itself, with the attributes name, better, source, unit and per.

    Raises
    ------
    ValueError
        For a name taken by another function, an unknown `better` or `per`, or a function without a `weights` keyword.

    >>> @register_metric(source="this example", unit="people")
    ... def largest_gap(observed, expected, *, weights=None):
    ...     return max(abs(o - e) for o, e in zip(observed, expected))
    >>> METRICS["largest_gap"]([3, 5], [3, 9]), largest_gap.better
    (4, 'lower')
    >>> del METRICS["largest_gap"]
    """
    if function is None:
        return lambda f: register_metric(f, name=name, better=better, source=source, unit=unit, per=per)
    name = name or function.__name__
    if better not in _BETTER:
        raise ValueError(f"better must be one of {', '.join(_BETTER)}, not {better!r}")
    if per not in ("table", "cell"):
        raise ValueError(f"per must be 'table' or 'cell', not {per!r}")
    if "weights" not in inspect.signature(function).parameters:
        raise ValueError(f"the metric {name!r} must take a keyword `weights`, so that every metric is called alike")
    known = METRICS.get(name, function)
    if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):  # a reloaded module is no clash
        raise ValueError(f"a metric named {name!r} is already registered")
    function.name, function.better, function.source, function.unit, function.per = name, better, source, unit, per
    METRICS[name] = function
    return function
