"""Simulation: outcomes of models projected by counts onto areas and groups; reforms and changed populations beside them."""

from synthpop_gb.simulation.beside import beside
from synthpop_gb.simulation.deciles import Deciles
from synthpop_gb.simulation.population_scenarios import Changed, change_population
from synthpop_gb.simulation.project import expanded_donors, project, run_on_everybody
from synthpop_gb.simulation.projections import projected_tables
from synthpop_gb.simulation.shifts import SHIFTED, Shifted, shifted
from synthpop_gb.simulation.simulate import simulate
from synthpop_gb.simulation.steps import Amplify, Balance, Raise, Shift, Step

__all__ = [
    "SHIFTED", "Amplify", "Balance", "Changed", "Deciles", "Raise", "Shift", "Shifted", "Step", "beside", "change_population",
    "expanded_donors", "project", "projected_tables", "run_on_everybody", "shifted", "simulate",
]  # fmt: skip
