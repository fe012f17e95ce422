"""Sobol points made one after another from their direction numbers, shifted by random bits of their own in each dimension.

Point i differs from point i - 1 by the direction numbers of the lowest bit set in i (Gray code order: Antonov & Saleev 1979,
USSR Comput. Math. Math. Phys. 19), so that a point costs one exclusive-or a dimension. The *digital shift* (exclusive-or of all
points with the same random bits; L'Ecuyer & Lemieux 2002) makes each point uniform by itself and leaves the points as evenly
spread as they were, since it maps the dyadic boxes that Sobol points fill evenly onto each other. Skipping to a random place of
the sequence, the other way to tell replicates apart, would use points of the same few thousand again and again.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below

__all__ = ["first_point", "next_point", "unit"]


@njit
def first_point(state, point):
    """Set the first point: the random shift itself.

    state : (1,) uint64, a stream; advanced by two draws a dimension. point : (n_dimensions,) uint32, written.
    """
    for d in range(point.shape[0]):
        high = next_below(state, 65536)
        point[d] = np.uint32(high * 65536 + next_below(state, 65536))


@njit
def next_point(directions, i, point):
    """Turn point i - 1 into point i, for i = 1, 2, ... below 2^n_bits.

    directions : (n_bits, n_dimensions) uint32, by bit of the index: see `methods.sobol_directions`. point : changed in place.
    """
    bit = 0
    while not (i >> bit) & 1:
        bit += 1
    for d in range(point.shape[0]):
        point[d] ^= directions[bit, d]


@njit(inline="always")
def unit(x):
    """Coordinate in (0, 1): the middle of the interval of 2^-32 that these bits name. x: uint32."""
    return (np.float64(x) + 0.5) * 2.0**-32
