"""ChunkReader: hands table images to a walker, chunk by chunk, each in its turn among the other items."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.item import CHUNK_BYTES, framed
from hdl.packet import Descriptor, PacketWord, ParsedItem, packet_port_signature
from hdl.tally import Counter, event_signature

__all__ = ["ChunkReader"]


class ChunkReader(wiring.Component):
    """Stands before the set-up and passes on every item but chunks.

    The first and the last chunk of an image wait until all has left that was said before them, so that each record is
    judged by the forest of its turn, and no message is of two forests. An image that is begun before another has ended
    ends that one, which is refused; chunks without a first one are skipped, and refused with the last one.

    **Latency**: 0 cycles, but for chunks, which are taken when the loader has them: a byte in 3 cycles.

    Parameters
    ----------
    payload: a descriptor, whose words are read one by one, or an item that has them

    Attributes
    ----------
    i, o: descriptors or items
    packet: read port of what follows on the words of the packet, for descriptors
    words: where it leads, for descriptors
    quiet: no item, no record and no message is waiting or under way behind this
    table: images, framed bytes
    loaded, refused: of an image, by the loader: one of them is high for a clock some time after its last byte
    event: counts refused images
    ended: high for one clock when an image has been loaded or refused, and counted
    """

    def __init__(self, *, payload: type[Descriptor] | type[ParsedItem] = Descriptor):
        self._whole = payload is ParsedItem
        ports = {"packet": In(packet_port_signature()), "words": Out(packet_port_signature())}
        super().__init__(
            ({} if self._whole else ports)
            | {
                "i": In(stream.Signature(payload)),
                "o": Out(stream.Signature(payload)),
                "quiet": In(1),
                "table": Out(stream.Signature(framed(8))),
                "loaded": In(1),
                "refused": In(1),
                "event": Out(event_signature()),
                "ended": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        at, under_way, cut = Signal(range(CHUNK_BYTES)), Signal(), Signal()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.event.p.index.eq(Counter.TABLES_REFUSED),
            self.event.p.amount.eq(1),
        ]

        word = self._body_word(m, at)
        with m.FSM() as fsm:
            self._pass_on(m, at)
            self._begin(m, under_way, cut)
            self._hand_over(m, at, under_way, word)
            self._end(m, under_way, cut)
        if not self._whole:
            m.d.comb += self.packet.data.eq(self.words.data)
            with m.If(fsm.ongoing("PASS")):
                m.d.comb += self.words.address.eq(self.packet.address)

        return m

    @property
    def _kind(self):
        return self.i.p.descriptor.kind if self._whole else self.i.p.kind

    def _body_word(self, m, at):
        """The word of the body that byte ``at`` lies in; it follows by one clock."""
        if not self._whole:
            m.d.comb += self.words.address.eq(PacketWord.BODY + at[2:])
            return self.words.data
        words, word = self.i.p.words, Signal(32, reset_less=True)
        m.d.sync += word.eq(Array([*words.source, *words.destination])[at[2:]])
        return word

    def _pass_on(self, m, at):
        with m.State("PASS"):
            m.d.sync += at.eq(0)
            with m.If(self.i.valid & self._kind[2]):
                m.next = "SETTLE"
            with m.Else():
                m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
        with m.State("SETTLE"):
            # What the item before has set off shows by the next clock that something is waiting.
            m.next = "WAIT"

    def _begin(self, m, under_way, cut):
        """Waits for the turn of the chunk, and sees whether it goes on with what came before."""
        first, last = self._kind[0], self._kind[1]
        with m.State("WAIT"):
            m.d.sync += cut.eq(first & under_way)
            with m.If(self.quiet | ~(first | last)):
                m.next = "READ"
                with m.If(first & under_way):
                    m.next = "CUT"
                with m.Elif(~first & ~under_way):
                    m.next = "COUNT"
                    with m.If(~last):
                        m.d.comb += self.i.ready.eq(1)
                        m.next = "PASS"
        with m.State("CUT"):
            # One byte more and its last makes no image of what has come, not even of a whole one.
            m.d.comb += [self.table.valid.eq(1), self.table.p.last.eq(1)]
            with m.If(self.table.ready):
                m.next = "JUDGE"

    def _hand_over(self, m, at, under_way, word):
        """A word is there in the clock after ``at`` has changed; its most significant byte is the first."""
        first, last = self._kind[0], self._kind[1]
        at_end = at == CHUNK_BYTES - 1
        with m.State("READ"):
            m.next = "SEND"
        with m.State("SEND"):
            m.d.comb += [
                self.table.valid.eq(1),
                self.table.p.data.eq(word.word_select(~at[:2], 8)),
                self.table.p.first.eq(first & (at == 0)),
                self.table.p.last.eq(last & at_end),
            ]
            with m.If(self.table.ready):
                m.d.sync += [at.eq(at + 1), under_way.eq(1)]
                m.next = "READ"
                with m.If(at_end):
                    m.next = "JUDGE"
                    with m.If(~last):
                        m.d.comb += self.i.ready.eq(1)
                        m.next = "PASS"

    def _end(self, m, under_way, cut):
        """Counts an image that was refused. The chunk that cut it short begins the next one."""
        with m.State("JUDGE"):
            m.d.sync += under_way.eq(0)
            with m.If(self.refused):
                m.next = "COUNT"
            with m.Elif(self.loaded):
                m.d.comb += [self.ended.eq(1), self.i.ready.eq(1)]
                m.next = "PASS"
        with m.State("COUNT"):
            m.d.comb += self.event.valid.eq(1)
            with m.If(self.event.ready):
                m.d.comb += [self.ended.eq(1), self.i.ready.eq(~cut)]
                m.next = "PASS"
                with m.If(cut):
                    m.next = "SETTLE"
