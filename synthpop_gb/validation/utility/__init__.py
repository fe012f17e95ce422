"""Utility: what the synthetic records of any pair can be used for, from single variables to models and the groups they serve."""

from synthpop_gb.validation.utility.correlation import correlation_difference
from synthpop_gb.validation.utility.measures import propensity_measures, table_measures
from synthpop_gb.validation.utility.utility import utility

__all__ = ["correlation_difference", "propensity_measures", "table_measures", "utility"]
