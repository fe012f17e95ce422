"""Reports: a run's checks and an audit as pages that need no network, and maps as pictures."""

from synthpop_gb.report.audit import write_audit
from synthpop_gb.report.bivariate import draw_bivariate
from synthpop_gb.report.drawing import Drawing
from synthpop_gb.report.maps import draw_change, draw_map, draw_multiples, draw_pair
from synthpop_gb.report.page import write_report

__all__ = [
    "Drawing", "draw_bivariate", "draw_change", "draw_map", "draw_multiples", "draw_pair", "write_audit", "write_report",
]  # fmt: skip
