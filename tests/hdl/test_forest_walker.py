"""The walker equals Forest.score, keeps its bounds and the stream law, and takes new tables only whole."""

import dataclasses
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.forest import Band
from compiler.plan import forest_parameters
from hdl.forest_walker import ForestWalker
from hdl.table_loader import table_image
from hdl.walker_parameters import WalkerParameters, WalkerSize
from hdl.walker_table import WalkerTable
from sim.testbench import Stalls, frames_to_payloads, simulate, stream_get, stream_put
from tests.forests import forests, grown_forest, rows_for


def words_of(rows):
    return [{"value": value, "last": at == len(row) - 1} for row in rows.tolist() for at, value in enumerate(row)]


def answers(forest, rows):
    scores = forest.score(rows)
    return [(1, *answer) for answer in zip(scores.tolist(), forest.verdicts(scores).tolist(), strict=True)]


def run(dut, rows, *, stalls=None, others=(), limit_cycles):
    """What comes out for all rows; the stream law is watched meanwhile."""
    out, held = [], None

    async def feed(ctx):
        await stream_put(ctx, dut.i, words_of(rows), stalls and Stalls(stalls, 0.05))

    async def read(ctx):
        pauses = stalls and Stalls(stalls + 1, 0.5)
        for _ in range(len(rows)):
            answer = await stream_get(ctx, dut.o, pauses)
            out.append((answer.classified, answer.score, answer.verdict))

    async def watch(ctx):
        nonlocal held
        async for _, _, valid, ready, payload in ctx.tick().sample(dut.o.valid, dut.o.ready, dut.o.payload.as_value()):
            if held is not None:
                assert (valid, payload) == (1, held), "an answer that was not taken must stay"
            held = payload if valid and not ready else None

    simulate(dut, feed, read, *others, background=[watch], limit_cycles=limit_cycles)
    return out


@settings(max_examples=40)
@given(forest=forests(), stages=st.sampled_from((2, 3, 4)), lanes=st.integers(1, 3), seed=st.integers(1, 2**16))
def test_equals_forest_score_under_stalls(forest, stages, lanes, seed):
    rows = rows_for(forest, 12, seed)
    dut = ForestWalker(parameters=WalkerParameters.of(forest_parameters(forest), stages=stages, lanes=lanes))
    limit = 40 * len(words_of(rows)) + (dut.latency + 20) * len(rows) + 200
    assert run(dut, rows, stalls=seed, limit_cycles=limit) == answers(forest, rows)


@pytest.mark.parametrize("stages", [2, 3, 4])
@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_many_flows_keep_the_interval(stages, lanes):
    forest = grown_forest(trees=7, depth=3, seed=3)
    rows = rows_for(forest, 60, 4)
    dut = ForestWalker(parameters=WalkerParameters.of(forest_parameters(forest), stages=stages, lanes=lanes))
    # Features come one a clock, and a clock is left behind the last.
    interval = max(dut.interval, len(forest.columns) + 1)
    limit = dut.latency + len(forest.columns) + interval * len(rows)
    assert run(dut, rows, limit_cycles=limit) == answers(forest, rows)


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_a_flow_alone_is_answered_within_the_latency(stages):
    forest = grown_forest(trees=3, depth=3, seed=3)
    rows = rows_for(forest, 30, 4)
    dut = ForestWalker(parameters=WalkerParameters.of(forest_parameters(forest), stages=stages))
    table = WalkerTable.of(forest_parameters(forest))

    async def one_by_one(ctx):
        ctx.set(dut.o.ready, 1)
        for number in range(len(rows)):
            await stream_put(ctx, dut.i, words_of(rows[number : number + 1]))
            clocks = 1
            while not ctx.get(dut.o.valid):
                await ctx.tick()
                clocks += 1
            assert clocks <= dut.latency - stages * (table.most_visits - table.walk(rows[number].tolist())[2])
            await ctx.tick().repeat(number % 5 + 1)

    simulate(dut, one_by_one, limit_cycles=len(rows) * (dut.latency + 40))


FIRST = grown_forest(trees=6, depth=3, seed=7)
SECOND = dataclasses.replace(FIRST, trees=FIRST.trees[:0:-1], band=Band(-2, 3))
FIRST_ID, SECOND_ID = 0x11111111, 0x22222222


def loadable(**options):
    first, second = (WalkerSize.of(forest_parameters(forest)) for forest in (FIRST, SECOND))
    size = WalkerSize(
        **{
            field.name: max(getattr(first, field.name), getattr(second, field.name))
            for field in dataclasses.fields(first)
        }
    )
    parameters = WalkerParameters(
        forest=forest_parameters(FIRST), size=size, loadable=True, forest_id=FIRST_ID, **options
    )
    image = table_image(forest_parameters(SECOND), size, SECOND_ID)
    return ForestWalker(parameters=parameters), image


def damaged(image):
    """Images that must not be used, by what is wrong with them."""
    flipped = bytearray(image)
    flipped[len(image) // 2] ^= 8
    return {
        "a bit": bytes(flipped),
        "the size": b"\0" + image[1:],
        "the end": image[:-1],
        "the header": image[:3],
        "too long": image + b"\0",
        "in the words": image[: len(image) // 3],
        "empty words": image[:8] + image[-4:],
    }


def load(dut, images, ids):
    async def testbench(ctx):
        for image in images:
            await ctx.tick().repeat(50)
            await stream_put(ctx, dut.table, frames_to_payloads([image]))
            await ctx.tick().repeat(8)
            ids.append(ctx.get(dut.forest_id))

    return testbench


@pytest.mark.parametrize("lanes", [1, 2])
def test_double_tables_change_between_two_flows(lanes):
    dut, image = loadable(double=True, lanes=lanes)
    rows = rows_for(FIRST, 500, 9)
    ids = []
    out = run(dut, rows, others=[load(dut, [*damaged(image).values(), image], ids)], limit_cycles=30_000)
    assert ids == [FIRST_ID] * len(damaged(image)) + [SECOND_ID]
    first, second = answers(FIRST, rows), answers(SECOND, rows)
    changed = next(at for at in range(len(rows)) if out[at] != first[at])
    # No flow is answered by a mixture, and none goes back to the forest before.
    assert 10 < changed < len(rows) - 10
    assert out == first[:changed] + second[changed:]


def test_single_tables_classify_nothing_while_they_are_incomplete():
    dut, image = loadable()
    rows = rows_for(FIRST, 3000, 9)
    ids = []
    out = run(dut, rows, stalls=5, others=[load(dut, [damaged(image)["a bit"], image], ids)], limit_cycles=400_000)
    assert ids == [FIRST_ID, SECOND_ID]
    begins = next(at for at, answer in enumerate(out) if not answer[0])
    ends = next(at for at in range(begins, len(out)) if out[at][0])
    assert out[:begins] == answers(FIRST, rows)[:begins]
    assert out[begins:ends] == [(0, 0, 0)] * (ends - begins)
    assert out[ends:] == answers(SECOND, rows)[ends:]


@pytest.mark.parametrize("damage", damaged(loadable()[1]))
def test_a_bad_image_is_refused_and_the_next_one_taken(damage):
    dut, image = loadable()
    refused, ids = 0, []

    async def count(ctx):
        nonlocal refused
        async for *_, event in ctx.tick().sample(dut.refused):
            refused += event

    simulate(dut, load(dut, [damaged(image)[damage], image], ids), background=[count], limit_cycles=20_000)
    assert (ids, refused) == ([FIRST_ID, SECOND_ID], 1)


def test_an_image_ends_in_the_checksum_of_ethernet():
    image = loadable()[1]
    assert zlib.crc32(image[:-4]) == int.from_bytes(image[-4:], "little")


def test_a_forest_that_is_too_large_has_no_image():
    size = WalkerSize.of(forest_parameters(grown_forest(trees=2, depth=2, seed=1)))
    with pytest.raises(ValueError, match=r"must be at most \d+, not \d+"):
        table_image(forest_parameters(grown_forest(trees=40, depth=5, seed=1)), size, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages": 5}, r"Stages must be one of \(2, 3, 4\), not 5"),
        ({"lanes": 0}, "Lanes must be at least 1, not 0"),
        ({"double": True}, "Tables that cannot be loaded must not be double"),
    ],
)
def test_wrong_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        WalkerParameters.of(forest_parameters(FIRST), **options)
