"""Better start weights: own-region donors, two-way smoothing, joints learnt elsewhere, limits on copies; and what judges them."""

from synthpop_gb.assessment.starts.better import BetterStart, better_start
from synthpop_gb.assessment.starts.cross_validation import judged_errors, left_out_errors
from synthpop_gb.assessment.starts.learnt import Learnt

__all__ = ["BetterStart", "Learnt", "better_start", "judged_errors", "left_out_errors"]
