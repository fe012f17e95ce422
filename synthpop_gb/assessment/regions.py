"""Which part of the country each record is from: what differs between regions differs between zones too."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.indicators.question import code_text

__all__ = ["region_of"]


def region_of(aligned: Aligned) -> np.ndarray | None:
    """Code of the part of the country that each usable record is from, -1 where unknown; None where the survey does not say.

    From the survey's column of regions where it names one, else its variable 'region', whose codes for 'no answer' are no part of
    the country.
    """
    survey = aligned.survey
    column = survey.region
    if column is None and "region" in survey.variables:
        variable = survey.variables["region"]
        column = variable.column or variable.name
    if column is None or column not in survey.records.columns:
        return None
    values = survey.records.loc[aligned.records, column]
    of_column = [v for v in survey.variables.values() if (v.column or v.name) == column]
    if of_column:
        values = values.where(values.map(code_text).isin([str(c.code) for c in of_column[0].categories if c.atoms]))
    codes = pd.factorize(values, sort=True)[0]
    return codes.astype(np.int64) if codes.max(initial=-1) > 0 else None
