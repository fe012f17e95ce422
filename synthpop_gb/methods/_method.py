"""What a method is: one object that turns a block of zones into whole counts; and the table of those known by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from synthpop_gb.kernels.streams import stream_keys
from synthpop_gb.problem import Problem

__all__ = ["METHODS", "BlockResult", "Method", "Streams", "get_method", "make_options", "register_method"]


@dataclass(frozen=True)
class Streams:
    """The random streams of one run and replicate, keyed by zone and purpose: the only randomness a method may use."""

    seed: int
    replicate: int = 0

    def keys(self, zone_keys: np.ndarray, purpose: int) -> np.ndarray:
        """Return the states in which the streams of some zones start: (n_zones,) uint64.

        zone_keys: (n_zones,) uint64, `Problem.zone_keys`; purpose: one of `kernels.streams.WHOLE` ... .
        """
        return stream_keys(self.seed, zone_keys, self.replicate, purpose)


@dataclass(frozen=True, eq=False)
class BlockResult:
    """What a method found for a block of zones; rows in the order of the zones asked for.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Entries of row z are indptr[z] to indptr[z + 1] - 1.
    profile, count : (nnz,) int32
        Profiles present, ascending within a row, and their whole people, > 0.
    fit : (n,) int8
        `FitStatus` of each zone.
    cycles : (n,) int32
        Cycles, steps or proposals used.
    residual : (n,) float64
        Largest miss of a target by the fit, persons.
    worst_cell : (n,) int32
        Cell with that miss; -1 where every target is met within the tolerance.
    remainder : (n,) float64
        Total absolute error of the whole people against `settled`, or else the targets taken to whole numbers; persons.
    duals : (n, n_cells) float64 or None
        What the weights can be recomputed from, with the method's link: for most the logarithms of the cells' factors.
    extra : mapping of str to (n,) array, or None
        What else the method has to say of each zone: numbers, or text of fixed width. They become columns of `Population.status`.
    settled : (n, n_cells) or (n, n_duals) float64, or None
        Whole tables that the people were made to meet, persons, where those are not the problem's targets: of the zones, then,
        where a method settles those too, of the areas that each lies in.
    """

    indptr: np.ndarray
    profile: np.ndarray
    count: np.ndarray
    fit: np.ndarray
    cycles: np.ndarray
    residual: np.ndarray
    worst_cell: np.ndarray
    remainder: np.ndarray
    duals: np.ndarray | None = None
    extra: Mapping[str, np.ndarray] | None = None
    settled: np.ndarray | None = None


@runtime_checkable
class Method(Protocol):
    """A way of making whole people. One object, picklable, without state that changes.

    `name` is what a study calls it and part of what finished blocks are recognised by: change it when results change.
    `options` is a frozen dataclass whose defaults are the method's; `needs` says what it reads of a problem: 'cells'
    (persons, one cell a constraint) or 'incidence' (households with their members). A method whose duals are no logarithms of
    factors also has `link(options)`, which returns the `kernels.links.Link` that makes weights of them.
    """

    name: str
    options: type
    needs: str

    def solve_block(self, problem: Problem, zones: np.ndarray, options: Any, streams: Streams) -> BlockResult:
        """Solve the zones at these positions of a problem, which comes without donors and record ids.

        The result of a zone may depend on what all zones share, on that zone's targets, the options and its streams alone.
        """
        ...


METHODS: dict[str, Method] = {}
"""Methods by name."""


def register_method(method: Method) -> Method:
    """Make a method known by its name, so that studies and `solve(method=...)` find it; returns it.

    Raises
    ------
    TypeError
        Where the object lacks one of `name`, `options`, `needs`, `solve_block`, or its options are no frozen dataclass.
    ValueError
        Where another method has the name.
    """
    missing = [part for part in ("name", "options", "needs", "solve_block") if not hasattr(method, part)]
    if missing:
        raise TypeError(f"{method!r} is not a method: it has no {', '.join(missing)}")
    if not (dataclasses.is_dataclass(method.options) and method.options.__dataclass_params__.frozen):
        raise TypeError(f"the options of {method.name!r} must be a frozen dataclass")
    if METHODS.get(method.name, method) is not method:
        raise ValueError(f"another method is called {method.name!r}: choose a name of its own")
    METHODS[method.name] = method
    return method


def get_method(method: str | Method) -> Method:
    """Return the method of that name, or the object itself. Raises ValueError with the known names."""
    if not isinstance(method, str):
        return method
    if method not in METHODS:
        raise ValueError(f"no method is called {method!r}; known are {', '.join(sorted(METHODS))}")
    return METHODS[method]


def make_options(method: Method, options: Any = None) -> Any:
    """Complete options given as a mapping, as the method's own dataclass, or not at all.

    Raises ValueError for an unknown option (naming the known ones) or for options of another method.
    """
    if options is None:
        return method.options()
    if isinstance(options, method.options):
        return options
    if dataclasses.is_dataclass(options):
        raise ValueError(f"{type(options).__name__} are not options of {method.name!r}: give {method.options.__name__}")
    known = [f.name for f in dataclasses.fields(method.options)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"{method.name!r} has no option {', '.join(map(repr, unknown))}; it has {', '.join(known)}")
    return method.options(**options)
