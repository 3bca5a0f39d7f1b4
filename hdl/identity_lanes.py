"""IdentityLanes: the identities of flows by several hashes side by side, for a table that takes whole packets."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from hdl.endpoint_words import HASHED_WORD, EndpointWords
from hdl.identified_item import IdentifiedItem
from hdl.item import FrameOutcome, ItemKind
from hdl.keyed_hash import KeyedHash
from hdl.packet import Descriptor, PacketWords, ParsedItem

__all__ = ["IdentityLanes"]

_MEMORY_WORDS = 16
"""Of a memory in LUTs: more items than lanes can be busy with, and more words than a message has."""


class _Waiting(data.Struct):
    """An item while its hash is being made, if it is ``hashed``; all of an IdentifiedItem but the identity."""

    descriptor: Descriptor
    words: PacketWords
    swapped: 1
    equal: 1
    hashed: 1


class IdentityLanes(wiring.Component):
    """Gives every used frame the identity of its flow, as :class:`~hdl.flow_identity.FlowIdentity` does word by word.

    Frames take lanes in turn, and items leave in their order. A lane is given nothing but the words that it hashes, one
    after the other; the items wait in a memory, so that none of their many wires goes to every lane.

    **Throughput**: ``lanes`` used frames in 49 cycles (IPv4) or 85 (IPv6), but no more than one in 6 (IPv4) or 12
    (IPv6); another item every cycle.

    Parameters
    ----------
    lanes: how many frames are hashed at the same time

    Attributes
    ----------
    key: secret key; holds while there are items
    i, o: items
    """

    def __init__(self, *, lanes: int):
        if not 1 <= lanes <= _MEMORY_WORDS:
            raise ValueError(f"Number of lanes must be from 1 to {_MEMORY_WORDS}, not {lanes!r}")
        self._lanes = lanes
        super().__init__(
            {
                "key": In(64),
                "i": In(stream.Signature(ParsedItem)),
                "o": Out(stream.Signature(IdentifiedItem)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.endpoint_words = words = EndpointWords()
        m.submodules.waiting = waiting = SyncFIFO(width=_Waiting.as_shape().size, depth=_MEMORY_WORDS)
        enters, leaves = Signal(range(self._lanes)), Signal(range(self._lanes))
        busy, descriptor = Signal(self._lanes), self.i.p.descriptor
        hashed = (descriptor.kind == ItemKind.FRAME) & (descriptor.outcome == FrameOutcome.USED)
        m.d.comb += [
            words.item.eq(self.i.payload),
            words.start.eq(self.i.valid & hashed & waiting.w_rdy & ~Array(busy)[enters]),
            self.i.ready.eq(waiting.w_rdy & (~hashed | words.ends)),
            waiting.w_data.eq(Cat(self.i.payload, words.swapped, words.equal, hashed)),
            waiting.w_en.eq(self.i.valid & self.i.ready),
        ]
        with m.If(words.ends):
            m.d.sync += [enters.eq(self._after(enters)), Array(busy)[enters].eq(1)]

        item = data.View(_Waiting, waiting.r_data)
        done, takes = Signal(self._lanes), Signal()
        digests = self._hash(m, words, enters, takes, leaves)
        # A digest that is taken is there for two more clocks.
        is_taken = Cat(takes & (leaves == lane) for lane in range(self._lanes))
        m.d.sync += done.eq(Cat(digest.valid for digest in digests) & busy & ~is_taken)
        m.d.comb += [
            self.o.valid.eq(waiting.r_rdy & (~item.hashed | Array(done)[leaves])),
            self.o.p.descriptor.eq(item.descriptor),
            self.o.p.words.eq(item.words),
            self.o.p.identity.eq(Array(digest.payload for digest in digests)[leaves]),
            self.o.p.swapped.eq(item.swapped),
            self.o.p.equal.eq(item.equal),
            waiting.r_en.eq(self.o.valid & self.o.ready),
            takes.eq(waiting.r_en & item.hashed),
        ]
        with m.If(takes):
            m.d.sync += [leaves.eq(self._after(leaves)), Array(busy)[leaves].eq(0)]

        return m

    def _after(self, lane):
        return Mux(lane == self._lanes - 1, 0, lane + 1)

    def _hash(self, m, words, enters, takes, leaves):
        """The streams of digests of all lanes."""
        digests = []
        for lane in range(self._lanes):
            m.submodules[f"message_{lane}"] = message = SyncFIFO(width=HASHED_WORD.size, depth=_MEMORY_WORDS)
            m.submodules[f"hash_{lane}"] = keyed_hash = KeyedHash()
            chosen = Signal(name=f"chosen_{lane}")
            # A digest leaves a clock late, so that no path leads on into the hash; by then its lane is not busy.
            m.d.sync += [
                chosen.eq(words.chooses & (enters == lane)),
                message.w_en.eq(chosen),
                keyed_hash.o.ready.eq(takes & (leaves == lane)),
            ]
            m.d.comb += [
                message.w_data.eq(words.word),
                keyed_hash.key.eq(self.key),
                keyed_hash.i.payload.eq(message.r_data),
                keyed_hash.i.valid.eq(message.r_rdy),
                message.r_en.eq(keyed_hash.i.ready),
            ]
            digests.append(keyed_hash.o)
        return digests
