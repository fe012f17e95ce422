"""A population as a PolicyEngine UK dataset: placed households with their places, written, read back and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding, refuse
from synthpop_gb.policy._donors import donors_of
from synthpop_gb.policy._places import Places
from synthpop_gb.policy.policyengine._engine import ENTITIES, engine
from synthpop_gb.policy.policyengine._model import PolicyEngineUK
from synthpop_gb.policy.policyengine._places import classes_of, constituencies_of, zone_places
from synthpop_gb.policy.policyengine._readback import check_dataset
from synthpop_gb.policy.policyengine._tables import Tables, make_tables
from synthpop_gb.population import DonorCounts, Population

__all__ = ["placed_tables", "write_dataset"]


def write_dataset(
    population: Population,
    aligned: Aligned,
    path: str | Path,
    *,
    year: int = 2025,
    inputs: Mapping[str, Any] | None = None,
    places: pd.DataFrame | None = None,
    zones: Sequence[str] | None = None,
    weighted: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    include: Sequence[str] = (),
    labels: Mapping[str, Mapping[str, str]] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a population as a dataset that PolicyEngine UK opens: `Microsimulation(dataset="leeds.h5")`.

    One household a placed copy, weight 1, or with `weighted` one a zone and donor household, its copies as weight. Every
    household has its zone's `region`, `local_authority` (as PolicyEngine names them) and `constituency` where the study knows
    it, and beside them `zone`, the zone's code, `place`, its class of place, and `donor_household`; every person has `donor`.
    PolicyEngine passes over columns that it does not know. The five numbers that it would draw from hashes of ids are the donors'
    own, so running the file gives what projecting the donors' run by counts gives.

    Parameters
    ----------
    population : Population
        Of whole households, or a replicate of one (`population.replicate(3)`).
    aligned : Aligned
        Records and zones.
    path : path
        Ending in '.h5'.
    year : int, default 2025
        Fiscal year of the amounts, by the year it starts in.
    inputs : mapping, optional
        As of `PolicyEngineUK`.
    places : pandas.DataFrame, optional
        Regions and local authorities by zone or level, as in `PolicyEngineUK.places_of`; a column 'constituency' too.
    zones : sequence of str, optional
        Only these.
    weighted : bool, default False
        Weights instead of copies: smaller files, the same weighted sums.
    counts : iterable of DonorCounts, optional
        Who is written: households by zone, each zone once, as a run's folder holds them; whom the population places where absent.
    include : sequence of str
        Columns of a survey that is not open whose answers may leave with the file: the caller's word. Every column that is read
        must be among them.
    labels : mapping, optional
        As of `PolicyEngineUK`.
    overwrite : bool, default False
        Replace an existing file.

    Returns
    -------
    Path
        The file, which appears only when it was read back and holds the same households, people, links, places and inputs.

    Raises
    ------
    InputError
        `licence`, `engine-place`, `engine-input`, `output-exists`, `output-locked`, `study-value` (another ending),
        `study-reference` (a zone that there is not), `missing-extra`.
    OSError
        Where what was read back differs.
    """
    path = Path(path)
    _refuse(path, overwrite)
    frames, columns = _placed(population, aligned, year, inputs, labels, places, zones, weighted, counts)
    _licensed(aligned, columns, include)
    with replacing(path) as temporary:
        engine().save(frames, year, temporary)
        check_dataset(temporary, frames, year, path)
    return path


def placed_tables(
    population: Population,
    aligned: Aligned,
    *,
    year: int = 2025,
    inputs: Mapping[str, Any] | None = None,
    places: pd.DataFrame | None = None,
    zones: Sequence[str] | None = None,
    weighted: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Lay out a population as PolicyEngine's three tables, as `write_dataset` writes them.

    Returns
    -------
    dict of 'person', 'benunit', 'household' to pandas.DataFrame
        Ids from 0 in steps of 1, households in the order of zones and, within a zone, of the donors' ids.
    """
    return _placed(population, aligned, year, inputs, labels, places, zones, weighted, counts)[0]


def _placed(
    population, aligned, year, inputs, labels, places, zones, weighted, counts
) -> tuple[dict[str, pd.DataFrame], set[str]]:  # fmt: skip
    """Tables as in `placed_tables`, and the columns of the survey that stand in them."""
    rules, model = engine(), PolicyEngineUK(year=year, inputs=inputs, labels=labels)
    where, findings = zone_places(aligned.geography, rules.local_authorities, places)
    refuse(findings)
    classes = classes_of(where)
    donors = model.prepared(donors_of(aligned, classes), population.provenance.seed)
    tables = make_tables(donors, rules, inputs=model.inputs, year=year)
    tables.frames["person"]["donor"] = [str(d) for d in donors.index.get_level_values("donor")[tables.person_row]]
    zone, unit, copies = _entries(population, aligned, zones, counts)
    row = classes.of_zone[zone].astype(np.int64) * len(aligned.households.ids) + unit
    if not weighted:
        zone, row = np.repeat(zone, copies), np.repeat(row, copies)
    frames = _gathered(tables, row)
    home = frames["household"]
    home["household_weight"] = copies.astype(np.float64) if weighted else 1.0
    home["zone"] = aligned.zones.to_numpy(object)[zone].astype(str)
    home["place"] = classes.of_zone[zone].astype(np.int64)
    home["donor_household"] = np.array([str(h) for h in aligned.households.ids], object)[row % len(aligned.households.ids)]
    constituency = constituencies_of(aligned.geography, places)
    if constituency is not None:
        home["constituency"] = constituency.to_numpy(object)[zone]
    return frames, tables.filled.columns


def _refuse(path: Path, overwrite: bool) -> None:
    """Everything that speaks against the file, before the engine is asked."""
    found = []
    if path.suffix != ".h5":
        found.append(finding("study-value", f"PolicyEngine's datasets end in .h5, not {path.name}.", place=str(path)))
    if path.exists() and not (overwrite and path.is_file()):
        message, remedy = f"{path} exists already.", "Name another file, or allow it to be replaced."
        found.append(finding("output-exists", message, place=str(path), remedy=remedy))
    if found:
        raise InputError(found)


def _licensed(aligned: Aligned, columns: set[str], include: Sequence[str]) -> None:
    """`licence` for columns of a survey that is not open, which nobody said may leave."""
    left = sorted(columns & (set(aligned.frame().columns) | set(aligned.survey.variables) | {c for c in columns if "." in c}))
    left = [c for c in left if c not in set(include)]
    if aligned.survey.licence != "open" and left:
        message = f"The survey {aligned.survey.name} is under a licence, and the dataset would hold its {', '.join(left[:8])}."
        remedy = 'Declare `licence = "open"` where it is, or name these columns as `include` where its licence allows this use.'
        raise InputError([finding("licence", message, place=aligned.survey.name, count=len(left), remedy=remedy)])


def _entries(
    population: Population, aligned: Aligned, zones: Sequence[str] | None, counts: Iterable[DonorCounts] | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Zone, donor household (position in `aligned.households.ids`) and copies of each entry, zone after zone in their order."""
    if population.problem.households is None or aligned.households is None:
        message = "This population is of persons: PolicyEngine's rules are of households."
        raise InputError([finding("engine-input", message, place="household", remedy="Make a population of whole households.")])
    wanted = aligned.zones if zones is None else pd.Index(zones).astype(aligned.zones.dtype)
    strange = wanted[~wanted.isin(aligned.zones)]
    if len(strange):
        message = f"{len(strange):,} zones are not in the study (first: {strange[0]})."
        raise InputError([finding("study-reference", message, place="zones", count=len(strange))])
    blocks = list(counts) if counts is not None else [population.households(list(wanted))]
    at = aligned.households.ids.get_indexer(population.problem.households)
    zone = np.concatenate([np.repeat(aligned.zones.get_indexer(b.zones), np.diff(b.indptr)) for b in blocks])
    unit, copies = np.concatenate([at[b.record] for b in blocks]), np.concatenate([b.n for b in blocks])
    if (unit < 0).any() or (zone < 0).any():
        raise ValueError("the population was not made from these records and zones")
    kept = np.isin(zone, aligned.zones.get_indexer(wanted))
    order = np.flatnonzero(kept)[np.argsort(zone[kept], kind="stable")]
    return zone[order], unit[order].astype(np.int64), copies[order].astype(np.int64)


def _gathered(tables: Tables, row: np.ndarray) -> dict[str, pd.DataFrame]:
    """Tables of some households, any of them several times, under new ids. row: (n,) households of `tables`."""
    n_homes = len(tables.households)
    of_unit = tables.benunit_household
    of_person = tables.frames["person"]["person_household_id"].to_numpy()
    unit, unit_home = _rows_below(of_unit, n_homes, row)
    person, person_home = _rows_below(of_person, n_homes, row)
    unit_start = np.concatenate([[0], np.cumsum(np.bincount(unit_home, minlength=len(row)))])
    first_unit = np.searchsorted(of_unit, np.arange(n_homes))
    own_unit = tables.frames["person"]["person_benunit_id"].to_numpy()[person] - first_unit[row[person_home]]
    frames = {e: tables.frames[e].iloc[rows].reset_index(drop=True) for e, rows in
              zip(ENTITIES, (person, unit, row), strict=True)}  # fmt: skip
    frames["person"] = frames["person"].assign(
        person_id=np.arange(len(person)),
        person_benunit_id=unit_start[person_home] + own_unit,
        person_household_id=person_home,
    )
    frames["benunit"] = frames["benunit"].assign(benunit_id=np.arange(len(unit)))
    frames["household"] = frames["household"].assign(household_id=np.arange(len(row)))
    return frames


def _rows_below(home: np.ndarray, n_homes: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of members of households, and which of the asked each belongs to. home: (n,) sorted household of each row."""
    start = np.searchsorted(home, np.arange(n_homes + 1))
    size = np.diff(start)[row]
    owner = np.repeat(np.arange(len(row)), size)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    return start[row][owner] + within, owner


def donor_classes(aligned: Aligned, places: pd.DataFrame | None = None) -> Places:
    """Classes of place of a study, as datasets number them in `place`."""
    return PolicyEngineUK().places_of(aligned.geography, places)
