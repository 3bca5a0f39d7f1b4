"""The Colorlight's shell around a small component: pins, clocks, and a bitstream."""

import pytest

from boards import BOARDS
from boards.packing import pack_bitstream
from boards.routing import place_and_route
from boards.synthesis import synthesise
from tests.boards.echo import Echo

_BOARD = BOARDS["colorlight_5a75b"]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    directory = tmp_path_factory.mktemp("colorlight")
    _BOARD.build(Echo(frames=True), "00000000", directory)
    return directory


def test_pins_and_clocks(workspace):
    lines = [line.split() for line in (workspace / "design.lpf").read_text().splitlines()]
    sites = {line[2].strip('"'): line[4].strip('";') for line in lines if line[:2] == ["LOCATE", "COMP"]}
    assert sites["clk25_0__io"] == "P6"
    assert sites["phy_reset_0__io"] == "P5"
    assert [sites[f"rgmii_{port}__rx_clk__io"] for port in (0, 1)] == ["M1", "M16"]
    assert [sites[f"rgmii_1__tx_data__io[{bit}]"] for bit in range(4)] == ["T14", "R12", "R13", "R14"]
    assert len(sites) == 1 + 2 * 12 + 2
    clocks = {line[2].strip('"'): float(line[3]) for line in lines if line[:2] == ["FREQUENCY", "PORT"]}
    assert clocks == {"clk25_0__io": 25e6, "rgmii_0__rx_clk__io": 125e6, "rgmii_1__rx_clk__io": 125e6}


def test_all_clocks_are_constrained_and_met_and_a_bitstream_is_made(workspace):
    """Three domains at 125 MHz and that of the probe; both edges of the pins are used."""
    synthesise(workspace, _BOARD.device.family)
    placement = place_and_route(workspace, _BOARD.device, seed=_BOARD.seed, clock_hz=1e6)
    assert sorted(round(asked_hz / 1e6) for _, asked_hz in placement.clocks_hz.values()) == [100, 125, 125, 125]
    assert placement.clock_met
    # Five inputs, and six outputs with the clock, of each port.
    assert placement.used["IOLOGIC"] == 2 * (5 + 6)
    assert placement.used["EHXPLLL"] == 1
    bitstream = pack_bitstream(workspace, _BOARD.device.family)
    assert bitstream.name == "design.bit"
    assert bitstream.stat().st_size > 50_000
