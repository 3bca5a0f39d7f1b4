"""IdentityLanes: the identities of flows by several hashes side by side, for a table that takes whole packets."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out, connect

from hdl.block_fifo import BlockFifo
from hdl.digest_group import DigestGroup
from hdl.endpoint_words import HASHED_WORD, EndpointWords
from hdl.identified_item import IdentifiedItem
from hdl.item import FrameOutcome, ItemKind
from hdl.keyed_hash import KeyedHash
from hdl.packet import Descriptor, PacketWords, ParsedItem

__all__ = ["IdentityLanes"]

_MEMORY_WORDS = 16
"""Of a memory in LUTs: more items than lanes can be busy with, and more words than the message of a flow has; with
those of its addresses it has less than twice as many."""


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

    With pseudonyms a lane makes those of both addresses too, and they leave in the place of the addresses: the first
    word is the upper half.

    **Throughput**: ``lanes`` used frames in 49 cycles (IPv4) or 85 (IPv6), but no more than one in 7 (IPv4) or 13
    (IPv6), with pseudonyms in 111 or 183, but no more than one in 11 or 23; another item in 2 cycles.

    Parameters
    ----------
    lanes: how many frames are hashed at the same time
    pseudonyms: addresses do not leave

    Attributes
    ----------
    key: secret key; holds while there are items
    i, o: items
    """

    def __init__(self, *, lanes: int, pseudonyms: bool = False):
        if not 1 <= lanes <= _MEMORY_WORDS:
            raise ValueError(f"Number of lanes must be from 1 to {_MEMORY_WORDS}, not {lanes!r}")
        self._lanes, self._pseudonyms = lanes, pseudonyms
        super().__init__(
            {
                "key": In(64),
                "i": In(stream.Signature(ParsedItem)),
                "o": Out(stream.Signature(IdentifiedItem)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.endpoint_words = words = EndpointWords(pseudonyms=self._pseudonyms)
        m.submodules.waiting = waiting = BlockFifo(shape=_Waiting, depth=_MEMORY_WORDS, in_logic=True)
        enters, leaves, busy = Signal(range(self._lanes)), Signal(range(self._lanes)), Signal(self._lanes)
        # Whether there is an item that has room, and is hashed, is found out a clock before it is looked at.
        held, hashed = Signal(), Signal()
        descriptor = self.i.p.descriptor
        m.d.sync += [
            held.eq(self.i.valid & ~self.i.ready & waiting.i.ready),
            hashed.eq((descriptor.kind == ItemKind.FRAME) & (descriptor.outcome == FrameOutcome.USED)),
        ]
        m.d.comb += [
            words.item.eq(self.i.payload),
            words.start.eq(held & hashed & ~Array(busy)[enters]),
            self.i.ready.eq(words.ends | (held & ~hashed)),
            waiting.i.payload.eq(Cat(self.i.payload, words.swapped, words.equal, hashed)),
            waiting.i.valid.eq(self.i.ready),
        ]
        with m.If(words.ends):
            m.d.sync += [enters.eq(self._after(enters)), Array(busy)[enters].eq(1)]

        item, takes = waiting.o.p, Signal()
        taken, done = Signal(self._lanes), Signal(self._lanes)
        digests = self._hash(m, words, enters, taken)
        m.d.comb += [waiting.o.ready.eq(self.o.valid & self.o.ready), takes.eq(waiting.o.ready & item.hashed)]
        # A lane is done for two clocks after its item was taken; its next item cannot have come as far by then.
        m.d.sync += [
            taken.eq(Cat(takes & (leaves == lane) for lane in range(self._lanes))),
            done.eq(Cat(digest.valid for digest in digests)),
            self.o.valid.eq(waiting.o.valid & (~item.hashed | Array(done)[leaves]) & ~waiting.o.ready),
        ]
        with m.If(takes):
            m.d.sync += [leaves.eq(self._after(leaves)), Array(busy)[leaves].eq(0)]
        self._give(m, item, Array(digest.payload for digest in digests)[leaves])

        return m

    def _give(self, m, item, digest):
        """The item with its identity, and with pseudonyms in the place of its addresses."""
        m.d.comb += [
            self.o.p.descriptor.eq(item.descriptor),
            self.o.p.words.eq(item.words),
            self.o.p.swapped.eq(item.swapped),
            self.o.p.equal.eq(item.equal),
        ]
        if not self._pseudonyms:
            m.d.comb += self.o.p.identity.eq(digest)
            return
        identity, source, destination = digest
        m.d.comb += self.o.p.identity.eq(identity)
        for address, pseudonym in ((self.o.p.words.source, source), (self.o.p.words.destination, destination)):
            m.d.comb += address.eq(Cat(pseudonym[32:], pseudonym[:32]))

    def _after(self, lane):
        return Mux(lane == self._lanes - 1, 0, lane + 1)

    def _hash(self, m, words, enters, taken):
        """The streams of digests of all lanes, of an item in one."""
        digests = []
        depth = 2 * _MEMORY_WORDS if self._pseudonyms else _MEMORY_WORDS
        for lane in range(self._lanes):
            m.submodules[f"message_{lane}"] = message = SyncFIFO(width=HASHED_WORD.size, depth=depth)
            m.submodules[f"hash_{lane}"] = keyed_hash = KeyedHash()
            digest = keyed_hash.o
            if self._pseudonyms:
                m.submodules[f"digests_{lane}"] = group = DigestGroup(count=3)
                connect(m, keyed_hash.o, group.i)
                digest = group.o
            chosen = Signal(name=f"chosen_{lane}")
            # A digest leaves a clock after its item, so that no path leads on into the hash.
            m.d.sync += [
                chosen.eq(words.chooses & (enters == lane)),
                message.w_en.eq(chosen),
            ]
            m.d.comb += [
                digest.ready.eq(taken[lane]),
                message.w_data.eq(words.word),
                keyed_hash.key.eq(self.key),
                keyed_hash.i.payload.eq(message.r_data),
                keyed_hash.i.valid.eq(message.r_rdy),
                message.r_en.eq(keyed_hash.i.ready),
            ]
            digests.append(digest)
        return digests
