"""Several methods on one problem, side by side: fit, held-out error, donor reuse, time and memory.

Two populations that both meet every table can differ by a third in what no table says, so a method is never judged by its total
absolute error alone. Each method solves in a process of its own, on one core, with its code compiled before the clock starts.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.methods import METHODS, get_method, make_options
from synthpop_gb.population import Population
from synthpop_gb.problem import Problem

__all__ = ["Candidate", "compare_methods", "default_candidates"]

_WARM = 4  # zones solved before the clock starts, so that compiling is not timed


@dataclass(frozen=True)
class Candidate:
    """One method with its options, under the name that the table prints.

    >>> Candidate.parse("ipf:integerise=trs,max_cycles=50")
    Candidate(name='ipf:integerise=trs,max_cycles=50', method='ipf', options={'integerise': 'trs', 'max_cycles': 50})
    """

    name: str
    method: str
    options: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Candidate:
        """Read 'method' or 'method:option=value,option=value'; numbers and true or false are read as such.

        Raises ValueError for an unknown method or option, or a part without '='.
        """
        method, _, rest = text.partition(":")
        options = {}
        for part in filter(None, rest.split(",")):
            key, sign, value = part.partition("=")
            if not sign:
                raise ValueError(f"{text!r}: {part!r} is no option=value")
            options[key.strip()] = _value(value.strip())
        found = cls(text, method.strip(), options)
        make_options(get_method(found.method), options)
        return found


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def default_candidates(households: bool = False) -> list[Candidate]:
    """Every registered method of persons, or of whole households, with its default options, and its usual rivals.

    Of persons these are the FMF's annealing and 'ipf' with truncate, replicate, sample; of households a short search.
    """
    if households:
        whole = [Candidate(name, name, {}) for name, method in METHODS.items() if method.needs == "incidence"]
        return [*whole, Candidate.parse("balance:effort=quick")]
    found = [Candidate(name, name, {}) for name, method in METHODS.items() if method.needs == "cells"]
    if "anneal" in METHODS:
        found.append(Candidate.parse("anneal:preset=fmf"))
    return [*found, Candidate.parse("ipf:integerise=trs")]


def compare_methods(
    aligned: Aligned,
    candidates: Sequence[Candidate | str] | None = None,
    *,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Solve one problem by several methods and tabulate what came of it.

    Parameters
    ----------
    aligned : Aligned
        Records, constraints and zones; held-out tables to judge by, where there are some.
    candidates : sequence of Candidate or str, optional
        Which methods; text is read by `Candidate.parse`. By default `default_candidates`.
    seed : int
        Fixes every random draw.
    progress : callable, optional
        Called with each candidate's name before it is solved.

    Returns
    -------
    pandas.DataFrame
        Indexed by candidate: `zones_exact` (per cent of zones whose people meet every target), `tae_above_floor` (people, counted
        again), `two_way_from_fit` (per cent of people in another two-way cell than the method's own fractional fit), then for
        each held-out table `wrong <table>` (per cent of people in the wrong cell, mean of zones), with the yardsticks
        `independence` and `fractional fit of ipf` (of `balance` for households) as rows of their own; `donors_a_zone` (distinct
        records, mean), `largest_donor` (per cent of a zone's people, mean), `ms_a_zone` (one core), `peak_mb` (of the process; 0
        where the system does not tell), `not_converged` (zones).

    Raises
    ------
    ValueError
        For an unknown method or option, or none at all; for a method that the running script defines; for one of persons
        where the survey holds whole households.
    RuntimeError
        Where the process of a method ended before it was done.
    """
    from synthpop_gb.formulation import formulate
    from synthpop_gb.validation import validate

    households = aligned.households is not None
    wanted = default_candidates(households) if candidates is None else candidates
    wanted = list({c.name: c for c in (Candidate.parse(c) if isinstance(c, str) else c for c in wanted)}.values())
    if not wanted:
        raise ValueError("no method is named")
    lost = [c.method for c in wanted if households and get_method(c.method).needs != "incidence"]
    if lost:
        raise ValueError(f"the study is of whole households, which {', '.join(map(repr, lost))} cannot place")
    if aligned.levels:
        apart = [c for c in wanted if not getattr(get_method(c.method), "nests", False)]
        if apart and candidates is not None:
            names = ", ".join(repr(c.method) for c in apart)
            raise ValueError(f"the study binds zones together by tables of {aligned.levels[0].name}, which {names} cannot do")
        wanted = [c for c in wanted if c not in apart]
    problem, rows, yardsticks = formulate(aligned), {}, None
    for candidate in wanted:
        if progress is not None:
            progress(candidate.name)
        population, seconds, peak = _solved_apart(problem, candidate, seed)
        checks = validate(population, aligned)
        rows[candidate.name] = _row(checks, population, 1000 * seconds / max(problem.n_zones, 1), peak)
        if yardsticks is None and population.duals is not None and candidate.method in ("ipf", "balance"):
            yardsticks = _yardsticks(checks, candidate.method)
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
    if yardsticks is not None and len(yardsticks.columns):
        frame = pd.concat([frame, yardsticks])
    return frame.rename_axis("method")


_BEGIN = "import pickle, sys; sys.path[:], module = pickle.load(sys.stdin.buffer); __import__(module); " + (
    "from synthpop_gb.assessment.compare import serve; serve()"
)
"""What a fresh interpreter is told: unlike `multiprocessing`, it never imports the caller's script, which then needs no guard."""


def _solved_apart(problem: Problem, candidate: Candidate, seed: int) -> tuple[Population, float, float]:
    """Solve in a fresh process on one core: (population, processor seconds, peak memory in MB)."""
    module = type(get_method(candidate.method)).__module__  # importing it registers a method that is not ours
    if module == "__main__":
        raise ValueError(f"the method {candidate.method!r} is defined in the running script: put it into a module of its own")
    order = pickle.dumps((sys.path, module)) + pickle.dumps((problem, candidate.method, dict(candidate.options), seed))
    done = subprocess.run([sys.executable, "-c", _BEGIN], input=order, stdout=subprocess.PIPE, check=False)  # noqa: S603 - ourselves
    if done.returncode:
        raise RuntimeError(f"the process that solved {candidate.name} ended with {done.returncode}, out of memory perhaps")
    found = pickle.loads(done.stdout)  # noqa: S301 - from our own process
    if isinstance(found, Exception):
        raise found
    bare, seconds, peak = found
    return replace(bare, problem=problem), seconds, peak


def serve() -> None:
    """Solve what standard input holds and write it to standard output, pickled; what fails is written as its exception."""
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # what a method prints is no part of the answer
    try:
        found = _solve(*pickle.load(sys.stdin.buffer))  # noqa: S301 - from our own process
    except Exception as error:
        found = error
    out.write(pickle.dumps(found))
    out.flush()


def _solve(problem: Problem, method: str, options: dict, seed: int) -> tuple[Population, float, float]:
    import warnings

    from synthpop_gb.errors import FitWarning
    from synthpop_gb.execution.solve import solve

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # the table says the same
        solve(problem.take(np.arange(min(_WARM, problem.n_zones))), method=method, options=options, seed=seed, workers=1)
        began = time.process_time()
        population = solve(problem, method=method, options=options, seed=seed, workers=1)
        seconds = time.process_time() - began
    return replace(population, problem=problem.take(np.arange(0))), seconds, _peak_mb()


def _peak_mb() -> float:
    """Peak memory of this process so far, in MB; 0 where the system does not tell."""
    try:  # Linux: what `getrusage` says of a child is never less than its parent's peak
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


def _row(checks, population: Population, ms: float, peak: float) -> dict[str, float]:
    """One method's figures."""
    zones = checks["zones"]
    live = zones["target_people"] > 0
    pairs = checks["intersections"]
    pairs = pairs[(pairs["pair"] == "all pairs") & (pairs["reference"] == "fit")]
    return {
        "zones_exact": 100.0 * float(zones["exact"].mean()) if len(zones) else np.nan,
        "tae_above_floor": float(zones["tae_above_floor"].sum()),
        "two_way_from_fit": float(pairs["rounding"].iloc[0]) if len(pairs) else np.nan,
        **{f"wrong {row['table']}": row["zone_mean_whole"] for row in checks["held_out"].to_dict("records")},
        "donors_a_zone": float(zones.loc[live, "donors"].mean()),
        "largest_donor": 100.0 * float(zones.loc[live, "largest_share"].mean()),
        "ms_a_zone": ms,
        "peak_mb": peak,
        "not_converged": int((~population.status["fit"].isin(["CONVERGED", "EMPTY"])).sum()),
    }


def _yardsticks(checks, method: str) -> pd.DataFrame:
    """Held-out error of independence and of the fractional fit, in the columns of the methods."""
    held_out = checks["held_out"].to_dict("records")
    rows = {
        f"fractional fit of {method}": {f"wrong {r['table']}": r["zone_mean_fit"] for r in held_out},
        "independence": {f"wrong {r['table']}": r["zone_mean_independence"] for r in held_out},
    }
    return pd.DataFrame.from_dict(rows, orient="index")
