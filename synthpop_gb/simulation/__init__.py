"""Simulation: a policy model's outcomes, projected by counts onto areas and groups, with intervals."""

from synthpop_gb.simulation.simulate import simulate

__all__ = ["simulate"]
