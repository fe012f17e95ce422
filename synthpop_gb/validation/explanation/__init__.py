"""Why a zone or an area fits as it does: numbers, causes, remedies, in words and tables."""

from synthpop_gb.validation.explanation.explain import explain, zone_causes
from synthpop_gb.validation.explanation.noun import CAUSES, Explanation

__all__ = ["CAUSES", "Explanation", "explain", "zone_causes"]
