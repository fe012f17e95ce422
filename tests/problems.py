"""Problems with labels and donors, from the simulated arrays of `synthpop_gb.datasets`."""

import numpy as np
import pandas as pd

from synthpop_gb.datasets import simulate_problem
from synthpop_gb.problem import Problem, zone_key


def make_problem(
    n_zones=12, n_profiles=30, n_cats=(2, 5, 4), *, seed=1, feasible=True, mean_people=150.0, empty=(), ids="shuffled"
):
    """A problem whose zones have about `mean_people`; the zones at positions `empty` have nobody.

    ids: 'shuffled' whole numbers in no order, 'ascending' whole numbers, 'text', or 'wide' (spread over 60 bits).
    """
    made = simulate_problem(n_profiles, n_zones, n_cats, seed, feasible=feasible, mean_people=mean_people)
    rng = np.random.default_rng(seed)
    n_profiles = len(made.start)  # fewer where `feasible` is False
    donors = rng.integers(1, 4, n_profiles)
    share = rng.uniform(0.5, 2.0, donors.sum())
    first = np.concatenate([[0], np.cumsum(donors)])
    total = np.add.reduceat(share, first[:-1])
    targets = made.targets.astype(float)
    targets[list(empty)] = 0.0
    n_records = int(donors.sum()) + 3  # three records that no profile uses
    numbers = np.sort(rng.choice(np.arange(10_000, 90_000), n_records, replace=False))
    records = {
        "ascending": lambda: numbers,
        "shuffled": lambda: rng.permutation(numbers),
        "text": lambda: [f"h{n}.1" for n in rng.permutation(numbers)],
        "wide": lambda: numbers * (2**60 // 90_000),
    }[ids]()
    zones = pd.Index([f"E{1_000_000 + 7 * z:08d}" for z in range(n_zones)], name="zone")
    return Problem(
        start=made.start,
        cell_of=made.cell_of,
        constraint_start=np.concatenate([[0], np.cumsum(made.n_cats)]),
        targets=targets,
        zone_keys=np.array([zone_key(z) for z in zones], np.uint64),
        donor_start=first,
        donor=rng.permutation(n_records)[: donors.sum()],
        donor_weight=share / np.repeat(total, donors) * np.repeat(made.start, donors),
        zones=zones,
        records=pd.Index(records, name="record"),
        cells=pd.MultiIndex.from_tuples(
            [(f"table {k}", f"category {c}") for k, n in enumerate(made.n_cats) for c in range(n)],
            names=["constraint", "category"],
        ),
    )
