"""Better starts by their formulas, one donor, profile or cell at a time. Slow, checkable."""

import itertools

import numpy as np


def blended_weights(weight, donor_region, zone_region, strength):
    """Donors' start weights in a zone: 1 - b of everybody, b of the zone's region scaled to the total of all."""
    own = sum(w for w, r in zip(weight, donor_region, strict=True) if r == zone_region)
    if own == 0:
        return np.array(weight, float)
    scale = sum(weight) / own
    return np.array(
        [w * ((1 - strength) + strength * scale * (r == zone_region)) for w, r in zip(weight, donor_region, strict=True)]
    )


def two_way_fit(start, features, cycles=2000):
    """Log-linear model of all two-way margins by iterative proportional fitting, cell by cell, from equal weights."""
    weights = np.full(len(start), start.sum() / len(start))
    for _ in range(cycles):
        for a, b in itertools.combinations(range(len(features)), 2):
            for x, y in set(zip(features[a].tolist(), features[b].tolist(), strict=True)):
                mine = (features[a] == x) & (features[b] == y)
                if weights[mine].sum() > 0:
                    weights[mine] *= start[mine].sum() / weights[mine].sum()
    return weights


def ridge(design, response, weight, penalty):
    """Intercept and coefficients by least squares on the data with rows of penalty added (Marquardt 1970)."""
    root = np.sqrt(weight)
    n = design.shape[1]
    rows = np.vstack([root[:, None] * np.column_stack([np.ones(len(design)), design]),
                      np.column_stack([np.zeros(n), np.sqrt(penalty * weight.sum()) * np.eye(n)])])  # fmt: skip
    found = np.linalg.lstsq(rows, np.concatenate([root * response, np.zeros(n)]), rcond=None)[0]
    return found[0], found[1:]
