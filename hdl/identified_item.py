"""IdentifiedItem: an item on its way to a flow table that takes whole packets at once."""

from amaranth.lib import data

from hdl.packet import Descriptor, PacketWords

__all__ = ["IdentifiedItem"]


class IdentifiedItem(data.Struct):
    """An item, its words, and of a used frame the identity of its flow.

    ``swapped``: the source is the higher endpoint; ``equal``: both endpoints are the same.
    """

    descriptor: Descriptor
    words: PacketWords
    identity: 64
    swapped: 1
    equal: 1
