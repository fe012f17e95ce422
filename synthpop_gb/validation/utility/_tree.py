"""A classification tree pruned as CART prunes: grown large, then cut back to where each further leaf pays its price.

scikit-learn grows the tree and prunes it, if asked, by impurity. The trees of rpart, on which the published experience with CART
propensities rests, are pruned by misclassification: a subtree is kept if every leaf beyond the first puts at least cp times the
root's misclassified weight right. That is done here.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.validation.utility._sides import part

__all__ = ["leaves", "ordered_codes", "pruned_nodes"]


def leaves(columns: np.ndarray, synthetic: np.ndarray, weight: np.ndarray, *, cp: float, smallest: int, seed: int) -> np.ndarray:
    """Leaf of each record in a pruned tree that tells synthetic records from real ones.

    Parameters
    ----------
    columns : numpy.ndarray
        (n, p) numbers, none missing; categories in an order that makes sense for the split.
    synthetic : numpy.ndarray
        (n,) bool.
    weight : numpy.ndarray
        (n,) float64 > 0.
    cp, smallest : float, int
        Price of a leaf as a share of the root's misclassified weight; fewest records in a leaf (three times as many to be split).
    seed : int
        Breaks ties between equally good splits.

    Returns
    -------
    numpy.ndarray
        (n,) int64 number of the node of the pruned tree in which a record ends.
    """
    (grower,) = part("sklearn.tree", "DecisionTreeClassifier")
    tree = grower(min_samples_leaf=smallest, min_samples_split=max(3 * smallest, 2), random_state=seed & 0x7FFFFFFF)
    tree.fit(columns, synthetic, sample_weight=weight)
    grown = tree.tree_
    at = tree.apply(columns)
    right = np.bincount(at, weight * synthetic, minlength=grown.node_count)
    wrong = np.bincount(at, weight * ~synthetic, minlength=grown.node_count)
    return pruned_nodes(grown.children_left, grown.children_right, wrong, right, cp)[at]


def pruned_nodes(left: np.ndarray, right: np.ndarray, first: np.ndarray, second: np.ndarray, cp: float) -> np.ndarray:
    """For each node of a grown tree, the leaf of the pruned tree that it belongs to.

    The pruned tree is the smallest that minimises misclassified weight + cp x (root's misclassified weight) x leaves
    (Breiman et al. 1984, section 3.3).

    Parameters
    ----------
    left, right : numpy.ndarray
        (n_nodes,) int: children, -1 in leaves; a parent has a smaller number than its children.
    first, second : numpy.ndarray
        (n_nodes,) float64: weight of each class that ends in a node; 0 in inner ones.

    Returns
    -------
    numpy.ndarray
        (n_nodes,) int64.

    >>> left, right = np.array([1, -1, -1]), np.array([2, -1, -1])
    >>> pruned_nodes(left, right, np.array([0, 9.0, 1]), np.array([0, 1.0, 9]), cp=0.1).tolist()
    [0, 1, 2]
    >>> pruned_nodes(left, right, np.array([0, 6.0, 4]), np.array([0, 5.0, 5]), cp=0.2).tolist()  # one of ten right
    [0, 0, 0]
    """
    weight = [first.tolist(), second.tolist()]
    a, b = left.tolist(), right.tolist()
    n = len(a)
    for node in range(n - 1, -1, -1):  # children first
        if a[node] >= 0:
            for w in weight:
                w[node] = w[a[node]] + w[b[node]]
    risk = [min(x, y) for x, y in zip(*weight, strict=True)]
    price = cp * risk[0]
    best = [0.0] * n
    cut = [False] * n
    for node in range(n - 1, -1, -1):
        alone = risk[node] + price
        apart = best[a[node]] + best[b[node]] if a[node] >= 0 else alone
        cut[node] = apart >= alone - 1e-9 * risk[0]
        best[node] = min(alone, apart)
    belongs = list(range(n))
    for node in range(n):  # parents first
        if a[node] >= 0 and (cut[node] or belongs[node] != node):
            belongs[a[node]] = belongs[b[node]] = belongs[node]
    return np.array(belongs, np.int64)


def ordered_codes(codes: np.ndarray, synthetic: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rank categories by their share of synthetic weight: the order in which the best split of two classes is a cut.

    Breiman et al. (1984), theorem 4.5, holds at the root; within a node the order stays the root's.

    >>> ordered_codes(np.array([0, 0, 1, 2]), np.array([True, True, False, True]), np.array([1.0, 1, 1, 1])).tolist()
    [1.0, 1.0, 0.0, 2.0]
    """
    total = np.bincount(codes, weight)
    share = np.bincount(codes, weight * synthetic, minlength=len(total)) / np.where(total > 0, total, 1.0)
    rank = np.empty(len(total))
    rank[np.argsort(share, kind="stable")] = np.arange(len(total))
    return rank[codes]
