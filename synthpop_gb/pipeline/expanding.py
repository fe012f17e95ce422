"""A run expanded: one row a person; of whole households, one row a household beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.errors import InputError, finding
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

    Raises
    ------
    InputError
        `output-exists` unless `overwrite`; `output-locked`; with a rule `release-refused`, for every breach, and `bad-condition`
        for keys that there are not.
    """
    from synthpop_gb.export import households as write_households
    from synthpop_gb.export import people, two_column
    from synthpop_gb.export._target import kind_of, may_write

    folder = Path(folder)
    rule = None if release is None else release_rule(release)
    target, homes = expand_paths(folder, target, households=households, layout=layout)
    _, aligned, population = opened(folder)
    for path in (target, homes) if homes is not None else (target,):  # before the first of them is written
        kind_of(path)
        may_write(path, overwrite)
    if rule is None:
        ids = {}
    else:
        from synthpop_gb.pipeline.releasing import checked_people

        ids = checked_people(folder, aligned, rule, keys)
    placed = aligned.households is not None

    def counts():  # the people who were written and checked
        if placed and layout != "two-column":
            return run_folder.read_households(folder, aligned.households.ids)
        return run_folder.read_counts(folder, aligned.records)

    if layout == "two-column":
        two_column(population, target, counts=counts(), overwrite=overwrite)
        if homes is not None:
            units = run_folder.read_households(folder, aligned.households.ids)
            two_column(population, homes, columns=("ZoneID", "hidp"), counts=units, overwrite=overwrite, unit="household")
        return target
    people(population, aligned, target, counts=counts(), overwrite=overwrite, **ids)
    if homes is not None:
        write_households(population, aligned, homes, counts=counts(), overwrite=overwrite, **ids)
    return target
