"""SetUp: applies set-up items and the time that ticks tell, each in its turn among the other items."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.exporter import EPOCH_BITS
from hdl.item import SETUP_BODY_BYTES, FrameOutcome, ItemKind
from hdl.packet import PACKET_WORDS, Descriptor, PacketWord, packet_port_signature

__all__ = ["SetUp"]

_BODY_WORDS = SETUP_BODY_BYTES // 4


class SetUp(wiring.Component):
    """Stands before the flow table and passes on every item but set-up items.

    A set-up item first flushes the table and waits until all records have left, since they are of the epoch before;
    then it takes effect, and the time begins at 0 again.

    **Latency**: 0 cycles, 2 for a tick that tells the time.

    Attributes
    ----------
    i, o: descriptors
    packet: read port of the table on the words of the packet
    words: where it leads
    quiet: no record is waiting
    done: there was a set-up
    key, epoch_ms: what it said
    seconds: export time that the set-up or the last tick told, in seconds since 1970
    restart: high while a set-up takes effect
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Descriptor)),
                "o": Out(stream.Signature(Descriptor)),
                "packet": In(packet_port_signature()),
                "words": Out(packet_port_signature()),
                "quiet": In(1),
                "done": Out(1),
                "key": Out(64),
                "epoch_ms": Out(EPOCH_BITS),
                "seconds": Out(32),
                "restart": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        address = Signal(range(PACKET_WORDS), init=PacketWord.BODY)
        told = Signal()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.packet.data.eq(self.words.data),
            self.words.address.eq(address),
        ]

        with m.FSM():
            self._pass_on(m, address, told)
            self._flush(m)
            with m.State("LOAD"):
                m.d.comb += self.restart.eq(1)
                m.d.sync += [self.done.eq(0), address.eq(address + 1)]
                self._load(m, address)
                with m.If(address == PacketWord.BODY + _BODY_WORDS):
                    m.d.sync += self.done.eq(1)
                    m.d.comb += self.i.ready.eq(1)
                    m.next = "PASS"

        return m

    def _pass_on(self, m, address, told):
        """Passes items on; a tick's time is taken before it goes."""
        with m.State("PASS"):
            m.d.sync += address.eq(PacketWord.BODY)
            tells = (self.i.p.kind == ItemKind.TICK) & (self.i.p.outcome == FrameOutcome.USED) & ~told
            with m.If(self.i.valid & (self.i.p.kind == ItemKind.SETUP)):
                m.next = "LOAD"
                with m.If(self.done):
                    m.next = "FLUSH"
            with m.Elif(self.i.valid & tells):
                m.next = "TELL"
            with m.Else():
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.i.ready.eq(self.o.ready),
                    self.words.address.eq(self.packet.address),
                ]
                with m.If(self.o.ready):
                    m.d.sync += told.eq(0)
        with m.State("TELL"):
            m.d.sync += [self.seconds.eq(self.words.data), told.eq(1)]
            m.next = "PASS"

    def _flush(self, m):
        """Flushes the table and waits until all records have left."""
        with m.State("FLUSH"):
            m.d.comb += [
                self.o.valid.eq(1),
                self.o.p.kind.eq(ItemKind.FLUSH),
                self.words.address.eq(self.packet.address),
            ]
            with m.If(self.o.ready):
                m.next = "SETTLE"
        with m.State("SETTLE"):
            # The last record has been taken in this clock; the next one shows that it waits.
            m.next = "QUIET"
        with m.State("QUIET"):
            with m.If(self.quiet):
                m.next = "LOAD"

    def _load(self, m, address):
        """Each word arrives one clock after it was asked for: epoch and key, the upper half first, then the seconds."""
        registers = (self.epoch_ms[32:], self.epoch_ms[:32], self.key[32:], self.key[:32], self.seconds)
        with m.Switch(address):
            for index, register in enumerate(registers):
                with m.Case(PacketWord.BODY + index + 1):
                    m.d.sync += register.eq(self.words.data)
