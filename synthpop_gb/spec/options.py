"""Options of [method]: those of the registered method it names, checked by it and described in the words of its docstring."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from synthpop_gb.errors import Finding, finding

__all__ = ["described_options", "method_findings", "option_schema"]


def method_findings(name: str, given: Mapping[str, Any], place: Callable[[str], str] = str) -> list[Finding]:
    """Say everything that is wrong with a method's name (`study-value`) and options (`study-key`, `study-value`).

    Parameters
    ----------
    name : str
        Of a registered method.
    given : mapping
        Options by name, as the study has them.
    place : callable
        From a dotted key such as 'method.tolerance' to where it stands.
    """
    from synthpop_gb.methods import METHODS

    if name not in METHODS:
        where, near = place("method.name"), difflib.get_close_matches(name, METHODS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(METHODS)}."
        return [finding("study-value", f"{where}: no method is called '{name}'.{hint}", place=where)]
    method = METHODS[name]
    known = _types(method.options)
    found = []
    for key, value in given.items():
        where = place(f"method.{key}")
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            message = f"{where}: the method '{name}' has no option '{key}'.{hint} It has: {', '.join(known)}."
            found.append(finding("study-key", message, place=where))
        elif message := _mistyped(known[key], value):
            found.append(finding("study-value", f"{where}: {message}; got {value!r}.", place=where))
    return found or _refused(method, given, place)


def _types(options: type) -> dict[str, Any]:
    """Type of each option, by name."""
    hints = get_type_hints(options)
    return {f.name: hints[f.name] for f in dataclasses.fields(options)}


def _mistyped(kind: Any, value: Any) -> str:
    """Say what speaks against a value of this type, or nothing. Numbers are no text, and truth values no numbers."""
    try:
        _adapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        return error.errors(include_url=False)[0]["msg"]
    return ""


def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))


def _refused(method, given: Mapping[str, Any], place: Callable[[str], str]) -> list[Finding]:
    """Say what the method itself has against the options: each alone, or all of them together."""
    from synthpop_gb.methods import make_options

    def attempt(some: Mapping[str, Any], where: str) -> list[Finding]:
        try:
            make_options(method, some)
        except ValueError as error:
            return [finding("study-value", f"{where}: {error}.", place=where)]
        return []

    together = attempt(given, place("method"))
    alone = [f for key, value in given.items() for f in attempt({key: value}, place(f"method.{key}"))] if together else []
    return alone or together


def option_schema() -> dict[str, dict]:
    """JSON Schema of every option of the registered methods, by name, described in the words of their docstrings."""
    from synthpop_gb.methods import METHODS

    found: dict[str, list[tuple[str, dict, str]]] = {}
    for name, method in sorted(METHODS.items()):
        said = described_options(method.options)
        for key, kind in _types(method.options).items():
            found.setdefault(key, []).append((name, _adapter(kind).json_schema(), said.get(key, "")))
    return {key: _joined(of_methods) for key, of_methods in found.items()}


def _joined(of_methods: list[tuple[str, dict, str]]) -> dict:
    """One property for an option that several methods may have, each with its own meaning."""
    kinds = [kind for i, (_, kind, _) in enumerate(of_methods) if kind not in [k for _, k, _ in of_methods[:i]]]
    texts: dict[str, list[str]] = {}
    for name, _, text in of_methods:
        texts.setdefault(text, []).append(f"`{name}`")
    description = " ".join(f"{', '.join(names)}: {text}" for text, names in texts.items())
    return {**(kinds[0] if len(kinds) == 1 else {"anyOf": kinds}), "description": description}


def described_options(options: type) -> dict[str, str]:
    """Read what the section 'Attributes' of a docstring, and of those of inherited options, says of each name."""
    return {name: text for cls in reversed(options.__mro__[:-1]) for name, text in _described(cls).items()}


def _described(options: type) -> dict[str, str]:
    text = inspect.cleandoc(options.__doc__ or "")
    section = re.search(r"^Attributes\n-+\n(.*?)(?=^\S+\n-+\n|\Z)", text, re.DOTALL | re.MULTILINE)
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (section[1] if section else "").splitlines():
        if head := re.match(r"(\w+(?:, \w+)*) :", line):
            names = head[1].split(", ")
        elif line.startswith(" "):
            found |= {n: f"{found.get(n, '')} {line.strip()}".strip() for n in names}
    return found
