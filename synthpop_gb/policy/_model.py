"""What a policy model is: something that maps donors to outcomes, the same way whenever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.policy._donors import Donors

__all__ = [
    "BASELINE", "PolicyModel", "as_model", "get_policy_model", "model_name", "policy_models", "register_policy_model",
]  # fmt: skip

BASELINE = "baseline"
"""Name of the scenario that reforms are compared with: the model as it is, without parameters."""


@runtime_checkable
class PolicyModel(Protocol):
    """Rules that give every donor its outcomes, pure and repeatable: of the donor's own columns, and of its class of place.

    A model may further have, each read with a default where it has none:

    - `name`: str, for headings and files; the class's name otherwise;
    - `places`: tuple of str, what of a place its rules read ('region', 'lad'): columns of the places' table, which `donors` then
      have too; () otherwise, and the probe refuses outcomes that vary with the place all the same;
    - `units`: mapping of outcome to unit ('pounds a year'), '' otherwise;
    - `parameters`: mapping of name to the baseline's value; a reform naming another is refused;
    - `facts()`: mapping of plain values for the record of the run: the engine's version, inputs left at a default;
    - `findings()`: notes and warnings about the last run, which travel with its outcomes;
    - `places_of(geography, table)`: `Places` where the columns named in `places` are not levels of the study's geography but
      made from them (an engine's own names of regions); see `places_for`;
    - `configured(**options)` and `asked(outcomes)`: the same model with other options, and for the outcomes that a question
      names, where it can give very many;
    - `anew`: the same model without a memory of what it said before, where it keeps one; the probe asks that;
    - `prepared(donors, seed)`: donors with further columns that are fixed once for each, by its id and the study's seed; see
      `prepared`.
    """

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None):
        """Give outcomes of donors.

        Parameters
        ----------
        donors : Donors
            One row a person, and households beside; see `Donors`.
        parameters : mapping, optional
            What a reform changes; None or empty for the baseline. A model without reforms need not take it.

        Returns
        -------
        pandas.DataFrame or mapping
            Numbers (or bools), one column an outcome, indexed like `donors` for outcomes of persons or like `donors.households`
            for outcomes of households; of both kinds {'person': frame, 'household': frame}.
        """
        ...


@dataclass(frozen=True)
class FunctionModel:
    """A plain function as a model. `function(donors)` or `function(donors, parameters)`."""

    function: Callable
    name: str
    places: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)

    def outcomes(self, donors: Donors, parameters: Mapping[str, Any] | None = None):
        """Call the function; parameters are handed on where there are any."""
        return self.function(donors, parameters) if parameters else self.function(donors)


def as_model(model: PolicyModel | Callable[[Donors], pd.DataFrame] | str) -> PolicyModel:
    """Take a model as it is, a plain function, or the name of a registered one.

    >>> as_model(lambda donors: donors[["age"]]).name
    'lambda'
    """
    if isinstance(model, str):
        return get_policy_model(model)
    if isinstance(model, type):
        model = model()
    if isinstance(model, PolicyModel):
        return model
    if not callable(model):
        raise TypeError(f"a policy model has a method `outcomes(donors)`, or is a function; {type(model).__name__} is neither")
    return FunctionModel(model, getattr(model, "__name__", "model").strip("<>"), tuple(getattr(model, "places", ())))


def model_name(model: PolicyModel) -> str:
    """Return what a model is called: its `name`, or its class's.

    >>> model_name(as_model(len))
    'len'
    """
    return str(getattr(model, "name", "") or type(model).__name__)


_MODELS: dict[str, Callable[[], PolicyModel]] = {}


def register_policy_model(name: str, make: Callable[[], PolicyModel]) -> None:
    """Make a model known by a name, for scenario files and the command line.

    Parameters
    ----------
    name : str
        Lower case, digits and hyphens.
    make : callable
        Returns the model; called when it is first asked for, so that engines are imported no earlier.

    Raises
    ------
    ValueError
        Where the name is taken by another model.
    """
    if _MODELS.get(name, make) is not make:
        raise ValueError(f"there is a policy model {name!r} already")
    _MODELS[name] = make


def policy_models() -> tuple[str, ...]:
    """Names of the registered models, in order."""
    import synthpop_gb.policy.models  # noqa: F401, registers ours

    return tuple(sorted(_MODELS))


def get_policy_model(name: str) -> PolicyModel:
    """Make a registered model. Raises InputError (`unknown-policy-model`) where there is none of that name."""
    if name not in policy_models():
        message = f"There is no policy model {name!r}; there are {', '.join(policy_models())}."
        raise InputError([finding("unknown-policy-model", message, place="model")])
    return _MODELS[name]()
