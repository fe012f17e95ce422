"""Connected components of a graph given by its edges: which cells of two tables hang together."""

import numpy as np

__all__ = ["component_of"]


def component_of(left, right, n_nodes):
    """Find the component of each node, named after its lowest node.

    left, right : (n_edges,) int. Ends of each edge, 0 to n_nodes - 1.
    Returns (n_nodes,) int64.

    >>> component_of(np.array([0, 3]), np.array([2, 2]), 5).tolist()
    [0, 1, 0, 0, 4]
    """
    name = np.arange(n_nodes)
    while True:
        before = name.copy()
        np.minimum.at(name, left, name[right])
        np.minimum.at(name, right, name[left])
        if (name == before).all():
            return name
