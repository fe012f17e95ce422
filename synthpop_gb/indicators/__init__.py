"""Indicators: the share of people in each zone who meet a condition such as "health in ('bad', 'very bad') and age >= 65"."""

from synthpop_gb.indicators.conditions import Condition, parse_condition
from synthpop_gb.indicators.shares import share_by_zone

__all__ = ["Condition", "parse_condition", "share_by_zone"]
