"""A policy model that sees donors with shifted columns: the survey's answers changed on a copy, scenario by scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators import parse_condition
from synthpop_gb.policy import Donors, PolicyModel, as_model
from synthpop_gb.policy._model import model_name
from synthpop_gb.simulation.steps import Shift

__all__ = ["SHIFTED", "Shifted", "shifted"]

SHIFTED = "donors shifted by"
"""Parameter by which a reform names the shifts that its donors are under."""


def shifted(donors: Donors, shifts: Sequence[Shift]) -> Donors:
    """Shift columns of donors, in order; households likewise, by what is known of them and of their reference.

    Parameters
    ----------
    donors : Donors
        As `policy.donors_of` lays them out. They stay as they are: what is returned are copies.
    shifts : sequence of Shift
        What is changed of whom. Those of whom it is not known whether they meet the condition are left alone, and so are
        values that are missing.

    Raises
    ------
    InputError
        `bad-condition` for a column that there is none of or that holds no numbers, and for conditions that mean nothing.

    >>> donors = Donors({"age": [30, 70], "income": [100.0, 80.0]})
    >>> shifted(donors, [Shift("income", where="age >= 65", factor=1.1)])["income"].tolist()
    [100.0, 88.0]
    """
    problems = [f for shift in shifts for f in _problems(shift, donors)]
    if problems:
        raise InputError(problems)
    out = Donors(_changed(pd.DataFrame(donors), shifts))
    homes = donors.households
    out.households = None if homes is None else _changed(homes, shifts)
    return out


def _problems(shift: Shift, donors: Donors) -> list:
    if shift.column not in donors.columns:
        import difflib

        near = difflib.get_close_matches(shift.column, list(map(str, donors.columns)), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        message = f"no column of donors is called {shift.column!r}.{hint}"
        return [finding("bad-condition", message, place="population", remedy="Name a column of numbers.")]
    values = donors[shift.column]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        message = f"{shift.column} holds no numbers, so it cannot be shifted."
        return [finding("bad-condition", message, place="population", remedy="Name a column of numbers.")]
    try:
        if shift.where is not None:
            parse_condition(shift.where).matches(pd.DataFrame(donors))
    except InputError as error:
        return list(error.findings)
    return []


def _changed(frame: pd.DataFrame, shifts: Sequence[Shift]) -> pd.DataFrame:
    out = frame.copy()
    for shift in shifts:
        if shift.column not in out.columns:
            continue
        met = np.ones(len(out), bool) if shift.where is None else parse_condition(shift.where).matches(out)
        values = out[shift.column].to_numpy(dtype=np.float64, na_value=np.nan)
        moved = values * shift.factor + shift.amount
        moved = moved if shift.least is None else np.where(np.isnan(moved), moved, np.fmax(moved, shift.least))
        out[shift.column] = np.where(met, moved, values)
    return out


class Shifted:
    """A model that can also be run on shifted donors, so that a shift is compared with the baseline as a reform is.

    Parameters
    ----------
    model : PolicyModel, callable or str
        The model; all that it declares is handed through.
    base : mapping, optional
        Parameters that every scenario is under, the baseline too; a reform's own go before them.

    Examples
    --------
    >>> model = Shifted(lambda donors: donors[["income"]] * 0.8)
    >>> donors = Donors({"income": [100.0, 80.0]})
    >>> model.outcomes(donors, {SHIFTED: [Shift("income", factor=1.5)]})["income"].tolist()
    [120.0, 96.0]
    """

    def __init__(self, model: PolicyModel | Any, base: Mapping[str, Any] | None = None):
        self.model, self.base = as_model(model), dict(base or {})
        self.name = model_name(self.model)

    def __getattr__(self, name: str):
        if name in ("model", "base", "parameters"):  # not there yet, or not of the model: nothing is handed through
            raise AttributeError(name)
        return getattr(self.model, name)

    @property
    def parameters(self) -> Mapping[str, Any] | None:
        """Parameters of the model, and the one that names shifts; None where the model declares none."""
        known = getattr(self.model, "parameters", None)
        return None if known is None else {**known, SHIFTED: ()}

    @property
    def anew(self) -> Shifted:
        """The same without the model's memory of what it said before, where it has one."""
        return Shifted(getattr(self.model, "anew", self.model), self.base)

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None):
        """Run the model, on shifted donors where the parameters name shifts."""
        given = {**self.base, **(parameters or {})}
        shifts = given.pop(SHIFTED, ())
        donors = shifted(donors, shifts) if shifts else donors
        return self.model.outcomes(donors, given) if given else self.model.outcomes(donors)
