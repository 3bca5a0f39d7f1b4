"""Ice40Shell: clock, pins and link around a component, for iCE40 boards with a 12 MHz oscillator."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from amaranth.build import Platform
from amaranth.hdl import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import ResetSynchronizer

from hdl.spi_link import SpiLink
from hdl.uart import UartTransmitter

from .pins import put_out, taken_in
from .synthesis import ANY_ON_COLLISION

__all__ = ["BAUD", "CLOCK_HZ", "FORGET_INITIAL_CONTENTS", "Ice40Shell", "spi_link", "write_build"]

Link = Callable[[Module, Platform, Any], tuple[Any, Any]]

CLOCK_HZ = 24_000_000
FLOWS_PER_S = CLOCK_HZ // 4 // 8 // 62
"""SPI at a quarter of the clock, and 62 bytes for an item with the headers of a frame without payload."""

BAUD = 3_000_000
"""Of the serial line that records leave on, 8N1."""

# 12 MHz · (DIVF + 1) / 2^DIVQ = 24 MHz, with the oscillator in the PLL at 768 MHz.
_PLL = {"p_FEEDBACK_PATH": "SIMPLE", "p_DIVR": 0, "p_DIVF": 63, "p_DIVQ": 5, "p_FILTER_RANGE": 1}

FORGET_INITIAL_CONTENTS = "select -set forgetful a:hedgerow_uninitialised=1 %m; delete @forgetful t:$meminit_v2 %i"
"""Yosys commands: memories that may start with anything lose their initial contents, so that SPRAM can take them."""


class Ice40Shell(Elaboratable):
    """Items come in over a link, bytes go out over a UART.

    Parameters
    ----------
    component: has streams ``i`` of items and ``o`` of bytes, events ``overrun``, and ``ready``, which a LED shows
    link: puts the link and its pins into a module, for a platform and the serial line; gives the streams of items and
        of what was dropped
    """

    def __init__(self, component: wiring.Component, link: Link):
        self._component, self._link = component, link

    def elaborate(self, platform):
        m = Module()
        self._clock(m, platform)
        m.submodules.component = component = self._component
        m.submodules.uart = uart = UartTransmitter(divisor=CLOCK_HZ // BAUD)
        line = platform.request("uart", 0, dir=platform.uart_pins)
        items, overrun = self._link(m, platform, line)
        wiring.connect(m, items, component.i)
        wiring.connect(m, overrun, component.overrun)
        wiring.connect(m, component.o, uart.i)

        put_out(m, line.tx, uart.tx)
        put_out(m, platform.request("led", 0, dir="-"), component.ready)

        return m

    def _clock(self, m, platform):
        """The PLL's clock, in reset until it has locked; block RAM needs some of that time to be loaded too."""
        m.domains.sync = ClockDomain("sync")
        locked = Signal()
        oscillator = platform.request("clk12", 0, dir="-")
        ports = {
            "o_PLLOUTGLOBAL": ClockSignal("sync"),
            "o_LOCK": locked,
            "i_RESETB": Const(1),
            "i_BYPASS": Const(0),
        }
        if platform.pll_at_pad:
            m.submodules.pll = Instance("SB_PLL40_PAD", **_PLL, i_PACKAGEPIN=oscillator.io, **ports)
        else:
            m.submodules.oscillator = buffer = io.Buffer("i", oscillator)
            m.submodules.pll = Instance("SB_PLL40_CORE", **_PLL, i_REFERENCECLK=buffer.i, **ports)
        m.submodules.reset = ResetSynchronizer(~locked)


def spi_link(m: Module, platform: Platform, _: Any) -> tuple[Any, Any]:
    """Items over SPI."""
    m.submodules.link = link = SpiLink()
    spi = platform.request("spi_items", 0, dir={"sck": "-", "copi": "-", "cipo": "-", "cs": "-"})
    for pin, value in ((spi.sck, link.sck), (spi.copi, link.copi), (spi.cs, link.cs_n)):
        m.d.comb += value.eq(taken_in(m, pin))
    put_out(m, spi.cipo, link.cipo)
    return link.o, link.overrun


def write_build(platform: Platform, component: wiring.Component, directory: Path, link: Link = spi_link) -> None:
    """Write what :mod:`boards.synthesis` builds from: circuit, synthesis script, pins."""
    plan = platform.prepare(
        Ice40Shell(component, link),
        name="design",
        synth_opts=platform.synthesis_options,
        script_after_read=f"{FORGET_INITIAL_CONTENTS}\n{ANY_ON_COLLISION}",
        emit_src=False,
    )
    for name in ("design.il", "design.ys", "design.pcf"):
        content = plan.files[name]
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
