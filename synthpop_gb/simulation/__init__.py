"""Simulation: policy models run once per donor and projected by counts; reforms and population scenarios beside the baseline."""

from synthpop_gb.simulation.population_scenarios import Changed, change_population
from synthpop_gb.simulation.steps import Amplify, Balance, Raise, Shift, Step

__all__ = ["Amplify", "Balance", "Changed", "Raise", "Shift", "Step", "change_population"]
