"""Output appears whole or not at all."""

import pytest

from compiler.atomic import check_directory_target, check_file_target, replacing, replacing_directory
from compiler.errors import InputError


def fail_while_writing(path):
    with replacing(path) as fresh:
        fresh.write_text("half")
        raise RuntimeError


def test_a_file_appears(tmp_path):
    with replacing(tmp_path / "f") as fresh:
        fresh.write_text("new")
        assert not (tmp_path / "f").exists()
    assert (tmp_path / "f").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_file_is_replaced(tmp_path):
    (tmp_path / "f").write_text("old")
    with replacing(tmp_path / "f") as fresh:
        fresh.write_text("new")
    assert (tmp_path / "f").read_text() == "new"


def test_a_directory_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").touch()
    with replacing_directory(tmp_path / "d") as fresh:
        fresh.mkdir()
        (fresh / "new").touch()
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_failure_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        fail_while_writing(tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "f").write_text("old")
    with pytest.raises(RuntimeError):
        fail_while_writing(tmp_path / "f")
    assert (tmp_path / "f").read_text() == "old"


def test_a_directory_that_was_not_made_again_stays(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").touch()
    with pytest.raises(FileNotFoundError), replacing_directory(tmp_path / "d"):
        pass
    assert (tmp_path / "d" / "old").exists()


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="f: the directory .*gone does not exist$"), replacing(tmp_path / "gone" / "f"):
        pass


def test_a_directory_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").touch()
    with pytest.raises(InputError, match="d: is a directory$"), replacing(tmp_path / "d"):
        pass
    assert (tmp_path / "d" / "old").exists()


def test_targets_are_refused_before_the_work(tmp_path):
    (tmp_path / "f").touch()
    with pytest.raises(InputError, match="f: is not a directory$"):
        check_directory_target(tmp_path / "f")
    with pytest.raises(InputError, match="gone does not exist$"):
        check_directory_target(tmp_path / "gone" / "d")
    with pytest.raises(InputError, match="r.txt: name must end in .csv, .parquet or .ipfix$"):
        check_file_target(tmp_path / "r.txt", (".csv", ".parquet", ".ipfix"))
    check_file_target(tmp_path / "r.csv", (".csv",))
