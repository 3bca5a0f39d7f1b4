"""Table files: another forest of the same features for a walker that was exported to be loaded."""

import dataclasses
import zlib

import pytest

from compiler.errors import InputError
from compiler.exporting import export
from compiler.manifest import read_manifest
from compiler.table_file import write_tables
from tests.forests import grown_forest

FOREST = grown_forest(trees=5, depth=3, seed=2)


@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    directory = tmp_path_factory.mktemp("walker") / "core"
    export(FOREST, directory, board="icebreaker", top="forest", loadable=True)
    return directory


def test_a_file_carries_the_id_and_a_checksum(walker, tmp_path):
    smaller = dataclasses.replace(FOREST, trees=FOREST.trees[:3])
    path = tmp_path / "new.tables"
    count = write_tables(smaller, walker, path)
    content = path.read_bytes()
    assert len(content) == count
    assert content[4:8].hex() == smaller.id
    assert zlib.crc32(content[:-4]) == int.from_bytes(content[-4:], "little")


def test_the_walker_says_what_it_holds_at_the_start(walker):
    assert read_manifest(walker).architecture["forest_id"] == int(FOREST.id, 16)


@pytest.mark.parametrize(
    ("forest", "message"),
    [
        (grown_forest(trees=60, depth=5), "is too large for .*: .* must be at most"),
        (grown_forest(names=("maxpl", "syn"), trees=1, depth=1), "must have the features that .* was exported with"),
    ],
)
def test_a_forest_that_does_not_go_into_it(walker, tmp_path, forest, message):
    with pytest.raises(InputError, match=message):
        write_tables(forest, walker, tmp_path / "new.tables")
    assert not any(tmp_path.iterdir())


def test_an_export_that_cannot_be_loaded(tmp_path):
    export(FOREST, tmp_path / "core", board="icebreaker", top="forest")
    with pytest.raises(InputError, match="is no walker whose tables can be loaded; export with --loadable"):
        write_tables(FOREST, tmp_path / "core", tmp_path / "new.tables")


def test_a_probe_cannot_be_loaded_yet(tmp_path):
    with pytest.raises(InputError, match="tables can be loaded only with top forest, not with top probe"):
        export(FOREST, tmp_path / "probe", board="icebreaker", loadable=True)
