"""TableLoader: a new forest for a tree walker, taken only when it has come whole and unharmed."""

import hashlib
from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Module, Shape, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from .forest_parameters import ForestParameters
from .item import framed
from .walker_parameters import WalkerParameters, WalkerSize, table_contents

__all__ = ["TableLoader", "table_image"]

_ID_BYTES = 4


def size_id(size: WalkerSize) -> int:
    """Tells images of one size from those of another: the first four bytes of the SHA-256 of what it says of itself."""
    return int.from_bytes(hashlib.sha256(repr(size).encode()).digest()[:_ID_BYTES], "big")


def word_bytes(size: WalkerSize) -> list[int]:
    """Bytes of a word of every table."""
    return [-(-Shape.cast(shape).width // 8) for shape, _ in size.tables.values()]


def table_image(forest: ForestParameters, size: WalkerSize, forest_id: int) -> bytes:
    """A forest as :class:`TableLoader` takes it; :class:`ValueError` when the walker is too small for it.

    The id of the size and that of the forest, 4 bytes each, then the words of every table one after another, all
    in network byte order; then the CRC-32 of all that (as in Ethernet), least significant byte first.
    """
    image = size_id(size).to_bytes(_ID_BYTES, "big") + forest_id.to_bytes(_ID_BYTES, "big")
    contents = table_contents(forest, size)
    for (name, (shape, bits)), width in zip(size.tables.items(), word_bytes(size), strict=True):
        words: Sequence = [*contents[name], *[0] * ((1 << bits) - len(contents[name]))]
        image += b"".join(_word(shape, word).to_bytes(width, "big") for word in words)
    crc = CRC32_ISO_HDLC().compute(image)
    return image + crc.to_bytes(4, "little")


def _word(shape: Shape | int, value: int) -> int:
    return value & (1 << Shape.cast(shape).width) - 1


class TableLoader(wiring.Component):
    """Writes the words of an image into the tables, byte by byte.

    An image for another size of walker changes nothing. One that ends early, goes on too long or has a wrong checksum
    is not used: of double tables the walker keeps the half it has, and a walker with single tables classifies nothing
    until a good image has come, since its only tables were written over.

    **Latency**: a byte a clock, after the walks in single tables have ended.

    Parameters
    ----------
    parameters:
        Of the walker.
    forest_id:
        Of the forest that is in the tables at the start, 32 bits.

    Attributes
    ----------
    i:
        In: images, a frame each.
    load, hold, halt, half:
        Out: to the lanes.
    idle, settled:
        In: of all lanes together.
    forest_id:
        Out: of the forest that flows are classified with.
    refused:
        Out: high for a clock when an image was not used.
    """

    def __init__(self, *, parameters: WalkerParameters, forest_id: int = 0):
        self.parameters, self._first_id = parameters, forest_id
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "load": Out(stream.Signature(parameters.load_layout, always_ready=True)),
                "hold": Out(1),
                "halt": Out(1),
                "half": Out(1),
                "idle": In(1),
                "settled": In(1),
                "forest_id": Out(32, init=forest_id),
                "refused": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        m.submodules.crc = crc = CRC32_ISO_HDLC().create()
        kept = Signal(max(32, 8 * max(word_bytes(p.size))) - 8)
        word = Cat(self.i.p.data, kept)
        taken, candidate = Signal(), Signal(32)
        m.d.comb += [
            taken.eq(self.i.valid & self.i.ready),
            crc.start.eq(self.i.p.first),
            crc.data.eq(self.i.p.data),
            crc.valid.eq(taken),
        ]
        with m.If(taken):
            m.d.sync += kept.eq(word)

        byte = Signal(range(8))
        with m.FSM():
            self._header(m, taken, byte, word, candidate)
            with m.State("WAIT"):
                # In single tables no walk may be under way; of double ones none in the half that comes next.
                m.d.comb += self.hold.eq(not p.double)
                with m.If(self.settled if p.double else self.idle):
                    m.d.sync += self.halt.eq(not p.double)
                    m.next = "WORDS"
            self._words(m, taken, byte, word)
            self._checksum(m, taken, byte, crc.match_detected, candidate)
            with m.State("SKIP"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(taken & self.i.p.last):
                    self._refuse(m, byte)

        return m

    def _refuse(self, m, byte):
        m.d.comb += self.refused.eq(1)
        m.d.sync += byte.eq(0)
        m.next = "HEADER"

    def _header(self, m, taken, byte, word, candidate):
        """Ids of the size and of the forest."""
        with m.State("HEADER"):
            m.d.comb += self.i.ready.eq(1)
            with m.If(taken):
                m.d.sync += byte.eq(byte + 1)
                with m.If(self.i.p.last):
                    self._refuse(m, byte)
                with m.Elif((byte == 3) & (word[:32] != size_id(self.parameters.size))):
                    m.next = "SKIP"
                with m.Elif(byte == 7):
                    m.d.sync += [candidate.eq(word), byte.eq(0)]
                    m.next = "WAIT"

    def _words(self, m, taken, byte, word):
        """Words of one table after another."""
        size, tables = self.parameters.size, list(self.parameters.size.tables.values())
        table, address = Signal(range(len(tables))), Signal(max(bits for _, bits in tables))
        last_byte = Array(width - 1 for width in word_bytes(size))[table]
        last_address = Array((1 << bits) - 1 for _, bits in tables)[table]
        m.d.comb += [
            self.load.p.table.eq(table),
            self.load.p.address.eq(
                address if not self.parameters.double else _in_other_half(tables, table, address, self.half)
            ),
            self.load.p.data.eq(word),
        ]
        with m.State("WORDS"):
            m.d.comb += [self.i.ready.eq(1), self.load.valid.eq(taken & (byte == last_byte))]
            with m.If(taken):
                m.d.sync += byte.eq(byte + 1)
            with m.If(self.load.valid):
                m.d.sync += [byte.eq(0), address.eq(address + 1)]
                with m.If(address == last_address):
                    m.d.sync += [address.eq(0), table.eq(table + 1)]
                    with m.If(table == len(tables) - 1):
                        m.d.sync += table.eq(0)
                        m.next = "CHECKSUM"
            with m.If(taken & self.i.p.last):
                m.d.sync += [address.eq(0), table.eq(0)]
                self._refuse(m, byte)

    def _checksum(self, m, taken, byte, matches, candidate):
        """The last bytes of an image, and a clock in which it is known whether they match the rest."""
        with m.State("CHECKSUM"):
            m.d.comb += self.i.ready.eq(1)
            with m.If(taken):
                m.d.sync += byte.eq(byte + 1)
                with m.If(self.i.p.last):
                    m.d.sync += byte.eq(0)
                    m.next = "JUDGE"
                    with m.If(byte != 3):
                        self._refuse(m, byte)
                with m.Elif(byte == 3):
                    m.next = "SKIP"
        with m.State("JUDGE"):
            with m.If(matches):
                m.d.sync += [self.forest_id.eq(candidate), self.halt.eq(0)]
                if self.parameters.double:
                    m.d.sync += self.half.eq(~self.half)
                m.next = "HEADER"
            with m.Else():
                self._refuse(m, byte)


def _in_other_half(tables, table, address, half) -> Value:
    """The address of a word in the half that is not in use."""
    return Array(Cat(address[:bits], ~half) for _, bits in tables)[table]
