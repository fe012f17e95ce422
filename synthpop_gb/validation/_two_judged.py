"""Differences of two populations judged one by one: what luck makes of each, which are beyond it, and the tables that say so."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.validation._two_counts import Layout, PlacedPeople, count_block, pairs_of_luck, together_by_luck
from synthpop_gb.validation.chance import adjusted
from synthpop_gb.validation.difference import (
    expected_difference,
    measured_discovery,
    normal_score,
    simes,
    tail_probability,
    with_few_replicates,
)

__all__ = ["Judged"]

_LEAST = 6  # people of a group in both together below which no difference can be told from luck: 2 * 0.5 ** 6 > 0.03
_MOST = 20_000  # rows of `compare_groups`
_SHOWN = 20  # rows of `compare_groups` where nothing is beyond noise


@dataclass(eq=False)
class Judged:
    """What blocks of zones add up to: call `add` for each, then `groups`, then the other tables."""

    a: PlacedPeople
    b: PlacedPeople
    zones: pd.Index
    layout: Layout
    level: float
    least: int
    people: list[np.ndarray] = field(default_factory=list)
    spread: list[np.ndarray] = field(default_factory=list)
    luck: list[np.ndarray] = field(default_factory=list)
    p_zone: list[np.ndarray] = field(default_factory=list)
    likely: list[pd.DataFrame] = field(default_factory=list)
    tests: int = 0
    too_small: int = 0

    def __post_init__(self):
        n = self.layout.n_columns
        pairs = sum(len(pairs_of_luck(s.n_replicates)) for s in (self.a, self.b))
        self.null, self.null_zone = ([[] for _ in range(pairs)] for _ in range(2))
        self.total = {key: np.zeros(n) for key in ("a", "b", "difference", "variance")}
        self.everybody = np.zeros(2)
        self.replicated = {side: np.zeros((side.n_replicates, n)) for side in (self.a, self.b)}
        self.named = self.layout.named(self.least)
        both = [s for s in (self.a, self.b) if s.n_replicates > 1]
        extra = " and effective size" if self.apart else ""
        drawn = ", ".join(dict.fromkeys(x for s in both for x in s.sources))
        self.basis = f"replicates of {' and '.join(s.name for s in both)} ({drawn})" if both else "multinomial"
        self.basis += extra

    @property
    def apart(self) -> list[PlacedPeople]:
        """Populations whose survey may have been another: of two surveys, those whose replicates do not draw donors again."""
        if self.a.survey == self.b.survey:
            return []
        return [s for s in (self.a, self.b) if "donors" not in s.sources or s.n_replicates < 2]

    def survey_variance(self, share: np.ndarray) -> np.ndarray:
        """Variance of a difference of shares that two surveys make: p (1 - p) (1 / n_a + 1 / n_b), n the effective sizes."""
        return share * (1 - share) * sum(1 / max(s.effective, 1.0) for s in self.apart)

    def add(self, zones: pd.Index) -> None:
        """Count a block of zones in both, judge every difference, keep what is not plainly luck."""
        counted = count_block(self.a, self.b, zones, self.layout, self.replicated)
        ca, cb, na, nb = counted.a, counted.b, counted.people_a, counted.people_b
        scale = np.divide(na, nb, out=np.ones_like(na), where=nb > 0)[:, None]
        met = ((na > 0) & (nb > 0))[:, None]
        difference, total = (ca - scale * cb) * met, (ca + cb) * met
        share = total / np.maximum(na + nb, 1)[:, None]
        own = total * scale * np.clip(1 - share, 0, 1) if counted.variance is None else counted.variance
        variance = own + (na[:, None] ** 2) * self.survey_variance(share)
        p = self._judged(ca * met, cb * met, na, nb, variance)
        tested = np.isfinite(p)
        self.tests += int(tested.sum())
        self.too_small += int(((total > 0) & (total < _LEAST)).sum())
        kept_z, kept_c = np.nonzero(p <= self.level)
        self.likely.append(
            pd.DataFrame(
                {"zone": zones[kept_z], "column": kept_c, "a": ca[kept_z, kept_c], "b": cb[kept_z, kept_c],
                 "difference": difference[kept_z, kept_c], "noise": np.sqrt(variance[kept_z, kept_c]), "p": p[kept_z, kept_c]}
            )
        )  # fmt: skip
        for pair, (one, other, spread) in enumerate(counted.luck):
            null = self._judged(one, other, *(x[:, : int(self.layout.start[1])].sum(axis=1) for x in (one, other)), spread)
            self.null[pair].append(null[null <= self.level])
            self.null_zone[pair].append(simes(null))
        self.people.append(np.stack([na, nb], axis=1))
        self.p_zone.append(simes(p))
        dispersion = np.divide(variance, total * scale, out=np.zeros_like(total), where=total > 0)
        luck = np.sqrt(scale) * expected_difference(total, dispersion)
        starts = self.layout.start[:-1]
        self.spread.append(np.add.reduceat(np.abs(difference), starts, axis=1) / 2)
        self.luck.append(np.add.reduceat(luck, starts, axis=1) / 2)
        for key, values in (("a", ca * met), ("b", cb * met), ("difference", difference), ("variance", own * met)):
            self.total[key] += values.sum(axis=0)
        self.everybody += [na[met[:, 0]].sum(), nb[met[:, 0]].sum()]

    def _judged(self, ca, cb, na, nb, variance) -> np.ndarray:
        """Return every difference's probability; rows are zones. NaN where it is not tested, 1 where it is small beside noise."""
        na, nb = np.maximum(na, 1e-9)[:, None], np.maximum(nb, 1e-9)[:, None]
        total, scale = ca + cb, na / nb
        p = np.where((total >= _LEAST) & self.named, 1.0, np.nan)
        look = np.isfinite(p) & (np.abs(ca - scale * cb) > 1.5 * np.sqrt(variance))  # nearer, it is above 0.1 in any case
        where = np.nonzero(look)
        scale, ours = (np.broadcast_to(x, p.shape)[where] for x in (scale, na / (na + nb)))
        dispersion = variance[where] / (total[where] * scale)
        found = tail_probability(ca[where], cb[where], ours, dispersion)
        p[where] = with_few_replicates(found, self.freedom) if self.freedom else found
        return p

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the noise; nought where it is no estimate from replicates."""
        most = max(self.a.n_replicates, self.b.n_replicates)
        return most - 1 + 20 if most > 1 else 0  # 20: the prior of `moderated_variance`

    def _discovery(self, p, null: list[list[np.ndarray]], tests: int | None = None) -> np.ndarray:
        """Share of false discoveries by theory, or, where larger, as pairs of one population's draws show it."""
        q = adjusted(p, tests=tests)
        return np.maximum(q, measured_discovery(p, [np.concatenate(pair) for pair in null])) if null else q

    def _null_together(self) -> list[list[np.ndarray]]:
        """Probabilities of all zones together, of pairs of draws of one population."""
        found = []
        for side, key in ((self.a, "a"), (self.b, "b")):
            if not pairs_of_luck(side.n_replicates):
                continue
            for one, other, variance in together_by_luck(self.total[key], self.replicated[side], self.layout):
                people = (x[:, : int(self.layout.start[1])].sum(axis=1) for x in (one, other))
                p = self._judged(one, other, *people, variance)[0]
                found.append([p[np.isfinite(p)]])
        return found

    def _all(self) -> dict[str, np.ndarray]:
        """All zones together: difference, noise, probability of each group, and what luck alone would make."""
        t, (na, nb) = self.total, np.maximum(self.everybody, 1)
        scale, total = na / nb, t["a"] + t["b"]
        share = total / (na + nb)
        variance = self.layout.replicate_variance(self.replicated, scale, t)
        variance = t["variance"] if variance is None else variance
        variance = variance + na**2 * self.survey_variance(share)
        dispersion = np.divide(variance, total * scale, out=np.zeros_like(total), where=total > 0)
        ours = np.clip(na / (na + nb) * total + t["difference"] / (1 + scale), 0, total)  # counts of this sum that differ so
        p = self._judged(ours[None], (total - ours)[None], *self.everybody[:, None], variance[None])[0]
        luck = np.sqrt(scale) * expected_difference(total, dispersion)
        return {"difference": t["difference"], "noise": np.sqrt(variance), "p": p, "luck": luck, "total": total}

    @property
    def tested_together(self) -> np.ndarray:
        """(n_columns,) bool: groups that are judged in all zones together."""
        return (self.total["a"] + self.total["b"] >= _LEAST) & self.named

    def groups(self, names: pd.Series) -> pd.DataFrame:
        """Rows of `compare_groups`."""
        together = self._all()
        tested = np.flatnonzero(self.tested_together)
        whole = pd.DataFrame(
            {"zone": "all", "column": tested, "a": self.total["a"][tested], "b": self.total["b"][tested]}
            | {k: together[k][tested] for k in ("difference", "noise", "p")}
        )
        by_zone = pd.concat(self.likely, ignore_index=True)
        whole["q"] = self._discovery(whole["p"].to_numpy(), self._null_together())
        by_zone["q"] = self._discovery(by_zone["p"].to_numpy(), self.null, self.tests)
        rows = pd.concat([whole, by_zone], ignore_index=True)
        rows = rows[rows["a"] != rows["b"]] if (rows["difference"] == 0).all() else rows[rows["difference"] != 0]
        rows["z"] = normal_score(rows["difference"], rows["p"])
        self.beyond = rows[rows["q"] <= self.level]
        rows = rows.sort_values(["p", "difference"], key=lambda c: c if c.name == "p" else -c.abs(), kind="stable")
        rows = rows.head(min(max(len(self.beyond), _SHOWN), _MOST)).reset_index(drop=True)
        rows["group"] = np.array(self.layout.groups, dtype=object)[rows["column"].to_numpy(np.int64)]
        rows["name"] = rows["zone"].map(names).fillna("")
        rows["basis"] = self.basis
        rows["words"] = [_in_words(r, self.a.name, self.b.name) for r in rows.to_dict("records")]
        columns = ["zone", "name", "group", "a", "b", "difference", "noise", "z", "p", "q", "basis", "words"]
        return rows[columns].astype({"a": np.int64, "b": np.int64})

    def zone_table(self, names: pd.Series) -> pd.DataFrame:
        """Rows of `compare_zones`; `groups` comes first."""
        people = np.concatenate(self.people)
        spread, luck = np.concatenate(self.spread), np.concatenate(self.luck)
        one, two = self.layout.single, ~self.layout.single
        size = np.where(people.min(axis=1) > 0, people[:, 0], np.nan)[:, None]
        p = np.concatenate(self.p_zone)
        near = self.beyond[self.beyond["zone"] != "all"].sort_values("p", kind="stable")
        worst = near.drop_duplicates("zone").set_index("zone")["column"].reindex(self.zones)
        frame = pd.DataFrame(
            {
                "zone": self.zones, "name": names.reindex(self.zones).to_numpy(), "people_a": people[:, 0].astype(np.int64),
                "people_b": people[:, 1].astype(np.int64), "people_difference": (people[:, 0] - people[:, 1]).astype(np.int64),
                "tvd": _percent(spread, one, size), "noise": _percent(luck, one, size),
                "tvd_pairs": _percent(spread, two, size), "noise_pairs": _percent(luck, two, size),
                "groups_beyond": near["zone"].value_counts().reindex(self.zones, fill_value=0).to_numpy(),
                "worst_group": ["" if np.isnan(c) else self.layout.groups[int(c)] for c in worst],
                "p": p, "q": self._discovery(p, self.null_zone),
            }
        )  # fmt: skip
        order = ["p", "groups_beyond", "tvd_pairs" if two.any() else "tvd"]
        return frame.sort_values(order, ascending=[True, False, False], kind="stable").reset_index(drop=True)

    def table_table(self) -> pd.DataFrame:
        """Rows of `compare_tables`, the most beyond noise in all zones together first; `groups` comes first."""
        layout, together = self.layout, self._all()
        people = max(self.everybody[0], 1.0)
        starts, table_of = layout.start[:-1], layout.table_of[self.beyond["column"].to_numpy(np.int64)]
        here = self.beyond.assign(table=table_of)
        by_zone = here[here["zone"] != "all"]
        frame = pd.DataFrame(
            {
                "variables": [" x ".join(v) for v in layout.tables], "cells": np.diff(layout.start), "zones": len(self.zones),
                "tvd": 100 * np.concatenate(self.spread).sum(axis=0) / people,
                "noise": 100 * np.concatenate(self.luck).sum(axis=0) / people,
                "tvd_all": 50 * np.add.reduceat(np.abs(together["difference"]), starts) / people,
                "noise_all": 50 * np.add.reduceat(together["luck"], starts) / people,
                "zones_beyond": np.bincount(by_zone.drop_duplicates(["table", "zone"])["table"], minlength=len(starts)),
                "groups_beyond": np.bincount(here.loc[here["zone"] == "all", "table"], minlength=len(starts)),
                "basis": self.basis,
            }
        )  # fmt: skip
        for ratio, value, noise in (("ratio", "tvd", "noise"), ("ratio_all", "tvd_all", "noise_all")):
            known = (frame[noise] > 0).to_numpy()
            frame.insert(frame.columns.get_loc(noise) + 1, ratio, np.nan)
            frame.loc[known, ratio] = frame.loc[known, value] / frame.loc[known, noise]
        luck = (frame["groups_beyond"] + frame["zones_beyond"] == 0).to_numpy()
        far = frame[["ratio", "ratio_all"]].max(axis=1).fillna(np.inf).to_numpy()  # no noise at all: any difference is beyond it
        far = np.where((frame[["tvd", "tvd_all"]] == 0).all(axis=1), 0.0, far)
        return frame.iloc[np.lexsort((-far, luck))].reset_index(drop=True)


def _percent(people: np.ndarray, tables: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(n_zones,) mean over some tables, in per cent of the zone's people; NaN where there are none of either."""
    return 100 * (people[:, tables] / size).mean(axis=1) if tables.any() else np.full(len(people), np.nan)


def _in_words(row: dict, a: str, b: str) -> str:
    """Say one group's difference in a sentence."""
    called = f" ({row['name']})" if row["name"] else ""
    where = "All zones together" if row["zone"] == "all" else f"{row['zone']}{called}"
    more = "more" if row["difference"] > 0 else "fewer"
    if abs(row["a"] - row["b"] - row["difference"]) >= 1:  # zones of two sizes
        more += " once both are brought to one size"
    return (
        f"{where}: {row['a']:,.0f} people with {row['group']} in {a}, {row['b']:,.0f} in {b}; "
        f"{abs(row['difference']):,.0f} {more}, where luck has a standard deviation of {row['noise']:,.3g}"
    )
