"""Devices: FPGAs by family, what they hold, and what a placed and routed design on one of them is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hdl.block_rom import RomShape

__all__ = ["Device", "DoesNotFit", "Family", "Placement"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """What the tools call the parts of all devices of a kind.

    Attributes
    ----------
    name:
        As people say it.
    synthesis:
        The command of Yosys.
    nextpnr:
        The variable of :data:`boards.toolchain.TOOLS` that stands for its nextpnr.
    constraints:
        File of pins and clocks.
    arguments:
        What nextpnr is told of the files beside the netlist.
    logic_cell:
        nextpnr's name of the cells that :attr:`Device.logic_cells` counts.
    cell_names:
        What people call nextpnr's cells, in the plural.
    resources:
        Counts of a netlist's cells by the names that people use, from counts by the names of the cells.
    register_takes_cell:
        Whether a register that no table leads to takes a logic cell, so that none is left for a table.
    block_ram_shapes:
        Words of a block RAM and the bits of each, of all its shapes with a port to read and one to write, deepest last.
    rom:
        What fits a block RAM of tables that nobody writes.
    packing:
        The variable of :data:`boards.toolchain.TOOLS` that stands for the program that makes a bitstream of a routed
        design, and its arguments.
    bitstream:
        The file that it makes.
    """

    name: str
    synthesis: str
    nextpnr: str
    constraints: str
    arguments: tuple[str, ...]
    logic_cell: str
    cell_names: Mapping[str, str]
    resources: Callable[[Mapping[str, int]], dict[str, int]]
    register_takes_cell: bool
    block_ram_shapes: tuple[tuple[int, int], ...]
    rom: RomShape
    packing: tuple[str, ...]
    bitstream: str

    def block_rams(self, depth: int, width: int) -> int:
        """How many block RAMs a memory of ``depth`` words of ``width`` bits takes."""
        words, bits = next((shape for shape in self.block_ram_shapes if shape[0] >= depth), self.block_ram_shapes[-1])
        return -(-depth // words) * -(-width // bits)


@dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA, what it holds, and how fast routed designs on it were.

    Attributes
    ----------
    nextpnr:
        Arguments of nextpnr that name it.
    level_ns, carry_ns, register_ns, block_ram_ns:
        A LUT with its routing, one bit of a carry chain, and the output and set-up together of a register and of a
        block RAM with its routing. They are fitted to forests that were placed and routed, for planning registers; what
        counts is the report of each build.
    """

    name: str
    family: Family
    nextpnr: tuple[str, ...]
    logic_cells: int
    block_rams: int
    single_port_rams: int
    dsps: int
    level_ns: float
    carry_ns: float
    register_ns: float
    block_ram_ns: float


class DoesNotFit(Exception):
    """A circuit needs more of something than the device has."""


@dataclass(frozen=True)
class Placement:
    """A placed and routed design.

    Attributes
    ----------
    seed:
        The seed of the placer.
    clocks_hz:
        Of each clock, by nextpnr's name of its net, the highest that routing allows and the one asked for.
    used:
        Cells of the device in use, by nextpnr's names.
    fmax_hz, asked_hz:
        The highest clock that routing allows and the one asked for, of the clock that has the least to spare. nextpnr
        rounds what is asked for to whole picoseconds.
    """

    seed: int
    used: dict[str, int]
    fmax_hz: float
    asked_hz: float
    clocks_hz: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def share_of_clock(self) -> float:
        """Of the clock asked for; 1 or more when it is met."""
        return self.fmax_hz / self.asked_hz

    @property
    def clock_met(self) -> bool:
        return self.fmax_hz >= self.asked_hz
