"""RankedForest: a forest of ranks behind the search for them."""

from dataclasses import dataclass

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect

from .feature_stream import FeatureCollector, feature_word
from .forest_unrolled import UnrolledParameters
from .rank_encoder import RankEncoder
from .rank_table import RankTable

__all__ = ["RankedForest", "RankedParameters"]


@dataclass(frozen=True, kw_only=True)
class RankedParameters:
    """What a ranked forest is made from.

    Parameters
    ----------
    table:
        The thresholds whose ranks the forest is one of.
    unrolled:
        The forest of ranks.
    """

    table: RankTable
    unrolled: UnrolledParameters

    def __post_init__(self):
        if self.unrolled.forest.feature_widths != self.table.depths:
            raise ValueError("The forest must be one of the ranks that the table gives")


class RankedForest(wiring.Component):
    """Classify flows by the ranks of their features: comparisons are narrow, and a flow takes as long as the search.

    ``compiler.forest.Forest.score`` and ``decide`` are its model.

    **Latency**: from the transfer of the last feature of a flow ``latency`` clocks, to an answer that is taken at once.
    **Throughput**: a flow every ``interval`` clocks.

    Parameters
    ----------
    parameters:
        The table and the forest of ranks.

    Attributes
    ----------
    i:
        In: the features of a flow, one after the other.
    o:
        Out: score and verdict, or class.
    """

    def __init__(self, *, parameters: RankedParameters):
        self.parameters = parameters
        self._unrolled = parameters.unrolled.circuit()
        # A register behind the search, and the collector's.
        self.latency = parameters.table.depths[-1] + 2 + self._unrolled.latency
        self.interval = parameters.table.search_clocks
        super().__init__(
            {
                "i": In(stream.Signature(feature_word(parameters.table.value_bits))),
                "o": Out(stream.Signature(self._unrolled.o.p.shape())),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = encoder = RankEncoder(table=self.parameters.table)
        m.submodules.unrolled = unrolled = self._unrolled
        m.submodules.collector = collector = FeatureCollector(
            value_bits=self.parameters.table.rank_bits, features_layout=unrolled.i.p.shape()
        )
        connect(m, wiring.flipped(self.i), encoder.i)
        connect(m, encoder.o, collector.i)
        connect(m, collector.o, unrolled.i)
        connect(m, unrolled.o, wiring.flipped(self.o))

        return m
