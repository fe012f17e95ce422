"""Components of whole households for kernels: one zone, or several with a table of the area above them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import nnls

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.unit_layout import component, unit_layout, unit_work
from synthpop_gb.kernels.unit_pairs import pair_work
from synthpop_gb.kernels.unit_whole import Effort, place_units, placed_units

UNLIMITED = np.iinfo(np.int32).max


@dataclass
class Units:
    """Zones of one component, whose targets the sums of `truth` are.

    counted : (n_profiles, n_cells), the zones' cells first; tables : first cell of each; n_zone_tables : how many are of zones.
    household : (n_tables,) bool; weights, truth : (n_zones, n_profiles); most : (n_zones, n_profiles).
    """

    counted: np.ndarray
    tables: np.ndarray
    n_zone_tables: int
    household: np.ndarray
    weights: np.ndarray
    truth: np.ndarray
    most: np.ndarray

    @property
    def of_households(self):
        return np.repeat(self.household, np.diff(self.tables))

    @property
    def n_own(self):
        return int(self.tables[self.n_zone_tables])

    def layout(self):
        i = Incidence.of_rows(self.counted)
        return unit_layout(i.start, i.cell, i.count, self.tables, self.n_zone_tables, self.household)

    def parts(self):
        n, own = len(self.weights), self.n_own
        place = np.empty((n, self.counted.shape[1]), np.int32)
        place[:, :own] = np.arange(n * own).reshape(n, own)
        place[:, own:] = n * own + np.arange(self.counted.shape[1] - own)
        kinds = np.concatenate([np.tile(self.of_households[:own], n), self.of_households[own:]])
        return component(place, self.targets(self.truth), kinds, self.most)

    def targets(self, counts):
        """Sums of all zones' cells, then of the area's."""
        together = counts @ self.counted
        return np.concatenate([together[:, : self.n_own].reshape(-1), together[:, self.n_own :].sum(axis=0)])

    def place(self, seed, effort=None, work=None):
        """Counts found, and what the kernel says of them."""
        effort, layout, parts = effort or Effort(20_000, 3, 1_000, 5), self.layout(), self.parts()
        work = unit_work(layout, len(self.weights)) if work is None else work
        placed = placed_units(*self.weights.shape, len(parts.target), int(np.ceil(self.weights).sum()) + 40)
        best = np.full(self.weights.shape, -1, np.int32)
        said = place_units(
            self.weights,
            effort,
            parts,
            layout,
            placed,
            best,
            work,
            pair_work(1_000 * len(self.weights)),
            np.array([seed], np.uint64),
        )
        return best, said


@st.composite
def units(draw, most_zones=1, limits=True):
    """1-3 household and 0-3 person tables of few cells, of 2-30 profiles; a table of the area above several zones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_zones, n_profiles = draw(st.integers(1, most_zones)), draw(st.integers(2, 30))
    of_homes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    of_people = draw(st.lists(st.integers(1, 4), min_size=0, max_size=3))
    size = rng.integers(1, 5, n_profiles)
    blocks, household = [], []
    for n in of_homes:
        blocks.append(np.eye(n, dtype=int)[rng.integers(0, n, n_profiles)])
        household.append(True)
    for n in of_people:
        blocks.append(np.stack([np.bincount(rng.integers(0, n, k), minlength=n) for k in size]))
        household.append(False)
    if n_zones > 1:
        blocks.append(np.stack([np.bincount(rng.integers(0, 3, k), minlength=3) for k in size]))
        household.append(False)
    counted = np.unique(np.concatenate(blocks, axis=1), axis=0)
    n_profiles = len(counted)
    truth = rng.poisson(draw(st.sampled_from([0.3, 2.0, 12.0])), (n_zones, n_profiles))
    tables = np.concatenate([[0], np.cumsum([b.shape[1] for b in blocks])])
    limited = limits and draw(st.booleans())
    most = np.maximum(truth + rng.integers(0, 2, truth.shape), 1) if limited else np.full(truth.shape, UNLIMITED)
    made = Units(counted, tables, len(blocks) - (n_zones > 1), np.array(household), np.zeros(0), truth, most.astype(np.int32))
    weights = np.empty(truth.shape)
    for z in range(n_zones):  # near random weights, and of the truth's sums: those between the truth and another exact point
        wanted = truth[z] @ counted
        other = rng.gamma(1.0, size=n_profiles) * truth.mean() * 2
        near = nnls(np.vstack([counted.T * 1e4, np.eye(n_profiles)]), np.concatenate([wanted * 1e4, other]))[0]
        weights[z] = np.minimum(0.5 * truth[z] + 0.5 * near, most[z])
    made.weights = weights
    return made
