"""Reports: a run's checks and an audit as pages that need no network, and maps as pictures."""

from synthpop_gb.report.audit import write_audit
from synthpop_gb.report.maps import draw_map
from synthpop_gb.report.page import write_report

__all__ = ["draw_map", "write_audit", "write_report"]
