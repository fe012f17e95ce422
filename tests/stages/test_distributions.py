"""Distributions: from a survey's column and shares by zone to bins of profiles; every mistake found; from study files too."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.distribution import Distribution
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.pipeline import check, run
from synthpop_gb.run_folder import load, save
from synthpop_gb.spec import load_study
from synthpop_gb.testing import assert_fits, assert_same_population
from tests.stages.nouns import world

NAMES = ["age", "sex", "health"]
EDGES = (200.0, 500.0)


@pytest.fixture(scope="module")
def aligned():
    survey, tables, geography = world()
    pay = np.random.default_rng(4).gamma(2.0, 180.0, len(survey.records))
    return harmonise(replace(survey, records=survey.records.assign(pay=pay)), tables, geography, constraints=NAMES)


def shares_by_zone(aligned, seed=2):
    made = np.random.default_rng(seed).dirichlet([6, 6, 6], len(aligned.zones))
    return pd.DataFrame(made, index=aligned.zones)


def test_bins_join_the_profiles_and_fits_know_nothing_of_them(aligned):
    plain, problem = formulate(aligned), formulate(aligned, distributions=[Distribution("pay", EDGES, (0.3, 0.4, 0.3))])
    pay = aligned.frame()["pay"].to_numpy()
    expected = np.digitize(pay, EDGES)
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    assert (problem.guide_of[0][profile] == expected[problem.donor]).all()
    keys = np.concatenate([problem.cell_of, problem.guide_of])
    assert len(np.unique(keys, axis=1).T) == problem.n_profiles > plain.n_profiles
    assert problem.start.sum() == pytest.approx(plain.start.sum())
    assert problem.guides.tolist() == [("pay", "below 200"), ("pay", "200 to 500"), ("pay", "500 and more")]
    assert np.allclose(problem.guide_targets, [0.3, 0.4, 0.3])
    coarse, fine = solve(plain, seed=1), solve(problem, seed=1)
    assert_fits(fine)
    alike = pd.DataFrame(problem.cell_of.T).groupby(list(range(3))).ngroup().to_numpy()
    added = np.stack([fine.fitted()[:, alike == p].sum(axis=1) for p in range(plain.n_profiles)], axis=1)
    assert np.allclose(added, coarse.fitted(), atol=1e-4)


def test_people_are_spread_as_wanted_and_every_table_is_met(aligned, tmp_path):
    wanted = Distribution("pay", EDGES, shares_by_zone(aligned))
    problem = formulate(aligned, distributions=[wanted])
    people = {name: solve(problem, method=name, seed=1) for name in ("ipf", "anneal")}
    pay = aligned.frame()["pay"].to_numpy()
    far = {}
    for name, population in people.items():
        assert_fits(population)
        placed = population.donors()
        zone = np.repeat(np.arange(problem.n_zones), np.diff(placed.indptr))
        made = np.zeros((problem.n_zones, 3))
        np.add.at(made, (zone, np.digitize(pay[placed.record], EDGES)), placed.n)
        total = made.sum(axis=1, keepdims=True)
        far[name] = np.abs(np.cumsum(made - total * wanted.shares(aligned.zones), axis=1)).sum(axis=1)
    assert far["ipf"].mean() > 50
    assert far["anneal"].max() <= 2  # half a person of rounding in each bin
    saved = save(people["anneal"], tmp_path / "kept", aligned=problem.aligned)
    assert_same_population(load(saved or tmp_path / "kept", aligned=problem.aligned), people["anneal"])


def test_values_on_an_edge_belong_to_the_upper_bin():
    found = Distribution("pay", (0.0, 10.0), (0.2, 0.3, 0.5))
    assert found.bins(np.array([-1, 0, 9.9, 10, np.inf])).tolist() == [0, 1, 1, 2, 2]
    assert Distribution("x", (1_234_567.5,), (0.5, 0.5)).labels == ["below 1,234,567.5", "1,234,567.5 and more"]


def mistakes(aligned, column="pay", edges=EDGES, target=(0.3, 0.4, 0.3)):
    found = Distribution(column, edges, target).findings(aligned.frame(), aligned.zones)
    assert all(f.level == "error" for f in found)
    return [f.code for f in found]


def test_every_mistake_is_found(aligned):
    good = shares_by_zone(aligned)
    assert mistakes(aligned) == mistakes(aligned, target=good) == []
    assert mistakes(aligned, target=good.iloc[::-1]) == []
    assert mistakes(aligned, "wages", (5, 5), (0.5, 0.6, 0.1)) == ["bad-distribution", "missing-column", "bad-distribution"]
    assert mistakes(aligned, "age") == ["not-a-number"]
    assert mistakes(aligned, edges=()) == ["bad-distribution"] * 2
    assert mistakes(aligned, target=(0.5, 0.5)) == ["bad-distribution"]
    assert mistakes(aligned, target=("a", "b", "c")) == ["bad-distribution"]
    assert mistakes(aligned, target=(1.2, -0.2, 0.0)) == ["bad-distribution"]
    assert mistakes(aligned, target=good.iloc[2:]) == ["missing-zone"]
    assert mistakes(aligned, target=pd.concat([good, good.iloc[:1]])) == ["duplicate-zone"]
    assert mistakes(aligned, target=good.mask(good > 0.5)) == ["bad-distribution"]
    blank = replace(aligned.survey, records=aligned.survey.records.assign(pay=np.nan))
    assert mistakes(replace(aligned, survey=blank)) == ["missing-value"]
    with pytest.raises(InputError, match="wages"):
        formulate(aligned, distributions=[Distribution("wages", EDGES, (0.3, 0.4, 0.3))])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three zones of the demo kind: files of a survey with pay, of two tables, and of shares."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(1)
    n = 300
    records = pd.DataFrame(
        {"id": range(n), "sex": rng.integers(1, 3, n), "ill": rng.integers(1, 3, n), "pay": rng.gamma(2, 180, n)}
    )
    records.to_csv(folder / "survey.csv", index=False)
    zones = ["E01000001", "E01000002", "E01000003"]
    pd.DataFrame({"zone": zones, "male": [40, 55, 61], "female": [60, 45, 39]}).to_csv(folder / "sex.csv", index=False)
    pd.DataFrame({"zone": zones, "well": [70, 80, 75], "unwell": [30, 20, 25]}).to_csv(folder / "ill.csv", index=False)
    shares = pd.DataFrame({"zone": zones[::-1], "low": [0.2, 0.5, 0.1], "mid": [0.3, 0.3, 0.6], "high": [0.5, 0.2, 0.3]})
    shares.to_csv(folder / "pay.csv", index=False)
    text = """
name = "pay"
seed = 1
constraints = ["sex", "ill"]
tables = [
    { path = "sex.csv", variables = ["sex"], universe = "usual residents" },
    { path = "ill.csv", variables = ["ill"], universe = "usual residents" },
]
[survey]
path = "survey.csv"
format = "tidy"
id = "id"
universe = "usual residents"
[survey.variables.sex]
column = "sex"
categories = { 1 = "male", 2 = "female" }
[survey.variables.ill]
column = "ill"
categories = { 1 = "well", 2 = "unwell" }
[method]
name = "anneal"
[[distributions]]
column = "pay"
edges = [200, 500]
path = "pay.csv"
"""
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder, text


def test_a_study_names_distributions(study, tmp_path):
    folder, _ = study
    found = load_study(folder / "study.toml")
    assert found.distributions[0].path == str(folder / "pay.csv")
    done = run(found, tmp_path, report=False)
    assert done.population.status["distance"].eq(0).all()
    assert done.population.status["stopped"].eq("met").all()
    assert str(folder / "pay.csv") in [f.path for f in done.population.provenance.inputs]
    again = run(tmp_path / "pay" / "run.json", tmp_path / "again", report=False)
    assert again.population.digest() == done.population.digest()


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("[200, 500]", "[500, 200]", "bad-distribution", "increasing edges"),
        ('column = "pay"', 'column = "wage"', "missing-column", "no column 'wage'"),
        ('path = "pay.csv"', "shares = [0.5, 0.4, 0.2]", "bad-distribution", "sum 1.1"),
        ('path = "pay.csv"', 'path = "nowhere.csv"', "missing-file", "nowhere.csv"),
        ('path = "pay.csv"', "", "study-value", "either shares or path"),
        ("edges", "edge", "study-key", "Did you mean 'edges'"),
        ('name = "anneal"', 'name = "ipf"', "unheeded", "'ipf' does not heed them"),
    ],
)
def test_mistakes_in_a_study_are_findings(study, old, new, code, words):
    folder, text = study
    path = folder / "wrong.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = [f for f in check(path)[1] if f.code == code]
    assert len(found) == 1
    assert words in found[0].message


def test_shares_are_read_by_zone(study):
    folder, _ = study
    frame = read.shares(folder / "pay.csv")
    assert frame.index.tolist() == ["E01000003", "E01000002", "E01000001"]
    assert frame.loc["E01000001"].tolist() == [0.1, 0.6, 0.3]
    with pytest.raises(InputError, match="code"):
        read.shares(folder / "pay.csv", zone="code")
