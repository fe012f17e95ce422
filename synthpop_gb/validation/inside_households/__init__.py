"""What no table says of households: sizes, couples, parents and children, work, beside survey and truth; and what cannot be."""

from synthpop_gb.validation.inside_households.check import household_checks

__all__ = ["household_checks"]
