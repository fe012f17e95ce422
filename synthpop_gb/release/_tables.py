"""A table of counts as a rule lets it be published: small counts withheld, what protects them too, the others rounded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.release._rounding import round_counts
from synthpop_gb.release._rule import ReleaseRule
from synthpop_gb.release._withholding import withhold

__all__ = ["release_table"]


def release_table(
    counts: pd.DataFrame,
    rule: ReleaseRule,
    *,
    records: pd.DataFrame | None = None,
    row_totals: bool = True,
    column_totals: bool = True,
    seed: int | None = None,
) -> pd.DataFrame:
    """Withhold and round the counts of a table.

    Parameters
    ----------
    counts : pandas.DataFrame
        People, areas x categories.
    rule : ReleaseRule
        Minimum count, minimum of records, base of rounding.
    records : pandas.DataFrame, optional
        Survey records behind each count, in the same shape: counts that fewer than `rule.minimum_records` stand behind are
        withheld. Cells of nobody are not.
    row_totals, column_totals : bool
        Whether readers know the totals, from here or elsewhere: populations of zones are known from the census.
    seed : int, optional
        For rounding at random; keep it secret.

    Returns
    -------
    pandas.DataFrame
        Float counts, withheld ones NaN. Where nothing of a row is withheld, its counts add up to the rounded total of the row.

    Raises
    ------
    InputError
        `release-refused` where a small count cannot be protected.

    >>> counts = pd.DataFrame([[3, 22, 31], [41, 50, 62], [71, 80, 15]], list("abc"), list("xyz"))
    >>> release_table(counts, ReleaseRule("mine", minimum_count=10, rounding=5)).to_numpy().tolist()
    [[nan, nan, 30.0], [nan, nan, 60.0], [70.0, 80.0, 15.0]]
    """
    values = counts.to_numpy(np.float64)
    few = None if records is None else (records.to_numpy(np.float64) < rule.minimum_records) & (values > 0)
    primary, secondary = withhold(values, rule.minimum_count, row_totals=row_totals, column_totals=column_totals, hidden=few)
    kept = np.where(primary | secondary, np.nan, values)
    rounded = kept if rule.rounding == 1 else round_counts(kept, rule.rounding, method=rule.rounding_method, seed=seed)
    return pd.DataFrame(rounded, counts.index, counts.columns)
