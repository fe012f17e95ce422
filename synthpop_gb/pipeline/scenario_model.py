"""The model of a scenario: a registered one, or the user's own file; told its year and columns, run once however often asked."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.policy import Donors, PolicyModel, as_model
from synthpop_gb.policy._model import model_name
from synthpop_gb.policy._parameters import flattened
from synthpop_gb.simulation import Shifted
from synthpop_gb.spec import Scenario

__all__ = ["model_of", "own_model"]


def own_model(text: str) -> PolicyModel:
    """Take a model from a Python file of the user's: 'file.py:Name', a class, an instance or a function.

    Running the file is what the user asks for by naming it; scenario files cannot.

    Raises
    ------
    InputError
        'missing-file', 'study-reference' where the file has no such name, 'model-failed' where it cannot be run.
    """
    path, _, name = text.rpartition(":")
    if not path or not name or Path(path).suffix != ".py":
        message = f"{text!r} names no model: write file.py:Name."
        raise InputError([finding("study-value", message, place="--model")])
    if not Path(path).is_file():
        raise InputError([finding("missing-file", f"There is no file {path}.", place="--model")])
    label = f"synthpop_gb_model_{hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:12]}"
    loader = importlib.util.spec_from_file_location(label, path)
    module = importlib.util.module_from_spec(loader)
    sys.modules[label] = module  # dataclasses look their module up
    try:
        loader.loader.exec_module(module)
        found = getattr(module, name, None)
        if found is None:
            known = ", ".join(n for n in vars(module) if not n.startswith("_"))[:200]
            raise InputError([finding("study-reference", f"{path} has no {name!r}; it has {known}.", place="--model")])
        return as_model(found)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # whatever somebody's file raises is a finding about it
        told = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise InputError([finding("model-failed", f"{path} raised {told}", place="--model")]) from None


def model_of(scenario: Scenario, model: PolicyModel | str | None = None) -> Shifted:
    """Make a scenario's model: with its year, its inputs and its baseline's parameters, able to see shifted donors.

    model : one of the user's own, which goes before the one that the file names.

    Raises
    ------
    InputError
        'study-missing' where nobody names a model; 'study-key' for a year or inputs that the model does not take; 'study-value'
        where it refuses them.
    """
    wanted = scenario.model if model is None else model
    if wanted is None:
        message = f"The scenario {scenario.name} names no model."
        remedy = "Add `model = ...` to the file, or give one with --model file.py:Name."
        raise InputError([finding("study-missing", message, place="model", remedy=remedy)])
    made = as_model(own_model(wanted) if isinstance(wanted, str) and (":" in wanted or wanted.endswith(".py")) else wanted)
    options: dict[str, Any] = {}
    if scenario.year is not None:
        options["year"] = scenario.year
    if scenario.inputs:
        options["inputs"] = dict(scenario.inputs)
    made = _configured(made, options)
    names = {n for request in scenario.outcome for n in request.what if n != "*"}
    names |= {scenario.deciles.of} if scenario.deciles is not None else set()
    if names and hasattr(made, "asked"):  # of engines that can give very many outcomes, those that the file speaks of
        made = made.asked(sorted(names))
    return Shifted(_Remembered(made), flattened(scenario.parameters))


def _configured(model: PolicyModel, options: Mapping[str, Any]) -> PolicyModel:
    """Make the same model with options: by its method `configured`, else as its class is made, the rest as it is."""
    if not options:
        return model
    name = model_name(model)
    try:
        if hasattr(model, "configured"):
            return model.configured(**options)
        taken = inspect.signature(type(model)).parameters
        if unknown := [key for key in options if key not in taken]:
            message = f"The model {name} takes no {' and no '.join(unknown)}."
            raise InputError([finding("study-key", message, place=unknown[0], remedy="Leave it out of the scenario.")])
        kept = {key: getattr(model, key) for key in taken if hasattr(model, key) and key != "parameters"}
        return type(model)(**{**kept, **options})
    except InputError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise InputError([finding("study-value", f"The model {name} cannot be made so: {told}", place="model")]) from None


class _Remembered:
    """A model that is run once for the same donors and parameters: outcomes are asked by area, group and decile in turn."""

    def __init__(self, model: PolicyModel):
        self.model, self.anew, self._known = model, model, {}
        self.name = model_name(model)

    def __getattr__(self, name: str):
        if name == "model":
            raise AttributeError(name)
        return getattr(self.model, name)

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None):
        """Give what the model gave before for these donors, or run it."""
        key = _digest(donors), json.dumps(dict(parameters or {}), sort_keys=True, default=repr)
        if key not in self._known:
            self._known[key] = self.model.outcomes(donors, parameters) if parameters else self.model.outcomes(donors)
        return self._known[key]


def _digest(donors: Donors) -> str:
    """Hash every answer of donors and households, so that what a probe changes is other donors."""
    found = hashlib.sha256()
    for frame in (pd.DataFrame(donors), donors.households):
        if frame is not None:
            plain = frame.reset_index()
            plain = plain.astype({c: str for c in plain.columns if plain[c].dtype == object})
            found.update("\0".join(map(str, plain.columns)).encode())
            found.update(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes())
    return found.hexdigest()
