"""Reports: a page that is whole, needs nothing else, and says no more than the manifest holds."""

import dataclasses
import re
import shutil
import sys
import time

import pytest

import compiler
from compiler.__main__ import app
from compiler.cli import run
from compiler.emit import sha256
from compiler.errors import InputError
from compiler.features import CATALOGUE
from compiler.forest import Column, Forest, Leaf, Tree
from compiler.forest_json import forest_text
from compiler.manifest import NOT_DONE, read_manifest, record, write_manifest
from compiler.report import write_report
from tests.forests import grown_forest, one_tree
from tests.html_page import Page

PROVED = {"equal": True, "solver": "z3 1.2", "seconds": 0.5, "trees": 3, "registers": 9, "assumptions": ["<the> moon"]}
REPLAYED = {"engine": "amaranth", "records": 160, "mismatches": 0, "counters_equal": True}
SIMULATED = {"engine": "amaranth", "vectors": 2032, "mismatches": 0, "cycles": 2034}


@pytest.fixture(scope="module", params=["unrolled", "walker"])
def exported(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    compiler.export(grown_forest(trees=3), out, board="icebreaker", top="forest", architecture=request.param)
    return out


@pytest.fixture
def core(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "core")


def with_forest(directory, forest: Forest):
    """The export as if it were of another forest, which saves making its circuit."""
    # JSON can hold half of a surrogate pair, as an escape only.
    text = forest_text(forest).replace("\ud800", "\\ud800")
    (directory / "forest.json").write_text(text, encoding="utf-8")
    manifest = read_manifest(directory)
    entry = {**manifest.forest, "id": forest.id, "name": forest.name, "monitor_only": forest.monitor_only}
    files = {**manifest.files, "forest.json": sha256(text)}
    write_manifest(dataclasses.replace(manifest, forest=entry, files=files), directory)
    return directory


def changed(directory, **changes):
    write_manifest(dataclasses.replace(read_manifest(directory), **changes), directory)


def report(directory, **options) -> tuple[str, Page]:
    out = directory.parent / "report.html"
    write_report(directory, out, **options)
    text = out.read_text(encoding="utf-8")
    return text, Page(text)


def test_a_page_needs_nothing_else(core):
    text, page = report(core)
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text
    links = [value for _, name, value in page.attributes if name in ("href", "src", "xlink:href", "action")]
    anchors = {f"#{value}" for _, name, value in page.attributes if name == "id"}
    assert links
    assert set(links) <= anchors


def test_the_same_export_gives_the_same_page(core):
    assert report(core)[0] == report(core)[0]


def test_what_the_plan_chose(core):
    manifest, (_, page) = read_manifest(core), report(core)
    for part in manifest.architecture["reason"].split("; "):
        assert part in page.words
    assert f"about {manifest.architecture['estimate']['logic_cells']}" in page.words
    for port in manifest.ports:
        assert port["name"] in page.words
    for hash in manifest.files.values():
        assert hash in page.words
    walks = manifest.architecture["name"] == "walker"
    assert ("at most" in page.words) == walks
    assert f"latency of the forest {'at most ' if walks else ''}{manifest.latency_cycles} clock" in page.words


def test_nothing_has_been_done_yet(core):
    _, page = report(core)
    assert "0 of 4 kinds of evidence passed" in page.words
    assert f"python -m sim check {core}" in page.words
    assert f"python -m sim check {core} --gates" in page.words
    assert f"python -m compiler build {core}" in page.words
    assert "Nothing has been placed and routed" in page.words
    assert "clock reached not built" in page.words
    assert "without a probe that could take traffic" in page.words
    assert page.words.count("not done") == 5
    assert "passed Forest" not in page.words
    assert f"python -m compiler prove {core}" in page.words


def test_what_has_been_done(core):
    record(core, "simulated", SIMULATED)
    record(core, "proved", PROVED)
    record(core, "replayed", REPLAYED)
    _, page = report(core)
    assert "passed Forest circuit simulated with the test vectors 0 of 2032 vectors differ" in page.words
    assert "passed Whole probe replayed on traffic, held to its software model 0 of 160 records differ" in page.words
    assert "passed Forest circuit proved equal to the forest for all inputs equal for all inputs" in page.words
    assert "Taken for granted: <the> moon" in page.words
    assert "solver z3 1.2" in page.words
    assert "not done Netlist after synthesis" in page.words
    assert "3 of 4 kinds of evidence passed" in page.words


@pytest.mark.parametrize(
    ("name", "entry", "state"),
    [
        ("simulated", {**SIMULATED, "mismatches": 3}, "differs"),
        ("simulated", {**SIMULATED, "vectors": 0}, "unclear"),
        ("simulated", {"engine": "amaranth"}, "unclear"),
        ("simulated", "done, I swear", "unclear"),
        ("replayed", {**REPLAYED, "counters_equal": False}, "differs"),
        ("replayed", {**REPLAYED, "mismatches": 1}, "differs"),
        ("proved", {**PROVED, "equal": False}, "differs"),
        ("proved", {"solver": "z3"}, "unclear"),
        ("post_synthesis", {**SIMULATED, "mismatches": 1}, "differs"),
    ],
)
def test_evidence_that_is_none(core, name, entry, state):
    changed(core, evidence={**read_manifest(core).evidence, name: entry})
    _, page = report(core)
    assert "0 of 4 kinds of evidence passed" in page.words
    assert f"{state} " in page.words
    assert ("A check found differences" in page.words) == (state == "differs")


def test_a_build(core):
    alone = {"lut4": 91, "carry": 12, "ff": 30, "ebr": 1, "spram": 0, "dsp": 0}
    changed(
        core,
        resources={"logic_cells": 123, "of": 5280, "lut4": 100, "carry": 13, "ff": 40, "ebr": 1, "alone": alone},
        clock={"asked_hz": 24_000_000, "fmax_hz": 23_456_789, "met": False, "seed": 4, "seeds_tried": 5},
    )
    _, page = report(core)
    assert "tables of 4 inputs — 91 100" in page.words
    assert "123 of 5280" in page.words
    assert "clock reached 23.46 MHz: missed (seed 4, 5 seeds tried)" in page.words
    assert "The clock that was asked for was missed" in page.words
    assert "Nothing has been placed" not in page.words
    assert "behind a shift register" in page.words


def test_files_that_were_changed(core):
    assert f"All {len(read_manifest(core).files)} files are as the manifest says" in report(core)[1].words
    (core / "vectors.csv").write_text("changed")
    (core / "design.v").unlink()
    _, page = report(core)
    assert "Not as exported any more: design.v, vectors.csv." in page.words
    assert page.words.count("changed or gone") == 2


def test_another_forest_than_that_of_the_circuit(core):
    (core / "forest.json").write_text(forest_text(one_tree()))
    _, page = report(core)
    assert "Not as exported any more: forest.json." in page.words
    assert f"forest.json holds forest {one_tree().id}, but the circuit was made from" in page.words


def test_monitor_only(core):
    assert "Monitor only" not in report(core)[1].words
    assert "Monitor only." in report(with_forest(core, one_tree(monitor_only=True)))[1].words


def test_names_are_text(core):
    name = '<script>alert("&")</script>'
    unit = "<b>'\"&"
    forest = one_tree(
        name=name,
        columns=tuple(column._replace(unit=unit) for column in one_tree().columns),
        provenance={name: {name: [name, {name: name}]}},
        operating_point={"a": "\ud800"},
    )
    text, page = report(with_forest(core, forest))
    assert "<script" not in text
    assert page.words.startswith(f"{name}: report of an export")
    assert f"≤ 1400 {unit}" in page.words
    assert f"{name} · {name} 1 {name}" in page.words


def test_notes_of_any_size(core):
    deep: dict = {}
    for _ in range(400):
        deep = {"deeper": deep}
    notes = {"deep": deep, "long": "x" * 10_000, "wide": {str(at): at for at in range(1000)}, "none": None, "list": []}
    text, page = report(with_forest(core, one_tree(provenance=notes)))
    assert len(text) < 200_000
    assert "and more" in page.words


def test_thresholds_stand_in_their_unit(core):
    forest = grown_forest(trees=3)
    _, page = report(core, trees=0)
    for column, thresholds in zip(forest.columns, forest.thresholds(), strict=True):
        if thresholds:
            assert CATALOGUE[column.name].meaning in page.words
            listed = ", ".join(f"{threshold / 2**column.fraction:.10g}" for threshold in sorted(thresholds))
            assert f"thresholds as numbers {listed} {column.unit}" in page.words
        else:
            assert column.name in page.words.split("In no test:")[1].split(".")[0]


def test_a_forest_without_tests(core):
    forest = one_tree(trees=(Tree(3, (Leaf(1),)), Tree(2, (Leaf(0),))))
    _, page = report(with_forest(core, forest))
    assert "SPAM +3" in page.words
    assert "neither 0" in page.words
    assert "No tree has a test." in page.words


def test_as_many_trees_as_asked_for(core):
    assert len(re.findall('class="tree"', report(core, trees=0)[0])) == 0
    assert len(re.findall('class="tree"', report(core, trees=2)[0])) == 2
    assert len(re.findall('class="tree"', report(core, trees=99)[0])) == 3
    assert len(re.findall('class="tree"', report(core, trees=None)[0])) == 3
    with pytest.raises(InputError, match="number of trees must be 0 or more, not -1"):
        report(core, trees=-1)


@pytest.mark.parametrize(("trees", "depth"), [(1000, 5), (1500, 3), (40, 9)])
def test_a_large_forest_is_a_small_page(core, trees, depth):
    with_forest(core, grown_forest(trees=trees, depth=depth))
    started = time.process_time()
    text, page = report(core)
    assert time.process_time() - started < 20
    assert len(text.encode()) < 3_000_000
    assert f"6 of {trees} trees drawn" in page.words
    assert len(re.findall('<svg class="shape"', text)) == min(trees, 1000)
    assert (f"And {trees - 1000} more in forest.json." in page.words) == (trees > 1000)


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command line; gives its exit code and what it wrote to both streams."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["compiler", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run(app)
        written = capsys.readouterr()
        return end.value.code, written.out, written.err

    return call


def test_the_command(command, core, tmp_path):
    out = tmp_path / "page.html"
    code, said, error = command(core, "-o", out, "--trees", "2")
    assert (code, error) == (0, "")
    assert said == f"{out}: forest {grown_forest(trees=3).id}, 2 of 3 trees drawn\n"
    assert len(re.findall('class="tree"', out.read_text())) == 2
    assert command(core, "-o", out, "--trees", "all")[0] == 0
    (core / "design.v").unlink()
    assert command(core, "-o", out)[::2] == (0, f"warning: {core / 'design.v'}: is not as exported\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trees", "some"], "--trees must be a number or all, not 'some'"),
        (["--trees", "-1"], "--trees must be a number or all, not '-1'"),
        (["-o", "page.txt"], "page.txt: name must end in .html or .htm"),
        (["-o", "no/page.html"], "no/page.html: the directory "),
    ],
)
def test_wrong_options(command, core, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    code, said, error = command(core, *options)
    assert (code, said) == (2, "")
    assert error.startswith(f"error: {message}")
    assert error.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["core"]


def test_wrong_directories(command, core, tmp_path):
    out = tmp_path / "page.html"
    out.write_text("before")
    (tmp_path / "empty").mkdir()
    for directory in (tmp_path / "empty", tmp_path / "none"):
        assert command(directory, "-o", out) == (
            2,
            "",
            f"error: {directory}: not an export: there is no manifest.json in it\n",
        )
    (core / "forest.json").write_text("{")
    assert "forest.json: not JSON" in command(core, "-o", out)[2]
    (core / "forest.json").unlink()
    assert command(core, "-o", out)[::2] == (2, f"error: {core / 'forest.json'}: No such file or directory\n")
    assert out.read_text() == "before"


def test_without_the_package(command, core, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, _, error = command(core, "-o", tmp_path / "page.html")
    assert code == 2
    assert error == "error: report: needs the package jinja2, which is not installed: pip install -e '.[report]'\n"
    assert not (tmp_path / "page.html").exists()


def test_not_done_is_what_the_manifest_says():
    # The style sheet has a class of that name.
    assert NOT_DONE == "not done"


def test_a_column_of_no_catalogue_is_drawn():
    from compiler.report.overview import feature_rows

    rows = feature_rows(dataclasses.replace(one_tree(), columns=(Column("own", 24, 24, "u"), Column("syn", 1))))
    assert [(row.name, row.meaning) for row in rows] == [
        ("own", ""),
        ("syn", "whether a packet with SYN occurred, forward direction"),
    ]
