"""A stylised tax-benefit model of the UK in plain Python: no engine, every rule a short function with its law beside it."""

from synthpop_gb.policy.models.tax_benefit.model import TaxBenefit
from synthpop_gb.policy.models.tax_benefit.parameters import TAX_YEARS, describe, parameters_of

__all__ = ["TAX_YEARS", "TaxBenefit", "describe", "parameters_of"]
