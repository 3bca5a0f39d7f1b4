"""TableLoader: a new forest for a tree walker, taken only when it has come whole and unharmed."""

import hashlib
from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from .forest_parameters import ForestParameters
from .item import CHUNK_BYTES, framed
from .walker_parameters import WalkerParameters, WalkerSize, table_contents

__all__ = ["TableLoader", "least_image_bytes", "size_id", "table_image"]

_ID_BYTES = 4
_CRC_BYTES = 4
_HEADER_BYTES = 2 * _ID_BYTES + 1


def size_id(size: WalkerSize) -> int:
    """Tells images of one size from those of another: the first four bytes of the SHA-256 of what it says of itself."""
    return int.from_bytes(hashlib.sha256(repr(size).encode()).digest()[:_ID_BYTES], "big")


def word_bytes(size: WalkerSize) -> list[int]:
    """Bytes of a word of every table."""
    return [-(-Shape.cast(shape).width // 8) for shape, _ in size.tables.values()]


def least_image_bytes(size: WalkerSize) -> int:
    """Bytes of an image without padding: header, words, checksum."""
    words = zip(size.tables.values(), word_bytes(size), strict=True)
    return _HEADER_BYTES + sum(width << bits for (_, bits), width in words) + _CRC_BYTES


def table_image(forest: ForestParameters, size: WalkerSize, forest_id: int, *, monitor_only: bool = False) -> bytes:
    """A forest as :class:`TableLoader` takes it; :class:`ValueError` when the walker is too small for it.

    The id of the size, 4 bytes; 1 when the forest is for monitoring only, else 0, a byte; the id of the forest,
    4 bytes; the words of every table one after another, all in network byte order; zeros, so that the whole is made of
    chunks; then the CRC-32 of all that (as in Ethernet), least significant byte first.
    """
    image = size_id(size).to_bytes(_ID_BYTES, "big") + bytes([monitor_only]) + forest_id.to_bytes(_ID_BYTES, "big")
    contents = table_contents(forest, size)
    for (name, (shape, bits)), width in zip(size.tables.items(), word_bytes(size), strict=True):
        words: Sequence = [*contents[name], *[0] * ((1 << bits) - len(contents[name]))]
        image += b"".join(_word(shape, word).to_bytes(width, "big") for word in words)
    image += bytes(-(len(image) + _CRC_BYTES) % CHUNK_BYTES)
    crc = CRC32_ISO_HDLC().compute(image)
    return image + crc.to_bytes(_CRC_BYTES, "little")


def _word(shape: Shape | int, value: int) -> int:
    return value & (1 << Shape.cast(shape).width) - 1


class TableLoader(wiring.Component):
    """Writes the words of an image into the tables, byte by byte.

    An image for another size of walker changes nothing. One that ends early or has a wrong checksum is not used: of
    double tables the walker keeps the half it has, and a walker with single tables classifies nothing until a good
    image has come, since its only tables were written over.

    **Throughput**: a byte every three clocks, so that the clock of the walker does not suffer; and the walks in single
    tables must have ended before the first word.

    Parameters
    ----------
    parameters:
        Of the walker.

    Attributes
    ----------
    i:
        In: images, a frame each.
    load, hold, halt, half:
        Out: to the lanes.
    idle, settled:
        In: of all lanes together.
    forest_id, monitor_only:
        Out: of the forest that flows are classified with.
    loaded, refused:
        Out: one of them is high for a clock after each image, which was used or was not.
    """

    def __init__(self, *, parameters: WalkerParameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(framed(8))),
                "load": Out(stream.Signature(parameters.load_layout, always_ready=True)),
                "hold": Out(1),
                "halt": Out(1),
                "half": Out(1),
                "idle": In(1),
                "settled": In(1),
                "forest_id": Out(32, init=parameters.forest_id),
                "monitor_only": Out(1, init=parameters.monitor_only),
                "loaded": Out(1),
                "refused": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        m.submodules.crc = crc = CRC32_ISO_HDLC().create()
        held, word = Signal(framed(8)), Signal(max(32, 8 * max(word_bytes(p.size))))
        # A byte is taken in one clock, what it makes of the word is known in the next, and then it has its effect.
        ready, settles, acts, waits = Signal(init=1), Signal(), Signal(), Signal()
        taken = self.i.valid & ready
        m.d.comb += [
            self.i.ready.eq(ready),
            crc.start.eq(held.first & settles),
            crc.data.eq(held.data),
            crc.valid.eq(settles),
        ]
        m.d.sync += [settles.eq(taken), acts.eq(settles), ready.eq((ready & ~taken) | (acts & ~waits))]
        with m.If(taken):
            m.d.sync += [held.eq(self.i.payload), word.eq(Cat(self.i.p.data, word))]

        byte = Signal(range(_HEADER_BYTES))
        candidate = Signal(data.StructLayout({"forest_id": 32, "monitor_only": 1}))
        with m.FSM():
            self._header(m, acts, held, byte, word, candidate, waits)
            with m.State("WAIT"):
                # In single tables no walk may be under way; of double ones none in the half that comes next.
                m.d.comb += self.hold.eq(not p.double)
                with m.If(self.settled if p.double else self.idle):
                    m.d.sync += [self.halt.eq(not p.double), ready.eq(1)]
                    m.next = "WORDS"
            self._words(m, acts, held, byte, word)
            self._checksum(m, acts, held, byte, crc.match_detected, candidate)
            with m.State("SKIP"):
                with m.If(acts & held.last):
                    self._refuse(m, byte)

        return m

    def _refuse(self, m, byte):
        m.d.comb += self.refused.eq(1)
        m.d.sync += byte.eq(0)
        m.next = "HEADER"

    def _header(self, m, acts, held, byte, word, candidate, waits):
        """Id of the size, whether for monitoring only, id of the forest."""
        right_size, whole = Signal(), Signal()
        m.d.sync += [
            right_size.eq(word[:32] == size_id(self.parameters.size)),
            whole.eq(byte == _HEADER_BYTES - 1),
        ]
        with m.State("HEADER"):
            with m.If(acts):
                m.d.sync += byte.eq(byte + 1)
                with m.If(held.last):
                    self._refuse(m, byte)
                with m.Elif((byte == _ID_BYTES - 1) & ~right_size):
                    m.next = "SKIP"
                with m.Elif(byte == _ID_BYTES):
                    m.d.sync += candidate.monitor_only.eq(word[0])
                with m.Elif(whole):
                    m.d.comb += waits.eq(1)
                    m.d.sync += [candidate.forest_id.eq(word), byte.eq(0)]
                    m.next = "WAIT"

    def _words(self, m, acts, held, byte, word):
        """Words of one table after another."""
        size, tables = self.parameters.size, list(self.parameters.size.tables.values())
        table, address = Signal(range(len(tables))), Signal(max(bits for _, bits in tables))
        ends_word, ends_table, ends_all = Signal(), Signal(), Signal()
        at_end = address == Array((1 << bits) - 1 for _, bits in tables)[table]
        m.d.sync += [
            ends_word.eq(byte == Array(width - 1 for width in word_bytes(size))[table]),
            ends_table.eq(at_end),
            ends_all.eq(at_end & (table == len(tables) - 1)),
            self.load.valid.eq(0),
            address.eq(Mux(self.load.valid, Mux(ends_table, 0, address + 1), address)),
            table.eq(table + (self.load.valid & ends_table)),
        ]
        m.d.comb += [
            self.load.p.table.eq(table),
            self.load.p.address.eq(_in_other_half(tables, table, address, self.half, self.parameters.double)),
            self.load.p.data.eq(word),
        ]
        with m.State("WORDS"):
            with m.If(acts):
                m.d.sync += byte.eq(byte + 1)
                with m.If(ends_word):
                    m.d.sync += [byte.eq(0), self.load.valid.eq(1)]
                    with m.If(ends_all):
                        m.next = "CHECKSUM"
                with m.If(held.last):
                    m.d.sync += [address.eq(0), table.eq(0), self.load.valid.eq(0)]
                    self._refuse(m, byte)

    def _checksum(self, m, acts, held, byte, matches, candidate):
        """Padding and checksum, which tells whether all of it is right, however much there is."""
        good = Signal()
        m.d.sync += good.eq(matches)
        with m.State("CHECKSUM"):
            with m.If(acts & held.last):
                m.next = "JUDGE"
        with m.State("JUDGE"):
            with m.If(good):
                m.d.comb += self.loaded.eq(1)
                m.d.sync += [
                    self.forest_id.eq(candidate.forest_id),
                    self.monitor_only.eq(candidate.monitor_only),
                    self.halt.eq(0),
                ]
                if self.parameters.double:
                    m.d.sync += self.half.eq(~self.half)
                m.next = "HEADER"
            with m.Else():
                self._refuse(m, byte)


def _in_other_half(tables, table, address, half, double: bool) -> Value:
    """The address of a word, of double tables in the half that is not in use."""
    return Array(Cat(address[:bits], ~half) for _, bits in tables)[table] if double else address
