"""Deciles: tenths of people by an outcome of the baseline, as the population's own projected distribution puts them in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators.question import Asked
from synthpop_gb.policy import Outcomes, Places
from synthpop_gb.population import DonorCounts

__all__ = ["DECILE", "Deciles", "decile_codes", "in_deciles", "refined", "tenths_of"]

DECILE = "decile"
"""What is named in `by` for figures by decile."""

_TENTHS = 10


@dataclass(frozen=True)
class Deciles:
    """By which outcome people are put in order, and whose tenths are meant.

    Attributes
    ----------
    of : str
        Outcome of the baseline, such as equivalised income.
    within : str
        'all' for tenths of the whole study area's people, or a level: each area then has tenths of its own.
    codes : numpy.ndarray, optional
        (n_classes, n_records): tenths of donors, 0 to 9, as another population had them. Worked out where None.
    """

    of: str
    within: str = "all"
    codes: np.ndarray | None = field(default=None, compare=False, repr=False)


def decile_codes(value: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Put values into tenths of people: 0 to 9, as an array shaped like the values.

    Parameters
    ----------
    value, people : array of one shape
        A value, and how many people have it. Equal values are never parted: they are where the middle of them lies.

    >>> decile_codes(np.array([5.0, 1.0, 3.0, 3.0]), np.array([5, 2, 2, 1])).tolist()
    [7, 1, 3, 3]
    """
    flat, weight = np.asarray(value, np.float64).ravel(), np.asarray(people, np.float64).ravel()
    values, place = np.unique(flat, return_inverse=True)
    mass = np.bincount(place.reshape(-1), weight, len(values))
    total = mass.sum()
    middle = (np.cumsum(mass) - mass / 2) / (total if total > 0 else 1.0)
    tenth = np.minimum((middle * _TENTHS + 1e-9).astype(np.int64), _TENTHS - 1)
    return tenth[place.reshape(-1)].reshape(np.shape(value))


def refined(outcomes: Outcomes, aligned: Aligned, level: str) -> Outcomes:
    """Tell classes of place apart by the area that zones lie in, so that what is relative to an area can differ by it.

    Raises InputError (`study-reference`) for a level that the study does not have.
    """
    if level not in aligned.geography.parents:
        message = f"deciles within {level!r}: the study knows of its zones {', '.join(('all', *aligned.geography.parents))}."
        raise InputError([finding("study-reference", message, place="deciles")])
    area, areas = pd.factorize(aligned.geography.zones[level])
    pairs, of_zone = np.unique(np.stack([outcomes.places.of_zone, area], 1), axis=0, return_inverse=True)
    classes = outcomes.places.classes.iloc[pairs[:, 0]].reset_index(drop=True)
    labels = np.append(areas.astype(str).to_numpy(object), "")[pairs[:, 1]]
    places = Places(classes.assign(**{level: labels}), of_zone.reshape(-1))
    return replace(outcomes, values=outcomes.values[:, pairs[:, 0]], places=places)


def tenths_of(deciles: Deciles, baseline: Outcomes, blocks: Iterable[DonorCounts], aligned: Aligned) -> np.ndarray:
    """Put donors into deciles of the people placed: (n_classes, n_records), 0 to 9.

    Parameters
    ----------
    deciles : Deciles
        Which; within a level `baseline` is to be `refined` by it. Its own codes are returned where it has some.
    baseline : Outcomes
        What people are put in order by.
    blocks : iterable of DonorCounts
        The people placed, by zone and record.
    aligned : Aligned
        Zones, in order.

    Raises
    ------
    InputError
        `study-value` where the model gives no such outcome.
    """
    if deciles.codes is not None:
        return deciles.codes
    if deciles.of not in baseline.names:
        message = f"deciles are of {deciles.of!r}, which {baseline.model} does not give; it gives {', '.join(baseline.names)}."
        raise InputError([finding("study-value", message, place="deciles")])
    value, places = baseline[deciles.of], baseline.places
    people = np.zeros(value.shape)
    for block in blocks:
        zone = np.repeat(aligned.zones.get_indexer(block.zones), np.diff(block.indptr))
        np.add.at(people, (places.of_zone[zone], block.record), block.n)
    if deciles.within == "all":
        return decile_codes(value, people)
    code, area = np.zeros(value.shape, np.int64), places.classes[deciles.within].to_numpy()
    for one in np.unique(area):
        code[area == one] = decile_codes(value[area == one], people[area == one])
    return code


def in_deciles(asked: Asked, codes: np.ndarray) -> Asked:
    """Cross the groups asked about, which do not differ by class of place, with deciles from `tenths_of`."""
    codes = codes[0] if len(codes) == 1 else codes
    group = np.where(asked.group >= 0, asked.group * _TENTHS + codes, -1).astype(np.int32)
    return replace(asked, base=np.broadcast_to(asked.base, group.shape), group=group, groups=_crossed(asked.groups))


def _crossed(groups: pd.Index) -> pd.MultiIndex:
    """Labels of groups x deciles, deciles numbered from 1."""
    n = len(groups)
    tenths = np.tile(np.arange(1, _TENTHS + 1), n)
    if not isinstance(groups, pd.MultiIndex):
        return pd.MultiIndex.from_arrays([tenths], names=[DECILE])
    levels = [np.repeat(groups.get_level_values(name).to_numpy(), _TENTHS) for name in groups.names]
    return pd.MultiIndex.from_arrays([*levels, tenths], names=[*groups.names, DECILE])
