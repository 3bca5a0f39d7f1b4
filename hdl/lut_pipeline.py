"""LutPipeline: a network of tables with registers between its levels."""

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lut_network import FALSE, TRUE, Lut, LutNetwork

__all__ = ["LutPipeline"]


class LutPipeline(wiring.Component):
    """Compute a network, a new set of inputs every clock.

    Tables are written with AND, OR and NOT: of a multiplexer with a constant arm in front of a register, synthesis
    would make a reset of that register, and reset lines are few.

    **Latency**: ``latency`` clocks of ``enable``: a register behind every ``levels_per_stage`` levels of tables, and
    none with 0, when it is combinational.

    Parameters
    ----------
    network:
        What it computes.
    levels_per_stage:
        Tables one after another without a register between them.

    Attributes
    ----------
    enable:
        In: registers hold while it is low.
    i, o:
        In, out: bit n is input or output n of the network.
    """

    def __init__(self, *, network: LutNetwork, levels_per_stage: int = 0):
        self.network = network
        self.levels_per_stage = levels_per_stage
        self.latency = self.latency_of(network, levels_per_stage)
        super().__init__({"enable": In(1), "i": In(network.inputs), "o": Out(len(network.outputs))})

    @staticmethod
    def latency_of(network: LutNetwork, levels_per_stage: int) -> int:
        """Clocks from the inputs to the outputs."""
        return -(-network.depth // levels_per_stage) if levels_per_stage else 0

    @classmethod
    def registers_of(cls, network: LutNetwork, levels_per_stage: int) -> int:
        """How many registers there are, before synthesis leaves out those that hold the same."""
        return sum(cls._registers(network, levels_per_stage).values())

    @classmethod
    def lone_registers_of(cls, network: LutNetwork, levels_per_stage: int) -> int:
        """How many of them do not lie behind a table that leads to nothing else."""
        registers = cls._registers(network, levels_per_stage)
        if not registers:
            return 0
        stage = [(level - 1) // levels_per_stage for level in network.levels]
        tables = list(enumerate(network.luts, network.first_lut))
        read_at_once = {read for node, lut in tables for read in lut.inputs if stage[read] == stage[node]}
        paired = sum(registers[node] > 0 and node not in read_at_once for node, _ in tables)
        return sum(registers.values()) - paired

    @classmethod
    def _registers(cls, network: LutNetwork, levels_per_stage: int) -> dict[int, int]:
        """How many registers one after another lie behind each node."""
        if not levels_per_stage:
            return {}
        made = {2 + index: 0 for index in range(network.inputs)}
        needed = dict(made)
        for node, lut in enumerate(network.luts, network.first_lut):
            made[node] = needed[node] = (network.levels[node] - 1) // levels_per_stage
            for read in lut.inputs:
                if read in made:
                    needed[read] = max(needed[read], made[node])
        for node in network.outputs:
            if node in made:
                needed[node] = cls.latency_of(network, levels_per_stage)
        return {node: needed[node] - made[node] for node in made}

    def elaborate(self, platform):
        m = Module()

        # What a node is so many registers behind the inputs; each register is made when something reads it.
        delayed: dict[tuple[int, int], Value] = {(2 + index, 0): bit for index, bit in enumerate(self.i)}

        def value(node: int, stage: int) -> Value:
            if node in (FALSE, TRUE):
                return Const(node, 1)
            if (node, stage) not in delayed:
                register = Signal(name=f"node_{node}_{stage}", reset_less=True)
                with m.If(self.enable):
                    m.d.sync += register.eq(value(node, stage - 1))
                delayed[node, stage] = register
            return delayed[node, stage]

        for node, lut in enumerate(self.network.luts, self.network.first_lut):
            stage = self._stage(node)
            output = Signal(name=f"node_{node}")
            m.d.comb += output.eq(_gates(lut, [value(read, stage) for read in lut.inputs]))
            delayed[node, stage] = output
        for index, node in enumerate(self.network.outputs):
            m.d.comb += self.o[index].eq(value(node, self.latency))

        return m

    def _stage(self, node: int) -> int:
        """The registers between the inputs and a table."""
        return (self.network.levels[node] - 1) // self.levels_per_stage if self.levels_per_stage else 0


def _gates(lut: Lut, values: list[Value]) -> Value:
    """A table as gates, by its last input first."""
    if not values:
        return Const(lut.table, 1)
    half = 1 << len(values) - 1
    low, high = lut.table & (1 << half) - 1, lut.table >> half
    select, rest = values[-1], values[:-1]
    nothing, everything = 0, (1 << half) - 1

    def branch(table: int) -> Value:
        return _gates(Lut(table, lut.inputs[:-1]), rest)

    if low == high:
        return branch(low)
    if (low, high) == (nothing, everything):
        return select
    if (low, high) == (everything, nothing):
        return ~select
    if low == nothing:
        return select & branch(high)
    if high == nothing:
        return ~select & branch(low)
    if low == everything:
        return ~select | branch(high)
    if high == everything:
        return select | branch(low)
    if low == high ^ everything:
        return select ^ branch(low)
    return select & branch(high) | ~select & branch(low)
