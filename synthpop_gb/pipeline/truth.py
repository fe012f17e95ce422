"""The true people of a made-up county, set beside the population that was rebuilt without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import Population
from synthpop_gb.spec.model import Truth

__all__ = ["add_truth"]


def add_truth(truth: Truth, folder: Path, aligned: Aligned, population: Population, checks: Checks) -> Checks:
    """Add the true error of each indicator to the checks: tables 'true_error' and 'true_error_zones', in per cent of people.

    Raises
    ------
    InputError
        `missing-file` where the true people cannot be read; `bad-condition` where an indicator means nothing in them.
    """
    import pandas as pd

    from synthpop_gb.indicators import parse_condition
    from synthpop_gb.validation import true_error

    path = Path(truth.persons)
    if not path.is_file():
        raise InputError([finding("missing-file", f"There is no file {path} of true people.", place="truth.persons")])
    people = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    zone = people["zone"].to_numpy()
    conditions = {name: parse_condition(text) for name, text in truth.indicators.items()}
    actual = {name: pd.Series(_per_cent(c, people)).groupby(zone).mean() for name, c in conditions.items()}
    values = {name: _per_cent(c, aligned) for name, c in conditions.items()}
    errors = true_error(
        run_folder.read_counts(folder, aligned.records), aligned,
        pd.DataFrame(actual).reindex(aligned.zones), pd.DataFrame(values, index=aligned.records),
        population=population, unit="percentage points",
    )  # fmt: skip
    return replace(checks, headline={**checks.headline, **errors.headline}, tables={**checks.tables, **errors.tables})


def _per_cent(condition, of):
    """100 where a row meets the condition, 0 where it does not, NaN where that is not known."""
    import numpy as np

    return np.where(condition.known(of), 100.0 * condition.matches(of), np.nan)
