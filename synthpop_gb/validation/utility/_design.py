"""Design matrices: variables of both sides as the columns that linear models read, the same on either side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synthpop_gb.validation.utility._sides import Sides, size_of

__all__ = ["Design", "design", "with_products"]


@dataclass(frozen=True, eq=False)
class Design:
    """Columns of a linear model without the intercept.

    Attributes
    ----------
    labels : tuple of (str, str)
        Variable and what the column says of it: a category, 'missing', or '' for a number.
    real, synthetic : numpy.ndarray
        (n, p) float64.
    """

    labels: tuple[tuple[str, str], ...]
    real: np.ndarray
    synthetic: np.ndarray


def design(both: Sides, names: tuple[str, ...], rows: tuple[np.ndarray, np.ndarray], *, most_categories: int = 50) -> Design:
    """Build the design of some variables for some rows of each side.

    A number is one column in standard deviations from its real mean, missing set to the mean with a column 'missing' of its own.
    A category has a column for each value but the most frequent real one, missing being a value; beyond `most_categories` the
    rarest real ones are taken together. Columns that nobody on either side varies in are left out.
    """
    labels, columns = [], ([], [])
    for name in names:
        made = (
            _number(both, name, rows)
            if both.pair.variable(name).kind == "number"
            else _category(both, name, rows, most_categories)
        )
        for said, *sides in made:
            first = next((c[0] for c in sides if len(c)), 0.0)
            if any((c != first).any() for c in sides):
                labels.append((name, said))
                for out, column in zip(columns, sides, strict=True):
                    out.append(column)
    stacked = [np.stack(c, axis=1) if c else np.empty((len(r), 0)) for c, r in zip(columns, rows, strict=True)]
    return Design(tuple(labels), *stacked)


def with_products(made: Design, most: int) -> Design | int:
    """Add the products of columns of different variables; where that gives more than `most` columns, return how many."""
    pairs = [(i, j) for i, j in combinations(range(len(made.labels)), 2) if made.labels[i][0] != made.labels[j][0]]
    if len(pairs) + len(made.labels) > most:
        return len(pairs) + len(made.labels)
    labels = [(f"{made.labels[i][0]} x {made.labels[j][0]}", f"{made.labels[i][1]} x {made.labels[j][1]}") for i, j in pairs]
    sides = [np.concatenate([x, *(x[:, [i]] * x[:, [j]] for i, j in pairs)], axis=1) for x in (made.real, made.synthetic)]
    return Design((*made.labels, *labels), *sides)


def _number(both: Sides, name: str, rows) -> list[tuple]:
    known = both.pair.real[name].to_numpy()
    known = known[np.isfinite(known)]
    size = size_of(known)
    known = known / size
    mean, sd = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
    values = [side[name].to_numpy()[r] / size for side, r in zip((both.pair.real, both.pair.synthetic), rows, strict=True)]
    gone = [~np.isfinite(v) for v in values]
    spread = sd if sd > 0 else 1.0
    far = 1e6  # real standard deviations: squares of what lies much farther out overflow
    scaled = [np.clip((np.where(g, mean, v) - mean) / spread, -far, far) for g, v in zip(gone, values, strict=True)]
    out = [("", *scaled)]
    if any(g.any() for g in gone):
        out.append(("missing", *(g.astype(np.float64) for g in gone)))
    return out


def _category(both: Sides, name: str, rows, most: int) -> list[tuple]:
    real = both.pair.real[name].cat
    said = [*(str(c) for c in real.categories), "missing"]
    last = len(said) - 1
    codes = []
    for side, r in zip((both.pair.real, both.pair.synthetic), rows, strict=True):
        code = side[name].cat.codes.to_numpy().astype(np.int64)[r]
        codes.append(np.where(code < 0, last, code))
    count = np.bincount(np.where(real.codes.to_numpy() < 0, last, real.codes.to_numpy()), both.real_weight, minlength=len(said))
    order = np.argsort(-count, kind="stable")
    alone = order[1:] if len(order) <= most else order[1 : most - 1]
    out = [(said[k], *((c == k).astype(np.float64) for c in codes)) for k in np.sort(alone)]
    if len(order) > most:
        rest = order[most - 1 :]
        out.append((f"(others: {len(rest):,} categories)", *(np.isin(c, rest).astype(np.float64) for c in codes)))
    return out
