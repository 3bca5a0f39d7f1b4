"""The check of an export finds what it is there to find."""

import shutil
import subprocess
import sys

import pytest

import compiler
from compiler.errors import CheckFailed, InputError
from compiler.manifest import NOT_DONE, read_manifest
from sim.forest_check import ForestCheck, check_forest
from tests.forests import grown_forest


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    compiler.export(grown_forest(trees=3, depth=3), out, board="icebreaker", top="forest")
    return out


@pytest.fixture
def copied(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "core")


def test_a_good_export_passes_and_says_so(copied):
    result = check_forest(copied)
    manifest = read_manifest(copied)
    assert result.mismatches == 0
    assert manifest.evidence["simulated"] == {
        "engine": "amaranth",
        "vectors": manifest.vectors["count"],
        "mismatches": 0,
        "cycles": manifest.vectors["count"] + manifest.latency_cycles,
    }
    assert manifest.evidence["proved"] == NOT_DONE


def test_pytest_on_the_directory(copied):
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", copied], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_a_changed_file_is_found(copied):
    with (copied / "design.v").open("a") as file:
        file.write("// \n")
    assert ForestCheck(copied).changed_files() == ["design.v"]
    with pytest.raises(CheckFailed, match="not as exported: design.v$"):
        check_forest(copied)
    assert read_manifest(copied).evidence["simulated"] == NOT_DONE


def test_a_missing_file_is_found(copied):
    (copied / "design.il").unlink()
    assert ForestCheck(copied).changed_files() == ["design.il"]


def test_another_circuit_is_found(copied):
    check = ForestCheck(copied)
    check.manifest.architecture["registered"].append("score")
    assert not check.circuit_unchanged()


def test_another_forest_is_found(copied):
    grown_forest(trees=2).to_json(copied / "forest.json")
    with pytest.raises(InputError, match="forest.json must be the forest [0-9a-f]{8} exported, not [0-9a-f]{8}$"):
        ForestCheck(copied).circuit_unchanged()


def test_wrong_vectors_are_counted(copied):
    check = ForestCheck(copied)
    check.vectors.scores[17] += 1
    check.vectors.decisions[39] = 2
    assert check.wrong_vectors() == 2
    assert check.simulate().mismatches == 2


def test_a_latency_that_is_off_by_one_is_found(copied):
    check = ForestCheck(copied)
    object.__setattr__(check.manifest, "latency_cycles", check.manifest.latency_cycles + 1)
    assert check.simulate().mismatches > 1000


def test_no_export(tmp_path):
    with pytest.raises(InputError, match="not an export: there is no manifest.json in it$"):
        check_forest(tmp_path)


@pytest.fixture(scope="module", params=["walker", "ranked"])
def serial(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    forest = grown_forest(names=("maxpl", "syn", "rslas"), trees=3, depth=3)
    compiler.export(forest, out, board="icebreaker", top="forest", architecture=request.param)
    return out


def test_features_one_after_the_other_are_answered_in_time(serial):
    assert check_forest(serial).mismatches == 0


def test_wrong_vectors_of_such_circuits_are_counted(serial):
    check = ForestCheck(serial)
    check.vectors.scores[17] += 1
    check.vectors.decisions[39] = 2
    assert check.simulate().mismatches == 2


@pytest.mark.parametrize("serial", ["ranked"], indirect=True)
@pytest.mark.parametrize("field", ["latency_cycles", "interval_cycles"])
def test_other_clocks_than_those_of_a_ranked_forest_are_found(serial, field):
    check = ForestCheck(serial)
    object.__setattr__(check.manifest, field, getattr(check.manifest, field) + 1)
    assert check.simulate().mismatches > 1000
