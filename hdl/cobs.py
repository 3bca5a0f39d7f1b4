"""CobsEncoder: frames of bytes for a line that knows only bytes; a zero ends each frame.

Source: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing" (1999).
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import MemoryData
from amaranth.lib.wiring import In, Out

from hdl.block_ram import BlockRam
from hdl.item import framed

__all__ = ["CobsEncoder", "cobs_decode", "cobs_encode"]

_LONGEST = 254


def cobs_encode(frame: bytes) -> bytes:
    """The frame without zeros, and the zero that ends it."""
    encoded = bytearray()
    for block in frame.split(b"\0"):
        while len(block) >= _LONGEST:
            encoded += b"\xff" + block[:_LONGEST]
            block = block[_LONGEST:]
        encoded += bytes([len(block) + 1]) + block
    return bytes(encoded) + b"\0"


def cobs_decode(encoded: bytes) -> bytes:
    """The frame that was encoded, given without the zero that ended it.

    Raises
    ------
    ValueError
        When a block is cut or holds a zero.
    """
    frame = bytearray()
    at = 0
    while at < len(encoded):
        code = encoded[at]
        block = encoded[at + 1 : at + code]
        if code == 0 or len(block) != code - 1 or 0 in block:
            raise ValueError(f"A COBS block at byte {at} must have {code - 1} bytes without zeros")
        frame += block
        at += code
        if code <= _LONGEST and at < len(encoded):
            frame.append(0)
    return bytes(frame)


class CobsEncoder(wiring.Component):
    """Keeps a block in memory until its length is known, then sends it.

    **Throughput**: a byte in 2 cycles and 3 cycles a block. **Latency**: up to a block of 254 bytes.

    Attributes
    ----------
    i: frames of bytes
    o: the same without zeros, each with a zero behind it
    """

    model = staticmethod(cobs_encode)

    def __init__(self):
        super().__init__({"i": In(stream.Signature(framed(8))), "o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        # A byte that is read while it is written is read again before it is sent.
        m.submodules.block = block = BlockRam(MemoryData(shape=8, depth=256, init=[]))
        length, sent = Signal(8), Signal(8)
        ended, one_more = Signal(), Signal()
        m.d.comb += [
            block.write_address.eq(length),
            block.write_data.eq(self.i.p.data),
            block.read_address.eq(sent),
        ]

        with m.FSM():
            with m.State("FILL"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += sent.eq(0)
                with m.If(self.i.valid):
                    self._take(m, block, length, ended, one_more)
            with m.State("CODE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(length + 1)]
                with m.If(self.o.ready):
                    m.next = "SEND"
            with m.State("SEND"):
                # The byte that was asked for in the clock before; none is left when all have been sent.
                m.d.comb += [self.o.valid.eq(sent != length), self.o.payload.eq(block.read_data)]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += sent.eq(sent + 1)
                    m.next = "FETCH"
                with m.If(sent == length):
                    m.d.sync += [length.eq(0), sent.eq(0), one_more.eq(0)]
                    m.next = "FILL"
                    with m.If(one_more):
                        m.next = "CODE"
                    with m.Elif(ended):
                        m.next = "END"
            with m.State("FETCH"):
                m.next = "SEND"
            with m.State("END"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += ended.eq(0)
                with m.If(self.o.ready):
                    m.next = "FILL"

        return m

    def _take(self, m, block, length, ended, one_more):
        """Takes a byte into the block; a zero, the longest block and the end of the frame end it."""
        zero = self.i.p.data == 0
        full = length == _LONGEST - 1
        m.d.comb += block.write_enable.eq(~zero)
        m.d.sync += length.eq(length + ~zero)
        # A frame that ends in a zero or with a full block needs an empty block behind it.
        m.d.sync += [ended.eq(self.i.p.last), one_more.eq(self.i.p.last & (zero | full))]
        with m.If(zero | full | self.i.p.last):
            m.next = "CODE"
