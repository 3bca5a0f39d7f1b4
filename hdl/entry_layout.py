"""Where each value of a flow lies in the words of a flow table entry and of the record made from it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from hdl.accumulator import OCTETS, PACKETS, Accumulator

__all__ = ["EARLY_BIT", "EntryLayout", "EntryWord", "Slot", "StateBit"]

WORD_BITS = 32
_WORD = (1 << WORD_BITS) - 1


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


EARLY_BIT = 16
"""Of word STATE in a record: the flow stays in the table, this is of its first packets."""


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
    """Place of an accumulator in the words of its direction; one of more than 32 bits goes on in the next word."""

    word: int
    shift: int
    width: int


@dataclass(frozen=True)
class EntryLayout:
    """Packs accumulators of up to 16 bits in pairs and gives wider ones a word of their own, or two.

    Parameters
    ----------
    accumulators:
        What one direction keeps, PACKETS and OCTETS among them; both directions keep the same.
    anonymised:
        Pseudonyms of 64 bits take the place of addresses.
    """

    accumulators: tuple[Accumulator, ...]
    anonymised: bool = False

    def __post_init__(self):
        if PACKETS not in self.accumulators or OCTETS not in self.accumulators:
            raise ValueError("An entry must keep packets and octets of both directions")
        if len(set(self.accumulators)) != len(self.accumulators):
            raise ValueError("An entry must keep each accumulator once")
        for accumulator in self.accumulators:
            if accumulator.width > 2 * WORD_BITS:
                raise ValueError(f"An accumulator must fit 64 bits, not {accumulator.width}: {accumulator}")

    @cached_property
    def slots(self) -> dict[Accumulator, Slot]:
        """PACKETS has the low half of the first word: an update reads it first, to know whether there was a packet.

        An update reads two words at a time, so the words of an accumulator that has two are at an even place.
        """
        half = WORD_BITS // 2
        narrow = sorted((a for a in self.accumulators if a.width <= half), key=lambda a: a != PACKETS)
        wide = [a for a in self.accumulators if half < a.width <= WORD_BITS]
        double = [a for a in self.accumulators if a.width > WORD_BITS]
        slots = {a: Slot(i // 2, half * (i % 2), a.width) for i, a in enumerate(narrow)}
        word = (len(narrow) + 1) // 2
        before = wide[: word % 2] if double else []
        for accumulator in (*before, *double, *wide[len(before) :]):
            slots[accumulator] = Slot(word, 0, accumulator.width)
            word += self._words_of(accumulator)
        return slots

    @staticmethod
    def _words_of(accumulator: Accumulator) -> int:
        return -(-accumulator.width // WORD_BITS)

    def address_words(self, *, ipv6: bool) -> int:
        """Words in use of those for an address, the most significant first."""
        return 2 if self.anonymised else 4 if ipv6 else 1

    @property
    def most_address_words(self) -> int:
        """Words that an address of either version can have in use."""
        return self.address_words(ipv6=True)

    @property
    def block_words(self) -> int:
        """Words of one direction."""
        return max(slot.word + self._words_of(accumulator) for accumulator, slot in self.slots.items())

    @property
    def squares(self) -> bool:
        """Whether squares of lengths are added up."""
        return any(accumulator.operand == "length_squared" for accumulator in self.accumulators)

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
        values = {a: block[s.word] >> s.shift & (1 << s.width) - 1 for a, s in self.slots.items()}
        doubles = {a: block[s.word + 1] << WORD_BITS for a, s in self.slots.items() if s.width > WORD_BITS}
        return {accumulator: value | doubles.get(accumulator, 0) for accumulator, value in values.items()}

    def place(self, values: Mapping[Accumulator, int]) -> list[int]:
        """The words of one direction's block from its accumulators; what :meth:`read` reads."""
        words = [0] * self.block_words
        for accumulator, slot in self.slots.items():
            for index in range(self._words_of(accumulator)):
                words[slot.word + index] |= (values[accumulator] >> WORD_BITS * index & _WORD) << slot.shift
        return words
