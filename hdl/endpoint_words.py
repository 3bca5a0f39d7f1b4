"""EndpointWords: which endpoint of a packet is the higher one, and the words of both in the order of the hash."""

import enum

from amaranth.hdl import Array, C, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.packet import ParsedItem

__all__ = ["HASHED_WORD", "EndpointWords"]

HASHED_WORD = data.StructLayout({"data": 32, "last": 1})
_TCP = 6


class _Part(enum.IntEnum):
    """Of what is read: up to four words each."""

    LOWER = 0
    HIGHER = 1
    PORTS = 2
    """And the length, which ends the message."""
    SOURCE = 3
    SOURCE_LENGTH = 4
    DESTINATION = 5
    DESTINATION_LENGTH = 6


class EndpointWords(wiring.Component):
    """Reads a used frame out as the message whose hash is the identity of its flow.

    With pseudonyms, those of the source and of the destination follow: each message is one address alone.

    **Throughput**: a frame in 6 cycles (IPv4) or 12 (IPv6), with pseudonyms in 10 or 22, but for the first and the last
    of them a word a clock.

    Parameters
    ----------
    pseudonyms: there are messages of the addresses too

    Attributes
    ----------
    start: there is a frame in ``item``, as there was a clock before; it holds until ``ends``
    item: the frame
    ends: in this clock it has been read
    swapped, equal: from ``ends`` on, the source is the higher endpoint; both are the same
    chooses: two clocks later there is a word in ``word``
    word: of a message
    """

    def __init__(self, *, pseudonyms: bool = False):
        self._pseudonyms = pseudonyms
        super().__init__(
            {
                "start": In(1),
                "item": In(ParsedItem),
                "ends": Out(1),
                "swapped": Out(1),
                "equal": Out(1),
                "chooses": Out(1),
                "word": Out(HASHED_WORD),
            }
        )

    def elaborate(self, platform):
        m = Module()
        words, ipv6 = self.item.words, self.item.descriptor.ipv6
        # The first word in which the addresses differ decides, or else the ports.
        pairs = [(words.source[n], words.destination[n]) for n in range(4)]
        pairs.append((words.ports[16:], words.ports[:16]))
        above, differ = Signal(len(pairs), reset_less=True), Signal(len(pairs), reset_less=True)
        m.d.sync += [
            above.eq(Cat(source > destination for source, destination in pairs)),
            differ.eq(Cat(source != destination for source, destination in pairs)),
        ]

        last_part = _Part.DESTINATION_LENGTH if self._pseudonyms else _Part.PORTS
        word, part = Signal(2), Signal(range(last_part + 1))
        # Of an IPv4 address there is only the first word.
        words_behind, ends_part = Mux(ipv6, 3, 0), Signal()
        of_length = (part == _Part.SOURCE_LENGTH) | (part == _Part.DESTINATION_LENGTH) if self._pseudonyms else C(0, 1)
        m.d.comb += ends_part.eq(word == Mux(part == _Part.PORTS, 1, Mux(of_length, 0, words_behind)))
        self._choose(m, part, word, of_length)
        with m.FSM():
            with m.State("ORDER"):
                counts = differ & Mux(ipv6, 0b11111, 0b10001)
                m.d.sync += [self.swapped.eq(0), self.equal.eq(~counts.any()), part.eq(0), word.eq(0)]
                for n in reversed(range(len(pairs))):
                    with m.If(counts[n]):
                        m.d.sync += self.swapped.eq(above[n])
                with m.If(self.start):
                    m.next = "CHOOSE"
            with m.State("CHOOSE"):
                m.d.comb += self.chooses.eq(1)
                m.d.sync += word.eq(word + 1)
                with m.If(ends_part):
                    m.d.sync += [part.eq(part + 1), word.eq(0)]
                    with m.If(part == last_part):
                        m.next = "END"
            with m.State("END"):
                m.d.comb += self.ends.eq(1)
                m.next = "ORDER"

        return m

    def _choose(self, m, part, word, of_length):
        """The word of a step, in two clocks."""
        words, ipv6 = self.item.words, self.item.descriptor.ipv6
        # Not by an index of the view: Yosys 0.69 ends with an error over the shift that this becomes.
        sources, destinations = (Array(address[n] for n in range(4)) for address in (words.source, words.destination))
        source, destination, tail = (Signal(32, reset_less=True) for _ in range(3))
        of_destination, of_tail, last = (Signal(reset_less=True) for _ in range(3))
        ports = Mux(self.swapped, words.ports.rotate_left(16), words.ports)
        flow_length = Cat(Const(_TCP, 24), Mux(ipv6, 37, 13), Const(0, 2))
        address_length = Cat(Const(0, 24), Mux(ipv6, 16, 4), Const(0, 3))
        m.d.sync += [
            source.eq(sources[word]),
            destination.eq(destinations[word]),
            tail.eq(Mux(of_length, address_length, Mux(word[0], flow_length, ports))),
            of_destination.eq(Mux(part <= _Part.HIGHER, self.swapped ^ part[0], part == _Part.DESTINATION)),
            of_tail.eq((part == _Part.PORTS) | of_length),
            last.eq((part == _Part.PORTS) & word[0] | of_length),
        ]
        chosen = Signal(HASHED_WORD, reset_less=True)
        m.d.sync += chosen.data.eq(Mux(of_tail, tail, Mux(of_destination, destination, source)))
        m.d.sync += chosen.last.eq(last)
        m.d.comb += self.word.eq(chosen)
