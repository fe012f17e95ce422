"""A run's folder: what is written can be read back, the licence is kept, nothing finished is overwritten, changes are noticed."""

import json
import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthpop_gb import run_folder
from synthpop_gb.checks import Checks
from synthpop_gb.errors import FitWarning, InputError, finding
from synthpop_gb.execution import solve
from synthpop_gb.population import digest_counts, id_order, sort_by_id
from synthpop_gb.provenance import InputFile
from synthpop_gb.run_folder import _counts
from synthpop_gb.testing import assert_fits, assert_same_population, small_problem
from tests.problems import make_problem
from tests.stages.small_world import world


@pytest.fixture(scope="module", params=["shuffled", "ascending", "text", "wide"])
def population(request):
    return solve(make_problem(n_zones=14, empty=(0, 6), ids=request.param), seed=3)


def codes(error):
    return [f.code for f in error.value.findings]


def test_saved_and_loaded_alone(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    loaded = run_folder.load(folder)
    assert_same_population(loaded, population)
    assert_fits(loaded)
    for name in ("indptr", "profile", "count", "duals"):
        assert getattr(loaded, name).tobytes() == getattr(population, name).tobytes()
    pd.testing.assert_frame_equal(loaded.status, population.status)
    assert loaded.provenance == population.provenance
    assert loaded.problem.cells.equals(population.problem.cells)
    assert repr(loaded) == repr(population)


def test_counts_file_is_plain_and_sorted(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    frame = pd.read_parquet(folder / "population/counts.parquet")
    assert list(frame.columns) == ["zone", "donor", "n"]
    ids = population.problem.records
    every = sort_by_id(population.donors(), *id_order(ids))
    assert list(frame["zone"].astype(str)) == list(np.repeat(every.zones, np.diff(every.indptr)))
    assert list(frame["donor"]) == list(ids[every.record])
    assert list(frame["n"]) == list(every.n)
    profiles = pd.read_parquet(folder / "population/profiles.parquet")
    assert list(profiles.columns) == ["zone", "profile", "replicate", "n"]
    assert (profiles["replicate"] == 0).all()
    assert profiles["n"].sum() == population.people


@pytest.mark.parametrize("rows", [1, 400, 10**9])
def test_counts_are_read_back_from_the_file(tmp_path, population, rows, monkeypatch):
    monkeypatch.setattr(_counts, "_ROWS", rows)
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    groups = pq.ParquetFile(folder / "population/counts.parquet").num_row_groups
    assert groups == {1: 14, 10**9: 1}.get(rows, groups)
    assert groups > 1 or rows == 10**9
    records = population.problem.records
    every, position = sort_by_id(population.donors(), *id_order(records)), {z: i for i, z in enumerate(population.zones)}
    seen = []
    for block in run_folder.read_counts(folder, records):
        for i, zone in enumerate(block.zones):
            z = position[zone]
            a, b, c, d = block.indptr[i], block.indptr[i + 1], every.indptr[z], every.indptr[z + 1]
            assert (block.record[a:b] == every.record[c:d]).all()
            assert (block.n[a:b] == every.n[c:d]).all()
        seen += list(block.zones)
    assert seen == [z for i, z in enumerate(population.zones) if i not in (0, 6)]
    assert (
        digest_counts(run_folder.read_counts(folder, records), records)
        == population.digest()
        == run_folder.read_run(folder)["digest"]
    )
    facts = run_folder.counts_facts(folder)
    assert facts == {"rows": len(every.n), "people": population.people, "digest": population.digest()}
    with pytest.raises(InputError) as error:
        list(run_folder.read_counts(folder, records[1:40]))
    assert codes(error) == ["input-changed"]


def test_order_of_the_records_given_is_followed(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    records = population.problem.records
    order = np.random.default_rng(1).permutation(len(records))
    shuffled = records[order]
    for block, known in zip(run_folder.read_counts(folder, shuffled), run_folder.read_counts(folder, records), strict=True):
        assert (shuffled[block.record] == records[known.record]).all()
    assert digest_counts(run_folder.read_counts(folder, shuffled), shuffled) == population.digest()


def test_a_restricted_survey_does_not_leave_with_the_run(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run")
    assert not (folder / "population/problem.npz").exists()
    assert run_folder.read_run(folder)["licence"] == "restricted"
    assert "no record's answers are in this folder" in (folder / "README.md").read_text(encoding="utf-8")
    written = b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())
    assert population.problem.donor_weight.tobytes()[:64] not in written
    with pytest.raises(InputError, match="may not be copied") as error:
        run_folder.load(folder)
    assert codes(error) == ["licence"]
    assert_same_population(run_folder.load(folder, problem=population.problem), population)
    with pytest.raises(InputError) as error:
        run_folder.load(folder, problem=replace(population.problem, start=population.problem.start * 2))
    assert codes(error) == ["input-changed"]


def test_the_surveys_own_licence_wins(tmp_path, population):
    aligned, _ = world()
    aligned = replace(aligned, survey=replace(aligned.survey, licence="end-user"))
    with pytest.raises(InputError) as error:
        run_folder.save(population, tmp_path / "run", aligned=aligned, licence="open")
    assert codes(error) == ["licence"]
    assert not (tmp_path / "run").exists()
    folder = run_folder.save(population, tmp_path / "run", aligned=aligned)
    assert not (folder / "population/problem.npz").exists()
    made_from = run_folder.read_run(folder)["made_from"]
    assert [v["name"] for v in made_from["variables"]][:3] == ["age", "sex", "work"]


def test_finished_runs_are_not_overwritten_in_silence(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    (folder / "maps").mkdir()
    (folder / "maps/old.png").write_text("old")
    with pytest.raises(InputError) as error:
        run_folder.save(population, folder)
    assert codes(error) == ["output-exists"]
    assert run_folder.is_finished(folder)
    run_folder.save(population, folder, overwrite=True)
    assert run_folder.is_finished(folder)
    assert not (folder / "maps").exists()  # of the population that is gone
    assert not (folder / "population/problem.npz").exists()


def test_folders_of_other_things_are_left_alone(tmp_path, population):
    (tmp_path / "thesis.tex").write_text("all my work")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="no run of this program") as error:
            run_folder.save(population, tmp_path, overwrite=overwrite)
        assert codes(error) == ["output-exists"]
    with pytest.raises(InputError, match="is a file") as error:
        run_folder.save(population, tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "all my work"


def test_an_unfinished_run_is_no_run_yet(tmp_path, population):
    folder = run_folder.begin(tmp_path / "run")
    run_folder.write_population(population, folder, licence="open")
    assert not run_folder.is_finished(folder)
    with pytest.raises(InputError, match="is not finished") as error:
        run_folder.load(folder)
    assert codes(error) == ["missing-file"]
    with pytest.raises(InputError) as error:
        run_folder.load(tmp_path / "nowhere")
    assert codes(error) == ["missing-file"]


def test_nothing_half_written(tmp_path, population, monkeypatch):
    """Disk full in the middle of the counts: no counts.parquet, no temporary file, and the run can be taken up."""
    folder = run_folder.begin(tmp_path / "run")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(_counts, "digest_counts", full)
        with pytest.raises(OSError, match="No space left"):
            run_folder.write_population(population, folder)
    assert not (folder / "population/counts.parquet").exists()
    assert not list(folder.rglob(f".{os.getpid()}*"))
    run_folder.begin(folder)
    run_folder.write_population(population, folder)
    run_folder.finish(population, folder)
    assert run_folder.is_finished(folder)


def test_a_file_held_open_elsewhere_is_a_finding(tmp_path, population, monkeypatch):
    folder = run_folder.begin(tmp_path / "run")

    def held(source, target):
        raise PermissionError(13, "Permission denied", str(source), None, str(target))

    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(InputError, match=r"profiles\.parquet cannot be written") as error:
        run_folder.write_population(population, folder)
    assert codes(error) == ["output-locked"]
    assert not list(folder.rglob(f".{os.getpid()}*"))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_folder_that_may_not_be_written_is_a_finding(tmp_path, population):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError) as error:
            run_folder.save(population, tmp_path / "run")
    finally:
        tmp_path.chmod(0o700)
    assert codes(error) == ["output-locked"]


def test_changed_inputs_are_noticed(tmp_path, population):
    survey = tmp_path / "survey.csv"
    survey.write_text("id,age\n1,30\n")
    noted = replace(population, provenance=replace(population.provenance, inputs=(InputFile.of(survey),)))
    folder = run_folder.save(noted, tmp_path / "run", licence="open")
    assert run_folder.changed_inputs(run_folder.read_run(folder)["inputs"]) == ()
    survey.write_text("id,age\n1,31\n")
    (found,) = run_folder.changed_inputs(run_folder.read_run(folder)["inputs"])
    assert (found.code, found.place) == ("input-changed", str(survey))
    with pytest.warns(UserWarning, match=r"survey\.csv is not the file"):
        assert_same_population(run_folder.load(folder), population)
    with pytest.raises(InputError, match=r"survey\.csv is not the file"):
        run_folder.load(folder, problem=replace(population.problem, start=population.problem.start * 2))
    survey.unlink()
    (found,) = run_folder.changed_inputs(run_folder.read_run(folder)["inputs"])
    assert found.code == "missing-file"
    assert_same_population(run_folder.load(folder), population)


@pytest.mark.parametrize("name", ["profiles.parquet", "status.parquet", "duals.parquet", "problem.npz", "counts.parquet"])
def test_changed_files_of_the_run_are_noticed(tmp_path, name):
    folder = run_folder.save(solve(small_problem(), seed=1), tmp_path / "run", licence="open")
    path = folder / "population" / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"?")
    with pytest.raises(InputError) as error:
        run_folder.load(folder)
    assert codes(error) == ["input-changed"]
    path.unlink()
    with pytest.raises(InputError) as error:
        run_folder.load(folder)
    assert codes(error) == ["missing-file"]


def test_files_that_are_not_what_they_seem(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    (folder / "population/counts.parquet").write_text("zone,donor,n\n")
    with pytest.raises(InputError) as error:
        list(run_folder.read_counts(folder, population.problem.records))
    assert codes(error) == ["unreadable-file"]
    (folder / "population/counts.parquet").unlink()
    with pytest.raises(InputError) as error:
        list(run_folder.read_counts(folder, population.problem.records))
    assert codes(error) == ["missing-file"]
    (folder / "run.json").write_text('{"a": 1')
    with pytest.raises(InputError) as error:
        run_folder.read_run(folder)
    assert codes(error) == ["unreadable-file"]
    (folder / "run.json").write_text('{"a": 1}')
    with pytest.raises(InputError, match="no run of this program"):
        run_folder.read_run(folder)


def test_counts_that_mix_zones_up_are_refused(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    path = folder / "population/counts.parquet"
    frame = pd.read_parquet(path)
    frame.sample(frac=1, random_state=1).to_parquet(path, index=False)
    with pytest.raises(InputError, match="each zone's rows together") as error:
        list(run_folder.read_counts(folder, population.problem.records))
    assert codes(error) == ["unreadable-file"]


def test_run_json_says_what_is_needed_to_repeat(tmp_path, population):
    study = {"name": "leeds", "title": "Leeds", "seed": 3}
    named = replace(population, provenance=replace(population.provenance, study=study))
    folder = run_folder.save(named, tmp_path / "run", licence="open")
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (run["study"], run["seed"], run["method"]["name"], run["zones"], run["people"]) == (
        study,
        3,
        "ipf",
        14,
        population.people,
    )
    assert run["fit"] == {"CONVERGED": 12, "EMPTY": 2}
    assert run["whole"] == {"EXACT": 14}
    assert {"synthpop_gb", "numpy", "numba", "python"} <= set(run["versions"])
    assert run["constraints"] == ["table 0", "table 1", "table 2"]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Synthetic population: Leeds\n")
    assert "table 0, table 1 and table 2" in readme
    assert run["digest"] in readme


def test_readme_leads_with_what_does_not_fit(tmp_path):
    with pytest.warns(FitWarning):
        population = solve(make_problem(feasible=False, mean_people=100), seed=1)
    checks = Checks({"people": 1200, "total absolute error": 3.5, "worst zone": "E01000007"})
    folder = run_folder.save(population, tmp_path / "run", checks=checks)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "miss some: do not publish as they stand." in readme.split("\n\n")[1]
    assert readme.index("| E0") < readme.index("synthetic people in")
    assert "table 2 = category 3" in readme
    run = run_folder.read_run(folder)
    assert len(run["not_fitted"]) == (population.status["fit"] == "INFEASIBLE").sum()


def test_checks_are_read_back(tmp_path):
    table = pd.DataFrame({"zone": ["a", "b"], "table": ["age", "age"], "tae": [0.0, 2.5], "fits": [True, False]})
    rows = pd.DataFrame({"zone": ["b"], "miss": [2.5]})
    checks = Checks(
        {"people": np.int64(12), "error": np.float64(0.25), "worst": "b"},
        {"zone_fit": table},
        (finding("zone-not-fitted", "b misses 2.5", place="b", rows=rows),),
    )
    folder = run_folder.begin(tmp_path / "run")
    run_folder.write_checks(checks, folder)
    found = run_folder.read_checks(folder)
    assert found.headline == {"people": 12, "error": 0.25, "worst": "b"}
    pd.testing.assert_frame_equal(found["zone_fit"], table)
    assert str(found.findings[0]) == str(checks.findings[0])
    pd.testing.assert_frame_equal(found.findings[0].rows, rows)
    run_folder.write_checks(replace(checks, tables={"table_fit": table}), folder)
    assert sorted(p.name for p in (folder / "validation").iterdir()) == ["checks.json", "table_fit.parquet"]


def test_going_on_after_the_licence_was_corrected_leaves_nothing_open(tmp_path, population):
    folder = run_folder.begin(tmp_path / "run")
    run_folder.write_population(population, folder, licence="open")
    for name in ("people/people.parquet", "maps/a.png", "validation/record_use.parquet", "population/.blocks/0.npz"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("of the open run")
    (folder / "report.html").write_text("of the open run")
    run_folder.begin(folder)  # killed, corrected, run again
    left = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert left == [".unfinished", "population/.blocks/0.npz"]
    run_folder.write_population(population, folder, licence="open")
    run_folder.write_population(replace(population, duals=None), folder, licence="restricted")
    assert not (folder / "population/problem.npz").exists()
    assert not (folder / "population/duals.parquet").exists()


def test_a_replaced_recipe_stays_until_the_new_run_is_finished(tmp_path, population):
    folder = run_folder.save(population, tmp_path / "run")
    recipe = (folder / "run.json").read_bytes()
    run_folder.begin(folder, overwrite=True)
    run_folder.begin(folder)
    assert not (folder / "run.json").exists()
    assert (folder / "run.previous.json").read_bytes() == recipe
    run_folder.write_population(population, folder)
    run_folder.finish(population, folder)
    assert not (folder / "run.previous.json").exists()
    assert run_folder.is_finished(folder)


@pytest.mark.parametrize("digested", [2_000_000, 0])
def test_a_version_that_places_others_is_told(tmp_path, population, digested, monkeypatch):
    """Another seed stands for another version: the counts written are not those that would be placed now."""
    monkeypatch.setattr(_counts, "_DIGESTED", digested)
    folder = run_folder.save(population, tmp_path / "run", licence="open")
    assert_same_population(run_folder.load(folder), population)
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    run["seed"], run["versions"]["synthpop_gb"] = 99, "0.0.7"
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    with pytest.raises(InputError, match=r"places other donors") as error:
        run_folder.load(folder)
    assert codes(error) == ["input-changed"]
    assert "synthpop_gb 0.0.7" in error.value.findings[0].remedy
