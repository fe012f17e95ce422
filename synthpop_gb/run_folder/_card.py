"""The card of a folder: its files listed with size, hash and columns, and what states them written beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthpop_gb.atomic import replacing
from synthpop_gb.card import CARD_FILES, PAIR, Card, CardFile, card_of_pair, card_of_run, card_texts
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.provenance import hash_file
from synthpop_gb.run_folder._checks import AUDIT, checks_there, write_checks
from synthpop_gb.run_folder._files import MARKER, PREVIOUS, RUN, begin_folder, read_json, write_json

__all__ = ["inventory", "write_card", "write_pair"]

_TYPES = {
    ".parquet": "application/vnd.apache.parquet", ".csv": "text/csv", ".gz": "application/gzip", ".json": "application/json",
    ".html": "text/html", ".png": "image/png", ".svg": "image/svg+xml", ".gpkg": "application/geopackage+sqlite3",
    ".npz": "application/zip", ".md": "text/markdown", ".xml": "application/xml", ".geojson": "application/geo+json",
    ".pmtiles": "application/vnd.pmtiles",
}  # fmt: skip


def write_card(
    folder: str | Path,
    *,
    run: Mapping | None = None,
    checks: Checks | None = None,
    croissant: bool = False,
    ddi: bool = False,
    to: str | Path | None = None,
) -> tuple[Card, list[Path]]:
    """Write the card of a run's folder, or of a folder that holds a pair's audit.

    Parameters
    ----------
    folder : path
        With run.json, or pair.json, in it.
    run : mapping, optional
        Content of run.json; read where absent.
    checks : Checks, optional
        Results of validation; read from `validation/` where absent. An audit is read from `audit/`.
    croissant, ddi : bool
        Write croissant.json and ddi.xml too; those that are there are written anew in any case.
    to : path, optional
        Folder to write into instead. Paths in the card are relative to `folder`.

    Returns
    -------
    (Card, list of Path)
        The card, and the files written.

    Raises
    ------
    InputError
        `missing-file` where the folder holds neither a run nor a pair; `unreadable-file`; `output-locked`.
    """
    folder = Path(folder)
    audit = checks_there(folder, AUDIT)
    if run is None and (folder / RUN).exists():
        run = read_json(folder / RUN)
    if run is not None:
        checks = checks_there(folder) if checks is None else checks
        card = card_of_run(run, checks, audit, inventory(folder, run.get("files", {})))
    elif (folder / PAIR).exists():
        card = card_of_pair(read_json(folder / PAIR), audit, inventory(folder))
    else:
        message = f"{folder} holds neither a finished run ({RUN}) nor the audit of a pair ({PAIR})."
        raise InputError([finding("missing-file", message, place=str(folder), remedy="Name the folder of a run or an audit.")])
    place = folder if to is None else Path(to)
    there = {name: (place / name).exists() for name in ("croissant.json", "ddi.xml")}
    texts = card_texts(card, croissant=croissant or there["croissant.json"], ddi=ddi or there["ddi.xml"])
    written = []
    for name in (n for n in CARD_FILES if n in texts):
        with replacing(place / name) as temporary:
            temporary.write_text(texts[name], encoding="utf-8", newline="\n")
        written.append(place / name)
    return card, written


def write_pair(record: Mapping, audit: Checks | None, folder: str | Path) -> Path:
    """Write what a pair's card is made from: pair.json and `audit/`; returns the folder.

    record : what `card.pair_record` returned. Raises InputError (`output-locked`).
    """
    folder = begin_folder(folder)
    write_json(folder / PAIR, record)
    if audit is not None:
        write_checks(audit, folder, licence=record.get("licence"), under=AUDIT)
    return folder


def inventory(folder: str | Path, known: Mapping[str, Mapping] | None = None) -> tuple[CardFile, ...]:
    """List the files of a folder but those of its card: path, bytes, SHA-256, media type, columns and rows; population first.

    Parameters
    ----------
    folder : path
        Whose files; hidden files and links are left out.
    known : mapping, optional
        Bytes and SHA-256 by path of files that were hashed already.
    """
    folder = Path(folder)
    found = [
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
    ]
    names = {p: p.relative_to(folder).as_posix() for p in found}
    kept = [p for p in found if names[p] not in (*CARD_FILES, MARKER, PREVIOUS)]
    made = [_described(p, names[p], (known or {}).get(names[p])) for p in kept]
    order = ["population", "people", "validation", "audit", "indicators", "maps"]
    rank = {name: i for i, name in enumerate(order, 1)}
    return tuple(sorted(made, key=lambda f: (rank.get(f.path.split("/")[0], 9) if "/" in f.path else 0, _first(f.path), f.path)))


def _first(path: str) -> int:
    return 0 if path == "population/counts.parquet" else 1


def _described(path: Path, name: str, known: Mapping | None) -> CardFile:
    size = path.stat().st_size
    digest = known["sha256"] if known and known.get("bytes") == size else hash_file(path)
    kind = "text/csv" if name.endswith(".csv.gz") else _TYPES.get(path.suffix.lower(), "application/octet-stream")
    fields, rows = _columns(path)
    return CardFile(name, size, digest, kind, fields, rows)


def _columns(path: Path) -> tuple[tuple[tuple[str, str], ...], int | None]:
    """Columns with their Arrow types, and rows where the file says; nothing of a file that is no table."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        if path.suffix == ".parquet":
            with parquet.ParquetFile(path) as file:
                return tuple((f.name, str(f.type)) for f in file.schema_arrow), file.metadata.num_rows
        if path.name.endswith((".csv", ".csv.gz")):
            with csv.open_csv(path) as reader:
                return tuple((f.name, str(f.type)) for f in reader.schema), None
    except (pa.ArrowInvalid, OSError):
        return (), None
    return (), None
