"""CounterBank: totals, snapshots of one moment, who goes first, and the cycles it states."""

import itertools
import random

import pytest

from hdl.counter_bank import CounterBank
from sim.testbench import simulate


async def read_snapshot(ctx, dut, counters, latency=1):
    """All counters of the last snapshot."""
    values = []
    for counter in range(counters):
        value = 0
        for limb in range(4):
            ctx.set(dut.address, counter << 2 | limb)
            await ctx.tick().repeat(latency)
            value |= ctx.get(dut.data) << 16 * limb
        values.append(value)
    return values


@pytest.mark.parametrize(("counters", "sources", "seed"), [(22, 4, 0), (1, 1, 1), (5, 2, 2)])
def test_snapshots_hold_what_was_taken_before_them(counters, sources, seed):
    rng = random.Random(seed)
    dut = CounterBank(counters=counters, sources=sources)
    totals = [0] * counters
    done = False

    def source(number):
        port = getattr(dut, f"i_{number}")
        own = random.Random(f"{seed} {number}")

        async def put(ctx):
            while not done:
                while own.random() < 0.6:
                    await ctx.tick()
                index = own.randrange(counters)
                # Large amounts, so that a carry leaves the first limb often.
                amount = own.choice((1, own.getrandbits(17), 0x1FFFF))
                ctx.set(port.payload, {"index": index, "amount": amount})
                ctx.set(port.valid, 1)
                taken = False
                while not taken and not done:
                    _, _, taken = await ctx.tick().sample(port.ready)
                ctx.set(port.valid, 0)
                totals[index] += amount if taken else 0

        return put

    async def ask(ctx):
        nonlocal done
        for _ in range(12):
            for _ in range(rng.randint(0, 300)):
                await ctx.tick()
            ctx.set(dut.snapshot, 1)
            finished = False
            while not finished:
                # Events wait while the copy is made, so the totals then are those of its moment.
                moment = list(totals)
                _, _, finished = await ctx.tick().sample(dut.snapshot_done)
            ctx.set(dut.snapshot, 0)
            for _ in range(rng.randint(0, 60)):
                await ctx.tick()
            assert await read_snapshot(ctx, dut, counters) == moment
        done = True

    simulate(dut, ask, *(source(number) for number in range(sources)), limit_cycles=20_000)
    assert max(totals) > 0xFFFF


def test_a_carry_goes_on_to_the_third_limb():
    dut = CounterBank(counters=1, sources=1)
    amount, events = 0x1FFFF, 33_000

    async def run(ctx):
        ctx.set(dut.i_0.payload, {"index": 0, "amount": amount})
        ctx.set(dut.i_0.valid, 1)
        await ctx.tick().repeat(9 * events)
        ctx.set(dut.i_0.valid, 0)
        ctx.set(dut.snapshot, 1)
        await ctx.tick().until(dut.snapshot_done)
        ctx.set(dut.snapshot, 0)
        assert await read_snapshot(ctx, dut, 1) == [events * amount]

    simulate(dut, run, limit_cycles=9 * events + 100)
    assert events * amount >> 32


def test_throughput_and_order():
    dut = CounterBank(counters=3, sources=3)
    taken = []

    async def run(ctx):
        for number in range(3):
            port = getattr(dut, f"i_{number}")
            ctx.set(port.payload, {"index": number, "amount": 1})
            ctx.set(port.valid, 1)
        for cycle in range(60):
            ports = [getattr(dut, f"i_{number}") for number in range(3)]
            _, _, *transfers = await ctx.tick().sample(*(port.valid & port.ready for port in ports))
            if any(transfers):
                (number,) = (number for number, transfer in enumerate(transfers) if transfer)
                taken.append((cycle, number))
                ctx.set(ports[number].valid, len(taken) > 3)

    simulate(dut, run, limit_cycles=100)
    assert [number for _, number in taken] == [0, 1, 2]
    assert [after[0] - before[0] for before, after in itertools.pairwise(taken)] == [9, 9]


def test_a_snapshot_takes_4_cycles_a_counter():
    dut = CounterBank(counters=22, sources=1)

    async def run(ctx):
        ctx.set(dut.snapshot, 1)
        cycles = 0
        finished = False
        while not finished:
            _, _, finished = await ctx.tick().sample(dut.snapshot_done)
            cycles += 1
        assert cycles == 2 + 4 * 22

    simulate(dut, run, limit_cycles=400)


@pytest.mark.parametrize("counters", [0, 65])
def test_number_of_counters_is_checked(counters):
    with pytest.raises(ValueError, match=f"Number of counters must be 1 to 64, not {counters}"):
        CounterBank(counters=counters, sources=1)
