"""Sequential synthesis (fully conditional specification): variables in turn, each drawn given those before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.synthesis._columns import Column, columns_of, number_wanted, stream
from synthpop_gb.synthesis.conditionals import CATEGORY_METHODS, NUMBER_METHODS, Predictor, Settings, draw_conditional

__all__ = ["sequential"]


def sequential(
    real: pd.DataFrame,
    *,
    seed: int,
    method: str | Mapping[object, str] = "cart",
    order: Iterable[object] | None = None,
    n: int | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Make synthetic records variable by variable: f(x1) f(x2 | x1) f(x3 | x1, x2) ...

    First comes the pattern: which values are missing, together with the first variable, both of real records drawn at random with
    replacement. Then each variable in turn is modelled on the real records that have a value, given the variables before it
    and the pattern, and drawn for the synthetic records whose pattern has a value. (Raghunathan, Reiter & Rubin 2003; Reiter
    2005 for trees; the order and the roles are those of R's synthpop, Nowok, Raab & Dibben 2016.)

    Parameters
    ----------
    real : pandas.DataFrame
        Numbers, text, truth values, Categoricals; missing values as NaN.
    seed : int
        Same seed, same records. Each variable has a stream of its own.
    method : str or mapping of variable to str
        'cart': trees, values of real records in the same leaf; 'linear', 'sqrt', 'spline', 'sqrt-spline': normal linear
        regression of the number or its square root, on the numbers before it or on their natural splines; 'logistic';
        'bootstrap': at random. Where a regression of numbers meets a category, it is 'logistic'. A mapping names the variables
        that differ from 'cart'.
    order : iterable, optional
        All variables, in the order in which they are made; that of the frame where absent. What matters most comes early.
    n : int, optional
        How many records; as many as real ones where absent.
    settings : Settings, optional
        Uncertainty of parameters, size of leaves, degrees of freedom of splines.

    Returns
    -------
    pandas.DataFrame
        Columns, order and types of `real`.

    Raises
    ------
    InputError
        'no-records'; 'study-value' for columns that are neither numbers nor categories, unknown methods, square roots of numbers
        below nought, an order that is not one of all variables; 'missing-extra' without scikit-learn (trees, logistic).

    >>> frame = pd.DataFrame({"age": np.arange(50.0), "height": 80 + 2 * np.arange(50.0)})
    >>> made = sequential(frame, seed=1, method="linear")
    >>> bool(np.allclose(made["height"], 80 + 2 * made["age"])), len(made)  # a line without scatter is kept
    (True, 50)
    """
    columns = columns_of(real)
    settings = Settings() if settings is None else settings
    wanted = number_wanted(n, real)
    chosen, turns = _plan(columns, method, order)
    gone = np.stack([np.isnan(c.values) for c in columns], axis=1)
    donor = stream(seed, "pattern").integers(len(real), size=wanted)
    pattern = gone[donor]
    shown = _pattern_predictors(gone, pattern)
    made: dict[int, np.ndarray] = {}
    for turn in turns:
        column, values = columns[turn], np.full(wanted, np.nan)
        at = np.flatnonzero(~pattern[:, turn])
        if not made:
            values = column.values[donor]
        elif len(at):
            used = np.flatnonzero(~gone[:, turn])
            before = [Predictor(columns[b].values, drawn, _labels(columns[b])) for b, drawn in made.items()]
            rng = stream(seed, "variable", column.name)
            values[at] = draw_conditional(chosen[turn], column.values[used], before + shown, used, at, settings, rng)
        made[turn] = values
    return pd.DataFrame({c.name: c.series(made[i]) for i, c in enumerate(columns)})


def _labels(column: Column) -> int:
    return 0 if column.labels is None else len(column.labels)


def _pattern_predictors(gone: np.ndarray, pattern: np.ndarray) -> list[Predictor]:
    """One predictor a distinct column of the pattern that is neither all known nor all missing."""
    varied = np.flatnonzero(gone.any(axis=0) & ~gone.all(axis=0))
    distinct = {gone[:, v].tobytes(): v for v in varied[::-1]}
    return [Predictor(gone[:, v].astype(float), pattern[:, v].astype(float)) for v in sorted(distinct.values())]


def _plan(columns: tuple[Column, ...], method, order) -> tuple[dict[int, str], list[int]]:
    """Settle each variable's method, by position, and the positions in the order in which they are made."""
    names = [c.name for c in columns]
    wrong = []
    asked = method if isinstance(method, Mapping) else dict.fromkeys(names, method)
    if strangers := [str(name) for name in asked if name not in names]:
        wrong.append(finding("study-value", f"Methods are given for unknown variables: {', '.join(strangers)}."))
    turns = list(range(len(names)))
    if order is not None:
        order = list(order)
        if len(order) != len(names) or set(order) != set(names):
            message = f"The order must name each of {', '.join(map(str, names))} once; it names {', '.join(map(str, order))}."
            wrong.append(finding("study-value", message, place="order"))
        else:
            turns = [names.index(name) for name in order]
    chosen = {}
    for at, column in enumerate(columns):
        name = asked.get(column.name, "cart")
        if name not in NUMBER_METHODS + CATEGORY_METHODS or (name == "logistic" and column.labels is None):
            said = ", ".join(NUMBER_METHODS if column.labels is None else CATEGORY_METHODS)
            wrong.append(
                finding("study-value", f"{column.name}: there is no method {name!r}; there are {said}.", place=str(column.name))
            )
        elif name.startswith("sqrt") and column.labels is None and (column.known < 0).any() and at != turns[0]:
            message = f"{column.name} has values below nought, which have no square root."
            wrong.append(finding("study-value", message, place=str(column.name), count=int((column.known < 0).sum())))
        if column.labels is not None:
            name = {"cart": "cart-category", "bootstrap": "bootstrap"}.get(name, "logistic")
        chosen[at] = name
    if wrong:
        raise InputError(wrong)
    return chosen, turns
