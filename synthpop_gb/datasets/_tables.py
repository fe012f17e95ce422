"""Census-like tables of a county: counted from the truth, exact or perturbed cell by cell as Census 2021 was."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.datasets._categories import AGE_EDGES, age_band, cells_of

KEYS = 256
"""Record keys run from 0 to 255; a cell's key is the sum of its records' keys modulo 256."""

CHANGED = {1: (24,), 2: (16, 5), 3: (12, 4, 1)}
"""Cell keys of 256 that add 1, 2, 3 to a count (as many take them away), by the count, 3 standing for 3 and more.

From 3 on: 13.3 % of cells change, variance 0.29, never by more than 3, as differences between published tables of Census
2021 show for cells of 50 to 300. Counts of 1 and 2 change more often but never below 0, so that every count keeps its mean;
0 stays 0. The method: Fraser & Wooton (2005), as the Office for National Statistics applied it in 2021; its own lookup table is
not published, this one imitates the result."""


def record_keys(rng: np.random.Generator, n: int) -> np.ndarray:
    """One random key a record, for good: whatever table it enters. Returns (n,) uint8."""
    return rng.integers(0, KEYS, n, dtype=np.uint8)


def perturb_cells(counts: np.ndarray, cell_keys: np.ndarray) -> np.ndarray:
    """Perturbed counts: equal cells (same count, same key) change alike in every table.

    counts: integers >= 0, any shape; cell_keys: integers of the same shape, 0 to 255. Returns integers of that shape.
    """
    noise = np.zeros((4, KEYS), np.int64)
    for row, shares in CHANGED.items():
        edge = 0
        for size, width in enumerate(shares, start=1):
            noise[row, edge : edge + width] = size
            noise[row, KEYS - edge - width : KEYS - edge] = -size
            edge += width
    counts = np.asarray(counts, np.int64)
    return counts + noise[np.minimum(counts, 3), np.asarray(cell_keys, np.int64) % KEYS]


def simulate_perturbation(counts: np.ndarray, seed: int) -> np.ndarray:
    """Perturb counts as a census would, for tests without records: every cell gets a cell key of its own.

    Parameters
    ----------
    counts : array of integers >= 0, any shape
        True counts.
    seed : int
        Fixes the draw.

    Returns
    -------
    array of int64, same shape
        None below 0; mean unchanged; 0 unchanged.

    >>> simulate_perturbation([[120, 80, 0], [3, 1, 40]], seed=5).shape
    (2, 3)
    """
    counts = np.asarray(counts)
    return perturb_cells(counts, np.random.default_rng(seed).integers(0, KEYS, counts.shape))


def tabulate(
    records: pd.DataFrame, variables: tuple[str, ...], by: np.ndarray, areas: pd.Index, keys: np.ndarray | None = None
) -> pd.DataFrame:
    """Count records by area and category.

    Parameters
    ----------
    records : pandas.DataFrame
        Persons or households of a county.
    variables : tuple of str
        What to cross; 'age' is counted in its published bands. Persons outside the narrowest universe are left out.
    by : (n_records,) integers
        Position in `areas` of each record's area.
    areas : pandas.Index
        Codes of the areas, the table's index.
    keys : (n_records,) uint8, optional
        Record keys: the table is perturbed; without them it is exact.

    Returns
    -------
    pandas.DataFrame of int64
        Areas by cells; columns are the categories of one variable, or a MultiIndex with a level a variable.
    """
    cells = cells_of(variables)
    cell = np.zeros(len(records), np.int64)
    inside = np.ones(len(records), bool)
    for name, categories in zip(variables, cells, strict=True):
        if name == "age":
            code = age_band(records["age"].to_numpy()) - (len(AGE_EDGES) - len(categories))
        else:
            code = records[name].cat.codes.to_numpy().astype(np.int64)
        inside &= (code >= 0) & (code < len(categories))
        cell = cell * len(categories) + code
    n_cells = int(np.prod([len(c) for c in cells]))
    flat = (np.asarray(by, np.int64) * n_cells + cell)[inside]
    counts = np.bincount(flat, minlength=len(areas) * n_cells)
    if keys is not None:
        sums = np.bincount(flat, keys[inside], len(areas) * n_cells)
        counts = perturb_cells(counts, sums.astype(np.int64))
    index = pd.MultiIndex.from_product(cells, names=variables) if len(variables) > 1 else pd.Index(cells[0], name=variables[0])
    return pd.DataFrame(counts.reshape(len(areas), n_cells), index=areas, columns=index)
