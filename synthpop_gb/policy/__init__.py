"""Policy: a model runs once per donor and class of place; the population's counts turn its outcomes into figures of areas."""

from synthpop_gb.policy._differences import place_differences
from synthpop_gb.policy._donors import Donors, donors_of
from synthpop_gb.policy._hooks import places_for, prepared
from synthpop_gb.policy._lines import PovertyLine, poverty_line
from synthpop_gb.policy._model import (
    BASELINE,
    PolicyModel,
    as_model,
    get_policy_model,
    policy_models,
    register_policy_model,
)
from synthpop_gb.policy._outcomes import Outcomes
from synthpop_gb.policy._places import Places
from synthpop_gb.policy._run import run_model
from synthpop_gb.policy._simulation import CHANGES, SHARES, Simulation
from synthpop_gb.policy.probe import Probe, probe

__all__ = [
    "BASELINE", "CHANGES", "SHARES", "Donors", "Outcomes", "Places", "PolicyModel", "PovertyLine", "Probe", "Simulation",
    "as_model", "donors_of", "get_policy_model", "place_differences", "places_for", "policy_models", "poverty_line", "prepared",
    "probe",
    "register_policy_model", "run_model",
]  # fmt: skip
