"""BlockRom: tables of constants in one block RAM, each with an address of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

__all__ = ["BlockRom", "RomShape", "RomTable"]


@dataclass(frozen=True)
class RomShape:
    """What fits a block RAM of a family as read-only memory.

    Parameters
    ----------
    tables:
        How many tables share one, 1 or 2, each read through a port of its own.
    address_width, word_width:
        Bits of the address and of the words of each of those. A table with more address bits has block RAMs to itself.
    """

    tables: int
    address_width: int
    word_width: int

    def __post_init__(self):
        if self.tables not in (1, 2):
            raise ValueError(f"Tables of a block RAM must be 1 or 2, not {self.tables!r}")

    def shares(self, address_width: int, width: int) -> int:
        """Block RAMs times :attr:`tables` that a table takes, with words of any width."""
        deep = max(0, address_width - self.address_width)
        # A block RAM of twice the words has words of half the bits.
        parts = -(-width // (self.word_width >> deep))
        return -(-parts // self.tables) * self.tables if deep else parts

    def sliced(self, width: int, words: Sequence[int], holds: str) -> list["RomTable"]:
        """Tables of at most :attr:`word_width` bits each that together hold wider words, the lowest bits first."""
        tables = []
        for start in range(0, width, self.word_width):
            slice_width = min(self.word_width, width - start)
            part = tuple(word >> start & (1 << slice_width) - 1 for word in words)
            tables.append(RomTable(slice_width, part, holds))
        return tables

    def grouped(self, tables: Sequence["RomTable"]) -> tuple[tuple[int, ...], ...]:
        """Which tables share a block RAM: small ones in their order, large ones alone."""
        small = [index for index, table in enumerate(tables) if table.address_width <= self.address_width]
        together = (tuple(small[at : at + self.tables]) for at in range(0, len(small), self.tables))
        return (*together, *((index,) for index in range(len(tables)) if index not in set(small)))

    def roms(self, tables: Sequence["RomTable"]) -> Iterator[tuple["RomTable", ...]]:
        """The tables as they share block RAMs."""
        for group in self.grouped(tables):
            yield tuple(tables[index] for index in group)

    def block_rams(self, tables: Sequence["RomTable"]) -> int:
        """How many block RAMs tables take."""
        roms = list(self.roms(tables))
        shares = (sum(self.shares(table.address_width, table.width) for table in rom) for rom in roms)
        return sum(-(-share // self.tables) for share in shares)


@dataclass(frozen=True)
class RomTable:
    """A function of a few bits as the words of a memory.

    Parameters
    ----------
    width:
        Bits of a word.
    words:
        The word for every address, so a power of two of them.
    holds:
        What it is, for people.
    """

    width: int
    words: tuple[int, ...]
    holds: str = ""

    def __post_init__(self):
        if self.width < 1 or not all(0 <= word < 1 << self.width for word in self.words):
            raise ValueError(f"Words must fit unsigned({self.width!r}) of at least one bit")
        if len(self.words) < 2 or len(self.words) & len(self.words) - 1:
            raise ValueError(f"Words must be a power of two from 2 on, not {len(self.words)}")

    @property
    def address_width(self) -> int:
        return len(self.words).bit_length() - 1

    def evaluate(self, addresses: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The words, shape (rows, width), for addresses, shape (rows, address bits), the lowest bit first."""
        numbers = addresses.astype(np.int64) @ (1 << np.arange(self.address_width))
        return (np.array(self.words, np.int64)[numbers, None] >> np.arange(self.width) & 1).astype(bool)


class BlockRom(wiring.Component):
    """Look up a word in each of one or two tables; a memory that nobody writes, with a read port for each.

    A block RAM is slow, so a register follows it: nothing of its delay is left for what comes after.

    **Latency**: 2 clocks of ``enable``; a new address every clock.

    Parameters
    ----------
    tables:
        What to look up. The model is :meth:`RomTable.evaluate`.

    Attributes
    ----------
    enable:
        In: everything holds while it is low.
    address_0, address_1:
        In: the address in each table.
    word_0, word_1:
        Out: the words that were asked for two clocks before.
    """

    latency = 2

    def __init__(self, *, tables: tuple[RomTable, ...]):
        if len(tables) not in (1, 2):
            raise ValueError(f"Tables must be one or two, not {len(tables)}")
        self._tables = tables
        super().__init__(
            {
                "enable": In(1),
                **{f"address_{index}": In(table.address_width) for index, table in enumerate(tables)},
                **{f"word_{index}": Out(table.width, init=0) for index, table in enumerate(tables)},
            }
        )

    def elaborate(self, platform):
        m = Module()

        depth = max(len(table.words) for table in self._tables)
        words = [word for table in self._tables for word in (*table.words, *[0] * (depth - len(table.words)))]
        width = max(table.width for table in self._tables)
        # Without the attribute a small table would become logic or LUT memory.
        memory = Memory(shape=width, depth=len(words), init=words, attrs={"rom_style": "block"})
        m.submodules.memory = memory
        for index, table in enumerate(self._tables):
            read = memory.read_port()
            m.d.comb += [
                read.en.eq(self.enable),
                read.addr.eq(getattr(self, f"address_{index}") | index * depth),
            ]
            register = Signal(table.width, name=f"word_{index}_register", reset_less=True)
            with m.If(self.enable):
                m.d.sync += register.eq(read.data)
            m.d.comb += getattr(self, f"word_{index}").eq(register)

        return m
