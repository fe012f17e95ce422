"""Tables in HDF5 files as pandas writes them, read without unpickling anything that stands in the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding

__all__ = ["read_hdf5_tables"]


def read_hdf5_tables(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read every table of an HDF5 file that pandas wrote with `format="table", data_columns=True`.

    pandas and PyTables keep what they know of a table in pickled attributes, and unpickling runs whatever a file's author put
    there. Names and kinds of columns also stand in the HDF5 types themselves, which is all that is read here.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    dict of str to pandas.DataFrame
        By path in the file: 'person', 'person/2025'. Text is decoded as UTF-8, categories stand as their values; the stored
        row index is dropped. A series has one column, 'values'.

    Raises
    ------
    InputError
        'missing-file'; 'unreadable-file' where it is damaged or no HDF5 file, and where a table is a link to another file;
        'unknown-layout' where columns were stored in blocks, without their names; 'missing-extra' without h5py.
    """
    path, h5py = Path(path), _h5py(path)
    if not path.is_file():
        raise InputError([finding("missing-file", f"There is no file {path}.", place=str(path))])
    try:
        with h5py.File(path, "r") as file:
            return {name: _table(h5py, file[name], path) for name in _tables(h5py, file, "", path)}
    except InputError:  # a ValueError too, and it says already what is wrong
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        message = f"{path.name} is no HDF5 file that can be read: {error}."
        raise InputError([finding("unreadable-file", message, place=str(path))]) from None


def _h5py(path: Path):
    """Return the package that reads HDF5 files, or say how to install it."""
    try:
        import h5py
    except ImportError:
        message = f"{path.name} is an HDF5 file, which needs the package h5py."
        raise InputError([finding("missing-extra", message, place=str(path), remedy="pip install synthpop_gb[policy]")]) from None
    return h5py


def _tables(h5py, group, prefix: str, path: Path, depth: int = 0) -> list[str]:
    """Paths of the groups that hold a table; pandas puts indexes and categories in groups of their own, which are passed over."""
    found = []
    for name in group:
        if name.startswith("_i_") or name == "meta" or depth > 2:
            continue
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            message = f"{path.name}: {prefix}{name} is a link, perhaps to another file, and is not followed."
            raise InputError([finding("unreadable-file", message, place=str(path))])
        child = group[name]
        if not isinstance(child, h5py.Group):
            continue
        if "table" in child and isinstance(child.get("table", getlink=True), h5py.HardLink):
            found.append(f"{prefix}{name}")
        else:
            found += _tables(h5py, child, f"{prefix}{name}/", path, depth + 1)
    return found


def _table(h5py, group, path: Path) -> pd.DataFrame:
    """One table: a frame of its fields less the row index."""
    table = _stored(h5py, group, "table")
    if table is None:
        raise InputError([finding("unreadable-file", f"{path.name}: {group.name} holds no table.", place=str(path))])
    blocks = [name for name in table.dtype.names if name.startswith("values_block_")]
    if blocks:
        message = f"{path.name}: the columns of {group.name.strip('/')} are stored in blocks, without their names."
        remedy = "Write the file with `dataset.save()`, or `data_columns=True` where pandas writes it."
        raise InputError([finding("unknown-layout", message, place=str(path), remedy=remedy)])
    rows = table[:]
    return pd.DataFrame({n: _column(h5py, group, table, n, rows[n]) for n in table.dtype.names if n != "index"})


def _stored(h5py, group, where: str):
    """Rows at a path below a group, None where there are none in this very file: no link is followed, no other file opened."""
    for name in where.split("/"):
        if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        group = group[name]
    if not isinstance(group, h5py.Dataset) or group.dtype.names is None or group.external or group.is_virtual:
        return None
    return group


def _column(h5py, group, table, name: str, values: np.ndarray):
    """One column as numbers, booleans or text."""
    if _said(table, f"{name}_meta") == "category":
        known = _stored(h5py, group, f"meta/{name}/meta/table")
        if known is None or "values" not in known.dtype.names:
            raise ValueError(f"the categories of {name} are not in it")
        return pd.Series(_text(known["values"])).reindex(values).to_numpy()  # code -1, a blank, is in no category
    if values.dtype.kind == "S":
        return _text(values)
    return values.astype(bool) if _said(table, f"{name}_dtype") == "bool" else values


def _said(table, attribute: str) -> str:
    """Attribute as text; only compared with words, never unpickled."""
    value = table.attrs.get(attribute, b"")
    return bytes(value).decode("latin-1") if isinstance(value, bytes) else ""


def _text(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype.kind != "S":
        return values
    texts, which = np.unique(values, return_inverse=True)
    return np.array([t.decode("utf-8", "replace") for t in texts], dtype=object)[which]
