"""What would mend a cell without donors: the neighbour in its own table that it is best merged with."""

from __future__ import annotations

import numpy as np

from synthpop_gb.validation.explanation.counted import Counted
from synthpop_gb.validation.explanation.donors import Support, number_told

__all__ = ["merging", "partner_of"]


def partner_of(labels: list[tuple[str, ...]], cell: int, donors: np.ndarray) -> tuple[int, int] | None:
    """Find the variable and the cell to merge with: differing in one variable, a neighbour in its order, with most donors.

    labels : label of every variable, by cell; cell : which one; donors : (n_cells,) donors of each.
    Returns (position of the variable, cell), or None where no cell that differs in one variable has a donor. Neighbours in the
    table's order come first, since categories are mostly ordered; then any other.

    >>> partner_of([("good",), ("fair",), ("bad",)], 2, np.array([9, 4, 0]))
    (0, 1)
    """
    mine, best = labels[cell], None
    for variable in range(len(mine)):
        order = list(dict.fromkeys(key[variable] for key in labels))
        for other, key in enumerate(labels):
            if (
                other == cell
                or donors[other] <= 0
                or any(a != b for i, (a, b) in enumerate(zip(key, mine, strict=True)) if i != variable)
            ):
                continue
            apart = abs(order.index(key[variable]) - order.index(mine[variable]))
            rank = (min(apart, 2), -float(donors[other]))
            if best is None or rank < best[0]:
                best = rank, (variable, other)
    return None if best is None else best[1]


def merging(counted: Counted, cell: int, support: Support) -> str:
    """Say in a sentence which two categories to merge, as the study file would."""
    k = int(counted.tables[cell])
    table, first = counted.aligned.constraints[k], int(counted.problem.constraint_start[k])
    keys = [tuple(map(str, key)) if isinstance(key, tuple) else (str(key),) for key in table.targets.columns]
    here = support.here[first : first + len(keys)]
    found = partner_of(keys, cell - first, here)
    if found is None:
        return f"No other category of {table.name} has donors here: leave the table out, or look at its coding."
    variable, other = found
    name, mine, theirs = table.variables[variable], keys[cell - first][variable], keys[other][variable]
    where = f"donors in the other: {number_told(counted, support.here[first + other])}"
    if name == "age":
        return f"Merge the age bands {theirs} and {mine} (`recode.age.bands` in the study): {where}."
    return f"Merge {theirs!r} and {mine!r} of {name.replace('_', ' ')} (`recode.{name}.merge` in the study): {where}."
