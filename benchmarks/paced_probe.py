"""A probe to which items of eight bytes a clock come when their time has come, whether it waits for them or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.cobs import CobsEncoder
from hdl.item import ItemKind
from hdl.probe import Probe, ProbeParameters
from hdl.probe_front import item_shape
from sim.compiled import CompiledCircuit
from sim.compiled_probe import item_payloads
from sim.compiled_streams import CompiledStreams
from sim.compiling import compile_component
from sim.export_records import ExportedCounters, ExportStream
from sim.items import Item, setup_item

__all__ = ["PacedProbe", "PacedRun", "run_paced"]

_EPOCH_MS = 1_700_000_000_000
_KEY = 0x0123456789ABCDEF
_QUIET_CYCLES = 300_000


class PacedProbe(wiring.Component):
    """A probe whose input is a word or a clock without one, and that counts the clocks in which a word had to wait."""

    def __init__(self, *, parameters: ProbeParameters):
        self._parameters = parameters
        self._word = item_shape(parameters.pipeline)
        shape = data.StructLayout({"word": self._word, "there": 1})
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "o": Out(stream.Signature(8)),
                "ready": Out(1),
                "waited": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.probe = probe = Probe(parameters=self._parameters)
        m.submodules.cobs = cobs = CobsEncoder()
        connect(m, probe.o, cobs.i)
        connect(m, cobs.o, flipped(self.o))
        waits = Signal()
        m.d.comb += [
            self.ready.eq(probe.ready),
            probe.i.payload.eq(self.i.p.word),
            probe.i.valid.eq(self.i.valid & self.i.p.there),
            waits.eq(probe.i.valid & ~probe.i.ready),
            self.i.ready.eq(~waits),
        ]
        m.d.sync += self.waited.eq(self.waited + waits)
        return m


@dataclass
class PacedRun:
    """What became of the items. ``waited``: clocks in which a word was there and not taken."""

    waited: int
    counters: ExportedCounters


def run_paced(parameters: ProbeParameters, items: Sequence[bytes], *, spacing: float) -> PacedRun:
    """Set a probe up, bring it an item every ``spacing`` clocks, then flush it."""
    circuit = CompiledCircuit(compile_component(PacedProbe(parameters=parameters)))
    streams = CompiledStreams(circuit)
    reader, counters = ExportStream(), None

    def read(chunks) -> None:
        nonlocal counters
        for chunk in chunks:
            for entry in reader.feed(chunk.astype(np.uint8).tobytes()):
                if isinstance(entry, ExportedCounters):
                    counters = entry

    def words(batch: Sequence[bytes]) -> np.ndarray:
        rows = item_payloads(batch, parameters.pipeline.item_bytes)
        width = item_shape(parameters.pipeline).size
        rows[:, width // 32] |= np.uint32(1 << width % 32)
        return rows

    idle = np.zeros((1000, circuit.ports["i__payload"].size_bytes // 4), np.uint32)
    read(streams.put(words([setup_item(_KEY, _EPOCH_MS).to_bytes()]), idle_cycles=_QUIET_CYCLES))
    while not circuit.get("ready"):
        read(streams.put(idle, idle_cycles=_QUIET_CYCLES))
    before, begin, step = circuit.get("waited"), 0.0, 20_000
    for at in range(0, len(items), step):
        batch = items[at : at + step]
        rows = words(batch)
        lengths = np.array([-(-(len(item) + 2) // parameters.pipeline.item_bytes) for item in batch])
        starts = (begin + spacing * np.arange(len(batch))).astype(np.int64)
        if len(batch) > 1 and (np.diff(starts) < lengths[:-1]).any():
            raise ValueError("Items are longer than the clocks between them")
        end = begin + spacing * len(batch)
        clocks = np.zeros((int(end), rows.shape[1]), np.uint32)
        firsts = np.cumsum(lengths) - lengths
        clocks[np.repeat(starts - firsts, lengths) + np.arange(len(rows))] = rows
        begin = end - int(end)
        read(streams.put(clocks, idle_cycles=_QUIET_CYCLES))
    waited = circuit.get("waited") - before
    read(streams.put(words([Item(ItemKind.FLUSH, 0).to_bytes()]), idle_cycles=_QUIET_CYCLES))
    read(streams.drain(idle_cycles=_QUIET_CYCLES))
    if counters is None:
        raise RuntimeError("The probe has sent no counters")
    return PacedRun(waited, counters)
