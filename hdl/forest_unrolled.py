"""UnrolledForest: all trees of a forest side by side, a new flow every clock."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .at_most import at_most
from .block_rom import RomShape, RomTable
from .forest_network import forest_network
from .forest_parameters import ForestParameters
from .lookup_pipeline import LookupPipeline, LookupStage
from .lut_network import LutNetwork
from .lut_pipeline import LutPipeline
from .vote_adder import VoteAdder
from .vote_code import TABLE_BITS, VoteCode

__all__ = ["BOUNDARIES", "CLASS_BOUNDARIES", "UnrolledForest", "UnrolledParameters", "add_network"]

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
    stages:
        Tables in block RAM in front of the network, which then reads their outputs in place of the features.
    sums_in_block_ram:
        Whether votes are added up in block RAM first (see :class:`hdl.vote_adder.VoteAdder`), not of several classes.
    rom:
        What fits a block RAM, where there are tables in any.
    """

    forest: ForestParameters
    network: LutNetwork
    levels_per_stage: int = 0
    registered: frozenset[str] = frozenset()
    stages: tuple[LookupStage, ...] = ()
    sums_in_block_ram: bool = False
    rom: RomShape | None = None

    def __post_init__(self):
        if unknown := self.registered - set(self.boundaries):
            raise ValueError(f"Registered boundaries must be among {self.boundaries}, not {sorted(unknown)!r}")
        if (self.stages or self.sums_in_block_ram) and not self.rom:
            raise ValueError("Tables in block RAM must come with the shape of one")
        if self.forest.classes and self.sums_in_block_ram:
            raise ValueError("Votes for several classes must not be added up in block RAM")
        outputs = self.forest.features_layout.size
        for stage in self.stages:
            if stage.network.inputs != outputs:
                raise ValueError(f"A stage must read the {outputs} outputs before it, not {stage.network.inputs}")
            outputs = stage.outputs
        if self.network.inputs != outputs:
            raise ValueError(f"The network must read the {outputs} outputs before it, not {self.network.inputs}")

    @property
    def boundaries(self) -> tuple[str, ...]:
        """Where the circuit can have registers behind its trees."""
        return CLASS_BOUNDARIES if self.forest.classes else BOUNDARIES

    @property
    def rom_of_sums(self) -> RomShape | None:
        """What fits a block RAM, where votes are added up in any."""
        return self.rom if self.sums_in_block_ram else None

    @property
    def vote_table_bits(self) -> int:
        """Bits of votes that are looked up at once."""
        return self.rom_of_sums.address_width if self.rom_of_sums else TABLE_BITS

    @property
    def roms(self) -> dict[str, tuple[RomTable, ...]]:
        """The tables of every block ROM of the circuit, by its place in the hierarchy of modules."""
        found: dict[str, tuple[RomTable, ...]] = {}
        if self.rom:
            for index, stage in enumerate(self.stages):
                found |= {f"lookup.rom_{index}_{at}": rom for at, rom in enumerate(self.rom.roms(stage.tables))}
        if self.rom_of_sums:
            tables = VoteAdder.rom_tables(tuple(VoteCode.of(tree) for tree in self.forest.trees), self.rom)
            found |= {f"adder.rom_{at}": rom for at, rom in enumerate(self.rom.roms(tables))}
        return found

    @property
    def block_rams(self) -> int:
        """How many block RAMs the circuit takes."""
        return sum(self.rom.block_rams(rom) for rom in self.roms.values()) if self.rom else 0

    @property
    def network_latency(self) -> int:
        """Clocks from the features to the codes of the votes."""
        return LookupPipeline.latency_of(self.stages, self.levels_per_stage) + LutPipeline.latency_of(
            self.network, self.levels_per_stage
        )

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


def add_network(m: Module, parameters: UnrolledParameters, features: Value, enable: Value) -> Value:
    """Add the tables in block RAM, if any, and the network to a module; give the codes of the votes of all trees."""
    p = parameters
    if p.stages:
        m.submodules.lookup = lookup = LookupPipeline(stages=p.stages, rom=p.rom, levels_per_stage=p.levels_per_stage)
        m.d.comb += [lookup.enable.eq(enable), lookup.i.eq(features)]
        features = lookup.o
    m.submodules.network = network = LutPipeline(network=p.network, levels_per_stage=p.levels_per_stage)
    m.d.comb += [network.enable.eq(enable), network.i.eq(features)]
    return network.o


class UnrolledForest(wiring.Component):
    """Classify flows: tables in block RAM if any, a network of comparisons and trees, an adder tree, the band.

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
        adder_latency = VoteAdder.latency_of(self._codes, registered, parameters.rom_of_sums)
        self.latency = parameters.network_latency + adder_latency + ("score" in registered) + 1
        super().__init__(
            {
                "i": In(stream.Signature(forest.features_layout)),
                "o": Out(stream.Signature(forest.answer_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        p = self.parameters
        m.submodules.adder = adder = VoteAdder(
            codes=self._codes, shape=p.forest.score_shape, registered=p.registered, rom=p.rom_of_sums
        )

        advance = ~self.o.valid | self.o.ready
        codes = Cat(getattr(adder, f"code_{index}") for index in range(len(self._codes)))
        m.d.comb += [
            self.i.ready.eq(advance),
            adder.enable.eq(advance),
            codes.eq(add_network(m, p, self.i.payload, advance)),
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
