"""The shells of the boards around a small component: pins, clock, and a link that works through them."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from boards import BOARDS
from boards.ice40_shell import BAUD, CLOCK_HZ
from boards.routing import place_and_route
from boards.synthesis import synthesise
from hdl.item import framed
from hdl.tally import event_signature

_PINS = {
    "icebreaker": {
        "clk12_0__io": "35",
        "spi_items_0__cs__io": "4",
        "spi_items_0__copi__io": "2",
        "spi_items_0__cipo__io": "47",
        "spi_items_0__sck__io": "45",
        "uart_0__tx__io": "9",
        "led_0__io": "11",
    },
    "ice40_hx8k_b_evn": {
        "clk12_0__io": "J3",
        "spi_items_0__cs__io": "N16",
        "spi_items_0__copi__io": "M15",
        "spi_items_0__cipo__io": "M16",
        "spi_items_0__sck__io": "L16",
        "uart_0__tx__io": "B12",
        "led_0__io": "C3",
    },
}


class Echo(wiring.Component):
    """Sends the bytes of items back."""

    i: In(stream.Signature(framed(8)))
    overrun: In(event_signature())
    ready: Out(1)
    o: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.ready.eq(1),
            self.overrun.ready.eq(1),
            self.o.payload.eq(self.i.p.data),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_pins_and_clock(name, tmp_path):
    board = BOARDS[name]
    board.build(Echo(), "00000000", tmp_path)
    lines = [line.split() for line in (tmp_path / "design.pcf").read_text().splitlines()]
    assert {line[1]: line[2] for line in lines if line[0] == "set_io"} == _PINS[name]
    assert ["set_frequency", "clk12_0__io", "12.0"] in lines


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_runs_at_the_clock_that_the_board_states(name, tmp_path):
    board = BOARDS[name]
    board.build(Echo(), "00000000", tmp_path)
    synthesise(tmp_path, board.device.family)
    placement = place_and_route(tmp_path, board.device, seed=1, clock_hz=1e6)
    # The constraint comes from the PLL, whatever clock is asked for beside it.
    assert round(placement.asked_hz / 1e6) == board.clock_hz // 1_000_000 == CLOCK_HZ // 1_000_000
    assert placement.used["ICESTORM_PLL"] == 1
    assert placement.clock_met


def test_the_serial_line_divides_the_clock():
    assert CLOCK_HZ % BAUD == 0
