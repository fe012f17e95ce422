"""The audit of two files and of a run: verdicts, folder, page and card; broken inputs are findings and nothing is written."""

import contextlib
import json
import tempfile

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError
from synthpop_gb.pipeline import audit_files
from synthpop_gb.validation import audit

USES = "Groups that several attributes make"


@pytest.fixture(scope="module")
def people():
    """Couples and single people: only women are wives, only men husbands; who is married is older."""
    rng = np.random.default_rng(3)
    n = 3000
    sex = rng.choice(["f", "m"], n)
    married = rng.random(n) < 0.5
    age = np.where(married, rng.integers(25, 80, n), rng.integers(16, 60, n))
    relation = np.where(married, np.where(sex == "f", "wife", "husband"), "none")
    pay = np.round(900 + 12 * age + 150 * (sex == "m") + rng.normal(0, 80, n))
    rich = np.where(pay > np.median(pay), "yes", "no")
    return pd.DataFrame(
        {"sex": sex, "age": age, "relation": relation, "pay": pay, "rich": rich, "<b>html</b>": "<script>x</script>"}
    )


@pytest.fixture(scope="module")
def shuffled(people):
    return pd.DataFrame({c: people[c].sample(frac=1, random_state=i).to_numpy() for i, c in enumerate(people)})


def test_a_bootstrap_is_right_and_shuffled_columns_are_not(people, shuffled):
    boot = people.sample(len(people), replace=True, random_state=5)
    right, wrong = (
        audit(read.pair(people, other), models=False)["verdicts"].set_index("use")["verdict"] for other in (boot, shuffled)
    )
    assert right[USES] == "fit"
    assert right["Tables of two variables"] == "fit"
    assert wrong[USES] == "unfit"
    assert wrong["Tables of two variables"] == "unfit"
    assert wrong["Totals and shares of one variable"] == "fit", "shuffling keeps every variable by itself"


def test_the_worst_groups_are_found_untold(people, shuffled):
    cells = audit(read.pair(people, shuffled), models=False)["scan_cells"]
    first = " ".join(cells["cell"].head(6))
    assert "relation = husband and sex = f" in first or "sex = f and relation = husband" in first
    assert (cells["kind"].head(6) == "invented").any()


def test_same_seed_same_tables(people, shuffled):
    pair = read.pair(people, shuffled, target="rich", keys=["age", "sex"])
    one, two = audit(pair, seed=4), audit(pair, seed=4, workers=1)
    assert set(one.tables) == set(two.tables)
    for name in one.tables:
        pd.testing.assert_frame_equal(one[name], two[name], check_exact=True)


def test_folder_page_and_card(tmp_path, people, shuffled):
    paths = [tmp_path / "real.csv", tmp_path / "made.parquet", tmp_path / "apart.csv"]
    people.head(2000).to_csv(paths[0], index=False)
    shuffled.head(2000).to_parquet(paths[1])
    people.tail(1000).to_csv(paths[2], index=False)
    done = audit_files(
        paths[0], paths[1], tmp_path / "out", holdout=paths[2], keys=["age", "sex"], target="rich",
        impossible=["relation = 'husband' and sex = 'f'"],
    )  # fmt: skip
    assert not done.fits
    text = done.report.read_text(encoding="utf-8")
    assert "<script>x" not in text
    assert "Synthetic" in text or "synthetic" in text
    card = json.loads((tmp_path / "out" / "pair.json").read_text(encoding="utf-8"))
    assert card["settings"]["keys"] == "age, sex"
    assert card["settings"]["records kept apart"] == "1,000"
    for name in ("README.md", "card.json", "datapackage.json", "ro-crate-metadata.json", "audit/verdicts.parquet"):
        assert (tmp_path / "out" / name).is_file(), name
    assert str(tmp_path) not in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    impossible = done.checks["scan_cells"].iloc[0]
    assert impossible["kind"] == "impossible"
    with pytest.raises(InputError, match="output-exists"):
        audit_files(paths[0], paths[1], tmp_path / "out")


@pytest.mark.parametrize(
    "broken",
    [
        lambda f: f.head(1), lambda f: f.head(2), lambda f: f.assign(sex="f"), lambda f: f.assign(age=np.nan),
        lambda f: f.assign(age="old"), lambda f: f.assign(rich=None), lambda f: f[["sex", "age"]], lambda f: f.assign(pay=7),
        lambda f: f.assign(sex=[f"<i>{i % 3}</i>" for i in range(len(f))]), lambda f: f.assign(rich="yes"),
        lambda f: f[["sex"]], lambda f: f[["pay"]], lambda f: f.assign(pay=np.inf), lambda f: pd.concat([f] * 3),
    ],
    ids=range(14),
)  # fmt: skip
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("roles", [{}, {"target": "rich", "keys": ["age", "sex"]}], ids=["bare", "roles"])
def test_broken_pairs_are_findings(tmp_path, people, broken, side, roles):
    good = people.head(150)
    two = [good, good.sample(150, replace=True, random_state=1)]
    two[side] = broken(two[side])
    with contextlib.suppress(InputError):  # a role whose column cannot be compared is refused: then nothing is written
        assert len(audit_files(*two, tmp_path / "out", **roles).checks["verdicts"])
        assert (tmp_path / "out" / "audit.html").is_file()
        return
    assert roles, "without roles everything can be audited"
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_audited_writes_nothing(tmp_path, people):
    for other in (people.head(0), people[["sex"]].rename(columns={"sex": "colour"})):
        with pytest.raises(InputError):
            audit_files(people, other, tmp_path / "out")
    with pytest.raises(InputError, match="nonsense"):
        audit_files(people, people, tmp_path / "out", impossible=["nonsense ="])
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path, people):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match="output-exists"):
        audit_files(people, people, tmp_path / "out", overwrite=True)


def test_a_copy_is_not_fit_to_be_given_away_whatever_is_called_a_holdout(people):
    pair = read.pair(people, people, keys=["age", "sex"], target="rich")
    checks = audit(pair, models=False, holdout=pair.real)
    assert "holdout-overlaps" in {f.code for f in checks.findings}
    assert checks["verdicts"].set_index("use").loc["Giving them to people who may not see the real records", "verdict"] == "unfit"


def test_more_columns_than_whole_numbers_can_count(tmp_path):
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.integers(0, 2, (60, 70)).astype(float), columns=[f"v{i}" for i in range(70)])
    done = audit_files(wide, wide.sample(60, replace=True, random_state=1), tmp_path / "out", order=1, models=False)
    assert (tmp_path / "out" / "audit" / "scan_coverage.parquet").is_file()
    assert done.report.is_file()


def test_copies_with_one_variable_recoded_or_all_blurred_are_found(people):
    rng, real = np.random.default_rng(2), people.assign(code=(people["sex"] == "f").astype(float))
    recoded = real.assign(code=real["code"] + 1)
    blurred = real.assign(age=real["age"] + rng.integers(-1, 2, len(real)), pay=real["pay"] + rng.integers(-3, 4, len(real)))
    for other in (recoded, blurred):
        checks = audit(read.pair(real, other, keys=["sex"]), models=False, order=1)
        assert "disclosure-risk" in {f.code for f in checks.findings}
    fresh = audit(read.pair(real.head(1500), real.tail(1500).reset_index(drop=True), keys=["sex"]), models=False, order=1)
    assert "disclosure-risk" not in {f.code for f in fresh.findings}


def test_a_target_of_nought_and_one_is_the_same_in_the_holdout(people):
    frame = people.assign(rich=(people["rich"] == "yes").astype(int))
    thirds = [frame.iloc[i::3].reset_index(drop=True) for i in range(3)]
    done = audit_files_checks(*thirds)
    assert "disclosure-risk" not in {f.code for f in done.findings}
    same = audit_files_checks(thirds[0], thirds[0], thirds[0])
    assert "holdout-overlaps" in {f.code for f in same.findings}


def audit_files_checks(real, synthetic, holdout):
    with tempfile.TemporaryDirectory() as place:
        return audit_files(
            real, synthetic, f"{place}/out", holdout=holdout, target="rich", keys=["age", "sex"], models=False, order=1
        ).checks


def test_models_tested_on_records_that_the_generator_saw_say_nothing(people):
    checks = audit(read.pair(people, people, target="rich"), order=1)
    verdicts = checks["verdicts"].set_index("use")["verdict"]
    assert verdicts["Training models that are used on real people"] == "unknown"
    assert verdicts["Asking whom a model wrongs"] == "unknown"


def test_what_a_release_rule_refuses_stands_in_the_folder(tmp_path, people):
    done = audit_files(
        people,
        people.sample(len(people), random_state=1),
        tmp_path / "out",
        keys=["age"],
        models=False,
        order=1,
        release="public",
    )
    assert done.refused
    row = done.checks["verdicts"].set_index("use").loc["Giving them to people who may not see the real records"]
    assert row["verdict"] == "unfit"
    assert "Release public" in done.report.read_text(encoding="utf-8")
