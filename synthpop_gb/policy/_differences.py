"""Which outcomes vary with the place: a donor's outcomes in each class of place beside those in another."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.policy._outcomes import Outcomes

__all__ = ["place_differences"]


def place_differences(outcomes: Outcomes, beside: int = 0, tolerance: float = 0.005) -> pd.DataFrame:
    """Say how many donors would have another outcome elsewhere, class of place by class of place.

    What varies with the place is projected by class; what does not would be right in one class as well. The table says what a
    plain projection, with everybody in one place, would get wrong.

    Parameters
    ----------
    outcomes : Outcomes
        Of a model run in several classes of place.
    beside : int, default 0
        Class that the others are compared with.
    tolerance : float, default 0.005
        Larger differences count, in the outcome's unit.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and other class: `outcome`, `place` and the class's own columns, `share` of donors that differ (0 to
        1), `mean` difference over all donors and `largest`, in the outcome's unit.

    Examples
    --------
    >>> from synthpop_gb.policy import Places
    >>> places = Places(pd.DataFrame({"region": ["N", "S"]}), np.array([0, 1], np.int32))
    >>> values = np.array([[[1.0, 2.0], [1.0, 4.0]]])
    >>> made = Outcomes("m", "baseline", {}, ("tax",), ("person",), ("pounds",), values, pd.Index(["a", "b"]), places)
    >>> place_differences(made)[["outcome", "region", "share", "mean"]].to_numpy().tolist()
    [['tax', 'S', 0.5, 1.0]]
    """
    rows = []
    for name, values in zip(outcomes.names, outcomes.values, strict=True):
        for place in range(len(outcomes.places)):
            if place == beside:
                continue
            gap = values[place] - values[beside]
            where = {str(c): outcomes.places.classes[c].iloc[place] for c in outcomes.places.classes.columns}
            differ = np.abs(gap) > tolerance
            rows.append(
                {
                    "outcome": name,
                    "place": place,
                    **where,
                    "share": differ.mean(),
                    "mean": gap.mean(),
                    "largest": np.abs(gap).max(),
                }
            )
    columns = ["outcome", "place", *map(str, outcomes.places.classes.columns), "share", "mean", "largest"]
    return pd.DataFrame(rows, columns=columns)
