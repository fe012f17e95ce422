"""Whole households placed by the method's part: components, limits, endings, streams; and the integer programme."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.streams import WHOLE, stream_keys
from synthpop_gb.kernels.unit_whole import Effort
from synthpop_gb.level import Level
from synthpop_gb.methods import _integer_programme as programme
from synthpop_gb.methods import _whole_households
from synthpop_gb.methods._integer_programme import can_be_met, nearest_whole
from synthpop_gb.methods._nested_households import nested_households
from synthpop_gb.methods._placing import ENDINGS
from synthpop_gb.methods._whole_households import whole_households
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.testing import small_household_problem, small_problem
from tests.kernels.unit_problems import units
from tests.reference.balance import balance_zone
from tests.reference.unit_whole import exact_points


def town(n_zones=6, *, levels=False, seed=4):
    """(problem, weights): zones of 90 households; size, tenure, age, activity; with levels three share age x activity."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 5, 150)
    home = np.repeat(np.arange(150), size)
    age, works = rng.integers(0, 4, len(home)), rng.integers(0, 3, len(home))
    counted = np.zeros((150, 4 + 3 + 4 + 3 + 12), int)
    counted[np.arange(150), size - 1] = 1
    counted[np.arange(150), 4 + rng.integers(0, 3, 150)] = 1
    for cell in (7 + age, 11 + works, 14 + age * 3 + works):
        np.add.at(counted, (home, cell), 1)
    counted = np.unique(counted, axis=0)
    mine, above = counted[:, :14], counted[:, 14:]
    truth = rng.poisson(90 / len(counted), (n_zones, len(counted)))
    kept = counted if levels else mine
    even, exact = np.full(len(counted), 0.6), np.zeros(kept.shape[1])
    weights = np.stack([0.5 * t + 0.5 * balance_zone(kept, even, t @ kept, exact)[0] for t in truth])
    bounds, n = np.array([0, 4, 7, 11, 14]), len(counted)
    cell_of = np.full((4, n), -1)
    cell_of[0], cell_of[1] = mine[:, :4].argmax(axis=1), 4 + mine[:, 4:7].argmax(axis=1)
    zones = pd.Index([f"Z{z}" for z in range(n_zones)], name="zone")
    level = levels and Level(
        "msoa", pd.Index([f"M{m}" for m in range(n_zones // 3)]), np.arange(n_zones) // 3,
        np.stack([truth[3 * m : 3 * m + 3].sum(axis=0) @ above for m in range(n_zones // 3)]),
        np.full((1, n), -1), np.array([0, 12]), labels([0, 12]), incidence=Incidence.of_rows(above),
    )  # fmt: skip
    problem = Problem(
        start=np.ones(n), cell_of=cell_of, constraint_start=bounds, targets=truth @ mine,
        zone_keys=np.array([zone_key(z) for z in zones]), donor_start=np.arange(n + 1), donor=np.arange(n),
        donor_weight=np.ones(n), zones=zones, records=pd.Index(range(n)), cells=labels(bounds),
        incidence=Incidence.of_rows(mine), households=pd.Index(range(n)), member_start=np.arange(n + 1),
        member=np.arange(n), size=mine[:, 7:11].sum(axis=1), levels=(level,) if levels else (),
    )  # fmt: skip
    return problem, weights


def labels(bounds):
    pairs = [(f"table {k}", str(c)) for k in range(len(bounds) - 1) for c in range(bounds[k], bounds[k + 1])]
    return pd.MultiIndex.from_tuples(pairs, names=["constraint", "category"])


def run(problem, weights, zones=None, options=None, above=None, **more):
    zones = np.arange(problem.n_zones) if zones is None else np.asarray(zones)
    given = problem, zones, lambda i: weights[zones[i]], problem.targets[zones]
    further = options or WholeOptions(), stream_keys(7, problem.zone_keys[zones], 0, WHOLE)
    if problem.levels:
        found = nested_households(*given, [v.targets for v in problem.levels] if above is None else above, *further)
    else:
        found = whole_households(*given, *further, **more)
    return found, dense(found, problem.n_profiles)


def dense(found, n_profiles):
    out = np.zeros((len(found.indptr) - 1, n_profiles), int)
    for row in range(len(out)):
        mine = slice(found.indptr[row], found.indptr[row + 1])
        assert (np.diff(found.profile[mine]) > 0).all()
        assert (found.count[mine] > 0).all()
        out[row, found.profile[mine]] = found.count[mine]
    return out


def by_cell(problem, counts):
    return counts @ problem.members.matrix().toarray()


def test_households_and_people_are_exact():
    problem, weights = town()
    found, counts = run(problem, weights)
    assert (by_cell(problem, counts) == problem.targets).all()
    assert not found.remainder.any()
    assert set(found.extra) == {"remainder_households", "remainder_persons", "proposals", "restarts", "ending"}
    assert (found.extra["ending"] == "exact").all()
    assert all(len(column) == problem.n_zones for column in found.extra.values())


def test_quick_is_one_attempt_and_says_what_it_misses(monkeypatch):
    problem, weights = town(12)
    assert WholeOptions(effort="quick").search.restarts == 0
    monkeypatch.setattr(WholeOptions, "search", property(lambda self: Effort(0, 0, 0, 0)))
    found, counts = run(problem, weights, options=WholeOptions(effort="quick"))
    gap = np.abs(by_cell(problem, counts) - problem.targets)
    assert gap.any()
    assert (found.extra["remainder_households"] == gap[:, :7].sum(axis=1)).all()
    assert (found.extra["remainder_persons"] == gap[:, 7:].sum(axis=1)).all()
    assert (found.remainder == gap.sum(axis=1)).all()
    assert (found.extra["restarts"] == 0).all()
    assert ((found.extra["ending"] == "exact") == (found.remainder == 0)).all()


@pytest.mark.parametrize("effort", ["exact", "quick"])
def test_batches_do_not_matter(monkeypatch, effort):
    problem, weights = town(5)
    _, counts = run(problem, weights, options=WholeOptions(effort=effort))
    monkeypatch.setattr(_whole_households, "_BATCH", 2)
    _, again = run(problem, weights, [3, 0, 4, 1, 2], WholeOptions(effort=effort))
    assert (again == counts[[3, 0, 4, 1, 2]]).all()


def test_zones_under_one_area_nest_exactly():
    problem, weights = town(levels=True)
    found, counts = run(problem, weights)
    level = problem.levels[0]
    assert (by_cell(problem, counts) == problem.targets).all()
    above = counts @ level.members.matrix().toarray()
    assert (above[:3].sum(axis=0) == level.targets[0]).all()
    assert (above[3:].sum(axis=0) == level.targets[1]).all()
    assert (found.extra["ending"] == "exact").all()


def test_area_tables_may_be_given():
    problem, weights = town(levels=True)
    moved = problem.levels[0].targets.copy()
    moved[0, [0, 1, 3, 4]] += [1, -1, -1, 1]  # same zones, other joint table
    found, counts = run(problem, weights, above=[moved], options=WholeOptions(milp_nodes=0))
    assert (counts[:3].sum(axis=0) @ problem.levels[0].members.matrix().toarray() == moved[0]).all()
    assert not found.remainder.any()


def test_areas_that_contradict_their_zones_are_missed_by_what_they_contradict():
    problem, weights = town(levels=True)
    moved = problem.levels[0].targets.copy()
    moved[0, :2] += [1, -1]  # zones say how many there are of each activity
    found, counts = run(problem, weights, above=[moved], options=WholeOptions(milp_nodes=0))
    missed = np.abs(counts[:3].sum(axis=0) @ problem.levels[0].members.matrix().toarray() - moved[0]).sum()
    assert missed + found.remainder.sum() == 2


@pytest.mark.parametrize("levels", [False, True])
def test_same_households_whatever_else_is_asked_for(levels):
    problem, weights = town(levels=levels)
    _, together = run(problem, weights)
    _, backwards = run(problem, weights, zones=np.arange(6)[::-1])
    assert (backwards[::-1] == together).all()
    _, apart = run(problem, weights, zones=[3, 4, 5])
    assert (apart == together[3:]).all()
    turned = problem.take(np.array([4, 3, 5]))
    _, again = run(turned, weights[[4, 3, 5]])
    assert (again == together[[4, 3, 5]]).all()


def test_part_of_a_component_is_refused():
    problem, weights = town(levels=True)
    with pytest.raises(ValueError, match="solved together"):
        run(problem, weights, zones=[0, 1])


def test_limits_are_kept():
    problem, weights = town()
    most = np.full(problem.n_profiles, 2)
    weights = np.minimum(weights, 2.0)
    _, counts = run(problem, weights, most=most, options=WholeOptions(restarts=1, milp_nodes=0))
    assert counts.max() <= 2
    by_zone = np.where(np.arange(6)[:, None] == 2, 1, np.full((6, problem.n_profiles), 3))
    _, counts = run(problem, np.minimum(weights, by_zone), most=by_zone, options=WholeOptions(restarts=1, milp_nodes=0))
    assert counts[2].max() <= 1


def test_persons_are_placed_too():
    problem = small_problem(3)
    women = problem.targets[:, :1] / 15
    weights = np.stack([w * np.array([7, 8, 0, 0]) + (1 - w) * np.array([0, 0, 7, 8]) for w in women[:, 0]])
    found, counts = run(problem, weights)
    assert (by_cell(problem, counts) == problem.targets).all()
    assert not found.extra["remainder_households"].any()


def test_nobody_where_nobody_is_wanted():
    problem = small_household_problem(2)
    found = whole_households(
        problem, np.arange(2), lambda i: np.zeros(5), np.zeros((2, 4)), WholeOptions(), np.array([1, 2], np.uint64)
    )
    assert found.indptr.tolist() == [0, 0, 0]
    assert not found.remainder.any()
    empty = whole_households(problem, np.arange(0), lambda i: None, np.zeros((0, 4)), WholeOptions(), np.zeros(0, np.uint64))
    assert empty.indptr.tolist() == [0]


def test_what_cannot_be_is_proven():
    """Three households of one, yet ten people who all live alone: no weights at all meet that."""
    problem = small_household_problem(1)
    weights = np.array([1.5, 1.5, 0.0, 0.0, 0.0])
    found = whole_households(
        problem, np.arange(1), lambda i: weights, np.array([[3, 0, 5, 5]]), WholeOptions(), np.array([5], np.uint64)
    )
    assert found.extra["ending"][0] == "no exact point"
    assert found.remainder[0] == 7
    assert found.extra["restarts"][0] == 4  # before it is asked


def test_what_is_met_by_halves_alone_is_proven():
    """Weights meet the tables, whole households cannot: pairs of women, or of men, and an odd number of either."""
    counted = np.array([[1, 2, 0], [1, 0, 2]])
    problem = Problem(
        start=np.ones(2), cell_of=np.array([[0, 0], [-1, -1]]), constraint_start=np.array([0, 1, 3]),
        targets=np.array([[3.0, 3.0, 3.0]]), zone_keys=np.array([zone_key("a")]), donor_start=np.arange(3), donor=np.arange(2),
        donor_weight=np.ones(2), zones=pd.Index(["a"]), records=pd.Index(range(2)), cells=labels([0, 1, 3]),
        incidence=Incidence.of_rows(counted), households=pd.Index(range(2)), member_start=np.arange(3), member=np.arange(2),
        size=np.array([2, 2]),
    )  # fmt: skip
    found, counts = run(problem, np.array([[1.5, 1.5]]))
    assert found.extra["ending"][0] == "no exact point"
    assert found.remainder[0] == 2
    assert counts.sum() == 3
    assert run(problem, np.array([[1.5, 1.5]]), options=WholeOptions(milp_nodes=0))[0].extra["ending"][0] == "not found"


def test_integer_programme_has_the_last_word(monkeypatch):
    """Where swaps are not let near the answer, it is found all the same, and said."""
    problem, weights = town(2)
    monkeypatch.setattr(WholeOptions, "search", property(lambda self: Effort(1, 0, 0, 0)))
    found, counts = run(problem, weights, options=WholeOptions(restarts=0, milp_nodes=1000))
    assert (by_cell(problem, counts) == problem.targets).all()
    assert "exact by integer programme" in found.extra["ending"]
    assert set(found.extra["ending"]) <= set(ENDINGS)


@settings(deadline=None, max_examples=40)
@given(units(limits=True), st.booleans())
def test_integer_programme_against_trying_all(problem, moved):
    few = 5
    problem.counted, problem.weights = problem.counted[:few], problem.weights[:, :few]
    problem.truth, problem.most = np.minimum(problem.truth[:, :few], 3), problem.most[:, :few]
    parts = problem.parts()
    if moved:
        parts.target[0] += 1
    points = exact_points(problem.weights[0], problem.counted, parts.target, problem.most[0])
    nought = np.zeros(problem.weights.shape, int)
    counts, impossible = nearest_whole(problem.weights, nought, parts, problem.layout(), 1000)
    if points:
        assert not impossible
        assert any((counts[0] == p).all() for p in points)
    else:
        assert counts is None
        assert impossible
    if not can_be_met(problem.weights, parts, problem.layout()):
        assert not points


@pytest.mark.parametrize(
    "wrong", [{"effort": "best"}, {"max_proposals": -1}, {"restarts": 1.5}, {"milp_nodes": 0.5}, {"milp_nodes": -1}]
)
def test_options_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WholeOptions(**wrong)


def test_programmes_are_limited_by_work_and_never_by_time(monkeypatch):
    """A limit of time would make what comes out depend on what else the machine does."""
    asked = []
    for name in ("milp", "linprog"):
        real = getattr(optimize, name)
        monkeypatch.setattr(
            optimize, name, lambda *a, real=real, name=name, **k: asked.append((name, dict(k["options"]))) or real(*a, **k)
        )
    monkeypatch.setattr(WholeOptions, "search", property(lambda self: Effort(1, 0, 0, 0)))
    problem, weights = town(2)
    once, again = (run(problem, weights, options=WholeOptions(restarts=0, milp_nodes=7))[1] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert {name for name, _ in asked} == {"milp", "linprog"}
    assert all("time_limit" not in options for _, options in asked)
    assert {options.get("node_limit", options.get("maxiter")) for _, options in asked} >= {7}


def test_a_component_too_large_for_a_programme_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(programme, "_MOST", 3)
    monkeypatch.setattr(programme, "_VARIABLES", 3)
    monkeypatch.setattr(WholeOptions, "search", property(lambda self: Effort(1, 0, 0, 0)))
    problem, weights = town(2)
    assert set(run(problem, weights, options=WholeOptions(restarts=0))[0].extra["ending"]) == {"not found"}
