"""HeaderSum: the checksum of an IPv4 header, summed up while it is read."""

from amaranth.hdl import Module, Signal, Value

from hdl.item import FrameOutcome

__all__ = ["HeaderSum", "header_sum_right"]


def header_sum_right(header: bytes) -> bool:
    """Whether the ones' complement sum of a header's 16-bit words is right (RFC 1071)."""
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


class HeaderSum:
    """Statements in a parser's module ``m``.

    A carry is added with the next word, so the sum has a little more than 16 bits. Reading a byte a clock, the sum is
    known with the last byte; reading a word a clock, one clock behind the last word.

    Parameters
    ----------
    added: the last two bytes that were read; when wide, the sum of the two halves of a word
    wide: a word is read a clock

    Attributes
    ----------
    wrong: in the clock behind the last word of a header, if its checksum is wrong; only when wide
    """

    model = staticmethod(header_sum_right)

    def __init__(self, m: Module, added: Value, *, wide: bool):
        self._m, self._wide = m, wide
        self._sum, self._ended = Signal(18 if wide else 17), Signal()
        self._begun = added
        self._total = self._folded() + added
        # All ones when the carries, which stand above, are added.
        self.wrong = self._ended & ~(self._sum[2:16].all() & (self._sum[:2] == ~self._sum[16:])) if wide else None
        m.d.sync += self._ended.eq(0)

    def _folded(self):
        return self._sum[:16] + self._sum[16:]

    def begin(self) -> None:
        """The first byte, or word, of a header is there."""
        self._m.d.sync += self._sum.eq(self._begun if self._wide else 0)

    def add(self, odd: Value) -> None:
        """A byte or a word is there; ``odd``: the byte is the second of two."""
        with self._m.If(1 if self._wide else odd):
            self._m.d.sync += self._sum.eq(self._total)

    def end(self, settle) -> None:
        """The last byte or word is there; ``settle`` says that the outcome is settled when a condition holds."""
        if self._wide:
            self._m.d.sync += self._ended.eq(1)
        else:
            right = (self._total == 0xFFFF) | (self._total == 0x1FFFE)
            settle(FrameOutcome.BAD_CHECKSUM, ~right)
