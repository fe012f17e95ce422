"""Synthesis: a synthetic survey where the real one cannot leave its safe room; frames in, frames out."""

from synthpop_gb.synthesis.resampling import bootstrap, independent_columns, keep_pairs, lose_rare, swap_within_couples

__all__ = ["bootstrap", "independent_columns", "keep_pairs", "lose_rare", "swap_within_couples"]
