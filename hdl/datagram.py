"""UDP over IPv4 over Ethernet: where the fields of a datagram are, and its two ends."""

from dataclasses import dataclass

from amaranth.lib import data

__all__ = [
    "BROADCAST_IP",
    "BROADCAST_MAC",
    "DONT_FRAGMENT",
    "HEADER_BYTES",
    "IPV4",
    "UDP",
    "UDP_HEADER_BYTES",
    "VERSION_4",
]
__all__ += ["Field", "Header", "Peer", "Station"]


HEADER_BYTES = 42
"""Of Ethernet, IPv4 without options, and UDP."""

UDP_HEADER_BYTES = 8

IPV4 = 0x0800
"""Ethertype."""

VERSION_4 = 0x45
"""With a header of five words."""

DONT_FRAGMENT = 0x4000

UDP = 17
"""Protocol."""

BROADCAST_MAC, BROADCAST_IP = (1 << 48) - 1, (1 << 32) - 1


@dataclass(frozen=True)
class Field:
    """A field of the headers: its first byte and how many there are."""

    at: int
    bytes: int

    @property
    def end(self) -> int:
        """Its last byte."""
        return self.at + self.bytes - 1


class Header:
    """The fields of the headers."""

    DESTINATION_MAC, SOURCE_MAC, ETHERTYPE = Field(0, 6), Field(6, 6), Field(12, 2)
    VERSION, TOTAL_LENGTH, FRAGMENT = Field(14, 1), Field(16, 2), Field(20, 2)
    LIFETIME, PROTOCOL, CHECKSUM = Field(22, 1), Field(23, 1), Field(24, 2)
    SOURCE_IP, DESTINATION_IP = Field(26, 4), Field(30, 4)
    SOURCE_PORT, DESTINATION_PORT, UDP_LENGTH = Field(34, 2), Field(36, 2), Field(38, 2)


class Peer(data.Struct):
    """Whom datagrams come from or go to."""

    mac: 48
    ip: 32
    port: 16


@dataclass(frozen=True)
class Station:
    """Addresses of our own."""

    mac: int
    ip: int
    port: int
