"""Project values by counts: sums of many values over who lives in each area, group by group, in one pass over sparse rows."""

from synthpop_gb.kernels._jit import njit

__all__ = ["project_rows"]


@njit
def project_rows(indptr, slot, count, offset, area, entry_start, group, values, out, zone, live):
    """Add up values of everybody in every area, by group.

    A *slot* is what is counted, a profile or a record; its *entries* say what one of it adds to each group.

    indptr      : (n_zones + 1,) int64. Counts of zone z are indptr[z] to indptr[z + 1] - 1.
    slot, count : (nnz,) integers. What is counted in the zone, and how often.
    offset      : (n_zones,) int64. Added to each slot of the zone: where the slots of its class of place begin.
    area        : (n_zones,) int64. Area of each zone, a row of `out`; -1 = none, the zone is passed over.
    entry_start : (n_slots + 1,) int64. Entries of slot s are entry_start[s] to entry_start[s + 1] - 1.
    group       : (n_entries,) int32. Group of each entry; a slot has each group at most once.
    values      : (n_entries, n_values) float64. What one of the slot adds to the group.
    out         : (n_areas, n_groups, n_values) float64. Output: added to.
    zone        : (n_groups, n_values) float64. Work space, nought before and after. A zone is summed by itself, slots in order,
                  then added to its area: the order of sums hangs on nothing else.
    live        : (n_groups,) bool. Work space, False before and after.
    """
    n_groups, n_values = zone.shape
    for z in range(indptr.shape[0] - 1):
        a = area[z]
        if a < 0:
            continue
        for i in range(indptr[z], indptr[z + 1]):
            n = float(count[i])
            s = offset[z] + slot[i]
            for e in range(entry_start[s], entry_start[s + 1]):
                g = group[e]
                live[g] = True
                for v in range(n_values):
                    zone[g, v] += n * values[e, v]
        for g in range(n_groups):
            if live[g]:
                for v in range(n_values):
                    out[a, g, v] += zone[g, v]
                    zone[g, v] = 0.0
                live[g] = False
