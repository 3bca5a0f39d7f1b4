"""iCEBreaker with a 100 Mb/s PHY on a PMOD: it listens to a wire by itself."""

from pathlib import Path
from typing import Any

from amaranth.build import Attrs, Clock, Pins, Platform, Resource, Subsignal
from amaranth.hdl import ClockDomain, ClockSignal, Const, DomainRenamer, Module, ResetSignal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth_boards.icebreaker import ICEBreakerPlatform

from hdl.cobs_decoder import CobsDecoder
from hdl.host_item import HostItem
from hdl.rmii import RmiiReceiver
from hdl.tap_link import TapLink
from hdl.uart_receiver import UartReceiver

from .board import Board
from .ice40 import UP5K
from .ice40_shell import BAUD, CLOCK_HZ, FLOWS_PER_S, write_build
from .pins import put_out, taken_in

__all__ = ["BOARD"]

SLOTS = 16
"""Of 256 bytes: 8 block RAMs."""


class _Platform(ICEBreakerPlatform):
    pll_at_pad = True
    synthesis_options = "-spram -device u -abc9"
    uart_pins = {"rx": "-", "tx": "-"}
    # A module with a LAN8720 on PMOD 1A: RX0 on pin 1, RX1 on 2, CRS_DV on 3, TX_EN on 4, which stays low, and the
    # reference clock on 10, which leads to a global buffer.
    resources = [
        *ICEBreakerPlatform.resources,
        Resource(
            "rmii",
            0,
            Subsignal("rx_data", Pins("1 2", dir="i", conn=("pmod", 0))),
            Subsignal("crs_dv", Pins("3", dir="i", conn=("pmod", 0))),
            Subsignal("tx_en", Pins("4", dir="o", conn=("pmod", 0))),
            Subsignal("ref_clk", Pins("10", dir="i", conn=("pmod", 0)), Clock(50e6)),
            Attrs(IO_STANDARD="SB_LVCMOS"),
        ),
    ]


def _link(m: Module, platform: Platform, line: Any) -> tuple[Any, Any]:
    """Frames from the PHY, items of a host over the serial line.

    What the PHY gives is valid around the edge at which the clock, delayed by its buffer as the data are by theirs,
    takes it into registers of the fabric.
    """
    m.domains.rx = ClockDomain("rx")
    pins = platform.request("rmii", 0, dir=dict.fromkeys(("rx_data", "crs_dv", "tx_en", "ref_clk"), "-"))
    phy, tap = RmiiReceiver(), TapLink(cycles_per_ms=CLOCK_HZ // 1000, slots=SLOTS, check=False)
    m.submodules.phy = DomainRenamer("rx")(phy)
    m.submodules.tap = tap
    m.submodules.reset_rx = ResetSynchronizer(ResetSignal("sync"), domain="rx")
    m.submodules.uart_rx = uart = UartReceiver(divisor=CLOCK_HZ // BAUD)
    m.submodules.cobs = cobs = CobsDecoder()
    m.submodules.item = item = HostItem()
    wiring.connect(m, phy.o, tap.symbols)
    wiring.connect(m, uart.o, cobs.i)
    wiring.connect(m, cobs.o, item.i)
    wiring.connect(m, item.o, tap.host)

    m.d.comb += [
        ClockSignal("rx").eq(taken_in(m, pins.ref_clk)),
        phy.data.eq(taken_in(m, pins.rx_data)),
        phy.crs_dv.eq(taken_in(m, pins.crs_dv)),
        uart.rx.eq(taken_in(m, line.rx)),
    ]
    put_out(m, pins.tx_en, Const(0))
    return tap.o, tap.overrun


def _build(component: wiring.Component, build_id: str, directory: Path) -> None:
    write_build(_Platform(), component, directory, _link)


BOARD = Board(
    name="icebreaker_rmii",
    title="iCEBreaker with RMII",
    device=UP5K,
    clock_hz=CLOCK_HZ,
    seed=2,
    table_entries=1024,
    block_rams=21,
    flows_per_s=FLOWS_PER_S,
    waits=False,
    build=_build,
)
"""What the compiler needs to know of it."""
