"""Slow twin of kernels/zone_rows.py: a dictionary of dictionaries."""


def merged(zone, donor, n):
    """Return {zone: [(donor, people), ...]} with donors ascending; rows without a zone or donor are passed over."""
    found = {}
    for z, d, m in zip(zone, donor, n, strict=True):
        if z >= 0 and d >= 0:
            there = found.setdefault(int(z), {})
            there[int(d)] = there.get(int(d), 0) + int(m)
    return {z: sorted(there.items()) for z, there in found.items()}
