"""Harmonise: survey, tables and zones made to speak of the same people; every fault found before anything is computed."""

from synthpop_gb.harmonisation.align import examine, harmonise
from synthpop_gb.harmonisation.exclusions import exclude
from synthpop_gb.harmonisation.recode import Recode

__all__ = ["Recode", "examine", "exclude", "harmonise"]
