"""Exports: what is in them, that they are whole or not there, and that nothing is claimed that was not done."""

import dataclasses
import hashlib
import json
import subprocess

import pytest

import compiler
from boards import TARGETS
from boards.toolchain import tool_path
from compiler.errors import InputError
from compiler.forest_json import read_forest
from compiler.manifest import FORMAT, NOT_DONE, VERSION, Manifest, read_manifest, record, write_manifest
from compiler.vectors import read_vectors
from tests.forests import grown_forest, one_tree


def export(forest, out, **changes) -> Manifest:
    return compiler.export(forest, out, **{"board": "icebreaker", "top": "forest"} | changes)


@pytest.fixture(scope="module")
def forest():
    return grown_forest(trees=5)


@pytest.fixture(scope="module")
def exported(forest, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    export(forest, out)
    return out


def test_files(exported, forest):
    found = {str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file()}
    manifest = read_manifest(exported)
    assert found == {*manifest.files, "manifest.json"}
    assert {"forest.json", "design.v", "design.il", "vectors.csv", "test_forest.py"} <= found
    for name, expected in manifest.files.items():
        assert hashlib.sha256((exported / name).read_bytes()).hexdigest() == expected
    assert read_forest(exported / "forest.json") == forest
    assert len(read_vectors(exported / "vectors.csv")) == manifest.vectors["count"] >= 2000


def test_manifest_is_what_was_returned(forest, tmp_path):
    manifest = export(forest, tmp_path / "core")
    document = json.loads((tmp_path / "core" / "manifest.json").read_text())
    assert (document["format"], document["version"]) == (FORMAT, VERSION) == ("hedgerow-export", 2)
    assert document == json.loads(json.dumps(manifest.as_json()))


def test_nothing_is_claimed_yet(exported):
    manifest = read_manifest(exported)
    assert (manifest.resources, manifest.clock) == (None, None)
    assert manifest.evidence == dict.fromkeys(["simulated", "replayed", "proved", "post_synthesis"], NOT_DONE)


def test_manifest_describes_the_streams(exported, forest):
    manifest = read_manifest(exported)
    assert [feature["name"] for feature in manifest.features] == list(forest.feature_names)
    offset = 0
    for feature, column in zip(manifest.features, forest.columns, strict=True):
        assert (feature["bits"], feature["fraction"], feature["offset"]) == (column.bits, column.fraction, offset)
        offset += column.bits
    ports = {port["name"]: (port["direction"], port["bits"]) for port in manifest.ports}
    score, verdict = manifest.answer
    assert (verdict["bits"], verdict["signed"], verdict["offset"]) == (2, True, score["bits"])
    assert ports == {
        "clk": ("input", 1),
        "rst": ("input", 1),
        "i__payload": ("input", offset),
        "i__valid": ("input", 1),
        "i__ready": ("output", 1),
        "o__payload": ("output", score["bits"] + 2),
        "o__valid": ("output", 1),
        "o__ready": ("input", 1),
    }


@pytest.mark.parametrize(("file", "reader"), [("design.v", "read_verilog"), ("design.il", "read_rtlil")])
def test_yosys_sees_the_ports_that_the_manifest_lists(exported, file, reader):
    manifest = read_manifest(exported)
    script = f"{reader} {file}; hierarchy -check -top {manifest.module}; proc; write_json -"
    done = subprocess.run(
        [tool_path("YOSYS"), "-q", "-p", script], cwd=exported, capture_output=True, text=True, check=True
    )
    module = json.loads(done.stdout)["modules"][manifest.module]
    found = {name: (port["direction"], len(port["bits"])) for name, port in module["ports"].items()}
    assert found == {port["name"]: (port["direction"], port["bits"]) for port in manifest.ports}


def test_no_path_of_this_machine_is_in_it(exported):
    for path in exported.rglob("*"):
        if path.is_file():
            assert b".py:" not in path.read_bytes(), path.name


def test_an_export_is_repeatable(exported, forest, tmp_path):
    export(forest, tmp_path / "again")
    assert read_manifest(tmp_path / "again") == read_manifest(exported)


def test_build_id_depends_on_forest_and_circuit(exported, forest, tmp_path):
    here = read_manifest(exported).build_id
    assert len(here) == 8
    assert export(dataclasses.replace(forest, min_packets=9), tmp_path / "a").build_id != here
    # The same forest with more registers.
    assert export(forest, tmp_path / "b", clock_hz=90e6).build_id != here


@pytest.mark.parametrize("board", TARGETS)
def test_every_target(forest, tmp_path, board):
    manifest = export(forest, tmp_path / "core", board=board)
    assert manifest.board == {
        "name": board,
        "title": TARGETS[board].title,
        "device": TARGETS[board].device.name,
        "clock_hz": TARGETS[board].clock_hz,
    }
    assert f"expected, {TARGETS[board].clock_hz / 1e6:g} MHz and " in manifest.architecture["reason"]


def test_a_clock_that_was_asked_for(forest, tmp_path):
    manifest = export(forest, tmp_path / "core", board="lfe5u-85f", clock_hz=222.5e6)
    assert manifest.board["clock_hz"] == 222_500_000
    assert "222.5 MHz and 222500000 flows/s asked for" in manifest.architecture["reason"]
    assert manifest.latency_cycles > export(forest, tmp_path / "slow", board="lfe5u-85f", clock_hz=50e6).latency_cycles


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clock_hz": 999}, "^clock must be from 0.001 to 1000 MHz, not 0.000999 MHz$"),
        ({"clock_hz": 1e9 + 1e5}, "^clock must be from 0.001 to 1000 MHz, not 1000.1 MHz$"),
        ({"clock_hz": float("nan")}, "^clock must be from 0.001 to 1000 MHz, not nan MHz$"),
        ({"clock_hz": 48e6, "top": "probe"}, "^clock must not be given with top probe: it runs at 24 MHz$"),
        (
            {"board": "lfe5u-85f", "top": "probe"},
            "^lfe5u-85f is a device without pins or link, so top must be forest, not 'probe'$",
        ),
    ],
)
def test_what_a_target_cannot_do_is_refused_before_any_work(forest, tmp_path, monkeypatch, changes, message):
    monkeypatch.setattr("compiler.exporting.plan_forest", lambda *_, **__: 1 / 0)
    with pytest.raises(InputError, match=message):
        export(forest, tmp_path / "core", **changes)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced(exported, tmp_path):
    out = tmp_path / "core"
    export(one_tree(), out)
    (out / "left over").touch()
    export(one_tree(min_packets=3), out)
    assert not (out / "left over").exists()
    assert read_manifest(out).forest["id"] == one_tree(min_packets=3).id


def test_an_empty_directory_is_taken(tmp_path):
    export(one_tree(), tmp_path)
    assert read_manifest(tmp_path).top == "forest"


def test_a_directory_of_something_else_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="holds something else than an earlier export; give another directory$"):
        export(one_tree(), tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": "another"}')
    with pytest.raises(InputError, match="holds something else"):
        export(one_tree(), tmp_path)
    with pytest.raises(InputError, match="mine: is not a directory$"):
        export(one_tree(), tmp_path / "mine")


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="weight must be above 0"):
        export(one_tree(trees=(one_tree().trees[0]._replace(weight=-1),)), tmp_path / "core")
    with pytest.raises(InputError, match="^board must be one of icebreaker, .*, lfe5u-85f, not 'arty'$"):
        export(one_tree(), tmp_path / "core", board="arty")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_keeps_the_earlier_export(tmp_path, monkeypatch):
    export(one_tree(), tmp_path / "core")
    before = read_manifest(tmp_path / "core")
    monkeypatch.setattr("compiler.exporting.write_vectors", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(one_tree(min_packets=7), tmp_path / "core")
    assert read_manifest(tmp_path / "core") == before
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


def test_evidence_is_recorded(tmp_path):
    export(one_tree(), tmp_path / "core")
    record(tmp_path / "core", "simulated", {"vectors": 5})
    evidence = read_manifest(tmp_path / "core").evidence
    assert evidence.pop("simulated") == {"vectors": 5}
    assert set(evidence.values()) == {NOT_DONE}
    with pytest.raises(ValueError, match="^Evidence must be one of .*, not 'guessed'$"):
        record(tmp_path / "core", "guessed", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "manifest.json: not JSON: "),
        ("[]", 'not the manifest of an export: "format" must be "hedgerow-export"$'),
        ('{"format": "hedgerow-export", "version": 9}', "manifest.json: version must be 1 or 2, not 9$"),
        ('{"format": "hedgerow-export", "version": 2, "top": 0}', "fields must be those of version 2; look at "),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_manifest(tmp_path)


def test_write_and_read_of_a_manifest(exported, tmp_path):
    write_manifest(read_manifest(exported), tmp_path)
    assert read_manifest(tmp_path) == read_manifest(exported)
