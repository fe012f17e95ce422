"""Rezoning: populations and tables brought to other areas by a lookup. People are counted there, never averaged."""

from synthpop_gb.rezoning.fate import Fate, fate
from synthpop_gb.rezoning.incomes import rezone_incomes
from synthpop_gb.rezoning.population import Dealt, deal_out, rezone
from synthpop_gb.rezoning.tables import rezone_table

__all__ = ["Dealt", "Fate", "deal_out", "fate", "rezone", "rezone_incomes", "rezone_table"]
