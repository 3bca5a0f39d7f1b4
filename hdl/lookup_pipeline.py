"""LookupPipeline: networks and tables in block RAM by turns, which turn wide inputs into few key bits."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from .block_rom import BlockRom, RomShape, RomTable
from .lut_network import LutNetwork
from .lut_pipeline import LutPipeline

__all__ = ["LookupPipeline", "LookupStage"]


@dataclass(frozen=True)
class LookupStage:
    """Tables, and the network that makes their addresses.

    Its outputs are the words of all tables, then those outputs of the network that are no address, which pass by.

    Parameters
    ----------
    network:
        Its outputs are the addresses of all tables, in their order and the least significant bit first, then others.
    tables:
        What is looked up.
    """

    network: LutNetwork
    tables: tuple[RomTable, ...]

    def __post_init__(self):
        if self.passing < 0:
            raise ValueError(f"Tables have {self._addressing} address bits, the network {len(self.network.outputs)}")

    @property
    def _addressing(self) -> int:
        return sum(table.address_width for table in self.tables)

    @property
    def passing(self) -> int:
        """Outputs that pass the tables by."""
        return len(self.network.outputs) - self._addressing

    @property
    def outputs(self) -> int:
        return sum(table.width for table in self.tables) + self.passing

    def latency(self, levels_per_stage: int) -> int:
        """Clocks from the inputs to the outputs."""
        return LutPipeline.latency_of(self.network, levels_per_stage) + BlockRom.latency

    def evaluate(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The outputs, shape (rows, outputs), for rows of inputs, shape (rows, inputs)."""
        read = self.network.evaluate(rows)
        ends = list(itertools.accumulate((table.address_width for table in self.tables), initial=0))
        words = [
            table.evaluate(read[:, start:end])
            for table, (start, end) in zip(self.tables, itertools.pairwise(ends), strict=True)
        ]
        return np.hstack([*words, read[:, ends[-1] :]])


class LookupPipeline(wiring.Component):
    """Stages one after another, a new set of inputs every clock.

    **Latency**: ``latency`` clocks of ``enable``: of every stage, a register behind every ``levels_per_stage`` levels
    of its network, and two clocks for its tables.

    Parameters
    ----------
    stages:
        What it computes, at least one. The model is :meth:`LookupStage.evaluate` of one after another.
    rom:
        What fits a block RAM.
    levels_per_stage:
        Tables of a network one after another without a register between them; 0 for no registers in the networks.

    Attributes
    ----------
    enable:
        In: registers hold while it is low.
    i, o:
        In, out: bit n is input n of the first stage, output n of the last.
    """

    def __init__(self, *, stages: tuple[LookupStage, ...], rom: RomShape, levels_per_stage: int = 0):
        self._stages = stages
        self._rom = rom
        self._levels_per_stage = levels_per_stage
        self.latency = self.latency_of(stages, levels_per_stage)
        super().__init__({"enable": In(1), "i": In(stages[0].network.inputs), "o": Out(stages[-1].outputs)})

    @staticmethod
    def latency_of(stages: Iterable[LookupStage], levels_per_stage: int) -> int:
        """Clocks from the inputs to the outputs."""
        return sum(stage.latency(levels_per_stage) for stage in stages)

    def elaborate(self, platform):
        m = Module()

        bits: Value = self.i
        for index, stage in enumerate(self._stages):
            network = LutPipeline(network=stage.network, levels_per_stage=self._levels_per_stage)
            m.submodules[f"network_{index}"] = network
            m.d.comb += [network.enable.eq(self.enable), network.i.eq(bits)]
            bits = Cat(self._words(m, index, network.o), self._delayed(m, network.o[len(network.o) - stage.passing :]))
        m.d.comb += self.o.eq(bits)

        return m

    def _words(self, m: Module, stage: int, addresses: Value) -> Value:
        """The words of all tables of a stage."""
        tables = self._stages[stage].tables
        words: dict[int, Value] = {}
        starts = list(itertools.accumulate((table.address_width for table in tables), initial=0))
        for number, group in enumerate(self._rom.grouped(tables)):
            m.submodules[f"rom_{stage}_{number}"] = rom = BlockRom(tables=tuple(tables[index] for index in group))
            m.d.comb += rom.enable.eq(self.enable)
            for port, index in enumerate(group):
                m.d.comb += getattr(rom, f"address_{port}").eq(addresses[starts[index] : starts[index + 1]])
                words[index] = getattr(rom, f"word_{port}")
        return Cat(words[index] for index in range(len(tables)))

    def _delayed(self, m: Module, bits: Value) -> Value:
        """What passes by, as late as the words."""
        for _ in range(BlockRom.latency):
            register = Signal(len(bits), name="passing", reset_less=True)
            with m.If(self.enable):
                m.d.sync += register.eq(bits)
            bits = register
        return bits
