"""Features one after another, and the collector that gives them all at once to a forest that wants them so."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FeatureCollector", "feature_word"]


def feature_word(bits: int) -> data.StructLayout:
    """Payload of a stream of features: the value of one, and whether it is the last of its flow."""
    return data.StructLayout({"value": bits, "last": 1})


class FeatureCollector(wiring.Component):
    """Keep the features of a flow until the last has come.

    **Latency**: 1 cycle after the last feature; the next flow may begin when ``o`` has been taken.

    Parameters
    ----------
    value_bits:
        Of the widest feature.
    features_layout:
        Payload of the forest's input stream, a field for every feature.

    Attributes
    ----------
    i:
        In: the features, in the order of the fields.
    o:
        Out: all of them.
    """

    def __init__(self, *, value_bits: int, features_layout: data.StructLayout):
        super().__init__(
            {
                "i": In(stream.Signature(feature_word(value_bits))),
                "o": Out(stream.Signature(features_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()

        names = list(self.o.p.shape().members)
        # Names that the proof looks for, so one assignment each.
        index = Signal(range(len(names)))
        features = Signal.like(self.o.payload, reset_less=True)
        m.d.comb += [self.i.ready.eq(~self.o.valid), self.o.payload.eq(features)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            with m.Switch(index):
                for number, name in enumerate(names):
                    with m.Case(number):
                        m.d.sync += features[name].eq(self.i.p.value)
            m.d.sync += index.eq(index + 1)
            with m.If(self.i.p.last):
                m.d.sync += [index.eq(0), self.o.valid.eq(1)]

        return m
