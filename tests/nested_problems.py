"""Problems with levels, made of problems whose tables are known for every zone: some tables are told for areas only."""

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.level import Level
from tests.problems import make_problem


def lift(problem, levels):
    """Move constraints up: levels maps a name to (area of each zone, positions of constraints). Targets are summed."""
    first = problem.constraint_start
    gone = sorted({k for _, which in levels.values() for k in which})
    kept = [k for k in range(problem.n_constraints) if k not in gone]

    def cut(which):
        cells = np.concatenate([np.arange(first[k], first[k + 1]) for k in which])
        number = np.full(problem.n_cells + 1, -1)
        number[cells] = np.arange(len(cells))
        start = np.concatenate([[0], np.cumsum([first[k + 1] - first[k] for k in which])])
        return cells, number[problem.cell_of[list(which)]], start

    made = []
    for name, (area, which) in levels.items():
        area = np.asarray(area)
        cells, cell_of, start = cut(which)
        targets = np.zeros((area.max() + 1, len(cells)))
        np.add.at(targets, area[area >= 0], problem.targets[area >= 0][:, cells])
        codes = pd.Index([f"{name} {a}" for a in range(len(targets))])
        made.append(Level(name, codes, area, targets, cell_of, start, problem.cells[cells]))
    cells, cell_of, start = cut(kept)
    return replace(
        problem,
        cell_of=cell_of,
        constraint_start=start,
        targets=problem.targets[:, cells],
        cells=problem.cells[cells],
        levels=tuple(made),
    )


def nested_problem(n_zones=20, n_profiles=120, n_cats=(2, 5, 4, 3, 6, 4), seed=1, mean_people=300.0, **more):
    """Zones in areas of five, those in areas of ten: two tables of the former, one of the latter, two or more of the zones."""
    problem = make_problem(n_zones, n_profiles, n_cats, seed=seed, mean_people=mean_people, **more)
    k = len(n_cats) - 3
    five, ten = np.arange(n_zones) // 5, np.arange(n_zones) // 10
    return lift(problem, {"msoa": (five, [k, k + 1]), "lad": (ten, [k + 2])})


def turned(problem, order):
    """The same problem, zones and areas in another order."""
    levels = []
    for level in problem.levels:
        other = np.random.default_rng(len(level.areas)).permutation(len(level.areas))
        rank = np.argsort(other)
        of_zone = np.where(level.of_zone >= 0, rank[level.of_zone], -1)[order]
        levels.append(replace(level, areas=level.areas[other], targets=level.targets[other], of_zone=of_zone, published=None))
    found = problem.by_zone(order) | {"levels": tuple(levels)}
    return replace(problem, **found)
