"""Exporter: runs IPFIX programs, a message for every record, templates and counters in between."""

from dataclasses import dataclass

from amaranth.hdl import C, Cat, Module, Mux, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hdl.classifier import Classification
from hdl.entry_layout import EntryLayout, StateBit
from hdl.ipfix import MAX_RECORD_WORDS, Live, Message, Opcode
from hdl.item import framed
from hdl.record_buffer import record_port_signature
from hdl.wait_states import WaitStates

__all__ = ["Exporter", "ExporterParameters"]

EPOCH_BITS = 42
"""Milliseconds since 1970 until the year 2109."""


@dataclass(frozen=True)
class ExporterParameters:
    """Messages and how often those without flow records are repeated.

    Parameters
    ----------
    templates, counters, ipv4, ipv6: messages
    live_forest: messages tell the forest in use, which can change
    records_between, ticks_between: templates and counters are sent again after so many records or ticks
    """

    templates: Message
    counters: Message
    ipv4: Message
    ipv6: Message
    live_forest: bool = False
    records_between: int = 64
    ticks_between: int = 600


@dataclass(frozen=True)
class _Agenda:
    """What is to be sent besides records."""

    due: Signal
    waiting: Signal
    """An announcement was asked for; it waits until no record is left."""
    quiet: Signal
    records: Signal
    ticks: Signal


@dataclass(frozen=True)
class _Progress:
    """How far the program has run, and what the message under way says."""

    at: Signal
    step: data.View
    first: Signal
    is_data: Signal
    sequence: Signal
    seconds: Signal
    fill: Signal


class Exporter(wiring.Component):
    """Sends the classified record that it is shown, and announces itself.

    Templates and counters go out each time the probe has been set up, after so many records or ticks, and when
    ``announce`` was high and no record is left to send; so the counters after a flush hold everything before it.

    **Throughput**: a byte in 4 cycles, or in 9 with ``registered``.

    Parameters
    ----------
    parameters: what it sends
    layout: of records
    registered: what is read of the record follows by three clocks, and nothing is computed right behind a memory

    Attributes
    ----------
    enabled: epoch and export time are known
    epoch_ms: of the time stamps, in milliseconds since 1970
    seconds: export time, in seconds since 1970
    fill: entries of the flow table in use
    forest_id, monitor_only: of the forest in use, where that can change; hold while ``busy``
    quiet: no record is waiting
    announce, tick: pulses
    busy: there is something to send
    i: what is said about the record; taken when its message has been sent
    record: read port on it
    snapshot, snapshot_done, counter_address, counter_data: see :class:`hdl.counter_bank.CounterBank`
    o: messages, framed bytes
    """

    def __init__(self, *, parameters: ExporterParameters, layout: EntryLayout, registered: bool = False):
        if layout.record_words > MAX_RECORD_WORDS:
            raise ValueError(f"A record must have at most {MAX_RECORD_WORDS} words, not {layout.record_words}")
        self._parameters, self._registered = parameters, registered
        self._domain = "sync" if registered else "comb"
        messages = (parameters.templates, parameters.counters, parameters.ipv4, parameters.ipv6)
        self._starts = [sum(len(message) for message in messages[:n]) for n in range(len(messages))]
        self._steps = [step for message in messages for step in message]
        forest = {"forest_id": In(32), "monitor_only": In(1), "busy": Out(1)} if parameters.live_forest else {}
        super().__init__(
            {
                "enabled": In(1),
                "epoch_ms": In(EPOCH_BITS),
                "seconds": In(32),
                "fill": In(16),
                "quiet": In(1),
                "announce": In(1),
                "tick": In(1),
                "i": In(stream.Signature(Classification)),
                "record": Out(record_port_signature(layout)),
                "snapshot": Out(1),
                "snapshot_done": In(1),
                "counter_address": Out(7),
                "counter_data": In(16),
                "o": Out(stream.Signature(framed(8))),
            }
            | forest
        )

    def elaborate(self, platform):
        m = Module()
        p = self._parameters
        at = Signal(range(len(self._steps)))
        step = self._program(m, at)
        quiet = Signal()
        m.d[self._domain] += quiet.eq(self.quiet)

        due, waiting = Signal(init=1), Signal()
        records, ticks = Signal(range(p.records_between + 1)), Signal(range(p.ticks_between + 1))
        sequence, seconds, fill = Signal(32), Signal(32), Signal(16)
        first, is_data = Signal(), Signal()

        with m.If(self.announce):
            m.d.sync += waiting.eq(1)
        with m.If(self.tick):
            m.d.sync += ticks.eq(ticks + 1)
        # Whoever sets the probe up, for the first time or again, is told at once what it sends.
        with m.If(~self.enabled | (ticks == p.ticks_between) | (records == p.records_between)):
            m.d.sync += due.eq(1)

        agenda = _Agenda(due, waiting, quiet, records, ticks)
        progress = _Progress(at, step, first, is_data, sequence, seconds, fill)
        self._waits = WaitStates(m, registered=self._registered)
        # Outside of all states: registers on the way follow in every clock.
        byte = self._byte(m, progress)
        with m.FSM() as fsm:
            self._start(m, agenda, progress)
            self._send(m, progress, byte)
            self._waits.add()
        if p.live_forest:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | due | waiting | self.i.valid)

        return m

    def _program(self, m, at):
        """The step at a place, from a memory for each half, so that of either one block RAM of an ECP5 is enough."""
        step = Signal(data.StructLayout({"operand": 8, "opcode": Opcode, "last": 1}))
        operands = [step.operand for step in self._steps]
        rest = [step.opcode | step.last << Shape.cast(Opcode).width for step in self._steps]
        for name, bits, init in (("operands", step.operand, operands), ("opcodes", Cat(step.opcode, step.last), rest)):
            m.submodules[name] = memory = Memory(shape=len(bits), depth=len(init), init=init)
            read = memory.read_port()
            m.d.comb += read.addr.eq(at)
            m.d[self._domain] += bits.eq(read.data)
        return step

    def _start(self, m, agenda, progress):
        """Chooses the next message: templates with the counters behind them, or a record's."""
        at, first, is_data = progress.at, progress.first, progress.is_data
        waiting, records = agenda.waiting, agenda.records
        with m.State("IDLE"):
            m.d.sync += [first.eq(1), is_data.eq(0)]
            with m.If(self.enabled & (agenda.due | (waiting & agenda.quiet))):
                m.d.sync += [agenda.due.eq(0), agenda.ticks.eq(0), records.eq(0), at.eq(self._starts[0])]
                # What was asked for waits on: these counters lack the records that are left.
                m.d.sync += waiting.eq((waiting | self.announce) & ~agenda.quiet)
                m.next = "FETCH"
            with m.Elif(self.enabled & self.i.valid):
                m.d[self._domain] += self.record.address.eq(0)
                m.next = self._waits.before("START_DATA", 2)
        with m.State("SNAPSHOT"):
            m.d.comb += self.snapshot.eq(1)
            m.d.sync += [first.eq(1), is_data.eq(1), at.eq(self._starts[1])]
            with m.If(self.snapshot_done):
                m.next = "FETCH"
        with m.State("START_DATA"):
            m.d.sync += at.eq(Mux(self.record.data[StateBit.IPV6], self._starts[3], self._starts[2]))
            m.d.sync += [records.eq(records + 1), is_data.eq(1)]
            m.next = "FETCH"

    def _send(self, m, progress, byte):
        """Sends the message, a byte a step."""
        at, step, first = progress.at, progress.step, progress.first
        with m.State("FETCH"):
            # All bytes of a value are of one moment.
            with m.If(first):
                m.d.sync += [progress.seconds.eq(self.seconds), progress.fill.eq(self.fill)]
            m.next = self._waits.before("STEP")
        with m.State("STEP"):
            self._address(m, step)
            # A clock each for the address, the memory, the sum, and the bytes that the step's may be.
            m.next = self._waits.before("SELECT", 4, lambda: self._address(m, step))
        with m.State("SELECT"):
            self._address(m, step)
            m.d.sync += self.o.p.data.eq(byte)
            m.next = "SEND"
        with m.State("SEND"):
            m.d.comb += [
                self.o.valid.eq(1),
                self.o.p.first.eq(first),
                self.o.p.last.eq(step.last),
            ]
            with m.If(self.o.ready):
                m.d.sync += first.eq(0)
                m.next = "FETCH"
                with m.If(~step.last):
                    # Behind the last message there is nothing to read.
                    m.d.sync += at.eq(at + 1)
                with m.Else():
                    m.d.sync += progress.sequence.eq(progress.sequence + progress.is_data)
                    m.next = "IDLE"
                    with m.If(at == self._starts[1] - 1):
                        m.next = "SNAPSHOT"
                    with m.Elif(at >= self._starts[2]):
                        m.d.comb += self.i.ready.eq(1)

    def _address(self, m, step):
        """Asks for the word that the byte of this step lies in."""
        word = Mux(step.opcode == Opcode.TIME, step.operand[3:], step.operand[2:])
        m.d[self._domain] += self.record.address.eq(word)
        m.d.comb += self.counter_address.eq(step.operand[1:])

    def _byte(self, m, progress):
        step, said = progress.step, self.i.p
        live = {
            Live.SECONDS: progress.seconds,
            Live.SEQUENCE: progress.sequence,
            Live.SCORE: said.score,
            Live.VERDICT: said.verdict,
            Live.REASON: said.reason,
            Live.DIRECTION: said.syn,
            Live.FILL: progress.fill,
        }
        if self._parameters.live_forest:
            live |= {Live.FOREST: self.forest_id, Live.MONITOR_ONLY: self.monitor_only}
        domain = m.d[self._domain]
        absolute = Signal(EPOCH_BITS + 1)
        domain += absolute.eq(self.epoch_ms + self.record.data)
        of_live = Signal(8)
        for number, value in live.items():
            of_value = Signal(8, name=f"of_{number.name.lower()}")
            with m.Switch(step.operand[:2]):
                for index in range(number.size):
                    with m.Case(index):
                        domain += of_value.eq(value >> 8 * index)
            with m.If(step.operand[2:] == number):
                domain += of_live.eq(of_value)
        sources = {
            Opcode.RECORD: self.record.data.word_select(step.operand[:2], 8),
            Opcode.TIME: Cat(absolute, C(0, 64)).word_select(step.operand[:3], 8),
            Opcode.COUNTER: self.counter_data.word_select(step.operand[0], 8),
        }
        choices = {Opcode.LITERAL: step.operand, Opcode.LIVE: of_live}
        for opcode, value in sources.items():
            choices[opcode] = Signal(8, name=f"of_{opcode.name.lower()}")
            domain += choices[opcode].eq(value)
        byte = Signal(8)
        with m.Switch(step.opcode):
            for opcode, value in choices.items():
                with m.Case(opcode):
                    m.d.comb += byte.eq(value)
        return byte
