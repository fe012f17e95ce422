"""One row a person: Parquet, CSV, or a folder partitioned by area, written a million rows at a time and read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.export._areas import write_rows
from synthpop_gb.export._household_rows import MemberRows
from synthpop_gb.export._person_rows import PersonRows, person_columns
from synthpop_gb.export._target import kind_of
from synthpop_gb.population import DonorCounts, Population

__all__ = ["people", "person_columns"]


def people(
    population: Population,
    aligned: Aligned,
    path: str | Path,
    *,
    include: Sequence[str] | None = None,
    partition: str | None = None,
    overwrite: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    donors: pd.Index | Literal["keep", "drop"] = "keep",
    donor_households: pd.Index | Literal["keep", "drop"] | None = None,
) -> Path:
    """Write one row a person.

    Columns: `person` (zone code and number within the zone, so that a person keeps it whatever else is in the study), `zone`, the
    codes of the areas that the zone nests in, `donor` (the survey's own record id), and, where the survey's licence is open, the
    record's answers as labels; as whole numbers where every answer given to it is one, such as single years of age.

    Where whole households were placed, people stand household by household, the reference first, and four columns more say it:
    `household` (zone code, -H, number within the zone), `place` (1 = reference, then in the survey's order), `donor_household`
    (the survey's own household id) and `communal`: residents of communal establishments live in no household, and have neither
    `household` nor `place`. Of an open survey come along all columns that hold the id of another member (`export.pointers`:
    partner, mother), turned into the `person` of the member meant; columns that number members stay right as they are.

    Parameters
    ----------
    population : Population
        Whose people; donors are placed a block at a time, so memory does not grow with the country.
    aligned : Aligned
        Zones, areas, records and their meaning.
    path : path
        '.parquet'; '.csv' or '.csv.gz' (a label that a spreadsheet would run as a formula gets a ' in front); or a folder, in
        which each `<area>=<code>/people.parquet` holds one area.
    include : sequence of str, optional
        Variables or survey columns to write, instead of all variables of an open survey and none of another. Naming them is the
        caller's word that the licence allows it.
    partition : str, optional
        Parent level of the folder; by default the first whose areas hold 20 zones or more on average, else the coarsest.
    overwrite : bool
        Replace an existing file, or a folder that holds nothing but what this function wrote.
    counts : iterable of DonorCounts, optional
        Who is written: what a run's folder holds (`run_folder.read_counts`; of whole households `run_folder.read_households`),
        each zone once. By default whom the population places. A folder of areas keeps the counts of areas whose zones are not all
        read yet in memory, 8 bytes for each.
    donors : pandas.Index or 'keep' or 'drop'
        What stands in the column `donor`: the survey's ids, one label a usable record in their place (`export.donor_labels`), or
        nothing. Without the ids people of a zone (its households) are put in the order of what is written of them, and numbered
        in it.
    donor_households : pandas.Index or 'keep' or 'drop', optional
        The same of the column `donor_household`; where absent it goes with the ids of the records.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    InputError
        `study-value` for another ending; `missing-column` for unknown names in `include`; `output-exists`; `output-locked`.
    ValueError
        Where `counts` do not hold each zone's people, once.
    OSError
        Where what was read back does not hold the same people by zone and donor, or not every household whole.
    """
    path = Path(path)
    kind = kind_of(path, overwrite, folder=True)
    if aligned.households is None or population.problem.households is None:
        rows = PersonRows.of(population, aligned, include, counts, donors)
    else:
        homes = _with_the_records(donors) if donor_households is None else donor_households
        rows = MemberRows.of(population, aligned, include, counts, donors, homes)
    return write_rows(rows, aligned, path, kind, partition)


def _with_the_records(donors: pd.Index | str) -> str:
    """Keep ids of households only where those of records are kept."""
    return "keep" if isinstance(donors, str) and donors == "keep" else "drop"
