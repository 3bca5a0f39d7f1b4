"""UnrolledClasses: a forest of several classes with all its trees side by side, a new flow every clock."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .arg_max import ArgMax
from .forest_unrolled import UnrolledParameters, add_network
from .vote_adder import VoteAdder
from .vote_code import VoteCode

__all__ = ["UnrolledClasses"]


class UnrolledClasses(wiring.Component):
    """Classify flows: a network of comparisons and trees, an adder tree for each class, the class of the highest sum.

    When the output is not taken the whole pipeline stands still; nothing is lost and nothing overtakes.
    ``compiler.forest.Forest.answer`` is its model.

    **Latency**: ``latency`` clocks from the transfer of a flow to the clock in which its answer is valid; one flow
    every clock (``interval`` 1).

    Parameters
    ----------
    parameters:
        The forest, its network and where it has registers.

    Attributes
    ----------
    i:
        In: the features of a flow.
    o:
        Out: the highest score and the index of its class, the lowest of equal ones.
    """

    interval = 1

    def __init__(self, *, parameters: UnrolledParameters):
        self.parameters = parameters
        forest, registered = parameters.forest, parameters.registered
        self._codes = tuple(
            tuple(VoteCode.of(tree) for tree in forest.trees_of(index)) for index in range(forest.classes)
        )
        # The sum of fewer trees waits for those of more.
        self._adder_latency = max(VoteAdder.latency_of(codes, registered) for codes in self._codes)
        self.latency = (
            parameters.network_latency
            + self._adder_latency
            + ("score" in registered)
            + ArgMax.latency_of(forest.classes, "maxima" in registered)
            + 1
        )
        super().__init__(
            {
                "i": In(stream.Signature(forest.features_layout)),
                "o": Out(stream.Signature(forest.answer_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)

        votes = self._votes(m, add_network(m, p, self.i.payload, advance))
        m.submodules.arg_max = arg_max = ArgMax(
            count=p.forest.classes, shape=p.forest.score_shape, registered="maxima" in p.registered
        )
        m.d.comb += arg_max.enable.eq(advance)
        for index in range(p.forest.classes):
            total = self._total(m, index, votes[index], advance)
            m.d.comb += getattr(arg_max, f"score_{index}").eq(total)
        with m.If(advance):
            m.d.sync += [self.o.payload.score.eq(arg_max.best), self.o.payload.class_index.eq(arg_max.index)]

        # One valid bit travels beside each set of registers; the last is that of the output.
        valid = Signal(self.latency)
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += self.o.valid.eq(valid[-1])

        return m

    def _votes(self, m: Module, bits: Value) -> list[list[Signal]]:
        """The codes of the trees of every class, named by the numbers of the trees."""
        votes: list[list[Signal]] = [[] for _ in self._codes]
        position = 0
        for number, tree in enumerate(self.parameters.forest.trees):
            vote = Signal(VoteCode.of(tree).width, name=f"vote_{number}")
            m.d.comb += vote.eq(bits[position : position + len(vote)])
            position += len(vote)
            votes[tree.class_index].append(vote)
        return votes

    def _total(self, m: Module, index: int, votes: list[Signal], advance: Value) -> Value:
        """The score of a class, as many registers behind the trees as that of any other."""
        p, codes = self.parameters, self._codes[index]
        shape = p.forest.score_shapes[index]
        m.submodules[f"adder_{index}"] = adder = VoteAdder(codes=codes, shape=shape, registered=p.registered)
        m.d.comb += adder.enable.eq(advance)
        for at, vote in enumerate(votes):
            m.d.comb += getattr(adder, f"code_{at}").eq(vote)
        total = Signal(shape, name=f"sum_{index}")
        m.d.comb += total.eq(adder.total)
        waits = self._adder_latency - adder.latency + ("score" in p.registered)
        for _ in range(waits):
            register = Signal.like(total, name=f"sum_{index}_later", reset_less=True)
            with m.If(advance):
                m.d.sync += register.eq(total)
            total = register
        return total
