"""Colorlight 5A-75B r7.0: a gigabit tap on port 0, set-up and records through port 1."""

from pathlib import Path

from amaranth.build import Attrs, Pins, PinsN, Resource, Subsignal
from amaranth.hdl import C, ClockDomain, ClockSignal, Const, DomainRenamer, Elaboratable, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth_boards.colorlight_5a75b_r7_0 import Colorlight_5A75B_R70Platform

from hdl.clock_crossing import ClockCrossing
from hdl.datagram import Station
from hdl.host_port import HostPort
from hdl.item import WORD_BYTES, framed, framed_words
from hdl.probe_front import Pipeline
from hdl.tap_link import TapLink
from hdl.word_gather import WordGather

from .board import Board
from .ecp5 import LFE5U_25F_BG256
from .pins import put_out, taken_in
from .rgmii import CLOCK_HZ, rgmii_receiver, rgmii_transmitter
from .synthesis import ANY_ON_COLLISION, NAME

__all__ = ["BOARD", "STATION", "ColorlightShell"]

STATION = Station(mac=0x02_48_47_52_57_01, ip=0xC0_A8_01_32, port=47390)
"""Of port 1: 02:48:47:52:57:01, 192.168.1.50."""

SLOTS = 32
"""Of 256 bytes: 4 block RAMs."""

_FRAMES_PER_S = 1_488_096
"""Of 64 bytes at a gigabit a second, 84 with all that is around them."""

PROBE_HZ = 100_000_000
"""Of the probe, which takes four bytes of an item a clock: of the shortest frame it takes no more than 18 words in the
67 clocks until the next. The bytes of the wires come and go at 125 MHz."""

# 25 MHz · CLKFB_DIV = 125 MHz, with the oscillator in the PLL at 500 MHz.
_PLL = {
    "p_CLKI_DIV": 1,
    "p_CLKFB_DIV": 5,
    "p_FEEDBK_PATH": "CLKOP",
    "p_CLKOP_DIV": 4,
    "p_CLKOP_CPHASE": 1,
    "p_CLKOS_ENABLE": "ENABLED",
    "p_CLKOS_DIV": 5,
    "p_CLKOS_CPHASE": 1,
}


def _rgmii(number: int, tx_clk: str, tx_ctl: str, tx_data: str, rx_clk: str, rx_ctl: str, rx_data: str) -> Resource:
    return Resource(
        "rgmii",
        number,
        Subsignal("tx_clk", Pins(tx_clk, dir="o")),
        Subsignal("tx_ctl", Pins(tx_ctl, dir="o")),
        Subsignal("tx_data", Pins(tx_data, dir="o")),
        Subsignal("rx_clk", Pins(rx_clk, dir="i")),
        Subsignal("rx_ctl", Pins(rx_ctl, dir="i")),
        Subsignal("rx_data", Pins(rx_data, dir="i")),
        Attrs(IO_TYPE="LVCMOS33"),
    )


class _Platform(Colorlight_5A75B_R70Platform):
    # The PHYs share one reset, which the platform's own resources have once for each.
    resources = [
        *(resource for resource in Colorlight_5A75B_R70Platform.resources if resource.name != "eth_rgmii"),
        _rgmii(0, "M2", "M3", "L1 L3 P2 L4", "M1", "N6", "N1 M5 N5 M6"),
        _rgmii(1, "M12", "R15", "T14 R12 R13 R14", "M16", "L15", "P13 N13 P14 M15"),
        Resource("phy_reset", 0, PinsN("P5", dir="o"), Attrs(IO_TYPE="LVCMOS33")),
    ]


_PINS = dict.fromkeys(("tx_clk", "tx_ctl", "tx_data", "rx_clk", "rx_ctl", "rx_data"), "-")


class ColorlightShell(Elaboratable):
    """Frames come in on port 0, IPFIX messages leave in datagrams on port 1.

    Pins and links are in domain ``link``, the component in ``sync``, which is slower.

    Parameters
    ----------
    component: has streams ``i`` of items in words of four bytes and ``o`` of messages, events ``overrun``, and
        ``ready``, which the LED shows
    """

    def __init__(self, component: wiring.Component):
        self._component = component

    def elaborate(self, platform):
        m = Module()
        locked = self._clock(m, platform)
        m.submodules.component = component = self._component
        tap_pins, host_pins = (platform.request("rgmii", number, dir=_PINS) for number in range(2))
        tap = TapLink(cycles_per_ms=CLOCK_HZ // 1000, slots=SLOTS)
        host = HostPort(station=STATION)
        m.submodules.tap = DomainRenamer({"rx": "tap", "sync": "link"})(tap)
        m.submodules.host = DomainRenamer({"rx": "host", "sync": "link"})(host)
        gather = WordGather()
        m.submodules.gather = DomainRenamer("link")(gather)
        m.submodules.items = items = ClockCrossing(framed_words(WORD_BYTES), i_domain="link", o_domain="sync")
        overrun = component.overrun.payload.shape()
        m.submodules.overrun = overrun = ClockCrossing(overrun, i_domain="link", o_domain="sync")
        m.submodules.messages = messages = ClockCrossing(framed(8), i_domain="sync", o_domain="link")

        wiring.connect(m, rgmii_receiver(m, platform, tap_pins, "tap").o, tap.symbols)
        wiring.connect(m, rgmii_receiver(m, platform, host_pins, "host").o, host.symbols)
        wiring.connect(m, host.items, tap.host)
        wiring.connect(m, tap.o, gather.i)
        wiring.connect(m, gather.o, items.i)
        wiring.connect(m, items.o, component.i)
        wiring.connect(m, tap.overrun, overrun.i)
        wiring.connect(m, overrun.o, component.overrun)
        wiring.connect(m, component.o, messages.i)
        wiring.connect(m, messages.o, host.messages)
        rgmii_transmitter(m, host_pins, host.data, host.valid, "link")
        # A tap is silent.
        rgmii_transmitter(m, tap_pins, C(0, 8), C(0), "link")
        put_out(m, platform.request("phy_reset", 0, dir="-"), ~locked)
        put_out(m, platform.request("led", 0, dir="-"), component.ready)

        return m

    def _clock(self, m, platform):
        """The PLL's clocks, in reset until it has locked."""
        m.domains.link, m.domains.sync = ClockDomain("link"), ClockDomain("sync")
        locked, link_clock, probe_clock = Signal(), Signal(), Signal()
        oscillator = platform.request("clk25", 0, dir="-")
        m.submodules.pll = Instance(
            "EHXPLLL",
            **_PLL,
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            i_CLKI=taken_in(m, oscillator),
            i_CLKFB=link_clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PLLWAKESYNC=Const(0),
            o_CLKOP=link_clock,
            o_CLKOS=probe_clock,
            o_LOCK=locked,
        )
        m.d.comb += [ClockSignal("link").eq(link_clock), ClockSignal("sync").eq(probe_clock)]
        m.submodules.link_reset = ResetSynchronizer(~locked, domain="link")
        m.submodules.probe_reset = ResetSynchronizer(~locked)
        return locked


def _build(component: wiring.Component, build_id: str, directory: Path) -> None:
    platform = _Platform()
    plan = platform.prepare(ColorlightShell(component), name=NAME, script_after_read=ANY_ON_COLLISION, emit_src=False)
    for name in (f"{NAME}.il", f"{NAME}.ys", f"{NAME}.lpf"):
        content = plan.files[name]
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())


BOARD = Board(
    name="colorlight_5a75b",
    title="Colorlight 5A-75B",
    device=LFE5U_25F_BG256,
    clock_hz=PROBE_HZ,
    table_entries=512,
    block_rams=44,
    flows_per_s=_FRAMES_PER_S,
    build=_build,
    programmer=("OPENFPGALOADER", "--cable", "ft232", "--write-flash", "--unprotect-flash", "--verify"),
    serial=False,
    waits=False,
    pipeline=Pipeline(item_bytes=WORD_BYTES, hashes=2, anonymising_hashes=3),
)
"""What the compiler needs to know of it."""
