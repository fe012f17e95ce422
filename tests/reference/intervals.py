"""Intervals from tables left out, cell by cell: the slow twin of `assessment.intervals`.

Every cell is a dict: t its table, e its error and s2 the variance of sampling in every zone, v its scale in every zone, reg and
dl the deviation between regions and the error of that, R2 what the tables explain, mean its share of the survey. An outcome is a
dict of v, reg, dl and like, its R squared on every table.
"""

import math


def quantile(values, weights, level):
    """Least value at which the weight reached is `level` of all."""
    pairs = sorted((v, w) for v, w in zip(values, weights, strict=True) if math.isfinite(v))
    total, reached = sum(w for _, w in pairs), 0.0
    for value, weight in pairs:
        reached += weight
        if reached >= level * total * (1 - 1e-12):
            return value
    return 0.0


class Rule:
    """Learn from cells; `z` is the normal quantile that an interval of the level is wide."""

    def __init__(self, cells, regions, level, z):
        taught = [c for c in cells if c["R2"] < 0.98 and c["mean"] >= 0.003] or cells
        self.cells, self.regions, self.level = taught, regions, level
        self.zones = range(len(cells[0]["e"]))
        self.vote = [1 / sum(o["t"] == c["t"] for o in taught) for c in taught]
        asked = [[max((c["e"][i] / z) ** 2 - c["s2"][i], 0) / (self.g(c) * c["v"][i]) ** 2 for i in self.zones] for c in taught]
        flat = [a for row in asked for a in row]
        common = quantile(flat, [w for w in self.vote for _ in self.zones], level)
        self.surprise = [
            [min(abs(c["e"][i]) / math.sqrt(c["s2"][i] + common * (self.g(c) * c["v"][i]) ** 2), 5.0) for i in self.zones]
            for c in taught
        ]
        self.zone = self.factor(lambda c: True)
        self.asked = []
        for c, row in zip(taught, asked, strict=True):
            own = self.factor(lambda o, c=c: o["t"] != c["t"])
            self.asked.append([a / own[i] ** 2 for i, a in enumerate(row)])

    def g(self, c):
        """How much an outcome that differs between regions differs between zones."""
        return (c["reg"] ** 2 + c["dl"] ** 2 + 0.03**2) ** 0.3 if self.regions else 1.0

    def factor(self, wanted):
        """Factor of every zone, from the cells wanted. Zones whose errors are unknown have 1."""
        chosen = [(w, s) for w, s, c in zip(self.vote, self.surprise, self.cells, strict=True) if wanted(c)]
        mean = {}
        for i in self.zones:
            known = [(w, s[i]) for w, s in chosen if math.isfinite(s[i])]
            if known:
                mean[i] = sum(w * s for w, s in known) / sum(w for w, _ in known)
        if not mean:
            return [1.0 for _ in self.zones]
        middle = sum(mean.values()) / len(mean)
        return [min(max((mean[i] / middle) ** 0.5, 0.5), 3.0) if i in mean else 1.0 for i in self.zones]

    def kappa(self, y, like=None):
        """Find the factor of an outcome."""
        weights = [
            w * (0.02 + (1.0 if c["t"] == like else y["like"].get(c["t"], 0.0)))
            for w, c in zip(self.vote, self.cells, strict=True)
        ]
        flat, by = [a for row in self.asked for a in row], [w for w in weights for _ in self.zones]
        return math.sqrt(quantile(flat, by, self.level))

    def deviation(self, y, like=None):
        """Standard deviation of an outcome's model error in every zone."""
        return [self.kappa(y, like) * self.g(y) * y["v"][i] * self.zone[i] for i in self.zones]
