"""Why cells of one zone miss: each kind of cause looked for in turn, the certain ones first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.explanation.counted import Counted, incidence_of
from synthpop_gb.validation.explanation.donors import Support, excluding, number_told, support_of
from synthpop_gb.validation.explanation.mending import merging
from synthpop_gb.validation.explanation.proving import Proof
from synthpop_gb.validation.explanation.room import Pinch, pinches
from synthpop_gb.validation.explanation.words import amount, between, cell_words, listed

__all__ = ["Cause", "causes_of"]

_NOTHING = "Nothing by itself: mend the cause above."
_LONGER = "Let the fit run longer: raise `max_cycles` or `max_steps` under [method]."
_LISTED = 3  # pinches told of one zone: the others follow from the same tables


@dataclass(frozen=True)
class Cause:
    """One reason: its kind (a key of `CAUSES`), the cell it is seen in, how much, words, remedy, missed cells explained."""

    cause: str
    table: str
    cell: str
    amount: float
    unit: str
    words: str
    remedy: str
    cells: tuple[int, ...] = ()


def causes_of(counted: Counted, zone: int, proof: Proof | None = None) -> list[Cause]:
    """List the causes in one zone (position in `counted`), the surest first; nothing where nothing misses.

    Every missed cell is named by some cause; those that no cause of their own explains are 'pulled along', or, where the fit is
    met, 'made whole'. proof : what linear programmes say of the zone, where they were asked.
    """
    missed = counted.missed[zone]
    if not missed.any():
        return []
    support = support_of(counted, [zone])
    found = [*_without_donors(counted, zone, support), *_pinched(counted, zone)]
    found += _told_before(counted, zone, found)
    if proof is not None and not proof.feasible:
        found += _proven(counted, zone, proof, found)
    told = {c for item in found for c in item.cells}
    rest = [int(c) for c in np.flatnonzero(missed) if int(c) not in told]
    return [*found, *_of_the_rest(counted, zone, rest, bool(found), proof)] if rest else found


def _proven(counted: Counted, zone: int, proof: Proof, found: list[Cause]) -> Iterator[Cause]:
    """Clashes that a linear programme proved and nothing above has told."""
    told = {c for item in found for c in item.cells}
    units = {tuple(map(str, key)): unit for key, unit in zip(counted.problem.cells, counted.units, strict=True)}
    remedy, missed = proof.remedy(units), counted.missed[zone]
    clashes = [c for c in proof.clashes if not told or not told >= {cell for cell in c[1] if missed[cell]}]
    for words, cells, excess in sorted(clashes, key=lambda c: -c[2])[:_LISTED]:  # the others fall with the same relaxation
        mine = {c for c in cells if missed[c]}
        worst = max(cells, key=lambda c: counted.target[zone, c])
        table, label = map(str, counted.problem.cells[worst])
        yield Cause("targets clash", table, label, excess, counted.units[worst], words, remedy, tuple(sorted(mine)))


def _without_donors(counted: Counted, zone: int, support: Support) -> Iterator[Cause]:
    """Cells that people are wanted in, and no donor has, or none that this zone's tables leave."""
    target, units, cells = counted.target[zone], counted.units, counted.problem.cells
    for c in np.flatnonzero((target > 0) & (support.here == 0)):
        table, label = map(str, cells[c])
        said, wanted = cell_words(table, label), amount(target[c], units[c])
        if support.any[c] == 0:
            words = f"{said} asks for {wanted}, and nobody in the survey is so."
            remedy = f"{merging(counted, int(c), support)} Or add records of such people to the survey."
            yield Cause("empty cell", table, label, float(target[c]), units[c], words, remedy, (int(c),))
        else:
            words = (
                f"{said} asks for {wanted}. All {number_told(counted, support.any[c])} {_donors(counted)} of the survey in it "
                f"are also {_excluding(counted, zone, int(c))}, which nobody is to be here."
            )
            remedy = merging(counted, int(c), support)
            yield Cause("no donor here", table, label, float(target[c]), units[c], words, remedy, (int(c),))


def _donors(counted: Counted) -> str:
    return "households" if counted.problem.households is not None else "records"


def _excluding(counted: Counted, zone: int, cell: int) -> str:
    """Name the cells of target nought that exclude the donors of a cell, those that exclude most first."""
    problem = counted.problem
    mine = incidence_of(problem)[:, [cell]].toarray()[:, 0] > 0
    found = excluding(counted, zone, np.diff(problem.donor_start) * mine)
    return listed([cell_words(*problem.cells[c]) for c, _ in found], 3).replace(" and ", " or ")


def _pinched(counted: Counted, zone: int) -> Iterator[Cause]:
    """Targets that another table alone makes impossible."""
    found, what = pinches(counted, zone)
    told: set[tuple] = set()
    for pinch in found:
        table, cell = what[pinch.column]
        alike = [what[p.column][0] for p in found if what[p.column][1] is cell is None and _same(p, pinch)]
        tables = tuple(sorted(alike)) or (table,)
        clash = (tables if cell is None else tuple(sorted([table, pinch.table])), pinch.table if cell is None else None)
        if clash in told or len(told) == _LISTED:
            continue  # the other side of the same clash, or another table of the same people
        told.add(clash)
        yield _pinch_cause(counted, zone, pinch, tables, cell)


def _same(one: Pinch, other: Pinch) -> bool:
    """Whether two pinches are of the same people by the same table: totals of tables of one universe."""
    return (one.table, one.bound, one.wanted) == (other.table, other.bound, other.wanted)


def _pinch_cause(counted: Counted, zone: int, pinch: Pinch, tables: tuple[int, ...], cell: int | None) -> Cause:
    """Say one pinch: of a cell of one table, or of the totals of several."""
    constraints, first = counted.aligned.constraints, counted.problem.constraint_start
    unit, other = counted.units[first[tables[0]]], constraints[pinch.table]
    mixed = unit == "people" and other.universe.unit == "household"
    own = counted.problem.cells[cell] if cell is not None else (constraints[tables[0]].name, "")
    said = cell_words(*own) if cell is not None else listed((cell_words(constraints[t].name) for t in tables), 6)
    words = _pinch_words(counted, zone, pinch, said, [str(x) for x in other.cell_labels], mixed)
    kind = "people and households" if mixed and cell is None else "tables clash"
    both = (*tables, pinch.table)  # the households miss their cells too, for the same reason
    cells = (int(cell),) if cell is not None else tuple(c for t in both for c in range(first[t], first[t + 1]))
    cells = tuple(c for c in cells if counted.missed[zone, c])
    remedy = _pinch_remedy(counted, pinch, said if cell is None else cell_words(own[0]), mixed and cell is None)
    return Cause(kind, str(own[0]), str(own[1]), abs(pinch.over), unit, words, remedy, cells)


def _pinch_words(counted: Counted, zone: int, pinch: Pinch, said: str, labels: list[str], mixed: bool) -> str:
    """Say a bound and by how much the target passes it."""
    first, last = counted.problem.constraint_start[pinch.table : pinch.table + 2]
    target = counted.target[zone, first:last]
    other = cell_words(counted.aligned.constraints[pinch.table].name)
    unit = "people" if mixed else counted.units[first]
    members = pinch.most if pinch.over > 0 else pinch.least
    has = [int(h) for h in np.flatnonzero((members > 0) & (target > 0))]
    if mixed:
        sums = " + ".join(f"{target[h]:,.0f} × {members[h]:,.0f}" for h in has[:6]) + (" + …" if len(has) > 6 else "")
        households = f"The households of {other}"
        if " = " in said:
            word, over = ("have room for", "at most") if pinch.over > 0 else ("hold", "at least")
            return (
                f"{said} {_asks(said)} for {amount(pinch.wanted)}; {households.lower()} {word} {amount(pinch.bound)} {over} "
                f"({sums}): {_off(pinch.over)}."
            )
        least = float(target @ pinch.least)
        made = f"{between(least, pinch.bound)} people" if pinch.over > 0 else f"at least {amount(pinch.bound)}"
        counts = "count" if " and " in said else "counts"
        how = "at most " if pinch.over > 0 and round(least) != round(pinch.bound) else ""
        return f"{households} make {made} ({how}{sums}); {said} {counts} {pinch.wanted:,.0f}: {_off(pinch.over)}."
    who = listed([labels[h] for h in has], 5)
    whom = "in the survey" if counted.open[zone].all() else "whom this place’s noughts leave"
    if pinch.over > 0:
        return (
            f"{said} {_asks(said)} for {amount(pinch.wanted, unit)}, but everybody {whom} who is so has {other} {who}, of whom "
            f"there are to be {amount(pinch.bound, unit)}: {pinch.over:,.0f} too many."
        )
    return (
        f"Everybody {whom} with {other} {who} is also {said}: at least {amount(pinch.bound, unit)}, but it asks for "
        f"{amount(pinch.wanted, unit)}: {-pinch.over:,.0f} too few."
    )


def _off(over: float) -> str:
    return f"{abs(over):,.0f} too {'many' if over > 0 else 'few'}"


def _asks(said: str) -> str:
    return "ask" if " and " in said and " = " not in said else "asks"


def _pinch_remedy(counted: Counted, pinch: Pinch, own: str, total: bool) -> str:
    """Say what to do about two tables that leave each other no room; total: it is people against households."""
    other = cell_words(counted.aligned.constraints[pinch.table].name)
    if total:
        where = "people who live in no household" if pinch.over > 0 else "other people than the households do"
        return (
            f"See whether {own} count{'s' * (' and ' not in own)} {where}: use tables of people in households, or a survey with "
            f"residents of communal establishments; else relax {own} or {other} by {amount(abs(pinch.over))}."
        )
    return f"Merge categories of {own} or {other} until donors are in both, or relax one of them by {abs(pinch.over):,.0f}."


def _told_before(counted: Counted, zone: int, found: list[Cause]) -> list[Cause]:
    """Clashes of tables that harmonising had found in this zone by counting, where nothing above has named one."""
    if any(item.cause in ("tables clash", "people and households") for item in found):
        return []
    code, out = counted.problem.zones[counted.where[zone]], []
    for item in counted.aligned.findings:
        if item.code != "structural-clash" or item.rows is None or "cause" not in item.rows:
            continue
        for row in item.rows[item.rows["zone"] == code].to_dict("records"):
            words = f"{str(row['cause'])[:1].upper()}{str(row['cause'])[1:]}."
            out.append(Cause("tables clash", str(item.place), "", float(row["people"]), "people", words, item.remedy))
    return out


def _of_the_rest(counted: Counted, zone: int, rest: list[int], others: bool, proof: Proof | None) -> Iterator[Cause]:
    """Explain what has no cause of its own: by how the fit ended, what it was allowed, and whether only whole units miss."""
    status = counted.population.status.iloc[counted.where[zone]]
    fit = [c for c in rest if counted.missed_fit[zone, c]]
    whole = [c for c in rest if c not in fit]
    if fit:
        yield _of_the_fit(counted, zone, fit, str(status["fit"]), others, proof)
    if whole:
        yield _of_whole_units(counted, zone, whole, bool(fit) or others, proof)


def _of_the_fit(counted: Counted, zone: int, cells: list[int], fit: str, others: bool, proof: Proof | None) -> Cause:
    worst = max(cells, key=lambda c: abs(counted.fitted[zone, c] - counted.target[zone, c]))
    off, unit = float(counted.fitted[zone, worst] - counted.target[zone, worst]), counted.units[worst]
    table, label = map(str, counted.problem.cells[worst])
    many = f"{len(cells):,} cells are off in the fractional fit; most: " if len(cells) > 1 else ""
    where = f"{many}{cell_words(table, label)} by {amount(abs(off), unit)}"
    bound = _bounds(counted)
    if others:
        words = f"{where}. They share their people with the cells above, which cannot be met."
        return Cause("pulled along", table, label, abs(off), unit, words, _NOTHING, tuple(cells))
    if fit == "CYCLE_LIMIT":
        words = f"{where}. The fit was still getting better when it reached its limit of cycles."
        return Cause("limit", table, label, abs(off), unit, words, _LONGER,
                     tuple(cells))  # fmt: skip
    if bound:
        words = (
            f"{where}. Weights were bounded ({listed(bound)}), and the fit found none within the bounds that meet every target."
        )
        return Cause("bounds", table, label, abs(off), unit, words, "Widen the bounds, or raise the cap on copies.", tuple(cells))
    if proof is not None and proof.feasible:
        words = f"{where}. Weights that meet every target exist: the fit ended before it found them."
        return Cause("limit", table, label, abs(off), unit, words, _LONGER, tuple(cells))
    words = f"{where}. The fit could not meet these targets together."
    remedy = "Explain the zone by itself: it is then proved which targets clash, and the fewest to relax."
    return Cause("targets clash", table, label, abs(off), unit, words, remedy, tuple(cells))


def _bounds(counted: Counted) -> list[str]:
    """Name what held the weights of the fit, with its value; nothing where they were free."""
    options, most = counted.population.provenance.options, counted.problem.max_copies
    lower, upper = options.get("lower") or 0.0, options.get("upper")  # weights are never below nought: no bound of anybody's
    given = {"lower": lower if lower > 0 or upper is not None else None, "upper": upper, "max_copies": most}
    return [f"{name} = {value:g}" for name, value in given.items() if value is not None]


def _of_whole_units(counted: Counted, zone: int, cells: list[int], others: bool, proof: Proof | None) -> Cause:
    error = counted.observed[zone] - counted.goal[zone]
    worst = max(cells, key=lambda c: abs(error[c]))
    table, label = map(str, counted.problem.cells[worst])
    unit, over = counted.units[worst], float(error[worst])
    many = f"{len(cells):,} cells are off; most: " if len(cells) > 1 else ""
    way = "too many" if over > 0 else "too few"
    where = f"{many}{cell_words(table, label)}, {amount(abs(over), unit)} {way}"
    if others:
        words = f"{where}. They share their people with the cells above."
        return Cause("pulled along", table, label, abs(over), unit, words, _NOTHING, tuple(cells))
    met = "The fractional fit meets it" if counted.fitted is not None else "Nothing is known that forbids it"
    if counted.fitted is None and proof is not None and proof.feasible:
        met = "Fractional weights that meet it exist"
    words = f"{where}. {met}, but no set of whole {_donors(counted)} that does was found within the search allowed."
    remedy = "Allow a longer search, or another seed; a cell or two in a zone is small beside what surveys leave open."
    return Cause("made whole", table, label, abs(over), unit, words, remedy, tuple(cells))
