"""FeatureExtractor against the catalogue's own arithmetic."""

import random

import pytest

from compiler.features import CATALOGUE, MEAN_FRACTION_BITS, accumulators_of
from compiler.probe_plan import feature_source
from hdl.accumulator import OCTETS, PACKETS, Accumulator
from hdl.entry_layout import EntryLayout, EntryWord
from hdl.features import FeatureExtractor, FeatureSource
from sim.testbench import Stalls, simulate, stream_get

_NAMES = tuple(CATALOGUE)


_SQUARES = Accumulator("add", "length_squared")


def _sum_of_squares(rng, packets, octets):
    """From the least that so many packets of so many octets can have, to what a few long ones have."""
    if packets == 0:
        return 0
    mean, rest = divmod(octets, packets)
    least = packets * mean**2 + rest * (2 * mean + 1)
    longest, last = divmod(octets, 0xFFFF)
    return rng.choice((least, longest * 0xFFFF**2 + last**2))


def _record(rng, layout):
    """Words of a record whose sums could have come about, and its accumulators."""
    record, sides = [rng.getrandbits(32) for _ in range(layout.record_words)], []
    # Times never run back; some flows last longer than the feature holds.
    first, last = sorted(rng.getrandbits(rng.choice((8, 24, 32))) for _ in range(2))
    record[EntryWord.FIRST - EntryWord.STATE], record[EntryWord.LAST - EntryWord.STATE] = first, last
    for block in (EntryWord.FORWARD, layout.response):
        packets = rng.choice((0, 0, 1, 2, 0xFFFF, rng.randrange(1 << 16)))
        side = {}
        for accumulator in layout.accumulators:
            count = packets if accumulator.flag is None else rng.randint(0, packets)
            if accumulator.operand == "one":
                side[accumulator] = count
        for accumulator in layout.accumulators:
            if accumulator.operand != "one":
                of = side[Accumulator("add", "one", accumulator.flag)]
                largest = (1 << (8 if accumulator.operand == "ttl" else 16)) - 1
                parts = of if accumulator.operation == "add" else min(of, 1)
                side[accumulator] = rng.choice((0, parts * largest, rng.randint(0, parts * largest)))
        side[_SQUARES] = _sum_of_squares(rng, packets, side[OCTETS])
        sides.append(side)
        begin = block - EntryWord.STATE
        record[begin : begin + layout.block_words] = layout.place(side)
    return record, sides, last - first


def test_circuit_equals_catalogue():
    rng = random.Random(11)
    layout = EntryLayout(accumulators_of(_NAMES))
    dut = FeatureExtractor(
        sources=tuple(feature_source(CATALOGUE[name]) for name in _NAMES),
        fraction=MEAN_FRACTION_BITS,
        layout=layout,
    )
    records = [_record(rng, layout) for _ in range(20)]
    record = None

    async def memory(ctx):
        async for _, _, address in ctx.tick().sample(dut.record.address):
            if record is not None:
                ctx.set(dut.record.data, record[address] if address < len(record) else 0)

    async def check(ctx):
        nonlocal record
        stalls = Stalls(3)
        for words, sides, duration in records:
            record = words
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for name in _NAMES:
                got = await stream_get(ctx, dut.o, stalls)
                assert (got.value, got.last) == (CATALOGUE[name].value(*sides, duration), name == _NAMES[-1])

    simulate(dut, check, background=[memory], limit_cycles=30_000)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            FeatureSource("median", PACKETS, False, 16),
            "Statistic must be one of value, .*, duration, not 'median'",
        ),
        (FeatureSource("value", Accumulator("max", "ttl"), False, 8), "must be made from what the entry keeps"),
    ],
)
def test_wrong_sources(source, message):
    layout = EntryLayout((PACKETS, OCTETS))
    with pytest.raises(ValueError, match=message):
        FeatureExtractor(sources=(source,), fraction=2, layout=layout)
