"""What a survey tells of a variable, record by record and region by region: the slow twin of `assessment.features`."""

import itertools
import math

import numpy as np


def main_effects(y, weight, categories):
    """Fit y by the categories of every table, each by itself, and a constant: weighted least squares over the records."""
    columns = [np.ones(len(y))]
    for category in categories:
        columns += [(category == c).astype(float) for c in sorted(set(category.tolist()) - {-1})]
    design = np.stack(columns, 1)
    root = np.sqrt(weight)
    coefficients = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    return design @ coefficients


def describe(base, value, weight, profile, categories, region=None):
    """Describe a variable of few values.

    base, value, weight, profile : one entry a record; categories : by table, each record's cell or -1; region : code or -1.
    Returns a dict of what `Features` holds, profiles in ascending order of their number.
    """
    n_profiles = int(profile.max()) + 1
    mean = sum(w * v for w, v, b in zip(weight, value, base, strict=True) if b) / sum(weight[base])
    u = np.where(base, value - mean, 0.0)
    a = main_effects(u, weight, list(categories.values()))
    steps = sorted(set(u.tolist()))
    square = np.zeros(len(u))  # each record's part of the scale
    for low, high in itertools.pairwise(steps):
        above = (u >= high).astype(float)
        square += (high - low) * (above - main_effects(above, weight, list(categories.values()))) ** 2

    def by_profile(x):
        return np.array([np.average(x[profile == p], weights=weight[profile == p]) for p in range(n_profiles)])

    scale, noise = by_profile(square), by_profile((u - a) ** 2)
    found = {
        "mean": mean,
        "base": by_profile(base.astype(float)),
        "answer": by_profile(base * value),
        "scale": scale,
        "noise": noise,
        "explained": 1 - (weight * (u - a) ** 2).sum() / (weight * u**2).sum(),
        "likeness": {name: _r_squared(u, weight, c) for name, c in categories.items()},
        "region": 0.0,
        "region_error": 0.0,
    }
    if region is not None:
        found["region"], found["region_error"] = _between(u - a, scale[profile], noise[profile], weight, region)
    return found


def _r_squared(u, weight, category):
    centre = np.average(u, weights=weight)
    means = np.array([np.average(u[category == c], weights=weight[category == c]) for c in category])
    return (weight * (means - centre) ** 2).sum() / (weight * (u - centre) ** 2).sum()


def _between(departure, scale, noise, weight, region):
    """DerSimonian & Laird (1986), eq. 8: a region's shift is its departure over its scale, its variance noise over scale^2."""
    shift, precision = [], []
    for r in sorted(set(region.tolist()) - {-1}):
        mine = region == r
        size = (weight * scale)[mine].sum()
        shift.append((weight * departure)[mine].sum() / size)
        precision.append(size**2 / (weight**2 * noise)[mine].sum())
    free = len(shift) - 1
    q = sum(p * s**2 for p, s in zip(precision, shift, strict=True))
    spare = sum(precision) - sum(p**2 for p in precision) / sum(precision)
    return math.sqrt(max((q - free) / spare, 0)), math.sqrt(math.sqrt(2 * free) / spare)


def describe_households(base, value, unit, weight, profile, counts, size):
    """Describe a variable of the members of households: whatever `describe` asks of records is asked of sums over households.

    base, value, unit : one entry a member; weight, profile, size : one a household; counts : by table, (n_households, n_cells)
    members in each cell.
    """
    n, heavy = len(weight), weight[unit]
    mean = (heavy * value)[base].sum() / heavy[base].sum()
    u = np.where(base, value - mean, 0.0)

    def summed(x):
        return np.array([x[unit == h].sum() for h in range(n)])

    def by_profile(x):
        return np.array([np.average(x[profile == p], weights=weight[profile == p]) for p in range(int(profile.max()) + 1)])

    def fitted(y, tables):
        design, root = np.column_stack([*tables, size]).astype(float), np.sqrt(weight)
        return design @ np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]

    total, everything = summed(u), list(counts.values())
    square = np.zeros(n)
    for low, high in itertools.pairwise(sorted(set(u.tolist()))):
        above = summed((u >= high).astype(float))
        square += (high - low) * (above - fitted(above, everything)) ** 2
    noise, overall = (total - fitted(total, everything)) ** 2, (weight * total**2).sum()
    return {
        "mean": mean,
        "variance": (heavy * u**2).sum() / heavy[base].sum(),
        "base": by_profile(summed(base.astype(float))),
        "answer": by_profile(summed(base * value)),
        "scale": by_profile(square),
        "noise": by_profile(noise),
        "explained": 1 - (weight * noise).sum() / overall,
        "likeness": {name: (weight * fitted(total, [c]) ** 2).sum() / overall for name, c in counts.items()},
    }
