"""What a population scenario may change, step by step: who is amplified, balanced, raised; whose column is shifted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from synthpop_gb.indicators import parse_condition

__all__ = ["Amplify", "Balance", "Raise", "Shift", "Step"]


class Step:
    """One change of a population; `to_dict` gives it in plain values for the record of a run."""

    zones: Mapping[str, Sequence[str]] | Sequence[str] | None = None

    def to_dict(self) -> dict:
        """Return kind and settings as plain values; what is not set is left out."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        plain = {k: list(v) if isinstance(v, tuple) else dict(v) if isinstance(v, Mapping) else v for k, v in found.items()}
        return {"change": type(self).__name__.lower(), **{k: v for k, v in plain.items() if v is not None}}


def _number(name: str, value: float, low: float, high: float = math.inf) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        limits = f"from {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")
        raise ValueError(f"{name} is a number {limits}, not {value}")


@dataclass(frozen=True)
class Shift(Step):
    """A column of numbers changed for donors who meet a condition: value x factor + amount.

    The people stay; what they answered is changed, on a copy that the policy model sees, never in the survey.

    Attributes
    ----------
    column : str
        Column of numbers of the survey, 'income'.
    where : str, optional
        Condition on who is changed; everybody where None.
    factor, amount : float
        The new value is value x factor + amount, amount in the unit of the column.
    least : float, optional
        No value is brought below it.

    Raises
    ------
    ValueError
        Where nothing would change, or a number is none.
    InputError
        `bad-condition` where `where` cannot be read.
    """

    column: str
    where: str | None = None
    factor: float = 1.0
    amount: float = 0.0
    least: float | None = None

    def __post_init__(self):
        for name in ("factor", "amount"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is a number, not {getattr(self, name)}")
        if self.factor == 1.0 and self.amount == 0.0:
            raise ValueError(f"a shift of {self.column} by factor 1 and amount 0 changes nothing")
        if self.where is not None:
            parse_condition(self.where)

    def __str__(self) -> str:
        """Say it in words."""
        by = [f"x {self.factor:g}"] * (self.factor != 1.0) + [f"{self.amount:+g}"] * (self.amount != 0.0)
        return f"{self.column} {' '.join(by)}" + (f" where {self.where}" if self.where else "")


@dataclass(frozen=True)
class Amplify(Step):
    """The share of people who meet a condition made k times what it is, in every zone; each zone keeps its people.

    Those who come are further copies of the group's members in the zone (of the survey's, where the zone has none), those who go
    are drawn from the others; of whole households, households of the same size are exchanged.

    Attributes
    ----------
    where : str
        Condition that makes the group.
    times : float
        0 or more: 1.5 makes half as many again. A share cannot pass 1.
    zones : mapping of level to codes, or sequence of zone codes, optional
        Where: {'lad': ['E08000035']}; all zones where None.
    """

    where: str
    times: float
    zones: Mapping[str, Sequence[str]] | Sequence[str] | None = None

    def __post_init__(self):
        parse_condition(self.where)
        _number("times", self.times, 0.0)

    def __str__(self) -> str:
        """Say it in words."""
        return f"share of {self.where} x {self.times:g}{_where(self.zones)}"


@dataclass(frozen=True)
class Balance(Step):
    """The shares of a variable's categories made equal, or as given, in every zone; each zone keeps its people.

    Attributes
    ----------
    variable : str
        Variable with categories, or a column of a few values.
    shares : mapping of category to share, optional
        What is wanted; the shares add up to 1, categories left out get none. Equal where None. Zones keep who gave no answer.
    zones : mapping of level to codes, or sequence of zone codes, optional
        Where; all zones where None.
    """

    variable: str
    shares: Mapping[str, float] | None = None
    zones: Mapping[str, Sequence[str]] | Sequence[str] | None = None

    def __post_init__(self):
        if self.shares is None:
            return
        for name, share in self.shares.items():
            _number(f"the share of {name}", share, 0.0, 1.0)
        if abs(sum(self.shares.values()) - 1.0) > 1e-9:
            raise ValueError(f"shares of {self.variable} add up to 1, not {sum(self.shares.values()):g}")

    def __str__(self) -> str:
        """Say it in words."""
        shares = "equal shares" if self.shares is None else ", ".join(f"{k} {100 * v:g} %" for k, v in self.shares.items())
        return f"{self.variable}: {shares}{_where(self.zones)}"


@dataclass(frozen=True)
class Raise(Step):
    """The share of people who meet a condition brought to a rate, exact to a person, by exchanging like donors.

    A person who does not meet it gives way to a donor who does and is alike in every table of the study (then in all but those
    that speak of the condition, then in fewer), so that the zone's tables stay as they are wherever they can.

    Attributes
    ----------
    what : str
        Condition whose share is changed: "smokes = 'yes'".
    where : str, optional
        Condition on whom it is a share of; everybody of whom `what` is known where None.
    to, by, times : float, optional
        One of the three: the rate wanted (0 to 1), what is added to each zone's rate (-1 to 1; 0.05 = 5 points), or what it is
        multiplied by. Lower rates are as welcome.
    zones : mapping of level to codes, or sequence of zone codes, optional
        Where; all zones where None.
    """

    what: str
    where: str | None = None
    to: float | None = None
    by: float | None = None
    times: float | None = None
    zones: Mapping[str, Sequence[str]] | Sequence[str] | None = None

    def __post_init__(self):
        parse_condition(self.what)
        if self.where is not None:
            parse_condition(self.where)
        given = [name for name in ("to", "by", "times") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a rate is raised by one of to, by and times" + (f", not by {' and '.join(given)}" if given else ""))
        limits = {"to": (0.0, 1.0), "by": (-1.0, 1.0), "times": (0.0, math.inf)}[given[0]]
        _number(given[0], getattr(self, given[0]), *limits)

    def rate(self, now):
        """Return the rate wanted where it is `now`: numbers or arrays, 0 to 1."""
        import numpy as np

        wanted = self.to if self.to is not None else now + self.by if self.by is not None else now * self.times
        return np.clip(wanted + 0.0 * now, 0.0, 1.0)

    def __str__(self) -> str:
        """Say it in words."""
        how = (
            f"to {100 * self.to:g} %" if self.to is not None
            else f"by {100 * self.by:+g} points" if self.by is not None else f"x {self.times:g}"
        )  # fmt: skip
        return f"share of {self.what}" + (f" where {self.where}" if self.where else "") + f" {how}{_where(self.zones)}"


def _where(zones) -> str:
    if zones is None:
        return ""
    if isinstance(zones, Mapping):
        return " in " + "; ".join(f"{level} {', '.join(map(str, codes))}" for level, codes in zones.items())
    return f" in {len(zones):,} zone{'s' if len(zones) != 1 else ''}"
