"""iCE40-HX8K-B-EVN: the flow table in block RAM, so it is small."""

from pathlib import Path

from amaranth.build import Attrs, Pins, Resource, Subsignal
from amaranth.lib import wiring
from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform

from .board import Board
from .ice40 import HX8K
from .ice40_shell import CLOCK_HZ, FLOWS_PER_S, write_build

__all__ = ["BOARD"]


class _Platform(ICE40HX8KBEVNPlatform):
    pll_at_pad = False
    synthesis_options = "-abc9"
    uart_pins = dict.fromkeys(("rx", "tx", "rts", "cts", "dtr", "dsr", "dcd"), "-")
    # Items come in on header J2: CS on pin 9 (N16), COPI on 10 (M15), CIPO on 11 (M16), SCK on 12 (L16).
    resources = [
        *ICE40HX8KBEVNPlatform.resources,
        Resource(
            "spi_items",
            0,
            Subsignal("cs", Pins("9", dir="i", conn=("j", 2))),
            Subsignal("copi", Pins("10", dir="i", conn=("j", 2))),
            Subsignal("cipo", Pins("11", dir="o", conn=("j", 2))),
            Subsignal("sck", Pins("12", dir="i", conn=("j", 2))),
            Attrs(IO_STANDARD="SB_LVCMOS"),
        ),
    ]


def _build(component: wiring.Component, build_id: str, directory: Path) -> None:
    write_build(_Platform(), component, directory)


BOARD = Board(
    name="ice40_hx8k_b_evn",
    title="iCE40-HX8K-B-EVN",
    device=HX8K,
    clock_hz=CLOCK_HZ,
    table_entries=64,
    block_rams=28,
    flows_per_s=FLOWS_PER_S,
    build=_build,
)
"""What the compiler needs to know of it."""
