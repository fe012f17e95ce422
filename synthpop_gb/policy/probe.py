"""Probe: find outcomes of a model that a copy of a donor may not have: those that vary with its place, its id or its company.

An outcome can be projected by counts only where every copy of a donor has it. Copies live elsewhere, have other ids, stand in
other rows, and among other people. So the model is asked again about some donors, as such copies: if it says the same, all is
well, in one run; where it does not, further runs tell which of these it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, finding
from synthpop_gb.policy._copies import Copies, copied, place_columns, places_elsewhere, sampled
from synthpop_gb.policy._donors import Donors, donors_of
from synthpop_gb.policy._hooks import prepared
from synthpop_gb.policy._model import BASELINE, PolicyModel, as_model
from synthpop_gb.policy._outcomes import Outcomes
from synthpop_gb.policy._places import Places
from synthpop_gb.policy._run import called, classes_for, on_persons, run_model

__all__ = ["CHECKS", "Probe", "probe"]

CHECKS = {
    "again": ("model-not-repeatable", "differs when the same donors are asked about again"),
    "id": ("model-reads-id", "changes where ids are renumbered and rows stand in another order"),
    "others": ("model-reads-others", "depends on the other donors: it changes where half of them are asked about"),
    "place": ("model-reads-place", "varies with the place, which the model does not declare"),
}
"""What is tried: the code of the finding, and what it says. An outcome that fails the first is not tried further."""

_SAMPLE = 2_000
"""Donors that copies are made of, where there are more."""

_ROWS = 60_000
"""Most rows that copies come to: where classes of place are many, fewer donors are taken."""

_NOISE = 1e-6  # relative: engines that count in single precision round at 1e-7


@dataclass(frozen=True, eq=False)
class Probe:
    """What was found.

    Attributes
    ----------
    model, scenario : str
    tried : int
        Donors that copies were made of.
    columns : tuple of str
        What of a place, undeclared, the donors have and copies were given other values of.
    frame : pandas.DataFrame
        One row an outcome and check that it fails: outcome, check ('again', 'id', 'others', 'place'), donors (how many of those
        tried had another value), share, largest (difference), first (donor).
    """

    model: str
    scenario: str
    tried: int
    columns: tuple[str, ...]
    frame: pd.DataFrame

    @property
    def projectable(self) -> bool:
        """Whether every outcome can be projected."""
        return self.frame.empty

    def findings(self, level: str = "error") -> tuple[Finding, ...]:
        """One finding an outcome and check that it fails."""
        out = []
        for row in self.frame.itertuples(index=False):
            code, words = CHECKS[row.check]
            under = "" if self.scenario == BASELINE else f" under {self.scenario!r}"
            what = f" ({', '.join(self.columns)})" if row.check == "place" and self.columns else ""
            message = (
                f"{self.model}: {row.outcome!r}{under} {words}{what}; so for {row.donors:,} of {self.tried:,} donors tried, "
                f"by up to {row.largest:,.4g} (first: {row.first!r})."
            )
            out.append(finding(code, message, place=str(row.outcome), count=int(row.donors), level=level))
        return tuple(out)

    def __repr__(self) -> str:
        """One line, and one a failure."""
        head = f"Probe of {self.model}, {self.scenario}: {self.tried:,} donors tried as copies"
        if self.projectable:
            return f"{head}; every outcome can be projected"
        return "\n".join([head, *(f.message for f in self.findings())])


def probe(
    model: PolicyModel | Callable | str,
    aligned: Aligned,
    *,
    places: Places | pd.DataFrame | None = None,
    parameters: Mapping[str, Any] | None = None,
    scenario: str = BASELINE,
    seed: int = 0,
    outcomes: Outcomes | None = None,
) -> Probe:
    """Find the outcomes that a plain projection would get wrong.

    Parameters
    ----------
    model, aligned, places, parameters, scenario, seed
        As `run_model` has them.
    outcomes : Outcomes, optional
        What the model said of all donors, where it was run; it is run otherwise.

    Returns
    -------
    Probe

    Raises
    ------
    InputError
        As `run_model`: a model that breaks on copies of donors breaks.

    Examples
    --------
    >>> import synthpop_gb.policy as policy                        # doctest: +SKIP
    >>> policy.probe("tax-benefit", aligned)                       # doctest: +SKIP
    Probe of tax-benefit, baseline: 2,000 donors tried as copies; every outcome can be projected
    """
    model = as_model(model)
    places = classes_for(model, aligned, places)
    if outcomes is None:
        outcomes = run_model(model, aligned, places=places, parameters=parameters, scenario=scenario, seed=seed)
    everybody = prepared(model, donors_of(aligned, places), seed)
    columns = place_columns(aligned, everybody, places)
    elsewhere = places_elsewhere(everybody, columns)
    some = sampled(aligned, min(_SAMPLE, max(_ROWS // (len(places) * max(len(elsewhere), 1)), 20)))

    def asked(copies: Copies, of: PolicyModel) -> np.ndarray:
        """(n_outcomes, n_rows): what is said of copies, in the order of their originals."""
        found = called(of, copies.donors, parameters, scenario)
        order = [found.names.index(n) for n in outcomes.names]
        values = on_persons(found, copies.household_of)
        return values[order][:, copies.back]

    def expected(copies: Copies) -> np.ndarray:
        return outcomes.values.reshape(len(outcomes.names), -1)[:, copies.original]

    rng = np.random.default_rng(seed)
    half = _half(some, aligned, rng)
    all_at_once = copied(everybody, aligned, half, elsewhere, rng=rng)
    failing = _differ(asked(all_at_once, model), expected(all_at_once))
    anew = partial(asked, of=getattr(model, "anew", model))  # what is remembered would be repeated
    rows = [] if not failing.any() else _told(anew, everybody, aligned, some, half, elsewhere, rng, outcomes)
    frame = pd.DataFrame(rows, columns=["outcome", "check", "donors", "share", "largest", "first"])
    return Probe(outcomes.model, scenario, len(some), columns, frame)


def _half(some: np.ndarray, aligned: Aligned, rng: np.random.Generator) -> np.ndarray:
    """Half of some records, households whole."""
    unit = some if aligned.households is None else aligned.households.of_record[some]
    distinct = np.unique(unit)
    return some[np.isin(unit, distinct[rng.permutation(len(distinct))[: max(len(distinct) // 2, 1)]])]


def _differ(got: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(n_outcomes, n_rows) bool: values that are not the same, beyond rounding."""
    size = np.fmax(np.abs(got), np.abs(wanted))
    return np.abs(got - wanted) > _NOISE * np.fmax(size, 1e-3 * size.max(axis=1, keepdims=True, initial=0.0))


def _told(asked, everybody: Donors, aligned: Aligned, some, half, elsewhere, rng, outcomes: Outcomes) -> list[tuple]:
    """Tell which of the checks each outcome fails: runs that differ from each other in one thing only."""
    as_is = copied(everybody, aligned, some)
    first = asked(as_is)
    found = []
    again = _differ(asked(as_is), first)
    steady = ~again.any(axis=1)
    found += _rows("again", again, np.abs(asked(as_is) - first), as_is, outcomes, np.ones(len(steady), bool))
    renumbered = copied(everybody, aligned, some, rng=rng)
    moved = asked(renumbered)
    of_ids = _differ(moved, first)
    found += _rows("id", of_ids, np.abs(moved - first), as_is, outcomes, steady)
    fewer = copied(everybody, aligned, half)
    at = pd.Index(as_is.original).get_indexer(fewer.original)
    alone, settled = asked(fewer), steady & ~of_ids.any(axis=1)  # rows of fewer donors stand elsewhere too
    others = _differ(alone, first[:, at])
    found += _rows("others", others, np.abs(alone - first[:, at]), fewer, outcomes, settled)
    whole = outcomes.values.reshape(len(outcomes.names), -1)[:, as_is.original]
    unlike = settled & ~others.any(axis=1)  # half of a sample may tell little from the sample: all donors tell more
    found += _rows("others", _differ(first, whole), np.abs(first - whole), as_is, outcomes, unlike)
    if elsewhere:
        stayed = asked(copied(everybody, aligned, some, [{} for _ in elsewhere]))  # as many copies, each where it was
        away = copied(everybody, aligned, some, elsewhere)
        there = asked(away)
        found += _rows("place", _differ(there, stayed), np.abs(there - stayed), away, outcomes, steady)
    return found


def _rows(check: str, differ: np.ndarray, gap: np.ndarray, copies: Copies, outcomes: Outcomes, use: np.ndarray) -> list[tuple]:
    """Return one row for each outcome that fails a check; copies of one donor count once."""
    out, n_records = [], len(outcomes.records)
    for i in np.flatnonzero(differ.any(axis=1) & use):
        donors = np.unique(copies.original[differ[i]] % n_records)
        tried = len(np.unique(copies.original % n_records))
        first = outcomes.records[donors[0]]
        out.append((outcomes.names[i], check, len(donors), len(donors) / tried, float(gap[i].max()), first))
    return out
