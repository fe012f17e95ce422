"""Households that cannot be, or hardly: counted alike in the survey, the population and the truth."""

from __future__ import annotations

import numpy as np

from synthpop_gb.validation.inside_households.distributions import ADULT, couples
from synthpop_gb.validation.inside_households.view import View

__all__ = ["RULES", "broken_rules"]

YOUNGEST_PARENT = 12
"""Years that a parent is at least older than a child by birth."""

RULES = {
    "no adult": f"nobody aged {ADULT} or over",
    "partner under 16": f"one of a couple is under {ADULT}",
    "parent too young": f"a child of the reference that is not {YOUNGEST_PARENT} years younger",
    "two partners": "two partners of one reference",
    "two references": "two references in one household",
}


def broken_rules(view: View) -> dict[str, np.ndarray]:
    """(n_units,) bool by rule: households that break it. Rules that cannot be looked at are left out."""
    found: dict[str, np.ndarray] = {}

    def any_of(rows: np.ndarray) -> np.ndarray:
        return np.bincount(view.unit[rows], minlength=view.n_units) > 0

    if view.years is not None:
        found["no adult"] = (view.size > 0) & ~any_of(~(view.years < ADULT))
        pairs = couples(view)
        if pairs is not None:
            young = np.minimum(view.years[pairs[0]], view.years[pairs[1]]) < ADULT
            found["partner under 16"] = any_of(pairs[0][young])
    if view.role is not None:
        if view.years is not None:
            child = np.flatnonzero(view.role == 2)
            gap = view.years[view.reference[view.unit[child]]] - view.years[child]
            found["parent too young"] = any_of(child[gap < YOUNGEST_PARENT])
        for rule, role in (("two partners", 1), ("two references", 0)):
            found[rule] = np.bincount(view.unit[view.role == role], minlength=view.n_units) > 1
    return found
