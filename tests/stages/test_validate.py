"""Validation against counting people one by one, and the laws it must keep: block cuts, order of zones, edges, findings."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.geography import Geography
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation import METRICS, metrics, register_metric, validate
from synthpop_gb.validation.comparisons import held_out_tables, pairs
from synthpop_gb.validation.zone_fit import row_measures
from tests.stages.small_world import (
    AGE,
    SEX,
    TENURE,
    WORK,
    aligned_table,
    cell,
    cut,
    donor_counts,
    exact_counts,
    population,
    world,
)

ZONES = 5


def random_counts(aligned, rng, people=40):
    rows = [(z, *np.unique(rng.integers(0, len(aligned.records), people), return_counts=True)) for z in aligned.zones]
    return donor_counts(rows)


def expand(counts, aligned):
    """One row a person, with the answers of their donor."""
    people = aligned.frame().iloc[np.repeat(counts.record, counts.n)].copy()
    people["zone"] = np.repeat(np.repeat(counts.zones, np.diff(counts.indptr)), counts.n)
    return people


def same(left, right):
    """Equal to the last bit."""
    assert left.keys() == right.keys()
    for name, frame in left.items():
        pd.testing.assert_frame_equal(frame, right[name], check_exact=True)


@pytest.fixture(scope="module")
def study():
    aligned, people = world(seed=4)
    return aligned, people, random_counts(aligned, np.random.default_rng(1))


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_recount_equals_grouping_people_who_were_written_out(seed):
    aligned, _ = world(seed=seed % 7, empty=(seed % 5,))
    counts = random_counts(aligned, np.random.default_rng(seed), people=seed % 60)
    people = expand(counts, aligned)
    checks = validate(population(aligned, counts), aligned)
    fit = checks["cell_fit"]
    for (variable,) in ([AGE], [SEX], [WORK]):
        here = people[people[variable.name] >= 0]
        labels = np.array([c.label for c in variable.categories])
        wanted = here.groupby(["zone", labels[here[variable.name]]]).size()
        got = fit[fit["table"] == variable.name].set_index(["zone", "cell"])["observed"]
        assert got.sum() == len(here)
        for key, n in wanted.items():
            assert got[key] == n
    reuse = checks["donor_reuse"].set_index("zone")
    copies = people.groupby("zone")["age"].size()
    assert (reuse["people"] == copies.reindex(reuse.index, fill_value=0)).all()
    for z, here in people.groupby("zone"):
        each = here.index.value_counts()
        assert reuse.loc[z, "donors"] == len(each)
        assert reuse.loc[z, "largest_share"] == each.max() / len(here)
        assert reuse.loc[z, "effective_donors"] == pytest.approx(len(here) ** 2 / (each**2).sum())


def test_measures_of_zones_tables_and_parents_equal_the_metrics(study):
    aligned, _, counts = study
    checks = validate(population(aligned, counts), aligned)
    cells = checks["cell_fit"]
    for (zone, table), here in cells.groupby(["zone", "table"], observed=True):
        row = checks["zone_fit"].set_index(["zone", "table"]).loc[(zone, table)]
        for name in ("tae", "sae", "srmse", "r2", "rssz", "nonfitting_cells"):
            assert row[name] == pytest.approx(METRICS[name](here["observed"], here["expected"]), nan_ok=True)
        assert row["max_z"] == pytest.approx(np.abs(metrics.z_modified(here["observed"], here["expected"])).max())
        assert row["fits"] == (row["rssz"] <= 1)
    for table, here in cells.groupby("table", observed=True):
        row = checks["table_fit"].set_index("table").loc[table]
        for name in ("tae", "sae", "misplaced", "srmse", "r2", "sei"):
            assert row[name] == pytest.approx(METRICS[name](here["observed"], here["expected"]))
        assert row["nonfitting_cells"] == checks["zone_fit"].groupby("table")["nonfitting_cells"].sum()[table]
    district = cells["zone"].astype(str).map(aligned.geography.zones["district"])
    for (parent, table), here in cells.groupby([district, "table"], observed=True):
        sums = here.groupby("cell", observed=True)[["observed", "expected"]].sum()
        row = checks["parent_fit"].set_index(["parent", "table"]).loc[(parent, table)]
        assert row["level"] == "district"
        assert row["tae"] == metrics.tae(sums["observed"], sums["expected"])
        assert row["zones"] == (aligned.geography.zones["district"] == parent).sum()


def test_total_absolute_errors_add_up(study):
    aligned, _, counts = study
    checks = validate(population(aligned, counts), aligned)
    assert checks["cell_fit"]["error"].abs().sum() == checks["zone_fit"]["tae"].sum() == checks["zones"]["tae"].sum()
    assert checks["table_fit"]["tae"].sum() == checks["zones"]["tae"].sum() == checks.headline["total absolute error"]
    parents = checks["parent_fit"].groupby("table")["tae"].sum()
    assert (parents <= checks["table_fit"].set_index("table")["tae"]).all()  # errors cancel when zones are added up


def test_exact_people_are_exact_and_above_no_floor():
    aligned, people = world(seed=2, noise=5)
    counts = exact_counts(people, aligned, np.random.default_rng(0))
    checks = validate(population(aligned, counts), aligned)
    assert checks.headline["zones exact"] == checks.headline["zones"] == ZONES
    assert checks.headline["total absolute error"] == checks.headline["total absolute error above the floor"] == 0
    assert checks.headline["worst zone"] is None
    floor = checks["zone_fit"].groupby("zone")["floor"].sum()
    assert floor.sum() > 0
    assert (floor == aligned.floor).all()
    assert (checks["zone_fit"]["tae_published"] == checks["zone_fit"]["floor"]).all()
    assert [f.code for f in checks.findings if f.code != "worse-than-independence"] == []


def test_moving_one_person_shows(study):
    aligned, people = world(seed=2)
    counts = exact_counts(people, aligned, np.random.default_rng(0))
    frame = aligned.frame()
    young = frame.index.get_indexer(frame.index[(frame["age"] == 0) & (frame["sex"] == 0)])
    old = int(np.flatnonzero((frame["age"] == 2) & (frame["sex"] == 0) & (frame["work"] == 0))[0])
    at = int(np.flatnonzero(np.isin(counts.record, young))[0])
    record = np.append(counts.record, np.int32(0))
    n, zone = counts.n.copy(), int(np.searchsorted(counts.indptr, at, side="right")) - 1
    n[at] -= 1
    record = np.insert(counts.record, counts.indptr[zone + 1], old).astype(np.int32)
    n = np.insert(n, counts.indptr[zone + 1], 1).astype(np.int32)
    indptr = counts.indptr + (np.arange(len(counts.indptr)) > zone)
    moved = DonorCounts(counts.zones, indptr, record, n)
    checks = validate(population(aligned, counts), aligned, counts=[moved])
    row = checks["zone_fit"].set_index(["zone", "table"])["tae"]
    name = counts.zones[zone]
    assert (row[name, "age"], row[name, "sex"], row[name, "work"]) == (2, 0, 1)
    assert row.sum() == 3
    assert checks.headline["worst zone"] == name
    assert {f.code for f in checks.findings} >= {"zone-not-fitted", "recount-differs"}


@settings(max_examples=20)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=ZONES), st.booleans())
def test_blocks_cut_differently_give_the_same_bits(lengths, backwards):
    aligned, _ = world(seed=4)
    counts = random_counts(aligned, np.random.default_rng(1))
    stand_in = population(aligned, counts)
    blocks = list(cut(counts, [*lengths, ZONES]))
    blocks = [b for b in blocks if len(b.zones)]
    same(validate(stand_in, aligned).tables, validate(stand_in, aligned, counts=blocks[::-1] if backwards else blocks).tables)


@settings(max_examples=15)
@given(st.permutations(range(ZONES)))
def test_shuffling_zones_permutes_the_results(order):
    aligned, _ = world(seed=4)
    counts = random_counts(aligned, np.random.default_rng(1))
    zones = aligned.zones[list(order)]
    shuffled = replace(
        aligned,
        constraints=tuple(
            replace(t, targets=t.targets.loc[zones], published=t.published.loc[zones]) for t in aligned.constraints
        ),
        held_out=tuple(replace(t, targets=t.targets.loc[zones]) for t in aligned.held_out),
        geography=aligned.geography.subset(zones),
        floor=aligned.floor.loc[zones],
    )
    one, two = validate(population(aligned, counts), aligned), validate(population(shuffled, counts), shuffled)
    for name in ("zone_fit", "zones", "held_out_zones", "donor_reuse"):
        keys = [c for c in ("zone", "table") if c in one[name]]
        left, right = (x[name].set_index(keys).sort_index() for x in (one, two))
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    for name in ("table_fit", "parent_fit", "intersections", "held_out", "intersection_cells", "record_use"):
        left, right = (x[name].drop(columns="worst_zone", errors="ignore") for x in (one, two))
        pd.testing.assert_frame_equal(left, right, rtol=1e-12)


def test_zones_without_people_divide_by_nothing():
    aligned, people = world(seed=3, empty=(0, 4))
    counts = exact_counts(people, aligned, np.random.default_rng(0))
    assert len(counts.zones) == 3  # read from a file, empty zones are left out
    checks = validate(population(aligned, counts), aligned)
    assert checks.headline["zones with nobody"] == 2
    assert checks.headline["zones exact"] == ZONES
    empty = checks["zones"].set_index("zone").loc[["E000", "E004"]]
    numbers = empty.select_dtypes("number")
    assert np.isfinite(numbers.to_numpy()).all()
    assert (empty["fit"] == "EMPTY").all()
    assert (checks["held_out_zones"].query("zone == 'E000'").select_dtypes("number").drop(columns="r2") == 0).all(axis=None)


def test_zones_that_are_missing_from_the_counts_are_not_forgiven(study):
    aligned, _, counts = study
    [first, *_] = cut(counts, [2, 3])
    checks = validate(population(aligned, counts), aligned, counts=[first])
    assert checks["zones"].set_index("zone").loc["E003", "people"] == 0
    assert checks["zones"].set_index("zone").loc["E003", "tae"] == checks["cell_fit"].query("zone == 'E003'")["expected"].sum()
    [differs] = [f for f in checks.findings if f.code == "recount-differs"]
    assert set(differs.rows["zone"]) >= {"E002", "E003", "E004"}


def test_held_out_figures_equal_the_long_way(study):
    aligned, _, counts = study
    stand_in = population(aligned, counts)
    checks = validate(stand_in, aligned)
    frame, problem = aligned.frame(), stand_in.problem
    weights = stand_in.fitted(np.arange(ZONES))
    for table, variables in zip(aligned.held_out, ([AGE, SEX], [AGE, TENURE]), strict=True):
        published, cells = table.targets.to_numpy(), cell(frame, variables)
        n_cells = published.shape[1]
        observed = np.zeros((ZONES, n_cells))
        for z in range(ZONES):
            rows = slice(counts.indptr[z], counts.indptr[z + 1])
            np.add.at(observed[z], cells[counts.record[rows]], counts.n[rows])
        fitted = np.zeros((ZONES, n_cells))
        for p in range(problem.n_profiles):
            donors = slice(problem.donor_start[p], problem.donor_start[p + 1])
            share = problem.donor_weight[donors] / problem.donor_weight[donors].sum()
            for d, s in zip(problem.donor[donors], share, strict=True):
                fitted[:, cells[d]] += weights[:, p] * s
        people = published.sum(1)
        survey = np.bincount(cells, aligned.weight, minlength=n_cells) / aligned.weight.sum() * people[:, None]
        average = published.sum(0) / published.sum() * people[:, None]
        grid = fitted.reshape(ZONES, 3, 2)
        independence = (grid.sum(2)[:, :, None] * grid.sum(1)[:, None, :] / grid.sum((1, 2))[:, None, None]).reshape(ZONES, -1)
        row = checks["held_out"].set_index("table").loc[" x ".join(v.name for v in variables)]
        for name, values in [
            ("whole", observed), ("fit", fitted), ("independence", independence), ("survey", survey), ("average", average),
        ]:  # fmt: skip
            wrong = np.abs(values - published).sum(1) / 2
            assert row[f"wrong_{name}"] == pytest.approx(100 * wrong.sum() / people.sum())
            assert row[f"zone_mean_{name}"] == pytest.approx(100 * (wrong / people).mean())
        assert row["rounding"] == pytest.approx(50 * np.abs(observed - fitted).sum() / people.sum())
        assert row["tae"] == np.abs(observed - published).sum()
        assert row["invented"] == pytest.approx(100 * observed[published == 0].sum() / people.sum(), abs=1e-4)
        assert row["missing"] == pytest.approx(100 * published[observed == 0].sum() / people.sum(), abs=1e-4)
        worst = (np.abs(observed - published).sum(1) / people).argmax()
        assert row["worst_zone"] == aligned.zones[worst]
        found = checks["held_out_cells"].query("table == @row.name")
        assert found["abs_error"].to_numpy() == pytest.approx(np.abs(observed - published).sum(0))
        assert found["fitted"].to_numpy() == pytest.approx(fitted.sum(0), abs=1e-4)


def test_each_pair_is_measured_against_the_best_reference_there_is():
    aligned, _ = world(seed=1)
    by_name = {p.name: p for p in pairs(aligned, aligned.held_out)}
    assert {n: p.source for n, p in by_name.items()} == {"age x sex": "held out", "age x work": "fit", "sex x work": "fit"}
    # age is whole inside and outside the universe of work, so its margin there is fixed; sex is not
    assert {n: p.kept for n, p in by_name.items()} == {
        "age x sex": (True, True), "age x work": (True, True), "sex x work": (False, True),
    }  # fmt: skip
    assert by_name["age x sex"].cell_labels[:3] == ["young x male", "young x female", "middle x male"]
    assert {c.name: c.kept for c in held_out_tables(aligned, aligned.held_out)} == {
        "age x sex": (True, True), "age x tenure": (True, False),
    }  # fmt: skip
    crossed, _ = world(seed=1, joint=True)
    assert {p.name: p.source for p in pairs(crossed, ())} == {"age x sex": "constraint", "age x work": "fit", "sex x work": "fit"}


def test_a_finer_published_table_is_merged_and_a_clashing_one_is_not():
    aligned, people = world(seed=1)
    [table, _] = aligned.held_out
    zone = aligned.zones.get_indexer(people["zone"])
    young = [replace(AGE.categories[0], label=x, code=x, atoms=frozenset([f"age:{x}"])) for x in ("child", "teenager")]
    coarse = replace(AGE.categories[0], atoms=young[0].atoms | young[1].atoms)
    constraint = replace(aligned.constraints[0], categories=((coarse, *AGE.categories[1:]),))
    age4 = replace(AGE, categories=(*young, *AGE.categories[1:]))
    split = np.where(aligned.frame()["age"] > 0, aligned.frame()["age"] + 1, np.arange(len(aligned.records)) % 2)
    true = np.where(people["age"] > 0, people["age"] + 1, np.arange(len(people)) % 2)
    counts = np.zeros((ZONES, 8), int)
    np.add.at(counts, (zone, true * 2 + people["sex"].to_numpy()), 1)
    fine = aligned_table([age4, SEX], pd.DataFrame(counts, aligned.zones), split * 2 + aligned.frame()["sex"].to_numpy())
    study = replace(aligned, constraints=(constraint, *aligned.constraints[1:]))
    assert (pairs(study, [fine])[0].reference == table.targets.to_numpy()).all()
    clash = replace(
        fine, categories=((replace(young[0], atoms=frozenset(["age:else"])), *fine.categories[0][1:]), fine.categories[1])
    )
    assert pairs(study, [clash])[0].source == "fit"


def test_fits_that_did_not_converge_come_first(study):
    aligned, _, counts = study
    stand_in = population(aligned, counts)
    stand_in.status.loc["E002", ["fit", "residual", "worst_cell"]] = ["STALLED", 3.5, "work = idle"]
    stand_in.status.loc["E004", ["fit", "residual", "worst_cell"]] = ["INFEASIBLE", 1.0, "age = old"]
    checks = validate(stand_in, aligned)
    first, second = checks.findings[:2]
    assert (first.code, first.place, first.count) == ("zone-not-fitted", "E004", 2)
    assert list(first.rows["zone"]) == ["E004", "E002"]
    assert "did not converge (1 INFEASIBLE, 1 STALLED)" in first.message
    assert "age = old" in first.message
    assert (second.code, second.count) == ("zone-not-fitted", 3)
    assert second.rows["tae"].is_monotonic_decreasing
    assert checks.headline["zones not converged"] == 2
    assert checks.headline["largest residual before integerising"] == 3.5


def test_worse_than_independence_is_said(study):
    aligned, _, counts = study
    checks = validate(population(aligned, counts), aligned)
    bad = checks["held_out"].query("wrong_whole > wrong_independence")["table"]
    assert len(bad)
    assert [f.place for f in checks.findings if f.code == "worse-than-independence"] == list(bad)


def test_bad_counts_are_refused(study):
    aligned, _, counts = study
    stand_in = population(aligned, counts)
    for wrong, says in [
        (replace(counts, zones=pd.Index(["X1", *counts.zones[1:]])), "X1"),
        (replace(counts, record=np.where(counts.record == counts.record[0], 10**6, counts.record).astype(np.int32)), "beyond"),
        (replace(counts, n=-counts.n), "fewer than no people"),
    ]:
        with pytest.raises(ValueError, match=says):
            validate(stand_in, aligned, counts=[wrong])
    with pytest.raises(ValueError, match="more than once: E000"):
        validate(stand_in, aligned, counts=[counts, counts])
    short = replace(aligned.held_out[0], targets=aligned.held_out[0].targets.iloc[1:])
    with pytest.raises(ValueError, match=r"has no counts for 1 zones, e\.g\. E000"):
        validate(stand_in, aligned, held_out=[short])
    other, _ = world(seed=9, n_records=70)
    with pytest.raises(ValueError, match="different records"):
        validate(stand_in, other)
    larger, _ = world(seed=4, n_zones=6)
    with pytest.raises(ValueError, match="no zone E005"):
        validate(stand_in, larger)


def test_a_method_without_duals_is_judged_by_tables_alone(study):
    aligned, _, counts = study
    with_fit, without = (validate(population(aligned, counts, duals=duals), aligned) for duals in (True, False))
    pd.testing.assert_frame_equal(with_fit["zone_fit"], without["zone_fit"])
    row, known = (x["held_out"].iloc[0] for x in (without, with_fit))
    assert row["wrong_whole"] == known["wrong_whole"]
    assert np.isnan([row["wrong_fit"], row["wrong_independence"], row["rounding"]]).all()
    assert "pairs of variables" not in without.headline
    json.dumps(without.headline, allow_nan=False)


def test_everything_can_be_written_and_read_again(study, tmp_path):
    aligned, _, counts = study
    checks = validate(population(aligned, counts), aligned)
    for name, frame in checks.tables.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
        again = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert list(again.columns) == list(frame.columns)
        assert len(again) == len(frame) > 0
    json.dumps(checks.headline, allow_nan=False)
    assert all(json.dumps(f.to_dict(), default=str) for f in checks.findings)
    assert "zones exact" in repr(checks)


def test_no_held_out_tables_and_no_parents(study, tmp_path):
    aligned, _, counts = study
    alone = replace(aligned, held_out=(), geography=Geography(aligned.geography.zones[[]]))
    checks = validate(population(aligned, counts), alone)
    full = validate(population(aligned, counts), aligned)
    for name in ("held_out", "held_out_zones", "held_out_cells", "parent_fit"):
        assert checks[name].empty
        assert list(checks[name].columns) == list(full[name].columns)
        checks[name].to_parquet(tmp_path / f"{name}.parquet")
    assert (full["intersections"]["reference"] == "held out").any()
    assert not (checks["intersections"]["reference"] == "held out").any()
    assert len(validate(population(aligned, counts), alone, held_out=aligned.held_out)["held_out"]) == 2


def test_a_registered_metric_appears_by_table_and_by_zone(study):
    aligned, _, counts = study

    @register_metric(source="this test", unit="people")
    def largest(observed, expected, *, weights=None, axis=None):
        return np.abs(np.asarray(observed) - np.asarray(expected)).max(axis=axis)

    @register_metric(source="this test")
    def cells_off(observed, expected, *, weights=None):
        return float((np.asarray(observed) != np.asarray(expected)).sum())

    try:
        checks = validate(population(aligned, counts), aligned)
    finally:
        del METRICS["largest"], METRICS["cells_off"]
    assert checks["table_fit"]["largest"].max() == checks["cell_fit"]["error"].abs().max()
    assert checks["zone_fit"]["largest"].max() == checks["cell_fit"]["error"].abs().max()
    assert "largest" in checks["parent_fit"]
    assert checks["table_fit"]["cells_off"].sum() == (checks["cell_fit"]["error"] != 0).sum()
    assert "cells_off" not in checks["zone_fit"]


def test_most_used_records_are_named(study):
    aligned, _, counts = study
    bare = validate(population(aligned, counts), aligned)["record_use"]
    assert list(bare) == ["copies", "zones", "share"]  # the survey's licence is not open
    aligned = replace(aligned, survey=replace(aligned.survey, licence="open"))
    used = validate(population(aligned, counts), aligned)["record_use"]
    pd.testing.assert_frame_equal(used[list(bare)], bare)
    copies = pd.Series(counts.n).groupby(aligned.records[counts.record].to_numpy()).sum()
    assert used["copies"].is_monotonic_decreasing
    assert (used.set_index("record")["copies"] == copies.reindex(used["record"])).all()
    assert used["share"].sum() == pytest.approx(100)
    weight = pd.Series(aligned.weight / aligned.weight.sum(), aligned.records)
    assert used["times_weight"].to_numpy() == pytest.approx(used["share"] / 100 / weight.reindex(used["record"]).to_numpy())


def test_people_who_meet_targets_moved_on_a_shared_margin_are_at_the_floor():
    """Totals agree (100 and 100), margins do not (52 and 48 against 50 and 50): meeting the targets leaves an error of 4."""
    published, settled = np.array([[52.0, 48.0], [48.0, 52.0]]), np.array([[50.0, 50.0], [50.0, 50.0]])
    got = row_measures(settled, settled, published)
    assert list(got["tae_published"]) == list(got["floor"]) == [4, 4]
    assert list(got["tae_above_floor"]) == [0, 0]
    both = row_measures(*(x.sum(axis=0, keepdims=True) for x in (settled, settled, published)))
    assert list(both["floor"]) == [0]  # errors of zones cancel within a parent
