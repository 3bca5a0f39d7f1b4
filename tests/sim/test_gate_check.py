"""The check of the gates: netlists of both families pass, and one wrong table is found."""

import re
import shutil
import sys

import pytest

import compiler
from boards.synthesis import netlist_of
from compiler.cli import run
from compiler.errors import CheckFailed, InputError
from compiler.manifest import NOT_DONE, read_manifest
from sim import gate_check
from sim.__main__ import app
from sim.gate_check import check_gates
from tests.forests import grown_forest


@pytest.fixture(scope="module", params=["icebreaker", "lfe5u-25f"])
def exported(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    compiler.export(grown_forest(trees=3, depth=3), out, board=request.param, top="forest")
    return out


@pytest.fixture
def copied(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "core")


@pytest.fixture
def wrong_table(monkeypatch):
    """Synthesis that turns the bits of the first table round."""

    def corrupted(circuit, top, family):
        netlist = netlist_of(circuit, top, family)
        table = re.compile(r"(?<=INIT 16')[01]{16}")
        rtlil = table.sub(lambda bits: bits[0].translate({48: "1", 49: "0"}), netlist.rtlil, count=1)
        assert rtlil != netlist.rtlil
        return netlist._replace(rtlil=rtlil)

    monkeypatch.setattr(gate_check, "netlist_of", corrupted)


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["sim", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        run(app)
    written = capsys.readouterr()
    return end.value.code, written.out, written.err


def test_gates_answer_as_the_forest(copied, monkeypatch, capsys):
    code, out, error = command(monkeypatch, capsys, "check", copied, "--gates")
    manifest = read_manifest(copied)
    found = manifest.evidence["post_synthesis"]
    cycles = manifest.vectors["count"] + manifest.latency_cycles
    cells = sum(found["cells"].values())
    assert (code, error) == (0, "")
    assert f"gates: {manifest.vectors['count']} vectors in {cycles} cycles, 0 mismatches, {cells} cells" in out
    assert (found["vectors"], found["mismatches"], found["cycles"]) == (manifest.vectors["count"], 0, cycles)
    assert {"icebreaker": "SB_LUT4", "lfe5u-25f": "LUT4"}[manifest.board["name"]] in found["cells"]
    assert re.fullmatch("[0-9a-f]{64}", found["netlist_sha256"])
    assert found["tool"].startswith("Yosys 0.")
    assert manifest.evidence["simulated"]["mismatches"] == 0


@pytest.mark.parametrize(
    ("board", "names", "cell"),
    [("lfe5u-25f", ("maxpl", "mintw"), "DP16KD"), ("icebreaker", ("minttl",), "SB_RAM40_4K")],
)
def test_tables_in_block_ram_answer_as_the_forest(board, names, cell, tmp_path, monkeypatch, capsys):
    forest = grown_forest(names=names, trees=9, depth=3)
    export = compiler.export(forest, tmp_path / "core", board=board, top="forest", block_rams=3)
    code, _, error = command(monkeypatch, capsys, "check", tmp_path / "core", "--gates")
    evidence = read_manifest(tmp_path / "core").evidence
    assert (code, error) == (0, "")
    assert evidence["simulated"]["mismatches"] == evidence["post_synthesis"]["mismatches"] == 0
    assert evidence["post_synthesis"]["cells"][cell] == export.architecture["estimate"]["block_rams"] > 1


def test_one_wrong_table_is_found(copied, monkeypatch, capsys, wrong_table):
    code, _, error = command(monkeypatch, capsys, "check", copied, "--gates")
    found = read_manifest(copied).evidence["post_synthesis"]
    assert code == 1
    assert found["mismatches"] > 0
    assert error == (
        f"error: {copied}: after synthesis {found['mismatches']} of {found['vectors']} vectors are answered otherwise\n"
    )


def test_a_changed_file_is_found_before_synthesis(copied, monkeypatch):
    (copied / "design.il").write_text("")
    monkeypatch.setattr(gate_check, "netlist_of", lambda *_: 1 / 0)
    with pytest.raises(CheckFailed, match="not as exported: design.il$"):
        check_gates(copied)


def test_without_a_compiler_nothing_is_begun(copied, monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, out, error = command(monkeypatch, capsys, "check", copied, "--gates")
    assert (code, out, error) == (2, "", "error: CXX: no-such-compiler is not installed\n")
    assert set(read_manifest(copied).evidence.values()) == {NOT_DONE}


def test_a_cell_without_a_model_is_named(copied, monkeypatch, tmp_path):
    only = tmp_path / "cells.v"
    only.write_text("module SB_CARRY (input I0, I1, CI, output CO); endmodule\n")
    monkeypatch.setattr(gate_check, "CELL_MODELS", {"iCE40": only, "ECP5": only})
    with pytest.raises(InputError, match="^compiled simulation: no model of the cell [A-Z0-9_]+ in sim/cells/cells.v$"):
        check_gates(copied)
    assert read_manifest(copied).evidence["post_synthesis"] == NOT_DONE


def test_the_forest_within_a_probe(tmp_path):
    forest = grown_forest(trees=2, depth=2)
    compiler.export(forest, tmp_path / "probe", board="icebreaker")
    result = check_gates(tmp_path / "probe")
    assert result.mismatches == 0
    assert result.vectors == read_manifest(tmp_path / "probe").vectors["count"]


@pytest.mark.parametrize(("board", "architecture"), [("icebreaker", "walker"), ("lfe5u-25f", "ranked")])
def test_circuits_with_block_ram(tmp_path, board, architecture):
    forest = grown_forest(names=("maxpl", "syn", "rslas"), trees=3, depth=3)
    compiler.export(forest, tmp_path / "core", board=board, top="forest", architecture=architecture)
    result = check_gates(tmp_path / "core")
    assert (result.vectors, result.mismatches) == (read_manifest(tmp_path / "core").vectors["count"], 0)
    assert {"SB_RAM40_4K", "DP16KD"} & set(result.cells)
