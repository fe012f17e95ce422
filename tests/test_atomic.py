"""What is written is there whole or not at all, and several things together or none."""

import os

import pytest

from synthpop_gb.atomic import replacing, replacing_all
from synthpop_gb.errors import InputError


def contents(folder):
    """Every file and folder below, with its text."""
    return {p.relative_to(folder).as_posix(): p.read_text() if p.is_file() else None for p in folder.rglob("*")}


@pytest.fixture
def old(tmp_path):
    (tmp_path / "a.txt").write_text("old a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.txt").write_text("old 1")
    return tmp_path


def fill(one, other, word):
    one.write_text(f"{word} a")
    other.mkdir(exist_ok=True)
    (other / "2.txt").write_text(f"{word} 2")


def test_a_file_and_a_folder_take_their_places_together(old):
    with replacing_all(old / "a.txt", old / "b", old / "new" / "c.txt") as (a, b, c):
        assert [p.suffix for p in (a, b, c)] == [".txt", "", ".txt"]
        fill(a, b, "new")
        c.write_text("c")
        assert contents(old)["a.txt"] == "old a"
    assert contents(old) == {"a.txt": "new a", "b": None, "b/2.txt": "new 2", "new": None, "new/c.txt": "c"}


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_there_stays_where_the_block_ends_badly(old, error):
    before = contents(old)

    def work():
        with replacing_all(old / "a.txt", old / "b") as (a, b):
            fill(a, b, "new")
            raise error

    with pytest.raises(type(error)):
        work()
    assert contents(old) == before


@pytest.mark.parametrize("nth", range(4))
def test_what_was_there_comes_back_where_a_rename_is_refused(old, monkeypatch, nth):
    before, done, rename = contents(old), [], os.replace

    def refusing(source, target):
        done.append(target)
        if len(done) == nth + 1:
            raise PermissionError(13, "held open", str(source), None, str(target))
        rename(source, target)

    def work():
        with replacing_all(old / "a.txt", old / "b") as (a, b):
            fill(a, b, "new")

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(InputError) as error:
        work()
    assert [f.code for f in error.value.findings] == ["output-locked"]
    assert error.value.findings[0].place == str(old / ("a.txt" if nth < 2 else "b"))
    assert contents(old) == before


def test_places_that_were_free_are_free_again(old, monkeypatch):
    before, rename = contents(old), os.replace

    def refusing(source, target):
        if target.name == "d.txt":
            raise PermissionError(13, "held open", str(source), None, str(target))
        rename(source, target)

    def work():
        with replacing_all(old / "c.txt", old / "d.txt") as both:
            for path in both:
                path.write_text("new")

    monkeypatch.setattr(os, "replace", refusing)
    with pytest.raises(InputError, match=r"d\.txt cannot be written"):
        work()
    assert contents(old) == before


def test_a_file_and_a_folder_never_replace_each_other(old):
    before = contents(old)
    with pytest.raises(IsADirectoryError), replacing(old / "b") as temporary:
        temporary.write_text("a file")
    with pytest.raises(FileExistsError), replacing(old / "a.txt") as temporary:
        temporary.mkdir()
    assert contents(old) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that cannot be written")
def test_a_folder_that_may_not_be_written_is_told_before_the_work(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match=r"a\.txt cannot be written"), replacing(tmp_path / "a.txt"):
            pytest.fail("the work was begun")
    finally:
        tmp_path.chmod(0o700)
