"""Run a model on donors, and check what it gives: every mistake at once, so that no figure rests on a broken outcome."""

from __future__ import annotations

import difflib
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.policy._donors import Donors, donors_of
from synthpop_gb.policy._given import Given, given
from synthpop_gb.policy._hooks import places_for, prepared
from synthpop_gb.policy._model import BASELINE, PolicyModel, as_model, model_name
from synthpop_gb.policy._outcomes import Outcomes
from synthpop_gb.policy._places import Places

__all__ = ["called", "classes_for", "on_persons", "run_model"]

_OURS = Path(__file__).resolve().parents[1]


def run_model(
    model: PolicyModel | Callable | str,
    aligned: Aligned,
    *,
    places: Places | pd.DataFrame | None = None,
    parameters: Mapping[str, Any] | None = None,
    scenario: str = BASELINE,
    seed: int = 0,
) -> Outcomes:
    """Run a model once on every usable record, in every class of place that its rules read.

    Parameters
    ----------
    model : PolicyModel, callable or str
        See `as_model`.
    aligned : Aligned
        Records, households and zones.
    places : Places or pandas.DataFrame, optional
        Classes of place, or a table of what rules read of a place, by zone or level (see `places_for`); only the study's own
        levels where None.
    parameters : mapping, optional
        What a reform changes.
    scenario : str
        Name of the reform.
    seed : int
        The study's seed, for what a model fixes once for each donor (see `prepared`).

    Returns
    -------
    Outcomes
        A household's outcomes stand on each of its members.

    Raises
    ------
    InputError
        Everything that is wrong with what the model gave (`model-outcomes`), its own failure (`model-failed`), parameters that it
        does not have (`model-parameter`), places that the study does not know (`study-reference`).

    Examples
    --------
    >>> from synthpop_gb.testing import small_aligned  # doctest: +SKIP
    >>> run_model(lambda donors: donors[["age"]] * 2, small_aligned())["age"]  # doctest: +SKIP
    """
    model = as_model(model)
    name = model_name(model)
    problems = _unknown_parameters(model, name, parameters, scenario)
    places = classes_for(model, aligned, places)
    if problems:
        raise InputError(problems)
    began = time.perf_counter()
    donors = prepared(model, donors_of(aligned, places), seed)
    found = called(model, donors, parameters, scenario)
    homes, n_classes = aligned.households, len(places)
    of_row = None if homes is None else (np.arange(n_classes)[:, None] * len(homes.ids) + homes.of_record).ravel()
    values = on_persons(found, of_row).reshape(len(found.names), n_classes, -1)
    facts = {**(model.facts() if hasattr(model, "facts") else {}), "seconds": round(time.perf_counter() - began, 3)}
    units = getattr(model, "units", None) or {}
    return Outcomes(
        name, scenario, dict(parameters or {}), found.names, found.of, tuple(str(units.get(n, "")) for n in found.names), values,
        aligned.records, places, facts, tuple(model.findings()) if hasattr(model, "findings") else (),
    )  # fmt: skip


def classes_for(model: PolicyModel, aligned: Aligned, places: Places | pd.DataFrame | None = None) -> Places:
    """Find the classes of place that a model is run in; see `run_model` for `places`."""
    if not isinstance(places, Places):
        return places_for(model, aligned.geography, places)
    if len(places.of_zone) != len(aligned.zones):
        raise ValueError(f"places= has the class of {len(places.of_zone):,} zones, not of {len(aligned.zones):,}")
    return places


def called(model: PolicyModel, donors: Donors, parameters: Mapping[str, Any] | None, scenario: str) -> Given:
    """Call a model with donors of its own, and check what it gives.

    Raises InputError (`model-failed`, `model-outcomes`); findings that the model raises itself are passed on.
    """
    own = Donors(pd.DataFrame(donors).copy(deep=True))  # what the model does to its copy must not reach anybody else
    own.households = None if donors.households is None else donors.households.copy(deep=True)
    try:
        out = model.outcomes(own, dict(parameters)) if parameters else model.outcomes(own)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever somebody's rules raise is a finding about them
        told = f"{type(error).__name__}: {error}".splitlines()[0][:300] + _line_of(error)
        raise InputError([finding("model-failed", f"{_said(model, scenario)} raised {told}", place=scenario)]) from None
    return given(out, donors, _said(model, scenario), scenario)


def _line_of(error: BaseException) -> str:
    """Where in rules of somebody's own it was raised: ' (rules.py, line 9)'; '' in a package."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_file() and _OURS not in path.parents and "site-packages" not in path.parts:
            return f" ({path.name}, line {frame.lineno})"
    return ""


def _said(model: PolicyModel, scenario: str) -> str:
    """Name a model and its scenario for a message."""
    return f"The model {model_name(model)}" + ("" if scenario == BASELINE else f" under {scenario!r}")


def _unknown_parameters(model: PolicyModel, name: str, parameters: Mapping[str, Any] | None, scenario: str) -> list[Finding]:
    """`model-parameter` for each that a model does not declare, or of another kind; models that declare none take any."""
    known = getattr(model, "parameters", None)
    if known is None:
        return []
    found = []
    for wanted, value in (parameters or {}).items():
        if wanted in known and not _alike(known[wanted], value):
            message = f"{name} has {known[wanted]!r} for {wanted!r}; {value!r} is nothing of the kind."
            why, remedy = "Rules cannot reckon with it.", "Give a number where there is one, and a list of numbers for a list."
            found.append(finding("model-parameter", message, place=scenario, why=why, remedy=remedy))
        if wanted not in known:
            near = difflib.get_close_matches(str(wanted), [str(k) for k in known], 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(map(str, list(known)[:12]))}"
            message = f"{name} has no parameter {wanted!r}{hint}"
            found.append(finding("model-parameter", message.rstrip("?.") + ("?" if near else "."), place=scenario))
    return found


def _alike(known: Any, value: Any) -> bool:
    """Tell whether a reform's value can stand for the baseline's: finite numbers for numbers, as one or as a list."""
    if isinstance(known, (list, tuple)) and known and all(map(_is_number, known)):
        return isinstance(value, (list, tuple, np.ndarray)) and len(value) > 0 and all(map(_is_number, value))
    return _is_number(value) if _is_number(known) else True


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_)) and bool(np.isfinite(value))


def on_persons(found: Given, household_of: np.ndarray | None) -> np.ndarray:
    """(n_outcomes, n_rows): outcomes of persons, those of households put on their members.

    household_of : (n_rows,) row of each person's household.
    """
    return np.stack([v if of == "person" else v[household_of] for v, of in zip(found.values, found.of, strict=True)])
