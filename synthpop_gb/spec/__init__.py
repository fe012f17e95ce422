"""Studies and scenarios as TOML files: what may stand in them, how they are read (`toml_file`), a draft of a study."""

from synthpop_gb.spec.load import ask_for, load_study
from synthpop_gb.spec.load_scenario import load_scenario
from synthpop_gb.spec.model import Study, study_schema
from synthpop_gb.spec.scenario import Scenario, scenario_schema

__all__ = ["Scenario", "Study", "ask_for", "load_scenario", "load_study", "scenario_schema", "study_schema"]
