"""ProbeLine: a probe between a link that brings items and a serial line that takes its messages."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.cobs import CobsEncoder
from hdl.probe import Probe, ProbeParameters
from hdl.probe_front import item_shape
from hdl.tally import event_signature

__all__ = ["ProbeLine"]


class ProbeLine(wiring.Component):
    """Takes items, answers in COBS frames of IPFIX messages.

    Parameters
    ----------
    parameters: of the probe

    Attributes
    ----------
    i: items
    overrun: counts frames that the link had to drop
    ready: frames are being taken
    o: bytes
    """

    def __init__(self, *, parameters: ProbeParameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(item_shape(parameters.pipeline))),
                "overrun": In(event_signature()),
                "ready": Out(1),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.probe = probe = Probe(parameters=self.parameters)
        m.submodules.cobs = cobs = CobsEncoder()

        connect(m, flipped(self.i), probe.i)
        connect(m, probe.o, cobs.i)
        connect(m, cobs.o, flipped(self.o))
        connect(m, flipped(self.overrun), probe.overrun)
        m.d.comb += self.ready.eq(probe.ready)

        return m
