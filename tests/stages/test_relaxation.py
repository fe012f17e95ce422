"""Relaxation: what it relaxes mends the zone, nothing smaller does, and what it says is proven."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from synthpop_gb.incidence import Incidence
from synthpop_gb.testing import small_household_problem, small_problem
from synthpop_gb.validation.relaxation import relax


def feasible(counted, target, but=()):
    """Whether some weights meet the targets of all cells but some, by a linear programme of its own."""
    kept = np.setdiff1d(np.arange(len(target)), but)
    if not len(kept):
        return True
    found = linprog(np.zeros(len(counted)), A_eq=counted[:, kept].T, b_eq=target[kept], method="highs")
    return found.status == 0


def made(seed):
    """A problem of 6 profiles and 7 cells whose three zones ask for what is mostly impossible."""
    rng = np.random.default_rng(seed)
    n = 6
    counted = np.zeros((n, 7), int)
    counted[np.arange(n), rng.integers(0, 3, n)] = 1
    counted[:, 3:5] = rng.integers(0, 3, (n, 2))
    counted[:, 5:] = rng.integers(0, 3, (n, 2))
    problem = small_household_problem(3)
    targets = rng.integers(0, 9, (n, n))[:3] @ counted + rng.integers(-1, 3, (3, 7)) * (rng.random((3, 7)) < 0.4)
    return counted, replace(
        problem, start=np.ones(n), cell_of=np.stack([counted[:, :3].argmax(axis=1), np.full(n, -1), np.full(n, -1)]),
        constraint_start=np.array([0, 3, 5, 7]), targets=np.maximum(targets, 0).astype(float), donor_start=np.arange(n + 1),
        donor=np.arange(n) % 5, donor_weight=np.ones(n), incidence=Incidence.of_rows(counted), size=np.full(n, 2),
cells=pd.MultiIndex.from_tuples([(f"table {c // 3}", f"cell {c}") for c in range(7)], names=problem.cells.names),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_what_is_relaxed_mends_and_nothing_smaller_does(seed):
    counted, problem = made(seed)
    found = relax(problem)
    column = {code: z for z, code in enumerate(problem.zones)}
    for row in found["zones"].itertuples():
        target = problem.targets[column[row.zone]]
        assert row.feasible == feasible(counted, target)
        mine = found["relax"][found["relax"]["zone"] == row.zone]
        assert row.cells == len(mine)
        if row.feasible:
            assert mine.empty
            continue
        assert row.proven
        smaller = (set(c) for k in range(row.cells) for c in combinations(range(7), k))
        assert not any(feasible(counted, target, sorted(c)) for c in smaller)
        assert row.least_change <= row.change + 1e-6
        np.testing.assert_allclose(mine["to"], mine["target"] + mine["change"])
        assert (mine["to"] >= -1e-9).all()


def whole_targets(problem, zone, rows):
    """Targets of a zone with relaxed cells as told: cells are told by table and label, which are unique in the small problem."""
    target = problem.targets[zone].copy()
    for row in rows.itertuples():
        target[list(map(tuple, problem.cells)).index((row.table, row.cell))] = row.to
    return target


@pytest.mark.parametrize("target", [[4, 0, 2, 1], [3, 5, 5, 5], [2, 2, 9, 0], [0, 3, 1, 1]])
def test_relaxed_targets_can_be_met(target):
    problem = replace(small_household_problem(1), targets=np.array([target], float))
    counted = problem.incidence.matrix().toarray()
    found = relax(problem)
    assert not found["zones"]["feasible"][0]
    assert feasible(counted, whole_targets(problem, 0, found["relax"]))


@pytest.mark.parametrize("seed", range(8))
def test_a_clash_is_irreducible_and_its_proof_holds(seed):
    counted, problem = made(seed)
    found, column = relax(problem)["clashes"], {code: z for z, code in enumerate(problem.zones)}
    labels = list(map(tuple, problem.cells))
    for (zone, _), rows in found.groupby(["zone", "clash"]):
        target = problem.targets[column[zone]]
        cells = [labels.index((r.table, r.cell)) for r in rows.itertuples()]
        y = rows["multiplier"].to_numpy()
        assert (counted[:, cells] @ y <= 1e-6 * np.abs(y).max()).all()
        assert target[cells] @ y == pytest.approx(rows["excess"].iloc[0])
        assert rows["excess"].iloc[0] > 0
        assert not feasible(counted[:, cells], target[cells])
        for out in range(len(cells)):
            assert feasible(counted[:, cells], target[cells], [out])


def test_words_name_the_clash_and_donors_that_are_missing():
    """120 live alone, all of the survey's who do are 16 or over, and the table of ages has 95 of them."""
    problem = small_household_problem(1)
    cells = pd.MultiIndex.from_tuples([("size", "1"), ("size", "2+"), ("age", "0-15"), ("age", "16+")], names=problem.cells.names)
    counted = np.array([[1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 2, 1], [0, 1, 1, 1], [0, 1, 0, 2]])
    problem = replace(problem, cells=cells, incidence=Incidence.of_rows(counted), targets=np.array([[120.0, 0.0, 40.0, 95.0]]))
    found = relax(problem)
    assert set(found["clashes"]["words"]) >= {
        "Size = 1 asks for 120; in the survey all of them are also in age = 16+, which has room for 95: 25 too many.",
        "Age = 0-15 asks for 40; the households of size = 2+ have room for 0 of them at most (0 × 2): 40 too many.",
    }
    missing = found["missing"][["table", "cell", "other_table", "other_cell"]].apply(tuple, axis=1)
    assert ("size", "1", "age", "0-15") in set(missing)


def test_household_sizes_against_people_are_said_as_people():
    """Three alone and two homes of two or three make 7 to 9 people; 12 and then 5 are counted."""
    problem = small_household_problem(1)
    cells = pd.MultiIndex.from_tuples([("size", "1"), ("size", "2+"), ("sex", "f"), ("sex", "m")], names=problem.cells.names)
    counted = np.array([[1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 2, 1], [0, 1, 1, 1], [0, 1, 0, 2]])
    for sex, words in (
        ([6.0, 6.0], "The households of size make 7 to 9 people; sex counts 12: 3 too many."),
        ([2.0, 3.0], "The households of size make 7 to 9 people; sex counts 5: 2 too few."),
    ):
        made = replace(problem, cells=cells, incidence=Incidence.of_rows(counted), targets=np.array([[3.0, 2.0, *sex]]))
        found = relax(made)["clashes"]
        assert words in set(found["words"])
        assert abs(found.set_index("words").loc[words, "excess"]).max() == float(words.split(": ")[1].split()[0])


def test_a_cell_that_nobody_is_in_is_told():
    problem = small_problem(1)
    problem = replace(problem, start=np.array([2.0, 0.0, 1.5, 0.0]))  # nobody is old
    found = relax(problem)
    assert "No record of the survey is in age = old: 8 wanted." in set(found["clashes"]["words"])
    assert found["missing"].query("cell == 'old'")["other_table"].tolist() == [""]
    assert dict(found.headline)["zones that nobody could meet"] == 1


def test_zones_are_asked_for_by_code():
    problem = small_household_problem(4)
    found = relax(problem, problem.zones[[2]])
    assert found["zones"]["zone"].tolist() == ["Z00002"]
    assert found["zones"]["feasible"].tolist() == [True]
    assert found["relax"].empty
    with pytest.raises(KeyError, match="no such zone: X"):
        relax(problem, ["X"])
