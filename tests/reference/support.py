"""Slow twin of kernels/support: strike out the profiles that a nought excludes, see which cells are left."""

import numpy as np


def supported(cell_of, targets):
    found = np.zeros(targets.shape, bool)
    for z, target in enumerate(targets):
        for cells in cell_of:
            mine = cells[cells >= 0]
            if (target[mine] > 0).all():
                found[z, mine] = True
    return found
