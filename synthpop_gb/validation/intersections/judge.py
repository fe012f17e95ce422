"""Cross-tables judged: every table's measures beside their floors, and every cell that differs by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.validation.chance import adjusted, harmonic
from synthpop_gb.validation.intersections.evidence import Basis, Trial
from synthpop_gb.validation.intersections.explain import Cause, find_causes
from synthpop_gb.validation.intersections.floors import (
    expected_missing,
    expected_srmse,
    expected_tvd,
    tvd_by_chance,
    tvd_limit,
    unseen_mass,
)  # fmt: skip
from synthpop_gb.validation.intersections.tallies import CrossTable
from synthpop_gb.validation.intersections.words import combination_words
from synthpop_gb.validation.metrics import missing, srmse, tvd, vw

__all__ = ["KINDS", "TABLE_COLUMNS", "Judged", "Reference", "judge", "table_rows"]

KINDS = ("sample", "census", "survey cloned", "fit")
"""What a reference can be: a sample of the same people; counts of everybody; the survey whose records were copied; a fit."""

TABLE_COLUMNS = (
    "reference", "combination", "k", "cells", "expected_cells", "observed_cells", "tvd", "tvd_floor", "tvd_floor_effective",
    "tvd_chance", "tvd_limit", "srmse", "srmse_floor", "vw_ratio", "invented", "invented_floor", "impossible", "missing",
    "missing_floor", "missing_floor_effective", "missing_cells", "discoveries", "protected", "passes",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """What the population is set beside.

    Attributes
    ----------
    name : str
        Stands in every row.
    kind : str
        One of `KINDS`.
    effective : float
        Effective number of its records; infinite for a census and a fit.
    """

    name: str
    kind: str
    effective: float

    @property
    def cloned(self) -> bool:
        """Whether the population's records are copies of the reference's: invented people and a verdict are not defined then."""
        return self.kind == "survey cloned"


@dataclass(frozen=True, eq=False)
class Judged:
    """What judging found, by table and, within each, by cell.

    Attributes
    ----------
    tables : tuple of CrossTable
        Fewer variables first.
    protected : tuple of bool
        By table.
    bases : tuple of Basis
        By table.
    forbidden : list of numpy.ndarray
        (n_cells,) bool: declared impossible.
    p, q : list of numpy.ndarray
        (n_cells,) float64: p values, and the same adjusted over all cells of all tables; NaN for impossible cells.
    told : list of numpy.ndarray
        (n_cells,) bool: beyond the false discovery rate, or impossible and populated.
    surprise : list of numpy.ndarray
        (n_cells,) float64 deviance.
    causes : list of Cause
        What cells follow from.
    """

    tables: tuple[CrossTable, ...]
    protected: tuple[bool, ...]
    bases: tuple[Basis, ...]
    forbidden: list[np.ndarray]
    p: list[np.ndarray]
    q: list[np.ndarray]
    told: list[np.ndarray]
    surprise: list[np.ndarray]
    causes: list[Cause] = field(default_factory=list)


def judge(
    tables: Sequence[CrossTable],
    protected: Sequence[bool],
    forbidden: Sequence[np.ndarray],
    reference: Reference,
    effective: float,
    q: float = 0.05,
    control: str = "bh",
) -> Judged:
    """Test every cell of every table together, and find what follows from what.

    Parameters
    ----------
    tables, protected, forbidden : sequence
        By table, fewer variables first: cross-table; whether it is of protected attributes; (n_cells,) bool impossible cells.
    reference : Reference
        What `expected` is.
    effective : float
        Effective number of the population's records.
    q : float
        False discovery rate.
    control : str
        See `adjusted`.
    """
    bases = tuple(Basis(float(t.expected.sum()), float(t.observed.sum()), reference.effective, effective) for t in tables)
    p, surprise = [], []
    for table, basis, bars in zip(tables, bases, forbidden, strict=True):
        usable = basis.expected > 0 and basis.observed > 0
        trial = _trial(table, basis) if usable else None
        p.append(np.where(bars, np.nan, trial.p_values()) if usable else np.full(len(table), np.nan))
        surprise.append(trial.deviance() if usable else np.zeros(len(table)))
    every = np.concatenate(p) if p else np.zeros(0)
    tested = ~np.isnan(every)
    scores = np.full(len(every), np.nan)
    scores[tested] = adjusted(every[tested], control)
    found = int((scores[tested] <= q).sum())
    share = q * found / max(int(tested.sum()), 1)  # what a p value must not exceed to be among so many discoveries
    limit = share / harmonic(int(tested.sum())) if control == "by" else share
    cuts = np.cumsum([len(t) for t in tables])[:-1]
    scores = np.split(scores, cuts) if len(tables) else []
    told = [
        np.where(bars, t.observed > 0, np.nan_to_num(s, nan=1.0) <= q) & (b.expected > 0 and b.observed > 0)
        for t, s, bars, b in zip(tables, scores, forbidden, bases, strict=True)
    ]
    causes = find_causes(tables, told, surprise, forbidden, bases, limit)
    return Judged(tuple(tables), tuple(protected), bases, list(forbidden), p, scores, told, surprise, causes)


def _trial(table: CrossTable, basis: Basis) -> Trial:
    """Trials of all cells; where a known reference has nobody, as if it had half a person: a nought is no impossibility."""
    return basis.whole(np.where(basis.known & (table.expected == 0), 0.5, table.expected), table.observed)


def table_rows(judged: Judged, names: Sequence[str], reference: Reference, people: float, q: float = 0.05) -> pd.DataFrame:
    """One row a combination.

    Columns: reference; combination; k; cells (that occur on either side), expected_cells, observed_cells; tvd, beside tvd_floor
    (expected for a perfect sample of the reference of the population's size), tvd_floor_effective (of its effective size),
    tvd_chance (where the reference is a sample too, see `floors.tvd_by_chance`) and tvd_limit (see `floors.tvd_limit`); srmse
    (both sides brought to one total) and srmse_floor; vw_ratio (Voas-Williamson per
    degree of freedom, of effective counts: 1 where chance alone is at work); invented (share of people in combinations that the
    reference does not have), NaN where the reference's records were copied, and invented_floor (`floors.unseen_mass` where the
    reference is a sample, nought where it is known); impossible (share in declared structural zeros, not in `invented`);
    missing (share of the reference in combinations of which nobody is there), missing_floor, missing_floor_effective and
    missing_cells; discoveries (cells beyond the false discovery rate, all tables together); protected; passes (tvd within its
    limit, no discovery, nobody impossible; NA where records were copied).

    Parameters
    ----------
    judged : Judged
        From `judge`.
    names : sequence of str
        Variables.
    reference : Reference
        What they were judged by.
    people : float
        People of the population.
    q : float
        Chance that a perfect sample fails any table's limit.
    """
    rows = []
    for i, table in enumerate(judged.tables):
        basis, bars = judged.bases[i], judged.forbidden[i]
        row = {
            "reference": reference.name, "combination": combination_words([names[v] for v in table.at]), "k": len(table.at),
            "cells": len(table), "expected_cells": int((table.expected > 0).sum()),
            "observed_cells": int((table.observed > 0).sum()), "protected": judged.protected[i],
        }  # fmt: skip
        if basis.expected > 0 and basis.observed > 0:
            row |= _measures(table, basis, bars, reference, people, len(judged.tables), q)
            row["discoveries"] = int((judged.told[i] & ~bars).sum())
            fine = row["tvd"] <= row["tvd_limit"] and not row["discoveries"] and not row["impossible"]
            row["passes"] = pd.NA if reference.cloned else bool(fine)
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    return frame.astype({"passes": "boolean", "protected": bool, "discoveries": "Int64", "missing_cells": "Int64"})


def _measures(table: CrossTable, basis: Basis, bars, reference: Reference, people: float, tests: int, q: float) -> dict:
    e, o = table.expected, table.observed
    share, some = e[e > 0] / basis.expected, e > 0
    unseen = unseen_mass(e[some], table.records[some]) if reference.kind == "sample" else 0.0
    scaled_e, scaled_o = basis.scaled(e, o)
    if basis.known:
        scaled_e = scaled_e * basis.effective
    new = o * ((e == 0) & ~bars)
    return {
        "tvd": tvd(o, e), "tvd_floor": expected_tvd(share, people), "tvd_floor_effective": expected_tvd(share, basis.effective),
        "tvd_chance": min(1.0, tvd_by_chance(share, basis.effective, basis.reference, unseen)),
        "tvd_limit": tvd_limit(share, basis.effective, basis.reference, unseen, tests, q),
        "srmse": srmse(o * (basis.expected / basis.observed), e), "srmse_floor": expected_srmse(share, people),
        "vw_ratio": vw(scaled_o, scaled_e) / (len(table) - 1) if len(table) > 1 else np.nan,
        "invented": np.nan if reference.cloned else float(new.sum() / basis.observed),
        "invented_floor": np.nan if reference.cloned else unseen,
        "impossible": float(o[bars].sum() / basis.observed),
        "missing": missing(o, e), "missing_floor": expected_missing(share, people),
        "missing_floor_effective": expected_missing(share, basis.effective),
        "missing_cells": int((some & (o == 0)).sum()),
    }  # fmt: skip
