"""The shells of the boards around a small component: pins, clock, and a link that works through them."""

import pytest

from boards import BOARDS
from boards.ice40_shell import BAUD, CLOCK_HZ
from boards.routing import place_and_route
from boards.synthesis import synthesise
from tests.boards.echo import Echo

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
    "icebreaker_rmii": {
        "clk12_0__io": "35",
        "rmii_0__ref_clk__io": "44",
        "rmii_0__rx_data__io[0]": "4",
        "rmii_0__rx_data__io[1]": "2",
        "rmii_0__crs_dv__io": "47",
        "rmii_0__tx_en__io": "45",
        "uart_0__rx__io": "6",
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


@pytest.mark.parametrize("name", sorted(_PINS))
def test_pins_and_clock(name, tmp_path):
    board = BOARDS[name]
    board.build(Echo(frames=False), "00000000", tmp_path)
    lines = [line.split() for line in (tmp_path / "design.pcf").read_text().splitlines()]
    assert {line[1]: line[2] for line in lines if line[0] == "set_io"} == _PINS[name]
    assert ["set_frequency", "clk12_0__io", "12.0"] in lines


@pytest.mark.parametrize("name", sorted(_PINS))
def test_runs_at_the_clock_that_the_board_states(name, tmp_path):
    board = BOARDS[name]
    board.build(Echo(frames=False), "00000000", tmp_path)
    synthesise(tmp_path, board.device.family)
    placement = place_and_route(tmp_path, board.device, seed=board.seed, clock_hz=1e6)
    # The constraints come from the PLL and from the pins, whatever clock is asked for beside them.
    asked = sorted(round(asked_hz / 1e6) for _, asked_hz in placement.clocks_hz.values())
    assert asked == ([24, 50] if name == "icebreaker_rmii" else [24])
    assert board.clock_hz == CLOCK_HZ == 24_000_000
    assert placement.used["ICESTORM_PLL"] == 1
    assert placement.clock_met


def test_the_serial_line_divides_the_clock():
    assert CLOCK_HZ % BAUD == 0
