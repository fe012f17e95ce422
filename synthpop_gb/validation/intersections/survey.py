"""A survey's records as codes, by its codebook: what a population of their copies is scanned with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from synthpop_gb.aligned import Aligned
from synthpop_gb.coded import MISSING, Coded

__all__ = ["survey_codes"]


def survey_codes(aligned: Aligned, names: Iterable[str] | None = None) -> Coded:
    """Return the usable records as codes of the survey's own categories, weighted by design weight.

    Parameters
    ----------
    aligned : Aligned
        Its records, in their order, are those that `DonorCounts.record` refers to.
    names : iterable of str, optional
        Common names of variables; all that the survey's codebook describes where absent. Categories of one label are one.

    Returns
    -------
    Coded
        Values that the codebook does not know have the label `MISSING`.

    Raises
    ------
    KeyError
        For a variable that the survey does not have.
    """
    known, frame = aligned.survey.variables, aligned.frame()
    names = tuple(known) if names is None else tuple(names)
    labels, codes = [], []
    for name in names:
        if name not in known:
            raise KeyError(f"the survey has no variable {name!r}")
        variable = known[name]
        said = tuple(dict.fromkeys(c.label for c in variable.categories))
        where = {str(c.code): said.index(c.label) for c in variable.categories}
        column = frame[variable.column or variable.name]
        distinct, inverse = np.unique(column.astype(object).map(str).to_numpy(str), return_inverse=True)
        of_code = np.array([where.get(_plain(d), -1) for d in distinct], np.int32)
        code = of_code[inverse]
        if (code < 0).any():
            code, said = np.where(code < 0, len(said), code).astype(np.int32), (*said, MISSING)
        labels.append(said)
        codes.append(code)
    stacked = np.stack(codes, axis=1) if codes else np.empty((len(frame), 0), np.int32)
    return Coded(names, tuple(labels), stacked, aligned.weight)


def _plain(code: str) -> str:
    """Write a whole number that a float holds as codebooks do: '3.0' is '3'."""
    return code[:-2] if code.endswith(".0") and code[:-2].lstrip("-").isdigit() else code
