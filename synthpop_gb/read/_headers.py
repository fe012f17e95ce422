"""Variables behind headers: one or several in each, told from the words alone where the caller names none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from synthpop_gb.read._codebooks import atoms_of, common, guess_variable
from synthpop_gb.read._labels import bare, is_total

__all__ = ["split_headers"]

_SEPARATORS = (r"\s*\|\s*", r"\s+x\s+", r";\s+", r":\s+", r"\s+-\s+", r"\s*/\s*", r",\s+", r"_", r"\.")
_SEX_FIRST = re.compile(r"^(f|m|fa|ma|females?|males?)[\W_]*(?=\d)(.+)$", re.IGNORECASE)


def split_headers(headers: Sequence[str], names: Sequence[str] | None) -> tuple[tuple[str, ...], list[tuple[str, ...]]] | None:
    """Split headers such as 'female: 16-24', 'female|16-24' or 'Fa16_24' into one label a variable.

    names : the variables, in any order, where the caller says them; else they are guessed from the labels.

    Returns variable names and one tuple of labels a header, or None where no way of splitting makes sense of all headers.

    >>> split_headers(["female: 0-15", "female: 16+", "male: 0-15", "male: 16+"], None)[0]
    ('sex', 'age')
    """
    ways = (
        [[tuple(_SEX_FIRST.match(bare(h)).groups()) for h in headers]] if all(_SEX_FIRST.match(bare(h)) for h in headers) else []
    )
    for separator in _SEPARATORS:
        pieces = [tuple(p.strip() for p in re.split(separator, bare(h))) for h in headers]
        pieces = [_without_units(p) for p in pieces]
        width = len(pieces[0])
        if width > 1 and all(len(p) == width for p in pieces) and (names is None or len(names) == width):
            ways.append(pieces)
    for keys in ways:
        found = _named(keys, names)
        if found is not None:
            return found, [tuple(_last(p) for p in k) for k in keys]
    return None


def _without_units(pieces: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(p for p in pieces if not re.match(r"unit\s*:", p, re.IGNORECASE))


def _last(piece: str) -> str:
    """Label of 'Age : Age 16' without the variable's own name."""
    return re.split(r"\s+:\s+", piece)[-1]


def _named(keys: list[tuple[str, ...]], names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of the variables at each position, or None where labels and names do not go together."""
    labels = [list(dict.fromkeys(_last(k[d]) for k in keys)) for d in range(len(keys[0]))]
    if len(set(keys)) != len(keys):
        return None
    if names is None:
        found = tuple(guess_variable(x) for x in labels)
        return found if all(found) and len(set(found)) == len(found) else None
    for order in itertools.permutations(names):
        if all(
            common(n) is None or all(is_total(x) or atoms_of(n, x) for x in group) for n, group in zip(order, labels, strict=True)
        ):
            return tuple(order)
    return None
