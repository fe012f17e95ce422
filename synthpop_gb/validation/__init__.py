"""Validation: nouns in, Checks out. Is it right, for whom, and how would anything simpler have done."""

from synthpop_gb.validation.audit import audit, audit_population, refused_release
from synthpop_gb.validation.explanation import Explanation, explain
from synthpop_gb.validation.inside_households import household_checks
from synthpop_gb.validation.metrics import (
    effective_number,
    invented,
    misplaced,
    missing,
    nonfitting_cells,
    nonfitting_table,
    percent_wrong,
    r2,
    rssz,
    sae,
    sei,
    srmse,
    tae,
    tvd,
    vw,
    z,
    z_modified,
)
from synthpop_gb.validation.registry import METRICS, register_metric
from synthpop_gb.validation.relaxation import relax
from synthpop_gb.validation.truth import compare_with_truth, true_error
from synthpop_gb.validation.validate import validate
from synthpop_gb.validation.verdicts import WORDS, worst

__all__ = [
    "METRICS",
    "Explanation",
    "WORDS",
    "audit",
    "audit_population",
    "compare_with_truth",
    "effective_number",
    "explain",
    "household_checks",
    "invented",
    "misplaced",
    "missing",
    "nonfitting_cells",
    "nonfitting_table",
    "percent_wrong",
    "r2",
    "refused_release",
    "register_metric",
    "relax",
    "rssz",
    "sae",
    "sei",
    "srmse",
    "tae",
    "true_error",
    "tvd",
    "validate",
    "vw",
    "worst",
    "z",
    "z_modified",
]
