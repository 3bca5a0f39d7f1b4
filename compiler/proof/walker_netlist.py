"""WalkerNetlist: the walker of an export as Yosys reads it from the emitted RTLIL, in gates, registers and memories."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ..errors import CheckFailed, InputError
from .netlist import Bit, Netlist, Register, netlist_fields, read_module

__all__ = ["Memory", "WalkerNetlist", "read_walker"]

_PASSES = (
    "proc -norom; flatten; opt_clean; memory_collect; pmuxtree; techmap t:$lt t:$le t:$gt t:$ge t:$sub; simplemap; "
    "opt_clean; check -assert"
)
"""Nothing that optimises logic. Adders stay whole, and memories too."""


class Memory(NamedTuple):
    """A memory with a port that reads every clock, behind a register, and one that writes.

    Attributes
    ----------
    words: what it holds at the start, None where that is not all said
    read_address, read_data: pins of the port that reads
    enables, write_address, write_data: pins of the port that writes; an enable for every bit of a word
    """

    name: str
    words: tuple[int | None, ...]
    read_address: tuple[Bit, ...]
    read_data: tuple[Bit, ...]
    enables: tuple[Bit, ...]
    write_address: tuple[Bit, ...]
    write_data: tuple[Bit, ...]


@dataclass(frozen=True)
class WalkerNetlist(Netlist):
    """A flat module with memories; what a memory reads has no driver among the gates.

    Attributes
    ----------
    memories:
        By name, such as ``lane_0.links``.
    initial:
        What registers hold at the start, of those of which that is said.
    """

    memories: dict[str, Memory]
    initial: dict[int, bool]

    @cached_property
    def in_order(self) -> tuple[int, ...]:
        """All nets with a driver, gates and adders each behind those that it reads in the same clock."""
        stops = frozenset(bit for bit, driver in self.drivers.items() if isinstance(driver, Register))
        return tuple(bit for bit in self.cone(tuple(self.drivers), stops) if bit in self.drivers) + tuple(stops)

    def lane_memory(self, lane: int, name: str) -> Memory:
        """One of the memories of a lane."""
        if (full := f"lane_{lane}.{name}") not in self.memories:
            raise CheckFailed(f"{self.name}: has no memory {full}")
        return self.memories[full]


def read_walker(design: Path, suffix: str) -> WalkerNetlist:
    """The module of an RTLIL file whose name ends in ``suffix``."""
    name, module = read_module(design, suffix, _PASSES)
    cells = module["cells"]
    memories = {cell: cells.pop(cell) for cell in list(cells) if cells[cell]["type"] == "$mem_v2"}
    fields = netlist_fields(design, name, module)
    initial = {}
    for net in module["netnames"].values():
        # As Yosys writes it, the least significant bit comes last.
        for bit, value in zip(net["bits"], reversed(net["attributes"].get("init", "")), strict=False):
            if value in "01":
                initial[bit] = value == "1"
    netlist = WalkerNetlist(*fields, {}, initial)
    (clock,) = netlist.net("clk")
    for bit, driver in netlist.drivers.items():
        if isinstance(driver, Register) and driver.clock != clock:
            raise CheckFailed(f"{name}: register {netlist.names.get(bit, bit)} is not clocked by clk")
    found = {cell.rpartition(".")[0]: _memory(netlist, cell, content, clock) for cell, content in memories.items()}
    if len(found) != len(memories):
        raise InputError(f"{design}: two memories of {name} have one name")
    for memory in found.values():
        for bit in memory.read_data:
            if bit in netlist.drivers or bit in netlist.inputs:
                raise InputError(f"{design}: memory {memory.name} drives a net that has another driver")
    return replace(netlist, memories=found)


def _memory(netlist: Netlist, name: str, cell: dict, clock: Bit) -> Memory:
    """A memory, if it is one that reads and writes with the clock and is enabled to read in every one."""
    number = {key: int(value, 2) for key, value in cell["parameters"].items() if set(value) <= {"0", "1"}}
    pins = {pin: tuple(bits) for pin, bits in cell["connections"].items()}
    ports = {"RD_PORTS": 1, "WR_PORTS": 1, "OFFSET": 0}
    clocked = {"RD_CLK_ENABLE": 1, "RD_CLK_POLARITY": 1, "WR_CLK_ENABLE": 1, "WR_CLK_POLARITY": 1}
    plain = {"RD_EN": ("1",), "RD_ARST": ("0",), "RD_SRST": ("0",), "RD_CLK": (clock,), "WR_CLK": (clock,)}
    for key, expected in (ports | clocked).items():
        if number.get(key) != expected:
            raise CheckFailed(f"{netlist.name}: memory {name}: {key} must be {expected}, not {number.get(key)}")
    for pin, bits in plain.items():
        if pins[pin] != bits:
            raise CheckFailed(f"{netlist.name}: memory {name}: pin {pin} is not as it must be")
    width, size = number["WIDTH"], number["SIZE"]
    if size != 1 << number["ABITS"]:
        raise CheckFailed(f"{netlist.name}: memory {name} must have 2^{number['ABITS']} words, not {size}")
    bits = cell["parameters"]["INIT"]
    bits = "x" * (width * size - len(bits)) + bits
    words = [bits[len(bits) - width * (at + 1) : len(bits) - width * at] for at in range(size)]
    return Memory(
        name,
        tuple(int(word, 2) if set(word) <= {"0", "1"} else None for word in words),
        pins["RD_ADDR"],
        pins["RD_DATA"],
        pins["WR_EN"],
        pins["WR_ADDR"],
        pins["WR_DATA"],
    )
