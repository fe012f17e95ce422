"""Count people again: who lives in each zone, table by table, from nothing but donors and how often each was placed."""

from synthpop_gb.kernels._jit import njit

__all__ = ["recount_zones"]


@njit
def recount_zones(indptr, record, n, class_of, slot_start, slot, counts, reuse, copies, zones_used, placed, tally, seen, touched):
    """Add up every table of every zone, and how each zone uses its donors, in one pass over the donors.

    indptr     : (n_zones + 1,) int64. Rows of zone z are indptr[z] to indptr[z + 1] - 1; a record may have several rows in
                 a zone.
    record, n  : (n_rows,) int32. Donor, and how many people were copied from it; rows with n <= 0 are passed over.
    class_of   : (n_records,) int32. Class of each record: records alike in every table counted.
    slot_start : (n_classes + 1,) int64, slot : (n_slots,) int32. Columns of `counts` that a member of each class adds to.
    counts     : (n_zones, n_columns) int64, zeroed by the caller. Output: people.
    reuse      : (n_zones, 4) int64. Output: people, distinct donors, people of the most used donor, sum of squared people
                 by donor.
    copies, zones_used : (n_records,) int64. Added to: people copied from each record, and in how many zones it was used.
    placed     : (n_records,) int64, tally : (n_classes,) int64. Work space, all zero before and after.
    seen       : (n_records,) int32, touched : (n_classes,) int32. Work space.
    """
    for z in range(indptr.shape[0] - 1):
        n_seen = 0
        n_touched = 0
        for i in range(indptr[z], indptr[z + 1]):
            m = n[i]
            if m <= 0:
                continue
            r = record[i]
            c = class_of[r]
            if placed[r] == 0:
                seen[n_seen] = r
                n_seen += 1
            placed[r] += m
            if tally[c] == 0:
                touched[n_touched] = c
                n_touched += 1
            tally[c] += m
        for i in range(n_touched):
            c = touched[i]
            for k in range(slot_start[c], slot_start[c + 1]):
                counts[z, slot[k]] += tally[c]
            tally[c] = 0
        people = 0
        largest = 0
        squares = 0
        for i in range(n_seen):
            r = seen[i]
            m = placed[r]
            people += m
            squares += m * m
            largest = max(largest, m)
            copies[r] += m
            zones_used[r] += 1
            placed[r] = 0
        reuse[z, 0] = people
        reuse[z, 1] = n_seen
        reuse[z, 2] = largest
        reuse[z, 3] = squares
