"""RecordBuffer: whole records in order, short ones and those without room only counted, under stalls on every side."""

import random

import pytest

from compiler.features import UNIVERSAL, accumulators_of
from hdl.accumulator import PACKETS
from hdl.entry_layout import EARLY_BIT, EntryLayout, EntryWord
from hdl.record_buffer import RecordBuffer, Unexported
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_put


def random_records(rng, layout, count):
    """Words of records; many of few packets."""
    for _ in range(count):
        words = [rng.getrandbits(32) for _ in range(layout.record_words)]
        for block in (EntryWord.FORWARD, layout.response):
            packets = rng.choice((0, 1, 2, 0xFFFF, rng.getrandbits(16)))
            address = block - EntryWord.STATE
            words[address] = words[address] & 0xFFFF_0000 | packets
        yield words


def packets_of(words, layout):
    return sum(layout.read(words, response=response)[PACKETS] for response in (False, True))


class Bench:
    """Feeds records, reads and removes the first one again and again, and says what should have become of each."""

    def __init__(self, *, slots, min_packets, wait, names, seed, take, count=40):
        rng = random.Random(seed)
        self.layout = EntryLayout(accumulators_of(names))
        self.dut = RecordBuffer(layout=self.layout, slots=slots, min_packets=min_packets, wait=wait)
        self.records = list(random_records(rng, self.layout, count))
        self.expected, self.unexported = [], []
        self.seen, self.counted = [], []
        self._slots, self._min_packets, self._seed, self._take = slots, min_packets, seed, take
        self._stored = 0
        self._fed = False

    def run(self):
        simulate(
            self.dut,
            self.feed,
            self.read,
            self.count,
            background=[self.judge],
            limit_cycles=len(self.records) * 2000,
        )

    async def feed(self, ctx):
        await stream_put(ctx, self.dut.i, frames_to_payloads(self.records), Stalls(self._seed, 0.1))
        self._fed = True

    async def judge(self, ctx):
        """The rule: at its last word a record is short, without room, or kept."""
        dut, number = self.dut, 0
        while True:
            _, _, ended, popped = await ctx.tick().sample(dut.i.valid & dut.i.ready & dut.i.p.last, dut.pop)
            if ended:
                words = self.records[number]
                packets = packets_of(words, self.layout)
                number += 1
                # The frames of an early record are counted elsewhere.
                counted = 0 if words[0] >> EARLY_BIT & 1 else packets
                if packets < self._min_packets:
                    self.unexported.append((Unexported.SHORT, counted))
                elif self._stored == self._slots - 1:
                    self.unexported.append((Unexported.OVERLOAD, counted))
                else:
                    self.expected.append(words)
                    self._stored += 1
            self._stored -= popped

    async def read(self, ctx):
        dut, stalls, idle = self.dut, Stalls(self._seed + 1, self._take), 0
        while idle < 50:
            if not ctx.get(dut.available):
                idle = idle + 1 if self._fed else 0
                await ctx.tick()
                continue
            words = []
            for address in range(self.layout.record_words):
                ctx.set(dut.record.address, address)
                await ctx.tick()
                words.append(ctx.get(dut.record.data))
            await stalls.pause(ctx)
            self.seen.append(words)
            ctx.set(dut.pop, 1)
            await ctx.tick()
            ctx.set(dut.pop, 0)
            idle = 0

    async def count(self, ctx):
        dut, stalls, idle = self.dut, Stalls(self._seed + 2, 0.7), 0
        while idle < 200:
            ctx.set(dut.unexported.ready, not stalls.now())
            _, _, payload, taken = await ctx.tick().sample(
                dut.unexported.payload, dut.unexported.valid & dut.unexported.ready
            )
            if taken:
                self.counted.append((Unexported(payload.why), payload.packets))
            idle = idle + 1 if self._fed and not taken else 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slots", [2, 8])
@pytest.mark.parametrize("take", [0, 0.98])
def test_what_waits_is_never_lost(slots, take, seed):
    bench = Bench(slots=slots, min_packets=3, wait=True, names=UNIVERSAL, seed=seed, take=take)
    bench.run()
    assert bench.seen == bench.expected != []
    assert bench.counted == bench.unexported != []
    assert {why for why, _ in bench.counted} == {Unexported.SHORT}
    assert len(bench.seen) + len(bench.counted) == len(bench.records)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slots", [2, 4])
@pytest.mark.parametrize("names", [("maxpl",), UNIVERSAL])
def test_without_room_a_record_is_counted_whole(slots, names, seed):
    bench = Bench(slots=slots, min_packets=2, wait=False, names=names, seed=seed, take=0.99)
    bench.run()
    assert bench.seen == bench.expected != []
    assert bench.counted == bench.unexported
    assert {why for why, _ in bench.counted} == {Unexported.SHORT, Unexported.OVERLOAD}
    assert len(bench.seen) + len(bench.counted) == len(bench.records)


def test_parameters_are_checked():
    layout = EntryLayout(accumulators_of(("maxpl",)))
    with pytest.raises(ValueError, match="Number of slots must be a power of two and at least 2, not 3"):
        RecordBuffer(layout=layout, slots=3, min_packets=2, wait=True)
    with pytest.raises(ValueError, match="Minimum of packets must be 1 to 65535, not 0"):
        RecordBuffer(layout=layout, slots=2, min_packets=0, wait=True)
