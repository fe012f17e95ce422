"""The grammar of conditions: text to frozen values, with errors that say where; nothing is ever run as code.

::

    condition  = both { "or" both }
    both       = plain { "and" plain }
    plain      = "not" plain | "(" condition ")" | comparison
    comparison = name sign value | name [ "not" ] "in" "(" value { "," value } ")"
    sign       = "=" | "==" | "!=" | "<" | "<=" | ">" | ">="
    name       = a word, or anything between back quotes
    value      = a number, or text between quotes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import InputError, finding

__all__ = ["And", "Comparison", "Condition", "Not", "Or", "parse_condition"]

_MAX_DEPTH = 50
"""Nested parentheses allowed: deeper than anybody writes, shallower than Python's stack."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<quoted>`[^`]+`)
      | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w))
      | (?P<operator><=|>=|!=|==|<>|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[^\W\d]\w*)""",
    re.VERBOSE,
)
_KEYWORDS = {"and", "or", "not", "in"}
_OPEN = ": a quote is not closed"
_HINTS = {
    "&": " (write 'and')", "|": " (write 'or')", "!": " (write 'not')", "~": " (write 'not')",
    "'": _OPEN, '"': _OPEN, "`": _OPEN, "[": " (write '(')", "]": " (write ')')",
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """`name operator values`: the operator is '=', '<', '<=', '>', '>=' or 'in'; `position` counts characters from 1."""

    name: str
    operator: str
    values: tuple[str | float, ...]
    position: int


@dataclass(frozen=True)
class Not:
    """The opposite of a part; a record of which nothing is known meets neither the part nor its opposite."""

    part: Comparison | Not | And | Or


@dataclass(frozen=True)
class And:
    """All parts hold."""

    parts: tuple


@dataclass(frozen=True)
class Or:
    """At least one part holds."""

    parts: tuple


@dataclass(frozen=True)
class Condition:
    """A parsed condition: the text as written, and the tree of `Comparison`, `Not`, `And` and `Or` that it means."""

    text: str
    root: Comparison | Not | And | Or

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables and columns it asks for, each once, in order."""
        return tuple(dict.fromkeys(c.name for c in _comparisons(self.root)))

    def matches(
        self,
        people: pd.DataFrame | Aligned,
        variables: Mapping[str, Variable] | None = None,
        categories: Mapping[str, Iterable[Category]] | None = None,
    ) -> np.ndarray:
        """Tell which rows meet the condition.

        Parameters
        ----------
        people : pandas.DataFrame or Aligned
            One row a record: codes of a survey where `variables` describe them, else labels, bands ('65-74', '75+') or numbers.
            With an Aligned: its usable records, its survey's variables, and the common categories after harmonising.
        variables : mapping of str to Variable, optional
            What the codes of which column mean. A name is looked for here first, then among the columns.
        categories : mapping of str to categories, optional
            Further labels of a variable that may be used.

        Returns
        -------
        (n_rows,) bool array
            A row without a value in a comparison meets neither it nor its opposite (Kleene's logic).

        Raises
        ------
        InputError
            All findings at once (code 'bad-condition'): unknown names and labels with the nearest known one, categories that lie
            on both sides of a limit, an order asked of labels that have none.

        >>> people = pd.DataFrame({"age": ["0-64", "65-74", "75+"], "health": ["bad", "bad", "good"]})
        >>> parse_condition("age >= 65 and not health = 'good'").matches(people)
        array([False,  True, False])
        """
        return self._decide(people, variables, categories)[0]

    def known(
        self,
        people: pd.DataFrame | Aligned,
        variables: Mapping[str, Variable] | None = None,
        categories: Mapping[str, Iterable[Category]] | None = None,
    ) -> np.ndarray:
        """Tell of which rows it is known whether they meet the condition: either it holds, or its opposite does.

        Takes and raises what `matches` does, and returns a (n_rows,) bool array. A row that did not answer is unknown, unless its
        other answers decide the whole (Kleene's logic). The base of a share: without it 'no answer' would count as 'no'.

        >>> people = pd.DataFrame({"smokes": ["yes", "no", None], "sex": ["male", "male", "female"]})
        >>> parse_condition("smokes = 'yes'").known(people)
        array([ True,  True, False])
        >>> parse_condition("smokes = 'yes' and sex = 'male'").known(people)
        array([ True,  True,  True])
        """
        yes, no = self._decide(people, variables, categories)
        return yes | no

    def _decide(self, people, variables, categories) -> tuple[np.ndarray, np.ndarray]:
        """Rows that meet the condition, and rows that meet its opposite."""
        from synthpop_gb.indicators.matching import Words, common_labels, truth_of

        if isinstance(people, Aligned):
            variables, categories, people = people.survey.variables, common_labels(people), people.frame()
        words, problems, memory = Words(people, variables or {}, categories or {}), [], {}
        for comparison in dict.fromkeys(_comparisons(self.root)):
            memory[comparison] = truth_of(comparison, words, problems)
        if problems:
            raise InputError([_bad(f"{self.text}: {text}", at) for text, at in problems])
        return _evaluate(self.root, memory)

    def __str__(self) -> str:
        """Return the text as written."""
        return self.text


def _bad(message: str, position: int):
    return finding("bad-condition", message, place=f"character {position}")


def _comparisons(node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
    else:
        for part in (node.part,) if isinstance(node, Not) else node.parts:
            yield from _comparisons(part)


def _evaluate(node, memory) -> tuple[np.ndarray, np.ndarray]:
    """Rows where the node holds, and rows where its opposite does."""
    if isinstance(node, Comparison):
        return memory[node]
    if isinstance(node, Not):
        yes, no = _evaluate(node.part, memory)
        return no, yes
    found = [_evaluate(part, memory) for part in node.parts]
    yes, no = np.array([y for y, _ in found]), np.array([n for _, n in found])
    return (yes.all(axis=0), no.any(axis=0)) if isinstance(node, And) else (yes.any(axis=0), no.all(axis=0))


def parse_condition(text: str) -> Condition:
    """Parse a condition.

    Raises InputError (code 'bad-condition') that names the character where it cannot be understood.

    >>> parse_condition("age >= 65 and sex = 'female'").root.parts[0]
    Comparison(name='age', operator='>=', values=(65.0,), position=1)
    >>> parse_condition("health in ('bad' 'very bad')")
    Traceback (most recent call last):
    synthpop_gb.errors.InputError: 1 problem in the inputs
      [bad-condition] health in ('bad' 'very bad'): expected ',' or ')' at character 18, found 'very bad'.
        The condition cannot be understood. Write it as: health in ('bad', 'very bad') and age >= 65.
    """
    text = str(text)
    return Condition(text, _Parser(text).whole())


class _Parser:
    """Recursive descent over the tokens: one method a line of the grammar."""

    def __init__(self, text: str):
        self.text, self.at, self.depth = text, 0, 0
        self.tokens = list(self._split())

    def _split(self) -> Iterator[tuple[str, str | float, int]]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                sign = self.text[at]
                self._fail(f"cannot read {sign!r} at character {at + 1}{_HINTS.get(sign, '')}", at + 1)
            kind, raw = match.lastgroup, match.group()
            if kind == "text":
                yield "value", raw[1:-1].replace(raw[0] * 2, raw[0]), at + 1
            elif kind == "number":
                yield "value", float(raw), at + 1
            elif kind == "quoted":
                yield "name", raw[1:-1], at + 1
            elif kind == "word":
                yield ("keyword", raw.lower(), at + 1) if raw.lower() in _KEYWORDS else ("name", raw, at + 1)
            elif kind != "space":
                yield kind, {"==": "=", "<>": "!="}.get(raw, raw), at + 1
            at = match.end()
        yield "end", "", len(self.text) + 1

    def _fail(self, what: str, position: int) -> NoReturn:
        raise InputError([_bad(f"{self.text or '(nothing)'}: {what}.", position)])

    def _wanted(self, what: str) -> NoReturn:
        kind, value, position = self.tokens[self.at]
        shown = f"{value:g}" if isinstance(value, float) else repr(value)
        found = "the end" if kind == "end" else shown
        hint = f". Put text between quotes: '{value}'" if kind == "name" and what.startswith("a value") else ""
        self._fail(f"expected {what} at character {position}, found {found}{hint}", position)

    def _take(self, kind: str, *values: str):
        """Return and pass the next token where it is of this kind (and one of these values), else return None."""
        found, value, position = self.tokens[self.at]
        if found != kind or (values and value not in values):
            return None
        self.at += 1
        return value, position

    def whole(self):
        tree = self.condition()
        if self.tokens[self.at][0] != "end":
            self._wanted("'and', 'or' or the end")
        return tree

    def condition(self):
        parts = [self.both()]
        while self._take("keyword", "or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self):
        parts = [self.plain()]
        while self._take("keyword", "and"):
            parts.append(self.plain())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def plain(self):
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            self._fail(f"more than {_MAX_DEPTH} parts inside each other", self.tokens[self.at][2])
        if self._take("keyword", "not"):
            tree = Not(self.plain())
        elif self._take("mark", "("):
            tree = self.condition()
            if not self._take("mark", ")"):
                self._wanted("')'")
        else:
            tree = self.comparison()
        self.depth -= 1
        return tree

    def comparison(self):
        name = self._take("name") or self._wanted("the name of a variable")
        if operator := self._take("operator"):
            value = self._take("value") or self._wanted("a value")
            equal = operator[0] in ("=", "!=")
            tree = Comparison(name[0], "=" if equal else operator[0], (value[0],), name[1])
            return Not(tree) if operator[0] == "!=" else tree
        negative = self._take("keyword", "not")
        if not self._take("keyword", "in"):
            self._wanted("'in'" if negative else "a comparison (=, !=, <, <=, >, >=, in)")
        tree = Comparison(name[0], "in", self.values(), name[1])
        return Not(tree) if negative else tree

    def values(self) -> tuple[str | float, ...]:
        if not self._take("mark", "("):
            self._wanted("'('")
        found = [(self._take("value") or self._wanted("a value"))[0]]
        while self._take("mark", ","):
            found.append((self._take("value") or self._wanted("a value"))[0])
        if not self._take("mark", ")"):
            self._wanted("',' or ')'")
        return tuple(found)
