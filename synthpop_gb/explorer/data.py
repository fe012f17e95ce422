"""What is written into the page: places, variables, figures, outlines; nothing of a record, nothing that may not be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.explorer.geometry import Outlines
from synthpop_gb.explorer.offered import Census, Offer
from synthpop_gb.explorer.packing import Store, pack_figures, zigzag
from synthpop_gb.explorer.simulations import SimulationItem
from synthpop_gb.geography.classes import DIVERGING, MISSING, SEQUENTIAL
from synthpop_gb.geography.vintage import level_of
from synthpop_gb.indicators import FEW_DONORS
from synthpop_gb.indicators.tabulated import CLASSES, Figures, Level

__all__ = ["Content", "content_of"]

_LEVELS = {
    "zone": ("zone", "zones"), "oa": ("output area", "output areas"), "lsoa": ("LSOA", "LSOAs"), "msoa": ("MSOA", "MSOAs"),
    "iz": ("intermediate zone", "intermediate zones"), "ward": ("ward", "wards"), "lad": ("local authority", "local authorities"),
    "ltla": ("local authority", "local authorities"), "utla": ("upper-tier authority", "upper-tier authorities"),
    "county": ("county", "counties"), "country": ("country", "countries"), "all": ("whole area", "whole area"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Content:
    """Plain values of the page, and its arrays as text."""

    meta: dict
    texts: list[str] = field(default_factory=list)


def content_of(
    aligned: Aligned,
    offer: Offer,
    figures: Mapping[int, Sequence[Figures]],
    *,
    title: str,
    facts: Mapping[str, str],
    level: float,
    sure: bool,
    pyramid: Sequence[Figures] | None = None,
    outlines: Outlines | None = None,
    simulations: Sequence[SimulationItem] = (),
    notes: Sequence[str] = (),
) -> Content:
    """Put everything together.

    Parameters
    ----------
    aligned, offer
        What was asked.
    figures : mapping of int to sequence of Figures
        By position in `offer.levels`, of what `offer.measured` lists. Their groups may be fewer than the offer's where an array
        would be too large: then everybody alone.
    title, facts
        Heading, and what is said of the run, in order.
    level, sure : float, bool
        Nominal coverage of intervals, and whether there are any.
    pyramid : sequence of Figures, optional
        By level, ages by sex.
    outlines : Outlines, optional
        None = a page without a map.
    simulations : sequence of SimulationItem
        Of policy simulations.
    notes : sequence of str
        What a reader should know of what is not shown.
    """
    store, shown = Store(), aligned.survey.licence == "open"
    items = [_item(store, offer, figures, i, shown) for i in range(len(offer.measured))]
    items += [s.packed(store, offer.levels) for s in simulations]
    meta = {
        "title": title, "facts": [[k, v] for k, v in facts.items()], "notes": list(notes), "coverage": level, "sure": sure,
        "levels": _places(store, aligned, offer), "groups": [[g.variable, g.label] for g in offer.groups],
        "groupTitles": {m.name: t for m, t in zip(offer.measured, offer.titles, strict=True)},
        "items": items, "classes": list(CLASSES[:-1]), "few": FEW_DONORS, "open": shown,
        "colours": {"sequential": SEQUENTIAL, "diverging": DIVERGING[5], "missing": MISSING},
        "pyramid": None if pyramid is None else _pyramid(store, offer, pyramid, shown),
        "outlines": None if outlines is None else _outlines(store, outlines),
    }  # fmt: skip
    return Content(meta, store.texts)


def _group_sets(offer: Offer, n: int) -> list[tuple[str, list[int]]]:
    """List the groups that are shown together: everybody, then those of each variable."""
    numbered = list(enumerate(offer.groups))[:n]
    return [(v, [i for i, _ in mine]) for v, mine in groupby(numbered, key=lambda pair: pair[1].variable)]


def _item(store: Store, offer: Offer, figures, i: int, shown: bool) -> dict:
    m = offer.measured[i]
    item = {
        "name": m.name, "title": offer.titles[i], "domain": offer.domains[i], "whom": offer.whom[i], "columns": list(m.columns),
        "kind": "share" if m.share else "mean", "of": "households" if m.of == "household" else "people",
        "levels": {}, "census": None if i not in offer.census else _census(store, offer.census[i]),
    }  # fmt: skip
    for k, by_measured in figures.items():
        found = by_measured[i] if shown else by_measured[i].withheld()
        item["levels"][str(k)] = _packed_level(store, offer, found, shown)
    return item


def _packed_level(store: Store, offer: Offer, found: Figures, shown: bool) -> dict:
    """One level's figures: an array a set of groups, with people and records behind them."""
    sets = {}
    for variable, groups in _group_sets(offer, len(found.people)):
        donors = found.donors[groups]
        if not shown:  # how few they are is nobody's business
            donors = np.where(donors < FEW_DONORS, 0, donors)
        people = np.round(np.maximum(found.people[groups], 0.0)).astype(np.int64)
        sets[variable] = pack_figures(store, found, groups) | {"who": store.put((people, 4), (donors, 4))}
    return sets


def _census(store: Store, census: Census) -> dict:
    counts, total = (np.round(a).astype(np.int64) for a in (census.counts.T, census.total))
    return store.put((counts, 4), (total, 4)) | {"universe": census.universe, "source": census.source}


def _pyramid(store: Store, offer: Offer, figures: Sequence[Figures], shown: bool) -> dict:
    _, census, ages, sexes = offer.pyramid
    levels = {str(k): pack_figures(store, f if shown else f.withheld(), [0]) for k, f in enumerate(figures)}
    people = [store.put((np.round(np.maximum(f.people[0], 0.0)).astype(np.int64), 4)) for f in figures]
    return {"ages": list(ages), "sexes": list(sexes), "levels": levels, "people": people,
            "census": None if census is None else _census(store, census)}  # fmt: skip


def _places(store: Store, aligned: Aligned, offer: Offer) -> list[dict]:
    """Levels: what they are called, codes, names, and the area of each zone."""
    zones, out = aligned.geography.zones, []
    for level in offer.levels:
        one, many = _called(level)
        entry = {"name": level.name, "one": one, "many": many, "codes": level.areas.astype(str).tolist(), "names": None}
        column = "name" if level.name == "zone" else f"{level.name}_name"
        if column in zones:
            first = pd.Series(zones[column].to_numpy(), level.of_zone)
            first = first[(first.index >= 0) & first.notna()].groupby(level=0).first().reindex(range(len(level.areas)))
            entry["names"] = [str(v) if isinstance(v, str) else "" for v in first]
        elif not level.areas.astype(str).str.fullmatch(r"[A-Z]\d{8}").all() and level.name != "zone":
            entry["names"] = entry["codes"]  # a level that is named by its names
        if level.name == "all":
            entry |= {"codes": ["all"], "names": ["Whole study area"]}
        entry["of"] = store.put((level.of_zone + 1, 4))
        out.append(entry)
    return out


def _called(level: Level) -> tuple[str, str]:
    """One and several areas of a level, in words; official codes say what zones are."""
    name = level.name.lower()
    if name == "zone":
        several = level_of(level.areas)
        one = f"{several[:-3]}y" if several.endswith("ies") else several[:-1]
        return (one, several) if several else _LEVELS["zone"]
    key = name.rstrip("0123456789")
    if key in _LEVELS:
        return _LEVELS[key]
    words = level.name.replace("_", " ")
    return words, f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _outlines(store: Store, outlines: Outlines) -> dict:
    delta = np.diff(outlines.points, axis=0, prepend=np.zeros((1, 2), np.int32))
    return {
        "west": outlines.west, "south": outlines.south, "step": outlines.step,
        "arcs": store.put((np.diff(outlines.arc_start), 4), (zigzag(delta[:, 0]), 4), (zigzag(delta[:, 1]), 4),
                          (outlines.sides[:, 0] + 1, 4), (outlines.sides[:, 1] + 1, 4)),
        "rings": store.put((zigzag(outlines.rings), 4), (np.diff(outlines.ring_start), 4), (outlines.ring_zone, 4),
                           (outlines.ring_first.astype(np.int64), 1)),
    }  # fmt: skip
