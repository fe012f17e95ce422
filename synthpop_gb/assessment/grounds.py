"""Grounds: what intervals of a population are learnt from, whatever is asked: replicates, tables left out, the survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.features import Design
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.assessment.leave_one_out import LeftOut, leave_one_out
from synthpop_gb.assessment.regions import region_of
from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.population import Population

__all__ = ["Grounds", "aligned_of"]


@dataclass(frozen=True, eq=False)
class Grounds:
    """Worked out once for all that is asked by the same areas.

    Attributes
    ----------
    population : Population
        With its replicates.
    region : (n_records,) int64 or None
        Part of the country that each record is from.
    left_out : LeftOut
        Tables left out, at the areas asked for.
    by_zone : LeftOut
        The same by zone.
    design : Design
        Records, profiles and tables.
    model : ModelError
        Learnt from `left_out`.
    """

    population: Population
    region: np.ndarray | None
    left_out: LeftOut
    by_zone: LeftOut
    design: Design
    model: ModelError

    @classmethod
    def of(
        cls, population: Population, aligned: Aligned, asked: Asked | Answers, level: float, left_out: LeftOut | None = None
    ) -> Grounds:
        """Work them out. Raises ValueError where `left_out` is of other zones."""
        region = region_of(aligned)
        by_zone = left_out or leave_one_out(population, region)
        if not by_zone.zones.equals(population.zones):
            raise ValueError("left_out= has other zones, or has them in another order, than the population")
        at_areas = by_zone if asked.areas.name == "zone" else by_zone.at(asked.area, asked.areas)
        design = Design.of(population.problem, range(population.problem.n_constraints), region)
        return cls(population, region, at_areas, by_zone, design, ModelError.learn(at_areas, level))


def aligned_of(population: Population, aligned: Aligned | None) -> Aligned:
    """Find the records that a population is asked by. Raises ValueError where there are none, or they are of another study."""
    aligned = aligned or population.problem.aligned
    if aligned is None:
        raise ValueError("the records are needed: give aligned=, or ask the run's folder (sp.pipeline.indicator_run)")
    if not (aligned.records.equals(population.problem.records) and aligned.zones.equals(population.zones)):
        raise ValueError("aligned= has other records or zones, or has them in another order, than the population")
    return aligned
