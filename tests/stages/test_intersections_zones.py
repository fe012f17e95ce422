"""The scan by zone on a small study: equal to counting people one by one, whatever the blocks, threads and references."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.coded import MISSING
from synthpop_gb.errors import InputError
from synthpop_gb.kernels.tally_zones import BINS
from synthpop_gb.validation.intersections import scan_zones, survey_codes
from synthpop_gb.validation.intersections.zone_rows import discoveries
from tests.reference import tally as twin
from tests.stages.small_world import cut, donor_counts, exact_counts, population, world

NAMES = ["age", "sex", "work", "tenure"]


@pytest.fixture(scope="module")
def study():
    aligned, people = world(seed=1, n_zones=6, n_records=120, empty=(2,))
    variables = {
        name: replace(v, categories=tuple(replace(c, code=str(i)) for i, c in enumerate(v.categories)))
        for name, v in aligned.survey.variables.items()
    }  # the records hold codes
    aligned = replace(aligned, survey=replace(aligned.survey, variables=variables))
    counts = exact_counts(people, aligned, np.random.default_rng(3))
    return aligned, people, counts, population(aligned, counts), survey_codes(aligned, NAMES)


def expanded(counts, records):
    """One row a person, in words, with the zone."""
    zone = np.repeat(np.arange(len(counts.zones)), np.diff(counts.indptr))
    rows = np.repeat(counts.record, counts.n)
    frame = pd.DataFrame({n: np.array(records.labels[i])[records.codes[rows, i]] for i, n in enumerate(records.names)})
    return frame.assign(zone=np.array(counts.zones)[np.repeat(zone, counts.n)])


def test_survey_codes_follow_the_codebook(study):
    aligned, _, _, _, records = study
    frame = aligned.frame()
    assert records.names == tuple(NAMES)
    assert (records.weight == aligned.weight).all()
    for i, name in enumerate(NAMES):
        labels = [c.label for c in aligned.survey.variables[name].categories]
        assert records.labels[i][: len(labels)] == tuple(labels)
    assert MISSING in records.labels[2]  # work of the young
    assert survey_codes(aligned).names == tuple(aligned.survey.variables)
    assert len(frame) == len(records)
    with pytest.raises(InputError, match=r"has no pay, rent\. It has: "):
        survey_codes(aligned, ["pay", NAMES[0], "rent"])


def test_by_zone_equals_counting_one_by_one(study):
    aligned, _, counts, solved, records = study
    checks = scan_zones(counts_of(counts), records, aligned.zones, fit=solved, tables=aligned.held_out)
    made = expanded(counts, records)
    weights, problem = solved.fitted(np.arange(len(aligned.zones))), solved.problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    total = np.bincount(profile, problem.donor_weight)
    by_record = np.zeros((len(aligned.zones), len(records)))
    by_record[:, problem.donor] = weights[:, profile] * problem.donor_weight / total[profile]
    said = pd.DataFrame({n: np.array(records.labels[i])[records.codes[:, i]] for i, n in enumerate(records.names)})
    rows = checks["scan_tables"].query("reference == 'the fractional fit, by zone'").set_index("combination")
    for names in (["age"], ["age", "tenure"], ["sex", "work", "tenure"]):
        cell = said[names].agg(" x ".join, axis=1)
        expected = pd.DataFrame(by_record.T, columns=aligned.zones).groupby(cell.to_numpy()).sum()
        observed = pd.crosstab(made[names].agg(" x ".join, axis=1), made["zone"])
        observed = observed.reindex(index=expected.index, columns=aligned.zones, fill_value=0)
        row = rows.loc[" x ".join(names)]
        assert row["tvd"] == pytest.approx((observed - expected).abs().to_numpy().sum() / 2 / expected.to_numpy().sum())
        assert row["missing"] == pytest.approx(expected.where(observed == 0, 0).to_numpy().sum() / expected.to_numpy().sum())
        floor = sum(twin.deviation(e) for e in expected.to_numpy().ravel() if e > 0) / 2
        assert row["tvd_floor"] == pytest.approx(floor / expected.to_numpy().sum())
        together = (
            checks["scan_tables"].query("reference == 'the fractional fit'").set_index("combination").loc[" x ".join(names)]
        )
        share = expected.sum(axis=1) / expected.to_numpy().sum()
        assert together["tvd"] == pytest.approx((observed.sum(axis=1) / len(made) - share).abs().sum() / 2)
    zone = checks["scan_zones"].query("reference == 'the fractional fit'").set_index("zone")
    assert zone["people"].tolist() == made["zone"].value_counts().reindex(aligned.zones, fill_value=0).tolist()
    assert np.isnan(zone["tvd"].iloc[2])  # nobody lives there


def counts_of(counts, lengths=(2, 1, 3)):
    return cut(counts, lengths)


def test_a_published_table_is_a_reference_of_its_own(study):
    aligned, people, counts, _, records = study
    checks = scan_zones([counts], records, aligned.zones, tables=aligned.held_out[:1], survey=False)
    row = checks["scan_tables"].query("reference == 'published age x sex, by zone'").iloc[0]
    made = expanded(counts, records)
    truth, ours = (f.groupby(["age", "sex", "zone"]).size() for f in (labelled(people), made))
    index = truth.index.union(ours.index)
    gap = (truth.reindex(index, fill_value=0) - ours.reindex(index, fill_value=0)).abs().sum()
    assert row["tvd"] == pytest.approx(gap / 2 / len(people))
    whole = checks["scan_tables"].query("reference == 'published age x sex'")
    assert set(whole["combination"]) == {"age", "sex", "age x sex"}
    assert whole.set_index("combination").loc["age", "tvd"] == 0  # a constraint, met
    assert checks.headline["by zone against published age x sex"].endswith(("0 combinations fail", "1 combination fails"))


def labelled(people):
    labels = {"age": ["young", "middle", "old"], "sex": ["male", "female"]}
    return people.assign(**{n: np.array(x)[people[n]] for n, x in labels.items()})


def test_blocks_and_threads_change_no_bit(study):
    aligned, _, counts, solved, records = study
    settings = {"fit": solved, "tables": aligned.held_out, "also": [NAMES]}
    one = scan_zones([counts], records, aligned.zones, workers=1, **settings)
    other = scan_zones(cut(counts, [1] * 6), records, aligned.zones, workers=4, **settings)
    assert one.headline == other.headline
    for name, frame in one.tables.items():
        pd.testing.assert_frame_equal(frame, other[name], check_exact=True)
    assert "age x sex x work x tenure" in one["scan_tables"]["combination"].tolist()


def test_people_in_the_wrong_zone_are_found_and_named(study):
    """Everybody of one zone made the same record: that zone's groups are beyond chance, and the fit is not to blame elsewhere."""
    aligned, _, counts, solved, records = study
    zone = np.repeat(np.arange(len(counts.zones)), np.diff(counts.indptr))
    record = np.where(zone == 1, counts.record[counts.indptr[1]], counts.record)
    rows = [
        (z, *_summed(record[zone == i], counts.n[zone == i])) for i, z in enumerate(counts.zones)
    ]  # fmt: skip
    checks = scan_zones([donor_counts(rows)], records, aligned.zones, fit=solved, survey=False)
    cells = checks["scan_zone_cells"]
    bad = counts.zones[1]
    assert cells["zone"].iloc[0] == bad
    assert (cells.loc[cells["explained_by"] != "", "k"] > 1).all()
    zones = checks["scan_zones"].set_index("zone")
    assert zones["tvd"].idxmax() == bad
    assert zones.loc[bad, "times_floor"] > 3
    assert checks.headline["passes by zone"] is False
    assert bad in checks.headline["worst group by zone"]
    assert checks.findings[0].code == "misweighted-group"


def _summed(record, n):
    found, inverse = np.unique(record, return_inverse=True)
    return found, np.bincount(inverse.ravel(), n).astype(int)


def test_the_true_copies_pass_against_their_fit(study):
    aligned, _, counts, solved, records = study
    checks = scan_zones([counts], records, aligned.zones, fit=solved, impossible="age = 'young' and work = 'idle'")
    assert checks.headline["passes by zone"]
    assert checks.headline["zones scanned"] == 6
    survey = checks["scan_tables"].query("reference == 'the survey'")
    assert survey["invented"].isna().all()
    assert survey["passes"].isna().all()
    assert set(checks["scan_coverage"]["reference"]) == {"the fractional fit", "the survey"}


def test_nobody_and_nothing(study):
    aligned, _, _, solved, records = study
    checks = scan_zones([], records, aligned.zones, fit=solved, tables=aligned.held_out)
    assert checks.findings[0].code == "nothing-to-compare"
    bare = scan_zones([], records.select([]), aligned.zones, fit=solved)
    assert bare.headline["combinations scanned"] == 0
    none = scan_zones([], records, aligned.zones, survey=False)
    assert none["scan_tables"].empty


def test_a_perturbed_nought_is_no_proof(study):
    aligned, _, counts, _, records = study
    table = replace(aligned.held_out[0], standard_error=1.5)
    checks = scan_zones([counts], records, aligned.zones, tables=[table], survey=False)
    assert checks["scan_tables"].query("reference == 'published age x sex, by zone'")["invented"].iloc[0] == 0


def test_what_does_not_belong_together_is_refused(study):
    aligned, _, counts, solved, records = study
    with pytest.raises(ValueError, match="not in the study"):
        scan_zones([counts], records, aligned.zones[:2])
    with pytest.raises(ValueError, match="more than once"):
        scan_zones([counts, counts], records, aligned.zones)
    few = records.weighing(records.weight)
    short = type(few)(few.names, few.labels, few.codes[:20], few.weight[:20])
    with pytest.raises(ValueError, match="records"):
        scan_zones([counts], short, aligned.zones)
    with pytest.raises(ValueError, match="the fit is of 120 records"):
        scan_zones([counts], short, aligned.zones, fit=solved)
    with pytest.raises(ValueError, match="knows 120 records"):
        scan_zones([counts], short, aligned.zones, tables=aligned.held_out)
    lacking = pd.Index([*aligned.zones, "E999"])
    with pytest.raises(ValueError, match=r"no zone E999|no counts"):
        scan_zones([counts], records, lacking, tables=aligned.held_out)


def test_discoveries_on_a_grid_are_never_more_than_exact_ones():
    from synthpop_gb.validation.chance import adjusted

    rng = np.random.default_rng(0)
    for share in (0.0, 0.05, 0.5):
        p = np.where(rng.random(4000) < share, rng.random(4000) ** 9, rng.random(4000))
        bins = np.bincount(np.minimum((-20 * np.log10(p)).astype(int), BINS - 1), minlength=BINS)[None]
        found, limit = discoveries(bins, 0.05)
        exact = int((adjusted(p) <= 0.05).sum())
        assert exact * 0.9 - 2 <= found[0] <= exact
        assert (found[0] == 0) == np.isinf(limit)
