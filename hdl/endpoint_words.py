"""EndpointWords: which endpoint of a packet is the higher one, and the words of both in the order of the hash."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.packet import ParsedItem

__all__ = ["HASHED_WORD", "EndpointWords"]

HASHED_WORD = data.StructLayout({"data": 32, "last": 1})
_TCP = 6
_LAST_STEP = 9


class EndpointWords(wiring.Component):
    """Reads a used frame out as the message whose hash is the identity of its flow.

    **Throughput**: a frame in 6 cycles (IPv4) or 12 (IPv6), a word a clock at the end of them.

    Attributes
    ----------
    start: there is a frame in ``item``, which holds until ``ends``
    item: the frame
    ends: in this clock it has been read
    swapped, equal: from ``ends`` on, the source is the higher endpoint; both are the same
    chooses: two clocks later there is a word in ``word``
    word: of the message
    """

    def __init__(self):
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

        step = Signal(range(_LAST_STEP + 1))
        self._choose(m, step)
        m.d.comb += self.ends.eq(self.chooses & (step == _LAST_STEP))
        with m.FSM():
            with m.State("COMPARE"):
                with m.If(self.start):
                    m.next = "ORDER"
            with m.State("ORDER"):
                counts = differ & Mux(ipv6, 0b11111, 0b10001)
                m.d.sync += [self.swapped.eq(0), self.equal.eq(~counts.any()), step.eq(0)]
                for n in reversed(range(len(pairs))):
                    with m.If(counts[n]):
                        m.d.sync += self.swapped.eq(above[n])
                m.next = "CHOOSE"
            with m.State("CHOOSE"):
                # Of an IPv4 address there is only the first word.
                skips = ~ipv6 & ((step == 0) | (step == 4))
                m.d.comb += self.chooses.eq(1)
                m.d.sync += step.eq(Mux(skips, step + 4, step + 1))
                with m.If(self.ends):
                    m.next = "COMPARE"

        return m

    def _choose(self, m, step):
        """The word of a step: four of the lower endpoint, four of the higher one, the ports, the length."""
        words = self.item.words
        # Not by an index of the view: Yosys 0.69 ends with an error over the shift that this becomes.
        sources, destinations = (Array(address[n] for n in range(4)) for address in (words.source, words.destination))
        source, destination, tail = (Signal(32, reset_less=True) for _ in range(3))
        of_destination, of_tail, last = (Signal(reset_less=True) for _ in range(3))
        ports = Mux(self.swapped, words.ports.rotate_left(16), words.ports)
        length = Mux(self.item.descriptor.ipv6, 37, 13)
        m.d.sync += [
            source.eq(sources[step[:2]]),
            destination.eq(destinations[step[:2]]),
            tail.eq(Mux(step[0], Cat(Const(_TCP, 24), length, Const(0, 2)), ports)),
            of_destination.eq(self.swapped ^ step[2]),
            of_tail.eq(step[3]),
            last.eq(step == _LAST_STEP),
        ]
        word = Signal(HASHED_WORD, reset_less=True)
        m.d.sync += word.data.eq(Mux(of_tail, tail, Mux(of_destination, destination, source)))
        m.d.sync += word.last.eq(last)
        m.d.comb += self.word.eq(word)
