"""Output appears whole or not at all."""

import pytest

from compiler.atomic import replacing
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
    with replacing(tmp_path / "d") as fresh:
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
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "d"):
        pass
    assert (tmp_path / "d" / "old").exists()


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="f: the directory .*gone does not exist$"), replacing(tmp_path / "gone" / "f"):
        pass
