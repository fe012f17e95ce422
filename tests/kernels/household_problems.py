"""Small problems of whole households for kernels: tables of households and of people, cells in several universes."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from synthpop_gb.incidence import Incidence


@dataclass
class Homes:
    """Distinct households with start weights, and targets that weights can meet exactly, because they are the sums of some."""

    counted: np.ndarray  # (n_profiles, n_cells)
    start: np.ndarray
    constraint_start: np.ndarray
    targets: np.ndarray
    truth: np.ndarray  # (n_zones, n_profiles) weights behind the targets

    @property
    def incidence(self):
        return Incidence.of_rows(self.counted)

    @property
    def rows(self):
        """The incidence as kernels take it."""
        i = self.incidence
        return i.start, i.cell, i.count


@st.composite
def households(draw, whole=None, tilt=0.4, most_zones=5):
    """1-3 household tables of 1-4 cells, 0-3 person tables of 1-5 cells, 1-40 profiles; every third draw has an empty zone."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    of_homes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    of_people = draw(st.lists(st.integers(1, 5), min_size=0, max_size=3))
    n_profiles, n_zones = draw(st.integers(1, 40)), draw(st.integers(1, most_zones))
    size = rng.integers(1, 6, n_profiles)
    blocks = []
    for n in of_homes:
        block = np.zeros((n_profiles, n), int)
        block[np.arange(n_profiles), rng.integers(0, n, n_profiles)] = 1
        blocks.append(block)
    for n in of_people:
        inside = size if draw(st.booleans()) else rng.integers(0, size + 1)  # a universe that some members are in
        blocks.append(np.stack([np.bincount(rng.integers(0, n, k), minlength=n) for k in inside]))
    counted = np.unique(np.concatenate(blocks, axis=1), axis=0)
    start = rng.lognormal(0, 0.8, len(counted)) * draw(st.sampled_from([1.0, 1e-2, 1e4]))
    start[1:][rng.random(len(start) - 1) < 0.1] = 0.0
    homes = draw(st.sampled_from([3.0, 60.0, 650.0, 1e5]))
    whole = draw(st.booleans()) if whole is None else whole
    truth = np.empty((n_zones, len(counted)))
    for z in range(n_zones):
        share = start * np.exp(np.clip(counted @ rng.normal(0, tilt, counted.shape[1]), -4, 4))
        share /= share.sum()
        truth[z] = rng.multinomial(int(homes), share) if whole else homes * share
    if draw(st.integers(0, 2)) == 0:
        truth[draw(st.integers(0, n_zones - 1))] = 0.0
    bounds = np.concatenate([[0], np.cumsum([*of_homes, *of_people])]).astype(np.int32)
    return Homes(counted, start, bounds, truth @ counted, truth)
