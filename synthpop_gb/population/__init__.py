"""Population: whole people by zone and profile, what became of each zone, and the donors they are copied from."""

from synthpop_gb.population._donors import DonorCounts, digest_counts, id_order, sort_by_id, zone_digests
from synthpop_gb.population._population import STATUS_COLUMNS, Population

__all__ = ["STATUS_COLUMNS", "DonorCounts", "Population", "digest_counts", "id_order", "sort_by_id", "zone_digests"]
