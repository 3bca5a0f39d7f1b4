"""TapLink: every frame of a wire, whose clock is another, becomes an item or is counted."""

import itertools
import random
from collections import Counter

import pytest

from hdl.frame_ring import FrameRing
from hdl.gray_counter import GrayCounter
from hdl.item import FrameOutcome, ItemKind, item_bytes, setup_body
from hdl.tap_link import TapLink
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_put, transfers
from tests.hdl.wire import Run, damaged_run, good_run, put_symbols, random_frame

_SNAP, _LONGEST, _CYCLES_PER_MS = 77, 130, 500


class Tap:
    """A TapLink in simulation; ``rx_period`` is in cycles of ``sync``."""

    def __init__(self, *, slots=4, rx_period=1.37, cycles_per_ms=_CYCLES_PER_MS, seed=0):
        self.dut = TapLink(cycles_per_ms=cycles_per_ms, slots=slots, snap=_SNAP, longest=_LONGEST)
        self.rng = random.Random(seed)
        self.rx_period = rx_period
        self.items: list[bytes] = []
        self.drops: Counter[FrameOutcome] = Counter()
        self.cycle = 0

    async def put(self, ctx, runs, *, pauses=(0,), gaps=(12,)):
        await put_symbols(
            ctx,
            self.dut.symbols,
            runs,
            pause=lambda: self.rng.choice(pauses),
            gap=lambda: self.rng.choice(gaps),
            domain="rx",
        )

    async def take(self, ctx):
        """Takes items for ever."""
        item = bytearray()
        async for payload in transfers(ctx, self.dut.o, self.stalls):
            assert bool(payload.first) == (not item)
            item.append(payload.data)
            if payload.last:
                self.items.append(bytes(item))
                item.clear()

    async def count(self, ctx):
        async for event in transfers(ctx, self.dut.overrun, Stalls(self.rng.randrange(1 << 30), 0.5)):
            self.drops[FrameOutcome(event.index)] += event.amount

    async def tell_cycles(self, ctx):
        async for _ in ctx.tick():
            self.cycle += 1

    def run(self, *testbenches, limit_cycles, stall=0.0):
        self.stalls = Stalls(self.rng.randrange(1 << 30), stall)
        simulate(
            self.dut,
            *testbenches,
            background=[self.take, self.count, self.tell_cycles],
            limit_cycles=limit_cycles,
            clocks={"rx": self.rx_period},
        )

    @property
    def frames(self):
        """Wire length and bytes of the items that are frames."""
        return [(int.from_bytes(item[1:4], "big"), item[8:]) for item in self.items if item[0] == ItemKind.FRAME]


def kept(run):
    return len(run.frame), run.frame[:_SNAP]


@pytest.mark.parametrize("rx_period", [0.31, 1.0, 2.7])
def test_good_frames_come_and_damaged_ones_are_counted(rx_period):
    """No stalls and gaps for room, so that nothing is overrun."""
    tap = Tap(slots=16, rx_period=rx_period)
    runs = [
        damaged_run(tap.rng, _LONGEST) if tap.rng.random() < 0.5 else good_run(random_frame(tap.rng, longest=_LONGEST))
        for _ in range(40)
    ]

    async def put(ctx):
        await tap.put(ctx, runs, pauses=(0, 0, 3), gaps=(0, 1, 12))
        await ctx.tick().repeat(1000)

    tap.run(put, limit_cycles=400_000)
    good = [run for run in runs if run.frame is not None]
    assert tap.frames == [kept(run) for run in good]
    assert tap.drops == {FrameOutcome.BAD_FCS: len(runs) - len(good)}


@pytest.mark.parametrize("slots", [2, 8])
def test_what_has_no_room_is_dropped_whole_and_counted(slots):
    tap = Tap(slots=slots, rx_period=0.9)
    runs = []
    for number in range(50):
        frame = number.to_bytes(2, "big") + random_frame(tap.rng, longest=90)
        runs.append(damaged_run(tap.rng, _LONGEST) if tap.rng.random() < 0.3 else good_run(frame))

    async def put(ctx):
        await tap.put(ctx, runs, gaps=(2, 12))
        tap.stalls.probability = 0
        await ctx.tick().repeat(1000)

    tap.run(put, limit_cycles=100_000, stall=0.9)
    good = [kept(run) for run in runs if run.frame is not None]
    came = iter(good)
    assert all(frame in came for frame in tap.frames), "in order, and nothing else"
    assert 0 < len(tap.frames) < len(good)
    assert tap.drops[FrameOutcome.OVERRUN] == len(good) - len(tap.frames)
    assert tap.drops[FrameOutcome.BAD_FCS] == len(runs) - len(good)


@pytest.mark.parametrize("engine_clock", [pytest.param((1.0, 1), id="gigabit"), pytest.param((0.48, 4), id="100 Mb/s")])
def test_minimum_frames_back_to_back(engine_clock):
    """A gigabit beside 125 MHz, and 100 Mb/s (a byte every four clocks of 50 MHz) beside 24 MHz: none is lost."""
    rx_period, clocks_per_byte = engine_clock
    tap = Tap(slots=4, rx_period=rx_period)
    runs = [good_run(tap.rng.randbytes(60)) for _ in range(40)]

    async def put(ctx):
        # Twelve bytes of gap, one of which has been the end.
        await tap.put(ctx, runs, pauses=(clocks_per_byte - 1,), gaps=(11 * clocks_per_byte,))
        await ctx.tick().repeat(200)

    tap.run(put, limit_cycles=50 * 200)
    assert tap.frames == [kept(run) for run in runs]
    assert not tap.drops


@pytest.mark.parametrize("seed", range(2))
def test_garbage_is_survived(seed):
    """Random symbols of random bytes, ends and errors; the frame after them is taken, and conservation holds."""
    tap = Tap(rx_period=1.1, seed=seed)
    rng, frame = tap.rng, random_frame(tap.rng, longest=_LONGEST)

    async def put(ctx):
        for _ in range(1500):
            data = rng.choice((0x55, 0x55, 0xD5, rng.randrange(256)))
            symbol = {"data": data, "end": rng.random() < 0.1, "error": rng.random() < 0.02}
            ctx.set(tap.dut.symbols.payload, symbol)
            ctx.set(tap.dut.symbols.valid, rng.random() < 0.9)
            await ctx.tick("rx")
        ctx.set(tap.dut.symbols.payload, {"data": 0, "end": 1, "error": 0})
        ctx.set(tap.dut.symbols.valid, 1)
        await ctx.tick("rx")
        ctx.set(tap.dut.symbols.valid, 0)
        await tap.put(ctx, [good_run(frame)])
        await ctx.tick().repeat(1000)

    tap.run(put, limit_cycles=20_000)
    assert tap.frames == [kept(good_run(frame))]
    assert set(tap.drops) == {FrameOutcome.BAD_FCS}


def test_time_begins_with_the_set_up_and_goes_on_by_itself():
    """Ticks every 100 ms with the seconds, frames with the millisecond in which they ended."""
    tap = Tap(cycles_per_ms=130, rx_period=0.7)
    setup = item_bytes(ItemKind.SETUP, time_ms=77, body=setup_body(1, 5000, 1_000_000))
    flush = item_bytes(ItemKind.FLUSH, time_ms=99)
    frame = bytes(60)
    sent = []

    async def put(ctx):
        await ctx.tick().repeat(300)
        await stream_put(ctx, tap.dut.host, frames_to_payloads([setup]))
        begin = tap.cycle
        for wait in (150, 4000, 10_000):
            await ctx.tick().repeat(wait)
            await tap.put(ctx, [good_run(frame)])
            sent.append((tap.cycle - begin) / 130)
        await stream_put(ctx, tap.dut.host, frames_to_payloads([flush]))
        await ctx.tick().repeat(200)

    tap.run(put, limit_cycles=300_000)
    assert tap.items[0] == setup[:4] + bytes(4) + setup[8:]
    assert tap.items[-1] == flush[:4] + tap.items[-1][4:8]
    times = [int.from_bytes(item[4:8], "big") for item in tap.items]
    assert times == sorted(times)
    ticks = [(time, item[8:]) for time, item in zip(times, tap.items) if item[0] == ItemKind.TICK]
    assert ticks == [(100 * n, (1_000_000 + n // 10).to_bytes(4, "big")) for n in range(len(ticks))]
    assert len(ticks) == int(sent[-1] // 100) + 1
    frames = [time for time, item in zip(times, tap.items) if item[0] == ItemKind.FRAME]
    assert len(frames) == len(sent)
    assert all(abs(told - after) <= 1 for told, after in zip(frames, sent))


def test_items_come_in_the_order_of_their_times():
    """Frames wait in the ring while nobody takes items; the ticks that come due meanwhile follow them."""
    tap = Tap(cycles_per_ms=150, rx_period=0.9, slots=16)
    setup = item_bytes(ItemKind.SETUP, body=setup_body(1, 5000, 7))

    async def put(ctx):
        await stream_put(ctx, tap.dut.host, frames_to_payloads([setup]))
        runs = [good_run(tap.rng.randbytes(60)) for _ in range(60)]
        await tap.put(ctx, runs, gaps=(12, 100, 400))
        tap.stalls.probability = 0
        await ctx.tick().repeat(1500)

    tap.run(put, limit_cycles=100_000, stall=0.7)
    times = [int.from_bytes(item[4:8], "big") for item in tap.items]
    assert times == sorted(times)
    kinds = Counter(item[0] for item in tap.items)
    assert kinds[ItemKind.FRAME] + tap.drops[FrameOutcome.OVERRUN] == 60
    assert kinds[ItemKind.TICK] >= times[-1] // 100


def test_a_frame_without_end_lets_the_next_one_in():
    tap = Tap()
    runs = [Run(good_run(bytes(60)).content + bytes(3000), None), good_run(bytes(range(60)))]

    async def put(ctx):
        await tap.put(ctx, runs)
        await ctx.tick().repeat(500)

    tap.run(put, limit_cycles=10_000)
    assert tap.frames == [(60, bytes(range(60)))]
    assert tap.drops == {FrameOutcome.BAD_FCS: 1}


def test_a_count_crosses_without_loss():
    dut = GrayCounter(width=4, i_domain="rx", o_domain="sync")
    rng, seen = random.Random(5), []

    async def put(ctx):
        for _ in range(2000):
            ctx.set(dut.increment, rng.random() < 0.4)
            await ctx.tick("rx")
        ctx.set(dut.increment, 0)
        await ctx.tick().repeat(5)

    async def listen(ctx):
        async for _, _, value in ctx.tick().sample(dut.seen):
            seen.append(value)

    simulate(dut, put, background=[listen], limit_cycles=5000, clocks={"rx": 0.61})
    steps = [(after - before) % 16 for before, after in itertools.pairwise(seen)]
    assert max(steps) <= 2
    assert sum(steps) % 16 == seen[-1]
    assert sum(steps) > 600


def test_parameters_are_checked():
    with pytest.raises(ValueError, match="Number of slots must be a power of two and at least 2, not 3"):
        FrameRing(slots=3)
    with pytest.raises(ValueError, match="Snap length must be at least 14 bytes, not 9"):
        FrameRing(slots=4, snap=9)
    with pytest.raises(ValueError, match="A millisecond must have more than 128 cycles, not 100"):
        Tap(cycles_per_ms=100).dut.elaborate(None)
    with pytest.raises(ValueError, match="Width must be at least 1 bit, not 0"):
        GrayCounter(width=0, i_domain="rx", o_domain="sync")
