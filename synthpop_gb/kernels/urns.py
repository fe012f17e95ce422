"""Quasirandom integer sampling without a survey: people drawn from tables alone, without replacement, by Sobol points.

Smith, Lovelace & Birkin (2017, JASSS 20(4) 14): each table is an urn of as many people as it counts; coordinate t of a point
draws one from urn t, and the person has what the urns say. All urns are empty in the end, so every margin is met exactly, and
the even spread of the points makes the joint nearly as independent as whole people can be. Where tables share variables, a
person is drawn from those of the later table who have what the earlier one said; as many of them are there as are wanted, since
both tables count them.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.sobol import first_point, next_point, unit

__all__ = ["qis_zones"]


@njit
def qis_zones(targets, parent, lead, group_start, directions, states, people, cells):
    """Draw the people of some zones from their tables.

    targets : (n_zones, n_cells) float64, persons, whole. Cells of all tables, numbered table by table and group by group.
    parent : (n_tables,) int32. Earlier table that shares all that a table shares with earlier ones; -1 where it shares nothing.
    lead : (n_tables, n_cells) int32. Group of table t to which a cell of its parent leads; column 0 where it has no parent.
    group_start : (n_groups + 1,) int32. First cell of each group: the cells of a table that agree on what it shares.
    directions : (n_bits, n_tables) uint32, direction numbers of Sobol points; states : (n_zones,) uint64, streams; advanced.
    people : (n_zones,) int64. How many to draw, what every table of the zone adds up to.
    cells : (sum of people, n_tables) int32. Written: cell of every person in every table, zone by zone.
    """
    n_tables = parent.shape[0]
    point, left = np.zeros(n_tables, np.uint32), np.zeros(targets.shape[1], np.int64)
    in_group = np.zeros(group_start.shape[0] - 1, np.int64)
    row = 0
    for z in range(targets.shape[0]):
        for g in range(in_group.shape[0]):
            in_group[g] = 0
            for c in range(group_start[g], group_start[g + 1]):
                left[c] = np.int64(np.rint(targets[z, c]))
                in_group[g] += left[c]
        first_point(states[z : z + 1], point)
        for i in range(people[z]):
            if i > 0:
                next_point(directions, i, point)
            for t in range(n_tables):
                g = lead[t, 0 if parent[t] < 0 else cells[row, parent[t]]]
                place = np.int64(unit(point[t]) * in_group[g])  # whom of those left, counted from nought
                c = group_start[g]
                while place >= left[c]:
                    place -= left[c]
                    c += 1
                cells[row, t] = c
                left[c] -= 1
                in_group[g] -= 1
            row += 1
