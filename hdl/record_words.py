"""RecordWords: whole records, word by word."""

from amaranth.hdl import Array, C, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.entry_layout import StateBit
from hdl.entry_records import record_shape
from hdl.flow_table_parameters import FlowTableParameters
from hdl.item import framed

__all__ = ["RecordWords"]

_GROUP = 8


class RecordWords(wiring.Component):
    """Takes a record when its last word is under way.

    Of a flow of one packet there is but the first word, unless the table keeps such records whole.

    **Throughput**: a word a clock. **Latency**: 2 cycles.

    Parameters
    ----------
    parameters: of the table

    Attributes
    ----------
    i: records
    o: their words
    busy: there is something of a record
    """

    def __init__(self, *, parameters: FlowTableParameters):
        self._parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(record_shape(parameters.layout))),
                "o": Out(stream.Signature(framed(32))),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        count = self._parameters.layout.record_words
        word, goes_on = Signal(range(count)), Signal()
        single = C(0) if self._parameters.whole_singles else ~self.i.p[0][StateBit.MANY]
        first = word == 0
        last = (word == count - 1) | (first & single)

        # A word is chosen in two steps: of every group one, then a group.
        groups = [[self.i.p[n] for n in range(at, min(at + _GROUP, count))] for at in range(0, count, _GROUP)]
        chosen = [Signal(32, name=f"chosen_{number}", reset_less=True) for number in range(len(groups))]
        data = Signal(32, reset_less=True)
        there, group, is_first, is_last = Signal(), Signal(range(len(groups))), Signal(), Signal()
        m.d.comb += [
            goes_on.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(goes_on & last),
            self.o.p.data.eq(data),
            self.busy.eq(self.i.valid | there | self.o.valid),
        ]
        with m.If(goes_on):
            m.d.sync += [one.eq(Array(words)[word % _GROUP]) for one, words in zip(chosen, groups, strict=True)]
            m.d.sync += [there.eq(self.i.valid), group.eq(word // _GROUP), is_first.eq(first), is_last.eq(last)]
            m.d.sync += [
                self.o.valid.eq(there),
                data.eq(Array(chosen)[group]),
                self.o.p.first.eq(is_first),
                self.o.p.last.eq(is_last),
            ]
            with m.If(self.i.valid):
                m.d.sync += word.eq(Mux(last, 0, word + 1))

        return m
