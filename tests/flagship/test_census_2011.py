"""The main job on the 2011 census: every zone converged, every table met exactly, by a recount of the written files."""

import numpy as np
import pytest

import synthpop_gb as sp
from tests.flagship.raw_files import count_people, published_2011, survey_cells, table_errors

pytestmark = pytest.mark.data

STUDIES = [
    pytest.param("leeds-2011", 482, 751_485, id="leeds"),
    pytest.param("yorkshire-2011", 3_317, 5_283_733, id="yorkshire"),
    pytest.param("england-wales-2011", 34_753, 56_075_912, id="england-wales", marks=pytest.mark.flagship),
]


@pytest.fixture(scope="module")
def published(data_folder):
    return published_2011(data_folder)


@pytest.fixture(scope="module")
def cells(data_folder):
    return survey_cells(data_folder, 2011)


@pytest.fixture(scope="module")
def counted(run_study, cells):
    """People of a run by table, counted from counts.parquet alone."""
    known = {}

    def count(name):
        if name not in known:
            known[name] = count_people(run_study(name).folder / "population" / "counts.parquet", cells, [("age", "sex")])
        return known[name]

    return count


@pytest.mark.parametrize(("name", "zones", "people"), STUDIES)
def test_every_zone_converged_with_everybody_in_it(run_study, name, zones, people):
    status = run_study(name).population.status
    assert len(status) == zones
    assert (status["fit"] == "CONVERGED").all()
    assert status["residual"].max() < 0.01
    assert (status["whole"] == "EXACT").all()
    assert status["people"].sum() == people
    assert run_study(name).fits


@pytest.mark.parametrize(("name", "zones", "people"), STUDIES)
def test_written_people_meet_every_table_in_every_zone(counted, published, name, zones, people):
    found = counted(name)
    assert len(found["age"]) == zones
    assert found["age"].to_numpy().sum() == people
    errors = table_errors(found, {table: published[table] for table in ("age", "sex", "health", "ethnic_group")})
    assert (errors == 0).all(axis=None)


@pytest.mark.parametrize(("name", "zones", "people"), STUDIES)
def test_held_out_joint_table_is_as_near_as_the_fractional_fit(run_study, counted, published, name, zones, people):
    """Per cent of people in the wrong cell of age x sex, mean of zones: our own recount beside the yardsticks of the checks."""
    observed = counted(name)["age x sex"]
    expected = published["age x sex"].loc[observed.index].to_numpy()
    wrong = 50 * np.abs(observed.to_numpy() - expected).sum(axis=1) / expected.sum(axis=1)
    row = run_study(name).checks["held_out"].iloc[0]
    assert row["zone_mean_whole"] == pytest.approx(wrong.mean(), abs=1e-9)
    assert row["zone_mean_whole"] <= row["zone_mean_fit"] + 0.02
    assert row["wrong_whole"] <= row["wrong_fit"] + 0.02
    assert row["zone_mean_fit"] == pytest.approx(2.07, abs=0.015)
    assert row["zone_mean_independence"] == pytest.approx({"yorkshire-2011": 2.60}.get(name, 2.57), abs=0.015)


@pytest.mark.parametrize(("name", "zones", "people"), STUDIES)
def test_reported_checks_are_the_recount(run_study, name, zones, people):
    headline = run_study(name).checks.headline
    assert headline["people"] == people
    assert headline["zones"] == headline["zones converged"] == headline["zones exact"] == zones
    assert headline["total absolute error"] == headline["total absolute error above the floor"] == 0
    assert not run_study(name).checks.findings


def test_run_json_repeats_the_run_to_the_same_bits(run_study, tmp_path):
    first = run_study("leeds-2011")
    again = sp.run(first.folder / "run.json", tmp_path, workers=1, report=False)
    assert again.population.digest() == first.population.digest()
    for name in ("counts", "profiles", "duals"):
        files = [r.folder / "population" / f"{name}.parquet" for r in (first, again)]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_zones_of_leeds_hold_the_same_people_in_a_run_of_the_region(run_study):
    """A zone's people hang on the seed and the zone alone, not on the zones around it."""
    from synthpop_gb.population import zone_digests

    leeds, region = run_study("leeds-2011").population, run_study("yorkshire-2011").population
    own = zone_digests(leeds.blocks(), leeds.problem.records)
    shared = zone_digests([region.donors(leeds.zones)], region.problem.records)
    assert own.equals(shared[own.index])


def test_loaded_population_is_the_one_saved(run_study):
    run = run_study("leeds-2011")
    loaded = sp.load(run.folder)
    assert loaded.digest() == run.population.digest()
    assert loaded.status.equals(run.population.status)
