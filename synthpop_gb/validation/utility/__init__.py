"""Utility: what the synthetic records of any pair can be used for, from single variables to models and the groups they serve."""

from synthpop_gb.validation.utility.association import association
from synthpop_gb.validation.utility.correlation import correlation_difference
from synthpop_gb.validation.utility.fairness import fairness
from synthpop_gb.validation.utility.measures import propensity_measures, table_measures
from synthpop_gb.validation.utility.prediction import prediction
from synthpop_gb.validation.utility.propensity import propensity
from synthpop_gb.validation.utility.regression import regression
from synthpop_gb.validation.utility.tables import tables
from synthpop_gb.validation.utility.univariate import univariate
from synthpop_gb.validation.utility.utility import utility

__all__ = [
    "association",
    "correlation_difference",
    "fairness",
    "prediction",
    "propensity",
    "propensity_measures",
    "regression",
    "table_measures",
    "tables",
    "univariate",
    "utility",
]
