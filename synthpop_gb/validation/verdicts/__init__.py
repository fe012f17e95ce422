"""Verdicts: what each use can expect, by rules that are stated beside the figure that they judge."""

from synthpop_gb.validation.verdicts._rows import GIVING, HANDING, VERDICTS, WORDS, summary, worst
from synthpop_gb.validation.verdicts.of_pair import pair_verdicts
from synthpop_gb.validation.verdicts.of_population import population_verdicts

__all__ = ["GIVING", "HANDING", "VERDICTS", "WORDS", "pair_verdicts", "population_verdicts", "summary", "worst"]
