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
from hdl.variance import Variance
from hdl.wait_states import WaitStates

__all__ = ["FeatureExtractor", "FeatureSource"]


_STATISTICS = ("value", "any", "mean", "variance", "duration")


@dataclass(frozen=True)
class FeatureSource:
    """How a feature is made from accumulators.

    Parameters
    ----------
    statistic: ``value`` of the accumulator, ``any`` (whether it is above 0), ``mean`` (divided by ``count``),
        ``variance`` (of those that it is the sum of), or ``duration`` (milliseconds from the first packet to the last);
        the last two are no more than the bits hold
    accumulator: what is read, in the forward or the response direction; None for the duration
    count: the number of parts of a mean or a variance
    squares: the sum of the squares of those of a variance
    bits: width of the feature
    """

    statistic: Literal["value", "any", "mean", "variance", "duration"]
    accumulator: Accumulator | None
    response: bool
    bits: int
    count: Accumulator | None = None
    squares: Accumulator | None = None


class FeatureExtractor(wiring.Component):
    """Reads accumulators one after another and puts out the features.

    **Latency**: 3 cycles a feature, 23 a mean with 2 bits of fraction, 198 a variance.

    Parameters
    ----------
    sources: one per feature, in the order of the forest's input
    fraction: bits behind the point of every mean
    layout: of the record
    registered: what is read of the record follows by two clocks

    Attributes
    ----------
    start: begin with the record that ``record`` reads
    record: read port on it
    o: the features, one after the other
    """

    def __init__(
        self, *, sources: tuple[FeatureSource, ...], fraction: int, layout: EntryLayout, registered: bool = False
    ):
        if not sources:
            raise ValueError("A forest must have at least one feature")
        for source in sources:
            if source.statistic not in _STATISTICS:
                raise ValueError(f"Statistic must be one of {', '.join(_STATISTICS)}, not {source.statistic!r}")
            for accumulator in (source.accumulator, source.count, source.squares):
                if accumulator is not None and accumulator not in layout.slots:
                    raise ValueError(f"A feature must be made from what the entry keeps, not {accumulator}")
        self.sources, self._fraction, self._layout, self._registered = sources, fraction, layout, registered
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
        index = Signal(range(len(self.sources)))
        address, count_address, is_mean = self._look_up(index)

        word, counted, count, total = Signal(32), Signal(32), Signal(32), Signal(32)
        self._select(m, index, self.record.data, word, counted)
        m.d["sync" if self._registered else "comb"] += count.eq(counted)
        waits = WaitStates(m, registered=self._registered)
        variances = _Variances(m, self, index, total, count) if self._has_variances else None
        is_calculated = is_mean if variances is None else is_mean | variances.asked
        m.d.comb += [
            self.record.address.eq(address),
            divider.i.p.total.eq(total),
            divider.i.p.count.eq(count),
            divider.o.ready.eq(self.o.ready),
            self.o.p.value.eq(self._value(index, total, count)),
            self.o.p.last.eq(index == len(self.sources) - 1),
        ]
        with m.If(is_mean):
            m.d.comb += self.o.p.value.eq(divider.o.payload)

        def ask_count():
            m.d.comb += self.record.address.eq(count_address)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += index.eq(0)
                with m.If(self.start):
                    m.next = "READ"
            with m.State("READ"):
                m.next = waits.before("VALUE")
                if variances is not None:
                    variances.begin(waits)
            if variances is not None:
                variances.read(waits)
            with m.State("VALUE"):
                m.d.sync += total.eq(word)
                ask_count()
                # One clock for the memory, one for the register of the count.
                m.next = waits.before("PUT", 2, ask_count)
            with m.State("PUT"):
                m.d.comb += [
                    self.record.address.eq(count_address),
                    divider.i.valid.eq(is_mean),
                    self.o.valid.eq(~is_calculated | (is_mean & divider.o.valid)),
                ]
                if variances is not None:
                    variances.put()
                with m.If(self.o.valid & self.o.ready):
                    m.d.sync += index.eq(index + 1)
                    m.next = "READ"
                    with m.If(self.o.p.last):
                        m.next = "IDLE"
            waits.add()

        return m

    @property
    def _has_variances(self) -> bool:
        return any(source.statistic == "variance" for source in self.sources)

    def _look_up(self, index):
        """Where a feature's accumulator and count are, and whether it is a mean."""
        addresses = [self.address_of(s, s.accumulator, EntryWord.LAST) for s in self.sources]
        count_addresses = [self.address_of(s, s.count or s.accumulator, EntryWord.FIRST) for s in self.sources]
        address, count_address = Array(addresses)[index], Array(count_addresses)[index]
        is_mean = Array(C(s.statistic == "mean", 1) for s in self.sources)[index]
        return address, count_address, is_mean

    def address_of(self, source: FeatureSource, accumulator: Accumulator | None, time: EntryWord) -> int:
        """Of an accumulator's word in the record, or of a time when there is none."""
        if accumulator is None:
            return time - EntryWord.STATE
        block = self._layout.response if source.response else EntryWord.FORWARD
        return block - EntryWord.STATE + self._layout.slots[accumulator].word

    def _value(self, index, total, count):
        """What is no mean: what was read, or how far it lies behind the first time."""
        durations = [number for number, source in enumerate(self.sources) if source.statistic == "duration"]
        if not durations:
            return total
        bits = self.sources[durations[0]].bits
        span = (total - count)[:WORD_BITS]
        held = Mux(span[bits:].any(), (1 << bits) - 1, span[:bits])
        return Mux(Array(C(number in durations, 1) for number in range(len(self.sources)))[index], held, total)

    def _select(self, m, index, read, word, count):
        """Takes accumulator and count out of the word that was read."""
        with m.Switch(index):
            for number, source in enumerate(self.sources):
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


class _Variances:
    """The features that are variances: the sum of squares has two words, and is read before the rest."""

    def __init__(self, m, extractor, index, total, count):
        self.m, self._extractor = m, extractor
        sources = extractor.sources
        numbers = [number for number, source in enumerate(sources) if source.statistic == "variance"]
        m.submodules.variance = self._variance = variance = Variance(bits=sources[numbers[0]].bits)
        self.asked, self._address = Signal(), Signal.like(extractor.record.address)
        with m.Switch(index):
            for number in numbers:
                address = extractor.address_of(sources[number], sources[number].squares, EntryWord.LAST)
                with m.Case(number):
                    m.d.comb += [self.asked.eq(1), self._address.eq(address)]
        self._squares = Signal(2 * WORD_BITS)
        m.d.comb += [
            variance.i.p.squares.eq(self._squares),
            variance.i.p.total.eq(total),
            variance.i.p.count.eq(count),
            variance.o.ready.eq(extractor.o.ready),
        ]

    def begin(self, waits):
        with self.m.If(self.asked):
            self.m.d.comb += self._extractor.record.address.eq(self._address)
            self.m.next = waits.before("SQUARES")

    def read(self, waits):
        m, record = self.m, self._extractor.record
        with m.State("SQUARES"):
            m.d.sync += self._squares[:WORD_BITS].eq(record.data)
            m.d.comb += record.address.eq(self._address + 1)
            m.next = waits.before("SQUARES_HIGH")
        with m.State("SQUARES_HIGH"):
            m.d.sync += self._squares[WORD_BITS:].eq(record.data)
            m.next = waits.before("VALUE")

    def put(self):
        m, o, variance = self.m, self._extractor.o, self._variance
        with m.If(self.asked):
            m.d.comb += [variance.i.valid.eq(1), o.valid.eq(variance.o.valid), o.p.value.eq(variance.o.payload)]
