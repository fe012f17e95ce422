"""How far apart correlation matrices are under every reading of a published "L1 norm of the difference"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

__all__ = ["recipes", "readings", "summary"]

KEEPS = ("spearman", "pearson", "normal-scores", "pearson as it is")
"""What level 2 keeps. 'pearson as it is': the data's Pearson correlations are put into the copula, without solving for them."""

FAMILIES = {"least AIC": None, "log-normal": ("log-normal",)}


def recipes(real: pd.DataFrame, outcome: str) -> Iterator[tuple[tuple[str, str, str], Callable[[int, bool], pd.DataFrame]]]:
    """Every way of making level 1 and level 2 data: ((fitted to, keeps, families), function of seed and level 2)."""
    from synthpop_gb.synthesis import draw_within, fit_distributions

    for fitted, keeps, (said, families) in product(("all records", "each outcome"), KEEPS, FAMILIES.items()):
        options = {} if families is None else {"families": families}
        if keeps != "pearson as it is":
            options["correlation"] = keeps
        if fitted == "all records":
            learnt = fit_distributions(real, **options)
            if keeps == "pearson as it is":
                learnt = replace(learnt, latent=real.corr())

            def draw(seed, correlated, learnt=learnt):
                return learnt.draw(seed=seed, correlated=correlated)

        elif keeps == "pearson as it is":
            continue
        else:

            def draw(seed, correlated, options=options):
                return draw_within(real, outcome, seed=seed, correlated=correlated, **options)

        yield (fitted, keeps, said), draw


def readings(real: pd.DataFrame, outcome: str, seeds: range) -> pd.DataFrame:
    """One row a reading and seed: fitted, keeps, families, variables, correlation, norm, level, seed, value.

    A level of 0 is a bootstrap of the real records: what is left where nothing is lost but the sample is another.
    """
    from synthpop_gb.validation.utility.correlation import CORRELATIONS, NORMS, correlation_matrix, matrix_norm

    features = [c for c in real if c != outcome]
    sets = {"features": features, "features and outcome": [*features, outcome]}
    known = {(c, s): correlation_matrix(real[v].to_numpy(float), correlation=c) for c in CORRELATIONS for s, v in sets.items()}
    rows = []

    def measure(frame, *about):
        for (correlation, variables), matrix in known.items():
            made = correlation_matrix(frame[sets[variables]].to_numpy(float), correlation=correlation)
            rows.extend((*about, variables, correlation, n, matrix_norm(made - matrix, n)) for n in NORMS)

    for (fitted, keeps, families), draw in recipes(real, outcome):
        for seed in seeds:
            if keeps == "spearman":  # level 1 keeps no correlation, whichever
                measure(draw(seed, False), fitted, "", families, 1, seed)
            measure(draw(seed, True), fitted, keeps, families, 2, seed)
    for seed in seeds:
        resampled = real.iloc[np.random.default_rng(seed).integers(len(real), size=len(real))]
        measure(resampled, "", "", "", 0, seed)
    return pd.DataFrame(
        rows, columns=["fitted", "keeps", "families", "level", "seed", "variables", "correlation", "norm", "value"]
    )


def summary(table: pd.DataFrame, published: tuple[float, float]) -> pd.DataFrame:
    """One row a reading, nearest to the two published figures first.

    Columns fitted, keeps, families, variables, correlation, norm; level_1, level_2 (means over seeds), each with _low and _high
    (5th and 95th percentile); off (the larger of the two relative errors) and both_within (published figures within those).
    """
    reading = ["fitted", "families", "variables", "correlation", "norm"]

    def over(level, keys):
        part = table[table["level"] == level].groupby(keys, sort=False)["value"]
        return pd.DataFrame(
            {f"level_{level}": part.mean(), f"level_{level}_low": part.quantile(0.05), f"level_{level}_high": part.quantile(0.95)}
        ).reset_index()

    both = over(2, [*reading, "keeps"]).merge(over(1, reading), on=reading)
    one, two = published
    both["off"] = np.maximum((both["level_1"] / one - 1).abs(), (both["level_2"] / two - 1).abs())
    both["both_within"] = both["level_1_low"].le(one) & both["level_1_high"].ge(one)
    both["both_within"] &= both["level_2_low"].le(two) & both["level_2_high"].ge(two)
    return both.sort_values("off", kind="stable").reset_index(drop=True)
