"""The publisher's noise, from tables to checks: merged cells, soft fits and the tables they settled on, shares within noise."""

import html
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from synthpop_gb import formulate, harmonise, solve, validate
from synthpop_gb.population import DonorCounts
from synthpop_gb.report import write_report
from synthpop_gb.validation.level_fit import level_findings
from synthpop_gb.validation.noise import cells_within, noise_measures, noise_ratio, within_noise
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


def test_a_zone_is_judged_by_all_its_perturbed_cells_together():
    rng = np.random.default_rng(2)
    gap, n_cells = rng.normal(0, 1.3, (40, 3, 4)), np.array([2, 4, 3])
    gap *= np.arange(4) < n_cells[:, None]
    squares = (gap**2).sum(axis=2)
    frame = pd.DataFrame({
        "zone": np.repeat([f"Z{z}" for z in range(40)], 3), "tae": 1.0, "noisy_cells": np.tile(n_cells, 40),
        "noise_ratio": (squares / chi2.ppf(0.95, n_cells)).ravel(),
    })  # fmt: skip
    found = within_noise(frame, "zone")
    assert found.tolist() == (squares.sum(axis=1) <= chi2.ppf(0.95, 9)).tolist()
    assert 0 < found.sum() < 40
    exact = frame[frame["zone"] == "Z0"].assign(noisy_cells=0, noise_ratio=np.nan)
    assert not within_noise(exact, "zone")["Z0"]
    assert within_noise(exact.assign(tae=0.0), "zone")["Z0"]


def moved(placed, zone, people):
    """Counts in which so many people of a zone are copies of its first donor."""
    n = placed.n.copy()
    z = placed.zones.get_loc(zone)
    first, *others = range(placed.indptr[z], placed.indptr[z + 1])
    for i in others:
        step = min(people, n[i])
        n[i], n[first], people = n[i] - step, n[first] + step, people - step
    return DonorCounts(placed.zones, placed.indptr, placed.record, n)


def test_findings_say_which_misses_of_soft_targets_are_within_the_noise(aligned):
    soft = solve(formulate(aligned), method="calibrate", seed=1)
    one, other = soft.zones[:2]

    def told(population, counts):
        checks = validate(population, aligned, counts=[counts])
        return checks["zones"].set_index("zone"), next(f for f in checks.findings if f.code == "zone-not-fitted")

    zones, finding = told(soft, moved(soft.donors(), one, 1))
    assert zones.loc[one, "within_noise"]
    assert finding.message.endswith("The zone is as near the published counts as the publisher's noise lets anybody be.")
    assert finding.remedy.startswith("Nothing")
    zones, finding = told(soft, moved(moved(soft.donors(), one, 1), other, 40))
    assert zones.loc[[one, other], "within_noise"].tolist() == [True, False]
    assert finding.message.endswith("Beyond the publisher's noise: 1 zone; the other 1 is within it.")
    assert not finding.remedy.startswith("Nothing")
    hard = solve(formulate(aligned), method="ipf", seed=1)
    zones, finding = told(hard, moved(hard.donors(), one, 1))
    assert "within_noise" not in zones
    assert "noise" not in finding.message


def test_the_report_does_not_warn_of_zones_within_the_noise(aligned, tmp_path):
    soft = solve(formulate(aligned), method="calibrate", seed=1)
    checks = validate(soft, aligned, counts=[moved(moved(soft.donors(), soft.zones[0], 1), soft.zones[1], 40)])
    place = write_report(tmp_path, population=soft, aligned=aligned, checks=checks, title="Noise")
    text = html.unescape(place.read_text(encoding="utf-8"))
    assert "1 of these zones is as near the published counts as the publisher's noise lets anybody be; do not publish the" in text
    assert "Do not publish these zones as they stand" not in text


def test_findings_of_areas_say_so_too():
    frame = pd.DataFrame({
        "level": "msoa", "area": ["M1", "M2", "M3"], "table": "age", "held_out": False, "people": 100.0, "observed": 101.0,
        "tae": [2.0, 9.0, 0.0], "worst_cell": "old", "exact": [False, False, True], "noisy_cells": 4,
        "noise_ratio": [0.4, 3.0, 0.0],
    })  # fmt: skip
    (soft,), (hard,) = level_findings(frame, soft=True), level_findings(frame)
    assert soft.message.endswith("Beyond the publisher's noise: 1 area; the other 1 is within it.")
    assert soft.rows[["area", "within_noise"]].values.tolist() == [["M2", False], ["M1", True]]
    assert "noise" not in hard.message
