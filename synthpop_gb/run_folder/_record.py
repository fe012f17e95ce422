"""run.json: what a run was made from and by, and what became of its zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.population import Population
from synthpop_gb.provenance import InputFile, Provenance, hash_file
from synthpop_gb.run_folder._counts import counts_facts
from synthpop_gb.run_folder._files import (
    COUNTS,
    DUALS,
    HOMES,
    MARKER,
    PROBLEM,
    PROFILES,
    REPLICATE_STATUS,
    REPLICATES,
    RUN,
    SETTLED,
    STATUS,
    read_json,
    write_json,
)

__all__ = ["changed_inputs", "provenance_of", "read_run", "record_simulation", "write_run"]

_FORMAT = 1
_FILES = (PROFILES, COUNTS, HOMES, STATUS, DUALS, SETTLED, PROBLEM, REPLICATES, REPLICATE_STATUS)


def write_run(
    population: Population, folder: Path, *, licence: str | None, problem_hash: str, extra: Mapping | None = None
) -> dict:
    """Write run.json. Returns what is in it. `extra`: further facts by name, plain values."""
    from synthpop_gb.kernels.links import described

    status, made = population.status, population.provenance
    written, link = counts_facts(folder), described(population.link)
    run = {
        "synthpop_gb_run": _FORMAT,
        "created": made.created,
        "study": made.study,
        **({} if made.start is None else {"start": made.start}),
        **({} if made.scenario is None else {"scenario": made.scenario}),
        "method": {"name": made.method, "options": made.options, **({} if link is None else {"link": link})},
        "seed": made.seed,
        "versions": made.versions,
        "inputs": [{"path": i.path, "sha256": i.sha256, "bytes": i.bytes} for i in made.inputs],
        "licence": licence or "restricted",
        "zones": len(status),
        "people": population.people,
        "profiles": population.problem.n_profiles,
        "donors": len(population.problem.donor),
        "constraints": list(dict.fromkeys(str(c) for c in population.problem.cells.get_level_values(0))),
        "fit": {str(k): int(v) for k, v in status["fit"].value_counts().items()},
        "whole": {str(k): int(v) for k, v in status["whole"].value_counts().items()},
        "largest_residual": float(status["residual"].max()) if len(status) else 0.0,
        "largest_remainder": float(status["remainder"].max()) if len(status) else 0.0,
        "not_fitted": [{"zone": str(z), **row} for z, row in population.unfitted.head(1000).to_dict("index").items()],
        **_households(population, folder),
        **_replicates(population),
        "digest": written["digest"],
        "problem": problem_hash,
        "files": {
            name: {"sha256": hash_file(folder / name), "bytes": (folder / name).stat().st_size}
            for name in _FILES
            if (folder / name).exists()
        },
        **(extra or {}),
    }
    earlier = read_json(folder / RUN) if (folder / RUN).exists() else {}
    if earlier.get("simulations") and earlier.get("digest") == run["digest"]:  # of the same people: they hold still
        run["simulations"] = earlier["simulations"]
    write_json(folder / RUN, run)
    return run


def record_simulation(folder: Path, facts: Mapping) -> dict:
    """Note a simulation in run.json, in the place of an earlier one of its name; returns what run.json holds.

    facts : plain values; `name`, `model`, `scenarios` and `populations` are what the card tells.
    """
    run = read_run(folder)
    others = [one for one in run.get("simulations", []) if one.get("name") != facts["name"]]
    run["simulations"] = [*others, dict(facts)]
    write_json(folder / RUN, run)
    return run


def _households(population: Population, folder: Path) -> dict:
    """Say how many households and residents of communal establishments were placed; nothing where persons were."""
    problem = population.problem
    if problem.households is None:
        return {}
    homes = int(population.status["households"].sum())
    written = counts_facts(folder, HOMES)
    return {
        "households": {
            "placed": homes, "communal": written["units"] - homes, "members": population.people - written["units"] + homes,
            "records": len(problem.member), "digest": written["digest"],
        }
    }  # fmt: skip


def _replicates(population: Population) -> dict:
    """Say how many replicates there are, what was drawn again, and how well they fit; nothing where there are none."""
    made = population.replicates
    if made is None:
        return {}
    found = made.summary()
    numbers = made.numbers.tolist()
    return {
        "replicates": {
            "numbers": numbers,
            "sources": list(made.sources),
            "digest": made.digest(),
            "share_of_zones_exact": float(found["exact"].mean() / max(len(population.zones), 1)),
            "largest_remainder": float(found["largest_remainder"].max()),
        }
    }


def read_run(folder: str | Path) -> dict:
    """Read the run.json of a finished run. Raises InputError (`missing-file`, `unreadable-file`)."""
    folder = Path(folder)
    if (folder / MARKER).exists():
        message = f"{folder} holds a run that is not finished."
        raise InputError(
            [finding("missing-file", message, place=str(folder), remedy="Run the study again: it goes on where it stopped.")]
        )
    run = read_json(folder / RUN)
    if not isinstance(run, dict) or run.get("synthpop_gb_run") != _FORMAT:
        raise InputError(
            [finding("unreadable-file", f"{folder / RUN} is no run of this program's format {_FORMAT}.", place=str(folder / RUN))]
        )
    return run


def provenance_of(run: Mapping) -> Provenance:
    """Return a run's provenance as it was."""
    return Provenance(
        seed=run["seed"],
        method=run["method"]["name"],
        options=run["method"]["options"],
        inputs=tuple(InputFile(**i) for i in run["inputs"]),
        study=run["study"],
        start=run.get("start"),
        scenario=run.get("scenario"),
        versions=run["versions"],
        created=run["created"],
    )


def changed_inputs(inputs: Iterable[InputFile | Mapping]) -> tuple[Finding, ...]:
    """Compare input files with the hashes that a run noted: a finding (`input-changed`, `missing-file`) for each that differs."""
    findings = []
    for known in (i if isinstance(i, InputFile) else InputFile(**i) for i in inputs):
        path = Path(known.path)
        if not path.exists():
            findings.append(
                finding(
                    "missing-file", f"{path} is gone; the run was made from it.", place=str(path), remedy="Put the file back."
                )
            )
        elif path.stat().st_size != known.bytes or hash_file(path) != known.sha256:
            findings.append(finding("input-changed", f"{path} is not the file that the run was made from.", place=str(path)))
    return tuple(findings)


def changed_files(folder: Path, run: Mapping) -> tuple[Finding, ...]:
    """Compare the run's own files with the hashes in run.json; see `changed_inputs`."""
    return tuple(
        replace(f, remedy="Restore it, or run the study again.", why="The run's own files must be as they were written.")
        for f in changed_inputs({"path": str(folder / name), **known} for name, known in run["files"].items())
    )
