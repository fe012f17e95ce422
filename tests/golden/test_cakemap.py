"""CakeMap (Lovelace & Dumont 2016): the three zones that no weights can fit are named with their cause; the rest are exact."""

import numpy as np
import pytest
from scipy.optimize import linprog

import synthpop_gb as sp
from synthpop_gb.errors import FitWarning

pytestmark = pytest.mark.data

UNFITTABLE = ["7", "82", "84"]  # rows of cons.csv, numbered from 1


@pytest.fixture(scope="module")
def run(data_folder, tmp_path_factory, pytestconfig):
    with pytest.warns(FitWarning, match="3 of 124 zones"):
        return sp.run(pytestconfig.rootpath / "inputs" / "cakemap.toml", tmp_path_factory.mktemp("outputs"), report=False)


def test_three_zones_are_not_fitted_and_all_others_are_exact(run):
    status = run.population.status
    assert not run.fits
    assert status.index[~status["fit"].isin(["CONVERGED"])].tolist() == UNFITTABLE
    assert status.index[status["whole"] != "EXACT"].tolist() == UNFITTABLE
    others = status.drop(UNFITTABLE)
    assert others["residual"].max() < 0.01
    zones = run.checks["zones"].set_index("zone")
    assert (zones.drop(UNFITTABLE)["tae_above_floor"] == 0).all()


def test_zones_that_miss_are_those_that_linear_programming_says_cannot_be_met(run):
    """No weights at all, of 0 or more, meet the tables of the three zones; some do in every other zone."""
    problem = run.population.problem
    matrix = np.zeros((problem.n_cells, problem.n_profiles))
    for row in problem.cell_of:
        matrix[row, np.arange(problem.n_profiles)] = 1.0
    nothing = np.zeros(problem.n_profiles)
    possible = [linprog(nothing, A_eq=matrix, b_eq=t, method="highs").status == 0 for t in problem.targets]
    assert problem.zones[~np.array(possible)].tolist() == UNFITTABLE


def test_cause_is_named_before_and_after(run):
    """Students are most of the "other" NS-SEC there, and the ten records of it are men of 45 to 64 or have a car."""
    clash = [f for f in run.aligned.findings if f.code == "structural-clash"]
    assert sorted(z for f in clash for z in f.rows["zone"]) == sorted(UNFITTABLE)
    assert all("nssec other" in cause for f in clash for cause in f.rows["cause"])
    assert (run.population.status.loc[UNFITTABLE, "worst_cell"] != "").all()
    first = run.checks.findings[0]
    assert first.code == "zone-not-fitted"
    assert sorted(first.rows["zone"]) == sorted(UNFITTABLE)


def test_least_miss_is_reached(run):
    """Whole people of the three zones miss no more than twice the least total error that linear programming finds."""
    problem, status = run.population.problem, run.population.status
    matrix = np.zeros((problem.n_cells, problem.n_profiles))
    for row in problem.cell_of:
        matrix[row, np.arange(problem.n_profiles)] = 1.0
    n_cells, n_profiles = matrix.shape
    equal = np.hstack([matrix, np.eye(n_cells), -np.eye(n_cells)])
    cost = np.concatenate([np.zeros(n_profiles), np.ones(2 * n_cells)])
    for zone in UNFITTABLE:
        target = problem.targets[problem.zones.get_loc(zone)]
        least = linprog(cost, A_eq=equal, b_eq=target, method="highs").fun
        assert least <= status.loc[zone, "remainder"] + 1e-6
        assert status.loc[zone, "remainder"] <= 2 * least
