"""What needs refitting: how wrong a population is where no table says, by leaving tables out; and methods side by side."""

from synthpop_gb.assessment.compare import Candidate, compare_methods, default_candidates
from synthpop_gb.assessment.incomes import CalibratedIncomes, IncomeTarget, calibrate_incomes
from synthpop_gb.assessment.indicator import indicator
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.assessment.leave_one_out import LeftOut, leave_one_out
from synthpop_gb.assessment.regions import region_of
from synthpop_gb.assessment.starts import BetterStart, Learnt, better_start

__all__ = [
    "BetterStart",
    "CalibratedIncomes",
    "Candidate",
    "IncomeTarget",
    "Learnt",
    "LeftOut",
    "ModelError",
    "better_start",
    "calibrate_incomes",
    "compare_methods",
    "default_candidates",
    "indicator",
    "leave_one_out",
    "region_of",
]
