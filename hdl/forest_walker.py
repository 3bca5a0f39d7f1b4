"""ForestWalker: a forest walked by one or more lanes, with tables that can be loaded."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .item import framed
from .table_loader import TableLoader
from .walker_lane import WalkerLane
from .walker_parameters import WalkerParameters
from .walker_table import WalkerTable

__all__ = ["ForestWalker"]


class ForestWalker(wiring.Component):
    """Classify flows, each on the lane whose turn it is; answers come in the order of the flows.

    ``compiler.forest.Forest.score`` and ``decide`` are its model.

    **Latency** depends on the flow: of one that finds the walker empty it is at most ``latency`` clocks from its last
    feature on. **Throughput**: over many flows at least one every ``interval`` clocks. Both are of the forest that the
    tables hold at the start.

    Parameters
    ----------
    parameters:
        The forest, the size of the tables, the lanes.

    Attributes
    ----------
    i:
        In: the features of a flow, one after the other.
    o:
        Out: its score and verdict, and whether it was classified.
    table:
        In: images of forests (:func:`hdl.table_loader.table_image`), if the tables can be loaded.
    forest_id, monitor_only, loaded, refused:
        Out: see :class:`TableLoader`.
    """

    def __init__(self, *, parameters: WalkerParameters):
        self.parameters = parameters
        ports = {
            "i": In(stream.Signature(parameters.feature_layout)),
            "o": Out(stream.Signature(parameters.answer_layout)),
        }
        if parameters.loadable:
            ports |= {"table": In(stream.Signature(framed(8)))}
            ports |= {"forest_id": Out(32), "monitor_only": Out(1), "loaded": Out(1), "refused": Out(1)}
        visits = WalkerTable.of(parameters.forest).most_visits
        # A walk comes by the gate once in all stages; then it visits its rows and the gate, and two registers follow.
        self.latency = 1 + parameters.stages * (visits + 2) + 2
        # Twice at the gate, to answer and to take, and up to two rounds for its turn.
        self.interval = -(-(visits + 4) // parameters.lanes)
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        lanes = [WalkerLane(parameters=p) for _ in range(p.lanes)]
        for number, lane in enumerate(lanes):
            m.submodules[f"lane_{number}"] = lane

        # Each on a line of its own, so that both have their name in the circuit, where its proof finds them.
        for_input = Signal(range(p.lanes))
        for_output = Signal(range(p.lanes))
        with m.Switch(for_input):
            for number, lane in enumerate(lanes):
                m.d.comb += lane.i.payload.eq(self.i.payload)
                with m.Case(number):
                    m.d.comb += [lane.i.valid.eq(self.i.valid), self.i.ready.eq(lane.i.ready)]
        with m.Switch(for_output):
            for number, lane in enumerate(lanes):
                with m.Case(number):
                    m.d.comb += [
                        self.o.valid.eq(lane.o.valid),
                        self.o.payload.eq(lane.o.payload),
                        lane.o.ready.eq(self.o.ready),
                    ]
        with m.If(self.i.valid & self.i.ready & self.i.p.last):
            m.d.sync += for_input.eq(self._after(for_input))
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += for_output.eq(self._after(for_output))
        # Last, so that the loader's ports do not take the names of this circuit's, by which its proof knows it.
        if p.loadable:
            self._load(m, lanes)

        return m

    def _after(self, lane):
        return Mux(lane == self.parameters.lanes - 1, 0, lane + 1)

    def _load(self, m, lanes):
        m.submodules.loader = loader = TableLoader(parameters=self.parameters)
        wiring.connect(m, wiring.flipped(self.table), loader.i)
        m.d.comb += [
            self.forest_id.eq(loader.forest_id),
            self.monitor_only.eq(loader.monitor_only),
            self.loaded.eq(loader.loaded),
            self.refused.eq(loader.refused),
        ]
        idle, settled = Signal(len(lanes)), Signal(len(lanes))
        for number, lane in enumerate(lanes):
            m.d.comb += [
                lane.load.payload.eq(loader.load.payload),
                lane.load.valid.eq(loader.load.valid),
                lane.hold.eq(loader.hold | loader.halt),
                lane.halt.eq(loader.halt),
                lane.half.eq(loader.half),
                idle[number].eq(lane.idle),
                settled[number].eq(lane.settled),
            ]
        m.d.comb += [loader.idle.eq(idle.all()), loader.settled.eq(settled.all())]
