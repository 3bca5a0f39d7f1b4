"""How many clocks an item takes at worst: what FlowTable.interval says, alone and with the probe around it."""

import itertools
import random
import warnings
from dataclasses import replace

import pytest
from amaranth.hdl import UnusedElaboratable
from amaranth.sim import SimulatorContext

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout
from hdl.flow_table import FlowTable, FlowTableParameters
from hdl.item import ItemKind
from hdl.probe import Probe
from sim.items import Item, setup_item
from sim.made_frames import tcp_frame
from sim.testbench import frames_to_payloads, simulate, stream_put
from tests.forests import grown_forest
from tests.hdl.table_events import model_records
from tests.hdl.test_flow_table import ParserAndTable, circuit_records
from tests.hdl.test_probe import EPOCH_MS, KEY, probe_of

_NAMES = (UNIVERSAL, tuple(CATALOGUE))
_SYN, _ACK = 0x02, 0x10

FRAME_CLOCKS = 161
"""A frame of 64 bytes, preamble and gap, at 100 Mb/s and 24 MHz."""


def _packet(sender: int, time_ms: int, *, size: int = 4, flags: int = _ACK, to_itself: bool = False) -> Item:
    """A frame as short as can be, of a flow of its own for every sender."""
    receiver = b"\x7f" * size
    source = receiver if to_itself else random.Random(sender).randbytes(size)
    frame, wire_length = tcp_frame(
        source=source, destination=receiver, source_port=1024 + sender, destination_port=25, flags=flags
    )
    return Item(ItemKind.FRAME, time_ms, wire_length, frame + bytes(max(0, 60 - len(frame))))


def _flood(count: int, *, packets: int, size: int, to_itself: bool = False) -> list[Item]:
    """New flows all the time, each of so many packets when the next one comes."""
    return [
        _packet(sender, 0, size=size, flags=_ACK if number else _SYN, to_itself=to_itself)
        for sender in range(count)
        for number in range(packets)
    ]


def _swept(size: int) -> list[Item]:
    """The last item takes the last way, which is free, and the sweep meets a flow that has timed out just then."""
    flows = [_packet(sender, 0, size=size) for sender in range(3) for _ in range(2)]
    flows += [_packet(sender, 500, size=size) for sender in range(2)]
    return [*flows, Item(ItemKind.TICK, 500), Item(ItemKind.TICK, 500), _packet(3, 1000, size=size, to_itself=True)]


def _parameters(names: tuple[str, ...], **changes) -> FlowTableParameters:
    layout = EntryLayout(accumulators_of(names))
    parameters = FlowTableParameters(sets=1, ways=4, layout=layout, idle_ms=1000, active_ms=4000, linger_ms=300)
    return replace(parameters, **changes)


def interval_of(parameters: FlowTableParameters, *, ipv6: bool = False) -> int:
    with warnings.catch_warnings(action="ignore", category=UnusedElaboratable):
        return FlowTable(parameters=parameters).interval(ipv6=ipv6)


def _clocks(parameters: FlowTableParameters, items: list[Item]) -> list[int]:
    """For how many clocks each item is with the table."""
    dut, taken = ParserAndTable(parameters), [0]

    async def feed(ctx: SimulatorContext) -> None:
        await stream_put(ctx, dut.i, frames_to_payloads(item.to_bytes() for item in items))
        while len(taken) <= len(items):
            await ctx.tick()

    async def watch(ctx: SimulatorContext) -> None:
        ctx.set(dut.o.ready, 1)
        async for _, _, cleared, valid, ready in ctx.tick().sample(
            dut.table.ready, dut.table.i.valid, dut.table.i.ready
        ):
            taken[-1] += cleared & valid
            if ready:
                taken.append(0)

    simulate(dut, feed, background=[watch], limit_cycles=400 * len(items) + 5000)
    return taken[:-1]


@pytest.mark.parametrize("names", _NAMES)
@pytest.mark.parametrize("size", [4, 16])
@pytest.mark.parametrize("anonymised", [False, True])
def test_an_item_takes_at_worst_what_is_said(names, size, anonymised):
    layout = EntryLayout(accumulators_of(names), anonymised=anonymised)
    parameters = _parameters(names, layout=layout, whole_singles=False)
    assert model_records(_swept(size), parameters)[0].packets == 2
    clocks = [_clocks(parameters, _swept(size))[-1]]
    clocks += [max(_clocks(parameters, _flood(8, packets=n, size=size, to_itself=True))) for n in (1, 2)]
    assert max(clocks) == interval_of(parameters, ipv6=size == 16)


def test_a_shortest_frame_is_done_before_the_next():
    assert interval_of(_parameters(UNIVERSAL, whole_singles=False)) == 132
    assert interval_of(_parameters(tuple(CATALOGUE))) == 152 <= FRAME_CLOCKS
    anonymised = EntryLayout(accumulators_of(UNIVERSAL), anonymised=True)
    assert interval_of(_parameters(UNIVERSAL, layout=anonymised, whole_singles=False)) == 147 <= FRAME_CLOCKS
    # With all the catalogue in it, an entry of pseudonyms takes a little longer.
    anonymised = EntryLayout(accumulators_of(tuple(CATALOGUE)), anonymised=True)
    assert interval_of(_parameters(UNIVERSAL, layout=anonymised, whole_singles=False)) == 168


def test_records_of_one_packet_need_not_leave_whole():
    items = [*_flood(8, packets=1, size=4), *_flood(12, packets=2, size=4), Item(ItemKind.FLUSH, 0)]
    parameters = _parameters(UNIVERSAL, whole_singles=False)
    expected = model_records(items, parameters)
    whole = [record for record in expected if record.packets > 1]
    assert 0 < len(whole) < len(expected)
    got = circuit_records(items, parameters, len(expected))
    assert [record for record in got if record is not None] == whole
    assert [record is None for record in got] == [record.packets == 1 for record in expected]
    singles = _clocks(parameters, _flood(12, packets=1, size=4))
    assert max(singles) == max(_clocks(_parameters(UNIVERSAL), _flood(12, packets=1, size=4))) - 28


@pytest.mark.parametrize("packets", [1, 2])
def test_the_whole_probe_keeps_up_with_shortest_frames(packets):
    """Each flow that comes makes another one leave, and the counters are announced meanwhile."""
    parameters = probe_of(grown_forest(names=UNIVERSAL), wait=False)
    parameters = replace(parameters, table=_parameters(UNIVERSAL, whole_singles=parameters.table.whole_singles))
    items = [setup_item(KEY, EPOCH_MS), *_flood(40 // packets, packets=packets, size=4)]
    dut, begins, clock = Probe(parameters=parameters), [], 0

    async def feed(ctx: SimulatorContext) -> None:
        await stream_put(ctx, dut.i, frames_to_payloads([items[0].to_bytes()]))
        while not ctx.get(dut.ready):
            await ctx.tick()
        begins.clear()
        await stream_put(ctx, dut.i, frames_to_payloads(item.to_bytes() for item in items[1:]))

    async def watch(ctx: SimulatorContext) -> None:
        nonlocal clock
        ctx.set(dut.o.ready, 1)
        async for _, _, taken in ctx.tick().sample(dut.i.valid & dut.i.ready & dut.i.p.first):
            clock += 1
            if taken:
                begins.append(clock)

    simulate(dut, feed, background=[watch], limit_cycles=50_000)
    intervals = [after - before for before, after in itertools.pairwise(begins)]
    assert len(intervals) == 40 // packets * packets - 1
    assert max(intervals) <= interval_of(parameters.table) + 1 <= FRAME_CLOCKS
