"""A survey's records as codes, by its codebook: what a population of their copies is scanned with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from synthpop_gb.aligned import Aligned
from synthpop_gb.coded import MISSING, Coded
from synthpop_gb.errors import InputError, finding

__all__ = ["survey_codes"]


def survey_codes(aligned: Aligned, names: Iterable[str] | None = None) -> Coded:
    """Return the usable records as codes of the survey's own categories, weighted by design weight.

    Parameters
    ----------
    aligned : Aligned
        Its records, in their order, are those that `DonorCounts.record` refers to.
    names : iterable of str, optional
        Common names of variables; all that the survey's codebook describes and its file holds where absent. Categories of one
        label are one.

    Returns
    -------
    Coded
        Values that the codebook does not know have the label `MISSING`.

    Raises
    ------
    InputError
        `unknown-variable` for those that the survey does not have.
    """
    known, frame = aligned.survey.variables, aligned.frame()
    held = [n for n, v in known.items() if (v.column or v.name) in frame]
    names = tuple(held) if names is None else tuple(dict.fromkeys(names))
    if lacking := [n for n in names if n not in held]:
        message = f"The survey {aligned.survey.name} has no {', '.join(lacking)}. It has: {', '.join(held)}."
        raise InputError([finding("unknown-variable", message, place="variables", count=len(lacking))])
    labels, codes = [], []
    for name in names:
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
