"""IdentityLanes and PipelinedFlowTable against sim.flow_table: the same records in the same order."""

import itertools
import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout
from hdl.flow_table_parameters import FlowTableParameters
from hdl.identity_lanes import IdentityLanes
from hdl.item import FrameOutcome, ItemKind
from hdl.packet import ParsedItem
from hdl.pipelined_table import PipelinedFlowTable
from sim.headers import decode_frame
from sim.record_words import flow_from_words
from sim.testbench import Stalls, simulate, stream_get, stream_put
from tests.hdl.table_events import KEY, PORTS, model_records, random_items

TIMEOUTS = {"idle_ms": 1000, "active_ms": 4000, "linger_ms": 300}


class LanesAndTable(wiring.Component):
    """The two together, with the ports of both ends."""

    def __init__(self, parameters, lanes):
        self.lanes = IdentityLanes(lanes=lanes, pseudonyms=parameters.layout.anonymised)
        self.table = PipelinedFlowTable(parameters=parameters)
        super().__init__({"i": self.lanes.signature.members["i"], "o": self.table.signature.members["o"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.lanes, m.submodules.table = self.lanes, self.table
        wiring.connect(m, self.lanes.i, wiring.flipped(self.i))
        wiring.connect(m, self.table.o, wiring.flipped(self.o))
        wiring.connect(m, self.lanes.o, self.table.i)
        m.d.comb += self.lanes.key.eq(KEY)
        return m


def parsed(item, ports):
    """An item as a parser gives it, as an integer; what it need not give is noise."""
    noise = random.Random(item.to_bytes())
    words = {"time": item.time_ms, "ports": 0, "sizes": 0, "marks": 0}
    words |= {side: [noise.getrandbits(32) for _ in range(4)] for side in ("source", "destination")}
    descriptor = {"bad": 0, "kind": item.kind, "outcome": noise.getrandbits(4), "ipv6": noise.getrandbits(1)}
    if item.kind is ItemKind.FRAME:
        outcome, packet = decode_frame(item.body, item.wire_length, None if ports is None else frozenset(ports))
        descriptor["outcome"] = outcome
        if outcome is FrameOutcome.USED:
            descriptor["ipv6"] = packet.version == 6
            words["ports"] = packet.source_port << 16 | packet.destination_port
            words["sizes"] = packet.length << 16 | packet.window
            words["marks"] = packet.ttl << 8 | packet.flags
            for side, address in (("source", packet.source), ("destination", packet.destination)):
                count = 4 if packet.version == 6 else 1
                words[side][:count] = [address >> 32 * (count - 1 - n) & 0xFFFFFFFF for n in range(count)]
    return ParsedItem.const({"descriptor": descriptor, "words": words})


def circuit_records(items, parameters, count, *, lanes, seed=0, engine="amaranth"):
    dut = LanesAndTable(parameters, lanes)
    records = []

    async def feed(ctx):
        await stream_put(ctx, dut.i, (parsed(item, parameters.ports) for item in items), Stalls(seed, 0.2))

    async def collect(ctx):
        stalls = Stalls(seed + 1, 0.1)
        while len(records) < count:
            payload = await stream_get(ctx, dut.o, stalls)
            words = [payload[n] for n in range(parameters.layout.record_words)]
            records.append(flow_from_words(words, parameters.layout))

    simulate(dut, feed, collect, limit_cycles=200 * len(items) + 40 * count + 5000, engine=engine)
    return records


@pytest.mark.parametrize(
    ("sets", "ways", "ports", "first_seen", "names", "lanes"),
    [
        (2, 2, PORTS, False, UNIVERSAL, 1),
        (1, 4, PORTS, False, ("maxpl", "rspl"), 3),
        (4, 1, (25, 1000), False, UNIVERSAL, 2),
        (2, 2, None, True, tuple(CATALOGUE), 2),
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_circuit_equals_model(sets, ways, ports, first_seen, names, lanes, seed):
    layout = EntryLayout(accumulators_of(names))
    parameters = FlowTableParameters(
        sets=sets, ways=ways, layout=layout, ports=ports, first_seen=first_seen, **TIMEOUTS
    )
    items = list(random_items(random.Random(seed), 1000))
    expected = model_records(items, parameters, "first" if first_seen else "initiator")
    assert len({record.end_reason for record in expected}) >= 3
    assert circuit_records(items, parameters, len(expected), lanes=lanes, seed=seed) == expected


@pytest.mark.parametrize(("early", "anonymised"), [(0, True), (2, False), (3, True)])
def test_early_records_and_pseudonyms(early, anonymised):
    layout = EntryLayout(accumulators_of(("maxpl", "spl2", "slas")), anonymised=anonymised)
    parameters = FlowTableParameters(sets=2, ways=2, layout=layout, ports=PORTS, early=early, **TIMEOUTS)
    items = list(random_items(random.Random(early), 1000))
    expected = model_records(items, parameters)
    assert {record.packets for record in expected if record.early} == ({early} if early else set())
    assert circuit_records(items, parameters, len(expected), lanes=2, seed=early) == expected


@pytest.mark.parametrize("ways", [2, 4])
def test_cycles_that_are_stated(ways):
    layout = EntryLayout(accumulators_of(UNIVERSAL))
    dut = PipelinedFlowTable(parameters=FlowTableParameters(sets=8, ways=ways, layout=layout, whole_singles=False))
    rng = random.Random(ways)
    frame = {"bad": 0, "kind": ItemKind.FRAME, "outcome": FrameOutcome.USED, "ipv6": 0}
    unused, flush = {**frame, "outcome": FrameOutcome.NOT_IP}, {**frame, "kind": ItemKind.FLUSH}
    kinds = [frame] * 60 + [unused] * 20 + [flush] * 2
    taken = []

    async def feed(ctx):
        ctx.set(dut.o.ready, 1)
        await ctx.tick().until(dut.ready)
        ctx.set(dut.i.valid, 1)
        clock = 0
        for kind in kinds:
            words = {"time": 1, "ports": rng.getrandbits(32), "sizes": 60 << 16, "marks": 0x4010}
            ctx.set(dut.i.p, {"descriptor": kind, "words": words, "identity": rng.getrandbits(64)})
            while not ctx.get(dut.i.ready):
                await ctx.tick()
                clock += 1
            await ctx.tick()
            clock += 1
            taken.append(clock)

    simulate(dut, feed, limit_cycles=100 * len(kinds))
    clocks = [later - earlier for earlier, later in itertools.pairwise(taken)]
    assert set(clocks[:59]) == {8 + ways}
    assert set(clocks[60:79]) == {8}
    assert clocks[80] == 8 * 8 * ways + 8
