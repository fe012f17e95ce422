"""A run's population for other models: writers by name, the licence and rule that they keep, and where their tables go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pipeline.after import opened
from synthpop_gb.release import ReleaseRule, release_rule

__all__ = ["Writer", "export_run", "export_writers", "register_writer"]


@dataclass(frozen=True)
class Writer:
    """What writes one model's input.

    Attributes
    ----------
    what : str
        For people: whose input it is, and what files.
    function : callable or str
        `function(population, aligned, path, *, year, inputs, labels, places, zones, include, weighted, counts, overwrite, say,
        **ids) -> Path`, or where it is: 'module:name', imported when it is first used. `ids` are `donors` and `donor_households`
        where a release rule changes them.
    file : bool
        Whether it writes one file rather than a folder.
    releases : bool
        Whether it can leave out or replace the survey's ids, as release rules ask.
    """

    what: str
    function: Callable | str
    file: bool = False
    releases: bool = True

    def load(self) -> Callable:
        """Import the function."""
        if callable(self.function):
            return self.function
        module, name = self.function.split(":")
        return getattr(import_module(module), name)


_TABLES = "synthpop_gb.export.entity_tables"
_WRITERS: dict[str, Writer] = {
    "openfisca": Writer("persons, benunits and households as CSV, for OpenFisca's SimulationBuilder", f"{_TABLES}:openfisca"),
    "euromod": Writer("one tab-separated file of persons, for EUROMOD and UKMOD", f"{_TABLES}:euromod"),
    "simpaths": Writer("population_initial_UK_<year>.csv, for SimPaths", f"{_TABLES}:simpaths"),
    "policyengine": Writer(
        "a dataset (.h5), for PolicyEngine UK (extra `policy`)", f"{__name__}:_policyengine", file=True, releases=False
    ),
}


def register_writer(name: str, writer: Writer) -> None:
    """Make a writer known by a name, for `export_run` and the command line. Raises ValueError where the name is taken."""
    if _WRITERS.get(name, writer) is not writer:
        raise ValueError(f"there is a writer {name!r} already")
    _WRITERS[name] = writer


def export_writers() -> dict[str, Writer]:
    """Return all writers by name, in order."""
    return dict(sorted(_WRITERS.items()))


def export_run(
    folder: str | Path,
    to: str,
    target: str | Path | None = None,
    *,
    year: int | None = None,
    inputs: Mapping[str, str | float] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    places: pd.DataFrame | str | Path | None = None,
    zones: Sequence[str] = (),
    include: Sequence[str] = (),
    weighted: bool = False,
    release: str | Mapping | ReleaseRule | None = None,
    keys: Sequence[str] = (),
    overwrite: bool = False,
    say: Callable[[Finding], object] | None = None,
) -> Path:
    """Write a run's households as the tables that another model reads; returns the folder or file.

    Parameters
    ----------
    folder : path
        The run.
    to : str
        Name of a writer: 'openfisca', 'euromod', 'simpaths', 'policyengine'.
    target : path, optional
        A folder, or for PolicyEngine a file that ends in .h5; in the run's folder, exports/, where absent.
    year : int, optional
        Of the amounts; the survey's where absent.
    inputs, labels : mapping, optional
        Columns of the survey by input, and what its labels mean; see `circumstances.circumstances_of`.
    places : pandas.DataFrame or path, optional
        Regions or local authorities by zone, or by a level of the study: a CSV file whose first column is called 'zone' or as
        the level.
    zones : sequence of str
        Only these.
    include : sequence of str
        Columns of a survey that is not open whose answers may leave all the same: the caller's word.
    weighted : bool
        One row a household of the survey and zone, with its copies as weight.
    release : optional
        A rule, its profile's name or its mapping; what breaks it is refused, and ids are dropped or replaced as it says.
    keys : sequence of str
        What a neighbour may know, by which the rule judges.
    overwrite : bool
        Replace what such a writer has written.
    say : callable, optional
        Is given notes.

    Raises
    ------
    InputError
        `study-value` for a writer that there is not, a population of persons, or a rule that the writer cannot keep; `licence`,
        `release-refused`, `missing-column`, `bad-links`, `output-exists`, `export-differs`.
    """
    if to not in _WRITERS:
        message = f"Nothing is written for {to!r}, but for {', '.join(export_writers())}."
        raise InputError([finding("study-value", message, place="to")])
    folder, writer = Path(folder), _WRITERS[to]
    _, aligned, population = opened(folder)
    if aligned.households is None:
        message = f"{folder} holds persons, not whole households, which other models are given."
        remedy = "Name the survey's household column in the study, and make the run again."
        raise InputError([finding("study-value", message, place="households", remedy=remedy)])
    if target is None:
        target = folder / "exports" / (f"{to}.h5" if writer.file else to)
    ids = {} if release is None else _released(folder, aligned, release_rule(release), keys, writer, inputs, include)
    counts = run_folder.read_households(folder, aligned.households.ids)  # the households that were written and checked
    return writer.load()(
        population, aligned, Path(target), year=year, inputs=inputs, labels=labels, places=_places(places),
        zones=list(zones) or None, include=list(include), weighted=weighted, counts=counts, overwrite=overwrite, say=say, **ids,
    )  # fmt: skip


def _released(
    folder: Path, aligned: Aligned, rule: ReleaseRule, keys: Sequence[str], writer: Writer, inputs: Mapping | None, include
) -> dict:
    """Refuse what breaks a rule; return what stands in place of ids."""
    from synthpop_gb.circumstances import circumstances_of
    from synthpop_gb.export.people import person_columns
    from synthpop_gb.pipeline.releasing import checked_people

    if not writer.releases:
        message = "These files hold the survey's ids, so no rule applies to them."
        raise InputError([finding("study-value", message, place="release", remedy="Leave --release out.")])
    ids = checked_people(folder, aligned, rule, keys)
    described = set(person_columns(aligned)) | {aligned.survey.variables[n].column for n in person_columns(aligned)}
    taken = [c for c in circumstances_of(aligned.frame(), inputs).taken.values() if c in aligned.frame()]
    left = sorted({*taken, *include} - described)
    if left:
        message = f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} not described in the study, so no rule judges it."
        remedy = "Describe it as a variable, or put a number in its place: --input income=0."
        raise InputError([finding("release-refused", message, place="release", count=len(left), remedy=remedy)])
    return ids


def _places(places: pd.DataFrame | str | Path | None) -> pd.DataFrame | None:
    """Read a table of places. Raises InputError (`missing-file`, `unreadable-file`, `duplicate-zone`)."""
    if places is None or isinstance(places, pd.DataFrame):
        return places
    path = Path(places)
    if not path.is_file():
        raise InputError([finding("missing-file", f"{path} does not exist.", place=str(path))])
    try:
        table = pd.read_csv(path, dtype="string", encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError([finding("unreadable-file", f"{path} is no table: {told}.", place=str(path))]) from None
    table = table.set_index(table.columns[0])
    if table.index.has_duplicates:
        twice = int(table.index.duplicated().sum())
        raise InputError([finding("duplicate-zone", f"{path} lists {twice:,} places twice.", place=str(path), count=twice)])
    return table


def _policyengine(population, aligned, path, *, year, say, **asked) -> Path:
    """Write PolicyEngine's dataset; it has nothing to say, since what it cannot place or fill it refuses."""
    from synthpop_gb.policy.policyengine import write_dataset

    return write_dataset(population, aligned, path, **({} if year is None else {"year": year}), **asked)
