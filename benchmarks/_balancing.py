"""Fitting households to household and person tables: time a zone, beside plain NumPy, updating (IPU) and PopulationSim.

Two problems, both with known people: zones of 250 households of EU-SILC (`_homes`), and one of ordinary size, simulated: 10,000
households, tables of size, tenure and cars, age by sex, work and health, 500 zones of about 400 households.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from _homes import TABLES, household_problem, incidence, silc_population, zones_of
from _measure import figure, processor

__all__ = ["fit"]

_ORDINARY = {"size": 5, "tenure": 4, "cars": 3, "age_sex": 14, "work": 4, "health": 3}
_SURVEY = 3_000
_TWIN_ZONES, _IPU_ZONES, _RIVAL_ZONES = 20, 20, 5  # the slow ones are timed on a few


def fit(*, folder: Path) -> tuple[str, dict]:
    """Time the fit alone on one core: milliseconds and steps a zone, and how far each way is from the tables."""
    values = {"processor": figure(processor())}
    for name, problem in {"eusilc": _silc(), "ordinary": ordinary(500)}.items():
        values |= {f"{name}_{key}": value for key, value in _compared(problem).items()}
    return "benchmarks/_balancing.py", values


def _silc():
    """Zones of 250 households of eusilcP, in which incomes and ages differ; the survey is 3,000 of its households."""
    people = silc_population()
    counted, rng = incidence(people), np.random.default_rng(1)
    zone = zones_of(people, 250, rng)
    targets = np.zeros((zone.max() + 1, counted.shape[1]))
    np.add.at(targets, zone, counted)
    survey = np.sort(rng.choice(len(counted), _SURVEY, replace=False))
    return household_problem(counted[survey], np.full(_SURVEY, len(counted) / _SURVEY), TABLES, 1, targets)


def ordinary(n_zones: int, n_households: int = 10_000, seed: int = 7):
    """Simulate the problem of ordinary size: wealth and age tie tables together; zones are drawn with tilts of every cell."""
    rng = np.random.default_rng(seed)
    wealth, size = rng.standard_normal(n_households), rng.choice(5, n_households, p=[0.3, 0.34, 0.16, 0.14, 0.06])
    tenure = np.digitize(wealth + 0.6 * rng.standard_normal(n_households), [-1.0, -0.3, 0.5])
    cars = np.digitize(wealth + 0.35 * (size - 1) + 0.7 * rng.standard_normal(n_households), [-0.7, 0.9])
    home = np.repeat(np.arange(n_households), size + 1)
    age = np.clip(rng.normal(50 - 5 * size[home], 21), 0, 89)
    band = np.digitize(age, [5, 16, 25, 35, 50, 65])
    work = np.where(band < 2, 3, np.digitize(wealth[home] + rng.standard_normal(len(home)), [-0.8, 0.2]))
    health = np.digitize(0.05 * (age - 45) - 0.5 * wealth[home] + rng.standard_normal(len(home)), [0.8, 2.4])
    first = np.concatenate([[0], np.cumsum(list(_ORDINARY.values()))])
    counted = np.zeros((n_households, first[-1]), np.int64)
    for c, cell in enumerate((size, tenure, cars)):
        counted[np.arange(n_households), first[c] + cell] = 1
    for c, cell in enumerate((2 * band + rng.integers(0, 2, len(home)), work, health), 3):
        np.add.at(counted, (home, first[c] + cell), 1)
    weight = np.exp(0.5 * rng.standard_normal(n_households))
    spread = np.where(np.arange(first[-1]) < first[3], 0.4, 0.12)
    targets = np.empty((n_zones, first[-1]))
    for z in range(n_zones):
        share = weight * np.exp(counted @ (spread * rng.standard_normal(first[-1])))
        targets[z] = rng.multinomial(max(100, round(rng.normal(400, 80))), share / share.sum()) @ counted
    return household_problem(counted, weight, _ORDINARY, 3, targets)


def _compared(problem) -> dict:
    """Fit all zones by Newton's method, some by each other way."""
    from synthpop_gb.methods._balanced import fit_zones
    from synthpop_gb.methods.balance import BalanceOptions

    matrix, every = problem.members.matrix(), np.arange(problem.n_zones)

    def timed(options, zones, repeats):
        fit_zones(problem, zones[:1], options)  # compiled and laid out
        taken = []
        for _ in range(repeats):
            began = time.process_time()
            found = fit_zones(problem, zones, options)
            taken.append((time.process_time() - began) / len(zones))
        return found, min(taken)

    def missed(found, zones):
        gaps = [np.abs(found.weights(row) @ matrix - problem.targets[z]).sum() for row, z in enumerate(zones)]
        return figure(float(np.mean(gaps)), "people and households a zone")

    newton, seconds = timed(BalanceOptions(), every, 5)
    assert (newton.status == 0).all(), "a zone did not converge"
    ipu, slow = timed(BalanceOptions(fit="ipu", tolerance=0.01), every[:_IPU_ZONES], 1)
    plain, numpy_miss = _plain(problem, every[:_TWIN_ZONES])
    values = {
        "zones": figure(problem.n_zones, "zones"), "profiles": figure(problem.n_profiles, "profiles"),
        "cells": figure(problem.n_cells, "cells"), "ms": figure(1e3 * seconds, "ms"),
        "per_second": figure(1 / seconds, "zones a second"),
        "steps": figure(float(newton.steps.mean()), "steps"), "missed": missed(newton, every),
        "numpy_ms": figure(1e3 * plain, "ms"), "numpy_missed": figure(numpy_miss, "people and households a zone"),
        "numpy_times": figure(plain / seconds, "times", f"{plain / seconds:.0f}"),
        "ipu_ms": figure(1e3 * slow, "ms"), "ipu_cycles": figure(float(ipu.steps.mean()), "cycles"),
        "ipu_converged": figure(f"{(ipu.status == 0).sum()} of {len(ipu.status)}", "zones"),
        "ipu_missed": missed(ipu, every[:_IPU_ZONES]),
    }  # fmt: skip
    return values | _rival(problem, every[:_RIVAL_ZONES], seconds)


def _plain(problem, zones):
    """Fit by Newton's method in plain NumPy, every profile in one dense matrix: (seconds a zone, mean total miss)."""
    counted, miss = problem.members.matrix().toarray(), []
    began = time.process_time()
    for z in zones:
        target = problem.targets[z]
        start = problem.start * target[: problem.constraint_start[1]].sum() / problem.start.sum()
        dual, weights = np.zeros(len(target)), start
        for _ in range(100):
            gap = target - weights @ counted
            if np.abs(gap).max() < 1e-6:
                break
            step = np.linalg.lstsq(counted.T @ (counted * weights[:, None]), gap, rcond=1e-10)[0]
            length, before = 1.0, weights.sum() - target @ dual
            while True:
                weights = start * np.exp(np.clip(counted @ (dual + length * step), -50, 50))
                if length < 1e-4 or weights.sum() - target @ (dual + length * step) <= before + 1e-12 * abs(before):
                    break
                length /= 2
            dual = dual + length * step
        miss.append(np.abs(target - weights @ counted).sum())
    return (time.process_time() - began) / len(zones), float(np.mean(miss))


def _rival(problem, zones, seconds) -> dict:
    """Fit by PopulationSim's balancer, importance 1,000 throughout as its examples have it."""
    try:
        import pandas as pd
        from populationsim.balancing.single_balancer import ListBalancer
        from populationsim.core import config
    except ImportError:
        return {f"populationsim_{key}": figure("not installed") for key in ("ms", "missed", "rounds", "times")}
    config.setting = lambda key, default=None: default
    counted = problem.members.matrix().toarray()
    columns = ["households", *(f"c{c}" for c in range(problem.n_cells))]
    table = pd.DataFrame(np.hstack([np.ones((len(counted), 1)), counted]), columns=columns)
    importance = pd.Series([1e9] + [1000.0] * problem.n_cells, index=columns)
    miss, taken, rounds = [], [], []
    for z in (zones[0], *zones):  # the first twice: compiled
        target = problem.targets[z]
        homes = target[: problem.constraint_start[1]].sum()
        wanted, start = np.concatenate([[homes], target]), problem.start * homes / problem.start.sum()
        began = time.process_time()
        status, weights, _ = ListBalancer(table, start, wanted, importance, None, None, 0, 10_000, True, "float64").balance()
        taken.append(time.process_time() - began)
        miss.append(np.abs(weights["final"].to_numpy() @ counted - target).sum())
        rounds.append(status["iter"])
    each = float(np.mean(taken[1:]))
    return {
        "populationsim_ms": figure(1e3 * each, "ms"),
        "populationsim_missed": figure(float(np.mean(miss[1:])), "people and households a zone"),
        "populationsim_rounds": figure(float(np.mean(rounds[1:])), "rounds"),
        "populationsim_times": figure(each / seconds, "times", f"{each / seconds:,.0f}"),
    }  # fmt: skip
