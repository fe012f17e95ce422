"""Which wanted cells some record can still fill, once every record with a cell that nobody wants is out of the zone."""

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["supported"]


@njit
def supported(cell_of, targets):
    """Say which cells have a profile none of whose cells has the target nought.

    cell_of : (n_profiles, n_constraints) int32. Cell that each profile is in, numbered across all constraints; -1 = outside.
        Profiles of great weight first make it faster: a zone is done as soon as all its wanted cells are found.
    targets : (n_zones, n_cells) float64, persons.
    Returns (n_zones, n_cells) bool; False for every cell of target nought.

    A cell wanted but not supported cannot be filled in that zone: the other tables exclude each of its records.
    """
    n_zones, n_cells = targets.shape
    found = np.zeros((n_zones, n_cells), np.bool_)
    for z in range(n_zones):
        wanted = 0
        for c in range(n_cells):
            if targets[z, c] > 0.0:
                wanted += 1
        for p in range(cell_of.shape[0]):
            allowed = True
            for k in range(cell_of.shape[1]):
                c = cell_of[p, k]
                if c >= 0 and targets[z, c] <= 0.0:
                    allowed = False
                    break
            if allowed:
                for k in range(cell_of.shape[1]):
                    c = cell_of[p, k]
                    if c >= 0 and not found[z, c]:
                        found[z, c] = True
                        wanted -= 1
                if wanted == 0:
                    break
    return found
