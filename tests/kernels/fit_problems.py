"""Small problems of the fitting kernels: universes, duplicated and weightless profiles, empty zones, targets of any size."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from tests.reference import ipf as twin


@dataclass
class Fit:
    """A problem and targets that weights can meet exactly, because they are the margins of some."""

    start: np.ndarray
    cell_of: np.ndarray
    constraint_start: np.ndarray
    targets: np.ndarray

    @property
    def arrays(self):
        """What `fit_layout` takes."""
        return self.start, self.cell_of, self.constraint_start

    def margins(self, weights):
        """(n_zones, n_cells) of (n_zones, n_profiles)."""
        return np.array([twin.margins(self.cell_of, w, self.targets.shape[1]) for w in weights])


@st.composite
def problems(draw, outside=True, whole=None, tilt=0.5):
    """Problems with 1-5 constraints of 1-5 cells, 1-40 profiles and 1-9 zones; in every third draw one zone is empty."""
    sizes = np.array(draw(st.lists(st.integers(1, 5), min_size=1, max_size=5)))
    n_profiles, n_zones = draw(st.integers(1, 40)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    cell_of = (bounds[:-1, None] + rng.integers(0, sizes[:, None], (len(sizes), n_profiles))).astype(np.int32)
    if outside and draw(st.booleans()):
        cell_of[1:][rng.random((len(sizes) - 1, n_profiles)) < 0.3] = -1
    scale = draw(st.sampled_from([1.0, 1e-3, 1e6]))
    start = scale * rng.lognormal(0, 0.8, n_profiles)
    start[rng.random(n_profiles) < 0.1] = 0.0
    start[0] = scale
    people = draw(st.sampled_from([0.5, 30.0, 1500.0, 1e6]))
    whole = draw(st.booleans()) if whole is None else whole
    weights = np.empty((n_zones, n_profiles))
    for z in range(n_zones):
        share = start * np.exp(rng.normal(0, tilt, bounds[-1] + 1)[cell_of].sum(axis=0) + rng.normal(0, 0.3, n_profiles))
        share /= share.sum()
        weights[z] = rng.multinomial(int(people) + 1, share) if whole else people * share
    if draw(st.integers(0, 2)) == 0:
        weights[draw(st.integers(0, n_zones - 1))] = 0.0
    problem = Fit(start, cell_of, bounds, np.empty((n_zones, bounds[-1])))
    problem.targets = problem.margins(weights)
    return problem
