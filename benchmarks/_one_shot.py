"""One process as a user starts it: load records and targets of the ordinary size, solve on one core, say what came out."""

import sys

import numpy as np
from _region import N_CATS, Region, region_problem


def main(path: str) -> None:
    """Solve the problem in an .npz file; prints zones, people and total absolute error."""
    import synthpop_gb as sp

    with np.load(path) as stored:
        cats, weight, targets = stored["cats"], stored["weight"], stored["targets"]
    key = np.ravel_multi_index(tuple(cats.T.astype(np.int64)), N_CATS)
    _, first, profile_of = np.unique(key, return_index=True, return_inverse=True)
    made = Region(cats, weight, targets, np.empty((0, len(first)), np.int16), cats[first], profile_of)
    population = sp.solve(region_problem(made), seed=1, workers=1)
    print(f"{len(population.zones)} zones, {population.people} people, TAE {population.status['remainder'].sum():.0f}")


if __name__ == "__main__":
    main(sys.argv[1])
