"""The publisher's noise, from tables to checks: merged cells, soft fits and the tables they settled on, shares within noise."""

import html
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from synthpop_gb import formulate, harmonise, solve, validate
from synthpop_gb.report import write_report
from synthpop_gb.validation.noise import cells_within, noise_measures, noise_ratio
from tests.stages.nouns import world

NAMES = ["age", "sex", "health"]


@pytest.fixture(scope="module")
def aligned():
    return harmonise(*world(noise=1.0), constraints=NAMES)


@pytest.fixture(scope="module", params=["ipf", "calibrate"])
def judged(request, aligned):
    population = solve(formulate(aligned), method=request.param, seed=1)
    return population, validate(population, aligned)


def test_a_merged_cell_carries_the_noise_of_all_its_parts(aligned):
    table = aligned.constraints[0]
    merged = replace(table, merged=np.arange(1, table.targets.shape[1] + 1))
    np.testing.assert_allclose(merged.standard_errors, np.sqrt(merged.merged))
    assert all(t.merged is not None and (t.merged >= 1).all() for t in aligned.constraints)
    np.testing.assert_allclose(formulate(replace(aligned, constraints=(merged,))).standard_error, merged.standard_errors)


def test_measures_equal_the_formulas_cell_by_cell():
    rng = np.random.default_rng(0)
    observed, published = rng.poisson(50, (7, 4)), rng.poisson(50, (7, 4)).astype(float)
    error = np.array([0.0, 1.0, 2.0, 6.0])
    got = noise_measures(observed, published, error)
    for z in range(7):
        gaps = [abs(observed[z, c] - published[z, c]) for c in (1, 2, 3)]
        assert got["noisy_cells"][z] == 3
        assert got["cells_within_noise"][z] == sum(g < 1.96 * e + 0.5 for g, e in zip(gaps, error[1:], strict=True))
        total = sum((g / e) ** 2 for g, e in zip(gaps, error[1:], strict=True))
        assert got["noise_ratio"][z] == pytest.approx(total / chi2.ppf(0.95, 3))
    for error in (None, np.zeros(4)):
        assert np.isnan(noise_measures(observed, published, error)["noise_ratio"]).all()


def test_noise_alone_is_within_noise():
    rng = np.random.default_rng(1)
    noise = np.rint(rng.normal(0, 3.0, (4000, 5)))
    assert 0.94 < cells_within(noise, 0.0, np.full(5, 3.0)).mean() < 0.98
    assert 0.93 < (noise_ratio(noise, 0.0, np.full(5, 3.0)) <= 1).mean() < 0.97


def test_checks_count_what_is_within_the_noise(judged, aligned):
    _, checks = judged
    by_zone, by_table = checks["zone_fit"], checks["table_fit"]
    assert by_zone["noisy_cells"].gt(0).all()
    assert by_table["cells_within_noise"].sum() == by_zone["cells_within_noise"].sum()
    assert by_table["zones_within_noise"].sum() == by_zone["noise_ratio"].le(1).sum()
    cells = checks["cell_fit"]
    gap = (cells["observed"] - cells["published"]).abs()
    assert (gap < 1.96 + 0.5).sum() == by_zone["cells_within_noise"].sum()
    within = int(by_zone["cells_within_noise"].sum())
    assert f"({within:,} of {len(cells):,})" in checks.headline["cells within the publisher's noise"]


def test_people_are_judged_by_the_tables_they_were_made_to_meet(judged):
    population, checks = judged
    assert checks.headline["zones exact"] == len(population.zones)
    assert checks.headline["total absolute error above the floor"] == 0
    assert not checks.findings
    published = checks["zone_fit"].groupby("zone", sort=False)["tae_published"].sum()
    expected = np.abs(population.goals - population.problem.published).sum(axis=1)
    np.testing.assert_allclose(published.reindex(population.zones), expected)
    assert checks.headline["total absolute error against the counts as published"] == expected.sum()
    if "tae_published" in population.status:
        np.testing.assert_allclose(population.status["tae_published"], expected)


def test_soft_fits_are_nearer_the_published_tables_by_their_noise(aligned):
    problem = formulate(aligned)
    ratio = {}
    inside = (problem.cell_of[:, :, None] == np.arange(problem.n_cells)).any(axis=0)
    for method in ("ipf", "calibrate"):
        margins = solve(problem, method=method, seed=1).fitted() @ inside
        ratio[method] = (((margins - problem.published) / problem.standard_error) ** 2).sum()
    assert ratio["calibrate"] < ratio["ipf"]


def test_the_report_says_so(judged, aligned, tmp_path):
    population, checks = judged
    place = write_report(tmp_path, population=population, aligned=aligned, checks=checks, title="Noise")
    text = html.unescape(place.read_text(encoding="utf-8"))
    assert "Zones within noise" in text
    assert "are within the publisher's noise as a whole." in text


def test_exact_tables_have_no_columns_about_noise():
    aligned = harmonise(*world(noise=0.0), constraints=NAMES)
    aligned = replace(aligned, constraints=tuple(replace(t, standard_error=0.0) for t in aligned.constraints))
    checks = validate(solve(formulate(aligned), seed=1), aligned)
    assert "noise_ratio" not in checks["zone_fit"]
    assert not any("noise" in key for key in checks.headline if "publisher" in key)
