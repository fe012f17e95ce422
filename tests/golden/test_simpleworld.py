"""SimpleWorld: five people, three zones, and the weights that the book prints (Lovelace & Dumont 2016, chapters 4 and 5)."""

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp

PEOPLE = "id,age,sex\n1,59,m\n2,54,m\n3,35,m\n4,73,f\n5,49,f\n"
AGE = "a0.49,a.50+\n8,4\n2,8\n7,4\n"
SEX = "m,f\n6,6\n4,6\n3,8\n"
STUDY = """
name = "simpleworld"
seed = 1
constraints = ["age", "sex"]

[[tables]]
path = "age.csv"
name = "age"
zone = "#"
universe = "usual residents"
variables = ["age"]
columns = { "a0.49" = "0-49", "a.50+" = "50+" }
[[tables]]
path = "sex.csv"
name = "sex"
zone = "#"
universe = "usual residents"
variables = ["sex"]
columns = { m = "male", f = "female" }
[survey]
path = "people.csv"
id = "id"
licence = "open"
[survey.variables.age]
column = "age"
[survey.variables.sex]
column = "sex"
categories = { m = "male", f = "female" }
"""

PUBLISHED = np.array(
    [  # individuals 1 to 5 in zones 1 to 3
        [1.228, 1.228, 3.544, 1.544, 4.456],
        [1.725, 1.725, 0.550, 4.550, 1.450],
        [0.725, 0.725, 1.550, 2.550, 5.450],
    ]
)


def weights_by_hand():
    """The book's algorithm with its five people and three zones, until nothing moves any more."""
    old = np.array([True, True, False, True, False])
    male = np.array([True, True, True, False, False])
    weights = np.ones((3, 5))
    age, sex = np.array([[8, 4], [2, 8], [7, 4]]), np.array([[6, 6], [4, 6], [3, 8]])
    for _ in range(500):
        for zone in range(3):
            for young, n in ((True, age[zone, 0]), (False, age[zone, 1])):
                weights[zone, old != young] *= n / weights[zone, old != young].sum()
            for man, n in ((True, sex[zone, 0]), (False, sex[zone, 1])):
                weights[zone, male == man] *= n / weights[zone, male == man].sum()
    return weights


def record_weights(population) -> pd.DataFrame:
    """Zones x records: the weight of a profile, shared among its records by design weight."""
    problem = population.problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    share = problem.donor_weight / problem.start[profile]
    return pd.DataFrame(population.fitted()[:, profile] * share, population.zones, problem.records[problem.donor])


@pytest.fixture
def run(tmp_path):
    for name, text in {"people.csv": PEOPLE, "age.csv": AGE, "sex.csv": SEX, "study.toml": STUDY}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return sp.run(tmp_path / "study.toml", tmp_path / "outputs", report=False)


def test_book_and_hand_agree():
    assert np.abs(weights_by_hand() - PUBLISHED).max() <= 0.0005 + 1e-9


def test_weights_are_the_published_ones(run):
    weights = record_weights(run.population)
    weights = weights[sorted(weights.columns, key=int)].to_numpy()
    assert weights == pytest.approx(PUBLISHED, abs=0.0005 + 1e-9)
    assert weights == pytest.approx(weights_by_hand(), abs=1e-5)


def test_whole_people_meet_both_tables(run):
    assert run.fits
    assert run.population.people == 12 + 10 + 11
    assert run.checks.headline["total absolute error"] == 0


def test_whole_people_are_the_weights_on_average(run):
    """Two hundred seeds: no individual's mean count is far from its published weight."""
    problem = run.population.problem
    total = np.zeros((3, problem.n_profiles))
    for seed in range(200):
        people = sp.solve(problem, seed=seed, workers=1)
        zone = np.repeat(np.arange(3), np.diff(people.indptr))
        np.add.at(total, (zone, people.profile), people.count)
    weights = run.population.fitted()
    fraction = weights - np.floor(weights)
    z = (total / 200 - weights) / np.sqrt(np.maximum(fraction * (1 - fraction), 1e-3) / 200)
    assert np.abs(z).max() < 4
