"""Ranks decide as features do and are found; the ranked forest equals Forest.score and keeps its clocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.plan import forest_parameters
from hdl.forest_ranked import RankedForest, RankedParameters
from hdl.forest_unrolled import UnrolledParameters
from hdl.rank_encoder import RankEncoder
from hdl.rank_table import RankTable, ranked
from hdl.tree import Leaf
from sim.testbench import Stalls, simulate, stream_get, stream_put
from tests.forests import class_forests, forests, grown_forest, rows_for
from tests.stalled import stalled


def words_of(rows):
    return [{"value": value, "last": at == len(row) - 1} for row in rows.tolist() for at, value in enumerate(row)]


def circuit_of(forest, **options):
    table, of_ranks = ranked(forest_parameters(forest))
    return RankedForest(parameters=RankedParameters(table=table, unrolled=UnrolledParameters.of(of_ranks, **options)))


@settings(max_examples=60)
@given(forest=forests(), seed=st.integers(0, 2**16))
def test_every_test_of_a_rank_says_what_that_of_the_feature_says(forest, seed):
    parameters = forest_parameters(forest)
    table, of_ranks = ranked(parameters)
    for row in rows_for(forest, 20, seed).tolist():
        ranks = table.ranks(row)
        for tree, other in zip(parameters.trees, of_ranks.trees, strict=True):
            for node, of_rank in zip(tree.nodes, other.nodes, strict=True):
                if isinstance(node, Leaf):
                    assert of_rank == node
                else:
                    assert (row[node.feature] <= node.threshold) == (ranks[node.feature] <= of_rank.threshold)


@pytest.mark.parametrize("counts", [(1,), (0, 1), (7, 8, 3, 1, 0), (2, 15, 16), (1, 2, 3, 4, 5, 6)])
def test_blocks_lie_side_by_side(counts):
    table = RankTable(thresholds=tuple(tuple(range(10, 10 + count)) for count in counts), value_bits=8)
    used = [range(base, base + (1 << depth)) for base, depth in zip(table.bases, table.depths, strict=True)]
    assert all(base % (1 << depth) == 0 for base, depth in zip(table.bases, table.depths, strict=True))
    assert sorted(at for block in used for at in block) == list(range(sum(map(len, used))))
    assert len(table.words) == 1 << table.address_bits >= sum(map(len, used))
    for block, found in zip(used, table.thresholds, strict=True):
        words = [table.words[at] for at in block]
        assert words[1 : 1 + len(found)] == list(found)
        assert set(words[1 + len(found) :]) <= {255}


@settings(max_examples=40)
@given(
    thresholds=st.lists(st.sets(st.integers(0, 255), max_size=20), min_size=1, max_size=5),
    seed=st.integers(1, 2**16),
)
def test_ranks_are_found_under_stalls(thresholds, seed):
    table = RankTable(thresholds=tuple(tuple(sorted(found)) for found in thresholds), value_bits=8)
    dut, found = RankEncoder(table=table), []
    rows = np.random.default_rng(seed).integers(0, 256, (10, len(thresholds)))
    rows[0], rows[1] = 0, 255

    async def feed(ctx):
        await stream_put(ctx, dut.i, words_of(rows), Stalls(seed))

    async def read(ctx):
        stalls = Stalls(seed + 1)
        for _ in range(rows.size):
            rank = await stream_get(ctx, dut.o, stalls)
            found.append((rank.value, rank.last))

    simulate(dut, feed, read, limit_cycles=30 * rows.size + 100)
    for row in rows.tolist():
        for at, (rank, depth) in enumerate(zip(table.ranks(row), table.depths, strict=True)):
            value, last = found.pop(0)
            assert (value % (1 << depth), last) == (rank, at == len(row) - 1)


def run(dut, rows, answer, seed):
    limit = (3 * dut.interval + dut.latency + 40) * len(rows)
    return stalled(dut, words_of(rows), len(rows), answer, seed, limit_cycles=limit)


@settings(max_examples=40)
@given(forest=forests(), levels=st.integers(0, 3), seed=st.integers(1, 2**16))
def test_equals_forest_score_under_stalls(forest, levels, seed):
    rows = rows_for(forest, 12, seed)
    scores = forest.score(rows)
    expected = list(zip(scores.tolist(), forest.verdicts(scores).tolist(), strict=True))
    assert run(circuit_of(forest, levels_per_stage=levels), rows, ("score", "verdict"), seed) == expected


@settings(max_examples=10)
@given(forest=class_forests(), seed=st.integers(1, 2**16))
def test_classes_equal_those_of_the_forest(forest, seed):
    rows = rows_for(forest, 8, seed)
    scores, decisions = forest.answer(rows)
    expected = list(zip(scores.tolist(), decisions.tolist(), strict=True))
    assert run(circuit_of(forest), rows, ("score", "class_index"), seed) == expected


@pytest.mark.parametrize("levels", [0, 2])
def test_latency_and_interval_are_as_stated(levels):
    forest = grown_forest(trees=7, depth=3)
    rows = rows_for(forest, 20, 3)
    dut, words = circuit_of(forest, levels_per_stage=levels), words_of(rows)
    expected = list(zip(forest.score(rows).tolist(), forest.decide(rows).tolist(), strict=True))
    due, taken = [], []

    async def check(ctx):
        ctx.set(dut.o.ready, 1)
        sent = answered = cycle = 0
        while answered < len(rows):
            ctx.set(dut.i.valid, sent < len(words))
            if sent < len(words):
                ctx.set(dut.i.payload, words[sent])
                if ctx.get(dut.i.ready):
                    if words[sent]["last"]:
                        taken.append(cycle)
                        due.append(cycle + dut.latency)
                    sent += 1
            assert ctx.get(dut.o.valid) == (cycle in due)
            if cycle in due:
                assert (ctx.get(dut.o.p.score), ctx.get(dut.o.p.verdict)) == expected[answered]
                answered += 1
            await ctx.tick()
            cycle += 1

    simulate(dut, check, limit_cycles=(dut.interval + 1) * len(rows) + dut.latency + 10)
    assert set(np.diff(taken)) == {dut.interval}


def test_parameters_that_do_not_fit_together_are_refused():
    (table, _), (_, other) = (ranked(forest_parameters(grown_forest(trees=trees))) for trees in (2, 5))
    with pytest.raises(ValueError, match="must be one of the ranks that the table gives"):
        RankedParameters(table=table, unrolled=UnrolledParameters.of(other))
