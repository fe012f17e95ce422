"""The codes of findings: each declared once with its usual level, reason and remedy, so that a message is worded one way."""

from synthpop_gb.errors._inputs import INPUTS
from synthpop_gb.errors._meaning import Meaning
from synthpop_gb.errors._policy import POLICY
from synthpop_gb.errors._results import RESULTS

__all__ = ["CODES", "Meaning"]

CODES: dict[str, Meaning] = INPUTS | RESULTS | POLICY
"""Every code; no code is declared twice."""
