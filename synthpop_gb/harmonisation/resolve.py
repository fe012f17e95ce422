"""Which table a name means: 'age', 'age x sex' or a table's own name, each with the variables to be counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, nearest

__all__ = ["Request", "breadth", "resolve"]


@dataclass(frozen=True)
class Request:
    """One constraint or held-out table as asked for: its name, the table that has it, the variables to be counted.

    level : the parent level that it is asked for at; empty = the zones.
    """

    name: str
    table: str
    variables: tuple[str, ...]
    held_out: bool = False
    level: str = ""


def resolve(
    tables: Mapping[str, BenchmarkTable], constraints: Sequence[str], held_out: Sequence[str] = ()
) -> tuple[list[Request], list[Finding]]:
    """Find the table of each name.

    A name is, in this order: the variables of exactly one table (in any order, joined by ' x '); a table's own name; the
    variables of a margin of a larger table, where the table of the widest universe, then of the fewest variables, then the
    first listed is taken.

    Returns the requests that could be met and 'study-reference' findings for the others, for names listed twice and for
    names that several tables answer to.
    """
    requests: list[Request] = []
    findings: list[Finding] = []
    seen: dict[str, str] = {}
    for name, kept in [(n, False) for n in constraints] + [(n, True) for n in held_out]:
        place = "held_out" if kept else "constraints"
        if name in seen:
            findings.append(finding("study-reference", f"{name!r} is listed twice, in {seen[name]} and in {place}.", place=place))
            continue
        seen[name] = place
        found = _lookup(name, tables)
        if isinstance(found, str):
            findings.append(finding("study-reference", found, place=place))
        else:
            requests.append(Request(name, *found, held_out=kept))
    if not constraints:
        findings.append(finding("study-missing", "No constraints are named, so there is nothing to fit.", place="constraints"))
    return requests, findings


def _lookup(name: str, tables: Mapping[str, BenchmarkTable]) -> tuple[str, tuple[str, ...]] | str:
    """Table and variables of one name, or the sentence that says why there are none."""
    variables = tuple(part.strip() for part in name.split(" x "))
    wanted = set(variables)
    exact = [key for key, t in tables.items() if set(t.variable_names) == wanted]
    if len(exact) == 1 or name in exact:
        return (name if name in exact else exact[0]), variables
    if exact:
        return f"{name!r} is the subject of {len(exact)} tables: name one of {listed(exact, 6)}."
    if name in tables:
        return name, tables[name].variable_names
    margins = [key for key, t in tables.items() if wanted < set(t.variable_names)]
    if margins:
        order = list(tables)
        return min(margins, key=lambda k: (*breadth(tables[k]), order.index(k))), variables
    known = [" x ".join(t.variable_names) for t in tables.values()] + [v for t in tables.values() for v in t.variable_names]
    return f"No table counts {name!r}.{nearest(name, [*known, *tables])}"


def breadth(table: BenchmarkTable) -> tuple[int, int]:
    """Return what margins are preferred by, the least first: restrictions of the table's universe, number of its variables."""
    return len(table.universe.members) if table.universe else 0, len(table.variables)
