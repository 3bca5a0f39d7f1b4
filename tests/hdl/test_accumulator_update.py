"""AccumulatorUpdate against Accumulator.update, for every accumulator that a word can hold."""

import random

import pytest

from compiler.features import CATALOGUE, UNIVERSAL, accumulators_of
from hdl.accumulator import OCTETS, PACKETS, Accumulator
from hdl.accumulator_update import AccumulatorUpdate
from hdl.entry_layout import EntryLayout
from sim.testbench import simulate

_ALL = accumulators_of(tuple(CATALOGUE))


def _packet(rng):
    return {
        "length": rng.choice((0, 1, 40, 1500, 0xFFFF, rng.getrandbits(16))),
        "window": rng.choice((0, 0xFFFF, rng.getrandbits(16))),
        "ttl": rng.choice((0, 255, rng.getrandbits(8))),
        "flags": rng.getrandbits(8),
    }


@pytest.mark.parametrize(
    "accumulators", [(PACKETS, OCTETS), accumulators_of(UNIVERSAL), _ALL], ids=["least", "universal", "all"]
)
def test_circuit_equals_model(accumulators):
    layout = EntryLayout(accumulators)
    dut = AccumulatorUpdate(layout=layout)
    rng = random.Random(len(accumulators))

    async def check(ctx):
        for _ in range(60):
            packet = _packet(rng)
            empty = rng.random() < 0.2
            # One packet's worth of room is left in sums, as the packet counter guarantees.
            values = {a: 0 if empty else rng.choice((0, 1, rng.randrange(1 << a.width - 1))) for a in accumulators}
            before = layout.place(values)
            after = layout.place({a: a.update(values[a], empty=empty, **packet) for a in accumulators})
            alone = layout.place({a: a.update(0, empty=True, **packet) for a in accumulators})
            if layout.squares:
                ctx.set(dut.square, packet["length"] ** 2)
            for name, value in packet.items():
                ctx.set(getattr(dut, name), value)
            for index in range(layout.block_words):
                ctx.set(dut.index, index)
                await ctx.tick()
                ctx.set(dut.word, before[index])
                ctx.set(dut.empty, empty)
                assert ctx.get(dut.updated) == after[index], (index, packet, values)
                ctx.set(dut.first, 1)
                assert ctx.get(dut.updated) == alone[index], (index, packet)
                ctx.set(dut.first, 0)
                if index % 2 and rng.random() < 0.5:
                    # What is seen between two pairs of words does not count.
                    ctx.set(dut.word, 0xFFFF_FFFF)
                    await ctx.tick()

    simulate(dut, check, limit_cycles=5000)


def test_a_minimum_takes_no_flag():
    with pytest.raises(ValueError, match="A min accumulator must take every packet, not only flag bit 4"):
        Accumulator("min", "length", 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mul", "one"), "Operation must be 'add', 'max' or 'min', not 'mul'"),
        (("add", "size"), "Operand must be one of .*, not 'size'"),
        (("add", "one", 9), "Flag must be a bit number from 0 to 7 or None, not 9"),
    ],
)
def test_wrong_accumulators(arguments, message):
    with pytest.raises(ValueError, match=message):
        Accumulator(*arguments)
