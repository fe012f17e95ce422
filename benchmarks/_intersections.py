"""Intersections measured: Adult against generators that are wrong in known ways; Leeds by zone; times on millions of records."""

from __future__ import annotations

import os
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import ROOT, figure

__all__ = ["ADULT_PAIRS", "LEEDS_VARIABLES", "adult", "adult_records", "scan"]

ADULT_PAIRS = (
    ("relationship", "sex"), ("age", "marital_status"), ("education", "education_num"), ("workclass", "occupation"),
    ("capital_gain", "capital_loss"), ("hours_per_week", "income"), ("race", "native_country"),
)  # fmt: skip
"""Columns that the generator of pairs keeps together: husbands are male then, and may never have married."""

LEEDS_VARIABLES = (
    "sex", "age", "legal_partnership", "health", "ethnic_group", "religion", "country_of_birth", "economic_activity",
    "occupation", "industry", "hours", "social_grade",
)  # fmt: skip

_HUSBAND = "relationship = Husband and sex = Female"
_SINGLE = ("marital_status = Never-married and relationship = Husband", "marital_status = Never-married and relationship = Wife")


def adult_records() -> pd.DataFrame:
    """Adult as it is published, 48,842 records, without the column that says which part; '?' is missing."""
    path = Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "adult" / "adult.parquet"
    records = pd.read_parquet(path).drop(columns="split")
    for column in records:
        if pd.api.types.is_numeric_dtype(records[column]):
            records[column] = records[column].astype(np.float64)
        else:
            text = records[column].astype(object).where(lambda x: x != "?")
            records[column] = pd.Categorical(text, categories=sorted(text.dropna().unique()))
    return records


def coded_pair(real: pd.DataFrame, made: pd.DataFrame):
    """Both sides as codes: numbers in five groups."""
    from synthpop_gb.pair import Pair, PairVariable

    kinds = tuple(PairVariable(c, "number" if real[c].dtype == np.float64 else "category") for c in real)
    return Pair(real.reset_index(drop=True), made.reset_index(drop=True), kinds).coded()


def _generators(records: pd.DataFrame) -> dict[str, pd.DataFrame]:
    from synthpop_gb.synthesis import bootstrap, independent_columns, keep_pairs, lose_rare, swap_within_couples

    return {
        "bootstrap": bootstrap(records, seed=1),
        "independent": independent_columns(records, seed=1),
        "pairs": keep_pairs(records, ADULT_PAIRS, seed=1),
        "swap": swap_within_couples(records, "relationship", "sex", share=0.1, seed=1),
        "rare": lose_rare(records, seed=1),
    }


def adult(*, folder: Path) -> tuple[str, dict]:
    """Every generator against Adult: verdict, and the rank of what is known to be wrong; halves of Adult against each other."""
    from synthpop_gb.validation.intersections import scan as scan_pair

    records = adult_records()
    values = {"records": figure(len(records), "records")}
    scan_pair(*coded_pair(records.head(100), records.head(100)))  # compiled
    for name, made in _generators(records).items():
        sides = coded_pair(records, made)
        began = time.perf_counter()
        checks = scan_pair(*sides)
        seconds = time.perf_counter() - began
        cells, tables, head = checks["scan_cells"], checks["scan_tables"], checks.headline
        values[f"{name}_verdict"] = figure("passes" if head["passes"] else "fails", "")
        values[f"{name}_failing"] = figure(head["combinations that fail"], "combinations")
        values[f"{name}_groups"] = figure(head["groups beyond chance"], "groups")
        values[f"{name}_following"] = figure(head["groups that follow from them"], "groups")
        values[f"{name}_worst"] = figure(head["worst group"] or "none", "")
        values[f"{name}_invented"] = figure(100 * float(tables.loc[tables["k"] == 3, "invented"].mean()), "%")
        values[f"{name}_missing"] = figure(100 * float(tables.loc[tables["k"] == 3, "missing"].mean()), "%")
        values[f"{name}_first_findings"] = figure("; ".join(f.code for f in checks.findings[:3]), "")
        values |= _ranks(name, cells, records, made)
        lost = cells[(cells["kind"] == "missing") & (cells["combination"] == "native_country")]
        values[f"{name}_countries_lost"] = figure(len(lost), "countries")
        values[f"{name}_countries"] = figure(", ".join(c.split(" = ")[1] for c in lost["cell"]) or "none", "")
        values[f"{name}_countries_rank"] = figure(int(lost["rank"].min()) if len(lost) else "not found", "")
        values[f"{name}_seconds"] = figure(seconds, "s")
        if name == "bootstrap":
            values["combinations"] = figure(head["combinations scanned"], "combinations")
            values["cells"] = figure(head["cells compared"], "cells")
            three = tables[tables["k"] == 3]
            values["floor_invented"] = figure(100 * float(three["invented_floor"].mean()), "%")
            values["floor_missing"] = figure(100 * float(three["missing_floor"].mean()), "%")
    values["halves"] = figure(40, "splits")
    values["halves_pass"] = figure(sum(_halves_pass(records, seed) for seed in range(40)), "splits")
    return "python benchmarks/figures.py --only adult", values


def _ranks(name: str, cells: pd.DataFrame, real: pd.DataFrame, made: pd.DataFrame) -> dict:
    """Rank and both sides' counts of female husbands and of spouses who never married."""
    values, rank = {}, cells.set_index("cell")["rank"]
    for short, words in (("husband_female", _HUSBAND), ("husband_single", _SINGLE[0]), ("wife_single", _SINGLE[1])):
        parts = [p.split(" = ") for p in words.split(" and ")]
        counts = [int(np.logical_and(*((f[c] == v).to_numpy(bool) for c, v in parts)).sum()) for f in (real, made)]
        values[f"{name}_{short}_rank"] = figure(int(rank[words]) if words in rank.index else "not found", "")
        values[f"{name}_{short}"] = figure(counts[1], "people")
        values[f"real_{short}"] = figure(counts[0], "people")
    return values


def _halves_pass(records: pd.DataFrame, seed: int) -> bool:
    """Whether one random half of Adult passes against the other: two samples of one population."""
    from synthpop_gb.validation.intersections import scan as scan_pair

    order = np.random.default_rng(seed).permutation(len(records))
    half = len(records) // 2
    return bool(scan_pair(*coded_pair(records.iloc[order[:half]], records.iloc[order[half:]])).headline["passes"])


def scan(*, folder: Path) -> tuple[str, dict]:
    """Leeds, 2011, twelve variables: times, the default population beside the Framework's rules, and fifty million plain rows."""
    import synthpop_gb as sp
    from synthpop_gb.validation.intersections import scan as scan_pair
    from synthpop_gb.validation.intersections import scan_zones, survey_codes

    warnings.simplefilter("ignore")
    aligned, _ = sp.pipeline.align(sp.load_study(ROOT / "inputs" / "leeds-2011.toml"))
    problem = sp.formulate(aligned)
    records, zones = survey_codes(aligned, LEEDS_VARIABLES), aligned.zones
    settings = {"tables": aligned.held_out, "also": [("age", "sex", "health", "ethnic_group")]}
    made = {
        "default": sp.solve(problem, seed=2011),
        "fmf": sp.solve(problem, method="anneal", options={"preset": "fmf"}, seed=2011),
    }
    values = {
        "people": figure(made["default"].people, "people"),
        "zones": figure(len(zones), "zones"),
        "records": figure(len(records), "records"),
        "variables": figure(len(records.names), "variables"),
    }
    scan_zones([], records, zones, fit=made["default"], **settings)  # compiled
    for name, population in made.items():
        blocks = list(population.blocks())
        began = time.perf_counter()
        checks = scan_zones(blocks, records, zones, fit=made["default"], survey=False, **settings)
        seconds = time.perf_counter() - began
        values |= {f"{name}_{k}": v for k, v in _leeds(checks, population).items()}
        values[f"{name}_zone_seconds"] = figure(seconds, "s")
        copies = sum(np.bincount(b.record, b.n, minlength=len(records)) for b in blocks)
        began = time.perf_counter()
        plain = scan_pair(records, records.weighing(copies), reference_kind="survey cloned", reference_name="the survey")
        values[f"{name}_seconds"] = figure(time.perf_counter() - began, "s")
        values[f"{name}_effective"] = figure(float(records.weighing(copies).effective), "records")
        values[f"{name}_survey_worst"] = figure(plain.headline["worst group"], "")
    values["combinations"] = figure(plain.headline["combinations scanned"], "combinations")
    values["cells"] = figure(plain.headline["cells compared"], "cells")
    values["zone_cells"] = figure(checks.headline["cells compared by zone"], "cells")
    values |= _fifty_million(records)
    return "python benchmarks/figures.py --only scan", values


def _leeds(checks, population) -> dict:
    """What the audit says of one population of Leeds."""
    head, tables = checks.headline, checks["scan_tables"].set_index(["reference", "combination"])
    four, joint = "sex x age x health x ethnic_group", "age x sex"
    by_zone, held = tables.loc[("the fractional fit, by zone", four)], tables.loc[(f"published {joint}, by zone", joint)]
    together = tables.loc[("the fractional fit", four)]
    mean = re.match(r"([\d.]+) %.*floor ([\d.]+) %", head["by zone against the fractional fit"])
    return {
        "tae": figure(int(population.status["remainder"].sum()), "people"),
        "verdict": figure("passes" if head["passes"] else "fails", ""),
        "verdict_by_zone": figure("passes" if head["passes by zone"] else "fails", ""),
        "failing": figure(head["combinations that fail"], "combinations"),
        "groups": figure(head["groups beyond chance"], "groups"),
        "worst": figure(head["worst group"] or "none", ""),
        "mean_wrong": figure(float(mean.group(1)), "%"),
        "mean_floor": figure(float(mean.group(2)), "%"),
        "four_way_wrong": figure(100 * by_zone["tvd"], "%"),
        "four_way_floor": figure(100 * by_zone["tvd_floor"], "%"),
        "four_way_missing": figure(100 * by_zone["missing"], "%"),
        "four_way_missing_floor": figure(100 * by_zone["missing_floor"], "%"),
        "four_way_cells": figure(int(by_zone["cells"]), "cells"),
        "four_way_together": figure(100 * together["tvd"], "%"),
        "four_way_together_floor": figure(100 * together["tvd_floor"], "%"),
        "age_sex_wrong": figure(100 * held["tvd"], "%"),
        "age_sex_floor": figure(100 * held["tvd_floor"], "%"),
        "age_sex_beyond": figure(int(held["discoveries"]), "cells"),
        "age_sex_worst": figure(_worst_published(checks), ""),
    }


def _worst_published(checks) -> str:
    cells = checks["scan_zone_cells"]
    cells = cells[cells["reference"].str.startswith("published")] if len(cells) else cells
    if cells.empty:
        return "none"
    row = cells.iloc[0]
    return f"{row['cell']}, {row['zone']}: {row['zone_observed']:,.0f} people, {row['zone_expected']:,.0f} published"


def _fifty_million(records, n: int = 50_000_000) -> dict:
    """Seconds for a population of so many plain rows, each a copy of some record, against the survey."""
    from synthpop_gb.coded import Coded
    from synthpop_gb.validation.intersections import scan as scan_pair

    rows = np.random.default_rng(1).integers(0, len(records), n, dtype=np.int32)
    made = Coded(records.names, records.labels, records.codes[rows], np.ones(n))
    del rows
    began = time.perf_counter()
    checks = scan_pair(records, made, reference_kind="survey cloned", effective=float(len(records)))
    seconds = time.perf_counter() - began
    return {
        "plain_rows": figure(n, "rows"),
        "plain_seconds": figure(seconds, "s"),
        "plain_groups": figure(checks.headline["groups beyond chance"], "groups"),
    }
