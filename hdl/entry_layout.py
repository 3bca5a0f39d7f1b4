"""Where each value of a flow lies in the words of a flow table entry and of the record made from it."""

import enum
from dataclasses import dataclass
from functools import cached_property

from hdl.accumulator import OCTETS, PACKETS, Accumulator

__all__ = ["EntryLayout", "EntryWord", "Slot", "StateBit"]

WORD_BITS = 32


class EntryWord(enum.IntEnum):
    """Words that every entry begins with. A record is an entry from word STATE on."""

    IDENTITY_LOW = 0
    IDENTITY_HIGH = 1
    STATE = 2
    FIRST = 3
    LAST = 4
    PORTS = 5
    INITIATOR = 6
    RESPONDER = 10
    FORWARD = 14


class StateBit(enum.IntEnum):
    """Bits of word STATE. Its upper 24 bits are ``closed`` in an entry, the end reason in a record."""

    VALID = 0
    INITIATOR_HIGH = 1
    """The initiator is the higher of the two endpoints."""
    IPV6 = 2
    SYN = 3
    FIN_FORWARD = 4
    FIN_RESPONSE = 5
    CLOSING = 6
    MANY = 7


@dataclass(frozen=True)
class Slot:
    """Place of an accumulator in the block of words of its direction."""

    word: int
    shift: int
    width: int


@dataclass(frozen=True)
class EntryLayout:
    """Packs accumulators of up to 16 bits in pairs and gives wider ones a word of their own.

    Parameters
    ----------
    accumulators:
        What one direction keeps, PACKETS and OCTETS among them; both directions keep the same.
    """

    accumulators: tuple[Accumulator, ...]

    def __post_init__(self):
        if PACKETS not in self.accumulators or OCTETS not in self.accumulators:
            raise ValueError("An entry must keep packets and octets of both directions")
        if len(set(self.accumulators)) != len(self.accumulators):
            raise ValueError("An entry must keep each accumulator once")
        for accumulator in self.accumulators:
            if accumulator.width > WORD_BITS:
                raise ValueError(f"An accumulator must fit 32 bits, not {accumulator.width}: {accumulator}")

    @cached_property
    def slots(self) -> dict[Accumulator, Slot]:
        """PACKETS has the low half of the first word: an update reads it first, to know whether there was a packet."""
        half = WORD_BITS // 2
        narrow = sorted((a for a in self.accumulators if a.width <= half), key=lambda a: a != PACKETS)
        wide = [a for a in self.accumulators if a.width > half]
        slots = {a: Slot(i // 2, half * (i % 2), a.width) for i, a in enumerate(narrow)}
        begin = (len(narrow) + 1) // 2
        return slots | {a: Slot(begin + i, 0, a.width) for i, a in enumerate(wide)}

    @property
    def block_words(self) -> int:
        """Words of one direction."""
        return 1 + max(slot.word for slot in self.slots.values())

    @property
    def response(self) -> int:
        """First word of the response block."""
        return EntryWord.FORWARD + self.block_words

    @property
    def words(self) -> int:
        """Words in use of an entry."""
        return self.response + self.block_words

    @property
    def stride(self) -> int:
        """Words that an entry takes in memory: a power of two."""
        return 1 << (self.words - 1).bit_length()

    @property
    def record_words(self) -> int:
        """Words of a record."""
        return self.words - EntryWord.STATE

    def read(self, record: list[int], *, response: bool) -> dict[Accumulator, int]:
        """The accumulators of one direction from the words of a record."""
        block = record[(self.response if response else EntryWord.FORWARD) - EntryWord.STATE :]
        return {a: block[s.word] >> s.shift & (1 << s.width) - 1 for a, s in self.slots.items()}
