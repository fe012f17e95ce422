"""Card: what a synthetic population or dataset is, is not, and may be used for; every sentence with the figure behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from synthpop_gb.card.claims import Claim, Source
from synthpop_gb.errors import Finding

__all__ = ["NOT_STATED", "About", "Card", "CardFile", "CardSource", "CardTable", "CardVariable", "Section", "synthetic_title"]

NOT_STATED = "not stated"
"""What a card says where nobody said anything."""

FORMAT = 1


def synthetic_title(title: str, what: str = "Synthetic population") -> str:
    """Return a title with the word in it that no reader may miss.

    >>> synthetic_title("Leeds, 2011 census"), synthetic_title("A synthetic Leeds")
    ('Synthetic population: Leeds, 2011 census', 'A synthetic Leeds')
    """
    return title if "synthetic" in title.lower() else f"{what}: {title}"


@dataclass(frozen=True)
class About:
    """Who made a result, when, with what, what for: as far as anybody said.

    title has the word 'synthetic' in it; name is fit for an identifier; created is an ISO time; software is a name and
    version; the others are texts of the study's maker, '' or () where there are none.
    """

    title: str
    name: str
    created: str
    software: str
    creator: tuple[str, ...] = ()
    contact: str = ""
    licence: str = ""
    purpose: str = ""
    uses: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    citation: str = ""
    keywords: tuple[str, ...] = ()
    funding: tuple[str, ...] = ()
    version: str = ""
    url: str = ""
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardSource:
    """One input: file name (never a path of somebody's machine), what it is, as far as is known; its bytes and SHA-256."""

    file: str
    role: str
    name: str = ""
    year: int | None = None
    universe: str = ""
    publisher: str = ""
    licence: str = ""
    url: str = ""
    sha256: str = ""
    bytes: int | None = None


@dataclass(frozen=True)
class CardVariable:
    """One variable and where its values come from.

    Attributes
    ----------
    name, label : str
        Common name, and the heading.
    origin : str
        'constrained' (met by zone, by the tables named), 'copied' (from the record that a person is a copy of), 'modelled'
        (made by the method) or 'not stated'.
    tables, held_out : tuple of str
        Tables it was fitted to; tables kept back that it was judged by.
    universe : str
        Of whom it is told.
    categories : tuple of str
        Labels; () where they are too many, or may not be shown.
    n_categories : int or None
        How many there are; None of numbers.
    """

    name: str
    label: str
    origin: str
    tables: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    universe: str = ""
    categories: tuple[str, ...] = ()
    n_categories: int | None = None


@dataclass(frozen=True)
class CardFile:
    """One file of the result: path within its folder, bytes, SHA-256, media type; of tables columns with type, and rows.

    description : what it holds, where the data dictionary does not know.
    """

    path: str
    bytes: int
    sha256: str
    media_type: str
    fields: tuple[tuple[str, str], ...] = ()
    rows: int | None = None
    description: str = ""


@dataclass(frozen=True)
class CardTable:
    """A small table of a card: what it shows, headings, rows of plain values, and the file that they come from."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: Source


@dataclass(frozen=True)
class Section:
    """One section: claims and tables; where there are none, the section is not printed."""

    name: str
    heading: str
    claims: tuple[Claim, ...] = ()
    tables: tuple[CardTable, ...] = ()

    @classmethod
    def of(cls, name: str, heading: str, claims: Iterable[Claim | None], tables: Iterable[CardTable | None] = ()) -> Section:
        """Make a section of those claims that have a figure and those tables that have a row."""
        kept = tuple(c for c in claims if c is not None)
        return cls(name, heading, kept, tuple(t for t in tables if t is not None and t.rows))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to print."""
        return not self.claims and not self.tables


@dataclass(frozen=True)
class Card:
    """A card.

    Attributes
    ----------
    kind : str
        'population' (made by this program) or 'dataset' (anybody's synthetic records, audited).
    about : About
        Who, when, what for.
    sections : tuple of Section
        What is claimed, in the order of printing; empty ones are left out.
    sources : tuple of CardSource
        Inputs.
    variables : tuple of CardVariable
        Where each variable comes from.
    files : tuple of CardFile
        Files of the result.
    findings : tuple of Finding
        What could not be stated.
    """

    kind: str
    about: About
    sections: tuple[Section, ...]
    sources: tuple[CardSource, ...] = ()
    variables: tuple[CardVariable, ...] = ()
    files: tuple[CardFile, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    def __getitem__(self, name: str) -> Section:
        """Return one section by name; an empty one where nothing was to be said."""
        return next((s for s in self.sections if s.name == name), Section(name, ""))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim, in order."""
        return tuple(c for s in self.sections for c in s.claims)

    def to_dict(self) -> dict:
        """Return plain values: the content of card.json."""
        return {
            "synthpop_gb_card": FORMAT,
            "kind": self.kind,
            "about": _plain(asdict(self.about)),
            "sections": [
                {
                    "name": s.name, "heading": s.heading, "claims": [c.to_dict() for c in s.claims],
                    "tables": [
                        {
                            "caption": t.caption, "columns": list(t.columns), "rows": [list(r) for r in t.rows],
                            "source": t.source.to_dict(),
                        }
                        for t in s.tables
                    ],
                }
                for s in self.sections
            ],
            "sources": [_plain(asdict(s)) for s in self.sources],
            "variables": [_plain(asdict(v)) for v in self.variables],
            "files": [
                {"path": f.path, "bytes": f.bytes, "sha256": f.sha256, "media_type": f.media_type, "rows": f.rows}
                for f in self.files
            ],
            "findings": [{"code": f.code, "level": f.level, "message": f.message} for f in self.findings],
        }  # fmt: skip

    def __repr__(self) -> str:
        """One line: title, how many claims, what is not stated."""
        found = f"{len(self.findings):,} finding{'' if len(self.findings) == 1 else 's'}"
        return f"Card: {self.about.title}; {len(self.claims):,} claims, each with its figure; {found}"


def _plain(made: Mapping[str, Any]) -> dict:
    """Leave out what is empty; lists for tuples."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in made.items() if v not in ("", (), None)}
