"""Whole households at the waist: formulating them, and what a population of them derives."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import Population, formulate, solve
from synthpop_gb.aligned import Aligned, AlignedLevel, AlignedTable
from synthpop_gb.codebook import Category, Universe
from synthpop_gb.geography import Geography
from synthpop_gb.households import Households
from synthpop_gb.incidence import Incidence
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import STATUS_COLUMNS, counted_units
from synthpop_gb.provenance import Provenance
from synthpop_gb.testing import small_household_problem, small_problem

ZONES = pd.Index(["A", "B"], name="zone")


def table(name, labels, targets, record_cell, unit="person", index=ZONES):
    categories = tuple(Category(x, x, frozenset([x])) for x in labels)
    frame = pd.DataFrame(np.array(targets, float), index, pd.MultiIndex.from_arrays([labels], names=[name]))
    return AlignedTable(name, (name,), (categories,), frame, np.array(record_cell, np.int32), Universe("all", unit), 0.0, frame)


def aligned():
    """Five people: a couple with a child (x), a woman alone (y), a man in a care home."""
    records = pd.Index([11, 12, 13, 14, 15], name="person")
    ids, members = pd.Index(["x", "y", "15"]), np.arange(5, dtype=np.int32)
    homes = Households(ids, np.array([3.0, 2.0, 1.0]), np.array([0, 3, 4, 5]), members,
                       np.array([False, False, True]))  # fmt: skip
    size = table("size", ["1", "2+"], [[2, 1], [1, 2]], [1, -1, -1, 0, -1], "household")
    sex = table("sex", ["f", "m"], [[3, 3], [3, 5]], [0, 1, 1, 0, 1])
    age = table("age", ["child", "adult"], [[3, 11]], [1, 1, 0, 1, 1], index=pd.Index(["M"]))
    level = AlignedLevel("msoa", pd.Index(["M"]), np.array([0, 0], np.int32), (age,))
    survey = Microdata("five", pd.DataFrame({"sex": list("fmmfm")}, records), {}, Universe("usual residents"))
    place = Geography(pd.DataFrame({"msoa": ["M", "M"]}, index=ZONES))
    return Aligned(survey, records, np.ones(5), (size, sex), (), place, pd.DataFrame(), pd.Series(0.0, ZONES), households=homes,
                   levels=(level,))  # fmt: skip


def test_a_profile_is_households_alike_in_every_cell():
    problem = formulate(aligned())
    assert problem.n_profiles == 3
    assert list(problem.units) == ["x", "y", "15"]
    rows = problem.incidence.matrix().toarray()
    assert rows[problem.donor_profile[np.argsort(problem.donor)]].tolist() == [[0, 1, 1, 2], [1, 0, 1, 0], [0, 0, 0, 1]]
    assert problem.size[problem.donor_profile].tolist() == np.array([3, 1, 1])[problem.donor].tolist()
    assert problem.communal[problem.donor_profile].tolist() == (problem.donor == 2).tolist()
    assert (problem.cell_of[1] == -1).all()
    assert sorted(problem.cell_of[0]) == [-1, 0, 1]
    (level,) = problem.levels
    assert level.incidence.matrix().toarray()[problem.donor_profile[np.argsort(problem.donor)]].tolist() == [
        [1, 2],
        [0, 1],
        [0, 1],
    ]
    assert problem.component.tolist() == [0, 0]
    assert problem.n_duals == 6


def test_shares_add_up_to_the_people_of_a_unit():
    problem = formulate(aligned())
    profile, record, share = problem.people_shares()
    assert np.bincount(profile, share).tolist() == problem.people_of.tolist()
    assert sorted(record) == [0, 1, 2, 3, 4]


def counted(problem, rows):
    """A population of some counts by zone and profile."""
    rows = np.array(rows)
    indptr = np.concatenate([[0], np.cumsum((rows > 0).sum(axis=1))]).astype(np.int64)
    profile = np.nonzero(rows)[1].astype(np.int32)
    count = rows[rows > 0].astype(np.int32)
    for array in (profile, count, indptr):
        array.setflags(write=False)
    status = pd.DataFrame({c: 0 for c in STATUS_COLUMNS if c != "people"}, index=problem.zones)
    status = status.assign(**counted_units(problem, indptr, profile, count), fit="CONVERGED", whole="EXACT")
    return Population(problem, indptr, profile, count, status, None, Provenance(1, "by hand", {}))


def test_members_come_along_with_their_household():
    problem = small_household_problem()
    population = counted(problem, [[2, 2, 1, 2, 1], [3, 2, 1, 2, 1]])
    assert population.people == 13 + 14
    assert population.status["households"].tolist() == [8, 9]
    people, homes = population.donors(), population.households()
    assert people.people.tolist() == [13, 14]
    assert homes.people.tolist() == [8, 9]
    one = dict(zip(problem.records[people.record[: people.indptr[1]]], people.n[: people.indptr[1]], strict=True))
    assert one == {101: 2, 102: 2, 103: 1, 104: 1, 105: 1, 106: 2, 107: 2, 108: 1, 109: 1}
    with pytest.raises(ValueError, match="population is of persons"):
        solve(small_problem(), seed=1).households()


def test_a_method_of_persons_refuses_households_and_levels():
    with pytest.raises(ValueError, match="of households, which 'ipf' cannot place"):
        solve(small_household_problem(), method="ipf")
    problem = small_household_problem()
    with pytest.raises(ValueError, match="households need"):
        replace(problem, size=None)


def test_incidences_stand_side_by_side():
    left, right = Incidence.of_rows(np.array([[1, 0], [0, 2]])), Incidence.of_cells(np.array([[0, -1]]), 1)
    assert left.beside(right).matrix().toarray().tolist() == [[1, 0, 1], [0, 2, 0]]
    with pytest.raises(ValueError, match="cells run from"):
        Incidence(np.array([0, 1]), np.array([3]), np.array([1]), 2)
