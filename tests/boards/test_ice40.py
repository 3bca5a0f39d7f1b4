"""The iCE40 flow on small circuits and on reports of large ones."""

import pytest
from amaranth.back import rtlil

from boards.device import DoesNotFit
from boards.ice40 import HX8K, ICE40, UP5K, resources
from boards.packing import pack_bitstream
from boards.routing import is_routing_stuck, place_and_route
from boards.synthesis import synthesise, synthesise_alone
from boards.toolchain import ToolError, ToolStuck
from tests.boards.delays import Delay, LargeDelay, write_delay


@pytest.fixture
def workspace(tmp_path):
    write_delay(Delay(), tmp_path, ICE40)
    return tmp_path


@pytest.mark.parametrize("device", [UP5K, HX8K])
def test_from_circuit_to_bitstream(workspace, device):
    cells = synthesise(workspace, ICE40)
    placement = place_and_route(workspace, device, seed=2, clock_hz=10e6)
    assert cells["ff"] >= 9 + 10 + 10
    assert cells["lut4"] > 0
    assert placement.seed == 2
    assert cells["ff"] <= placement.used["ICESTORM_LC"] <= cells["ff"] + cells["lut4"] + cells["carry"] + 5
    assert round(placement.asked_hz) == 10_000_000
    assert placement.clock_met
    assert pack_bitstream(workspace, ICE40).stat().st_size > 30_000


def test_a_clock_out_of_reach_is_not_met(workspace):
    synthesise(workspace, ICE40)
    assert not place_and_route(workspace, UP5K, seed=1, clock_hz=900e6).clock_met


def test_a_component_without_its_shell(workspace, tmp_path):
    (tmp_path / "delay.il").write_text(rtlil.convert(Delay(), name="delay"))
    cells = synthesise_alone(tmp_path / "delay.il", "delay", ICE40)
    assert cells["ff"] == 9
    assert cells["lut4"] + cells["carry"] < 20


def test_a_circuit_that_is_too_big_is_told_by_what_is_short(tmp_path):
    write_delay(LargeDelay(32), tmp_path, ICE40)
    synthesise(tmp_path, ICE40)
    with pytest.raises(DoesNotFit, match="^needs 32 of 30 block RAMs$"):
        place_and_route(tmp_path, UP5K, seed=1, clock_hz=10e6)


def test_another_failure_of_nextpnr_is_passed_on(workspace):
    synthesise(workspace, ICE40)
    (workspace / "design.pcf").write_text("set_io clk 999\n")
    with pytest.raises(ToolError, match="failed: ERROR: .*999"):
        place_and_route(workspace, UP5K, seed=1, clock_hz=10e6)


def test_cells_have_the_names_that_people_use():
    cells = {"SB_LUT4": 5, "SB_CARRY": 2, "SB_DFF": 1, "SB_DFFESR": 3, "SB_RAM40_4K": 4, "SB_SPRAM256KA": 6}
    assert resources(cells) == {"lut4": 5, "carry": 2, "ff": 4, "ebr": 4, "spram": 6, "dsp": 0}
    assert resources({}) == dict.fromkeys(("lut4", "carry", "ff", "ebr", "spram", "dsp"), 0)


def test_a_router_that_gets_nowhere_is_ended(workspace, monkeypatch):
    synthesise(workspace, ICE40)
    place_and_route(workspace, UP5K, seed=1, clock_hz=10e6)
    log = workspace / "placement.log"
    assert not is_routing_stuck(log)
    assert not is_routing_stuck(workspace / "none.log")
    # As if one turn for each net were far too many, and somebody looked all the time.
    monkeypatch.setattr("boards.routing._MOST_TURNS", 0)
    assert is_routing_stuck(log)
    monkeypatch.setattr("boards.toolchain._LOOK_S", 0.01)
    with pytest.raises(ToolStuck, match="gets nowhere with seed 1: its router takes up the same nets again and again"):
        place_and_route(workspace, UP5K, seed=1, clock_hz=10e6)
