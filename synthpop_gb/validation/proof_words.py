"""A proof that targets clash, said for an analyst: who is asked for, where they would have to be, how much too many."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from synthpop_gb.problem import Problem
from synthpop_gb.validation.explanation.words import between, cell_words, listed

__all__ = ["clash_words"]

_SAID = 4  # cells named on a side; a table that takes more is named as a whole
_SUMS = 6  # products of a sum
_SURE = 1e-6


def clash_words(problem: Problem, matrix, target: np.ndarray, cells: np.ndarray, multiplier: np.ndarray) -> str:
    """Say the proof of a clash in a sentence.

    Parameters
    ----------
    problem : Problem
        What the cells are of.
    matrix : (n_usable, n_cells) scipy.sparse.csr_array
        Members of the profiles that have a start weight.
    target : (n_cells,) float64
        Targets of the zone.
    cells, multiplier : (n,) int, float64
        Of no profile the sum of multiplier * members is above nought; of the targets it is.

    Returns
    -------
    str
        'The households of size make 266 to 269 people; sex counts 480: 211 too many.' where household tables and a table of
        people imply different numbers of people. Otherwise which cells ask for how many, and what room other cells leave.
    """
    times = dict(zip(cells.tolist(), multiplier.tolist(), strict=True))
    asked, room = (_sides(problem, target, times, sign) for sign in (1, -1))
    if not room:
        who = "record" if problem.households is None else "household"
        left = sum(count for *_, count in asked)
        return f"No {who} of the survey is in {listed([said for _, said, _ in asked], _SAID)}: {_number(left)} wanted."
    return _people_and_households(problem, matrix, target, times) or _general(problem, times, asked, room)


def _people_and_households(problem: Problem, matrix, target: np.ndarray, times: dict[int, float]) -> str:
    """Say how many people a table of households makes, where the whole of one table of people is on the other side."""
    spans = [
        (first, last)
        for first, last in pairwise(problem.constraint_start.tolist())
        if any(c in times for c in range(first, last))
    ]
    if problem.households is None or len(spans) != 2:
        return ""
    homes = [span for span in spans if _of_households(problem, span[0])]
    people = [span for span in spans if span not in homes and len({times.get(c) for c in range(*span)}) == 1]
    if len(homes) != 1 or len(people) != 1:
        return ""
    (first, last), (begin, end) = homes[0], people[0]
    members = np.asarray(matrix[:, begin:end].sum(axis=1)).reshape(-1)
    inside = matrix[:, first:last].toarray() > 0
    if (members[~inside.any(axis=1)] > 0).any():
        return ""  # people whom the table of households does not hold: it does not bound them
    wanted = [h for h in range(last - first) if target[first + h] > 0]
    if not all(inside[:, h].any() for h in wanted):
        return ""
    low, high = (sum(float(target[first + h] * of(members[inside[:, h]])) for h in wanted) for of in (np.min, np.max))
    counts = float(target[begin:end].sum())
    over = counts - high if counts > high + _SURE else counts - low if counts < low - _SURE else 0.0
    if not over:
        return ""
    way = "too many" if over > 0 else "too few"
    return (
        f"The households of {cell_words(problem.cells[first][0])} make {between(low, high)} people; "
        f"{cell_words(problem.cells[begin][0])} counts {_number(counts)}: {_number(abs(over))} {way}."
    )


def _of_households(problem: Problem, cell: int) -> bool:
    """Whether a cell's table counts households: it has each of them in one cell, where a table of people has them in none."""
    k = int(np.searchsorted(problem.constraint_start, cell, side="right")) - 1
    return problem.households is not None and bool((problem.cell_of[k] >= 0).any())


def _general(problem: Problem, times: dict[int, float], asked: list, room: list) -> str:
    """Say which cells ask for more than others have room for."""
    left, right = (sum(k * count for k, _, count in side) for side in (asked, room))
    who, verb = listed([_times(k, said) for k, said, _ in asked], _SAID), "asks" if len(asked) == 1 else "ask"
    begin, end = f"{_upper(who)} {verb} for {_number(left)}; ", f"{_number(left - right)} too many."
    tables = {str(problem.cells[c][0]): _of_households(problem, c) for c, k in times.items() if k < 0}
    of_people = not any(_of_households(problem, c) for c, k in times.items() if k > 0)
    if len(tables) == 1 and all(tables.values()) and of_people:
        homes = room[0][1] if len(room) == 1 else cell_words(next(iter(tables)))
        sums = " + ".join(f"{_number(count)} × {_number(k)}" for k, _, count in room[:_SUMS]) + " + …" * (len(room) > _SUMS)
        return f"{begin}the households of {homes} have room for {_number(right)} of them at most ({sums}): {end}"
    where, have = listed([_times(k, said) for k, said, _ in room], _SAID), "has" if len(room) == 1 else "have"
    return f"{begin}in the survey all of them are also in {where}, which {have} room for {_number(right)}: {end}"


def _sides(problem: Problem, target: np.ndarray, times: dict[int, float], sign: int) -> list[tuple[float, str, float]]:
    """List (multiplier, words, target) of the cells on one side; a table all alike is named as a whole."""
    return list(_side(problem, target, {c: k * sign for c, k in times.items()}))


def _side(problem: Problem, target: np.ndarray, times: dict[int, float]) -> Iterator[tuple[float, str, float]]:
    for first, last in pairwise(problem.constraint_start.tolist()):
        mine = [c for c in range(first, last) if times.get(c, 0.0) > 0]
        if len(mine) == last - first > 1 and len({times[c] for c in mine}) == 1:
            yield times[first], cell_words(problem.cells[first][0]), float(target[first:last].sum())
            continue
        yield from ((times[c], cell_words(*problem.cells[c]), float(target[c])) for c in mine)


def _times(k: float, said: str) -> str:
    return said if k == 1 else f"{said} (counted {_number(k)} times)"


def _number(value: float) -> str:
    return f"{value:,.10g}" if abs(value - round(value)) > 1e-4 else f"{value:,.0f}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
