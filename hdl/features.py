"""FeatureExtractor: from the words of a record to the features that a forest reads."""

from dataclasses import dataclass
from typing import Literal

from amaranth.hdl import Array, C, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.accumulator import COUNT_BITS, Accumulator
from hdl.entry_layout import WORD_BITS, EntryLayout, EntryWord
from hdl.feature_stream import feature_word
from hdl.mean_divider import MeanDivider
from hdl.record_buffer import record_port_signature

__all__ = ["FeatureExtractor", "FeatureSource"]


@dataclass(frozen=True)
class FeatureSource:
    """How a feature is made from accumulators.

    Parameters
    ----------
    statistic: ``value`` of the accumulator, ``any`` (whether it is above 0), ``mean`` (divided by ``count``), or
        ``duration`` (milliseconds from the first packet to the last, no more than the bits hold)
    accumulator: what is read, in the forward or the response direction; None for the duration
    count: the number of parts of a mean
    bits: width of the feature
    """

    statistic: Literal["value", "any", "mean", "duration"]
    accumulator: Accumulator | None
    response: bool
    bits: int
    count: Accumulator | None = None


class FeatureExtractor(wiring.Component):
    """Reads accumulators one after another and puts out the features.

    **Latency**: 3 cycles a feature and 23 a mean with 2 bits of fraction.

    Parameters
    ----------
    sources: one per feature, in the order of the forest's input
    fraction: bits behind the point of every mean
    layout: of the record

    Attributes
    ----------
    start: begin with the record that ``record`` reads
    record: read port on it
    o: the features, one after the other
    """

    def __init__(self, *, sources: tuple[FeatureSource, ...], fraction: int, layout: EntryLayout):
        if not sources:
            raise ValueError("A forest must have at least one feature")
        for source in sources:
            if source.statistic not in ("value", "any", "mean", "duration"):
                raise ValueError(f"Statistic must be 'value', 'any', 'mean' or 'duration', not {source.statistic!r}")
            for accumulator in (source.accumulator, source.count):
                if accumulator is not None and accumulator not in layout.slots:
                    raise ValueError(f"A feature must be made from what the entry keeps, not {accumulator}")
        self._sources, self._fraction, self._layout = sources, fraction, layout
        super().__init__(
            {
                "start": In(1),
                "record": Out(record_port_signature(layout)),
                "o": Out(stream.Signature(feature_word(max(source.bits for source in sources)))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.divider = divider = MeanDivider(fraction=self._fraction)
        index = Signal(range(len(self._sources)))
        address, count_address, is_mean = self._look_up(index)

        word, count, total = Signal(32), Signal(32), Signal(32)
        self._select(m, index, self.record.data, word, count)
        m.d.comb += [
            self.record.address.eq(address),
            divider.i.p.total.eq(total),
            divider.i.p.count.eq(count),
            self.o.p.value.eq(Mux(is_mean, divider.o.payload, self._value(index, total, count))),
            self.o.p.last.eq(index == len(self._sources) - 1),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += index.eq(0)
                with m.If(self.start):
                    m.next = "READ"
            with m.State("READ"):
                m.next = "VALUE"
            with m.State("VALUE"):
                m.d.sync += total.eq(word)
                m.d.comb += self.record.address.eq(count_address)
                m.next = "PUT"
            with m.State("PUT"):
                m.d.comb += [
                    self.record.address.eq(count_address),
                    divider.i.valid.eq(is_mean),
                    divider.o.ready.eq(self.o.ready),
                    self.o.valid.eq(~is_mean | divider.o.valid),
                ]
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += index.eq(index + 1)
                    m.next = "READ"
                    with m.If(self.o.p.last):
                        m.next = "IDLE"

        return m

    def _look_up(self, index):
        """Where a feature's accumulator and count are, and whether it is a mean."""
        addresses = [self._address(s, s.accumulator, EntryWord.LAST) for s in self._sources]
        count_addresses = [self._address(s, s.count or s.accumulator, EntryWord.FIRST) for s in self._sources]
        address, count_address = Array(addresses)[index], Array(count_addresses)[index]
        is_mean = Array(C(s.statistic == "mean", 1) for s in self._sources)[index]
        return address, count_address, is_mean

    def _address(self, source: FeatureSource, accumulator: Accumulator | None, time: EntryWord) -> int:
        """Of an accumulator's word in the record, or of a time when there is none."""
        if accumulator is None:
            return time - EntryWord.STATE
        block = self._layout.response if source.response else EntryWord.FORWARD
        return block - EntryWord.STATE + self._layout.slots[accumulator].word

    def _value(self, index, total, count):
        """What is no mean: what was read, or how far it lies behind the first time."""
        durations = [number for number, source in enumerate(self._sources) if source.statistic == "duration"]
        if not durations:
            return total
        bits = self._sources[durations[0]].bits
        span = (total - count)[:WORD_BITS]
        held = Mux(span[bits:].any(), (1 << bits) - 1, span[:bits])
        return Mux(Array(C(number in durations, 1) for number in range(len(self._sources)))[index], held, total)

    def _select(self, m, index, read, word, count):
        """Takes accumulator and count out of the word that was read."""
        with m.Switch(index):
            for number, source in enumerate(self._sources):
                with m.Case(number):
                    if source.accumulator is None:
                        m.d.comb += [word.eq(read), count.eq(read)]
                        continue
                    slot = self._layout.slots[source.accumulator]
                    taken = read[slot.shift : slot.shift + slot.width]
                    m.d.comb += word.eq(taken.any() if source.statistic == "any" else taken)
                    if source.count is not None:
                        slot = self._layout.slots[source.count]
                        m.d.comb += count.eq(read[slot.shift : slot.shift + COUNT_BITS])
