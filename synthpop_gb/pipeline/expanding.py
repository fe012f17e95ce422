"""A run expanded: one row a person; of whole households, one row a household beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.atomic import replacing_all
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pipeline.after import opened
from synthpop_gb.release import ReleaseRule, release_rule

__all__ = ["expand_paths", "expand_run"]


def expand_paths(
    folder: str | Path, target: str | Path, *, households: str | Path | None = None, layout: str = "people"
) -> tuple[Path, Path | None]:
    """Say where `expand_run` writes people, and where households; None where it writes none.

    Of a run of whole households, a target without ending is a folder that holds the folders `people` and `households`; beside a
    file `people.parquet` lies `households.parquet`, beside another `name.csv` lies `name-households.csv`. Two columns of
    households are written only where `households` says so.

    Raises InputError: `missing-file` where there is no finished run; `study-value` where households are asked of persons, or both
    would be one file.
    """
    target, run = Path(target), run_folder.read_run(folder)
    if "households" not in run:
        if households is not None:
            message = f"{folder} holds persons, not whole households."
            remedy = "Leave --households out, or name the survey's household column in the study."
            raise InputError([finding("study-value", message, place="households", remedy=remedy)])
        return target, None
    if layout == "two-column":
        return target, None if households is None else _apart(target, Path(households))
    if not target.suffix:
        return target / "people", _apart(target / "people", target / "households" if households is None else Path(households))
    if households is None:
        stem, ending = target.name.split(".", 1)
        households = target.with_name(f"{'households' if stem == 'people' else f'{stem}-households'}.{ending}")
    return target, _apart(target, Path(households))


def _apart(target: Path, households: Path) -> Path:
    one, other = target.resolve(), households.resolve()
    if one == other or one in other.parents or other in one.parents:
        message = f"People and households would both be {target}."
        if one != other:
            message = f"Of {target} and {households} one lies in the other, and would be replaced by it."
        raise InputError([finding("study-value", message, place="households", remedy="Name another file or folder.")])
    return households


def expand_run(
    folder: str | Path,
    target: str | Path,
    *,
    households: str | Path | None = None,
    overwrite: bool = False,
    layout: str = "people",
    release: str | Mapping | ReleaseRule | None = None,
    keys: Sequence[str] = (),
    include: Sequence[str] = (),
    say: Callable[[Finding], object] | None = None,
) -> Path:
    """Write one row a person of a run to a file or a partitioned folder, and one row a household; returns the people's path.

    Parameters
    ----------
    folder, target : path
        The run, and what is written (see `export.people`).
    households : path, optional
        Where households are written; see `expand_paths` for where they are by default.
    overwrite : bool
        Replace what is there.
    layout : str
        'people' (zone, parents, donor, answers where the licence is open) or 'two-column' (zone and donor alone, as a file; no
        rule applies to it).
    release : optional
        A rule, its profile's name or its mapping: record ids, and with them those of households, are dropped or replaced as it
        says, and where the people break it nothing is written.
    keys : sequence of str
        What a neighbour may know, by which the rule judges who is alone in a zone; by default the visible ones among the answers
        that are written.
    include : sequence of str
        Survey columns, such as incomes, to write beside what is written anyway; households get those that their members share.
        Naming them is the caller's word that the licence allows it.
    say : callable, optional
        Is given findings: the note `undescribed-columns` where an open survey has columns of numbers that were left out.

    Raises
    ------
    InputError
        `output-exists` unless `overwrite`; `output-locked`; with a rule `release-refused`, for every breach, and `bad-condition`
        for keys that there are not; `missing-column` for names in `include` that the survey has not.
    ValueError
        For `include` with a rule, which judges described answers alone, or with two columns.
    """
    from synthpop_gb.export import households as write_households
    from synthpop_gb.export import people, two_column
    from synthpop_gb.export._household_rows import with_added
    from synthpop_gb.export._target import kind_of

    if include and (release is not None or layout == "two-column"):
        raise ValueError("columns are included in rows of people that no release rule judges")
    folder = Path(folder)
    rule = None if release is None else release_rule(release)
    target, homes = expand_paths(folder, target, households=households, layout=layout)
    _, aligned, population = opened(folder)
    written = (target,) if homes is None else (target, homes)
    for path in written:  # before anything is done
        kind_of(path, overwrite, folder=layout == "people")
    if rule is None:
        ids = {}
    else:
        from synthpop_gb.pipeline.releasing import checked_people

        ids = checked_people(folder, aligned, rule, keys)
    placed = aligned.households is not None
    of_people, of_homes = with_added(aligned, include) if include else (None, None)
    if say is not None and not include and rule is None and layout == "people":
        for found in _left_out(aligned):
            say(found)

    def counts():  # the people who were written and checked
        if placed and layout != "two-column":
            return run_folder.read_households(folder, aligned.households.ids)
        return run_folder.read_counts(folder, aligned.records)

    with replacing_all(*written) as (one, *other):  # never new people beside old households
        if layout == "two-column":
            two_column(population, one, counts=counts())
            for path in other:
                units = run_folder.read_households(folder, aligned.households.ids)
                two_column(population, path, columns=("ZoneID", "hidp"), counts=units, unit="household")
        else:
            people(population, aligned, one, include=of_people, counts=counts(), **ids)
            for path in other:
                write_households(population, aligned, path, include=of_homes, counts=counts(), **ids)
    return target


def _left_out(aligned: Aligned) -> list[Finding]:
    """Say which columns of numbers an open survey has that nothing describes, so that they are not written."""
    from synthpop_gb.export._person_rows import undescribed
    from synthpop_gb.export.pointers import pointers

    if aligned.survey.licence != "open":
        return []
    names = [n for n in undescribed(aligned) if n not in pointers(aligned)]
    if not names:
        return []
    some = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
    message = f"{some} {'is' if len(names) == 1 else 'are'} not described in the study, and left out."
    remedy = f"Add what you need by name: --include {names[0]}."
    place = aligned.survey.name
    return [
        finding(
            "undescribed-columns", message, place=place, count=len(names), rows=pd.DataFrame({"column": names}), remedy=remedy
        )
    ]
