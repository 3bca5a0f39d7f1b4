"""WalkerLane: a step of a walk through a forest every clock, from block RAM."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .block_ram import BlockRam
from .walker_parameters import TABLES, WalkerParameters
from .walker_table import GATE

__all__ = ["WalkerLane"]


class WalkerLane(wiring.Component):
    """Walk through all trees of a forest, for as many flows at a time as a step has stages.

    A step visits a row of the table: it compares a feature with a threshold, adds a vote and goes on. Each clock
    begins a step of another walk. Flows are taken and answered in turn.

    **Throughput**: a flow takes two steps and one for each row that it visits (:meth:`WalkerTable.walk`), each of as
    many clocks as there are stages, and waits at the gate until it is its turn.

    Parameters
    ----------
    parameters:
        The table, and the stages.

    Attributes
    ----------
    i:
        In: the features of a flow, one after the other.
    o:
        Out: its score and verdict.
    load:
        In: a word for a table, taken in any clock.
    half:
        In: which half of its tables a walk reads that takes a flow; of two, if they are double.
    settled:
        Out: no walk reads the other half.
    hold:
        In: no walk takes a flow.
    idle:
        Out: no walk has a flow.
    halt:
        In: tables are incomplete. All walks wait at the gate, and flows are answered as unclassified. Only when idle.
    """

    def __init__(self, *, parameters: WalkerParameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(parameters.feature_layout)),
                "o": Out(stream.Signature(parameters.answer_layout)),
                "load": In(stream.Signature(parameters.load_layout, always_ready=True)),
                "half": In(1),
                "settled": Out(1),
                "hold": In(1),
                "idle": Out(1),
                "halt": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        # No walk looks at what is being written: a bank is read when its flow is whole.
        memories = {name: BlockRam(contents) for name, contents in p.memories.items()}
        # What belongs to a walk moves on with it, from stage to stage.
        walks = [Signal(p.walk_layout, name=f"walk_{stage}", init={"number": stage}) for stage in range(p.stages)]
        for stage in range(p.stages):
            m.d.sync += walks[stage].eq(walks[stage - 1])
        w = _Wires(p, walks, memories)
        for name, memory in memories.items():
            m.submodules[name] = memory
        m.d.comb += [
            self.idle.eq(~Cat(walk.busy for walk in walks).any()),
            self.settled.eq(~Cat(walk.half ^ self.half for walk in walks).any()),
        ]

        self._load(m, w)
        self._receive(m, w)
        self._fetch(m, w)
        greater = self._compare(m, w)
        self._take_turns(m, w)
        self._go_on(m, w, greater)
        self._answer(m, w)

        return m

    def _load(self, m, w):
        """Writes a word into its table."""
        for number, name in enumerate(TABLES):
            memory = w.memories[name]
            m.d.comb += [
                memory.write_enable.eq(self.load.valid & (self.load.p.table == number)),
                memory.write_address.eq(self.load.p.address),
                memory.write_data.eq(self.load.p.data),
            ]

    def _receive(self, m, w):
        """Puts features into the bank of their flow."""
        flows = w.memories["flows"]
        index = Signal(self.parameters.size.index_bits)
        # All banks are in use when as many laps lie between the flow to come and the one to be answered. A clock is
        # left behind each flow, so that this is known early.
        full = (w.written.number == w.answered.number) & ((w.written.lap ^ w.answered.lap) == 0b10)
        room = Signal()
        m.d.sync += room.eq(~full & ~(flows.write_enable & self.i.p.last))
        m.d.comb += [
            self.i.ready.eq(room),
            flows.write_address.eq(Cat(index, w.written.lap[0], w.written.number)),
            flows.write_data.eq(self.i.p.value),
            flows.write_enable.eq(self.i.valid & self.i.ready),
        ]
        with m.If(flows.write_enable):
            m.d.sync += index.eq(index + 1)
            with m.If(self.i.p.last):
                m.d.sync += index.eq(0)
                self._advance(m, w.written)

    def _fetch(self, m, w):
        """First stage: reads feature and threshold, and adds the vote of the step before."""
        here, then = w.walks[0], w.walks[1]
        stages, memories = self.parameters.stages, w.memories
        m.d.comb += [
            memories["flows"].read_address.eq(Cat(memories["selectors"].read_data, here.lap, here.number)),
            memories["thresholds"].read_address.eq(w.row),
            # The registers that the last stage has behind the memory make up for the clock that is missing here.
            memories["links"].read_address.eq(_delayed(m, w.row, min(stages - 2, 1))),
        ]
        m.d.sync += then.tree.eq(here.tree + w.onward)
        late = int(stages > 3)
        here, then = w.walks[late], w.walks[late + 1]
        m.d.sync += then.score.eq(here.score + _delayed(m, memories["votes"].read_data, late))
        with m.If(_delayed(m, w.leaf, late)):
            m.d.sync += [then.below.eq(here.score < 0), then.not_above.eq(here.below)]

    def _compare(self, m, w):
        """Stages between: whether the feature is greater than the threshold."""
        stages = self.parameters.stages
        value, inverted = (_delayed(m, w.memories[name].read_data, stages > 3) for name in ("flows", "thresholds"))
        return _delayed(m, _carries(m, value, inverted), stages > 2)

    def _take_turns(self, m, w):
        """Stage before the last: whether a walk is at the gate, and takes a flow there or answers."""
        # Known so early, it does not lengthen the way to the next row.
        now = Signal()
        m.d.comb += now.eq(w.row[: self.parameters.size.row_bits] == GATE)
        at_gate = _delayed(m, now, self.parameters.stages - 2)
        here, then = w.walks[-2], w.walks[-1]
        takes = at_gate & here.ready & (here.number == w.taken.number) & (w.taken != w.written) & ~self.hold
        m.d.sync += [
            then.at_gate.eq(at_gate),
            then.takes.eq(takes),
            then.stays.eq((at_gate & ~takes) | self.halt),
            then.answers.eq(at_gate & here.busy & (here.number == w.answered.number) & ~self.o.valid),
        ]

    def _go_on(self, m, w, greater):
        """Last stage: finds the row to visit next."""
        here, then = w.walks[-1], w.walks[0]
        size, stages = self.parameters.size, self.parameters.stages
        link = data.View(size.link_layout, _delayed(m, w.memories["links"].read_data, int(stages > 3)))
        side = data.View(size.side_layout, Mux(greater, link.right.as_value(), link.left.as_value()))
        onward = Signal()
        row, half = Signal(size.row_bits), Signal(self.parameters.half_bits)
        child = Cat(link.pointer[0] | (greater & ~link.left.is_leaf & ~link.right.is_leaf), link.pointer[1:])
        m.d.comb += [
            onward.eq(side.is_leaf | here.takes),
            row.eq(Mux(here.stays, GATE, Mux(onward, here.tree, child))),
            half.eq(here.half),
            w.memories["selectors"].read_address.eq(Cat(row, half)),
            w.memories["votes"].read_address.eq(Cat(side, here.tree, here.half)),
        ]
        m.d.sync += [
            w.row.eq(Cat(row, half)),
            w.onward.eq(onward & ~here.stays),
            w.leaf.eq(side.is_leaf & ~here.at_gate),
            then.half.eq(half),
        ]
        self._stand_at_gate(m, w, link, half)
        with m.If(here.takes):
            m.d.sync += [then.lap.eq(w.taken.lap), then.score.eq(0)]
            self._advance(m, w.taken)
        with m.If(self.halt):
            m.d.sync += [then.tree.eq(0), then.busy.eq(0), then.ready.eq(0)]

    def _stand_at_gate(self, m, w, link, half):
        """Last stage: what becomes of a walk at the gate."""
        here, then = w.walks[-1], w.walks[0]
        free = ~here.busy | here.answers
        with m.If(here.at_gate):
            m.d.sync += [
                then.tree.eq(link.pointer),
                then.busy.eq(here.takes | ~free),
                # The root of the other half is known when the gate of that half has been visited.
                then.ready.eq(~here.takes & free & (here.half == half)),
            ]
            with m.If(~here.takes & free):
                m.d.comb += half.eq(self.half)

    def _answer(self, m, w):
        """Puts out what the walk that was in the last stage a clock ago has found."""
        here = w.walks[0]
        answer, unclassified = Signal(), Signal()
        # While there is no table no walk is busy, so that the next flow to be taken is the next to be answered.
        m.d.sync += [
            answer.eq(w.walks[-1].answers),
            unclassified.eq(self.halt & ~self.o.valid & ~unclassified & (w.taken != w.written)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(answer | unclassified):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.p.score.eq(here.score),
                self.o.p.verdict.eq(Cat(~here.not_above | here.below, here.below)),
                self.o.p.classified.eq(1),
            ]
            self._advance(m, w.answered)
        with m.If(unclassified):
            m.d.sync += [self.o.p.score.eq(0), self.o.p.verdict.eq(0), self.o.p.classified.eq(0)]
            self._advance(m, w.taken)

    def _advance(self, m, flow):
        """Counts a flow: the next walk is to take it, after the last of them the first on its next lap."""
        m.d.sync += flow.number.eq(flow.number + 1)
        with m.If(flow.number == self.parameters.stages - 1):
            m.d.sync += [flow.number.eq(0), flow.lap.eq(flow.lap + 1)]


class _Wires:
    """What the stages of a lane share.

    Attributes
    ----------
    walks: what belongs to the walk in each stage
    memories: the tables and the banks of features
    row: that is visited, in the first stage
    leaf, onward: the step before ended at a leaf; and went on to another root
    written, taken, answered: the next flow to be
    """

    def __init__(self, p: WalkerParameters, walks: list[data.View], memories: dict[str, BlockRam]):
        self.walks, self.memories = walks, memories
        self.row = Signal(p.size.row_bits + p.half_bits)
        self.leaf, self.onward = Signal(), Signal()
        self.written, self.taken, self.answered = (
            Signal(p.flow_layout, name=name) for name in ("written", "taken", "answered")
        )


def _carries(m: Module, value: Value, inverted: Value) -> Value:
    """Whether a value is greater than a threshold whose inverse is given: then their sum carries.

    The upper half does not wait for the lower one, as halves of 12 bits are what a carry chain does fast.
    """
    half = len(value) // 2
    low = (value[:half] + inverted[:half])[-1]
    high = (value[half:] + inverted[half:])[-1]
    high_if_low = (Cat(1, value[half:]) + Cat(1, inverted[half:]))[-1]
    return high | (high_if_low & low)


def _delayed(m: Module, value: Value, clocks: int) -> Value:
    for _ in range(clocks):
        register = Signal.like(value, name="delayed", reset_less=True)
        m.d.sync += register.eq(value)
        value = register
    return value
