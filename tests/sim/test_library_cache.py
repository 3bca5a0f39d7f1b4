"""The cache of compiled circuits: what is found, what is damaged, what is left behind, what has to go."""

import os

import pytest

from sim import library_cache
from sim.library_cache import LibraryCache


@pytest.fixture
def cache(tmp_path):
    return LibraryCache(tmp_path / "cache")


def made(tmp_path, content):
    path = tmp_path / "made.so"
    path.write_bytes(content)
    return path


def test_what_was_kept_is_found(cache, tmp_path):
    library = cache.keep("key", made(tmp_path, b"library"))
    assert library.read_bytes() == b"library"
    assert cache.find("key") == library
    assert cache.find("ke") is None
    assert list(cache.folder.iterdir()) == [library]


@pytest.mark.parametrize("content", [b"", b"libra", b"Library", b"library "])
def test_a_damaged_one_is_removed(cache, tmp_path, content):
    cache.keep("key", made(tmp_path, b"library")).write_bytes(content)
    assert cache.find("key") is None
    assert list(cache.folder.iterdir()) == []


def test_two_that_make_the_same_keep_both(cache, tmp_path):
    kept = {cache.keep("key", made(tmp_path, content)) for content in (b"one", b"other")}
    assert cache.find("key") in kept
    next(iter(kept)).write_bytes(b"")
    assert cache.find("key") in kept


def test_it_makes_room(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(library_cache, "_KEPT", 2)
    for age, key in ((30, "a"), (20, "b"), (10, "c")):
        library = cache.keep(key, made(tmp_path, key.encode()))
        os.utime(library, (library.stat().st_mtime - age,) * 2)
    # Whatever is used is young again.
    assert cache.find("b") is not None
    cache.keep("d", made(tmp_path, b"d"))
    assert {path.read_bytes() for path in cache.folder.iterdir()} == {b"b", b"d"}


def test_what_a_killed_process_left_goes_after_an_hour(cache, tmp_path):
    for name, age in (("old.part", 7200), ("new.part", 60)):
        part = made(tmp_path, b"half").rename(cache.folder / name)
        os.utime(part, (part.stat().st_mtime - age,) * 2)
    cache.keep("key", made(tmp_path, b"library"))
    assert not (cache.folder / "old.part").exists()
    assert (cache.folder / "new.part").exists()


def test_the_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert LibraryCache().folder == tmp_path / "hedgerow" / "compiled"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert LibraryCache().folder == tmp_path / "home" / ".cache" / "hedgerow" / "compiled"
