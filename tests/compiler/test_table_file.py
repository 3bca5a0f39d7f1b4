"""Table files: another forest of the same features for a walker that was exported to be loaded."""

import dataclasses
import shutil
import zlib

import pytest

from compiler.errors import InputError
from compiler.exporting import export
from compiler.manifest import read_manifest, write_manifest
from compiler.table_file import write_tables
from hdl.item import CHUNK_BYTES
from tests.forests import grown_forest

FOREST = grown_forest(trees=5, depth=3, seed=2)


@pytest.fixture(scope="module")
def walker(tmp_path_factory):
    directory = tmp_path_factory.mktemp("walker") / "core"
    export(FOREST, directory, board="icebreaker", top="forest", loadable=True)
    return directory


@pytest.fixture
def probe(walker, tmp_path):
    """The same walker in a probe, as far as its manifest says."""
    directory = tmp_path / "probe"
    shutil.copytree(walker, directory)
    write_manifest(dataclasses.replace(read_manifest(directory), top="probe"), directory)
    return directory


def test_a_file_carries_the_id_and_a_checksum(walker, tmp_path):
    smaller = dataclasses.replace(FOREST, trees=FOREST.trees[:3], monitor_only=True)
    path = tmp_path / "new.tables"
    count = write_tables(smaller, walker, path)
    content = path.read_bytes()
    assert len(content) == count
    assert (content[4], content[5:9].hex()) == (1, smaller.id)
    assert count % CHUNK_BYTES == 0
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ports": (25, 587)}, r"forest 'grown': ports must be \(25,\), as of the forest of .*, not \(25, 587\)"),
        ({"orientation": "first"}, "orientation must be 'initiator', as of the forest of .*, not 'first'"),
        ({"min_packets": 3}, "min_packets must be 2, as of the forest of .*, not 3"),
    ],
)
def test_the_probe_around_a_forest_stays_as_it_is(probe, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        write_tables(dataclasses.replace(FOREST, **changes), probe, tmp_path / "new.tables")
    assert not (tmp_path / "new.tables").exists()


def test_a_forest_of_other_ports_goes_into_a_walker_alone(walker, tmp_path):
    assert write_tables(dataclasses.replace(FOREST, ports=(587,)), walker, tmp_path / "new.tables")
