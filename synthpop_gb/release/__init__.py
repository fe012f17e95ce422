"""Release: rules that say what may leave and for whom, and counts withheld and rounded so that they keep to them."""

from synthpop_gb.release._rounding import round_counts, round_values
from synthpop_gb.release._rule import DONOR_IDS, PROFILES, ROUNDING, ReleaseRule, check_release, release_rule
from synthpop_gb.release._tables import release_table
from synthpop_gb.release._withholding import withhold

__all__ = [
    "DONOR_IDS", "PROFILES", "ROUNDING", "ReleaseRule", "check_release", "release_rule", "release_table", "round_counts",
    "round_values", "withhold",
]  # fmt: skip
