"""Synthesis: a synthetic survey where the real one cannot leave its safe room; frames in, frames out."""

from synthpop_gb.synthesis.conditionals import Settings
from synthpop_gb.synthesis.distributions import Distributions, draw_within, fit_distributions
from synthpop_gb.synthesis.joint_normal import JointNormal, fit_joint_normal
from synthpop_gb.synthesis.resampling import bootstrap, independent_columns, keep_pairs, lose_rare, swap_within_couples
from synthpop_gb.synthesis.sequential import sequential

__all__ = [
    "Distributions", "JointNormal", "Settings", "bootstrap", "draw_within", "fit_distributions", "fit_joint_normal",
    "independent_columns", "keep_pairs", "lose_rare", "sequential", "swap_within_couples",
]  # fmt: skip
