"""A study as a TOML file: what may stand in it (`model`), how it is read (`load`), and a commented draft of one (`draft`)."""

from synthpop_gb.spec.load import ask_for, load_study
from synthpop_gb.spec.model import Study, study_schema

__all__ = ["Study", "ask_for", "load_study", "study_schema"]
