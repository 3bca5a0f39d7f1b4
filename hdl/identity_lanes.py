"""IdentityLanes: the identities of flows by several hashes side by side, for a table that takes whole packets."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.identified_item import IdentifiedItem
from hdl.item import FrameOutcome, ItemKind
from hdl.keyed_hash import KeyedHash
from hdl.packet import ParsedItem

__all__ = ["IdentityLanes"]

_TCP = 6


class IdentityLanes(wiring.Component):
    """Gives every used frame the identity of its flow, as :class:`~hdl.flow_identity.FlowIdentity` does word by word.

    Items take lanes in turn and leave in their order, so that a frame that need not be hashed waits only for those
    before it.

    **Throughput**: ``lanes`` used frames in 50 cycles (IPv4) or 86 (IPv6), but no more than an item in 2.

    Parameters
    ----------
    lanes: how many frames are hashed at the same time

    Attributes
    ----------
    key: secret key; holds while there are items
    empty: no item is here
    i, o: items
    """

    def __init__(self, *, lanes: int):
        if lanes < 1:
            raise ValueError(f"Number of lanes must be at least 1, not {lanes!r}")
        self._lanes = lanes
        super().__init__(
            {
                "key": In(64),
                "empty": Out(1),
                "i": In(stream.Signature(ParsedItem)),
                "o": Out(stream.Signature(IdentifiedItem)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        lanes = [_Lane() for _ in range(self._lanes)]
        for number, lane in enumerate(lanes):
            m.submodules[f"lane_{number}"] = lane
            m.d.comb += [lane.key.eq(self.key), lane.i.payload.eq(self.i.payload)]
        enters, leaves = Signal(range(self._lanes)), Signal(range(self._lanes))
        for turn, ready, valid in ((enters, self.i.ready, self.i.valid), (leaves, self.o.ready, self.o.valid)):
            with m.If(ready & valid):
                m.d.sync += turn.eq(Mux(turn == self._lanes - 1, 0, turn + 1))
        with m.Switch(enters):
            for number, lane in enumerate(lanes):
                with m.Case(number):
                    m.d.comb += [self.i.ready.eq(lane.i.ready), lane.i.valid.eq(self.i.valid)]
        with m.Switch(leaves):
            for number, lane in enumerate(lanes):
                with m.Case(number):
                    m.d.comb += [
                        self.o.valid.eq(lane.o.valid),
                        self.o.payload.eq(lane.o.payload),
                        lane.o.ready.eq(self.o.ready),
                    ]
        m.d.comb += self.empty.eq(Cat(lane.i.ready for lane in lanes).all())

        return m


class _Lane(wiring.Component):
    """One frame at a time; ``i`` is ready when none is here."""

    key: In(64)
    i: In(stream.Signature(ParsedItem))
    o: Out(stream.Signature(IdentifiedItem))

    def elaborate(self, platform):
        m = Module()
        m.submodules.hash = keyed_hash = KeyedHash()
        self._out = out = Signal(IdentifiedItem, reset_less=True)
        words, ipv6 = out.words, out.descriptor.ipv6
        # The next word is chosen while the last one is hashed, so that no path leads through
        # both, and found a clock before that.
        step, word, last = Signal(range(14)), Signal(32, reset_less=True), Signal()
        found, is_last = Signal(32, reset_less=True), Signal()
        m.d.sync += [found.eq(self._message(step)), is_last.eq(step == 9)]
        m.d.comb += self.o.payload.eq(out)
        m.d.comb += [keyed_hash.key.eq(self.key), keyed_hash.i.p.data.eq(word), keyed_hash.i.p.last.eq(last)]

        def choose():
            # Of an IPv4 address there is only the first word.
            skips = ~ipv6 & ((step == 0) | (step == 4))
            m.d.sync += [word.eq(found), last.eq(is_last)]
            m.d.sync += step.eq(Mux(skips, step + 4, step + 1))

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [step.eq(0), words.eq(self.i.p.words), out.descriptor.eq(self.i.p.descriptor)]
                with m.If(self.i.valid):
                    m.next = "OUT"
                    frame = self.i.p.descriptor.kind == ItemKind.FRAME
                    with m.If(frame & (self.i.p.descriptor.outcome == FrameOutcome.USED)):
                        m.next = "COMPARE"
            self._order(m)
            with m.State("FIRST"):
                m.next = "CHOOSE"
            with m.State("CHOOSE"):
                choose()
                m.next = "SECOND"
            with m.State("SECOND"):
                m.next = "FEED"
            with m.State("FEED"):
                m.d.comb += keyed_hash.i.valid.eq(1)
                with m.If(keyed_hash.i.ready):
                    choose()
                    with m.If(last):
                        m.next = "DIGEST"
            with m.State("DIGEST"):
                m.d.comb += keyed_hash.o.ready.eq(1)
                m.d.sync += out.identity.eq(keyed_hash.o.payload)
                with m.If(keyed_hash.o.valid):
                    m.next = "OUT"
            with m.State("OUT"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        return m

    def _order(self, m):
        """Finds the higher endpoint: the first word in which the addresses differ decides, or else the ports."""
        words, out = self._out.words, self._out
        pairs = [(words.source[n], words.destination[n]) for n in range(4)]
        pairs.append((words.ports[16:], words.ports[:16]))
        above, differ = Signal(len(pairs), reset_less=True), Signal(len(pairs), reset_less=True)
        m.d.sync += [
            above.eq(Cat(source > destination for source, destination in pairs)),
            differ.eq(Cat(source != destination for source, destination in pairs)),
        ]
        with m.State("COMPARE"):
            m.next = "ORDER"
        with m.State("ORDER"):
            counts = differ & Mux(out.descriptor.ipv6, 0b11111, 0b10001)
            m.d.sync += [out.swapped.eq(0), out.equal.eq(~counts.any())]
            for n in reversed(range(len(pairs))):
                with m.If(counts[n]):
                    m.d.sync += out.swapped.eq(above[n])
            m.next = "FIRST"

    def _message(self, step):
        """The words that are hashed, the lower endpoint's address first."""
        words, swapped = self._out.words, self._out.swapped
        lower = [Mux(swapped, words.destination[n], words.source[n]) for n in range(4)]
        higher = [Mux(swapped, words.source[n], words.destination[n]) for n in range(4)]
        ports = Mux(swapped, words.ports.rotate_left(16), words.ports)
        length = Mux(self._out.descriptor.ipv6, 37, 13)
        return Array([*lower, *higher, ports, Cat(Const(_TCP, 24), length, Const(0, 2))])[step]
