"""CompiledCircuit: a circuit as machine code, stepped clock by clock."""

import contextlib
import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .compiled_library import MEMORY_VISITOR, VISITOR, Exchange, load_library

__all__ = ["CompiledCircuit", "Memory", "Port"]

_CALL_CYCLES = 1 << 20
_WATCHED_CALL_CYCLES = 1 << 10
"""Clocks of one call, so that an interrupt is heard; fewer when waveforms have to be fetched in between."""

_WAVEFORM_BYTES = 1 << 20
"""So much is fetched at once, at least."""


@dataclass(frozen=True)
class Port:
    """A port of the top module: bits, and where they lie in memory, in chunks of 32."""

    name: str
    is_input: bool
    width: int
    address: int

    @property
    def size_bytes(self) -> int:
        return _size_bytes(self.width)


@dataclass(frozen=True)
class Memory:
    """A memory anywhere in the circuit, by its path in words; rows lie one behind the other."""

    name: str
    width: int
    depth: int
    address: int


def _size_bytes(width: int) -> int:
    return (width + 31) // 32 * 4


class CompiledCircuit:
    """A circuit with one clock ``clk``, which every instance steps by itself.

    Between calls the clock is low. ``get`` gives what a register on the clock would take at the next rising edge, so
    ``set``, ``get``, ``tick`` are what ``ctx.set``, ``ctx.get`` and ``await ctx.tick()`` are in Amaranth's simulator.

    Parameters
    ----------
    library:
        What :func:`~sim.compiling.compile_circuit` has made.

    Attributes
    ----------
    ports:
        Ports by name, as in Verilog. Those of no bits are not there.
    memories:
        Memories that have a name, by their paths: ``front table ram memory``.
    cycles:
        Clocks that have passed.
    """

    def __init__(self, library: Path):
        self._library = load_library(library)
        self._handle = self._library.circuit_open()
        self._waveforms: BinaryIO | None = None
        self.ports: dict[str, Port] = {}
        self.memories: dict[str, Memory] = {}
        self.cycles = 0
        self._library.circuit_ports(self._handle, VISITOR(self._add_port))
        self._library.circuit_memories(self._handle, MEMORY_VISITOR(self._add_memory))
        self._settled = False

    def _add_port(self, name: bytes, is_input: int, width: int, address: int) -> None:
        if width:
            self.ports[name.decode()] = Port(name.decode(), bool(is_input), width, address)

    def _add_memory(self, name: bytes, width: int, depth: int, address: int) -> None:
        if width:
            self.memories[name.decode()] = Memory(name.decode(), width, depth, address)

    def set(self, name: str, value: int) -> None:
        """Drive an input; the value is unsigned."""
        port = self.ports[name]
        if not port.is_input:
            raise ValueError(f"Port must be an input, not {name!r}")
        if value < 0 or value >> port.width:
            raise ValueError(f"Value of {name!r} must be of {port.width} bits, not {value!r}")
        ctypes.memmove(port.address, int(value).to_bytes(port.size_bytes, "little"), port.size_bytes)
        self._settled = False

    def get(self, name: str) -> int:
        """The value of a port, unsigned."""
        self._settle()
        port = self.ports[name]
        return int.from_bytes(ctypes.string_at(port.address, port.size_bytes), "little")

    def flip(self, memory: str, row: int, bit: int) -> None:
        """Turn over one bit of a memory, as a particle that hits it does."""
        of = self.memories[memory]
        if row not in range(of.depth) or bit not in range(of.width):
            raise ValueError(f"Bit must lie in {of.depth} rows of {of.width} bits, not be {bit} of row {row}")
        byte = ctypes.c_uint8.from_address(of.address + row * _size_bytes(of.width) + bit // 8)
        byte.value ^= 1 << bit % 8
        self._settled = False

    def tick(self, count: int = 1) -> None:
        """Let so many clocks pass, with the inputs as they are."""
        self._settle()
        while count:
            now = min(count, self._most_cycles())
            self._library.circuit_tick(self._handle, now)
            self.cycles += now
            count -= now
            self._fetch_waveforms(_WAVEFORM_BYTES)

    def exchange(self, exchange: Exchange, most_cycles: int | None = None) -> None:
        """Move payloads over two streams, see :class:`~sim.compiled_streams.CompiledStreams`, for so many clocks."""
        exchange.call_limit = min(self._most_cycles(), most_cycles or _CALL_CYCLES)
        self._library.circuit_exchange(self._handle, ctypes.byref(exchange))
        self._settled = True
        self.cycles += exchange.call_cycles
        self._fetch_waveforms(_WAVEFORM_BYTES)

    @contextlib.contextmanager
    def waveforms(self, file: Path) -> Iterator[None]:
        """Write every clock of the block into a VCD file, in which a clock is a microsecond.

        Memories are not in it. The circuit is some ten times slower meanwhile.
        """
        with open(file, "wb") as written:
            self._waveforms = written
            self._library.circuit_watch(self._handle)
            try:
                yield
                self._fetch_waveforms(0)
            finally:
                self._library.circuit_unwatch(self._handle)
                self._waveforms = None

    def _most_cycles(self) -> int:
        return _CALL_CYCLES if self._waveforms is None else _WATCHED_CALL_CYCLES

    def _fetch_waveforms(self, least_bytes: int) -> None:
        if self._waveforms is None:
            return
        text = ctypes.c_char_p()
        size = self._library.circuit_waveforms(self._handle, ctypes.byref(text))
        if size > least_bytes:
            self._waveforms.write(ctypes.string_at(text, size))
            self._library.circuit_forget_waveforms(self._handle)

    def _settle(self) -> None:
        if not self._settled:
            self._library.circuit_settle(self._handle)
            self._settled = True

    def close(self) -> None:
        """Give back the memory; the circuit cannot be used after it."""
        if self._handle is not None:
            self._library.circuit_close(self._handle)
            self._handle = None

    def __del__(self):
        if hasattr(self, "_handle"):
            self.close()
