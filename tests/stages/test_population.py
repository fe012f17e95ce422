"""Population: donors by block, weights from duals, digest, statuses in words."""

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.execution import solve
from synthpop_gb.population import DonorCounts, digest_counts, zone_digests
from synthpop_gb.testing import assert_fits, assert_same_population, small_problem
from tests.problems import make_problem


@pytest.fixture(scope="module", params=["shuffled", "ascending", "text", "wide"])
def population(request):
    return solve(make_problem(n_zones=14, empty=(0, 6), ids=request.param), seed=3)


def test_donors_add_up_to_profiles_and_stay_in_them(population):
    assert_fits(population)
    problem, placed = population.problem, population.donors()
    assert placed.people.sum() == population.people == population.count.sum()
    profile_of = np.full(len(problem.records), -1)
    profile_of[problem.donor] = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    assert (profile_of[placed.record] >= 0).all()
    for a, b in zip(placed.indptr[:-1], placed.indptr[1:], strict=True):
        assert len(set(placed.record[a:b])) == b - a


def test_donors_of_a_zone_do_not_depend_on_the_others_asked_for(population):
    every = population.donors()
    for asked in ([5, 2, 9], [0], [6, 7], []):
        some = population.donors(np.array(asked, dtype=int))
        by_code = population.donors(list(population.zones[asked]))
        assert list(some.zones) == list(by_code.zones) == list(population.zones[asked])
        for i, z in enumerate(asked):
            a, b = every.indptr[z], every.indptr[z + 1]
            for part in (some, by_code):
                assert (part.record[part.indptr[i] : part.indptr[i + 1]] == every.record[a:b]).all()
                assert (part.n[part.indptr[i] : part.indptr[i + 1]] == every.n[a:b]).all()
    with pytest.raises(KeyError, match="no such zone: E09"):
        population.donors(["E09"])
    with pytest.raises(KeyError, match="positions run from 0 to 13"):
        population.donors(np.array([14]))


@pytest.mark.parametrize("size", [1, 5, 14, 100])
def test_blocks_are_the_donors_in_order(population, size):
    parts = list(population.blocks(size))
    every = population.donors()
    assert list(np.concatenate([p.zones for p in parts])) == list(population.zones)
    assert (np.concatenate([p.record for p in parts]) == every.record).all()
    assert (np.concatenate([p.n for p in parts]) == every.n).all()
    assert (np.concatenate([p.people for p in parts]) == population.status["people"]).all()


def test_fitted_weights_meet_the_targets_and_are_what_people_are_drawn_from(population):
    problem = population.problem
    weights = population.fitted()
    assert weights.shape == (problem.n_zones, problem.n_profiles)
    for k, row in enumerate(problem.cell_of):
        for c in range(problem.constraint_start[k], problem.constraint_start[k + 1]):
            assert np.allclose(weights[:, row == c].sum(axis=1), problem.targets[:, c], atol=1e-4)
    assert (weights[[0, 6]] == 0).all()
    few = population.fitted(population.zones[[9, 3]])
    assert few.tobytes() == np.ascontiguousarray(weights[[9, 3]]).tobytes()
    with pytest.raises(ValueError, match="keeps no duals"):
        replace(population, duals=None).fitted()


def test_digest_is_over_sorted_zone_record_people(population):
    """The definition written out."""
    records = [str(r) for r in population.problem.records]
    order = np.argsort(population.problem.records)
    whole = hashlib.sha256()
    placed = population.donors()
    for z in np.argsort(population.zones):
        here = dict(
            zip(
                placed.record[placed.indptr[z] : placed.indptr[z + 1]],
                placed.n[placed.indptr[z] : placed.indptr[z + 1]],
                strict=True,
            )
        )
        if here:
            keys = b"".join(hashlib.blake2b(records[r].encode(), digest_size=8).digest() for r in order if r in here)
            people = b"".join(int(here[r]).to_bytes(4, "little") for r in order if r in here)
            whole.update(hashlib.sha256(population.zones[z].encode() + b"\0" + keys + people).digest())
    assert population.digest() == whole.hexdigest()


def test_digest_sees_one_person_moved(population):
    blocks = [population.donors()]
    n = blocks[0].n.copy()
    n[0] += 1
    changed = DonorCounts(blocks[0].zones, blocks[0].indptr, blocks[0].record, n)
    records = population.problem.records
    assert digest_counts([changed], records) != population.digest()
    before, after = zone_digests(blocks, records), zone_digests([changed], records)
    assert (before != after).sum() == 1


def test_statuses_in_words():
    population = solve(make_problem(n_zones=14, empty=(0, 6)), seed=3)
    assert repr(population).splitlines()[-1] == "12 of 14 zones converged; 2 empty"
    assert population.findings() == ()
    status = population.status.copy()
    status.loc[status.index[3], ["fit", "residual", "worst_cell", "whole", "remainder"]] = [
        "STALLED",
        12.2,
        "table 1 = category 4",
        "REMAINDER",
        24.0,
    ]
    status.loc[status.index[5], ["fit", "residual", "worst_cell"]] = ["STALLED", 3.0, "table 0 = category 1"]
    unfit = replace(population, status=status)
    assert repr(unfit).splitlines()[1:] == [
        "whole people meet every target in 13 of 14 zones (largest total miss 24 persons, E01000021)",
        "10 of 14 zones converged; 2 stalled (largest miss 12 persons, E01000021 table 1 = category 4); 2 empty",
    ]
    (found,) = unfit.findings()
    assert (found.code, found.level, found.count, found.place) == ("zone-not-fitted", "warning", 2, "E01000021")
    assert list(found.rows["zone"]) == ["E01000021", "E01000035"]


def test_pickled_population_is_the_same():
    population = solve(small_problem(5), seed=1)
    assert_same_population(pickle.loads(pickle.dumps(population)), population)


def test_assertions_notice_what_is_wrong():
    population = solve(make_problem(), seed=1)
    count = population.count.copy()
    count[5] += 1
    with pytest.raises(AssertionError, match="not what it says"):
        assert_fits(replace(population, count=count))
    with pytest.raises(AssertionError, match="1 of 12 zones hold different people, first E0"):
        assert_same_population(replace(population, count=count), population)
    duals = population.duals.copy()
    duals[2] += 0.1
    with pytest.raises(AssertionError, match="fractional weights miss"):
        assert_fits(replace(population, duals=duals))
    status = population.status.copy()
    status.loc[status.index[1], "fit"] = "STALLED"
    with pytest.raises(AssertionError, match="1 zones are not fitted, first E01000007: STALLED"):
        assert_fits(replace(population, status=status))


def test_zones_called_by_numbers():
    """Whole-number zone codes are codes, not positions."""
    problem = small_problem(3)
    numbered = replace(problem, zones=pd.Index([30, 10, 20], name="zone"))
    population = solve(numbered, seed=1)
    assert list(population.donors([10]).zones) == [10]
    assert list(population.donors().zones) == [30, 10, 20]
