"""Disclosure: whom do synthetic data expose, measured for generated records and, apart, for copies of survey records."""

from synthpop_gb.validation.chance import wilson
from synthpop_gb.validation.disclosure.assess import disclosure
from synthpop_gb.validation.disclosure.attacks import attack_table, inference, linkage, singling_out
from synthpop_gb.validation.disclosure.attribute import attribute, cap, crossed
from synthpop_gb.validation.disclosure.attributes import Guards, attribute_table
from synthpop_gb.validation.disclosure.cloned import cloned_disclosure, zone_uniqueness
from synthpop_gb.validation.disclosure.distance import distance_table, share_closer
from synthpop_gb.validation.disclosure.identity import identity, identity_table
from synthpop_gb.validation.disclosure.limits import Limits
from synthpop_gb.validation.disclosure.rates import residual_risk

__all__ = [
    "Guards", "Limits", "attack_table", "attribute", "attribute_table", "cap", "cloned_disclosure", "crossed", "disclosure",
    "distance_table", "identity", "identity_table", "inference", "linkage", "residual_risk", "share_closer", "singling_out",
    "wilson", "zone_uniqueness",
]  # fmt: skip
