"""UnrolledForest: all trees of a forest side by side, a new flow every clock."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .at_most import at_most
from .forest_network import forest_network
from .forest_parameters import ForestParameters
from .lut_network import LutNetwork
from .lut_pipeline import LutPipeline
from .vote_adder import VoteAdder
from .vote_code import VoteCode

__all__ = ["BOUNDARIES", "CLASS_BOUNDARIES", "UnrolledForest", "UnrolledParameters"]

BOUNDARIES = ("tables", "sums", "score")
CLASS_BOUNDARIES = (*BOUNDARIES, "maxima")
"""Where an unrolled forest can have registers behind its trees; behind the verdict it always has one.

``tables``: behind the tables that add up to four vote bits; ``sums``: behind every level of adders but the last;
``score``: between the last adder and the verdict, or the search for the highest score; ``maxima``, of several classes:
between the levels of that search.
"""


@dataclass(frozen=True, kw_only=True)
class UnrolledParameters:
    """What an unrolled forest is made from.

    Parameters
    ----------
    forest:
        What it computes.
    network:
        Comparisons and trees, as :func:`hdl.forest_network.forest_network` makes them or with fewer tables.
    levels_per_stage:
        Tables of the network one after another without a register between them; 0 for no registers in it.
    registered:
        Which of :attr:`boundaries` have registers: more give a faster clock and a longer latency.
    """

    forest: ForestParameters
    network: LutNetwork
    levels_per_stage: int = 0
    registered: frozenset[str] = frozenset()

    def __post_init__(self):
        if unknown := self.registered - set(self.boundaries):
            raise ValueError(f"Registered boundaries must be among {self.boundaries}, not {sorted(unknown)!r}")

    @property
    def boundaries(self) -> tuple[str, ...]:
        """Where the circuit can have registers behind its trees."""
        return CLASS_BOUNDARIES if self.forest.classes else BOUNDARIES

    @classmethod
    def of(cls, forest: ForestParameters, **options) -> "UnrolledParameters":
        """With the network that is made of the forest."""
        return cls(forest=forest, network=forest_network(forest), **options)

    def circuit(self) -> wiring.Component:
        """A new instance of the circuit."""
        if self.forest.classes:
            # Only here: that file needs these parameters.
            from .forest_classes import UnrolledClasses

            return UnrolledClasses(parameters=self)
        return UnrolledForest(parameters=self)


class UnrolledForest(wiring.Component):
    """Classify flows: a network of comparisons and trees, an adder tree, the band.

    When the output is not taken the whole pipeline stands still; nothing is lost and nothing overtakes.
    ``compiler.forest.Forest.score`` and ``decide`` are its model.

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
        Out: its score and verdict.
    """

    interval = 1

    def __init__(self, *, parameters: UnrolledParameters):
        self.parameters = parameters
        forest, registered = parameters.forest, parameters.registered
        self._codes = tuple(VoteCode.of(tree) for tree in forest.trees)
        network_latency = LutPipeline.latency_of(parameters.network, parameters.levels_per_stage)
        adder_latency = VoteAdder.latency_of(self._codes, registered)
        self.latency = network_latency + adder_latency + ("score" in registered) + 1
        super().__init__(
            {
                "i": In(stream.Signature(forest.features_layout)),
                "o": Out(stream.Signature(forest.answer_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        m.submodules.network = network = LutPipeline(network=p.network, levels_per_stage=p.levels_per_stage)
        m.submodules.adder = adder = VoteAdder(codes=self._codes, shape=p.forest.score_shape, registered=p.registered)

        advance = ~self.o.valid | self.o.ready
        m.d.comb += [
            self.i.ready.eq(advance),
            network.enable.eq(advance),
            adder.enable.eq(advance),
            network.i.eq(self.i.payload),
            Cat(getattr(adder, f"code_{index}") for index in range(len(self._codes))).eq(network.o),
        ]
        score = adder.total
        if "score" in p.registered:
            register = Signal.like(score, name="score", reset_less=True)
            with m.If(advance):
                m.d.sync += register.eq(score)
            score = register
        with m.If(advance):
            m.d.sync += [self.o.payload.score.eq(score), self.o.payload.verdict.eq(self._verdict(score))]

        # One valid bit travels beside each set of registers; the last is that of the output.
        valid = Signal(self.latency)
        with m.If(advance):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        m.d.comb += self.o.valid.eq(valid[-1])

        return m

    def _verdict(self, score: Value) -> Value:
        # Comparing from half the range up turns signed into unsigned order; only the sign bit changes.
        half = 1 << len(score) - 1
        raised = Cat(score[:-1], ~score[-1])
        spam = ~at_most(raised, self.parameters.forest.hi + half)
        background = at_most(raised, self.parameters.forest.lo - 1 + half)
        return Cat(spam | background, background)
