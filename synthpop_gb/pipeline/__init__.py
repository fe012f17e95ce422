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
from synthpop_gb.pipeline.exporting import Writer, export_run, export_writers, register_writer
from synthpop_gb.pipeline.indicators import indicator_run
from synthpop_gb.pipeline.inputs import align, check, examine_study, read_inputs
from synthpop_gb.pipeline.rezoning import Rezoned, rezone_run
from synthpop_gb.pipeline.run import Run, run
from synthpop_gb.pipeline.simulating import Simulated, simulate_run

__all__ = [
    "Audit", "Comparison", "Explained", "Explored", "Rezoned", "Run", "Simulated", "Writer", "align", "audit_files",
    "audit_run", "card_of", "check", "compare", "compare_methods", "describe_methods", "examine_study", "expand_paths",
    "expand_run", "explain_run", "explore", "explore_run", "export_run", "export_writers", "indicator_run", "load", "map_run",
    "read_inputs", "register_writer", "rezone_run", "run", "run_demo", "show_comparison", "simulate_run", "validate_run",
    "write_pair_card",
]  # fmt: skip
