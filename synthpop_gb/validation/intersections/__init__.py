"""Intersections of several variables: what is invented, missing and misweighted, for whom, where, and beside chance."""

from synthpop_gb.validation.intersections.plan import protected_names
from synthpop_gb.validation.intersections.scan import scan
from synthpop_gb.validation.intersections.survey import survey_codes
from synthpop_gb.validation.intersections.withheld import withhold_few
from synthpop_gb.validation.intersections.zones import scan_zones

__all__ = ["protected_names", "scan", "scan_zones", "survey_codes", "withhold_few"]
