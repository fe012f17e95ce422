"""A survey in two files: households beside the people who live in them, joined on the household's id."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding

__all__ = ["check_household_keys", "find_column", "id_texts", "join_households"]


MEETING = 0.01
"""Share of the people's household ids below which two files are not of the same households."""


def check_household_keys(named: dict[str, str | Path | None], path: Path) -> list[Finding]:
    """'study-missing' where something about households is named without the column that says who lives together."""
    given = [key for key in ("households", "household_weight", "communal") if named.get(key) is not None]
    if not given or named.get("household") is not None:
        return []
    verb = "needs" if len(given) == 1 else "need"
    message = f"{path.name}: {', '.join(given)} {verb} `household`, the column of household ids, which was not named."
    return [finding("study-missing", message, place=str(path))]


def id_texts(values: pd.Series) -> pd.Series:
    """Ids as text, so that 7, 7.0 and '7' are one household in two files; missing where blank."""
    known = values.notna()
    text = values.astype(object).where(known, None)
    text = text.map(lambda v: v if v is None else str(int(v)) if isinstance(v, float) and v.is_integer() else str(v).strip())
    return text.where(known & (text != ""), None)


def find_column(frame: pd.DataFrame, wanted: str, path: Path, what: str, findings: list[Finding]) -> str | None:
    """Column of this name, case apart; 'missing-column' where there is none."""
    if wanted in frame.columns:
        return wanted
    lower = {str(c).casefold(): c for c in reversed(list(frame.columns))}
    found = lower.get(str(wanted).casefold())
    if found is None:
        near = difflib.get_close_matches(str(wanted).casefold(), list(lower), n=1, cutoff=0.6)
        left = len(frame.columns) - 10
        there = ", ".join(map(str, frame.columns[:10])) + (f" ... ({left:,} more)" if left > 0 else "")
        hint = f" Did you mean {lower[near[0]]!r}?" if near else f" There are: {there}."
        findings.append(finding("missing-column", f"{path.name} has no column {wanted!r} ({what}).{hint}", place=str(path)))
    return found


def join_households(
    people: pd.DataFrame, households: pd.DataFrame, household: str | None, paths: tuple[Path, Path], findings: list[Finding]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Repeat every column of the households on their members.

    Parameters
    ----------
    people, households : one row a person, one row a household.
    household : column of household ids in both, case apart. Without it, or where a file lacks it, the households' columns are
        there and blank, so that nobody is told that they are missing too.
    paths : the two files, for findings.
    findings : 'missing-column'; 'duplicate-household' (one id, several rows: an error); 'unmatched-household' (households
        without members, members of no household in the file: warnings; one error where hardly any id is in both files);
        'column-clash' (both files have a column, with
        other values: the household's is renamed).

    Returns
    -------
    The people with the households' columns, in their own order, and the column that each of the household file's became.
    """
    here = there = None
    if household is not None:
        here = find_column(people, household, paths[0], "household", [])  # the survey's reader says so where it is missing
        there = find_column(households, household, paths[1], "household", findings)
    if here is None or there is None:
        blank = pd.DataFrame(None, index=people.index, columns=[c for c in households.columns if c not in people.columns])
        return pd.concat([people, blank.astype(object)], axis=1), {}
    mine, theirs = id_texts(people[here]), id_texts(households[there])
    blank = int(theirs.isna().sum())
    if blank:
        message = f"{paths[1].name}: {blank:,} {'household has' if blank == 1 else 'households have'} no id in {there!r}."
        findings.append(finding("unmatched-household", message, place=str(paths[1]), count=blank))
    twice = theirs[theirs.duplicated() & theirs.notna()].unique()
    if len(twice):
        message = f"{paths[1].name}: {len(twice):,} ids in {there!r} stand on several rows (first: {twice[0]})."
        rows = pd.DataFrame({there: twice})
        findings.append(finding("duplicate-household", message, place=str(paths[1]), count=len(twice), rows=rows))
    once = theirs.notna() & ~theirs.duplicated()
    households, ids = households[once.to_numpy()], pd.Index(theirs[once])
    row = ids.get_indexer(mine)
    if _strangers(people, mine, ids, (here, there), paths, findings):
        row[:] = -1  # the few that meet do so by chance
    else:
        _unmatched(mine, ids, row, paths, findings)
    taken = _repeated(households.drop(columns=there), row)
    taken.index = people.index
    names, clashes = _names(people, taken, row >= 0)
    if clashes:
        said = ", ".join(f"{old!r} as {new!r}" for old, new in clashes.items())
        message = f"{paths[0].name} and {paths[1].name} have columns of one name with other values; the household's stand {said}."
        rows = pd.DataFrame({"column": list(clashes), "of_household": list(clashes.values())})
        findings.append(finding("column-clash", message, place=str(paths[1]), count=len(clashes), rows=rows))
    new = [c for c in taken.columns if names[c] not in people.columns]
    joined = pd.concat([people, taken[new].rename(columns=names)], axis=1)
    return joined, {**names, there: here}


def _repeated(households: pd.DataFrame, row: np.ndarray) -> pd.DataFrame:
    """Rows of the households by member; blank, whole numbers staying whole, where row is -1."""
    lost = row < 0
    taken = households.iloc[np.maximum(row, 0)] if len(households) else households.reindex(range(len(row)))
    taken = taken.reset_index(drop=True)
    if not lost.any():
        return taken
    columns = {}
    for name in taken.columns:
        column = taken[name]
        columns[name] = (column.astype("Int64") if pd.api.types.is_integer_dtype(column) else column).mask(lost)
    return pd.DataFrame(columns)


def _names(people: pd.DataFrame, taken: pd.DataFrame, matched: np.ndarray) -> tuple[dict[str, str], dict[str, str]]:
    """Name that each of the households' columns gets, and those that had to be renamed; equal columns are one.

    matched : (n_people,) bool, whose household is in the file: the others' values are no ground to call two columns unlike.
    """
    names, clashes = {}, {}
    used = {*map(str, people.columns), *map(str, taken.columns)}
    for column in taken.columns:
        names[column] = column
        if column in people.columns and not _equal(people.loc[matched, column], taken.loc[matched, column]):
            name = f"household_{column}"
            while name in used:
                name += "_"
            names[column] = clashes[column] = name
            used.add(name)
    return names, clashes


def _equal(left: pd.Series, right: pd.Series) -> bool:
    """Whether two columns say the same, blanks included."""
    return id_texts(left).fillna("").equals(id_texts(right).fillna(""))


def _strangers(
    people: pd.DataFrame, mine: pd.Series, ids: pd.Index, columns: tuple[str, str], paths: tuple[Path, Path],
    findings: list[Finding],
) -> bool:  # fmt: skip
    """Whether the two files hardly share an id, which is then said as one error, with an id of either and what may mend it."""
    homes = pd.Index(mine.dropna().unique())
    met = int(homes.isin(ids).sum())
    if not len(homes) or not len(ids) or met >= MEETING * len(homes):
        return False
    how = "None" if not met else f"Only {met:,}"
    message = (
        f"{how} of the {len(homes):,} household ids in {columns[0]!r} of {paths[0].name} (first: {homes[0]!r}) "
        f"{'is' if met < 2 else 'are'} in {columns[1]!r} of {paths[1].name} (first: {ids[0]!r})."
    )
    findings.append(
        finding("unmatched-household", message + _likeness(people, homes, ids, paths), place=str(paths[1]), count=len(homes),
                level="error", why="Nothing is known of the households that these people live in.",
                remedy="Use the two files of one release, and write the ids in both alike.")
    )  # fmt: skip
    return True


def _likeness(people: pd.DataFrame, homes: pd.Index, ids: pd.Index, paths: tuple[Path, Path]) -> str:
    """Say how ids that do not meet would: without what stands before their numbers, or in another column of the people."""
    bare = [{re.sub(r"^\D*0*(?=\d)", "", i) for i in side} for side in (homes, ids)]
    if len(bare[0] & bare[1]) >= 0.5 * len(bare[0]):
        return " They agree but for letters or noughts before the number."
    for column in people.columns:
        values = id_texts(people[column].iloc[:1000]).dropna()
        if len(values.unique()) > 1 and values.isin(ids).mean() >= 0.9:
            return f" The column {column!r} of {paths[0].name} has ids of {paths[1].name}: name it, if it is the household's."
    numbers = [int(side.str.fullmatch(r"\d+").all()) for side in (homes, ids)]
    if numbers[0] != numbers[1]:
        return f" Those of {paths[numbers[0]].name} are no whole numbers, those of {paths[numbers[1]].name} are."
    return ""


def _unmatched(mine: pd.Series, ids: pd.Index, row: np.ndarray, paths: tuple[Path, Path], findings: list[Finding]) -> None:
    """Say which households have no members here, and which people belong to a household that the other file does not have."""
    lonely = ids[~ids.isin(mine.dropna())]
    if len(lonely):
        who = f"{len(lonely):,} {'household' if len(lonely) == 1 else 'households'} of {paths[1].name}"
        message = f"{who} {'has' if len(lonely) == 1 else 'have'} no member in {paths[0].name} (first: {lonely[0]})."
        rows = pd.DataFrame({"household": lonely})
        findings.append(finding("unmatched-household", message, place=str(paths[1]), count=len(lonely), rows=rows))
    lost = (row < 0) & mine.notna().to_numpy()
    if lost.any():
        homes = mine[lost].unique()
        n = int(lost.sum())
        who = f"{n:,} {'record' if n == 1 else 'records'} of {paths[0].name}"
        verb = "belongs" if n == 1 else "belong"
        message = f"{who} {verb} to households that {paths[1].name} does not have (first: {homes[0]})."
        rows = pd.DataFrame({"row": np.flatnonzero(lost) + 1, "household": mine[lost].to_numpy()})
        findings.append(
            finding("unmatched-household", message, place=str(paths[0]), count=n, rows=rows,
                    why="Nothing is known of the households that these people live in.",
                    remedy="Use the two files of one release; households without a value that a table needs are left out.")
        )  # fmt: skip
