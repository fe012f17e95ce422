"""Options of the method 'anneal', and the presets that set several at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from synthpop_gb.methods._checks import check_above, check_choice, check_whole, is_number

__all__ = ["PRESETS", "AnnealOptions"]

_DEFAULTS = {
    "start": "halving", "donors": "fitted", "temperature": 0.05, "cooling": 0.93, "steps": 200, "attempts": 2.0,
    "successes": 2.0, "unchanged": 10, "reheats": 3, "guided": 0.8,
}  # fmt: skip
PRESETS = {
    "fmf": {
        "start": "random", "donors": "uniform", "temperature": 0.25, "cooling": 0.9, "steps": 100, "attempts": 100.0,
        "successes": 10.0, "unchanged": 10, "reheats": 0, "guided": 0.0,
    }
}  # fmt: skip
"""'fmf': the Flexible Modelling Framework's schedule (source code of 2015, Harland et al. 2012): donors drawn uniformly from the
records, first temperature 0.5 person (a quarter of a move) x 0.9 a step, 100 steps of at most 100 N proposals and 10 N accepted
moves, stopped by TAE 0, a step without an accepted move, or ten steps of one TAE."""

_CHOICES = {"start": ("halving", "cube", "trs", "random"), "donors": ("fitted", "design", "uniform")}
_WHOLE = {"steps": 1, "unchanged": 1, "max_cycles": 1, "max_proposals": 0, "reheats": 0}  # smallest value
_NUMBERS = {  # smallest, largest, whether the smallest itself is allowed
    "tolerance": (0.0, math.inf, False), "temperature": (0.0, math.inf, True), "cooling": (0.0, 1.0, False),
    "attempts": (0.0, 1e6, False), "successes": (0.0, 1e6, False), "guided": (0.0, 1.0, True),
    "distribution_weight": (0.0, math.inf, False),
}  # fmt: skip


@dataclass(frozen=True)
class AnnealOptions:
    """Options of the method 'anneal'. Those that a preset sets may be left out; one that contradicts it is refused.

    Attributes
    ----------
    preset : str, optional
        'fmf' repeats the Flexible Modelling Framework's schedule; none by default.
    start : str
        People to start with: 'halving' (default), 'cube' or 'trs' draw them from the fitted weights; 'random' from the donors.
    donors : str
        What donors are proposed by: 'fitted' weights (default), 'design' weights, or 'uniform', every record alike.
    temperature : float
        At the first step, in moves: 1 is twice the smallest weight of a table, the least by which a move changes the objective.
        Default 0.05, ten times as much in zones that no weights can fit. At 0 no move for the worse is accepted.
    cooling : float
        What the temperature is multiplied by after each step, above 0 to 1; default 0.93.
    steps : int
        Limit of steps; default 200.
    attempts : float
        Proposals a person after which a step ends; default 2. Zones that no weights can fit get five times as many, of which an
        eighth as many are guided.
    successes : float
        Accepted moves a person after which a step ends; default 2.
    unchanged : int
        Steps that leave the objective unchanged after which a zone ends; default 10.
    reheats : int
        How often a zone that froze short of its targets, though weights can meet its tables, is heated again, each time to
        three times the temperature of the last; default 3.
    guided : float
        Share of proposals, 0 to 1, that put in the record which differs only where it helps; default 0.8.
    max_proposals : int
        Limit of proposals a zone.
    weights : mapping of str to float, optional
        Weight of a table, by the name of its constraint; 1 where absent. All above 0.
    distribution_weight : float
        What one person out by one bin of a distribution costs, in persons of TAE. Below 1, tables come first.
    tolerance : float
        Largest miss of a target by the fractional weights that people and donors are drawn from, in persons.
    max_cycles : int
        Limit of cycles and Newton steps of that fit, a zone.

    Raises
    ------
    ValueError
        For a value outside its range, and for one that contradicts the preset.
    """

    preset: Literal["fmf"] | None = None
    start: Literal["halving", "cube", "trs", "random"] | None = None
    donors: Literal["fitted", "design", "uniform"] | None = None
    temperature: float | None = None
    cooling: float | None = None
    steps: int | None = None
    attempts: float | None = None
    successes: float | None = None
    unchanged: int | None = None
    reheats: int | None = None
    guided: float | None = None
    max_proposals: int = 1_000_000_000
    weights: dict[str, float] | None = None
    distribution_weight: float = 0.25
    tolerance: float = 1e-6
    max_cycles: int = 1000

    def __post_init__(self):
        if self.preset is not None and self.preset not in PRESETS:
            raise ValueError(f"preset is one of {', '.join(PRESETS)}, not {self.preset!r}")
        preset = PRESETS.get(self.preset, {})
        for name, value in {**_DEFAULTS, **preset}.items():
            given = getattr(self, name)
            if given is None:
                object.__setattr__(self, name, value)
            elif name in preset and given != value:
                raise ValueError(f"{name} is {value!r} in the preset {self.preset!r}, not {given!r}: leave out one of the two")
        for name, choices in _CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        for name, least in _WHOLE.items():
            check_whole(name, getattr(self, name), least)
        for name, (low, high, allowed) in _NUMBERS.items():
            value = getattr(self, name)
            if not (is_number(value) and (low < value <= high or (allowed and value == low))):
                limits = f"{'from' if allowed else 'above'} {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")
                raise ValueError(f"{name} is a number {limits}{' on' if allowed and math.isinf(high) else ''}, not {value!r}")
        if self.weights is not None:
            if not isinstance(self.weights, Mapping) or not all(isinstance(k, str) for k in self.weights):
                raise ValueError(f"weights gives numbers by the name of a constraint, not {self.weights!r}")
            for name, value in self.weights.items():
                check_above(f"weights of {name!r}", value)
            object.__setattr__(self, "weights", {name: float(value) for name, value in self.weights.items()})
