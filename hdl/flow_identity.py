"""FlowIdentity: orders the two endpoints of a packet and hashes its flow key, or one of its addresses."""

from amaranth.hdl import C, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.keyed_hash import KeyedHash
from hdl.packet import PACKET_WORDS, PacketWord, packet_port_signature

__all__ = ["FlowIdentity"]

TCP = 6


class FlowIdentity(wiring.Component):
    """From the words of a packet to the 64-bit identity of its flow.

    The endpoints are ordered by (address, port), so that both directions have one identity. When that has been taken,
    the pseudonyms of the packet's addresses can be asked for. The messages are documented in ``docs/flow_rules.md``.

    **Latency**: about 47 cycles for IPv4, 89 for IPv6, of which the last 9 go by when the low half is there; 2 more
    for every word in which IPv6 addresses are the same before they differ, and 2 when they do not.

    Parameters
    ----------
    pseudonyms: it can give pseudonyms, in about 32 cycles for IPv4 and 50 for IPv6

    Attributes
    ----------
    key: secret key
    i: whether the packet is IPv6, and of a pseudonym, that it is one and whether it is of the destination
    packet: its words
    turned: the halves of the word that is read are to change places
    o: the identity or the pseudonym, whether the source is the higher endpoint, and whether both endpoints are equal
    absorbed: the packet is read no more, only with ``pseudonyms``
    low_valid: all of ``o`` but the high half of the identity is there, and stays until it is taken
    """

    def __init__(self, *, pseudonyms: bool = False):
        self._pseudonyms = pseudonyms
        asked = {"ipv6": 1} | ({"pseudonym": 1, "destination": 1} if pseudonyms else {})
        super().__init__(
            {
                "key": In(64),
                "i": In(stream.Signature(data.StructLayout(asked))),
                "packet": Out(packet_port_signature()),
                "turned": Out(1),
                "o": Out(stream.Signature(data.StructLayout({"identity": 64, "swapped": 1, "equal": 1}))),
                "low_valid": Out(1),
            }
            | ({"absorbed": Out(1)} if pseudonyms else {})
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.hash = keyed_hash = KeyedHash()

        word = Signal(range(4))
        last_word = Signal()
        m.d.comb += last_word.eq(Mux(self.i.p.ipv6, word == 3, 1))

        swapped, equal = Signal(), Signal()
        address = Signal(range(PACKET_WORDS))
        m.d.sync += address.eq(self.packet.address)
        m.d.comb += [
            self.packet.address.eq(address),
            keyed_hash.key.eq(self.key),
            self.low_valid.eq(keyed_hash.low_valid),
            self.o.p.identity.eq(keyed_hash.o.payload),
            self.o.p.swapped.eq(swapped),
            self.o.p.equal.eq(equal),
        ]

        half = Signal()  # which of the two addresses is fed to the hash
        pseudonym = self.i.p.pseudonym if self._pseudonyms else C(0, 1)
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [word.eq(0), half.eq(0)]
                with m.If(self.i.valid & pseudonym):
                    m.next = "FETCH_ADDRESS"
                with m.Elif(self.i.valid):
                    m.d.sync += [swapped.eq(0), equal.eq(0)]
                    m.d.comb += self.packet.address.eq(PacketWord.SOURCE)
                    m.next = "SOURCE"
            self._order(m, word, last_word, swapped, equal)
            self._feed(m, word, last_word, half, swapped, pseudonym)
            with m.State("DIGEST"):
                m.d.comb += [
                    self.o.valid.eq(keyed_hash.o.valid),
                    keyed_hash.o.ready.eq(self.o.ready),
                    self.i.ready.eq(self.o.valid & self.o.ready),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.next = "IDLE"
        if self._pseudonyms:
            m.d.comb += self.absorbed.eq(fsm.ongoing("FEED_LENGTH") | fsm.ongoing("DIGEST"))

        return m

    def _order(self, m, word, last_word, swapped, equal):
        """Finds the higher endpoint: the first word in which the addresses differ decides, or else the ports."""
        inverted = Signal(32)  # of what is compared with the word at the port
        greater, same = Signal(), Signal()
        difference = (self.packet.data + inverted)[:33]
        m.d.comb += [same.eq(difference[:32].all()), greater.eq(~difference[32] & ~same)]
        with m.State("SOURCE"):
            m.d.sync += inverted.eq(~self.packet.data)
            m.d.comb += self.packet.address.eq(_address_of(1, word))
            m.next = "DESTINATION"
        with m.State("DESTINATION"):
            m.d.sync += swapped.eq(greater)
            # What follows if they are the same is asked for whether they are or not.
            m.d.comb += self.packet.address.eq(Mux(last_word, PacketWord.PORTS, _address_of(0, word + 1)))
            with m.If(~same):
                m.d.sync += word.eq(0)
                m.next = "FETCH_ADDRESS"
            with m.Elif(last_word):
                m.d.sync += word.eq(0)
                m.next = "PORTS"
            with m.Else():
                m.d.sync += word.eq(word + 1)
                m.next = "SOURCE"
        with m.State("PORTS"):
            m.d.sync += [inverted.eq(~self.packet.data), self.turned.eq(1)]
            m.next = "TURNED_PORTS"
        with m.State("TURNED_PORTS"):
            # Ports are compared with themselves the other way round.
            m.d.sync += [swapped.eq(greater), equal.eq(same), self.turned.eq(0)]
            m.next = "FETCH_ADDRESS"

    def _feed(self, m, word, last_word, half, swapped, pseudonym):
        """Gives the hash its message, the lower endpoint first, or the one address alone."""
        first = Mux(pseudonym, self.i.p.destination, swapped) if self._pseudonyms else swapped
        keyed_hash = m.submodules.hash
        m.d.comb += keyed_hash.i.p.data.eq(self.packet.data)
        with m.State("FETCH_ADDRESS"):
            m.d.comb += self.packet.address.eq(_address_of(first, word))
            m.next = "FEED_ADDRESS"
        with m.State("FEED_ADDRESS"):
            m.d.comb += keyed_hash.i.valid.eq(1)
            # The next word is asked for when this one is taken.
            with m.If(keyed_hash.i.ready):
                m.d.sync += word.eq(word + 1)
                m.d.comb += self.packet.address.eq(_address_of(half ^ first, word + 1))
                with m.If(last_word):
                    m.d.sync += [word.eq(0), half.eq(1)]
                    m.d.comb += self.packet.address.eq(_address_of(~swapped, 0))
                    with m.If(pseudonym):
                        m.next = "FEED_LENGTH"
                    with m.Elif(half):
                        m.d.comb += self.packet.address.eq(PacketWord.PORTS)
                        m.d.sync += self.turned.eq(swapped)
                        m.next = "FEED_PORTS"
        with m.State("FEED_PORTS"):
            m.d.comb += keyed_hash.i.valid.eq(1)
            with m.If(keyed_hash.i.ready):
                m.d.sync += self.turned.eq(0)
                m.next = "FEED_LENGTH"
        with m.State("FEED_LENGTH"):
            m.d.comb += [
                keyed_hash.i.valid.eq(1),
                keyed_hash.i.p.data.eq(Cat(Const(TCP, 24), Mux(self.i.p.ipv6, 37, 13))),
                keyed_hash.i.p.last.eq(1),
            ]
            with m.If(pseudonym):
                m.d.comb += keyed_hash.i.p.data.eq(Cat(Const(0, 24), Mux(self.i.p.ipv6, 16, 4)))
            with m.If(keyed_hash.i.ready):
                m.next = "DIGEST"


def _address_of(part, index):
    base = Mux(part, PacketWord.DESTINATION, PacketWord.SOURCE)
    return base | index
