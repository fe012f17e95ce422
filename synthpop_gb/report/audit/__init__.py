"""The audit's page: for whom and for what synthetic data are right, in words, pictures and tables."""

from synthpop_gb.report.audit.page import write_audit

__all__ = ["write_audit"]
