"""Copies of some donors, as a population holds them: other ids, other rows, other places, fewer neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy._places import Places

__all__ = ["Copies", "copied", "place_columns", "places_elsewhere", "sampled"]

_WORDS = frozenset({
    "area", "borough", "brma", "city", "constituency", "council", "country", "county", "district", "gor", "gor9d",
    "government_office_region", "iz", "la", "lad", "lad_name", "lea", "local_authority", "local_authority_code",
    "local_authority_district", "lsoa", "lsoa11cd", "lsoa21cd", "msoa", "nation", "oa", "oa11cd", "oa21cd", "parish", "pcon",
    "postcode", "postcode_district", "region", "rgn", "town", "ward", "zone",
})  # fmt: skip
"""Names of columns that say where a donor lives, whatever the study's own levels are called."""

_MOST = 12  # places that copies are put in


@dataclass(frozen=True, eq=False)
class Copies:
    """Donors that are copies of others.

    donors : Donors; original : (n_copies,) int64, of each copy the position of its original in the frame of all donors; back :
    (n_copies,) row of each copy in `donors`; household_of : (n_rows,) row of each person's household in `donors.households`, None
    where there are none.
    """

    donors: Donors
    original: np.ndarray
    back: np.ndarray
    household_of: np.ndarray | None


def sampled(aligned: Aligned, most: int) -> np.ndarray:
    """Return positions of about `most` records spread over all of them, households whole."""
    n = len(aligned.records)
    if n <= most:
        return np.arange(n)
    if aligned.households is None:
        return np.unique(np.linspace(0, n - 1, most).astype(np.int64))
    homes = aligned.households
    n_homes = max(round(most / max(n / len(homes.ids), 1.0)), 1)
    chosen = np.zeros(len(homes.ids), bool)
    chosen[np.unique(np.linspace(0, len(homes.ids) - 1, n_homes).astype(np.int64))] = True
    return np.flatnonzero(chosen[homes.of_record])


def place_columns(aligned: Aligned, donors: pd.DataFrame, places: Places) -> tuple[str, ...]:
    """Name the donors' columns that say where they live and are not declared: the study's levels, and usual names of places."""
    levels = {_plain(c) for c in aligned.geography.zones.columns} | {_plain(aligned.survey.region or "region")}
    declared = {str(c) for c in places.classes.columns}
    return tuple(str(c) for c in donors.columns if str(c) not in declared and _plain(c) in levels | _WORDS)


def _plain(name) -> str:
    return re.sub(r"\W+", "_", str(name).strip()).lower()


def places_elsewhere(donors: pd.DataFrame, columns: Sequence[str]) -> list[dict]:
    """List the places that donors come from, as values of the columns; at most twelve of them, spread over all."""
    if not columns:
        return []
    distinct = donors[list(columns)].drop_duplicates()
    distinct = distinct[distinct.notna().any(axis=1)]
    if len(distinct) > _MOST:
        distinct = distinct.iloc[np.unique(np.linspace(0, len(distinct) - 1, _MOST).astype(np.int64))]
    return distinct.to_dict("records") if len(distinct) > 1 else []


def copied(
    everybody: Donors,
    aligned: Aligned,
    some: np.ndarray,
    elsewhere: Sequence[dict] = (),
    *,
    rng: np.random.Generator | None = None,
) -> Copies:
    """Copy some donors, once for each place of `elsewhere`; with `rng` under other ids and in another order of rows.

    some : positions in `aligned.records`, households whole. Members of a household keep their order among each other, which is
    theirs wherever they are copied to.
    """
    n, homes = len(aligned.records), aligned.households
    n_classes, wide = len(everybody) // n, everybody.index.nlevels > 1
    rounds = max(len(elsewhere), 1)
    class_of = np.repeat(np.arange(n_classes), rounds * len(some))
    round_of = np.tile(np.repeat(np.arange(rounds), len(some)), n_classes)
    original = class_of * n + np.tile(some, rounds * n_classes)
    new = rng is not None or rounds > 1
    order = np.arange(len(original)) if rng is None else _shuffled(original, round_of, aligned, rng)
    original, class_of, round_of = original[order], class_of[order], round_of[order]
    frame = pd.DataFrame(everybody).iloc[original]
    ids = _ids(aligned.records, original % n, round_of, rng) if new else aligned.records.to_numpy()[original % n]
    frame = _put(frame, elsewhere, round_of).set_axis(_index(ids, class_of, "donor", wide))
    of_row, houses = None, None
    if homes is not None:
        unit = homes.of_record[original % n]
        key = (class_of * rounds + round_of) * len(homes.ids) + unit
        distinct, of_row = np.unique(key, return_inverse=True)
        shuffle = np.arange(len(distinct)) if rng is None else rng.permutation(len(distinct))
        of_row = shuffle[of_row.reshape(-1)]
        distinct = distinct[np.argsort(shuffle)]
        unit, class_h, round_h = (
            distinct % len(homes.ids),
            distinct // (len(homes.ids) * rounds),
            distinct // len(homes.ids) % rounds,
        )
        houses = pd.DataFrame(everybody.households).iloc[class_h * len(homes.ids) + unit]
        home_ids = _ids(homes.ids, unit, round_h, rng) if new else homes.ids.to_numpy()[unit]
        houses = _put(houses, elsewhere, round_h).set_axis(_index(home_ids, class_h, "household", wide))
        frame["household"] = home_ids[of_row]
    donors = Donors(frame)
    donors.households = houses
    back = np.argsort(order, kind="stable")
    return Copies(donors, original[back], back, of_row)


def _shuffled(original: np.ndarray, round_of: np.ndarray, aligned: Aligned, rng: np.random.Generator) -> np.ndarray:
    """Mix rows, members of a household in their order among each other."""
    n, key = len(aligned.records), rng.random(len(original))
    if aligned.households is None:
        return np.argsort(key, kind="stable")
    home = ((original // n) * (round_of.max(initial=0) + 1) + round_of) * len(aligned.households.ids)
    home = home + aligned.households.of_record[original % n]
    by_key, as_they_are = np.lexsort((key, home)), np.lexsort((np.arange(len(home)), home))
    place = np.empty(len(key))
    place[as_they_are] = key[by_key]
    return np.argsort(place, kind="stable")


def _ids(known: pd.Index, position: np.ndarray, round_of: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """Make new ids of the kind that there were, in another order: the same id for the same position and round."""
    n = len(known)
    rank = np.arange(n) if rng is None else rng.permutation(n)
    number = (round_of + 1) * n + rank[position]
    if pd.api.types.is_integer_dtype(known.dtype):
        return (int(known.max()) + 1 + number).astype(np.int64)
    if pd.api.types.is_float_dtype(known.dtype):
        return np.floor(float(known.max())) + 1.0 + number
    return np.array([f"c{i:09d}" for i in number], dtype=object)


def _index(ids: np.ndarray, class_of: np.ndarray, name: str, wide: bool) -> pd.Index:
    return pd.MultiIndex.from_arrays([class_of, ids], names=["place", name]) if wide else pd.Index(ids, name=name)


def _put(frame: pd.DataFrame, elsewhere: Sequence[dict], round_of: np.ndarray) -> pd.DataFrame:
    """Put copies in other places: one a round."""
    if not elsewhere:
        return frame.copy()
    columns = {c: pd.Series([p[c] for p in elsewhere], dtype=frame[c].dtype).take(round_of).to_numpy()
               for c in elsewhere[0] if c in frame.columns}  # fmt: skip
    return frame.assign(**{c: pd.array(v, dtype=frame[c].dtype) for c, v in columns.items()})
