"""Two populations of the same zones: where and for whom they differ beyond what luck alone makes of either.

Every variable and every pair of variables is counted in every zone of both. A difference is judged beside its noise: the spread
of replicates where a population has some; else that of people drawn one by one (multinomial), and of the surveys where those are
two (effective size, Kish 1965). Thousands of groups are looked at, so false discoveries are controlled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.validation._two_counts import Layout, PlacedPeople, common_people
from synthpop_gb.validation._two_judged import Judged

__all__ = ["PlacedPeople", "compare_populations"]

_BLOCK = 256  # zones counted at once


def compare_populations(
    a: PlacedPeople,
    b: PlacedPeople,
    *,
    pairs: bool = True,
    level: float = 0.05,
    least_records: int = 1,
    names: pd.Series | None = None,
) -> Checks:
    """Compare two populations zone by zone, variable by variable, pair by pair.

    Shares are compared, at the size of the first: where a zone has other numbers of people in the two, `difference` is
    a - b x people(a) / people(b), and the numbers of people are compared by themselves in `compare_zones`.

    Parameters
    ----------
    a, b : PlacedPeople
        With the same variables and labels. Only zones that both have are compared, and of two surveys whose ages begin or end
        elsewhere only the ages that both have.
    pairs : bool
        Cross every two variables too.
    level : float
        False discoveries tolerated among what is reported.
    least_records : int
        Groups of which either survey has fewer records are not reported by name (10 where a survey is under licence).
    names : pandas.Series, optional
        Names by zone code.

    Returns
    -------
    Checks
        Tables:

        - 'compare_zones', the zone least like itself first: zone, name, people_a, people_b, people_difference, tvd and noise
          (% of people in another category, mean of variables), tvd_pairs and noise_pairs, groups_beyond, worst_group,
          p (Simes 1986) and q
        - 'compare_tables': variables, cells, zones, tvd, noise, ratio (% of people, in their zones), tvd_all, noise_all,
          ratio_all (all zones together), zones_beyond, groups_beyond, basis
        - 'compare_groups', worst first: zone ('all' for all together), name, group, a, b, difference, noise (standard deviation),
          z, p, q, basis, words. Everything with q up to `level`, at most 20,000 rows; the 20 nearest to it where there is nothing
        - 'compare_coverage': item, zone, a, b, words: universes, surveys, zones of one only, people, variables

    Raises
    ------
    ValueError
        Where variables or labels differ, or no zone is in both.
    """
    if a.coded.names != b.coded.names or a.coded.labels != b.coded.labels:
        raise ValueError("the two populations are not coded alike")
    zones = a.zones[a.zones.isin(b.zones)]
    if not len(zones):
        raise ValueError("no zone is in both populations")
    a, b, outside = common_people(a, b, zones)
    layout = Layout.of(a, b, pairs)
    found = Judged(a, b, zones, layout, level, least_records)
    for first in range(0, len(zones), _BLOCK):
        found.add(zones[first : first + _BLOCK])
    names = pd.Series("", zones) if names is None else names.reindex(zones).fillna("")
    coverage = _coverage(a, b, zones, layout, outside)
    groups, per_zone = found.groups(names), found.zone_table(names)
    tables = {
        "compare_zones": per_zone, "compare_tables": found.table_table(), "compare_groups": groups, "compare_coverage": coverage,
    }  # fmt: skip
    headline = _headline(found, tables)
    return Checks(headline, tables, tuple(_findings(a, b, zones, tables, outside, found)))


def _coverage(
    a: PlacedPeople, b: PlacedPeople, zones: pd.Index, layout: Layout, outside: Sequence[tuple[str, int, int]]
) -> pd.DataFrame:
    """Rows of `compare_coverage`: what can be compared and what not."""
    rows = [
        ("universe", "", a.universe, b.universe, "" if a.universe == b.universe else "they count other people"),
        ("survey", "", a.survey_name, b.survey_name, "the same" if a.survey == b.survey else "two surveys"),
        ("records", "", f"{len(a.coded):,}", f"{len(b.coded):,}", "in the survey"),
        ("donors used", "", f"{a.donors_used:,}", f"{b.donors_used:,}", "records that stand somewhere"),
        ("effective donors", "", f"{a.effective:,.0f}", f"{b.effective:,.0f}", "as many equally used records say as much"),
        ("zones", "", f"{len(a.zones):,}", f"{len(b.zones):,}", f"{len(zones):,} in both"),
        (
            "vintage",
            "",
            a.vintage or "not told",
            b.vintage or "not told",
            "" if a.vintage == b.vintage else "zone codes tell two years",
        ),
        ("people", "", f"{a.people:,}", f"{b.people:,}", "in all zones"),
        ("variables", "", ", ".join(a.coded.names), ", ".join(b.coded.names), f"{len(layout.tables):,} tables compared"),
        *((f"only one has {label}", "", f"{x:,}", f"{y:,}", "left out of everything else") for label, x, y in outside),
    ]
    for side, other, which in ((a, b, "a"), (b, a, "b")):
        only = ~side.zones.isin(other.zones)
        people = side.counts.people
        rows += [
            (f"zone in {side.name} only", z, f"{n:,}" if which == "a" else "", f"{n:,}" if which == "b" else "", "")
            for z, n in zip(side.zones[only], people[only].tolist(), strict=True)
        ]
    return pd.DataFrame(rows, columns=["item", "zone", "a", "b", "words"])


def _headline(found: Judged, tables: dict[str, pd.DataFrame]) -> dict[str, object]:
    """Return the few numbers that are read first."""
    zones, table, a, b = tables["compare_zones"], tables["compare_tables"], found.a, found.b
    identical = bool((np.concatenate(found.spread) == 0).all() and (zones["people_difference"] == 0).all())
    whole, by_zone = (found.beyond["zone"] == "all"), (found.beyond["zone"] != "all")
    far = table.loc[(table["tvd"] - table["noise"]).idxmax()]
    worst = f"{far['tvd']:.2f} % of people in another cell of {far['variables']} (noise {far['noise']:.2f} %)"
    worst = worst if far["tvd"] > far["noise"] else "none: no table differs by more than noise"
    return {
        "compared": f"{a.name} with {b.name}", "zones in both": len(found.zones),
        f"zones in {a.name} only": int((~a.zones.isin(b.zones)).sum()),
        f"zones in {b.name} only": int((~b.zones.isin(a.zones)).sum()),
        "people compared": f"{found.everybody[0]:,.0f} and {found.everybody[1]:,.0f}",
        "tables": len(table), "noise": found.basis, "identical in all that was counted": "yes" if identical else "no",
        "groups beyond noise, all zones together": f"{int(whole.sum()):,} of {int(found.tested_together.sum()):,}",
        "groups beyond noise, by zone": f"{int(by_zone.sum()):,} of {found.tests:,}",
        "zones beyond noise": int((zones["q"] <= found.level).sum()),
        "false discoveries tolerated": f"{100 * found.level:g} %",
        "largest above noise": worst,
        "groups too small to tell": found.too_small,
    }  # fmt: skip


def _findings(a: PlacedPeople, b: PlacedPeople, zones: pd.Index, tables, outside, found: Judged) -> list[Finding]:
    """Say what a reader must know before any number: other people, other zones; and what differs most."""
    said = []
    for label, x, y in outside:
        who = a.name if x == 0 else b.name
        message = f"{who} has nobody of {label}; the other has {max(x, y):,}, who were left out."
        said.append(finding("other-universe", message, place=who, count=max(x, y)))
    if a.vintage != b.vintage:
        message = f"Zone codes of {a.name} tell {a.vintage or 'no year'}, those of {b.name} {b.vintage or 'no year'}."
        said.append(finding("zone-vintage", message, place=b.name, level="warning"))
    for side, other in ((a, b), (b, a)):
        only = side.zones[~side.zones.isin(other.zones)]
        if len(only):
            n = int(side.counts.people[~side.zones.isin(other.zones)].sum())
            message = (
                f"{len(only):,} zones, with {n:,} people, are in {side.name} only (first: {only[0]}); they are not compared."
            )
            rows = pd.DataFrame({"zone": only})
            said.append(
                finding("unknown-zone", message, place=side.name, count=len(only), rows=rows,
                        remedy="Nothing, if one covers a larger area; else make both for zones of one year.")
            )  # fmt: skip
    zone = tables["compare_zones"]
    apart = zone[zone["people_difference"] != 0]
    if len(apart):
        first = apart.loc[apart["people_difference"].abs().idxmax()]
        message = (
            f"{len(apart):,} zones have other numbers of people (most: {first['zone']}, {first['people_a']:,} in {a.name} and "
            f"{first['people_b']:,} in {b.name}); within a zone both are compared at one size."
        )
        said.append(finding("zone-totals-differ", message, place=str(first["zone"]), count=len(apart), rows=apart))
    if found.basis.startswith("multinomial") and np.concatenate(found.spread).any():
        message = f"Neither {a.name} nor {b.name} has replicates, so noise is that of people drawn at random."
        said.append(finding("noise-by-formula", message, place=b.name))
    if len(found.beyond):
        worst = tables["compare_groups"].iloc[0]
        message = f"{len(found.beyond):,} groups differ beyond noise; the least like: {worst['words']}."
        said.append(finding("populations-differ", message, place=str(worst["zone"]), count=len(found.beyond)))
    return said
