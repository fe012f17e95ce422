"""A run handed to other models on the command line."""

from pathlib import Path

import pandas as pd
import pytest

from synthpop_gb.cli.exporting import _PROFILES, _WRITERS
from synthpop_gb.pipeline import Writer, export_run, export_writers, register_writer
from synthpop_gb.release import PROFILES
from tests.command_line import invoke
from tests.policy.demo_run import run


def export(to, target, *more, of="homes"):
    return invoke("export", run(of), "--to", to, "--output", target, *more)


def test_what_the_command_names_is_what_there_is():
    assert tuple(export_writers()) == _WRITERS
    assert tuple(PROFILES) == _PROFILES


@pytest.mark.parametrize("to", ["openfisca", "euromod", "simpaths"])
def test_a_run_becomes_tables_and_defaults_are_listed(to, tmp_path):
    result = export(to, tmp_path / "out", "--year", "2021", "--weighted")
    assert result.exit_code == 0, result.output
    assert "export-defaults" in result.output
    assert (tmp_path / "out" / "columns.csv").is_file()
    again = export(to, tmp_path / "out")
    assert again.exit_code == 1
    assert "output-exists" in again.output
    assert export(to, tmp_path / "out", "--overwrite").exit_code == 0


def test_a_dataset_for_policyengine(tmp_path):
    pytest.importorskip("policyengine_uk", reason="policyengine-uk is not installed: pip install 'synthpop_gb[policy]'")
    zones = pd.read_csv(run().parents[1] / "lookup.csv")
    table = tmp_path / "places.csv"
    table.write_text("district,region,local_authority\n" + "".join(f"{d},YORKSHIRE,LEEDS\n" for d in zones["district"].unique()))
    refused = export("policyengine", tmp_path / "x.h5")
    assert (refused.exit_code, "engine-place" in refused.output) == (1, True)
    result = export(
        "policyengine", tmp_path / "x.h5", "--weighted", "--places", table, "--zone", zones["zone"][0], "--year", "2025"
    )
    assert result.exit_code == 0, result.output
    homes = pd.read_hdf(tmp_path / "x.h5", "household")
    assert set(homes["local_authority"]) == {"LEEDS"}
    assert set(homes["zone"]) == {zones["zone"][0]}


def test_inputs_labels_places_and_zones_are_heeded(tmp_path):
    zones = pd.read_csv(run().parents[1] / "lookup.csv")
    table = tmp_path / "places.csv"
    table.write_text("zone,region\n" + "".join(f"{z},Scotland\n" for z in zones["zone"]))
    given = ["--input", "income=50000", "--input", "rent=1200", "--label", "tenure:private rented=free", "--places", table]
    result = export("euromod", tmp_path / "out", *given, "--zone", zones["zone"][3], "--year", "2021")
    assert result.exit_code == 0, result.output
    people = pd.read_csv(tmp_path / "out" / "UK_2021_synthpop.txt", sep="\t")
    assert (people["drgn1"] == 12).all()
    assert (people[["yem", "yse", "ypp", "yot"]].sum(axis=1).round(6) == round(50_000 / 12, 6)).all()
    assert (people["xhcrt"] == 100).all()
    assert set(people["amrtn"]) == {1, 2, 5, 6}  # nobody rents privately any more
    assert set(pd.read_csv(tmp_path / "out" / "households.csv")["zone"]) == {zones["zone"][3]}


@pytest.mark.parametrize("wrong", [["--input", "income"], ["--label", "role=reference"], ["--to", "excel"]])
def test_wrong_usage_is_told(wrong, tmp_path):
    assert export("euromod", tmp_path / "out", *wrong).exit_code == 2


def test_persons_and_unknown_columns_and_places_are_findings(tmp_path):
    result = export("euromod", tmp_path / "out", of="persons")
    assert (result.exit_code, "study-value" in result.output) == (1, True)
    assert "missing-column" in export("euromod", tmp_path / "out", "--input", "income=wages").output
    (tmp_path / "twice.csv").write_text("zone,region\na,London\na,Wales\n")
    assert "duplicate-zone" in export("euromod", tmp_path / "out", "--places", tmp_path / "twice.csv").output
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    assert "unreadable-file" in export("euromod", tmp_path / "out", "--places", tmp_path / "bad.csv").output
    assert not (tmp_path / "out").exists()


def test_roles_that_make_no_household_are_told(tmp_path):
    result = export("euromod", tmp_path / "out", "--label", "role:other=child")  # grandparents would be children
    assert (result.exit_code, "bad-links" in result.output) == (1, True)


def test_a_label_may_not_mean_what_there_is_not(tmp_path):
    result = export("euromod", tmp_path / "out", "--label", "role:other=boss")
    assert (result.exit_code, "boss" in result.output) == (1, True)


def test_licence_and_rule_are_kept(tmp_path):
    refused = export("openfisca", tmp_path / "out", of="guarded")
    assert (refused.exit_code, "[licence]" in refused.output) == (1, True)
    named = refused.output.split("--include ")[1].split()[0].rstrip(".")
    assert export("openfisca", tmp_path / "out", "--include", named, of="guarded").exit_code == 0
    ruled = export("openfisca", tmp_path / "ruled", "--release", "open", "--keys", "age")
    assert ruled.exit_code == 1
    assert "release-refused" in ruled.output
    assert not (tmp_path / "ruled").exists()
    bare = ["--input", "income=0", "--input", "role=role", "--release", "open", "--keys", "sex"]
    told = export("openfisca", tmp_path / "ruled", *bare)
    assert told.exit_code == 0, told.output
    assert "donor" not in pd.read_csv(tmp_path / "ruled" / "persons.csv", nrows=1)


def test_ids_are_seen_to_where_a_rule_allows_the_rest(tmp_path):
    rule = {"name": "mine", "donor_ids": "drop", "maximum_unique_share": None}
    with pytest.raises(Exception, match="income"):
        export_run(run(), "openfisca", tmp_path / "out", release=rule)
    described = {"income": 0.0}
    folder = export_run(run(), "openfisca", tmp_path / "out", release=rule, inputs=described)
    assert "donor" not in pd.read_csv(folder / "persons.csv", nrows=1)
    with pytest.raises(Exception, match="hold the survey's ids"):
        export_run(run(), "policyengine", tmp_path / "x.h5", release=rule)


def test_a_writer_of_ones_own(tmp_path):
    def counted(population, aligned, path, *, counts, **_):
        path.write_text(str(sum(int(block.n.sum()) for block in counts)))
        return path

    writer = Writer("how many households", counted, file=True)
    register_writer("test-count", writer)
    try:
        assert int(export_run(run(), "test-count", tmp_path / "n.txt").read_text()) > 1000
        with pytest.raises(ValueError, match="already"):
            register_writer("test-count", Writer("other", counted))
    finally:
        from synthpop_gb.pipeline import exporting

        del exporting._WRITERS["test-count"]
    with pytest.raises(ValueError, match="Nothing is written for 'test-count'"):
        export_run(run(), "test-count", tmp_path / "n.txt")


def test_without_a_target_tables_lie_in_the_runs_own_folder():
    of = run("homes")
    result = invoke("export", of, "--to", "openfisca", "--overwrite")
    assert result.exit_code == 0, result.output
    assert (Path(of) / "exports" / "openfisca" / "persons.csv").is_file()
