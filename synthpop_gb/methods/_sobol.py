"""Direction numbers of Sobol points, read off SciPy's own points."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["sobol_directions"]


def sobol_directions(n_dimensions: int, n_points: int) -> np.ndarray:
    """Return the direction numbers that `kernels.sobol` makes points of: (n_bits, n_dimensions) uint32, 2^n_bits >= n_points.

    They are those of Joe & Kuo (2008, SIAM J. Sci. Comput. 30), which SciPy has: point 2^j differs from the point before it
    by direction number j. So no table of numbers is kept here, and a test holds them to what they have always been.
    Raises ValueError for more dimensions than SciPy has numbers for, or more than 2^30 points.

    >>> [[f"{v:032b}"[:4] for v in row] for row in sobol_directions(2, 8)]
    [['1000', '1000'], ['0100', '1100'], ['0010', '1010']]
    """
    if n_points > 1 << 30:
        raise ValueError(f"at most 2^30 points can be made, not {n_points:,}")
    bits = max(int(n_points - 1).bit_length(), 1)
    return _directions(n_dimensions, -(-bits // 4) * 4)[:bits]


@cache
def _directions(n_dimensions: int, bits: int) -> np.ndarray:
    from scipy.stats import qmc

    found = []
    for j in range(bits):
        engine = qmc.Sobol(n_dimensions, scramble=False, bits=32)
        if j > 0:
            engine.fast_forward((1 << j) - 1)
        before, after = (np.uint32(engine.random(1)[0] * 2.0**32) for _ in range(2))
        found.append(before ^ after)
    return np.array(found)
