"""Incomes where no census table has them: start weights tilted by area towards published incomes, softly."""

from synthpop_gb.assessment.incomes._told import again
from synthpop_gb.assessment.incomes.calibrate import BANDS, CalibratedIncomes, calibrate_incomes
from synthpop_gb.assessment.incomes.target import IncomeTarget, match_all

__all__ = ["BANDS", "CalibratedIncomes", "IncomeTarget", "again", "calibrate_incomes", "match_all"]
