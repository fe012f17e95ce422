"""Indicators: what a population says of areas and groups. Conditions, questions, sums, and the table of estimates."""

from synthpop_gb.indicators.conditions import Condition, parse_condition
from synthpop_gb.indicators.published import published
from synthpop_gb.indicators.question import MEASURES, UNITS, Answers, Question
from synthpop_gb.indicators.shares import share_by_zone
from synthpop_gb.indicators.table import FEW_DONORS, RELIABILITY, UNRELIABLE, Indicators, classify

__all__ = [
    "FEW_DONORS", "MEASURES", "RELIABILITY", "UNITS", "UNRELIABLE", "Answers", "Condition", "Indicators", "Question", "classify",
    "parse_condition", "published", "share_by_zone",
]  # fmt: skip
