"""What needs refitting: how wrong a population is where no table says, by leaving tables out; and methods side by side."""

from synthpop_gb.assessment.compare import Candidate, compare_methods, default_candidates

__all__ = ["Candidate", "compare_methods", "default_candidates"]
