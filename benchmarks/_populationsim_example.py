"""PopulationSim's own example: 36 zones (TAZ) of 12 tracts and 3 districts, ten controls at three levels, 60 survey households.

Controls are read from its controls.csv; the few forms of expression that occur are read by a pattern, and nothing is evaluated.
The example's targets contradict each other: its households are of six kinds, none of whom has a third person without a student,
and zones want households of three without students. It is therefore placed twice: as given, soft, and with *recounted* targets:
as many households of each size as given, drawn from the survey, counted by the same controls. PopulationSim is run on the same
where the environment variable SYNTHPOP_GB_POPULATIONSIM names a Python that has it. It takes a zone's households from the ten
of the zone's own PUMA; since these are of the same six kinds everywhere, that is no narrower.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure, run_timed

import synthpop_gb as sp
from synthpop_gb.incidence import Incidence
from synthpop_gb.level import Level
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.validation.relaxation import relax

__all__ = ["example"]

_LEVELS = {"TAZ": "taz", "TRACT": "tract", "DISTRICT": "region"}
_TERM = re.compile(r"\(?\s*(households|persons)\.(\w+)\s*(==|>=|>|<)\s*(\d+|np\.inf)\s*\)?")
_COMPARE = {"==": np.equal, ">=": np.greater_equal, ">": np.greater, "<": np.less}
_SEEDS, _SEED = 5, 2018
# PopulationSim's importances over its largest but for the number of households, which is exact
_SOFT = {
    "standard_error": dict.fromkeys(("hh_size", "students_by_housing_type", "hh_by_type"), 1.0)
    | dict.fromkeys(("persons_occ_1", "persons_occ_2", "persons_occ_3"), 1.0),
    "importance": {"hh_by_type": 0.1, "persons_occ_2": 0.1, "persons_occ_3": 0.1}, "restarts": 1, "milp_nodes": 0,
}  # fmt: skip


def example(*, folder: Path) -> tuple[str, dict]:
    """Error by level and by control, and time, of ours and of PopulationSim: targets as given and recounted."""
    given = _read(Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "populationsim" / "example_test")
    counted = _count(given)
    values = {"zones": figure(len(given["zones"]), "zones"), "kinds": figure(len(np.unique(counted, axis=0)), "kinds")}
    for name, data, options in (("given", given, _SOFT), ("recounted", _recounted(given, counted), {})):
        problem, runs = _problem(counted, data), []
        impossible = relax(problem).headline["zones that nobody could meet"]
        values[f"{name}_impossible"] = figure(impossible, "zones")
        for seed in range(_SEEDS):
            began = time.process_time()
            population = sp.solve(problem, method="balance", options=options, seed=seed, workers=1)
            runs.append((population, time.process_time() - began))
        fitted = runs[0][0].fitted()[:, problem.donor_profile] * problem.donor_shares()
        weights = np.empty_like(fitted)
        weights[:, problem.donor] = fitted
        values |= _told(f"{name}_fit", [_errors(weights, counted, data)], data)
        values |= _told(f"{name}_ours", [_errors(_placed(population, problem), counted, data) for population, _ in runs], data)
        values[f"{name}_ours_ms"] = figure(min(r[1] for r in runs) * 1e3, "ms")
        if rival := os.environ.get("SYNTHPOP_GB_POPULATIONSIM"):
            seconds, drawn = _run_rival(rival, folder / name, data)
            values |= _told(f"{name}_populationsim", [_errors(drawn, counted, data)], data)
            values[f"{name}_populationsim_seconds"] = figure(seconds, "s")
    return "sp.solve(problem, method='balance')", values


def _recounted(data: dict, counted: np.ndarray) -> dict:
    """Replace the targets by counts of a population: each zone's households of each size drawn from the survey by weight."""
    rng, controls = np.random.default_rng(_SEED), data["controls"]
    weight, sizes = data["households"]["WGTP"].to_numpy(float), np.flatnonzero(controls["target"].str.startswith("hh_size"))
    drawn = np.zeros((len(data["zones"]), len(weight)))
    for c in sizes:
        share = weight * counted[:, c]
        for z, n in enumerate(_targets(controls.iloc[c], data)):
            drawn[z] += rng.multinomial(int(n), share / share.sum())
    out, sums = dict(data), drawn @ counted
    for level, table in _LEVELS.items():
        out[table] = data[table].copy()
        for c, control in enumerate(controls.itertuples()):
            if control.geography == level:
                out[table][control.control_field] = np.bincount(_of_zone(level, data), sums[:, c], len(out[table])).astype(int)
    return out


def _read(source: Path) -> dict:
    """Tables of the example; survey households outside its PUMAs are left out, as PopulationSim leaves them."""
    read = {name: pd.read_csv(source / f"{name}_controls.csv", comment="#") for name in _LEVELS.values()}
    households = pd.read_csv(source / "seed_households.csv", comment="#").dropna(subset=["PUMA"])
    persons = pd.read_csv(source / "seed_persons.csv", comment="#")
    households = households[households["PUMA"].isin(read["taz"]["PUMA"])].reset_index(drop=True)
    home = pd.Series(households.index, index=households["SERIALNO"])
    persons = persons[persons["SERIALNO"].isin(home.index)]
    return {
        "source": source, "controls": pd.read_csv(source / "configs" / "controls.csv", comment="#"), "households": households,
        "persons": persons, "home": home[persons["SERIALNO"]].to_numpy(), "zones": read["taz"], **read,
    }  # fmt: skip


def _count(data: dict) -> np.ndarray:
    """(n_households, n_controls) members of each household whom each control counts."""
    controls = data["controls"]
    out = np.zeros((len(data["households"]), len(controls)), np.int64)
    for c, control in enumerate(controls.itertuples()):
        table = data[control.seed_table]
        home = np.arange(len(table)) if control.seed_table == "households" else data["home"]
        np.add.at(out[:, c], home, _where(control.expression, control.seed_table, table))
    return out


def _where(expression: str, of: str, table: pd.DataFrame) -> np.ndarray:
    """Rows that an expression of controls.csv holds for: comparisons of a column with a number, joined by '&'."""
    held = np.ones(len(table), bool)
    for part in expression.split("&"):
        term = _TERM.fullmatch(part.strip())
        if term is None or term[1] != of or term[2] not in table:
            raise ValueError(f"this expression of controls.csv is of another form: {expression!r}")
        held &= _COMPARE[term[3]](table[term[2]].to_numpy(), np.inf if term[4] == "np.inf" else int(term[4]))
    return held


def _targets(control, data: dict) -> np.ndarray:
    """Targets of one control, by area of its level."""
    return data[_LEVELS[control.geography]][control.control_field].to_numpy(float)


def _of_zone(level: str, data: dict) -> np.ndarray:
    """Position of the area that each zone lies in."""
    return pd.Index(data[_LEVELS[level]][level]).get_indexer(data["zones"][level])


def _problem(counted: np.ndarray, data: dict) -> Problem:
    """Make the problem: controls of zones, and those of tracts and districts as levels; every survey household is a profile.

    Sizes are one table of four cells; any other control is a table of one cell.
    """
    controls = data["controls"]
    level = controls["geography"].to_numpy()
    own = np.flatnonzero(level == "TAZ")
    n, zones = len(counted), pd.Index(data["zones"]["TAZ"].astype(str), name="zone")
    cell_of, start, cells = _tables(controls.iloc[own], counted[:, own])
    levels = []
    for name in ("TRACT", "DISTRICT"):
        mine = np.flatnonzero(level == name)
        if len(mine):
            of, first, labels = _tables(controls.iloc[mine], counted[:, mine])
            wanted = np.stack([_targets(controls.iloc[c], data) for c in mine], axis=1)
            areas = pd.Index(data[_LEVELS[name]][name].astype(str))
            rows = Incidence.of_rows(counted[:, mine])
            levels.append(Level(name.lower(), areas, _of_zone(name, data), wanted, of, first, labels, incidence=rows))
    weight = data["households"]["WGTP"].to_numpy(float)
    return Problem(
        start=weight, cell_of=cell_of, constraint_start=start,
        targets=np.stack([_targets(controls.iloc[c], data) for c in own], axis=1),
        zone_keys=np.array([zone_key(z) for z in zones], np.uint64), donor_start=np.arange(n + 1), donor=np.arange(n),
        donor_weight=weight, zones=zones, records=pd.RangeIndex(n), cells=cells, incidence=Incidence.of_rows(counted[:, own]),
        households=pd.RangeIndex(n), member_start=np.arange(n + 1), member=np.arange(n),
        size=np.bincount(data["home"], minlength=n), levels=tuple(levels),
    )  # fmt: skip


def _tables(controls: pd.DataFrame, counted: np.ndarray):
    """Find (cell_of, constraint_start, labels) of controls: sizes of households are one table, others one each."""
    names = ["hh_size" if t.startswith("hh_size") else t for t in controls["target"]]
    start = np.flatnonzero([i == 0 or names[i] != names[i - 1] for i in range(len(names))])
    start = np.append(start, len(names))
    cell_of = np.full((len(start) - 1, len(counted)), -1)
    for t in range(len(start) - 1):
        if controls["seed_table"].iloc[start[t]] == "households":
            inside = counted[:, start[t] : start[t + 1]]
            cell_of[t] = np.where(inside.any(axis=1), inside.argmax(axis=1) + start[t], -1)
    labels = pd.MultiIndex.from_arrays([names, controls["target"]], names=["constraint", "category"])
    return cell_of, start, labels


def _placed(population, problem) -> np.ndarray:
    """(n_zones, n_households) households placed."""
    drawn, out = population.placed(), np.zeros((problem.n_zones, len(problem.start)))
    np.add.at(out, (np.repeat(np.arange(problem.n_zones), np.diff(drawn.indptr)), drawn.record), drawn.n)
    return out


def _errors(drawn: np.ndarray, counted: np.ndarray, data: dict) -> np.ndarray:
    """Total absolute error of each control, over the areas of its level."""
    controls, sums = data["controls"], drawn @ counted
    out = np.zeros(len(controls))
    for c, control in enumerate(controls.itertuples()):
        wanted = _targets(control, data)
        found = np.bincount(_of_zone(control.geography, data), sums[:, c], len(wanted))
        out[c] = np.abs(found - wanted).sum()
    return out


def _told(name: str, errors: list[np.ndarray], data: dict) -> dict:
    """Mean error over runs: households and persons of zones, tracts and districts; and by control."""
    controls, mean, out = data["controls"], np.mean(errors, axis=0), {}
    kept = (controls["target"] != "num_hh").to_numpy()  # the sum of the sizes
    for level in _LEVELS:
        for of in ("households", "persons"):
            mine = kept & ((controls["geography"] == level) & (controls["seed_table"] == of)).to_numpy()
            if mine.any():
                out[f"{name}_{level.lower()}_{of}"] = figure(round(float(mean[mine].sum()), 3), of)
    out |= {f"{name}_{control}": figure(round(float(m), 3)) for control, m in zip(controls["target"], mean, strict=True)}
    return out


def _run_rival(python: str, folder: Path, data: dict) -> tuple[float, np.ndarray]:
    """Run PopulationSim on the example's files. Returns (processor seconds, households placed as in `_placed`)."""
    for name in ("configs", "output"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(data["source"], folder / "data", ignore=shutil.ignore_patterns("configs*"))
    for table in _LEVELS.values():
        data[table].to_csv(folder / "data" / f"{table}_controls.csv", index=False)
    data["controls"].to_csv(folder / "configs" / "controls.csv", index=False)
    (folder / "configs" / "settings.yaml").write_text(_SETTINGS, encoding="utf-8")
    seconds = run_timed([python, "-m", "populationsim", "-w", str(folder)]).cpu_seconds
    placed = pd.read_csv(folder / "output" / "final_expanded_household_ids.csv")
    out = np.zeros((len(data["zones"]), len(data["households"])))
    zone = pd.Index(data["zones"]["TAZ"]).get_indexer(placed["TAZ"])
    np.add.at(out, (zone, pd.Index(data["households"]["SERIALNO"]).get_indexer(placed["hh_id"])), 1)
    return seconds, out


_SETTINGS = """
INTEGERIZE_WITH_BACKSTOPPED_CONTROLS: True
SUB_BALANCE_WITH_FLOAT_SEED_WEIGHTS: False
GROUP_BY_INCIDENCE_SIGNATURE: True
USE_SIMUL_INTEGERIZER: True
USE_CVXPY: False
max_expansion_factor: 30
geographies: [DISTRICT, PUMA, TRACT, TAZ]
seed_geography: PUMA
data_dir: data
input_table_list:
  - {tablename: households, filename: seed_households.csv, index_col: hh_id, rename_columns: {SERIALNO: hh_id}}
  - {tablename: persons, filename: seed_persons.csv, rename_columns: {SERIALNO: hh_id}}
  - {tablename: geo_cross_walk, filename: geo_cross_walk.csv, rename_columns: {TRACTCE: TRACT}}
  - {tablename: TAZ_control_data, filename: taz_controls.csv}
  - {tablename: TRACT_control_data, filename: tract_controls.csv}
  - {tablename: DISTRICT_control_data, filename: region_controls.csv}
household_weight_col: WGTP
household_id_col: hh_id
total_hh_control: num_hh
control_file_name: controls.csv
output_tables:
  action: include
  tables: [summary_TAZ, expanded_household_ids]
models:
  - input_pre_processor
  - setup_data_structures
  - initial_seed_balancing
  - meta_control_factoring
  - final_seed_balancing
  - integerize_final_seed_weights
  - sub_balancing.geography=TRACT
  - sub_balancing.geography=TAZ
  - expand_households
  - summarize
  - write_tables
resume_after:
"""
