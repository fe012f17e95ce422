"""Annealing: equal to the twin draw by draw, and its laws: people kept, never worse, honest counts, nothing carried over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels import anneal as kernel
from synthpop_gb.kernels.anneal import Schedule, anneal_zone
from synthpop_gb.kernels.anneal_donors import draw_donor, eligible_donors, make_alias
from synthpop_gb.kernels.anneal_layout import anneal_layout, anneal_work
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import anneal as twin

PLAIN = Schedule(1.0, 0.9, 12, 2.0, 1.0, 3, 1, 10_000, 0.5, False, True)


def prepare(problem, rng, n_guides=0, price=None):
    """Arrays that kernel and twin share: profiles distinct in nothing but order, bins at random."""
    n_profiles = problem.cell_of.shape[1]
    sizes = rng.integers(2, 5, n_guides)
    guide_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    guide_of = np.array([rng.integers(0, s, n_profiles) + first for s, first in zip(sizes, guide_start, strict=False)], np.int32)
    guide_of = guide_of.reshape(n_guides, n_profiles)
    layout = anneal_layout(problem.cell_of, problem.start, guide_of, guide_start)
    work = anneal_work(layout)
    (targets, start) = read_only(np.array(problem.targets, float), np.ones(n_profiles))
    n = max(1, int(problem.people.sum()))
    over = np.concatenate([np.sort(rng.integers(0, n + 1, s)) for s in sizes] or [np.zeros(0)]).astype(np.int32)
    over[guide_start[1:] - 1] = n
    prices = np.append(np.ones(len(targets)) if price is None else price, 0.0)
    shared = {
        "cell_of": problem.cell_of, "constraint_start": problem.start, "targets": targets, "guide_of": guide_of,
        "guide_start": guide_start, "over_targets": over,
    }  # fmt: skip
    return layout, work, shared, prices, start, n


def donors(layout, work, shared, start, weight):
    eligible_donors(shared["targets"], start, layout, work.eligible)
    masked = np.where(work.eligible, weight, 0.0)
    if not masked.sum() > 0:
        masked = work.eligible.astype(float)
    make_alias(masked, work.chance, work.alias, work.small, work.large)
    return masked


def run(layout, work, shared, prices, people, schedule, seed, over_price=0.125, trace=None, every=1):
    state = np.array([seed], np.uint64)
    trace = np.empty((0, 3)) if trace is None else trace
    found = anneal_zone(
        people, shared["targets"], prices, shared["over_targets"], over_price, layout, work, schedule, state, trace, every
    )
    return found, state


@given(
    problems(), st.integers(0, 2**31), st.integers(0, 2), st.sampled_from([0.0, 0.5, 1.0]), st.booleans(), st.booleans(),
    st.sampled_from([0, 1, 7, 60]),
)  # fmt: skip
def test_equal_to_the_twin(problem, seed, n_guides, guided, framework, priced, most):
    rng = np.random.default_rng(seed)
    price = None if not priced else np.repeat(rng.integers(1, 9, len(problem.start) - 1) / 4, np.diff(problem.start))
    layout, work, shared, prices, start, n = prepare(problem, rng, n_guides, price)
    n = min(n, 30)
    weight = donors(layout, work, shared, start, rng.random(problem.cell_of.shape[1]))
    schedule = PLAIN._replace(guided=guided, like=framework, best=not framework, max_proposals=most)
    people = rng.integers(0, problem.cell_of.shape[1], n).astype(np.int32)
    theirs, state = people.tolist(), np.array([seed], np.uint64)
    table = twin.alias_table(weight)
    expected = twin.anneal(theirs, shared, prices[:-1], 0.125, table, work.eligible.copy(), schedule, state)
    found, after = run(layout, work, shared, prices, people, schedule, seed)
    assert tuple(found[:6]) == expected
    assert people.tolist() == theirs
    assert after[0] == state[0]


@given(problems(), st.integers(0, 2**31), st.integers(0, 2))
def test_what_is_left_is_what_a_recount_finds_and_never_more_than_before(problem, seed, n_guides):
    rng = np.random.default_rng(seed)
    layout, work, shared, prices, start, n = prepare(problem, rng, n_guides)
    donors(layout, work, shared, start, rng.random(problem.cell_of.shape[1]))
    people = rng.integers(0, problem.cell_of.shape[1], min(n, 200)).astype(np.int32)
    before = twin.objective(people, shared, prices[:-1], 0.125)
    was_in = set(people.tolist())
    (rule, left, distance, *_), _ = run(layout, work, shared, prices, people, PLAIN, seed)
    priced, total, far = twin.objective(people, shared, prices[:-1], 0.125)
    assert (total, far) == (left, distance)
    assert (priced, far) <= (before[0], before[2])
    assert all(work.eligible[p] or p in was_in for p in people)
    assert (rule == kernel.MET) == (left == 0 and distance == 0)


@pytest.mark.parametrize("start", ["random", "few"])
def test_feasible_tables_are_met(start):
    for seed in range(30):
        problem = random_problem(seed, sizes=(3, 2, 3), n_profiles=18)
        rng = np.random.default_rng(seed)
        layout, work, shared, prices, design, n = prepare(problem, rng)
        weight = donors(layout, work, shared, design, problem.weights)
        pool = np.flatnonzero(weight > 0)
        people = rng.choice(pool if start == "random" else pool[:1], n).astype(np.int32)
        found, _ = run(layout, work, shared, prices, people, PLAIN._replace(attempts=10.0, steps=100), seed)
        assert found[0] == kernel.MET
        assert (np.bincount(people, minlength=18) >= 0).all()
        assert len(people) == n == problem.people.sum()


def test_each_rule_that_stops_it():
    problem = random_problem(3)
    rng = np.random.default_rng(1)
    layout, work, shared, prices, start, n = prepare(problem, rng)
    donors(layout, work, shared, start, problem.weights)

    def ended(targets=problem.targets, people=None, **changes):
        chosen = rng.integers(0, 60, n).astype(np.int32) if people is None else people.astype(np.int32)
        (own,) = read_only(np.array(targets, float))
        return run(layout, work, {**shared, "targets": own}, prices, chosen, PLAIN._replace(**changes), 5)[0]

    everybody = np.repeat(np.arange(60), problem.people)
    assert ended(people=everybody)[:5] == (kernel.MET, 0, 0, 0, 0)
    assert ended(max_proposals=3)[0] == kernel.PROPOSALS
    assert ended(steps=1, attempts=0.05)[0] == kernel.STEPS
    assert ended(people=everybody, targets=problem.targets + np.eye(1, len(problem.targets))[0] * 5)[:2] == (kernel.FLOOR, 5)
    assert ended(targets=np.zeros_like(problem.targets))[0] == kernel.FLOOR
    work.chance[:], work.alias[:] = 0.0, 0  # everybody is alike
    one = np.zeros(n)
    assert ended(people=one, guided=0.0, reheats=0)[0] == kernel.NO_MOVE
    assert ended(people=one, guided=0.0, reheats=0, like=True)[0] == kernel.UNCHANGED
    assert ended(people=one, guided=0.0, reheats=2, like=True)[3] == 9  # three steps unchanged, heated twice


def test_the_trace_starts_before_the_first_proposal_and_ends_with_the_result():
    problem = random_problem(3)
    rng = np.random.default_rng(1)
    layout, work, shared, prices, start, n = prepare(problem, rng)
    donors(layout, work, shared, start, problem.weights)
    people = rng.integers(0, 60, n).astype(np.int32)
    plain = people.copy()
    first = twin.tae(people, problem.cell_of, problem.targets)[0]
    trace = np.full((200, 3), np.nan)
    found, _ = run(layout, work, shared, prices, people, PLAIN, 5, trace=trace, every=7)
    again, _ = run(layout, work, shared, prices, plain, PLAIN, 5)
    assert (people == plain).all()
    assert found[:6] == again[:6]
    rows = trace[: found[6]]
    assert rows[0].tolist() == [0, 1.0, first]
    assert rows[-1, 0] == found[4]
    assert rows[-1, 2] == found[1]
    assert (np.diff(rows[:-1, 0]) == 7).all()
    assert np.isnan(trace[found[6] :]).all()


@given(problems(), st.integers(0, 2**31), st.booleans())
def test_eligible_donors_are_the_twins(problem, seed, some_without_records):
    rng = np.random.default_rng(seed)
    layout = anneal_layout(problem.cell_of, problem.start)
    work = anneal_work(layout)
    start = (
        np.where(rng.random(problem.cell_of.shape[1]) < 0.3, 0.0, 1.0)
        if some_without_records
        else np.ones(problem.cell_of.shape[1])
    )
    targets = np.where(rng.random(len(problem.targets)) < 0.4, 0.3, problem.targets)
    read_only(start, targets)
    n, empty = eligible_donors(targets, start, layout, work.eligible)
    expected, fewest = twin.eligible(targets, problem.cell_of, start)
    assert work.eligible.tolist() == expected.tolist()
    assert n == expected.sum()
    assert empty == (fewest if n else 0)


@given(st.lists(st.sampled_from([0.0, 1e-9, 0.1, 0.5, 1.0, 3.0, 1e6]), min_size=1, max_size=40), st.integers(0, 2**31))
def test_the_alias_table_holds_the_weights(weights, seed):
    weight = np.array(weights) * np.random.default_rng(seed).random(len(weights))
    n = len(weight)
    chance, alias = np.zeros(n), np.zeros(n, np.int32)
    total = make_alias(weight, chance, alias, np.zeros(n, np.int32), np.zeros(n, np.int32))
    if not weight.sum() > 0:
        assert total == 0
        return
    assert (chance.tolist(), alias.tolist()) == twin.alias_table(weight.tolist())
    mass = np.zeros(n)
    np.add.at(mass, np.arange(n), np.clip(chance, 0, 1) / n)
    np.add.at(mass, alias, (1 - np.clip(chance, 0, 1)) / n)
    assert np.allclose(mass, weight / weight.sum(), atol=1e-12)
    state = np.array([seed], np.uint64)
    assert all(weight[draw_donor(state, chance, alias)] > 0 for _ in range(50))
