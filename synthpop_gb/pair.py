"""Pair: real and synthetic records brought to the same variables, types and categories, so that they can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.coded import MISSING, Coded, group_numbers
from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

__all__ = ["Pair", "PairVariable"]


@dataclass(frozen=True)
class PairVariable:
    """One variable that both sides have.

    Attributes
    ----------
    name : str
        Column of both frames.
    kind : str
        'category' or 'number'.
    concept : str
        Common name where it is one of the variables that codebooks know ('age', 'sex', 'ethnic_group', 'health', 'religion',
        'marital_status' ...), else ''.
    whole : bool
        Of numbers: whether the real ones are all whole.
    """

    name: str
    kind: str
    concept: str = ""
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Pair:
    """Two sets of records to be compared.

    Attributes
    ----------
    real, synthetic : pandas.DataFrame
        Same columns in the same order: of a category pandas Categorical with the *same* categories on both sides (text;
        the real data's first, in its order), missing as NaN; of a number float64, missing as NaN. Rows are numbered from 0.
    variables : tuple of PairVariable
        One a column, in order.
    weight, synthetic_weight : numpy.ndarray or None
        (n_real,) and (n_synthetic,) float64 design weights; None where every record counts alike.
    keys : tuple of str
        Variables that an intruder may know (quasi-identifiers).
    target : str or None
        Variable that models predict and that an intruder wants to learn.
    protected : tuple of str
        Variables whose groups must not be wronged: sex, age, ethnic group, disability or health, religion, marital status.
    cloned : bool
        The synthetic records are copies of the real ones (reweighting, combinatorial optimisation): what compares records with
        the records that they were copied from says nothing then.
    real_name, synthetic_name : str
        For headings.
    files : tuple of InputFile
        What was read.
    findings : tuple of Finding
        What was noticed on the way.
    left_out : tuple of (str, str)
        Columns that are not compared, each with the reason.
    """

    real: pd.DataFrame
    synthetic: pd.DataFrame
    variables: tuple[PairVariable, ...]
    weight: np.ndarray | None = None
    synthetic_weight: np.ndarray | None = None
    keys: tuple[str, ...] = ()
    target: str | None = None
    protected: tuple[str, ...] = ()
    cloned: bool = False
    real_name: str = "real"
    synthetic_name: str = "synthetic"
    files: tuple[InputFile, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, in order."""
        return tuple(v.name for v in self.variables)

    def variable(self, name: str) -> PairVariable:
        """Return one variable. Raises KeyError where there is none of this name."""
        for v in self.variables:
            if v.name == name:
                return v
        raise KeyError(f"there is no variable {name!r}")

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the variables of one kind, 'category' or 'number'."""
        return tuple(v.name for v in self.variables if v.kind == kind)

    def coded(self, names: Iterable[str] | None = None, *, groups: int = 5) -> tuple[Coded, Coded]:
        """Return both sides as codes, numbers cut into groups by the real ones; missing is a category where either side has it.

        Parameters
        ----------
        names : iterable of str, optional
            These variables; all where absent.
        groups : int
            Number of groups of a number, see `group_numbers`.

        Returns
        -------
        (Coded, Coded)
            Real and synthetic, with the same names and labels.

        Raises
        ------
        KeyError
            For a name that is not there.
        """
        names = self.names if names is None else tuple(names)
        labels, sides = [], ([], [])
        for name in names:
            said, codes = self._codes(name, groups)
            labels.append(said)
            for side, column in zip(sides, codes, strict=True):
                side.append(column)
        frames = (self.real, self.synthetic)
        weights = (self.weight, self.synthetic_weight)
        made = [
            Coded(
                names, tuple(labels), np.stack(side, axis=1) if side else np.empty((len(frame), 0), np.int32),
                np.ones(len(frame)) if weight is None else weight,
            )
            for side, frame, weight in zip(sides, frames, weights, strict=True)
        ]  # fmt: skip
        return made[0], made[1]

    def _codes(self, name: str, groups: int) -> tuple[tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
        """Labels and both sides' codes of one variable."""
        columns = (self.real[name], self.synthetic[name])
        if self.variable(name).kind == "category":
            said = tuple(str(c) for c in self.real[name].cat.categories)
            codes = [c.cat.codes.to_numpy().astype(np.int32) for c in columns]
        else:
            known = columns[0].dropna().to_numpy()
            edges, said = group_numbers(known, groups) if len(known) else (np.empty(0), ("any",))
            codes = []
            for c in columns:
                values = c.to_numpy()
                at = np.searchsorted(edges, np.where(np.isnan(values), 0.0, values), side="right")
                codes.append(np.where(np.isnan(values), -1, at).astype(np.int32))
        if any((c < 0).any() for c in codes):
            codes = [np.where(c < 0, len(said), c).astype(np.int32) for c in codes]
            said = (*said, MISSING)
        return said, (codes[0], codes[1])

    def __repr__(self) -> str:
        """One line: both sides' sizes, variables, roles."""
        roles = f"; keys {', '.join(self.keys)}" * bool(self.keys) + f"; target {self.target}" * bool(self.target)
        return (
            f"Pair: {len(self.real):,} {self.real_name} and {len(self.synthetic):,} {self.synthetic_name} records of "
            f"{len(self.variables)} variables{roles}"
        )
