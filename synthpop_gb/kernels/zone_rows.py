"""Rows of (zone, donor, people) in any order become sparse rows of zones: scattered by zone, sorted, repeats added up."""

from synthpop_gb.kernels._jit import njit

__all__ = ["merge_zones", "scatter_rows"]


@njit
def scatter_rows(zone, donor, n, place, packed):
    """Put rows where their zone's rows go (a counting sort; Knuth 1998, vol. 3, section 5.2).

    zone, donor : (n_rows,) int32. Rows with zone < 0 or donor < 0 are passed over.
    n      : (n_rows,) int32 people > 0, or (0,) for one person a row.
    place  : (n_zones,) int64. Next free position of each zone; moved on.
    packed : (n_all,) int64. Output: donor * 2^32 + people at each row's position.
    """
    single = n.shape[0] == 0
    for i in range(zone.shape[0]):
        z = zone[i]
        if z < 0 or donor[i] < 0:
            continue
        packed[place[z]] = (donor[i] << 32) | (1 if single else n[i])
        place[z] += 1


@njit
def merge_zones(start, packed, indptr):
    """Sort each zone's rows by donor and add up the people of rows with the same one, moving all to the front.

    start  : (n_zones + 1,) int64. Rows of zone z are packed[start[z]] to packed[start[z + 1] - 1].
    packed : (n_all,) int64, donor * 2^32 + people; overwritten. The first indptr[n_zones] hold the result.
    indptr : (n_zones + 1,) int64. Output: where each zone's rows lie now.

    Returns the largest number of people of one donor in one zone; beyond 2^31 - 1 the packing has overflowed.
    """
    kept = 0
    largest = 0
    indptr[0] = 0
    for z in range(start.shape[0] - 1):
        first, last = start[z], start[z + 1]
        packed[first:last].sort()
        people = 0
        for i in range(first, last):
            people += packed[i] & 0xFFFFFFFF
            donor = packed[i] >> 32
            if i + 1 == last or packed[i + 1] >> 32 != donor:
                largest = max(largest, people)
                packed[kept] = (donor << 32) | people
                kept += 1
                people = 0
        indptr[z + 1] = kept
    return largest
