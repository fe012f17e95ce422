"""Pairs of real and synthetic records made by hand or by a seed, for tests of what compares them."""

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair, PairVariable


def pair_of(real, synthetic, **roles):
    """A Pair of two frames: text is a category, all else a number."""
    frames, variables = ({}, {}), []
    for name in real:
        number = real[name].dtype.kind in "fiu"
        variables.append(PairVariable(name, "number" if number else "category"))
        columns = [f[name].reset_index(drop=True) for f in (real, synthetic)]
        known = list(dict.fromkeys([*columns[0].dropna(), *columns[1].dropna()]))
        for into, column in zip(frames, columns, strict=True):
            into[name] = column.astype(np.float64) if number else pd.Categorical(column, known)
    made = [pd.DataFrame(f, index=range(len(s))) for f, s in zip(frames, (real, synthetic), strict=True)]
    return Pair(made[0], made[1], tuple(variables), **roles)


def people(n, seed):
    """Records with age, sex, region, an illness that comes with age, and an income of their own."""
    rng = np.random.default_rng(seed)
    age = rng.integers(16, 90, n)
    return pd.DataFrame(
        {
            "age": age.astype(float),
            "sex": pd.Series(rng.choice(["f", "m"], n), dtype=object),
            "region": pd.Series(rng.choice(list("abcdefgh"), n), dtype=object),
            "ill": pd.Series(np.where(rng.random(n) < (age - 10) / 120, "yes", "no"), dtype=object),
            "income": np.round(np.exp(rng.normal(10, 0.5, n))),
        }
    )


KEYS = ("age", "sex", "region")
