"""One row a household, beside the rows of its people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.export._areas import write_rows
from synthpop_gb.export._household_rows import HouseholdRows
from synthpop_gb.export._target import kind_of
from synthpop_gb.population import DonorCounts, Population

__all__ = ["households"]


def households(
    population: Population,
    aligned: Aligned,
    path: str | Path,
    *,
    include: Sequence[str] | None = None,
    partition: str | None = None,
    overwrite: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    donors: pd.Index | Literal["keep", "drop"] = "keep",
    donor_households: pd.Index | Literal["keep", "drop"] = "keep",
) -> Path:
    """Write one row a household.

    Columns: `household` (as in the rows of its people, see `export.people`), `zone`, the codes of the areas that the zone nests
    in, `donor_household` (the survey's own household id), `size` (members) and, where the survey's licence is open, the answers
    that members share. Residents of communal establishments are in no household, so they have no row.

    Parameters
    ----------
    population, aligned, path, partition, overwrite, counts
        As in `export.people`; `counts` are of households (`run_folder.read_households`).
    include : sequence of str, optional
        Variables or survey columns in which the members of a household do not differ.
    donors, donor_households
        What stands for ids, as given to `export.people`, so that both files number the households alike.

    Returns
    -------
    Path
        The file, or the folder with `<area>=<code>/households.parquet`.

    Raises
    ------
    InputError
        As `export.people`; `study-value` too for a column in which members differ.
    ValueError
        Where the population is of persons, or `counts` do not hold each zone's households, once.
    OSError
        Where what was read back does not hold the same households.
    """
    path = Path(path)
    if aligned.households is None or population.problem.households is None:
        raise ValueError("this population is of persons: no survey of whole households was given")
    kind = kind_of(path, overwrite, folder=True)
    rows = HouseholdRows.of(population, aligned, include, counts, donors, donor_households)
    return write_rows(rows, aligned, path, kind, partition)
