"""Method 'qisi' and `qis`: exact margins, what cannot be met is said, the same bits whatever the way, broken inputs named."""

import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import FitWarning
from synthpop_gb.methods import METHODS, QISIOptions, QuasirandomTable
from synthpop_gb.population import STATUS_COLUMNS
from synthpop_gb.testing import assert_fits, small_problem
from tests.problems import make_problem

SEED = 2011


def solve(problem, **arguments):
    return sp.solve(problem, method="qisi", **{"seed": SEED, **arguments})


def assert_equal_bits(found, expected):
    for name in ("indptr", "profile", "count", "duals"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert found.status.equals(expected.status)


@pytest.mark.parametrize("n_cats", [(2, 5, 4), (3,), (2, 2, 3, 2, 4)])
@pytest.mark.parametrize("refit", [0.02, 0.1, 1.0])
def test_people_meet_every_target(n_cats, refit):
    problem = make_problem(n_zones=20, n_cats=n_cats, n_profiles=min(30, int(np.prod(n_cats))), empty=(3,))
    population = solve(problem, options={"refit": refit})
    assert_fits(population, tolerance=1e-4)
    assert list(population.status.columns) == [*STATUS_COLUMNS, "stuck", "moves"]
    assert (population.status["people"] == problem.targets[:, : n_cats[0]].sum(axis=1)).all()
    assert population.status["fit"].iloc[3] == "EMPTY"
    assert population.status[["people", "stuck", "moves"]].iloc[3].tolist() == [0, 0, 0]
    assert (population.status["stuck"] <= 10).all()


def test_fit_is_that_of_ipf():
    problem = make_problem()
    ours, ipf = solve(problem), sp.solve(problem, seed=SEED)
    assert ours.duals.tobytes() == ipf.duals.tobytes()
    assert ours.status[["fit", "cycles", "residual"]].equals(ipf.status[["fit", "cycles", "residual"]])
    assert "qisi" in METHODS


def test_universes_and_no_table_that_counts_everybody():
    """Half the people are outside the second table; then nobody's table counts all."""
    problem = make_problem(n_zones=6, n_profiles=40)
    cell_of = problem.cell_of.copy()
    cell_of[1, cell_of[0] == 0] = -1  # the second table asks those in category 1 of the first only
    assert_fits(solve(_problem(problem, cell_of), options={"tolerance": 1e-8}))
    cell_of[0, ::5] = -1
    cell_of[2, 1::5] = -1
    assert_fits(solve(_problem(problem, cell_of), options={"tolerance": 1e-8}))


def _problem(problem, cell_of):
    """The same profiles in other universes, with tables of whole people drawn from them."""
    rng = np.random.default_rng(1)
    people = rng.poisson(problem.start / problem.start.mean() * 5, (problem.n_zones, problem.n_profiles))
    targets = np.zeros_like(problem.targets)
    for row in cell_of:
        inside = row >= 0
        for z in range(problem.n_zones):
            targets[z] += np.bincount(row[inside], people[z, inside], problem.n_cells)
    return replace(problem, cell_of=cell_of, targets=targets)


def test_one_profile_and_one_person():
    problem = make_problem(n_zones=3, n_profiles=1, n_cats=(1, 1))
    assert_fits(solve(problem))
    one = replace(small_problem(1), targets=np.array([[1.0, 0.0, 0.0, 1.0]]))
    population = solve(one)
    assert (population.profile.tolist(), population.count.tolist()) == ([1], [1])


def test_zone_that_cannot_be_filled_is_named_and_the_others_are_exact():
    """Where humanleague stops: cells that are wanted and that no record can fill."""
    problem = make_problem(n_zones=12, feasible=False, mean_people=100)
    wanted = problem.targets[:, -1] > 0
    with pytest.warns(FitWarning, match=f"{wanted.sum()} of 12 zones miss targets"):
        population = solve(problem)
    status = population.status
    assert (status["fit"].eq("INFEASIBLE") == wanted).all()
    assert (status["whole"].eq("EXACT") == ~wanted).all()
    assert (status["people"] == problem.targets[:, :2].sum(axis=1)).all()
    with pytest.warns(FitWarning):
        ipf = sp.solve(problem, seed=SEED).status
    assert (status["remainder"] <= ipf["remainder"] + 4).all()


@pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")
def test_contradicting_tables_end_near_their_fit():
    problem = small_problem(2)
    cut = replace(problem, start=np.array([0.0, 1.0, 1.5, 1.5]), targets=np.array([[15.0, 0.0, 7.0, 8.0], [5.0, 10.0, 7.0, 8.0]]))
    population = solve(cut)
    assert population.status["people"].tolist() == [15, 15]
    assert population.status["remainder"].tolist() == [14.0, 0.0]


def test_zero_cells_of_the_survey_are_no_hindrance():
    """A combination that no record has stays empty; a category that nobody has is never drawn."""
    problem = small_problem(3)
    start, targets = np.array([2.0, 0.0, 1.5, 1.5]), np.array([[5.0, 10, 10, 5], [0, 15, 7, 8], [3, 12, 15, 0]])
    population = solve(replace(problem, start=start, targets=targets))
    assert_fits(population)
    assert 1 not in population.profile


@pytest.fixture(scope="module")
def problem():
    return make_problem(n_zones=23, empty=(4,))


@pytest.fixture(scope="module")
def expected(problem):
    return solve(problem, workers=1, block_size=23)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("block_size", [1, 7, None])
def test_workers_and_block_sizes(problem, expected, workers, block_size):
    assert_equal_bits(solve(problem, workers=workers, block_size=block_size), expected)


def test_order_of_zones_threads_and_processes(problem, expected):
    order = np.random.default_rng(5).permutation(problem.n_zones)
    assert solve(problem.take(order), block_size=7).digest() == expected.digest()
    with ThreadPoolExecutor(2) as pool:
        assert_equal_bits(solve(problem, executor=pool, block_size=5), expected)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert_equal_bits(solve(problem, executor=pool, block_size=5), expected)


def test_restart_finds_the_same_people(problem, expected, tmp_path):
    for _ in range(2):
        assert_equal_bits(solve(problem, block_size=5, checkpoint=tmp_path), expected)


def test_replicates_are_exact_and_each_can_be_made_by_itself(problem, expected):
    population = solve(problem, workers=1, replicates=3, sources=("whole",))
    assert_equal_bits(population, expected)
    alone = solve(problem, workers=2, block_size=4, replicates=[2], sources=("whole",)).replicates
    made = population.replicates
    for left, right in zip(alone.rows(alone.place(2)), made.rows(made.place(2)), strict=True):
        assert (left == right).all()
    assert (made.remainder == 0).all()
    assert len({made.rows(made.place(n))[1].tobytes() for n in (1, 2, 3)}) == 3


def test_another_seed_gives_other_people(problem, expected):
    assert solve(problem, seed=SEED + 1).digest() != expected.digest()


def test_options_reach_the_solver(problem):
    stuck = make_problem(n_zones=30, n_cats=(4, 5, 4, 4), n_profiles=40, mean_people=60)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        left = solve(stuck, options={"max_moves": 0}).status
    done = solve(stuck).status
    assert (left["remainder"] > 0).any()
    assert (left["moves"] == 0).all()
    assert (left["stuck"].to_numpy() == done["stuck"].to_numpy()).all()
    assert (done["whole"] == "EXACT").all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"tolerance": 0}, {"tolerance": float("nan")}, {"tolerance": True}, {"refit": 0.0}, {"refit": 1.5}, {"refit": "often"},
        {"refit": float("inf")}, {"refit_cycles": 0}, {"refit_cycles": 2.5}, {"max_cycles": 0},
        {"max_moves": -1}, {"max_moves": True},
    ],
)  # fmt: skip
def test_broken_options(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        QISIOptions(**wrong)


# Tables without a survey


def frames(n_zones=5, seed=1):
    """Tables of age x sex, sex x health and car from the same made-up people."""
    rng = np.random.default_rng(seed)
    zone = np.repeat([f"E{z:03d}" for z in range(n_zones)], rng.integers(30, 200, n_zones))
    categories = {"age": "abcd", "sex": "fm", "health": "123", "car": "yn"}
    people = pd.DataFrame({"zone": zone, **{v: rng.choice(list(c), len(zone)) for v, c in categories.items()}})
    return {
        " x ".join(names): people.pivot_table(index="zone", columns=list(names), aggfunc="size", fill_value=0)
        for names in (("age", "sex"), ("sex", "health"), ("car",))
    }


def test_tables_are_met_exactly():
    tables = frames()
    drawn = sp.qis(tables, seed=1)
    assert isinstance(drawn, QuasirandomTable)
    assert list(drawn.counts.columns) == ["zone", "age", "sex", "health", "car", "n"]
    assert (drawn.counts["n"] > 0).all()
    assert not drawn.counts.duplicated(["zone", "age", "sex", "health", "car"]).any()
    for table in tables.values():
        names = list(table.columns.names)
        found = drawn.counts.pivot_table(index="zone", columns=names, values="n", aggfunc="sum", fill_value=0)
        found = found.reindex(index=table.index, columns=table.columns, fill_value=0)
        assert (found.to_numpy() == table.to_numpy()).all()
    assert drawn.people == tables["car"].to_numpy().sum()
    assert repr(drawn) == f"QuasirandomTable: {drawn.people} people in 5 zones by age x sex x health x car"
    assert drawn.status.index.name == "zone"
    assert (drawn.status["degrees_of_freedom"] == 4 * 2 * 3 * 2 - (8 + 6 - 2) - 1).all()
    assert (drawn.status["p_value"] > 0.5).all()


def test_a_zone_does_not_hang_on_the_others_and_replicates_differ():
    tables = frames()
    all_zones = sp.qis(tables, seed=1).counts
    for zones in (["E002"], ["E004", "E001"]):
        few = sp.qis({k: t.loc[zones] for k, t in tables.items()}, seed=1).counts
        assert few["zone"].drop_duplicates().tolist() == zones
        for zone in zones:
            left, right = (f[f["zone"] == zone].reset_index(drop=True) for f in (few, all_zones))
            assert left.equals(right)
    assert not sp.qis(tables, seed=2).counts.equals(all_zones)
    assert not sp.qis(tables, seed=1, replicate=1).counts.equals(all_zones)
    assert sp.qis(tables, seed=1).counts.equals(all_zones)


def test_blocks_change_nobody(monkeypatch):
    expected = sp.qis(frames(), seed=1)
    monkeypatch.setattr("synthpop_gb.methods.urns._BLOCK", 90)
    found = sp.qis(frames(), seed=1)
    assert found.counts.equals(expected.counts)
    assert found.status.equals(expected.status)


def test_one_zone_as_series_or_mapping_and_benchmark_tables():
    plain = sp.qis({"sex": {"f": 30, "m": 20}, "age": {"young": 14, "old": 36}}, seed=3)
    series = sp.qis({"sex": pd.Series({"f": 30, "m": 20}), "age": pd.Series({"young": 14, "old": 36}, name="x")}, seed=3)
    assert plain.counts.equals(series.counts)
    assert plain.counts["zone"].unique().tolist() == ["all"]
    joint = sp.qis({("sex", "age"): {("f", "young"): 3, ("m", "old"): 4}, "car": {"y": 7}}, seed=3)
    assert joint.counts["n"].tolist() == [3, 4]
    assert joint.status["degrees_of_freedom"].tolist() == [0]
    assert joint.status["p_value"].tolist() == [1.0]
    tables = frames()
    made = [
        sp.BenchmarkTable(k, t if t.columns.nlevels > 1 else t.set_axis(pd.MultiIndex.from_arrays([t.columns]), axis=1), ())
        for k, t in tables.items()
    ]
    assert sp.qis(made, seed=1).counts.equals(sp.qis(tables, seed=1).counts)


def test_empty_zones_and_empty_categories():
    tables = {
        "sex": pd.DataFrame({"f": [0, 5], "m": [0, 0]}, index=["nobody", "some"]),
        "age": pd.DataFrame({"a": [2, 0], "b": [3, 0]}, index=["some", "nobody"]),
    }
    drawn = sp.qis(tables, seed=1)
    assert drawn.status["people"].tolist() == [0, 5]
    assert drawn.status["degrees_of_freedom"].tolist() == [0, 0]
    assert drawn.status["chi_square"].tolist() == [0.0, 0.0]
    assert drawn.counts[["sex", "age", "n"]].to_numpy().tolist() == [["f", "a", 2], ["f", "b", 3]]
    nobody = sp.qis({k: t.iloc[:0] for k, t in tables.items()}, seed=1)
    assert (len(nobody.counts), nobody.people) == (0, 0)


def test_people_are_nearer_independence_than_chance():
    tables = {"a": dict.fromkeys(range(5), 200), "b": {i: 100 + 50 * i for i in range(5)}}
    drawn = [sp.qis(tables, seed=s).status.iloc[0] for s in range(40)]
    assert np.mean([d["chi_square"] for d in drawn]) < 4  # 16 by chance
    assert {d["degrees_of_freedom"] for d in drawn} == {16}
    crossed = [sp.qis(tables, seed=s).counts.pivot_table(index="a", columns="b", values="n", fill_value=0) for s in range(200)]
    mean = sum(crossed) / 200
    expected = np.outer([200] * 5, [100 + 50 * i for i in range(5)]) / 1000
    assert np.abs(mean.to_numpy() - expected).max() < 1.0


def test_chi_square_is_that_of_the_textbook():
    from scipy.stats import chi2_contingency

    drawn = sp.qis({"a": {"x": 40, "y": 60}, "b": {"u": 25, "v": 30, "w": 45}}, seed=5)
    table = drawn.counts.pivot_table(index="a", columns="b", values="n", fill_value=0).to_numpy()
    theirs = chi2_contingency(table, correction=False)
    row = drawn.status.iloc[0]
    assert row["chi_square"] == pytest.approx(theirs.statistic)
    assert row["degrees_of_freedom"] == theirs.dof
    assert row["p_value"] == pytest.approx(theirs.pvalue)


def test_broken_tables_are_refused_with_all_that_is_wrong():
    age, health, car = frames().values()
    for tables, codes, match in [
        ({"a": age, "car": car + 1}, ["total-mismatch"], "disagree on how many people .* in 5 zones .first: zone E000"),
        ({"a": age, "car": car.iloc[:3]}, ["missing-zone"], "2 are in one only .first: E003"),
        ({"a": age, "car": pd.concat([car, car.iloc[:1]])}, ["duplicate-zone"], "1 zones more than once"),
        ({"a": age - 50, "car": car + 0.5}, ["negative-count", "fractional-count"], "below nought"),
        ({"a": age, "car": car.astype(float).replace(car.iloc[0, 0], np.nan)}, ["not-a-number"], "missing or not finite"),
        ({"a": age, "car": car.astype(object).replace(car.iloc[0, 0], "many")}, ["not-a-number"], "no numbers"),
        (
            {"a": age, "h": health.iloc[:, [3, 4, 5, 0, 1, 2]].set_axis(health.columns, axis=1)},
            ["total-mismatch"],
            "disagree on sex in 5",
        ),
    ]:
        with pytest.raises(sp.InputError, match=match) as caught:
            sp.qis(tables, seed=1)
        assert [f.code for f in caught.value.findings] == codes
    for tables, match in [
        ({}, "no tables"),
        ({"a": age, "h": health, "r": _crossed(age, health)}, "in a ring"),
        ({"a": age.set_axis(pd.MultiIndex.from_tuples(list(age.columns)), axis=1)}, "2 variables: name each level"),
        ({"a": pd.concat([car, car], axis=1)}, "a cell twice"),
        ({"n": car.rename_axis(columns=None)}, "cannot be called 'n'"),
        ({"car": 5}, "is a int: give"),
    ]:
        with pytest.raises(ValueError, match=match):
            sp.qis(tables, seed=1)
    for wrong in ({"seed": -1}, {"seed": 1, "replicate": -1}, {"seed": 1.5}, {"seed": True}, {"seed": 2**63}):
        with pytest.raises(ValueError, match="whole number from 0 to"):
            sp.qis({"car": car}, **wrong)


def _crossed(age, health):
    """A table of age x health that agrees with both on either."""
    by_age, by_health = age.T.groupby(level="age").sum(), health.T.groupby(level="health").sum()
    one = {}
    for zone in age.index:
        cells, a, h = {}, by_age[zone].copy(), by_health[zone].copy()
        for i in a.index:
            for j in h.index:
                n = min(a[i], h[j])
                cells[i, j], a[i], h[j] = n, a[i] - n, h[j] - n
        one[zone] = cells
    return pd.DataFrame(one).T.rename_axis(columns=["age", "health"])
