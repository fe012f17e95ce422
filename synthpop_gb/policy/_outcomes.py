"""Outcomes: what a model said of every donor in every class of place; counts turn it into figures of areas and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.frozen import freeze
from synthpop_gb.policy._places import Places

__all__ = ["Outcomes"]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """A model's outcomes of one scenario.

    Attributes
    ----------
    model : str
        Name of the model.
    scenario : str
        'baseline', or the reform's name.
    parameters : mapping
        What the reform changes; empty for the baseline.
    names : tuple of str
        Of the outcomes.
    of : tuple of str
        'person' or 'household', one an outcome. A household's outcome stands on each of its members.
    units : tuple of str
        'pounds a year', ''; one an outcome.
    values : numpy.ndarray
        (n_outcomes, n_classes, n_records) float64, records by position in `Aligned.records`.
    records : pandas.Index
        Their ids.
    places : Places
        Classes of place, and the class of every zone.
    facts : mapping
        Plain values for the record of the run: versions of the engine, inputs left at a default, seconds it took.
    findings : tuple of Finding
        What was noticed.
    """

    model: str
    scenario: str
    parameters: Mapping[str, Any]
    names: tuple[str, ...]
    of: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    records: pd.Index
    places: Places
    facts: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self):
        freeze(self, [("values", np.float64, 3)])
        expected = (len(self.names), len(self.places), len(self.records))
        if self.values.shape != expected:
            raise ValueError(f"values are outcomes x classes of place x records, {expected}, not {self.values.shape}")

    def __getitem__(self, name: str) -> np.ndarray:
        """(n_classes, n_records) values of one outcome. Raises KeyError where there is none of that name."""
        if name not in self.names:
            raise KeyError(f"{self.model} gives no outcome {name!r}; it gives {', '.join(self.names)}")
        return self.values[self.names.index(name)]

    def is_of_households(self, name: str) -> bool:
        """Whether an outcome is of households; False of what is no outcome, such as a condition."""
        return name in self.names and self.of[self.names.index(name)] == "household"

    def frame(self) -> pd.DataFrame:
        """Return the outcomes as columns, one row a donor, or a class of place and donor."""
        index = pd.MultiIndex.from_product([range(len(self.places)), self.records], names=["place", "donor"])
        index = index.droplevel("place") if len(self.places) == 1 else index
        return pd.DataFrame(self.values.reshape(len(self.names), -1).T, index=index, columns=list(self.names))

    def __repr__(self) -> str:
        """One line: model, scenario, how many donors and classes, what."""
        where = f" in {len(self.places):,} classes of place" if len(self.places) > 1 else ""
        return f"Outcomes of {self.model}, {self.scenario}: {', '.join(self.names)} of {len(self.records):,} donors{where}"
