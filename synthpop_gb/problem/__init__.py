"""Problem: the waist of the package. Arrays only, checked once, immutable afterwards."""

from synthpop_gb.problem._problem import Problem, zone_key

__all__ = ["Problem", "zone_key"]
