"""Where blocks of zones run; of methods it knows only the table."""

from synthpop_gb.execution.solve import solve

__all__ = ["solve"]
