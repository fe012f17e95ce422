"""Reports: a run's checks as one page that needs no network, and maps as pictures."""

from synthpop_gb.report.maps import draw_map
from synthpop_gb.report.page import write_report

__all__ = ["draw_map", "write_report"]
