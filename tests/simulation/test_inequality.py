"""Influences are what one more person does to a measure, and coarse distributions differ from exact ones by little."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.indicators import Question
from synthpop_gb.simulation import distributed
from synthpop_gb.simulation.distributed import Distributed, fitted_rows
from synthpop_gb.simulation.inequality import Levels, influence_of, statistic
from tests.reference.distribution import distribution
from tests.simulation.worlds import of_persons


def measured(value, weight):
    _, total, gini, q, poor, _ = distribution(weight, value, [0.1, 0.2, 0.8, 0.9], [])
    return {"gini": gini, "s80s20": (total - poor[2]) / poor[1], "p90p10": q[3] / q[0]}


@pytest.mark.parametrize("measure", ["gini", "s80s20"])
@given(seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_one_more_person_moves_a_measure_by_their_influence(measure, seed, ties):
    rng = np.random.default_rng(seed)
    value = rng.gamma(2.0, 100.0, 400).round(-1 if ties else 6) + 1.0
    weight = rng.random(400) + 0.1
    influence = influence_of(measure, value, weight)
    assert abs((influence * weight).sum()) < 1e-9 * weight.sum()
    one, step = rng.integers(0, 400), 1e-6 * weight.sum()
    more = weight.copy()
    more[one] += step
    moved = (measured(value, more)[measure] - measured(value, weight)[measure]) * more.sum() / step
    assert moved == pytest.approx(influence[one], rel=0.01, abs=0.01 * np.abs(influence).max())


def test_bootstraps_move_measures_as_their_influence_says():
    rng = np.random.default_rng(0)
    value, weight = rng.gamma(2.0, 100.0, 3000), rng.random(3000)
    for measure in ("gini", "s80s20", "p90p10"):
        influence, before, moved, said = influence_of(measure, value, weight), measured(value, weight)[measure], [], []
        for _ in range(40):
            w = weight * rng.poisson(1.0, len(weight))
            moved.append(measured(value, w)[measure] - before)
            said.append((influence * w).sum() / w.sum())
        assert np.corrcoef(moved, said)[0, 1] > 0.95, measure
        assert np.std(said) == pytest.approx(np.std(moved), rel=0.1), measure


def test_quantiles_influence_is_being_at_or_below_it():
    value = np.array([1.0, 2.0, 3.0, 4.0])
    assert influence_of("quantile", value, np.ones(4), 0.5).tolist() == [1, 1, 0, 0]
    assert not influence_of("gini", value, np.zeros(4)).any()
    assert not influence_of("p90p10", value - 2.0, np.ones(4)).any()  # a first decile below nought has no ratio


def test_coarse_distributions_are_nearly_exact(monkeypatch):
    aligned, population = of_persons()
    answers = Question("income", "mean", by=("lad", "sex")).ask(aligned)
    levels, rows = Levels(0.5), fitted_rows(population)
    exact = Distributed(answers, population.problem, answers.value).told(rows, levels.values)
    monkeypatch.setattr(distributed, "_EXACT", 0)
    coarse = Distributed(answers, population.problem, answers.value, coarse=True)
    assert coarse.edges is not None
    told = coarse.told(rows, levels.values)
    assert np.allclose(told.people, exact.people)
    assert np.allclose(told.total, exact.total)
    for measure, near in (("gini", 0.01), ("s80s20", 0.01), ("p90p10", 0.1), ("quantile", 0.05)):
        assert np.allclose(statistic(measure, told, levels), statistic(measure, exact, levels), rtol=near), measure


def test_blocks_of_areas_are_the_same(monkeypatch):
    aligned, population = of_persons()
    answers = Question("income", "mean", by=("zone", "sex")).ask(aligned)
    laid, rows = Distributed(answers, population.problem, answers.value), fitted_rows(population)
    whole = laid.told(rows, np.array([0.3]))
    monkeypatch.setattr(distributed, "_MOST", 1)
    monkeypatch.setattr(distributed, "_BLOCK", 3)
    for a, b in zip(whole.arrays, laid.told(rows, np.array([0.3])).arrays, strict=True):
        assert np.allclose(a, b, rtol=1e-12)
