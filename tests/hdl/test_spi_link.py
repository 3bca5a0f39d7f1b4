"""SpiLink, driven bit by bit as a host does: items taken and refused, whole and with bits missing."""

import random

import pytest

from hdl.item import FrameOutcome
from hdl.spi_link import SpiLink
from sim.testbench import simulate


class Host:
    """Moves the pins; a bit takes ``2 * half`` clocks, and chip select moves ``lead`` clocks away from the clock."""

    def __init__(self, dut, half, lead):
        self._dut, self._half, self._lead = dut, half, lead

    async def send(self, ctx, content, *, bits=None):
        """The bytes that came back; only the first ``bits`` are sent."""
        dut = self._dut
        outgoing = "".join(f"{byte:08b}" for byte in content)[:bits]
        answer = ""
        ctx.set(dut.cs_n, 0)
        for bit in outgoing:
            ctx.set(dut.copi, int(bit))
            await ctx.tick().repeat(self._half if answer else max(self._half, self._lead))
            ctx.set(dut.sck, 1)
            answer += str(ctx.get(dut.cipo))
            await ctx.tick().repeat(self._half)
            ctx.set(dut.sck, 0)
        await ctx.tick().repeat(self._lead)
        ctx.set(dut.cs_n, 1)
        await ctx.tick().repeat(max(self._lead, 4))
        return bytes(int(answer[at : at + 8], 2) for at in range(0, len(answer) - 7, 8))


class Watcher:
    """What comes out of a link, and what it counts."""

    def __init__(self, dut):
        self._dut = dut
        self.items, self.overruns = [], 0
        self._item = bytearray()

    async def watch(self, ctx):
        dut = self._dut
        ctx.set(dut.overrun.ready, 1)
        while True:
            _, _, valid, payload, counted, event = await ctx.tick().sample(
                dut.o.valid, dut.o.payload, dut.overrun.valid, dut.overrun.payload
            )
            if valid:
                assert payload.first == (not self._item)
                self._item.append(payload.data)
                if payload.last:
                    self.items.append(bytes(self._item))
                    self._item.clear()
            if counted:
                assert (event.index, event.amount) == (FrameOutcome.OVERRUN, 1)
                self.overruns += 1


@pytest.mark.parametrize(("half", "lead"), [(2, 2), (2, 5), (3, 1), (7, 3)])
@pytest.mark.parametrize("seed", range(2))
def test_items_are_taken_or_refused_whole(half, lead, seed):
    rng = random.Random(seed)
    dut = SpiLink()
    host, watcher = Host(dut, half, lead), Watcher(dut)
    taken, refused = [], 0

    async def run(ctx):
        nonlocal refused
        ctx.set(dut.cs_n, 1)
        await ctx.tick().repeat(5)
        for _ in range(25):
            room = rng.random() < 0.6
            content = rng.randbytes(rng.randint(2, 20))
            ctx.set(dut.o.ready, room)
            answer = await host.send(ctx, content)
            # The answer settles 4 clocks after chip select, which may be within the first byte.
            assert set(answer[1:]) == {0xFF if room else 0}
            if room:
                taken.append(content)
            else:
                refused += 1
            await ctx.tick().repeat(rng.randint(1, 10))

    simulate(dut, run, background=[watcher.watch], limit_cycles=200_000)
    assert watcher.items == taken
    assert watcher.overruns == refused
    assert taken
    assert refused


def test_room_is_asked_for_when_chip_select_falls():
    """Room that comes during an item is too late for it."""
    dut = SpiLink()
    host, watcher = Host(dut, 2, 4), Watcher(dut)

    async def give_room(ctx):
        await ctx.tick().repeat(60)
        ctx.set(dut.o.ready, 1)

    async def run(ctx):
        ctx.set(dut.cs_n, 1)
        await ctx.tick().repeat(5)
        assert set(await host.send(ctx, b"late item")) == {0}
        assert set((await host.send(ctx, b"next item"))[1:]) == {0xFF}

    simulate(dut, run, give_room, background=[watcher.watch], limit_cycles=2000)
    assert watcher.items == [b"next item"]
    assert watcher.overruns == 1


@pytest.mark.parametrize("bits", [0, 1, 7, 8, 9, 23, 24])
def test_bits_beyond_a_byte_are_dropped(bits):
    dut = SpiLink()
    host, watcher = Host(dut, 2, 4), Watcher(dut)

    async def run(ctx):
        ctx.set(dut.cs_n, 1)
        ctx.set(dut.o.ready, 1)
        await ctx.tick().repeat(5)
        await host.send(ctx, b"\xa5\x5a\x81", bits=bits)
        await host.send(ctx, b"after it")

    simulate(dut, run, background=[watcher.watch], limit_cycles=2000)
    assert watcher.items == [part for part in (b"\xa5\x5a\x81"[: bits // 8], b"after it") if part]
    assert watcher.overruns == 0


def test_refusals_wait_to_be_counted():
    """The counters may be busy while several items are refused; none is forgotten."""
    dut = SpiLink()
    host = Host(dut, 2, 2)
    counted = 0

    async def run(ctx):
        nonlocal counted
        ctx.set(dut.cs_n, 1)
        await ctx.tick().repeat(5)
        for content in (b"a", b"bc", b"d", b"efg", b"h"):
            await host.send(ctx, content)
        ctx.set(dut.overrun.ready, 1)
        async for *_, valid in ctx.tick().sample(dut.overrun.valid):
            if not valid:
                break
            counted += 1

    simulate(dut, run, limit_cycles=2000)
    assert counted == 5
