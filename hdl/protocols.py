"""The protocols that are followed down to TCP, as tables: what a type or a next header leads to."""

import enum

from hdl.packet import PacketWord

__all__ = ["CARRIED", "ETHERTYPES", "GREATEST_LENGTH", "PPP_PROTOCOLS", "SNAP", "STORED", "TUNNELS", "VXLAN_PORT"]
__all__ += ["Carried", "Header"]


class Header(enum.IntEnum):
    """The header that the next byte belongs to."""

    ITEM = 0
    ETHERNET = 1
    TAG = 2
    LLC = 3
    PPPOE = 4
    LABEL = 5
    LABELLED = 6
    """Behind the last label: nothing but the high half of the first byte says which version of IP it is."""
    IPV4 = 7
    IPV4_OPTIONS = 8
    IPV6 = 9
    EXTENSION = 10
    TCP = 11
    UDP = 12
    REST = 13


class Carried(enum.IntEnum):
    """What an IP header says comes behind it, of what is followed."""

    TCP = 0
    UDP = 1
    EXTENSION = 2
    FRAGMENT = 3
    AUTHENTICATION = 4


STORED = {
    (Header.ITEM, 7): PacketWord.TIME,
    (Header.IPV4, 15): PacketWord.SOURCE,
    (Header.IPV4, 19): PacketWord.DESTINATION,
    **{(Header.IPV6, 11 + 4 * i): PacketWord.SOURCE + i for i in range(4)},
    **{(Header.IPV6, 27 + 4 * i): PacketWord.DESTINATION + i for i in range(4)},
    (Header.TCP, 3): PacketWord.PORTS,
}
"""Words of a packet that are 32 bits of a header as they are, by header and last byte."""

ETHERTYPES = {
    0x0800: Header.IPV4,
    0x86DD: Header.IPV6,
    **dict.fromkeys((0x8100, 0x88A8, 0x9100), Header.TAG),
    **dict.fromkeys((0x8847, 0x8848), Header.LABEL),
    0x8864: Header.PPPOE,
}
PPP_PROTOCOLS = {0x0021: Header.IPV4, 0x0057: Header.IPV6}

GREATEST_LENGTH = 1500
"""Of an EtherType's values those that are a length, as in 802.3."""

SNAP = bytes.fromhex("aaaa03000000")
"""LLC and the organisation behind which an EtherType follows."""

CARRIED = {
    6: Carried.TCP,
    17: Carried.UDP,
    44: Carried.FRAGMENT,
    51: Carried.AUTHENTICATION,
    **dict.fromkeys((0, 43, 60, 135, 139, 140), Carried.EXTENSION),
}
"""By the number of a protocol or next header."""

TUNNELS = (4, 41, 47)
VXLAN_PORT = 4789
