"""Small problems of the whole-people kernels: random universes, duplicated profiles, people and weights that meet targets."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from synthpop_gb.kernels.layout import whole_layout, whole_work


@dataclass
class Whole:
    """One zone's problem. targets: (n_cells,) margins of `people`, which weights (n_profiles,) meet to `miss` persons."""

    cell_of: np.ndarray
    start: np.ndarray
    weights: np.ndarray
    targets: np.ndarray
    people: np.ndarray
    miss: float

    def layout(self):
        layout = whole_layout(self.cell_of, self.start)
        return layout, whole_work(layout)


def read_only(*arrays):
    """As in a Problem; numba types read-only arrays apart, so tests use what the package uses."""
    for a in arrays:
        a.setflags(write=False)
    return arrays


def rake(weights, cell_of, targets, cycles=300):
    """Iterative proportional fitting, in place of the package's so that these tests stand alone."""
    for _ in range(cycles):
        for row in cell_of:
            inside = row >= 0
            now = np.bincount(row[inside], weights[inside], len(targets)).astype(float)
            factor = np.divide(targets, now, out=np.ones_like(now), where=now > 0)
            weights[inside] *= factor[row[inside]]
    return weights


def make(cell_of, start, people, rng):
    """Weights raked from random ones to the margins of `people`."""
    n_cells = int(start[-1])
    targets = np.zeros(n_cells)
    for row in cell_of:
        targets += np.bincount(row[row >= 0], people[row >= 0], n_cells)
    weights = rake(rng.gamma(0.7, size=len(people)) * (1.0 + (people > 0)) + 1e-9, cell_of, targets)
    fitted = sum(np.bincount(row[row >= 0], weights[row >= 0], n_cells) for row in cell_of)
    miss = float(np.abs(fitted - targets).max(initial=0.0))
    weights, targets = read_only(weights, targets)
    return Whole(cell_of, start, weights, targets, people, miss)


@st.composite
def problems(draw, universes=True, crossed=False):
    """Up to 4 constraints of up to 4 cells; `crossed`: every combination is a profile."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3 if crossed else 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    if crossed:
        cats = np.stack([g.ravel() for g in np.meshgrid(*[np.arange(s) for s in sizes], indexing="ij")])
    else:
        n_profiles = draw(st.integers(1, 25))
        cats = np.stack([rng.integers(0, s, n_profiles) for s in sizes])
    cell_of = (cats + start[:-1, None]).astype(np.int32)
    if universes:
        outside = rng.random(cell_of.shape) < draw(st.sampled_from([0.0, 0.0, 0.3]))
        cell_of[outside] = -1
    people = rng.poisson(rng.gamma(0.5, draw(st.sampled_from([0.2, 2.0, 60.0])), cell_of.shape[1])).astype(np.int64)
    return make(cell_of, start, people, rng)


def random_problem(seed, sizes=(5, 2, 4, 3), n_profiles=60, mean_people=80.0):
    """An ordinary problem: distinct profiles in lexicographic order, everybody in every universe."""
    rng = np.random.default_rng(seed)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    chosen = np.sort(rng.choice(int(np.prod(sizes)), n_profiles, replace=False))
    cats = np.stack(np.unravel_index(chosen, sizes))
    people = rng.poisson(rng.gamma(0.5, 2 * mean_people / n_profiles, n_profiles)).astype(np.int64)
    return make((cats + start[:-1, None]).astype(np.int32), start, people, rng)
