"""What a scan by zone found, as tables: by combination, by zone, and by group with the zone where it is worst."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.validation.chance import adjusted
from synthpop_gb.validation.intersections.judge import TABLE_COLUMNS
from synthpop_gb.validation.intersections.tallies import strides_of
from synthpop_gb.validation.intersections.words import cell_words, combination_words
from synthpop_gb.validation.intersections.zone_tallies import ByZone

__all__ = ["ZONE_CELL_COLUMNS", "ZONE_COLUMNS", "combination_rows", "discoveries", "zone_cell_rows", "zone_scan_rows"]

ZONE_COLUMNS = (
    "zone", "reference", "people", "combinations", "cells", "tvd", "tvd_floor", "times_floor", "invented", "missing",
    "missing_floor", "worst_combination", "worst_tvd", "worst_floor", "worst_cell", "worst_p",
)  # fmt: skip

ZONE_CELL_COLUMNS = (
    "rank", "reference", "combination", "k", "cell", "expected", "observed", "misplaced", "floor", "excess", "z", "p", "q",
    "invented", "missing", "zones", "zone", "zone_expected", "zone_observed", "zone_p", "explained_by", "protected",
)  # fmt: skip

_E, _O, _MISPLACED, _FLOOR, _VARIANCE, _INVENTED, _MISSING = range(7)


def discoveries(bins: np.ndarray, q: float = 0.05) -> tuple[np.ndarray, float]:
    """Count cells of zones beyond the false discovery rate, by combination, from p values counted by size.

    With m cells in all and R(t) of them of p at most t, the largest t of the grid with m t / R(t) <= q (Benjamini & Hochberg 1995
    on a grid: Storey, Taylor & Siegmund 2004): never more than exact p values would give.

    Parameters
    ----------
    bins : numpy.ndarray
        (n_combinations, BINS) int64: bin b holds p values of 10^(-b / BINS_PER_DECADE) and less.
    q : float
        False discovery rate.

    Returns
    -------
    (numpy.ndarray, float)
        (n_combinations,) int64 discoveries; and -log10 of the largest p value among them, infinite where there are none.

    >>> from synthpop_gb.kernels.tally_zones import BINS
    >>> bins = np.zeros((1, BINS), np.int64)
    >>> bins[0, [0, 100]] = 90, 10  # ten of a hundred have p below 1e-5
    >>> discoveries(bins)
    (array([10]), 2.35)
    """
    from synthpop_gb.kernels.tally_zones import BINS_PER_DECADE

    beyond = bins[:, ::-1].cumsum(axis=1)[:, ::-1]
    found, limit = beyond.sum(axis=0), 10.0 ** (-np.arange(bins.shape[1]) / BINS_PER_DECADE)
    fits = np.flatnonzero(bins.sum() * limit <= q * found)
    if not len(fits) or not found[fits[0]]:
        return np.zeros(len(bins), np.int64), np.inf
    return beyond[:, fits[0]], float(fits[0] / BINS_PER_DECADE)


def _share(part, whole):
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)


def combination_rows(found: ByZone, protected: Sequence[bool], reference: str, q: float = 0.05) -> pd.DataFrame:
    """One row a combination, in the columns of `judge.table_rows`, of zones counted apart.

    A cell is a combination of values in one zone. tvd: people in the wrong cell of their zone, as a share of the reference's;
    tvd_floor and tvd_chance: the same expected of whole people drawn at random from the reference (Poisson in every cell;
    exact); tvd_limit:
    with what chance adds to that (`floors.tvd_limit`). srmse, vw_ratio (most cells
    expect a fraction of a person) and impossible (told over all zones) are NaN.
    """
    (many, _), found_cells = discoveries(found.bins, q), found.bins.sum(axis=1)
    rows = []
    for c, layout in enumerate(found.layouts):
        cells, zones = found.by_cell[c].sum(axis=0), found.by_zone[:, c].astype(np.float64).sum(axis=0)
        row = {
            "reference": reference, "combination": combination_words(layout.names), "k": len(layout.at),
            "cells": int(found_cells[c]), "protected": bool(protected[c]),
        }  # fmt: skip
        e, o = cells[_E], cells[_O]
        if e > 0 and o > 0:
            floor = cells[_FLOOR] / e
            slack = np.sqrt(np.log(max(len(found.layouts), 1) / q) / (2 * o))
            row |= {
                "tvd": cells[_MISPLACED] / e, "tvd_floor": floor, "tvd_floor_effective": floor, "tvd_chance": floor,
                "tvd_limit": min(1.0, floor + slack),
                "invented": cells[_INVENTED] / o, "invented_floor": 0.0, "impossible": np.nan, "missing": cells[_MISSING] / e,
                "missing_floor": zones[7] / e, "missing_floor_effective": zones[7] / e, "discoveries": int(many[c]),
            }  # fmt: skip
            row["passes"] = bool(row["tvd"] <= row["tvd_limit"] and not many[c])
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(TABLE_COLUMNS))
    whole = dict.fromkeys(("expected_cells", "observed_cells", "discoveries", "missing_cells"), "Int64")
    return frame.astype({"passes": "boolean", "protected": bool, **whole})


def zone_scan_rows(found: ByZone, zones: pd.Index, reference: str) -> pd.DataFrame:
    """One row a zone: means over combinations, the worst combination, and the most surprising cell.

    Columns: zone; reference; people; combinations; cells; tvd (share of people in the wrong cell, mean of the combinations),
    tvd_floor, times_floor (their ratio); invented, missing and missing_floor (shares, means); worst_combination (whose
    misplaced people exceed the floor by most standard deviations), worst_tvd, worst_floor; worst_cell in words, worst_p.
    """
    if not found.layouts:
        return pd.DataFrame(columns=list(ZONE_COLUMNS))
    sums = found.by_zone.astype(np.float64)
    people = sums[:, :, _O].max(axis=1, initial=0.0)
    expected = sums[:, :, _E]
    gap = (sums[:, :, _MISPLACED] - sums[:, :, _FLOOR]) / np.sqrt(np.maximum(sums[:, :, _VARIANCE], 0.25))
    z, worst = np.arange(len(zones)), gap.argmax(axis=1)
    log_p = sums[:, :, 9]
    strange = log_p.argmax(axis=1)
    words = [_cell(found, int(c), int(sums[i, c, 10])) if log_p[i, c] > 0 else "" for i, c in enumerate(strange)]
    tvd, floor = (_mean(_share(sums[:, :, i], expected)) for i in (_MISPLACED, _FLOOR))
    columns = {
        "zone": zones, "reference": reference, "people": people, "combinations": gap.shape[1],
        "cells": sums[:, :, 8].sum(axis=1).astype(np.int64), "tvd": tvd, "tvd_floor": floor, "times_floor": _share(tvd, floor),
        "invented": _mean(_share(sums[:, :, _INVENTED], sums[:, :, _O])),
        "missing": _mean(_share(sums[:, :, _MISSING], expected)),
        "missing_floor": _mean(_share(sums[:, :, 7], expected)),
        "worst_combination": [combination_words(found.layouts[c].names) for c in worst],
        "worst_tvd": _share(sums[z, worst, _MISPLACED], expected[z, worst]),
        "worst_floor": _share(sums[z, worst, _FLOOR], expected[z, worst]), "worst_cell": words,
        "worst_p": 10.0 ** -np.minimum(log_p[z, strange], 300.0),
    }  # fmt: skip
    return pd.DataFrame(columns, columns=list(ZONE_COLUMNS))


def _mean(shares: np.ndarray) -> np.ndarray:
    """Mean over combinations that are defined; NaN where none is."""
    known = ~np.isnan(shares)
    return _share(np.where(known, shares, 0.0).sum(axis=1), known.sum(axis=1).astype(float))


def _cell(found: ByZone, c: int, r: int) -> str:
    layout = found.layouts[c]
    codes = np.unravel_index(layout.keys[r], layout.sizes)
    return cell_words(layout.names, [x[i] for x, i in zip(layout.labels, codes, strict=True)])


def zone_cell_rows(
    found: ByZone, protected: Sequence[bool], zones: pd.Index, reference: str, *, q: float = 0.05, most: int = 200
) -> pd.DataFrame:
    """One row a group that is in the wrong zones beyond chance, worst first, with the zone where it is worst.

    A group is told where its misplaced people exceed what chance leaves, all zones together, or where one zone's count is beyond
    the false discovery rate. Columns: rank; reference; combination; k; cell; expected and observed people, all zones together;
    misplaced (half the sum over zones of |O - E|), floor (its expectation for whole people drawn at random), excess (misplaced -
    floor, people); z (standard deviations beyond the floor), p (normal approximation) and q (adjusted over all groups); invented
    and missing (people in zones where nobody is expected, or is); zones (in which the group occurs); zone, zone_expected,
    zone_observed, zone_p (where it differs most; exact); explained_by (a group of fewer variables that holds it and is off by
    at least as many people, over all zones or in the same one; or empty); protected. Groups that follow come last.

    Parameters
    ----------
    found : ByZone
        What was measured.
    protected : sequence of bool
        By combination.
    zones : pandas.Index
        Zones of the study.
    reference : str
        Its name.
    q : float
        False discovery rate.
    most : int
        Groups listed, and again as many that follow.
    """
    from scipy.stats import norm

    if not found.layouts:
        return pd.DataFrame(columns=list(ZONE_CELL_COLUMNS))
    sums = np.concatenate(found.by_cell)
    table = np.repeat(np.arange(len(found.layouts)), [len(x.keys) for x in found.layouts])
    row = np.concatenate([np.arange(len(x.keys)) for x in found.layouts])
    excess = sums[:, _MISPLACED] - sums[:, _FLOOR]
    z = excess / np.sqrt(np.maximum(sums[:, _VARIANCE], 0.25))
    live = sums[:, 7] > 0
    p = np.where(live, norm.sf(z), np.nan)
    adjusted_p = np.full(len(p), np.nan)
    adjusted_p[live] = adjusted(p[live])
    spread = live & (np.nan_to_num(adjusted_p, nan=1.0) <= q)
    told = spread | (live & (sums[:, 8] >= discoveries(found.bins, q)[1]))
    evidence = np.maximum(-norm.logsf(z) / np.log(10), sums[:, 8])
    off = np.where(spread, excess, np.abs(sums[:, 10] - sums[:, 9]))
    place = np.where(spread, -1, np.concatenate(found.worst))
    holder = _holders(found, told, off, place, row)
    order = np.lexsort((row, table, -evidence, holder >= 0))
    order = order[told[order]]
    follows = holder[order] >= 0
    order = np.concatenate([order[~follows][:most], order[follows][:most]])
    rows = []
    for i in order.tolist():
        c, r, s = int(table[i]), int(row[i]), sums[i]
        layout, h = found.layouts[c], int(holder[i])
        rows.append({
            "combination": combination_words(layout.names), "k": len(layout.at), "cell": _cell(found, c, r), "expected": s[_E],
            "observed": s[_O], "misplaced": s[_MISPLACED], "floor": s[_FLOOR], "excess": excess[i], "z": z[i], "p": p[i],
            "q": adjusted_p[i], "invented": s[_INVENTED], "missing": s[_MISSING], "zones": int(s[7]),
            "zone": zones[found.worst[c][r]], "zone_expected": s[9], "zone_observed": s[10], "zone_p": 10.0 ** -min(s[8], 300.0),
            "explained_by": _cell(found, int(table[h]), int(row[h])) if h >= 0 else "", "protected": bool(protected[c]),
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=[c for c in ZONE_CELL_COLUMNS if c not in ("rank", "reference")])
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame.insert(1, "reference", reference)
    return frame


def _holders(found: ByZone, told, off, place, row) -> np.ndarray:
    """Of each told group the position of one of fewer variables that holds it and accounts for it, -1 where there is none.

    off : by how many people; place : in which zone, -1 = over all zones.
    """
    first = np.concatenate([[0], np.cumsum([len(x.keys) for x in found.layouts])])
    number = {x.at: i for i, x in enumerate(found.layouts)}
    out = np.full(len(told), -1, np.int64)
    for c, layout in enumerate(found.layouts):
        mine = first[c] + np.flatnonzero(told[first[c] : first[c + 1]])
        if len(layout.at) < 2 or not len(mine):
            continue
        here, codes = layout.at, np.stack(np.unravel_index(layout.keys[row[mine]], layout.sizes))
        for k in range(1, len(layout.at)):
            for positions in combinations(range(len(layout.at)), k):
                other = number.get(tuple(here[i] for i in positions))
                if other is None:
                    continue
                keys = strides_of([layout.sizes[i] for i in positions]) @ codes[list(positions)]
                at = first[other] + np.searchsorted(found.layouts[other].keys, keys)
                good = told[at] & (off[at] >= off[mine]) & ((place[at] < 0) | (place[at] == place[mine])) & (out[mine] < 0)
                out[mine[good]] = at[good]
    for i in np.flatnonzero(out >= 0):  # of a holder that is held itself, the one that holds it: fewer variables come first
        out[i] = out[out[i]] if out[out[i]] >= 0 else out[i]
    return out
