"""What the header parser hands to the flow table: a descriptor, and the packet's words in a small memory."""

import enum

from amaranth.lib import data
from amaranth.lib.wiring import In, Out, Signature

__all__ = ["PACKET_WORDS", "Descriptor", "PacketWord", "PacketWords", "ParsedItem", "packet_port_signature"]

PACKET_WORDS = 16


class PacketWord(enum.IntEnum):
    """Words of a packet, 32 bits each. An address takes four words, an IPv4 address only the first of them."""

    TIME = 0
    PORTS = 1
    """Source port in the high half."""
    SIZES = 2
    """Length in the high half, window in the low one."""
    MARKS = 3
    """TTL in bits 8 to 15, TCP flags in bits 0 to 7."""
    SOURCE = 8
    BODY = 8
    """What follows the header of a tick (one word), a set-up item (five) or a chunk (eight), in place of addresses."""
    DESTINATION = 12


class Descriptor(data.Struct):
    """An item, read to its end. One that is ``bad`` has neither kind nor outcome."""

    bad: 1
    kind: 3
    outcome: 4
    ipv6: 1


class PacketWords(data.Struct):
    """The words of a packet side by side, as :class:`PacketWord` names them."""

    time: 32
    ports: 32
    sizes: 32
    marks: 32
    source: data.ArrayLayout(32, 4)
    destination: data.ArrayLayout(32, 4)


class ParsedItem(data.Struct):
    """An item and its words at once, where frames come faster than words can be read one by one."""

    descriptor: Descriptor
    words: PacketWords


def packet_port_signature() -> Signature:
    """Read port on the words of the packet under way: ``data`` follows ``address`` by one clock."""
    return Signature({"address": Out(range(PACKET_WORDS)), "data": In(32)})
