"""EventCollector before a CounterBank: an event a clock from every source, and snapshots of one moment."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from hdl.counter_bank import CounterBank
from hdl.event_collector import EventCollector
from sim.testbench import simulate
from tests.hdl.test_counter_bank import read_snapshot

SOURCES = ({0: 1, 3: 1}, {1: 17, 4: 1}, {2: 17})
COUNTERS = 5


class Counted(wiring.Component):
    """The two together."""

    def __init__(self):
        self.collector = EventCollector(sources=SOURCES, counters=COUNTERS)
        bits = self.collector.amount_bits
        self.bank = CounterBank(counters=COUNTERS, sources=1, amount_bits=bits, in_logic=True)
        ports = {name: self.collector.signature.members[name] for name in ("i_0", "i_1", "i_2", "snapshot")}
        ports |= {name: self.bank.signature.members[name] for name in ("address", "data", "snapshot_done")}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        m.submodules.collector, m.submodules.bank = collector, bank = self.collector, self.bank
        for number in range(len(SOURCES)):
            connect(m, flipped(getattr(self, f"i_{number}")), getattr(collector, f"i_{number}"))
        connect(m, collector.o, bank.i_0)
        m.d.comb += [
            collector.snapshot.eq(self.snapshot),
            bank.snapshot.eq(collector.bank_snapshot),
            collector.bank_snapshot_done.eq(bank.snapshot_done),
            self.snapshot_done.eq(bank.snapshot_done),
            bank.address.eq(self.address),
            self.data.eq(bank.data),
        ]
        return m


@pytest.mark.parametrize("seed", range(3))
def test_every_snapshot_is_of_one_moment(seed):
    """Between two clocks the totals were those of the snapshot, all of them together."""
    rng, dut = random.Random(seed), Counted()
    totals, moments, seen = [0] * COUNTERS, {(0,) * COUNTERS}, []
    done = False

    async def feed(ctx):
        while not done:
            for number, source in enumerate(SOURCES):
                port = getattr(dut, f"i_{number}")
                comes = rng.random() < 0.9
                index = rng.choice(list(source))
                amount = rng.getrandbits(source[index]) if source[index] > 1 else 1
                ctx.set(port.payload, {"index": index, "amount": amount})
                ctx.set(port.valid, comes)
                totals[index] += amount if comes else 0
            await ctx.tick()
            moments.add(tuple(totals))

    async def ask(ctx):
        nonlocal done
        for _ in range(8):
            await ctx.tick().repeat(rng.randint(1, 300))
            ctx.set(dut.snapshot, 1)
            await ctx.tick().until(dut.snapshot_done)
            ctx.set(dut.snapshot, 0)
            seen.append(tuple(await read_snapshot(ctx, dut, COUNTERS, latency=2)))
        done = True

    simulate(dut, feed, ask, limit_cycles=20_000)
    assert len(set(seen)) == 8
    assert set(seen) <= moments


def test_a_counter_has_one_source():
    with pytest.raises(ValueError, match="one source"):
        EventCollector(sources=({0: 1}, {0: 1}), counters=1)
