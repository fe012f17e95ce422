"""Entity tables: a population of whole households as the persons, benefit units and households that other models read."""

from synthpop_gb.export.entity_tables.euromod import euromod
from synthpop_gb.export.entity_tables.openfisca import openfisca
from synthpop_gb.export.entity_tables.simpaths import simpaths

__all__ = ["euromod", "openfisca", "simpaths"]
