"""Verdicts: what each use can expect, by rules that are stated beside the figure that they judge."""

from synthpop_gb.validation.verdicts._rows import VERDICTS, worst
from synthpop_gb.validation.verdicts.of_pair import pair_verdicts
from synthpop_gb.validation.verdicts.of_population import population_verdicts

__all__ = ["VERDICTS", "pair_verdicts", "population_verdicts", "worst"]
