"""Who is alone in a zone: people by combination of known attributes, zone by zone, in one pass over the donors."""

from synthpop_gb.kernels._jit import njit

__all__ = ["unique_in_zones"]


@njit
def unique_in_zones(indptr, record, n, key_of, limits, few, people, zones, squares, largest, alike, tally, touched):
    """Count, in every zone, people who share their combination of keys with few others.

    indptr    : (n_zones + 1,) int64. Rows of zone z are indptr[z] to indptr[z + 1] - 1.
    record, n : (n_rows,) int32. Donor, and how many people were copied from it, > 0; each donor at most once in a zone.
    key_of    : (n_records,) int32. Combination of keys of each record; -1 = left out.
    limits    : (n_limits,) int64, e.g. 2, 3, 5, 10.
    few       : (n_zones, n_limits) int64. Output: people whose combination fewer than `limits` people of the zone have.
    people, zones, squares, largest : (n_keys,) int64. Added to, or raised: people with the combination, zones that have
                somebody with it, sum over zones of its squared people, most people of one zone.
    alike     : (n_records,) int64. Added to: sum over zones of (copies of the record) x (people of the zone with its keys).
    tally     : (n_keys,) int64. Work space, all zero before and after. touched : (n_keys,) int32. Work space.

    With k = people[c], squares[c] / k^2 is the chance that two people with the combination live in one zone, and
    alike[r] / (copies[r] * k) that a copy of r and a person with the combination do.
    """
    for z in range(indptr.shape[0] - 1):
        n_touched = 0
        for i in range(indptr[z], indptr[z + 1]):
            c = key_of[record[i]]
            if c < 0:
                continue
            if tally[c] == 0:
                touched[n_touched] = c
                n_touched += 1
            tally[c] += n[i]
        for q in range(limits.shape[0]):
            few[z, q] = 0
        for i in range(indptr[z], indptr[z + 1]):
            c = key_of[record[i]]
            if c >= 0:
                alike[record[i]] += n[i] * tally[c]
        for i in range(n_touched):
            c = touched[i]
            t = tally[c]
            for q in range(limits.shape[0]):
                if t < limits[q]:
                    few[z, q] += t
            people[c] += t
            zones[c] += 1
            squares[c] += t * t
            largest[c] = max(largest[c], t)
            tally[c] = 0
