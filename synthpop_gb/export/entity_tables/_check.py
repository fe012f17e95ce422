"""Read entity tables back from disk: ids, counts by zone, links, weights and totals, against the population."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.export._rows import guarded
from synthpop_gb.export.entity_tables._layout import Layout
from synthpop_gb.export.entity_tables._tables import Numbering, Table
from synthpop_gb.population import DonorCounts

__all__ = ["Meant", "check_tables"]


class Meant:
    """What the tables are to hold, counted from the population's households by zone, never from the rows that are written."""

    def __init__(self, layout: Layout):
        self.layout = layout
        n_zones = len(layout.population.zones)
        self.homes, self.people = np.zeros(n_zones, np.int64), np.zeros(n_zones, np.int64)
        self.copies = np.zeros(len(layout.homes.ids), np.int64)
        self.rows = 0

    def add(self, block: DonorCounts) -> None:
        """Count one block of households."""
        layout = self.layout
        at = layout.population.zones.astype(str).get_indexer(block.zones.astype(str))
        self.homes[at] += block.people
        running = np.concatenate([[0], np.cumsum(block.n * layout.homes.size[block.record], dtype=np.int64)])
        self.people[at] += np.diff(running[block.indptr])
        np.add.at(self.copies, block.record, block.n)
        self.rows += len(block.n) if layout.weighted else int(block.n.sum(dtype=np.int64))

    def total(self, of: str, values: np.ndarray, table: str) -> float:
        """Total of a column over everybody that the rows stand for."""
        values = np.asarray(values, np.float64)
        homes = self.layout.homes
        if table == "person":
            by = {
                "record": lambda: values,
                "home": lambda: values[homes.of_record],
                "family": lambda: values[self.layout.families.unit],
            }
            return float((by[of]() * self.copies[homes.of_record]).sum())
        if table == "home":
            return float(((values if of == "home" else values[homes.reference]) * self.copies).sum())
        family = {
            "family": lambda: values,
            "home": lambda: values[self.layout.families.home],
            "record": lambda: values[self.layout.head],
        }
        return float((family[of]() * self.copies[self.layout.families.home]).sum())

    def notes(self) -> Iterator[Finding]:
        """Say who is not in the tables: `export-left-out`."""
        status = self.layout.population.status["people"].to_numpy(np.int64)
        people = int(status.sum() - self.people.sum())
        if people:
            message = f"{people:,} people are not in the tables."
            yield finding("export-left-out", message, place="left_out", count=people)


def check_tables(folder: Path, tables: Sequence[Table], numbering: Numbering, meant: Meant, keys: dict[str, str]) -> list[str]:
    """Compare every table with what was meant; returns what differs, in words."""
    persons = next(t for t in tables if t.of == "person")
    homes = next(t for t in tables if t.of == "home")
    found = _check_homes(folder / homes.file, homes, numbering, meant, keys)
    if found:
        return found
    frame = _read(folder / homes.file, homes, [keys["weight"], keys["zone"]])
    weight, zone = frame[keys["weight"]].to_numpy(np.int64), _zone_codes(meant).get_indexer(frame[keys["zone"]])
    found += _check_people(folder / persons.file, persons, numbering, meant, keys, weight, zone)
    for table in tables:
        if not found and table is not persons:
            found += _check_totals(
                _read(folder / table.file, table), table, meant, _weights_of(folder, table, keys, weight, numbering)
            )
    return found


def _read(path: Path, table: Table, names: list[str] | None = None) -> pd.DataFrame:
    text = {guarded(c.name): "string" for c in table.columns if c.is_text}
    return pd.read_csv(path, sep=table.delimiter, usecols=names, dtype=text, keep_default_na=False)


def _check_homes(path: Path, table: Table, numbering: Numbering, meant: Meant, keys: dict[str, str]) -> list[str]:
    """Ids without gaps, households and weights by zone."""
    frame = _read(path, table, list(dict.fromkeys([keys["home_id"], keys["zone"], keys["weight"]])))
    found = []
    if len(frame) != meant.rows:
        found.append(f"{table.file} holds {len(frame):,} households, not {meant.rows:,}")
    if not np.array_equal(frame[keys["home_id"]].to_numpy(), numbering.first + np.arange(len(frame))):
        found.append(f"ids in {table.file} are not {numbering.first}, {numbering.first + 1} ... in order")
    by_zone = frame.groupby(keys["zone"])[keys["weight"]].sum().reindex(_zone_codes(meant), fill_value=0).to_numpy()
    if not np.array_equal(by_zone, meant.homes) or frame[keys["weight"]].sum() != meant.homes.sum():
        differing = int((by_zone != meant.homes).sum())
        found.append(
            f"{table.file} stands for {int(frame[keys['weight']].sum()):,} households, other than meant in {differing:,} zones"
        )
    return found


def _zone_codes(meant: Meant) -> pd.Index:
    """Codes of the zones as they stand in CSV files."""
    return pd.Index([guarded(str(z)) for z in meant.layout.population.zones])


def _weights_of(folder: Path, table: Table, keys: dict[str, str], weight: np.ndarray, numbering: Numbering) -> np.ndarray:
    """Weights of the rows of a table, by their household."""
    if table.of == "home":
        return weight
    ids = _read(folder / table.file, table, [keys["household"]])[keys["household"]].to_numpy(np.int64)
    return weight[ids - numbering.first]


def _check_totals(frame: pd.DataFrame, table: Table, meant: Meant, weight: np.ndarray) -> list[str]:
    """Totals of every column of numbers that is from the survey or a default."""
    return _other_totals(_totals(frame, table, weight), table, meant)


def _totals(frame: pd.DataFrame, table: Table, weight: np.ndarray) -> dict[str, float]:
    """Add up the columns of numbers that are from the survey or a default, by name; weight : (n_rows,)."""
    return {name: float((frame[guarded(name)].to_numpy(np.float64) * weight).sum()) for name in _totalled(table)}


def _totalled(table: Table) -> list[str]:
    return [c.name for c in table.columns if c.of not in ("row", "zone") and not c.is_text]


def _other_totals(totals: dict[str, float], table: Table, meant: Meant) -> list[str]:
    """Say which totals are not what was meant."""
    found = []
    for c in table.columns:
        if c.name in totals:
            wanted = meant.total(c.of, c.values, table.of)
            if abs(totals[c.name] - wanted) > 1e-9 * max(abs(wanted), 1.0):
                found.append(f"{c.name} in {table.file} adds up to {totals[c.name]:,.6g}, not {wanted:,.6g}")
    return found


def _check_people(
    path: Path,
    table: Table,
    numbering: Numbering,
    meant: Meant,
    keys: dict[str, str],
    weight: np.ndarray,
    zone: np.ndarray,
) -> list[str]:
    """Households whole and in order, ids, links within the household, people, and totals; a batch of households at a time."""
    wrong = dict.fromkeys(("household", "person", "unit", "partner", "parent"), 0)
    totals = dict.fromkeys(_totalled(table), 0.0)
    people = np.zeros(len(meant.people), np.int64)
    next_home, next_person, last_unit = numbering.first, numbering.first, numbering.first - 1
    for frame in _whole_households(path, table, keys["household"]):
        home, person, unit = (frame[keys[k]].to_numpy(np.int64) for k in ("household", "person", "unit"))
        starts = np.flatnonzero(np.diff(home, prepend=home[0] - 1))
        size = np.diff(np.append(starts, len(home)))
        wrong["household"] += int((home[starts] != next_home + np.arange(len(starts))).sum())
        next_home += len(starts)
        place = np.arange(len(home)) - np.repeat(starts, size)
        expected = home * 100 + place + 1 if numbering.by_household else next_person + np.arange(len(home))
        wrong["person"] += int((person != expected).sum())
        next_person += len(home)
        if keys["unit"] != keys["household"]:
            distinct = pd.DataFrame({"home": home, "unit": unit}).drop_duplicates()
            wrong["unit"] += int(distinct["unit"].duplicated().sum()) + int(unit.min() != last_unit + 1)
            last_unit = int(unit.max())
        if (person != expected).any():  # links to wrong ids cannot be followed
            continue
        wrong["partner"] += _broken_partners(person, home, frame[keys["partner"]].to_numpy(np.int64), numbering.nobody)
        for key in ("mother", "father"):
            wrong["parent"] += _broken_parents(
                person, home, frame[keys[key]].to_numpy(np.int64), frame[keys["age"]], numbering.nobody
            )
        at = home - numbering.first
        known = (at >= 0) & (at < len(weight))
        heavy = np.where(known, weight[np.where(known, at, 0)], 0)
        np.add.at(people, zone[at[known]], heavy[known])
        for name, total in _totals(frame, table, heavy).items():
            totals[name] += total
    found = [f"{n:,} rows of {table.file} have a wrong {what}" for what, n in wrong.items() if n]
    if not np.array_equal(people, meant.people):
        differing = int((people != meant.people).sum())
        found.append(
            f"{table.file} stands for {people.sum():,} people, not the {meant.people.sum():,} meant, in {differing:,} zones"
        )
    return found + _other_totals(totals, table, meant)


def _whole_households(path: Path, table: Table, household: str) -> Iterator[pd.DataFrame]:
    """Yield rows of a table of people, no household cut in two."""
    kept = None
    text = {guarded(c.name): "string" for c in table.columns if c.is_text}
    with pd.read_csv(path, sep=table.delimiter, dtype=text, keep_default_na=False, chunksize=2**18) as batches:
        for batch in batches:
            frame = batch if kept is None else pd.concat([kept, batch], ignore_index=True)
            last = frame[household].to_numpy() == frame[household].iloc[-1]
            kept = frame[last]
            if not last.all():
                yield frame[~last].reset_index(drop=True)
    if kept is not None and len(kept):
        yield kept.reset_index(drop=True)


def _broken_partners(person: np.ndarray, home: np.ndarray, partner: np.ndarray, nobody: int) -> int:
    """People whose partner is not in the household, or has another partner."""
    has = np.flatnonzero(partner != nobody)
    at = pd.Index(person).get_indexer(partner[has])
    good = at >= 0
    good[good] = (home[at[good]] == home[has[good]]) & (partner[at[good]] == person[has[good]]) & (at[good] != has[good])
    return int((~good).sum())


def _broken_parents(person: np.ndarray, home: np.ndarray, parent: np.ndarray, age: pd.Series, nobody: int) -> int:
    """People whose parent is not in the household, or no older."""
    has = np.flatnonzero(parent != nobody)
    at = pd.Index(person).get_indexer(parent[has])
    good, years = at >= 0, age.to_numpy(np.float64)
    good[good] = (home[at[good]] == home[has[good]]) & (years[at[good]] > years[has[good]])
    return int((~good).sum())
