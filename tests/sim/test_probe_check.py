"""``sim check`` of a whole probe: what it writes down, and that it finds a planted fault."""

import json
import shutil

import pytest

from compiler.errors import CheckFailed, InputError
from compiler.exporting import export
from compiler.features import CATALOGUE
from sim.probe_check import CHECK_CAPTURE, check_probe
from sim.testbench import SIMULATORS
from tests.forests import grown_forest

FLOWS = 6


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    directory = tmp_path_factory.mktemp("export") / "probe"
    export(grown_forest(names=("maxpl", "rslas", "mintw"), trees=3), directory, board="icebreaker")
    return directory


def test_equal_and_written_down(probe):
    result = check_probe(probe, flows=FLOWS)
    assert (result.mismatches, result.counters_equal) == (0, True)
    # Some come again, damaged; a flipped bit of an address makes another flow.
    assert result.flows >= FLOWS
    assert result.records > FLOWS
    written = json.loads((probe / "manifest.json").read_text())["evidence"]["replayed"]
    assert written["capture"] == CHECK_CAPTURE.name
    assert (written["frames"], written["cycles"], written["mismatches"]) == (result.frames, result.cycles, 0)


@pytest.mark.parametrize("engine", SIMULATORS)
def test_every_feature_of_the_catalogue(engine, tmp_path):
    # Deep enough that every feature is asked for, and none is so rare that it could be wrong unseen.
    forest = grown_forest(names=tuple(CATALOGUE), trees=12, depth=5)
    used = {
        forest.feature_names[node.feature] for tree in forest.trees for node in tree.nodes if hasattr(node, "feature")
    }
    assert used == set(CATALOGUE)
    export(forest, tmp_path / "probe", board="icebreaker")
    result = check_probe(tmp_path / "probe", flows=FLOWS if engine == "amaranth" else 200, engine=engine)
    assert (result.mismatches, result.counters_equal) == (0, True)
    assert result.records > FLOWS


def test_compiled(mail_probe, tmp_path):
    directory = shutil.copytree(mail_probe, tmp_path / "probe")
    result = check_probe(directory, flows=200, engine="compiled")
    assert (result.mismatches, result.counters_equal) == (0, True)
    assert result.records > 200
    assert json.loads((directory / "manifest.json").read_text())["evidence"]["replayed"]["engine"] == "cxxrtl"
    with pytest.raises(InputError, match="^--engine: must be one of amaranth, compiled, not 'verilog'$"):
        check_probe(directory, engine="verilog")


def test_another_forest_is_loaded_meanwhile(loadable_probe, tmp_path):
    loadable = shutil.copytree(loadable_probe, tmp_path / "loadable")
    result = check_probe(loadable, flows=FLOWS // 2)
    assert (result.mismatches, result.counters_equal) == (0, True)
    assert (result.loads, result.refusals) == (1, 1)
    written = json.loads((loadable / "manifest.json").read_text())["evidence"]["replayed"]
    assert (written["loads"], written["refusals"]) == (1, 1)


def test_finds_a_planted_fault(probe, monkeypatch):
    # A maximum that keeps the first value instead of the largest.
    monkeypatch.setattr("hdl.accumulator_update.AccumulatorUpdate._is_maximum", staticmethod(lambda half, here: False))
    with pytest.raises(CheckFailed, match="of [0-9]+ records differ from the model's"):
        check_probe(probe, flows=FLOWS)
    assert json.loads((probe / "manifest.json").read_text())["evidence"]["replayed"]["mismatches"] > 0


def test_wrong_input(probe, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.pcap"):
        check_probe(probe, capture=tmp_path / "nothing.pcap")
    export(grown_forest(names=("maxpl",), trees=1), tmp_path / "core", board="icebreaker", top="forest")
    with pytest.raises(InputError, match="holds a forest, no probe"):
        check_probe(tmp_path / "core")
