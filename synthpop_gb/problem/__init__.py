"""Problem: the waist of the package. Arrays only, checked once, immutable afterwards."""

from synthpop_gb.problem._by_unit import by_unit
from synthpop_gb.problem._problem import Problem, zone_key

__all__ = ["Problem", "by_unit", "zone_key"]
