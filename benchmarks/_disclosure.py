"""Disclosure on real data: generated records that leak and that do not, and the copied people of a region."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from _measure import figure, run_timed
from _studies import warm_up

__all__ = ["adult", "cloned"]

_KEYS = ("age", "occupation", "race", "sex")


def adult(*, folder: Path) -> tuple[str, dict]:
    """Shuffled columns give nothing away; a bootstrap of the training half everything: does each measure tell them apart?"""
    import numpy as np
    import pandas as pd

    from synthpop_gb.pair import Pair, PairVariable
    from synthpop_gb.validation.disclosure import disclosure

    data = pd.read_parquet(Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "adult" / "adult.parquet")
    data = data.drop(columns=["split"])
    numbers = data.select_dtypes("number").columns
    frame = pd.DataFrame({c: data[c].astype("float64") if c in numbers else data[c].astype("category") for c in data})
    variables = tuple(PairVariable(c, "number" if c in numbers else "category") for c in frame)
    rng = np.random.default_rng(2011)
    order = rng.permutation(len(frame))
    half = len(frame) // 2
    real, holdout = (frame.iloc[part].reset_index(drop=True) for part in (order[:half], order[half:]))
    made = {
        "shuffled": pd.DataFrame({c: real[c].take(rng.permutation(half)).reset_index(drop=True) for c in real}),
        "bootstrap": real.iloc[rng.integers(half, size=half)].reset_index(drop=True),
    }
    values = {"records": figure(half, "records")}
    for name, synthetic in made.items():
        pair = Pair(real, synthetic, variables, keys=_KEYS, target="income")
        disclosure(pair, seed=1, holdout=holdout, attacks=20, most=20)  # compiled code is cached
        began = time.perf_counter()
        found = disclosure(pair, seed=1, holdout=holdout)
        values[f"{name}_seconds"] = figure(time.perf_counter() - began, "s")
        values[f"{name}_repu"] = figure(found["disclosure_identity"].loc[0, "repU"], "%")
        row = found["disclosure_attribute"].set_index("target").loc["income"]
        for column in ("DiSCO", "DiSCO_holdout", "DiSCO_guarded", "DiSCO_guarded_holdout"):
            values[f"{name}_{column.lower()}"] = figure(row[column], "%")
        first = found["disclosure_distance"].iloc[0]
        values[f"{name}_share_closer"] = figure(100 * first["share_closer"], "%")
        values[f"{name}_identical"] = figure(first["identical"], "%")
        for attack, row in found["attacks"].set_index("attack").iterrows():
            short = attack.replace(", ", "_").replace(": ", "_").replace(" ", "_")
            values[f"{name}_{short}_risk"] = figure(row["risk"], "", f"{row['risk']:.2f}")
        values[f"{name}_findings"] = figure(sum(f.code == "disclosure-risk" for f in found.findings), "findings")
    return "python benchmarks/figures.py --only disclosure_adult", values


def cloned(*, folder: Path) -> tuple[str, dict]:
    """Seconds from counts read to tables, and what they say."""
    from synthpop_gb import run_folder
    from synthpop_gb.pipeline.after import opened
    from synthpop_gb.validation.disclosure import cloned_disclosure

    command = [sys.executable, "-m", "synthpop_gb", "run", "inputs/yorkshire-2011.toml", "--output", str(folder), "--no-report"]
    warm_up()
    run_timed(command, codes=(0, 3))
    place = folder / "yorkshire-2011"
    _, aligned, _ = opened(place)
    keys = ["age", "sex", "ethnic_group"]
    cloned_disclosure(run_folder.read_counts(place, aligned.records), aligned, keys)
    began = time.perf_counter()
    found = cloned_disclosure(run_folder.read_counts(place, aligned.records), aligned, keys)
    seconds = time.perf_counter() - began
    frame = found["zone_uniqueness"]
    people = frame["people"].sum()
    rows = found["intruder"].drop_duplicates("measure").set_index("measure")
    guess = rows.loc["zone guessed by a copy"]
    values = {
        "zones": figure(len(frame), "zones"),
        "people": figure(int(people), "people"),
        "seconds": figure(seconds, "s"),
        "alone": figure(100 * frame["unique"].sum() / people, "%"),
        "under_10": figure(100 * frame["under_10"].sum() / people, "%"),
        "copies_a_record": figure(people / found["copies"].loc[0, "records_used"], "people"),
        "zones_with_a_copy": figure(rows.loc["zones with a copy", "value"], "zones"),
        "zone_guessed_by_a_copy": figure(guess["value"], "%", f"{guess['value']:.3f} %"),
        "zone_guessed_by_anybody": figure(guess["baseline"], "%", f"{guess['baseline']:.3f} %"),
        "own_region": figure(rows.loc["placed in own region", "value"], "%"),
        "own_region_by_chance": figure(rows.loc["placed in own region", "baseline"], "%"),
    }
    return "synthpop-gb run inputs/yorkshire-2011.toml", values
