"""Whole households on zones of EU-SILC whose people are known: exact zones, time, and what no table says, against the truth.

eusilcP (58,654 people of 25,000 households, itself synthetic: R simPop) is cut into zones in which incomes and ages differ, ten
times over; a random sample of its households is the survey.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _homes import TABLES, household_problem, incidence, place, silc_population, zones_of
from _measure import figure

import synthpop_gb as sp

__all__ = ["eusilc"]

_PARTITIONS, _SURVEY, _SEEDS = 10, 3_000, 200
_DECILES = np.arange(1, 10) / 10


def eusilc(*, folder: Path) -> tuple[str, dict]:
    """Zones of 250 and of 650 households: ten partitions of each; held-out poverty, income deciles and Gini at 250."""
    people, values = silc_population(), {}
    counted = incidence(people)
    for households in (250, 650):
        found = [_partition(people, counted, households, seed) for seed in range(_PARTITIONS)]
        values |= _exactness(f"h{households}", found)
        if households == 250:
            values |= _held_out(found) | _unbiased(people, counted)
    return "sp.solve(problem, method='balance')", values


def _partition(people, counted, households, seed):
    """One partition: status, times, and estimates of each way beside the truth."""
    rng = np.random.default_rng(seed)
    zone = zones_of(people, households, rng)
    targets = np.zeros((zone.max() + 1, counted.shape[1]))
    np.add.at(targets, zone, counted)
    survey = np.sort(rng.choice(len(counted), _SURVEY, replace=False))
    weight = np.full(_SURVEY, len(counted) / _SURVEY)
    problem = household_problem(counted[survey], weight, TABLES, 1, targets)
    population, fit_ms, ms = place(problem, seed)
    quick, _, quick_ms = place(problem, seed, effort="quick")
    drawn = population.placed()
    whole = np.zeros((problem.n_zones, _SURVEY))
    np.add.at(whole, (np.repeat(np.arange(problem.n_zones), np.diff(drawn.indptr)), drawn.record), drawn.n)
    assert (population.status["remainder"].to_numpy() == np.abs(whole @ counted[survey] - targets).sum(axis=1)).all()
    fitted = population.fitted()[:, problem.donor_profile] * problem.donor_shares()
    joint = np.empty_like(fitted)
    joint[:, problem.donor] = fitted
    return {
        "status": population.status, "fit_ms": fit_ms, "ms": ms, "quick_ms": quick_ms, "quick": quick.status,
        "held_out": _estimates(people, zone, survey, targets, joint, whole),
    }  # fmt: skip


def _unbiased(people, counted):
    """Ten zones of 250 households under 200 seeds: mean counts against weights by profile, and mean poor people by zone."""
    rng = np.random.default_rng(0)
    zone = zones_of(people, 250, rng)
    targets = np.zeros((zone.max() + 1, counted.shape[1]))
    np.add.at(targets, zone, counted)
    survey = np.sort(rng.choice(len(counted), _SURVEY, replace=False))
    problem = household_problem(counted[survey], np.full(_SURVEY, len(counted) / _SURVEY), TABLES, 1, targets)
    problem = problem.take(np.arange(0, problem.n_zones, problem.n_zones // 10)[:10])
    homes = people.drop_duplicates("home").set_index("home")
    poor = (homes["income"] < 0.6 * people["income"].median()).to_numpy()[survey] * homes["members"].to_numpy()[survey]
    share = problem.donor_shares() * poor[problem.donor]
    of_profile = np.bincount(problem.donor_profile, share, problem.n_profiles)
    return _judged(problem, of_profile, "exact", "") | _judged(problem, of_profile, "quick", "quick_")


def _judged(problem, of_profile, effort, name):
    """Mean counts of 200 seeds against the weights."""
    drawn, fitted = np.zeros((_SEEDS, problem.n_zones, problem.n_profiles)), None
    for seed in range(_SEEDS):
        population = sp.solve(problem, method="balance", options={"effort": effort}, seed=seed, workers=1)
        row = np.repeat(np.arange(problem.n_zones), np.diff(population.indptr))
        drawn[seed, row, population.profile] = population.count
        fitted = population.fitted() if fitted is None else fitted
    spread = (fitted % 1) * (1 - fitted % 1)
    inside = spread > 0.02
    z = (drawn.mean(axis=0) - fitted)[inside] / np.sqrt(spread[inside] / _SEEDS)
    people_poor = drawn @ of_profile
    z_poor = (people_poor.mean(axis=0) - fitted @ of_profile) / (people_poor.std(axis=0) / np.sqrt(_SEEDS))
    return {
        f"{name}seeds": figure(_SEEDS, "seeds"), f"{name}rms_z": figure(float(np.sqrt((z**2).mean())), ""),
        f"{name}variance_ratio": figure(float(drawn.var(axis=0)[inside].sum() / spread[inside].sum()), ""),
        f"{name}rms_z_poor": figure(float(np.sqrt((z_poor**2).mean())), ""),
    }  # fmt: skip


def _exactness(name, found):
    """Exact zones, those that are not and why, and times."""
    endings = [ending for f in found for ending in f["status"]["ending"]]
    missed = {e: endings.count(e) for e in dict.fromkeys(endings) if not e.startswith("exact")}
    restarts = np.concatenate([f["status"]["restarts"] for f in found])
    return {
        f"{name}_zones": figure(len(endings), "zones"),
        f"{name}_exact": figure(100 * float(np.mean([e.startswith("exact") for e in endings])), "%"),
        f"{name}_missed": figure(", ".join(f"{n} {e}" for e, n in missed.items()) or "none"),
        f"{name}_restarted": figure(100 * float((restarts > 0).mean()), "%"),
        f"{name}_fit_ms": figure(min(f["fit_ms"] for f in found), "ms"),
        f"{name}_ms": figure(min(f["ms"] for f in found), "ms"),
        f"{name}_ms_median": figure(float(np.median([f["ms"] for f in found])), "ms"),
        f"{name}_quick_exact": figure(100 * float(np.concatenate([f["quick"]["remainder"] == 0 for f in found]).mean()), "%"),
        f"{name}_quick_tae": figure(float(np.concatenate([f["quick"]["remainder"] for f in found]).mean()), "people"),
        f"{name}_quick_ms": figure(min(f["quick_ms"] for f in found), "ms"),
    }  # fmt: skip


def _estimates(people, zone, survey, targets, joint, whole):
    """Statistics of income by zone: {way: (n_zones, 11)}; poverty rate, nine deciles, Gini."""
    homes = people.drop_duplicates("home").set_index("home")
    income, members = homes["income"].to_numpy(), homes["members"].to_numpy()
    line = 0.6 * people["income"].median()
    donors, size = income[survey], members[survey].astype(float)
    persons = people[people["home"].isin(survey)]
    own = persons["income"].to_numpy()
    ways = {
        "truth": [(income[zone == z], members[zone == z]) for z in range(len(targets))],
        "survey": [(donors, size)] * len(targets),
        "persons": [(own, w) for w in _person_weights(persons, targets)],
        "joint": [(donors, w * size) for w in joint],
        "whole": [(donors, w * size) for w in whole],
    }
    return {way: np.array([_statistics(x, w, line) for x, w in zones]) for way, zones in ways.items()}


def _person_weights(persons, targets):
    """(n_zones, n_persons) weights by iterative proportional fitting of person tables alone, each person by themselves."""
    names, first = list(TABLES)[1:], TABLES["size"]
    weights = np.ones((len(targets), len(persons)))
    bounds = first + np.concatenate([[0], np.cumsum([TABLES[n] for n in names])])
    for _ in range(60):
        for c, name in enumerate(names):
            cell, wanted = persons[name].to_numpy(), targets[:, bounds[c] : bounds[c + 1]]
            now = np.stack([np.bincount(cell, w, wanted.shape[1]) for w in weights])
            weights *= np.divide(wanted, now, out=np.zeros_like(now), where=now > 0)[:, cell]
    return weights


def _statistics(income, weight, line):
    order = np.argsort(income)
    x, w = income[order], np.asarray(weight, float)[order]
    up_to = np.cumsum(w)
    total = up_to[-1]
    deciles = x[np.minimum(np.searchsorted(up_to, _DECILES * total), len(x) - 1)]
    shares = np.cumsum(w * x)
    gini = 1 - np.sum(w * (2 * shares - w * x)) / (total * shares[-1])
    return np.concatenate([[w[x < line].sum() / total], deciles, [gini]])


def _held_out(found):
    """Root mean squared errors over all zones of all partitions, poverty and Gini in points, deciles in per cent of the truth."""
    values = {}
    for way in ("survey", "persons", "joint", "whole"):
        gap = np.concatenate([f["held_out"][way] - f["held_out"]["truth"] for f in found])
        truth = np.concatenate([f["held_out"]["truth"] for f in found])
        rms = np.sqrt((gap**2).mean(axis=0))
        relative = np.sqrt(((gap / truth)[:, 1:10] ** 2).mean(axis=0))
        values |= {
            f"poverty_{way}": figure(100 * rms[0], "points"),
            f"gini_{way}": figure(100 * rms[10], "points"),
            f"lowest_decile_{way}": figure(100 * relative[0], "%"),
            f"deciles_{way}": figure(100 * float(relative.mean()), "%"),
        }
    return values
