"""Exporter against the IpfixWriter, byte for byte, and when it announces itself."""

import random
from dataclasses import replace

import pytest

from compiler.export_fields import export_messages
from compiler.features import UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout
from hdl.exporter import Exporter
from hdl.tally import Counter
from sim.export_records import ExportedCounters, ExportedRecord, exported
from sim.ipfix_messages import Collector
from sim.ipfix_writer import IpfixWriter
from sim.record_words import flow_from_words, words_of_flow
from sim.testbench import Stalls, simulate
from tests.flow_records import FOREST, random_record

EPOCH_MS = 1_700_000_000_000
SECONDS = 1_700_000_123
FILL = 0x0102


class Surroundings:
    """What stands around an exporter: a queue of classified records, counters, somebody who takes the bytes."""

    def __init__(self, dut, layout, queue, counters, seed=0):
        self.dut, self.layout, self.queue, self.counters = dut, layout, queue, counters
        self.messages = []
        self._stalls = Stalls(seed, 0.2)

    async def records(self, ctx):
        dut = self.dut
        ctx.set(dut.quiet, 0 if self.queue else 1)
        for record in self.queue:
            words = words_of_flow(record.flow, self.layout)
            said = {
                "score": record.score,
                "verdict": record.verdict,
                "reason": record.reason,
                "packets": record.flow.packets,
                "syn": record.flow.syn,
            }
            ctx.set(dut.i.payload, said)
            ctx.set(dut.i.valid, 1)
            taken = False
            while not taken:
                address = ctx.get(dut.record.address)
                _, _, taken = await ctx.tick().sample(dut.i.ready)
                ctx.set(dut.record.data, words[address] if address < len(words) else 0)
            ctx.set(dut.i.valid, 0)
            # The buffer finds its first record gone before the exporter looks again.
            if record is self.queue[-1]:
                ctx.set(dut.quiet, 1)

    async def bank(self, ctx):
        dut = self.dut
        while True:
            address = ctx.get(dut.counter_address)
            snapshot = ctx.get(dut.snapshot)
            await ctx.tick()
            counter, limb = divmod(address, 4)
            known = counter in set(Counter)
            ctx.set(dut.counter_data, self.counters[Counter(counter)] >> 16 * limb & 0xFFFF if known else 0)
            ctx.set(dut.snapshot_done, snapshot and not ctx.get(dut.snapshot_done))

    async def collect(self, ctx):
        o, message = self.dut.o, bytearray()
        while True:
            ctx.set(o.ready, not self._stalls.now())
            _, _, payload, taken = await ctx.tick().sample(o.payload, o.valid & o.ready)
            if not taken:
                continue
            assert payload.first == (not message)
            message.append(payload.data)
            if payload.last:
                self.messages.append(bytes(message))
                message.clear()


def make(names, count, seed, *, loadable=False, **between):
    rng = random.Random(seed)
    layout = EntryLayout(accumulators_of(names))
    parameters = replace(
        export_messages(layout, forest_id=rng.getrandbits(32), build_id=rng.getrandbits(32), loadable=loadable),
        **between,
    )
    dut = Exporter(parameters=parameters, layout=layout)
    queue = [random_record(rng, layout) for _ in range(count)]
    counters = {counter: rng.getrandbits(64) for counter in Counter}
    return parameters, layout, Surroundings(dut, layout, queue, counters, seed)


async def set_up(ctx, dut):
    ctx.set(dut.epoch_ms, EPOCH_MS)
    ctx.set(dut.seconds, SECONDS)
    ctx.set(dut.fill, FILL)
    if "forest_id" in dut.signature.members:
        ctx.set(dut.forest_id, int(FOREST.id, 16))
        ctx.set(dut.monitor_only, FOREST.monitor_only)
    ctx.set(dut.enabled, 1)


@pytest.mark.parametrize(("names", "seed", "loadable"), [(UNIVERSAL, 0, False), (("maxpl", "rspl"), 1, True)])
def test_messages_are_those_of_the_writer(names, seed, loadable):
    parameters, layout, around = make(names, 7, seed, loadable=loadable, records_between=3)
    writer = IpfixWriter(parameters, layout, EPOCH_MS)
    writer.tick(SECONDS)
    expected = list(writer.announcement(around.counters, FILL, FOREST))
    for record in around.queue:
        expected.append(writer.record(record))
        if writer.due:
            expected += writer.announcement(around.counters, FILL, FOREST)

    async def run(ctx):
        await set_up(ctx, around.dut)
        while len(around.messages) < len(expected):
            await ctx.tick().repeat(100)
        await ctx.tick().repeat(4_000)

    simulate(around.dut, run, background=[around.records, around.bank, around.collect], limit_cycles=80_000)
    assert around.messages == expected

    collector = Collector()
    said = [exported(record) for message in around.messages for record in collector.read(message).records]
    assert sum(isinstance(entry, ExportedCounters) for entry in said) == 3
    flows = [entry for entry in said if isinstance(entry, ExportedRecord)]
    for record, flow in zip(around.queue, flows, strict=True):
        assert (flow.initiator, flow.responder) == (record.flow.initiator, record.flow.responder)
        assert (flow.forward, flow.response) == (record.flow.forward, record.flow.response)
        assert (flow.first_ms, flow.last_ms) == (
            EPOCH_MS + record.flow.first_ms,
            EPOCH_MS + record.flow.last_ms,
        )
        assert (flow.score, flow.verdict, flow.reason) == (record.score, record.verdict, record.reason)


def kinds(messages, parameters):
    lengths = {len(parameters.templates): "templates", len(parameters.counters): "counters"}
    return [lengths.get(len(message), "record") for message in messages]


@pytest.mark.parametrize("records_between", [1, 2, 3])
def test_counters_after_a_flush_come_last(records_between):
    """Also when an announcement was due while its records were still waiting."""
    parameters, _, around = make(("maxpl", "rspl"), 4, 5, records_between=records_between)
    dut = around.dut

    async def run(ctx):
        await set_up(ctx, dut)
        while len(around.messages) < 3:
            await ctx.tick()
        ctx.set(dut.announce, 1)
        await ctx.tick()
        ctx.set(dut.announce, 0)
        silent = 0
        while silent < 40:
            before = len(around.messages)
            await ctx.tick().repeat(100)
            silent = silent + 1 if len(around.messages) == before else 0

    simulate(dut, run, background=[around.records, around.bank, around.collect], limit_cycles=60_000)
    order = kinds(around.messages, parameters)
    assert order.count("record") == 4
    assert order[-2:] == ["templates", "counters"]


def test_announces_itself_after_ticks_and_never_before_it_is_enabled():
    parameters, _, around = make(("maxpl", "rspl"), 0, 6, ticks_between=3)
    dut = around.dut

    async def run(ctx):
        ctx.set(dut.quiet, 1)
        await ctx.tick().repeat(200)
        assert not around.messages
        await set_up(ctx, dut)
        await ctx.tick().repeat(5_000)
        assert kinds(around.messages, parameters) == ["templates", "counters"]
        for _ in range(2):
            ctx.set(dut.tick, 1)
            await ctx.tick()
            ctx.set(dut.tick, 0)
            await ctx.tick().repeat(5_000)
            assert len(around.messages) == 2
        ctx.set(dut.tick, 1)
        await ctx.tick()
        ctx.set(dut.tick, 0)
        await ctx.tick().repeat(5_000)
        assert kinds(around.messages, parameters) == ["templates", "counters"] * 2

    simulate(dut, run, background=[around.bank, around.collect], limit_cycles=40_000)


def test_words_of_a_flow_and_back():
    rng = random.Random(9)
    layout = EntryLayout(accumulators_of(UNIVERSAL))
    for _ in range(50):
        flow = random_record(rng, layout).flow
        assert flow_from_words(words_of_flow(flow, layout), layout) == flow


def test_announces_itself_when_it_is_set_up_again():
    parameters, _, around = make(("maxpl", "rspl"), 3, 7)
    dut = around.dut

    async def run(ctx):
        await set_up(ctx, dut)
        while len(around.messages) < 3:
            await ctx.tick()
        ctx.set(dut.enabled, 0)
        await ctx.tick().repeat(30)
        ctx.set(dut.enabled, 1)
        while len(around.messages) < 7:
            await ctx.tick()

    simulate(dut, run, background=[around.records, around.bank, around.collect], limit_cycles=40_000)
    order = ["templates", "counters", "record", "record", "templates", "counters", "record"]
    assert kinds(around.messages, parameters) == order
