"""The stages in order: a study in, a checked population in a folder out; and what is done with that folder afterwards."""

from synthpop_gb.pipeline.after import load, map_run, validate_run
from synthpop_gb.pipeline.auditing import Audit, audit_files, audit_run
from synthpop_gb.pipeline.card import card_of, write_pair_card
from synthpop_gb.pipeline.choosing import compare_methods, describe_methods, show_comparison
from synthpop_gb.pipeline.comparing import Comparison, compare
from synthpop_gb.pipeline.demo import run_demo
from synthpop_gb.pipeline.expanding import expand_paths, expand_run
from synthpop_gb.pipeline.explaining import Explained, explain_run
from synthpop_gb.pipeline.exploring import Explored, explore, explore_run
from synthpop_gb.pipeline.indicators import indicator_run
from synthpop_gb.pipeline.inputs import align, check, examine_study, read_inputs
from synthpop_gb.pipeline.rezoning import Rezoned, rezone_run
from synthpop_gb.pipeline.run import Run, run

__all__ = [
    "Audit", "Comparison", "Explained", "Explored", "Rezoned", "Run", "align", "audit_files", "audit_run", "card_of", "check",
    "compare", "compare_methods", "describe_methods", "examine_study", "expand_paths", "expand_run", "explain_run", "explore",
    "explore_run", "indicator_run", "load", "map_run", "read_inputs", "rezone_run", "run", "run_demo", "show_comparison",
    "validate_run", "write_pair_card",
]  # fmt: skip
