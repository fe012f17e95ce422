"""Population: whole people by zone and profile, what became of each zone, and the donors they are copied from."""

from synthpop_gb.population._donors import DonorCounts, digest_counts, id_order, sort_by_id, with_members, zone_digests
from synthpop_gb.population._population import STATUS_COLUMNS, Population, counted_units
from synthpop_gb.population._replicates import SOURCES, Replicates, bootstrap_multipliers, resampled
from synthpop_gb.population._zone_donors import ZoneDonors

__all__ = [
    "SOURCES", "STATUS_COLUMNS", "DonorCounts", "Population", "Replicates", "ZoneDonors", "bootstrap_multipliers",
    "counted_units", "digest_counts", "id_order", "resampled", "sort_by_id", "with_members", "zone_digests",
]  # fmt: skip
