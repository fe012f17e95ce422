"""Several lookups and boundary files as one geography: nations side by side, or further areas of the same zones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.geography.vintage import lacking

__all__ = ["beside", "each", "several_areas", "undrawn"]


def each(value, n: int, what: str) -> list:
    """Turn one value, or one a file, into a list of `n`. Raises ValueError where there are other numbers of them.

    >>> each(None, 2, "zone"), each("lsoa", 2, "zone"), each(["lsoa", "dz"], 2, "zone")
    ([None, None], ['lsoa', 'lsoa'], ['lsoa', 'dz'])
    """
    values = [value] * n if value is None or isinstance(value, str) else list(value)
    if len(values) != n:
        raise ValueError(f"{len(values)} columns are given as {what}, for {n} files")
    return values


def beside(frames: Sequence[pd.DataFrame], places: Sequence[str], rank: Sequence[str], findings: list[Finding]) -> pd.DataFrame:
    """Put the zones of several lookups together: new zones are added, known ones get the areas that they had not.

    Parameters
    ----------
    frames : one row a zone, indexed by code, a column a level, as `Geography.zones`.
    places : the files' names.
    rank : known levels, finest first: the order of the columns.
    findings : gets 'not-nested' where two files put a zone into different areas of one level; the first file's is taken.

    Returns
    -------
    pandas.DataFrame
        Zones in order of their first occurrence; a level that only some files have is blank in the zones of the others.

    Examples
    --------
    >>> england = pd.DataFrame({"msoa": ["E02000001"]}, pd.Index(["E01000001"], name="zone"))
    >>> scotland = pd.DataFrame({"iz": ["S02000001"]}, pd.Index(["S01000001"], name="zone"))
    >>> beside([england, scotland], ["ew.csv", "s.csv"], ("msoa", "iz"), []).fillna("-").to_numpy().tolist()
    [['E02000001', '-'], ['-', 'S02000001']]
    """
    zones = pd.Index(pd.unique(np.concatenate([f.index.to_numpy(object) for f in frames])), name="zone")
    found = pd.DataFrame(index=zones)
    for frame, place in zip(frames, places, strict=True):
        for column in frame:
            new = frame[column].reindex(zones)
            if column not in found:
                found[column] = new
                continue
            old = found[column]
            apart = old.notna() & new.notna() & (old.astype(str) != new.astype(str))
            if apart.any() and column != "name" and not column.endswith("_name"):
                message = f"{place} puts {int(apart.sum()):,} zones into other areas of {column!r} than the files before it "
                message += f"(first: {zones[apart][0]})."
                rows = pd.DataFrame({"zone": zones[apart], "before": old[apart].to_numpy(), "here": new[apart].to_numpy()})
                findings.append(finding("not-nested", message, place=place, count=int(apart.sum()), rows=rows,
                                        why="A zone lies in one area of each level: that of the file named first was kept.",
                                        remedy="Name one lookup for that level."))  # fmt: skip
            found[column] = old.where(old.notna(), new)
    levels = list(dict.fromkeys(c.removesuffix("_name") for c in found if c != "name"))
    known = {level: i for i, level in enumerate(rank)}
    place_of, last = {}, -1
    for level in levels:  # a level of no known rank stays behind the one that it was listed after
        last = known.get(level, last)
        place_of[level] = last
    levels.sort(key=lambda level: place_of[level])
    return found[["name"] * ("name" in found) + [c for level in levels for c in (level, f"{level}_name") if c in found]]


def several_areas(rows: pd.DataFrame, title: str, n_zones: int, place: str) -> Finding:
    """Say which zones a lookup puts into several areas of a level, which area each was given, and of which that is arbitrary.

    rows : one for each of their areas, a zone's together, that which it was given first: zone, area, rows (of the file), given.

    >>> rows = pd.DataFrame({"zone": ["Z1", "Z1"], "area": ["A", "B"], "rows": [1, 1], "given": [True, False]})
    >>> print(several_areas(rows, "ward", 9, "lookup.csv").message)
    lookup.csv: 1 of 9 zones lies in several areas of 'ward'. Of 1 as many rows name one as another: Z1 was given A, not B.
    """
    given = rows[rows["given"]].set_index("zone")
    most = rows.groupby("zone", sort=False)["rows"].transform("max")
    leading = rows[rows["rows"] == most].groupby("zone", sort=False)["area"].agg(list)
    ties = leading[leading.map(len) > 1]
    clear = given.drop(index=ties.index)
    message = (
        f"{place}: {len(given):,} of {n_zones:,} zones {'lies' if len(given) == 1 else 'lie'} in several areas of {title!r}."
    )
    if len(clear):
        zone, of = clear.index[0], int(rows.loc[rows["zone"] == clear.index[0], "rows"].sum())
        message += (
            f" Given the one that most of their rows name: {len(clear):,} (first: {zone}, given {clear['area'].iloc[0]} by "
        )
        message += f"{int(clear['rows'].iloc[0]):,} of {of:,} rows)."
    if len(ties):
        got, *others = ties.iloc[0]
        message += (
            f" Of {len(ties):,} as many rows name one as another: {ties.index[0]} was given {got}, not {' or '.join(others)}"
        )
        message += f", and {len(ties) - 1:,} more the area named first." if len(ties) > 1 else "."
    return finding("not-nested", message, place=place, count=len(given), rows=rows.rename(columns={"area": title}))


def undrawn(zones: pd.Index, drawn: Sequence[np.ndarray], place: str) -> list[Finding]:
    """Say which zones have a polygon in none of several boundary files, and where the polygons are of another year or level."""
    return lacking(zones, np.concatenate([np.asarray(d, object) for d in drawn]), place)
