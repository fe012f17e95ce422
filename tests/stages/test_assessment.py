"""Model error: what a survey tells of a variable, tables left out in turn, and intervals that cover what they say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.assessment import LeftOut, ModelError, indicator, leave_one_out, region_of
from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.assessment.leave_one_out import shifted
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import resampled
from synthpop_gb.problem import Problem, zone_key
from tests.problems import make_problem
from tests.reference import features as slow_features
from tests.reference import intervals as slow_intervals
from tests.stages.nouns import EVERYBODY, table, variable, world, zone_codes
from tests.stages.test_balance import town


@pytest.fixture(scope="module")
def population():
    return solve(make_problem(n_zones=7, empty=(2,), seed=4), seed=9, workers=1)


@pytest.fixture(scope="module")
def left_out(population):
    return leave_one_out(population, refits=3)


# features


def by_donor(problem, variable, region):
    """One entry a donor: what the slow twin takes."""
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    names = problem.cells.get_level_values(0)[problem.constraint_start[:-1]]
    categories = {str(n): problem.cell_of[k][profile] for k, n in enumerate(names)}
    weight = problem.donor_weight / problem.donor_weight.mean()
    of_record = (a[problem.donor] for a in (variable.base, variable.value))
    return *of_record, weight, profile, categories, None if region is None else region[problem.donor]


@pytest.mark.parametrize("kind", ["share", "share of some", "number"])
@pytest.mark.parametrize("regions", [0, 4])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_features_equal_the_slow_twin(kind, regions, seed):
    problem, rng = make_problem(n_zones=2, n_profiles=25, seed=seed), np.random.default_rng(seed)
    n = len(problem.records)
    base = rng.random(n) < (0.6 if kind == "share of some" else 2.0)
    value = rng.integers(0, 7 if kind == "number" else 2, n).astype(float)
    region = rng.integers(-1, regions, n) if regions else None
    found = describe(Variable(base, np.where(base, value, 0.0)), Design.of(problem, range(3), region))
    expected = slow_features.describe(*by_donor(problem, Variable(base, np.where(base, value, 0.0)), region))
    for name, wanted in expected.items():
        if name == "likeness":
            assert found.likeness.keys() == wanted.keys()
            wanted, got = list(wanted.values()), list(found.likeness.values())
        else:
            got = getattr(found, name)
        np.testing.assert_allclose(got, wanted, atol=1e-7, err_msg=name)


def test_what_the_tables_say_has_no_scale(population):
    """A cell of a table is settled by it: nothing is left open, whatever the survey."""
    problem = population.problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    value = np.zeros(len(problem.records))
    value[problem.donor] = problem.cell_of[1][profile] == problem.constraint_start[1]
    base = np.zeros(len(problem.records), bool)
    base[problem.donor] = True
    settled = describe(Variable(base, value), Design.of(problem, range(3)))
    assert settled.scale.max() < 1e-9
    assert settled.explained == pytest.approx(1.0)
    assert describe(Variable(base, value), Design.of(problem, [0, 2])).scale.max() > 0.01


def test_a_number_of_many_values_is_thresholded_at_quantiles():
    problem, rng = make_problem(n_zones=2, seed=2), np.random.default_rng(5)
    value = rng.gamma(2.0, 100.0, len(problem.records))
    base, design = np.ones(len(value), bool), Design.of(problem, range(3))
    found, twice = describe(Variable(base, value), design), describe(Variable(base, 2 * value), design)
    np.testing.assert_allclose(twice.scale, 2 * found.scale)
    np.testing.assert_allclose(twice.noise, 4 * found.noise)
    exact = slow_features.describe(*by_donor(problem, Variable(base, value), None))
    assert (design.start @ found.scale) / (design.start @ exact["scale"]) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("value", [0.0, 1.0, 37.5])
def test_numbers_that_are_all_equal_leave_nothing_open(value):
    problem = make_problem(n_zones=2)
    n = len(problem.records)
    found = describe(Variable(np.ones(n, bool), np.full(n, value)), Design.of(problem, range(3), np.arange(n) % 3))
    assert found.mean == pytest.approx(value)
    assert not found.scale.any()
    assert not found.noise.any()
    assert (found.explained, found.region, found.region_error) == (1.0, 0.0, 0.0)
    assert set(found.likeness.values()) == {0.0}


def test_nobody_in_the_base_is_no_accident():
    problem = make_problem(n_zones=2)
    n = len(problem.records)
    found = describe(Variable(np.zeros(n, bool), np.zeros(n)), Design.of(problem, range(3)))
    assert found.mean == 0.0
    assert not found.scale.any()


def test_regions_that_differ_are_seen():
    """Departures shifted by region on the logit scale: the deviation between regions is about what was put in."""
    problem, rng = make_problem(n_zones=2, n_profiles=30, seed=3), np.random.default_rng(8)
    n = 6000
    start = np.linspace(0, n, problem.n_profiles + 1).astype(np.int64)
    bigger = replace(
        problem, donor_start=start, donor=np.arange(n), donor_weight=np.ones(n), records=pd.Index(np.arange(n)),
        start=np.diff(start).astype(float),
    )  # fmt: skip
    region = rng.integers(0, 9, n)
    shift = np.linspace(-0.8, 0.8, 9)
    value = (rng.random(n) < 1 / (1 + np.exp(-shift[region]))).astype(float)
    found = describe(Variable(np.ones(n, bool), value), Design.of(bigger, range(3), region))
    assert found.region == pytest.approx(shift.std(ddof=1), rel=0.2)
    assert found.region_error < 0.1
    alike = describe(Variable(np.ones(n, bool), (rng.random(n) < 0.5).astype(float)), Design.of(bigger, range(3), region))
    assert alike.region < 0.1


# tables left out


def without(problem, k):
    """The problem with its k-th constraint taken away, profiles as they are."""
    kept = [j for j in range(problem.n_constraints) if j != k]
    first = problem.constraint_start
    cells = np.concatenate([np.arange(first[j], first[j + 1]) for j in kept])
    number = np.full(problem.n_cells, -1)
    number[cells] = np.arange(len(cells))
    sizes = [first[j + 1] - first[j] for j in kept]
    return replace(
        problem, cell_of=number[problem.cell_of[kept]], constraint_start=np.concatenate([[0], np.cumsum(sizes)]),
        targets=problem.targets[:, cells], cells=problem.cells[cells],
    )  # fmt: skip


def test_predictions_are_those_of_a_fit_without_the_table(population, left_out):
    problem = population.problem
    live = problem.targets.sum(axis=1) > 0
    for k in range(3):
        others = without(problem, k)
        drawn = []
        for replicate in range(4):
            start = resampled(problem, 9, replicate)[0] if replicate else problem.start
            weights = solve(replace(others, start=start), seed=0, workers=1).fitted()[live]
            cells = range(problem.constraint_start[k], problem.constraint_start[k + 1])
            drawn.append(np.stack([weights[:, problem.cell_of[k] == c].sum(axis=1) for c in cells]) / weights.sum(axis=1))
        mine = (left_out.cells["table"] == f"table {k}").to_numpy()
        np.testing.assert_allclose(left_out.predicted[mine][:, live], drawn[0], atol=1e-5)
        sampling = (left_out.variance - left_out.finite)[mine][:, live]
        np.testing.assert_allclose(np.sqrt(sampling), np.std(drawn[1:], axis=0, ddof=1), atol=1e-4)


def test_what_is_left_out_is_described_and_compared_with_what_was_published(population, left_out):
    problem = population.problem
    assert left_out.cells["cell"].tolist() == problem.cells.get_level_values(1).tolist()
    total = problem.targets[:, :2].sum(axis=1)
    for z in range(7):
        if total[z]:
            np.testing.assert_allclose(left_out.published[:, z], problem.targets[z] / total[z])
        else:
            assert np.isnan(left_out.published[:, z]).all()
    assert (left_out.people == total).all()
    assert np.isnan(left_out.cells.loc[left_out.cells["table"] == "table 0", "like table 0"]).all()
    live = total > 0
    assert (left_out.finite[:, live] > 0).all()
    assert (left_out.variance >= left_out.finite)[:, live].all()


def test_tables_that_share_a_variable_go_together():
    survey, tables, places = world(n_zones=5)
    aligned = harmonise(survey, tables, places, constraints=["age x sex", "sex"])
    population = solve(formulate(aligned), seed=1, workers=1)
    found = leave_one_out(population, refits=2)
    for cell in np.flatnonzero(found.cells["table"] == "age x sex"):  # nothing is left: the survey's own shares
        assert np.ptp(found.predicted[cell]) < 1e-12
        assert found.predicted[cell, 0] == pytest.approx(found.cells["mean"][cell])


def test_with_one_table_the_survey_predicts(population):
    alone = without(without(population.problem, 2), 1)
    found = leave_one_out(solve(alone, seed=1, workers=1), refits=2)
    survey = np.bincount(alone.cell_of[0], alone.start) / alone.start.sum()
    np.testing.assert_allclose(found.predicted, np.repeat(survey[:, None], 7, axis=1))
    model = ModelError.learn(found)
    assert np.isfinite(model.asked[:, [0, 1, 3]]).all()
    assert model.by_table().keys() == {"table 0"}


def part_of_the_people(work_total=20.0):
    """Age of everybody, work of adults: survey grossed to 100,000 of whom 30 % are children."""
    zones = pd.Index(["A", "B"], name="zone")
    return Problem(
        start=np.array([30e3, 40e3, 30e3]), cell_of=np.array([[0, 1, 1], [-1, 2, 3]]), constraint_start=np.array([0, 2, 4]),
        targets=np.array([[10.0, 20.0, 5.0, 15.0], [4.0, work_total, 0.5 * work_total, 0.5 * work_total]]),
        zone_keys=np.array([zone_key(z) for z in zones], np.uint64), donor_start=np.arange(4), donor=np.arange(3),
        donor_weight=np.array([30e3, 40e3, 30e3]), zones=zones, records=pd.Index([1, 2, 3], name="record"),
        cells=pd.MultiIndex.from_tuples(
            [("age", "child"), ("age", "adult"), ("work", "yes"), ("work", "no")], names=["constraint", "category"]
        ),
    )  # fmt: skip


def test_people_outside_every_table_kept_stay_in_the_surveys_proportion():
    found = leave_one_out(solve(part_of_the_people(), seed=1, workers=1), refits=2)
    np.testing.assert_allclose(found.predicted[:2], [[0.3, 0.3], [0.7, 0.7]])  # not 30,000 children beside 20 adults
    np.testing.assert_allclose(found.predicted[2:], [[4 / 7] * 2, [3 / 7] * 2])
    np.testing.assert_allclose(found.people[2:], [[20.0, 20.0]] * 2)


def test_a_zone_with_nobody_in_a_universe_teaches_nothing_there():
    found = leave_one_out(solve(part_of_the_people(0.0), seed=1, workers=1), refits=2)
    assert np.isnan(found.published[2:, 1]).all()
    assert np.isfinite(found.error[:, 0]).all()
    all_of_it = found.at(np.zeros(2, np.int64), pd.Index(["all"], name="all"))
    np.testing.assert_allclose(all_of_it.predicted[:, 0], found.predicted[:, 0])  # the other zone says nothing
    assert np.isfinite(ModelError.learn(found).asked[:, 0]).all()


def test_refits_give_no_variance_below_two(population):
    with pytest.raises(ValueError, match="2 or more"):
        leave_one_out(population, refits=1)


def test_left_out_tables_survive_a_file(left_out, tmp_path):
    written = left_out.tables()
    for name, frame in written.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    read = {name: pd.read_parquet(tmp_path / f"{name}.parquet") for name in written}
    again = LeftOut.of_tables(read, left_out.zones)
    for name in ("published", "predicted", "scale", "variance", "finite", "people"):
        np.testing.assert_allclose(getattr(again, name), getattr(left_out, name), rtol=1e-6)
    one, other = ModelError.learn(again), ModelError.learn(left_out)
    np.testing.assert_allclose(one.zone, other.zone, rtol=1e-4)
    assert one.kappa({}) == pytest.approx(other.kappa({}), rel=1e-4)
    assert LeftOut.of_tables(read, left_out.zones[::-1]) is None
    assert LeftOut.of_tables(read, left_out.zones[:3]) is None
    assert LeftOut.of_tables({}, left_out.zones) is None
    assert LeftOut.of_tables({**read, "left_out": read["left_out"].drop(columns="finite")}, left_out.zones) is None


def test_areas_are_their_zones_added_up(left_out):
    same = left_out.at(np.arange(7), left_out.zones)
    live = left_out.people[0] > 0
    for name in ("published", "predicted", "scale", "variance", "finite"):
        np.testing.assert_allclose(getattr(same, name)[:, live], getattr(left_out, name)[:, live])
    area = np.array([0, 0, 0, 1, 1, -1, 1])
    pair = left_out.at(area, pd.Index(["N", "S"], name="lad"))
    for a in range(2):
        mine = live & (area == a)
        w = left_out.people[:, mine] / left_out.people[:, mine].sum(axis=1, keepdims=True)
        for name in ("published", "predicted", "scale"):
            np.testing.assert_allclose(getattr(pair, name)[:, a], (w * getattr(left_out, name)[:, mine]).sum(axis=1))
        np.testing.assert_allclose(pair.finite[:, a], (w**2 * left_out.finite[:, mine]).sum(axis=1))
        sampling = (w * np.sqrt((left_out.variance - left_out.finite)[:, mine])).sum(axis=1) ** 2
        np.testing.assert_allclose(pair.variance[:, a] - pair.finite[:, a], sampling)
        assert (pair.people[:, a] == left_out.people[:, mine].sum(axis=1)).all()


def test_benchmarked_tables_have_the_published_mean_of_every_parent(left_out):
    parent = np.array([0, 0, 1, 1, 1, -1, 0])
    found = left_out.benchmarked(parent)
    for g in (0, 1):
        mine = (parent == g) & (left_out.people[0] > 0)
        w = left_out.people[:, mine]
        np.testing.assert_allclose((w * found.predicted[:, mine]).sum(axis=1), (w * found.published[:, mine]).sum(axis=1))
    np.testing.assert_array_equal(found.predicted[:, 5], left_out.predicted[:, 5])
    np.testing.assert_array_equal(found.scale[:, 5], left_out.scale[:, 5])
    assert np.nanmax(found.scale) <= 0.25


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000), st.integers(-1, 2)), min_size=1, max_size=12),
    st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=3, max_size=3),
)
def test_shifted_meets_every_goal_and_keeps_the_order(areas, goals):
    share, people, parent = (np.array(a) for a in zip(*areas, strict=True))
    goal = np.array(goals)
    out = shifted(share, people, parent, goal)
    assert ((out >= 0) & (out <= 1)).all()
    for g in range(3):
        mine = (parent == g) & (people > 0)
        if np.isnan(goal[g]):
            assert (out[parent == g] == share[parent == g]).all()
        elif mine.any():
            assert np.average(out[mine], weights=people[mine]) == pytest.approx(goal[g], abs=1e-9)
            order = np.argsort(share[mine], kind="stable")
            assert (np.diff(out[mine][order]) >= -1e-12).all()
    assert (out[(parent < 0) | (people == 0)] == share[(parent < 0) | (people == 0)]).all()


def test_shifted_is_one_step_on_the_logit_scale():
    share, people = np.array([0.1, 0.3, 0.8, np.nan]), np.array([10.0, 50.0, 20.0, 9.0])
    out = shifted(share, people, np.zeros(4, int), np.array([0.5]))
    step = np.log(out / (1 - out)) - np.log(share / (1 - share))
    np.testing.assert_allclose(step[:3], step[0])
    assert np.isnan(out[3])


# intervals


def made_up(seed, n_zones=40, regions=True, tables=(3, 5, 2, 4), empty=(), kappa=1.5):
    """Tables left out whose errors truly are normal with deviation kappa x scale, and what the slow twin takes of them."""
    rng = np.random.default_rng(seed)
    names = [f"t{k}" for k, n in enumerate(tables) for _ in range(n)]
    n = len(names)
    cells = pd.DataFrame(
        {
            "table": names, "cell": np.arange(n), "mean": rng.uniform(0.001, 0.5, n), "explained": rng.uniform(0.1, 1.0, n),
            "region": rng.uniform(0, 0.3, n) * regions, "region_error": rng.uniform(0.01, 0.1, n) * regions,
        }
    )  # fmt: skip
    published, scale = rng.uniform(0.1, 0.9, (n, n_zones)), rng.uniform(0.02, 0.2, (n, n_zones))
    variance, people = rng.uniform(1e-5, 1e-3, (n, n_zones)), rng.integers(50, 500, n_zones) * np.ones((n, 1))
    factor = ((cells["region"] ** 2 + cells["region_error"] ** 2 + 0.03**2) ** 0.3).to_numpy() if regions else np.ones(n)
    error = rng.normal(0, np.sqrt(variance + (kappa * factor[:, None] * scale) ** 2))
    for z in empty:
        published[:, z], people[:, z] = np.nan, 0
    found = LeftOut(
        cells, pd.Index(zone_codes(n_zones), name="zone"), published, published - error, scale, variance, variance / 2, people
    )
    rows = [
        {"t": c.table, "e": found.error[i], "s2": variance[i], "v": scale[i], "reg": c.region, "dl": c.region_error,
         "R2": c.explained, "mean": c.mean} for i, c in enumerate(cells.itertuples())
    ]  # fmt: skip
    return found, rows


def features(region=0.2, error=0.05, like=None):
    zero = np.zeros(1)
    return Features(0.3, 0.21, zero, zero, zero, zero, 0.2, region, error, {"t0": 0.3, "t1": 0.05} if like is None else like)


@pytest.mark.parametrize("regions", [True, False])
@pytest.mark.parametrize(("level", "z"), [(0.9, 1.6448536269514722), (0.5, 0.6744897501960817)])
@pytest.mark.parametrize("empty", [(), (3, 17)])
@pytest.mark.parametrize("tables", [(3, 5, 2, 4), (6,)])
def test_intervals_equal_the_slow_twin(regions, level, z, empty, tables):
    found, rows = made_up(7, regions=regions, empty=empty, tables=tables)
    model, twin = ModelError.learn(found, level), slow_intervals.Rule(rows, regions, level, z)
    np.testing.assert_allclose(model.zone, twin.zone)
    y, scale = features(0.2 * regions, 0.05 * regions), np.random.default_rng(1).uniform(0.02, 0.2, 40)
    slow_y = {"v": scale, "reg": y.region, "dl": y.region_error, "like": y.likeness}
    for like in (None, "t0"):
        assert model.kappa(y.likeness, like) == pytest.approx(twin.kappa(slow_y, like))
        np.testing.assert_allclose(model.deviation(y, scale, like), twin.deviation(slow_y, like))


def test_cells_that_teach_nothing_are_left_out_unless_there_are_no_others():
    found, _ = made_up(3)
    model = ModelError.learn(found)
    taught = (found.cells["explained"] < 0.98) & (found.cells["mean"] >= 0.003)
    assert (model.use == taught).all()
    settled = replace(found, cells=found.cells.assign(explained=1.0))
    assert ModelError.learn(settled).use.all()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, float("nan")])
def test_levels_that_are_none_are_refused(level):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        ModelError.learn(made_up(1)[0], level)


def test_an_empty_zone_does_not_change_the_others():
    whole, _ = made_up(5)
    kept = np.arange(40) != 11
    cut = LeftOut(whole.cells, whole.zones[kept], *(getattr(whole, n)[:, kept] for n in (
        "published", "predicted", "scale", "variance", "finite", "people")))  # fmt: skip
    hollow, _ = made_up(5, empty=(11,))
    one, other = ModelError.learn(cut), ModelError.learn(hollow)
    np.testing.assert_allclose(one.zone, other.zone[kept])
    assert other.zone[11] == 1.0
    assert one.kappa({"t1": 0.4}) == pytest.approx(other.kappa({"t1": 0.4}))


def test_tables_predicted_exactly_leave_no_model_error():
    found, _ = made_up(2)
    exact = replace(found, predicted=found.published)
    model = ModelError.learn(exact)
    assert not model.deviation(features(), np.full(40, 0.1)).any()
    assert (model.zone == 1.0).all()


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_an_outcome_that_behaves_like_the_tables_is_covered_as_often_as_said(level):
    from scipy.stats import norm

    covered, rng = [], np.random.default_rng(99)
    for seed in range(20):
        found, _ = made_up(seed, n_zones=60)
        model, y = ModelError.learn(found, level), features(0.15, 0.05, {f"t{k}": 0.1 for k in range(4)})
        scale, variance = rng.uniform(0.02, 0.2, 60), rng.uniform(1e-5, 1e-3, 60)
        truth = rng.normal(0, np.sqrt(variance + (1.5 * (0.15**2 + 0.05**2 + 0.03**2) ** 0.3 * scale) ** 2))
        half = norm.ppf((1 + level) / 2) * np.sqrt(variance + model.deviation(y, scale) ** 2)
        covered.append(np.abs(truth) <= half)
    assert np.mean(covered) == pytest.approx(level, abs=0.03)


def shifting_world(n_zones=60, n_records=1500, n_tables=4, n_outcomes=8, seed=1):
    """Variables of two or three categories whose odds are shifted in every zone, the published and the unpublished ones alike."""
    rng = np.random.default_rng(seed)
    sizes = [3, 2, 3, 2][:n_tables] + [2] * n_outcomes
    logit = [np.log(rng.dirichlet(np.full(n, 4.0))) for n in sizes]

    def drawn(shift, n):
        found = []
        for base, s in zip(logit, shift, strict=True):
            p = np.exp(base + s)
            found.append(rng.choice(len(base), n, p=p / p.sum()))
        return np.stack(found, 1)

    people = [drawn([rng.normal(0, 0.4, n) for n in sizes], 250) for _ in range(n_zones)]
    records = drawn([np.zeros(n) for n in sizes], n_records)
    columns = [f"t{k}" for k in range(n_tables)] + [f"y{k}" for k in range(n_outcomes)]
    variables = [variable(columns[k], *"abc"[: sizes[k]]) for k in range(n_tables)]
    frame = pd.DataFrame(records + 1, columns=columns, index=pd.Index([f"r{i:05d}" for i in range(n_records)], name="record"))
    survey = Microdata("survey", frame, {v.name: v for v in variables}, EVERYBODY, year=2021)
    zones = zone_codes(n_zones)
    tables = {
        v.name: table(v.name, v, [np.bincount(p[:, k], minlength=sizes[k]) for p in people], zones, year=2021)
        for k, v in enumerate(variables)
    }
    truth = {columns[k]: np.array([(p[:, k] == 1).mean() for p in people]) for k in range(n_tables, len(sizes))}
    places = Geography(pd.DataFrame({"lad": "E07000001"}, index=pd.Index(zones, name="zone")))
    return harmonise(survey, tables, places, constraints=columns[:n_tables]), truth


def test_indicators_cover_the_truth_of_zones_that_shift_as_the_tables_do():
    """End to end: nominal 90 %, over 8 outcomes and 60 zones whose odds differ as much in what is published as in what is not."""
    aligned, truth = shifting_world()
    population = solve(formulate(aligned), seed=3, workers=1, replicates=12)
    left = leave_one_out(population, region_of(aligned))
    covered, luck = [], []
    for name, share in truth.items():
        frame = indicator(population, f"{name} = 2", left_out=left).frame
        covered.append((frame["lower"] <= share) & (share <= frame["upper"]))
        half = 1.645 * np.hypot(frame["replicate_error"], frame["finite_error"])
        luck.append((frame["estimate"] - share).abs() <= half)
    assert np.mean(covered) == pytest.approx(0.9, abs=0.05)
    assert np.mean(luck) < 0.7, "replicates alone would claim far too much"


def test_regions_of_a_survey():
    survey, tables, places = world(n_zones=4)
    rng = np.random.default_rng(1)
    survey.records["gor"] = rng.choice(["North", "South", None], len(survey.records))
    names = ["age", "sex", "health"]
    assert region_of(harmonise(survey, tables, places, constraints=names)) is None
    named = harmonise(replace(survey, region="gor"), tables, places, constraints=names)
    code, values = region_of(named), named.frame()["gor"]
    assert (code[values.isna()] == -1).all()
    assert (code[values == "North"] == 0).all()
    survey.records["region"] = rng.choice([1, 2, -9], len(survey.records))
    known = replace(survey, variables={**survey.variables, "region": variable("region", "North", "South")})
    coded = harmonise(known, tables, places, constraints=names)
    assert (region_of(coded) == coded.frame()["region"].map({1: 0, 2: 1, -9: -1})).all()
    survey.records["gor"] = "North"
    assert region_of(harmonise(replace(survey, region="gor"), tables, places, constraints=names)) is None


def test_tables_left_out_are_predicted_without_tilts():
    """A tilt learnt for a zone was made to go with all its tables: it would tell of the one that is left out."""
    for problem, method in ((make_problem(8, 60, (2, 5, 4, 3), seed=3, mean_people=300.0), "ipf"), (town(3), "balance")):
        rng, n = np.random.default_rng(0), problem.n_zones
        tilt_of = rng.integers(0, 4, (1, problem.n_profiles))
        tilted = replace(problem, tilt_of=tilt_of, tilt=rng.normal(0, 0.5, (n, 4)))
        with_it, without = (leave_one_out(solve(p, method=method, seed=1), refits=2).predicted for p in (tilted, problem))
        np.testing.assert_array_equal(with_it, without)
