"""Many variables described together are described as one by one, and their means are those of each by itself."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.assessment import region_of, together
from synthpop_gb.assessment.describing import describer
from synthpop_gb.assessment.estimates import Averaged, means_of
from synthpop_gb.assessment.features import Design, Variable, describe
from synthpop_gb.assessment.together import means_together
from synthpop_gb.indicators import Question
from tests.simulation.worlds import of_households, of_persons

WORLDS = {"persons": of_persons, "households": of_households}


def design_of(aligned, population, by_region):
    region = np.arange(len(aligned.records)) % 3 if by_region else region_of(aligned)
    return Design.of(population.problem, range(population.problem.n_constraints), region)


@pytest.mark.parametrize("world", WORLDS)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["number", "few", "yes or no", "nothing", "signed"]),
    adds=st.booleans(),
)
@settings(max_examples=30)
def test_equals_the_description_one_by_one(world, seed, kind, adds):
    aligned, population = WORLDS[world]()
    rng, n = np.random.default_rng(seed), len(aligned.records)
    inside = rng.random(n) < rng.choice([0.1, 0.6, 1.0])
    value = {
        "number": rng.gamma(2.0, 100.0, n), "few": rng.integers(0, 5, n) * 10.0, "yes or no": rng.random(n) < 0.3,
        "nothing": np.zeros(n), "signed": rng.normal(0.0, 50.0, n).round(1),
    }[kind]  # fmt: skip
    variable = Variable(np.ones(n, bool) if adds else inside, np.where(inside, value, 0.0))
    design = design_of(aligned, population, by_region=seed % 2 == 0)
    one, fast = describe(variable, design), describer(design)(variable, design)
    for name in ("mean", "variance", "base", "answer", "scale", "noise", "explained", "region", "region_error"):
        wanted = getattr(one, name)
        assert np.allclose(getattr(fast, name), wanted, rtol=1e-7, atol=1e-9 * max(np.abs(wanted).max(), 1.0)), name
    assert fast.likeness == pytest.approx(one.likeness, abs=1e-9)


@pytest.mark.parametrize("world", WORLDS)
def test_what_is_the_same_for_everybody_varies_nowhere_however_its_mean_is_rounded(world):
    aligned, population = WORLDS[world]()
    design, n = design_of(aligned, population, by_region=False), len(aligned.records)
    fast = describer(design)
    for same in 1900.0 + np.arange(60) / 7:
        found = fast(Variable(np.ones(n, bool), np.full(n, same)), design)
        assert not found.scale.any()
        assert found.mean == pytest.approx(same)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("most", [together._MOST, 1])
def test_means_together_are_those_by_themselves(world, most, monkeypatch):
    aligned, population = WORLDS[world]()
    answers = Question("income", "mean", by=("zone", "sex")).ask(aligned)
    design = design_of(aligned, population, by_region=True)
    monkeypatch.setattr(together, "_MOST", most)
    values = [Averaged(answers.value), Averaged(answers.value, adds=True), Averaged((answers.value > 100).astype(float))]
    for value, found in zip(values, means_together(answers, population, design, values), strict=True):
        wanted = means_of(answers, population, design, value)
        for name in ("estimate", "people", "asked", "scale", "finite", "spread"):
            assert np.allclose(getattr(found, name), getattr(wanted, name), rtol=1e-7, atol=1e-9, equal_nan=True), name


def test_classes_alike_are_as_no_classes():
    aligned, population = of_persons()
    answers = Question("income", "mean", by=("lad", "sex")).ask(aligned)
    of_zone = (np.arange(len(aligned.zones)) % 3).astype(np.int32)
    wide = replace(answers, group=np.tile(answers.group, (3, 1)), base=np.tile(answers.base, (3, 1)), of_zone=of_zone)
    design = design_of(aligned, population, by_region=False)
    (one,) = means_together(answers, population, design, [Averaged(answers.value)])
    (many,) = means_together(wide, population, design, [Averaged(np.tile(answers.value, (3, 1)))])
    for name in ("estimate", "people", "asked", "scale", "finite", "spread"):
        assert np.allclose(getattr(one, name), getattr(many, name), rtol=1e-7, atol=1e-12), name
