"""UnrolledForest: all trees of a forest side by side, a new flow every clock."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .comparators import Comparators, at_most
from .forest_parameters import BOUNDARIES, ForestParameters
from .tree_vote import TreeVote, VoteCode
from .vote_adder import VoteAdder

__all__ = ["UnrolledForest"]


class UnrolledForest(wiring.Component):
    """Classify flows: comparators shared by all trees, multiplexers, an adder tree, the band.

    When the output is not taken the whole pipeline stands still; nothing is lost and nothing overtakes.
    ``compiler.forest.Forest.score`` and ``decide`` are its model.

    **Latency**: ``latency`` clocks from the transfer of a flow to the clock in which its answer is valid; one flow
    every clock (``interval`` 1).

    Parameters
    ----------
    parameters:
        The forest.
    registered:
        Which of :data:`~hdl.forest_parameters.BOUNDARIES` have registers: more give a faster clock and a longer
        latency. The output always has.

    Attributes
    ----------
    i:
        In: the features of a flow.
    o:
        Out: its score and verdict.
    """

    interval = 1

    def __init__(self, *, parameters: ForestParameters, registered: frozenset[str] = frozenset(BOUNDARIES)):
        unknown = set(registered) - set(BOUNDARIES)
        if unknown:
            raise ValueError(f"Registered boundaries must be among {BOUNDARIES}, not {sorted(unknown)!r}")
        self.parameters = parameters
        self.registered = frozenset(registered)
        self._codes = tuple(VoteCode.of(tree) for tree in parameters.trees)
        outside_adder = self.registered & {"comparisons", "votes", "score"}
        self.latency = len(outside_adder) + VoteAdder.latency_of(self._codes, self.registered) + 1
        super().__init__(
            {
                "i": In(stream.Signature(parameters.features_layout)),
                "o": Out(stream.Signature(parameters.answer_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        m.submodules.comparators = comparators = Comparators(
            layout=parameters.features_layout, thresholds=parameters.thresholds
        )
        m.submodules.adder = adder = VoteAdder(
            codes=self._codes, shape=parameters.score_shape, registered=self.registered
        )

        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            self.i.ready.eq(advance),
            comparators.features.eq(self.i.payload),
            adder.enable.eq(advance),
        ]

        comparisons = self._register(m, "comparisons", comparators.at_most, advance)
        for index, tree in enumerate(parameters.trees):
            m.submodules[f"tree_{index}"] = vote = TreeVote(tree=tree, thresholds=parameters.thresholds)
            m.d.comb += vote.at_most.eq(comparisons)
            code = self._register(m, "votes", vote.code, advance)
            m.d.comb += getattr(adder, f"code_{index}").eq(code)

        score = self._register(m, "score", adder.total, advance)
        with m.If(advance):
            m.d.sync += [self.o.payload.score.eq(score), self.o.payload.verdict.eq(self._verdict(score))]

        # One valid bit travels beside each set of registers; the last is that of the output.
        valid = Signal(self.latency)
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += self.o.valid.eq(valid[-1])

        return m

    def _register(self, m: Module, boundary: str, value: Value, advance: Value) -> Value:
        if boundary not in self.registered:
            return value
        register = Signal.like(value, name=boundary, reset_less=True)
        with m.If(advance):
            m.d.sync += register.eq(value)
        return register

    def _verdict(self, score: Value) -> Value:
        # Comparing from half the range up turns signed into unsigned order; only the sign bit changes.
        half = 1 << len(score) - 1
        raised = Cat(score[:-1], ~score[-1])
        spam = ~at_most(raised, self.parameters.hi + half)
        background = at_most(raised, self.parameters.lo - 1 + half)
        return Cat(spam | background, background)
