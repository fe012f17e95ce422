"""The card of a folder, written anew; and that of a pair of files with its audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synthpop_gb import run_folder
from synthpop_gb.card import Card, pair_record
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.pair import Pair
from synthpop_gb.spec.model import CardModel

__all__ = ["card_of", "write_pair_card"]


def card_of(
    folder: str | Path, *, croissant: bool = False, ddi: bool = False, to: str | Path | None = None
) -> tuple[Card, list[Path]]:
    """Write the card of a finished run, or of a folder with a pair's audit, anew.

    Parameters
    ----------
    folder : path
        A run's folder, or one that `write_pair_card` wrote. An audit in its `audit/` is stated too.
    croissant, ddi : bool
        Write croissant.json and ddi.xml too.
    to : path, optional
        Folder to write into instead; paths in the card stay those of `folder`.

    Returns
    -------
    (Card, list of Path)
        The card, with findings ('not-stated') for what nobody said, and the files written.

    Raises
    ------
    InputError
        `missing-file` where the folder holds neither; `unreadable-file`; `output-locked`.
    """
    folder = Path(folder)
    run = run_folder.read_run(folder) if (folder / "run.json").exists() or (folder / ".unfinished").exists() else None
    return run_folder.write_card(folder, run=run, croissant=croissant, ddi=ddi, to=to)


def write_pair_card(
    pair: Pair,
    audit: Checks | None,
    folder: str | Path,
    *,
    card: Mapping[str, Any] | None = None,
    licence: str = "restricted",
    settings: Mapping[str, Any] | None = None,
    created: str | None = None,
    croissant: bool = False,
    ddi: bool = False,
) -> tuple[Card, list[Path]]:
    """Write pair.json, `audit/` and the card of a synthetic file that was audited.

    Parameters
    ----------
    pair : Pair
        Real and synthetic records.
    audit : Checks, optional
        What the audit found.
    folder : path
        Where to; the folder of the synthetic file, where that file is to be described column by column.
    card : mapping, optional
        What the maker states: the keys of a study's [card].
    licence : str
        Of the real records: only with 'open' are counts below ten shown, and what fewer than ten have.
    settings : mapping, optional
        How it was audited, plain values by name.
    created : str, optional
        ISO time; now where absent.
    croissant, ddi : bool
        Write croissant.json and ddi.xml too.

    Returns
    -------
    (Card, list of Path)

    Raises
    ------
    InputError
        `study-value`, `study-key` for what the card may not say; `output-exists`, `output-locked`.
    """
    stated = _checked(card or {})
    created = created or datetime.now(UTC).isoformat(timespec="seconds")
    folder = run_folder.write_pair(
        pair_record(pair, created=created, card=stated, licence=licence, settings=settings), audit, folder
    )
    return run_folder.write_card(folder, croissant=croissant, ddi=ddi)


def _checked(card: Mapping[str, Any]) -> dict[str, Any]:
    """Check what a maker states, as a study's [card] is checked."""
    try:
        return CardModel.model_validate(dict(card)).model_dump(exclude_none=True)
    except ValidationError as error:
        codes = {"extra_forbidden": "study-key"}
        raise InputError(
            [
                finding(codes.get(e["type"], "study-value"), f"card.{'.'.join(map(str, e['loc']))}: {e['msg']}.", place="card")
                for e in error.errors(include_url=False)
            ]
        ) from None
