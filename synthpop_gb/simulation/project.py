"""Projection by counts, and what it is equal to: outcomes summed over the people placed, or run on every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.figures import labels_by_row
from synthpop_gb.assessment.grounds import aligned_of
from synthpop_gb.errors import InputError
from synthpop_gb.indicators.group_sums import placed_sums
from synthpop_gb.indicators.question import asked_about
from synthpop_gb.policy import BASELINE, Donors, Outcomes, Places, PolicyModel, as_model, donors_of, prepared
from synthpop_gb.policy._run import called, classes_for
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation.estimating import by_place
from synthpop_gb.simulation.wanted import each_of

__all__ = ["expanded_donors", "project", "run_on_everybody"]


def project(
    population: Population,
    outcomes: Outcomes,
    *,
    by: str | Sequence[str] = ("zone",),
    where: str | None = None,
    names: Sequence[str] | None = None,
    aligned: Aligned | None = None,
    counts: Iterable[DonorCounts] | None = None,
) -> pd.DataFrame:
    """Sum outcomes over the whole people of a population, by area and group, exactly.

    Each person placed is a copy of a donor, so that total[area] = sum over donors of copies[area, donor] x outcome[donor]. There
    is no interval: it is what this population says. A replicate is projected as `project(population.replicate(7), ...)`.

    Parameters
    ----------
    population : Population
        Its own people, whatever else is known of them.
    outcomes : Outcomes
        From `policy.run_model`.
    by, where, aligned, counts
        As `simulate` has them.
    names : sequence of str, optional
        Outcomes; all where None.

    Returns
    -------
    pandas.DataFrame
        The areas' column, one a variable that makes groups, then outcome; people (whole), total (of a household's outcome each
        household once, in equal parts on its members) and mean (over people), float64.

    Raises
    ------
    InputError
        `bad-condition` for words that the survey does not know.

    Examples
    --------
    >>> project(population, run_model("tax-benefit", aligned), by="lad")  # doctest: +SKIP
    """
    aligned, problems = aligned_of(population, aligned), []
    asked = asked_about(aligned, (by,) if isinstance(by, str) else tuple(by), where, "person", problems)
    if asked is None:
        raise InputError(problems)
    names = list(outcomes.names if names is None else names)
    asked = by_place(asked, outcomes.places)
    columns = [np.ones_like(outcomes.values[0])]
    for name in names:
        columns += [outcomes[name], outcomes[name] / each_of(outcomes, name, aligned)]
    blocks = population.blocks() if counts is None else counts
    stacked = np.stack(columns, axis=-1)
    sums = placed_sums(asked, blocks, population.zones, [np.ascontiguousarray(c) for c in stacked])
    people, labels, parts = sums[..., 0].ravel(), labels_by_row(asked), []
    for i, name in enumerate(names):
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums[..., 1 + 2 * i].ravel() / people
        figures = {"outcome": name, "people": people.astype(np.int64), "total": sums[..., 2 + 2 * i].ravel(), "mean": mean}
        parts.append(pd.DataFrame(labels | figures))
    return pd.concat(parts, ignore_index=True)


def expanded_donors(
    population: Population, donors: Donors, aligned: Aligned, zones: np.ndarray, places: Places | None = None
) -> tuple[Donors, np.ndarray, np.ndarray | None]:
    """Write everybody of some zones out as donors: one row a person, under new ids, with the columns of the zone's class.

    Parameters
    ----------
    population : Population
        Who lives where.
    donors : Donors
        One row a record, in the order of `aligned.records`, as `policy.donors_of` lays them out without classes of place.
    aligned : Aligned
        Who lives together.
    zones : (n,) int64
        Positions of zones.
    places : Places, optional
        What is read of a place.

    Returns
    -------
    donors : Donors
        Persons numbered from 0, zone by zone, and their households.
    zone : (n_people,) int64
        Position of each person's zone.
    household_of : (n_people,) int64 or None
        Row of each person's household.
    """
    homes = aligned.households
    placed = population.donors(zones) if homes is None else population.households(zones)
    at = np.repeat(np.repeat(zones, np.diff(placed.indptr)), placed.n)
    unit = np.repeat(placed.record, placed.n)
    if homes is None:
        frame = _placed_rows(donors, unit, at, places, "donor")
        return Donors(frame), at, None
    size = homes.size[unit]
    household_of = np.repeat(np.arange(len(unit)), size)
    first = np.repeat(homes.member_start[:-1][unit] - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
    record = homes.member[first + np.arange(len(household_of))]
    frame = _placed_rows(donors, record, at[household_of], places, "donor").assign(household=household_of)
    out = Donors(frame)
    out.households = _placed_rows(donors.households, unit, at, places, "household")
    return out, at[household_of], household_of


def _placed_rows(frame: pd.DataFrame, rows: np.ndarray, zone: np.ndarray, places: Places | None, name: str) -> pd.DataFrame:
    out = pd.DataFrame(frame).iloc[rows].set_axis(pd.RangeIndex(len(rows), name=name))
    if places is None or not len(places.classes.columns):
        return out
    of_zone = places.of_zone[zone]
    return out.assign(**{str(c): places.classes[c].to_numpy()[of_zone] for c in places.classes.columns})


def run_on_everybody(
    population: Population,
    model: PolicyModel | Callable | str,
    *,
    zones: np.ndarray | None = None,
    places: Places | pd.DataFrame | None = None,
    parameters: Mapping[str, Any] | None = None,
    aligned: Aligned | None = None,
) -> pd.DataFrame:
    """Run a model on every person of some zones, each a row of its own: what a projection is equal to, at many times the cost.

    Parameters
    ----------
    population, places, parameters, aligned
        As `simulate` and `policy.run_model` have them.
    model : PolicyModel, callable or str
        See `policy.as_model`.
    zones : (n,) int64, optional
        Positions of zones; all where None.

    Returns
    -------
    pandas.DataFrame
        Totals of each outcome, one row a zone; households are counted once.
    """
    aligned, model = aligned_of(population, aligned), as_model(model)
    zones = np.arange(len(population.zones)) if zones is None else np.asarray(zones, np.int64)
    own = prepared(model, donors_of(aligned), population.provenance.seed)
    everybody, zone, household_of = expanded_donors(population, own, aligned, zones, classes_for(model, aligned, places))
    found = called(model, everybody, parameters, BASELINE)
    first = None if household_of is None else np.unique(household_of, return_index=True)[1]
    columns = {}
    for name, of, values in zip(found.names, found.of, found.values, strict=True):
        at = zone if of == "person" else zone[first]
        columns[name] = np.bincount(at, values, len(population.zones))[zones]
    return pd.DataFrame(columns, index=population.zones[zones])
