"""HostPort: a port of Ethernet through which a host sets a probe up and gets its messages."""

from amaranth.hdl import DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.datagram import Station
from hdl.datagram_receiver import DatagramReceiver
from hdl.datagram_sender import DatagramSender
from hdl.frame_receiver import FrameReceiver
from hdl.frame_ring import FrameRing
from hdl.frame_transmitter import FrameTransmitter
from hdl.host_item import HostItem
from hdl.item import framed
from hdl.symbol import symbol_signature

__all__ = ["HostPort"]

_SLOTS, _SNAP = 4, 125
"""The longest item takes 82 bytes."""


class HostPort(wiring.Component):
    """Items come in datagrams, an item each; messages leave in datagrams to whom the last good set-up came from.

    **Throughput**: an item or a message at a time, a byte a clock. An item that comes while another waits is dropped.

    Parameters
    ----------
    station: our addresses

    Attributes
    ----------
    symbols: of the wire, in domain ``rx``
    items: of the host
    messages: for the collector; dropped while there is none
    data, valid: TXD and TX_EN of GMII
    """

    def __init__(self, *, station: Station):
        self._station = station
        super().__init__(
            {
                "symbols": In(symbol_signature()),
                "items": Out(stream.Signature(framed(8))),
                "messages": In(stream.Signature(framed(8))),
                "data": Out(8),
                "valid": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        receiver = FrameReceiver()
        m.submodules.receiver = DomainRenamer("rx")(receiver)
        m.submodules.ring = ring = FrameRing(slots=_SLOTS, snap=_SNAP)
        m.submodules.datagrams = datagrams = DatagramReceiver(station=self._station)
        m.submodules.item = item = HostItem()
        m.submodules.sender = sender = DatagramSender(station=self._station)
        m.submodules.transmitter = transmitter = FrameTransmitter()

        connect(m, flipped(self.symbols), receiver.i)
        connect(m, receiver.o, ring.i)
        connect(m, ring.o, datagrams.i)
        connect(m, item.o, flipped(self.items))
        connect(m, flipped(self.messages), sender.i)
        connect(m, sender.o, transmitter.i)
        m.d.comb += [
            ring.length.eq(receiver.length),
            datagrams.wire_length.eq(ring.wire_length),
            self.data.eq(transmitter.data),
            self.valid.eq(transmitter.valid),
        ]
        # A register, since the bytes come out of block RAM late in the clock.
        m.d.sync += [item.i.valid.eq(datagrams.o.valid), item.i.payload.eq(datagrams.o.payload)]
        with m.If(item.set_up):
            m.d.sync += [sender.peer.eq(datagrams.peer), sender.known.eq(1)]

        return m
