"""iCEBreaker: UP5K, the flow table in its single-port RAM."""

from pathlib import Path

from amaranth.build import Attrs, Pins, Resource, Subsignal
from amaranth.lib import wiring
from amaranth_boards.icebreaker import ICEBreakerPlatform

from .board import Board
from .ice40 import UP5K
from .ice40_shell import CLOCK_HZ, FLOWS_PER_S, write_build

__all__ = ["BOARD"]


class _Platform(ICEBreakerPlatform):
    pll_at_pad = True
    synthesis_options = "-spram -device u -abc9"
    uart_pins = {"rx": "-", "tx": "-"}
    # Items come in on PMOD 1A, in the order of a PMOD's SPI: CS, COPI, CIPO, SCK.
    resources = [
        *ICEBreakerPlatform.resources,
        Resource(
            "spi_items",
            0,
            Subsignal("cs", Pins("1", dir="i", conn=("pmod", 0))),
            Subsignal("copi", Pins("2", dir="i", conn=("pmod", 0))),
            Subsignal("cipo", Pins("3", dir="o", conn=("pmod", 0))),
            Subsignal("sck", Pins("4", dir="i", conn=("pmod", 0))),
            Attrs(IO_STANDARD="SB_LVCMOS"),
        ),
    ]


def _build(component: wiring.Component, build_id: str, directory: Path) -> None:
    write_build(_Platform(), component, directory)


BOARD = Board(
    name="icebreaker",
    title="iCEBreaker",
    device=UP5K,
    clock_hz=CLOCK_HZ,
    table_entries=1024,
    block_rams=12,
    flows_per_s=FLOWS_PER_S,
    build=_build,
)
"""What the compiler needs to know of it."""
