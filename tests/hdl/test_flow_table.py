"""HeaderParser and FlowTable against sim.flow_table: the same records in the same order."""

import functools
import random
from dataclasses import replace

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout
from hdl.flow_table import FlowTable, FlowTableParameters
from hdl.header_parser import HeaderParser
from hdl.item import ItemKind
from hdl.single_port_ram import SinglePortRam
from sim.flow_table import FlowTable as FlowTableModel
from sim.flow_table import TableParameters
from sim.headers import decode_frame
from sim.identity import pseudonym_of
from sim.items import Item
from sim.record_words import flow_from_words
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_get, stream_put
from tests.frames import tcp_frame

PORTS = (25,)
KEY = 0x0123456789ABCDEF


class ParserAndTable(wiring.Component):
    """The two together, with the ports of both ends."""

    def __init__(self, parameters):
        self.parser = HeaderParser(ports=parameters.ports)
        self.table = FlowTable(parameters=parameters)
        super().__init__({"i": self.parser.signature.members["i"], "o": self.table.signature.members["o"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.parser, m.submodules.table = self.parser, self.table
        wiring.connect(m, self.parser.i, wiring.flipped(self.i))
        wiring.connect(m, self.table.o, wiring.flipped(self.o))
        wiring.connect(m, self.parser.o, self.table.i)
        wiring.connect(m, self.parser.packet, self.table.packet)
        m.d.comb += self.table.key.eq(KEY)
        return m


def random_items(rng, count, *, hosts=3, step_ms=300):
    """Items of few hosts and ports, so that flows meet, close, time out and collide."""
    time = 0
    endpoints = [(rng.randbytes(4), port) for port in (25, 1000, 1001) for _ in range(hosts)]
    endpoints += [(rng.randbytes(16), port) for port in (25, 1000)]
    for _ in range(count):
        time = max(0, time + rng.choice((0, 0, 1, step_ms, 3 * step_ms, -step_ms)))
        if rng.random() < 0.1:
            yield Item(ItemKind.TICK, time)
            continue
        if rng.random() < 0.01:
            yield Item(ItemKind.FLUSH, time)
            continue
        source, destination = rng.choice(endpoints), rng.choice(endpoints)
        if len(source[0]) != len(destination[0]):
            continue
        flags = rng.choice((0x02, 0x02, 0x12, 0x12, 0x10, 0x18, 0x18, 0x10, 0x11, 0x11, 0x04, 0x14, 0x29))
        frame, wire_length = tcp_frame(
            source=source[0],
            destination=destination[0],
            source_port=source[1],
            destination_port=destination[1],
            flags=flags,
            window=rng.getrandbits(16),
            ttl=rng.getrandbits(8),
            payload=rng.choice((0, 5, 1400, 60000)),
        )
        yield Item(ItemKind.FRAME, time, wire_length, frame)
    yield Item(ItemKind.FLUSH, time)


def model_records(items, parameters, orientation="initiator"):
    model = FlowTableModel(
        TableParameters(
            sets=parameters.sets,
            ways=parameters.ways,
            idle_ms=parameters.idle_ms,
            active_ms=parameters.active_ms,
            linger_ms=parameters.linger_ms,
            ports=None if parameters.ports is None else frozenset(parameters.ports),
            orientation=orientation,
            accumulators=parameters.layout.accumulators,
            anonymised=parameters.layout.anonymised,
        ),
        KEY,
    )
    records = []
    for item in items:
        outcome, packet = None, None
        if item.kind is ItemKind.FRAME:
            outcome, packet = decode_frame(item.body, item.wire_length, model.parameters.ports)
        records += model.item(item.kind, item.time_ms, outcome, packet)
    return records


def circuit_records(items, parameters, count, *, seed=0):
    """What leaves the table; None is a record of which the first word alone came."""
    dut = ParserAndTable(parameters)
    records = []

    async def feed(ctx):
        frames = (item.to_bytes() for item in items)
        await stream_put(ctx, dut.i, frames_to_payloads(frames), Stalls(seed, 0.02))

    async def collect(ctx):
        stalls = Stalls(seed + 1, 0.1)
        words = []
        while len(records) < count:
            payload = await stream_get(ctx, dut.o, stalls)
            assert payload.first == (not words)
            words.append(payload.data)
            if payload.last:
                alone = len(words) == 1 and not parameters.whole_singles
                records.append(None if alone else flow_from_words(words, parameters.layout))
                words = []

    simulate(dut, feed, collect, limit_cycles=400 * len(items) + 40 * count + 5000)
    return records


@pytest.mark.parametrize(
    ("sets", "ways", "ports", "first_seen", "names"),
    [
        (2, 2, PORTS, False, UNIVERSAL),
        (1, 4, PORTS, False, ("maxpl", "rspl")),
        (4, 1, (25, 1000), False, UNIVERSAL),
        (2, 2, None, True, UNIVERSAL),
        (2, 2, PORTS, False, ("spl2", "rspl2")),
        (1, 2, PORTS, False, tuple(CATALOGUE)),
    ],
)
@pytest.mark.parametrize("seed", range(2))
def test_circuit_equals_model(sets, ways, ports, first_seen, names, seed):
    rng = random.Random(seed)
    parameters = FlowTableParameters(
        sets=sets,
        ways=ways,
        layout=EntryLayout(accumulators_of(names)),
        idle_ms=1000,
        active_ms=4000,
        linger_ms=300,
        ports=ports,
        first_seen=first_seen,
    )
    items = list(random_items(rng, 150))
    expected = model_records(items, parameters, "first" if first_seen else "initiator")
    assert len({record.end_reason for record in expected}) >= 3
    assert circuit_records(items, parameters, len(expected), seed=seed) == expected


@pytest.mark.parametrize(("sets", "ways", "names"), [(2, 2, UNIVERSAL), (4, 1, ("maxpl",)), (1, 4, ("spl2",))])
@pytest.mark.parametrize("whole_singles", [False, True])
def test_pseudonyms_in_place_of_addresses(sets, ways, names, whole_singles):
    rng = random.Random(sets)
    layout = EntryLayout(accumulators_of(names), anonymised=True)
    parameters = FlowTableParameters(
        sets=sets,
        ways=ways,
        layout=layout,
        idle_ms=1000,
        active_ms=4000,
        linger_ms=300,
        ports=PORTS,
        whole_singles=whole_singles,
    )
    items = list(random_items(rng, 150))
    expected = model_records(items, parameters)
    plain = model_records(items, replace(parameters, layout=EntryLayout(layout.accumulators)))
    assert [(r.initiator.port, r.initiator_high, r.forward) for r in expected] == [
        (r.initiator.port, r.initiator_high, r.forward) for r in plain
    ]
    addresses = {(r.version, r.initiator.address): p.initiator.address for r, p in zip(plain, expected, strict=True)}
    assert all(pseudonym_of(*address, KEY) == pseudonym for address, pseudonym in addresses.items())
    assert {version for version, _ in addresses} == {4, 6}
    got = circuit_records(items, parameters, len(expected), seed=1)
    assert got == [None if not whole_singles and record.packets == 1 else record for record in expected]


def test_memory_may_start_with_anything(monkeypatch):
    rng = random.Random(9)
    layout = EntryLayout(accumulators_of(("maxpl", "mintw")))
    parameters = FlowTableParameters(sets=2, ways=2, layout=layout, idle_ms=1000)
    noise = [rng.getrandbits(32) for _ in range(parameters.entries * parameters.layout.stride)]
    monkeypatch.setattr("hdl.flow_table.SinglePortRam", functools.partial(SinglePortRam, init=noise))
    items = list(random_items(rng, 60))
    expected = model_records(items, parameters)
    assert circuit_records(items, parameters, len(expected)) == expected
