"""The fit against SciPy's general optimiser on the same dual problem: another algorithm, another author, the same weights."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

import synthpop_gb as sp
from tests.problems import make_problem


def incidence(problem):
    """(n_cells, n_profiles) of 0 and 1."""
    matrix = np.zeros((problem.n_cells, problem.n_profiles))
    for row in problem.cell_of:
        inside = np.flatnonzero(row >= 0)
        matrix[row[inside], inside] = 1.0
    return matrix


def optimum(start, matrix, targets):
    """Weights of one zone that minimise relative entropy to the start weights, from SciPy: trust region on the dual,
    then Levenberg-Marquardt on its gradient, which is exact where differences of the dual are lost in rounding.

    D(lambda) = sum over profiles of start x exp(sum of duals) - targets . lambda; gradient: fitted margins minus targets. Cells
    with target 0, where the dual is minus infinity, and the profiles in them are taken out beforehand.
    """
    cells = targets > 0
    alive = ~matrix[~cells].any(axis=0)
    inside, wanted, found = matrix[cells][:, alive], targets[cells], np.zeros(len(start))
    scale = start[alive] * wanted.max() / start[alive].sum()

    def weights(duals):
        return scale * np.exp(np.minimum(inside.T @ duals, 50))

    def gradient(duals):
        return inside @ weights(duals) - wanted

    def hessian(duals):
        return (inside * weights(duals)) @ inside.T

    near = optimize.minimize(
        lambda x: weights(x).sum() - wanted @ x,
        np.zeros(len(wanted)),
        jac=gradient,
        hess=hessian,
        method="trust-exact",
        options={"gtol": 1e-3, "maxiter": 200},
    )
    best = optimize.root(gradient, near.x, jac=hessian, method="lm", options={"xtol": 1e-14, "ftol": 1e-14})
    found[alive] = weights(best.x)
    assert np.abs(matrix @ found - targets).max() < 1e-6
    return found


@pytest.mark.parametrize("n_cats", [(4, 3), (2, 5, 4), (2, 5, 5, 3), (3, 3, 2, 2, 4, 3)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_are_the_optimum_of_the_dual(n_cats, seed):
    n_profiles = min(60, int(0.6 * np.prod(n_cats)))
    problem = make_problem(n_zones=4, n_profiles=n_profiles, n_cats=n_cats, seed=seed, mean_people=400)
    fitted, matrix = sp.solve(problem, seed=1, workers=1).fitted(), incidence(problem)
    for zone in range(problem.n_zones):
        assert fitted[zone] == pytest.approx(optimum(problem.start, matrix, problem.targets[zone]), rel=1e-5, abs=1e-6)


def test_zones_that_no_weights_fit_are_those_that_linear_programming_says():
    """Feasibility by SciPy's linear programming: a zone converges if, and only if, some weights meet every table."""
    problem = make_problem(n_zones=60, n_profiles=14, n_cats=(3, 4, 4), seed=5, mean_people=300)
    targets, rng = problem.targets.copy(), np.random.default_rng(1)
    for zone in range(1, problem.n_zones, 2):  # the last table of every other zone: its categories in another order
        targets[zone, -4:] = rng.permutation(targets[zone, -4:])
    problem = replace(problem, targets=targets)
    with pytest.warns(sp.FitWarning):
        fits = sp.solve(problem, seed=1, workers=1).status["fit"] == "CONVERGED"
    matrix, nothing = incidence(problem), np.zeros(problem.n_profiles)
    possible = [optimize.linprog(nothing, A_eq=matrix, b_eq=t, method="highs").status == 0 for t in targets]
    assert fits.tolist() == possible
    assert 30 <= sum(possible) < 55
