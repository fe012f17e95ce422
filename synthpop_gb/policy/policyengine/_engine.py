"""The one place that imports policyengine-uk: what its variables are, what its parameters are called, and one run of it."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding

__all__ = ["ENTITIES", "Engine", "Input", "Run", "engine"]

ENTITIES = ("person", "benunit", "household")

_CURRENCY = {"stock": "pounds", "flow": "pounds a year"}


@cache
def engine() -> Engine:
    """Return the engine, imported when it is first asked for; it takes some seconds.

    Raises InputError (`missing-extra`) where policyengine-uk is not installed.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is to be fetched: data come from here
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its dependencies, on import
            import policyengine_uk
            import policyengine_uk.data
            from policyengine_uk.system import system
    except ImportError:
        message = "The policy model 'policyengine-uk' needs the package policyengine-uk, which is under the AGPL."
        raise InputError(
            [finding("missing-extra", message, place="policyengine-uk", remedy="pip install synthpop_gb[policy]")]
        ) from None
    return Engine(policyengine_uk, system)


@dataclass(frozen=True)
class Input:
    """One variable of the engine: whose it is, its kind, the names it may have, whether rules work it out, and its unit."""

    name: str
    entity: str
    kind: str
    names: tuple[str, ...]
    worked_out: bool
    default: Any
    unit: str


@dataclass(frozen=True, eq=False)
class Run:
    """What one run gave: values by variable in the order of the entity's ids, and the inputs that were read at their default."""

    values: Mapping[str, np.ndarray]
    defaulted: tuple[str, ...]


class Engine:
    """policyengine-uk as this package needs it."""

    def __init__(self, package, system):
        self._package, self._system = package, system

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the rules and of the engine under them, which decide every number."""
        return {name: version(name) for name in ("policyengine-uk", "policyengine-core")}

    def variable(self, name: str) -> Input | None:
        """Describe a variable; None where the engine has none of that name."""
        found = self._system.variables.get(name)
        if found is None:
            return None
        enum = getattr(found, "possible_values", None)
        names = tuple(member.name for member in enum) if enum is not None else ()
        worked_out = bool(found.formulas or getattr(found, "adds", None) or getattr(found, "subtracts", None))
        default = getattr(found.default_value, "name", found.default_value)
        unit = str(found.unit or "")
        if unit == "currency-GBP":
            unit = _CURRENCY.get(str(found.quantity_type or "flow"), "pounds")
        return Input(name, found.entity.key, found.value_type.__name__, names, worked_out, default, unit)

    def near(self, name: str) -> str:
        """Say which variable's name is nearest, as the end of a sentence."""
        close = difflib.get_close_matches(name, list(self._system.variables), n=1, cutoff=0.6)
        return f" Did you mean {close[0]!r}?" if close else ""

    @property
    def local_authorities(self) -> dict[str, str]:
        """Name of the enumeration by the local authority's own name: 'Leeds' is 'LEEDS'."""
        return {member.value: member.name for member in self._system.variables["local_authority"].possible_values}

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the enumeration of regions, less the unknown one."""
        return tuple(n for n in self.variable("region").names if n != "UNKNOWN")

    @property
    def parameters(self) -> frozenset[str]:
        """Names of everything that a reform may change."""
        return _parameter_names(self._system.parameters)

    def parameter(self, name: str, year: int):
        """Value of a parameter in the middle of the fiscal year that starts in `year`."""
        return self._system.parameters.get_child(name)(f"{year}-10-01")

    def run(
        self, tables: Mapping[str, pd.DataFrame], *, year: int, priced: int, wanted: Iterable[str], reform: Mapping | None = None
    ) -> Run:
        """Run the rules of one fiscal year on a dataset.

        Parameters
        ----------
        tables : mapping of entity to DataFrame
            'person', 'benunit' and 'household' with their ids from 0 in steps of 1, in that order.
        year, priced : int
            Fiscal years (the years they start in) of the rules, and of the amounts in the tables, which the engine uprates.
        wanted : iterable of str
            Variables.
        reform : mapping, optional
            PolicyEngine's: parameter name = {period = value}.

        Returns
        -------
        Run
            Read back by id: values are in the order of the tables' ids.
        """
        with warnings.catch_warnings(), _LOCK, _one_year(year):
            warnings.simplefilter("ignore")
            data = self.dataset(tables, priced)
            if priced == year:  # nothing is to be projected to later years
                data = self._package.data.UKMultiYearDataset(datasets=[data])
            simulation = self._package.Microsimulation(dataset=data, reform=dict(reform) if reform else None)
            values, order = {}, {}
            for name in wanted:
                entity = self.variable(name).entity
                if entity not in order:
                    order[entity] = _positions(simulation, entity, len(tables[entity]), year)
                found = np.asarray(simulation.calculate(name, year, unweighted=True), np.float64)
                values[name] = found[order[entity]]
            return Run(values, self._read_at_default(simulation, tables))

    def dataset(self, tables: Mapping[str, pd.DataFrame], year: int):
        """Make the engine's dataset of three tables; they are copied."""
        from policyengine_uk.data import UKSingleYearDataset

        return UKSingleYearDataset(**{e: tables[e].copy() for e in ENTITIES}, fiscal_year=int(year))

    def save(self, tables: Mapping[str, pd.DataFrame], year: int, path: Path) -> None:
        """Write a dataset as the engine writes it: an .h5 file."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.dataset(tables, year).save(str(path))

    def _read_at_default(self, simulation, tables: Mapping[str, pd.DataFrame]) -> tuple[str, ...]:
        """Find inputs that rules read in this run and that no table has: the engine keeps what it read in its holders."""
        given = {str(c) for table in tables.values() for c in table.columns}
        found = []
        for name in self._system.variables:
            about = self.variable(name)
            if name in given or about.worked_out or name.endswith("_id"):
                continue
            if simulation.get_holder(name).get_known_periods():
                found.append(name)
        return tuple(sorted(found))


_LOCK = Lock()


@contextmanager
def _one_year(year: int):
    """Have the universal credit health element of the run's year worked out, instead of all years to the engine's last.

    The engine works it out while a simulation is made, from April 2026 on year by year, which would be two thirds of a run.
    """
    from policyengine_uk.scenarios import uc_reform

    every = uc_reform.REBALANCING_YEARS
    uc_reform.REBALANCING_YEARS = tuple(y for y in every if y == year)
    try:
        yield
    finally:
        uc_reform.REBALANCING_YEARS = every


def _positions(simulation, entity: str, n: int, year: int) -> np.ndarray:
    """Position of ids 0, 1 ... in the engine's order. Raises RuntimeError where it lost or repeated one."""
    ids = np.asarray(simulation.calculate(f"{entity}_id", year, unweighted=True)).astype(np.int64)
    if len(ids) != n or not np.array_equal(np.sort(ids), np.arange(n)):
        raise RuntimeError(f"the engine gave other {entity} ids back than it was given")
    return np.argsort(ids, kind="stable")


@cache
def _parameter_names(root) -> frozenset[str]:
    """Names of leaves below the root, and of brackets' values; those that the engine has removed raise when they are read."""
    found = set()
    for parameter in root.get_descendants():
        with suppress(ValueError, AttributeError):
            if parameter.values_list is not None:
                found.add(parameter.name)
    return frozenset(found)
