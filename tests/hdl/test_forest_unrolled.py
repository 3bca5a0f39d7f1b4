"""The unrolled forest equals Forest.score, keeps its stated latency and interval, and keeps the stream law."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peer_models import FOLDER, peer_model
from compiler.forest import Column, Forest, Leaf
from compiler.plan import forest_parameters
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import BOUNDARIES, UnrolledForest, UnrolledParameters
from hdl.tree import Node, Tree
from sim.testbench import simulate, stream_get, stream_put
from tests.forests import forests, grown_class_forest, grown_forest, rows_for
from tests.lookups import HALVES, WHOLE, with_some_tables
from tests.stalled import stalled


def _payloads(rows):
    return [{f"feature_{at}": value for at, value in enumerate(row)} for row in rows.tolist()]


def _answers(forest, rows):
    scores = forest.score(rows)
    return list(zip(scores.tolist(), forest.verdicts(scores).tolist(), strict=True))


def run_stalled(forest, payloads, seed, **registers):
    """Answers under random stalls on both sides; the stream law is watched meanwhile."""
    return run_circuit(UnrolledParameters.of(forest, **registers).circuit(), payloads, seed)


def run_circuit(dut, payloads, seed):
    limit = 20 * len(payloads) + 100
    return stalled(dut, payloads, len(payloads), ("score", "verdict"), seed, limit_cycles=limit)


@settings(max_examples=60)
@given(
    forest=forests(),
    registered=st.frozensets(st.sampled_from(BOUNDARIES)),
    levels_per_stage=st.integers(0, 4),
    seed=st.integers(0, 2**16),
)
def test_equals_forest_score_under_stalls(forest, registered, levels_per_stage, seed):
    forest.verify(catalogue=False)
    rows = rows_for(forest, 25, seed)
    registers = {"registered": registered, "levels_per_stage": levels_per_stage}
    answers = run_stalled(forest_parameters(forest), _payloads(rows), seed, **registers)
    assert answers == _answers(forest, rows)


@settings(max_examples=25, deadline=None)
@given(
    forest=forests(),
    rom=st.sampled_from([HALVES, WHOLE]),
    registered=st.frozensets(st.sampled_from(BOUNDARIES)),
    levels_per_stage=st.integers(0, 4),
    seed=st.integers(0, 2**16),
)
def test_tables_in_block_ram_give_the_same_answers(forest, rom, registered, levels_per_stage, seed):
    rows = rows_for(forest, 25, seed)
    parameters = with_some_tables(
        forest_parameters(forest), seed, rom, registered=registered, levels_per_stage=levels_per_stage
    )
    assert run_circuit(parameters.circuit(), _payloads(rows), seed) == _answers(forest, rows)


@settings(max_examples=20)
@given(forest=forests(), seed=st.integers(0, 2**16))
def test_trees_that_no_pass_has_touched_give_the_same_answers(forest, seed):
    parameters = ForestParameters(
        feature_widths=tuple(column.bits for column in forest.columns),
        trees=forest.trees,
        lo=forest.band.lo,
        hi=forest.band.hi,
    )
    rows = rows_for(forest, 25, seed)
    assert run_stalled(parameters, _payloads(rows), seed) == _answers(forest, rows)


@pytest.mark.parametrize(
    ("registered", "levels_per_stage", "latency"),
    [
        ((), 0, 1),
        ((), 99, 2),
        (("sums",), 0, 2),
        (("tables", "sums"), 0, 3),
        (("score",), 99, 3),
        (("score",), 3, 5),
        (BOUNDARIES, 99, 5),
    ],
)
def test_latency_and_interval_are_as_stated(registered, levels_per_stage, latency):
    forest = grown_forest(trees=16, depth=3)
    rows = rows_for(forest, 40, 3)
    expected, payloads = _answers(forest, rows), _payloads(rows)
    parameters = UnrolledParameters.of(
        forest_parameters(forest), registered=frozenset(registered), levels_per_stage=levels_per_stage
    )
    assert parameters.network.depth in range(7, 10)
    dut = UnrolledForest(parameters=parameters)
    assert (dut.latency, dut.interval) == (latency, 1)
    answer_every_clock(dut, payloads, expected)


@pytest.mark.parametrize(("levels_per_stage", "registered"), [(0, ()), (2, ("tables", "score")), (1, BOUNDARIES)])
def test_latency_with_tables_in_block_ram_is_as_stated(levels_per_stage, registered):
    forest = grown_forest(trees=24, depth=3)
    rows = rows_for(forest, 40, 3)
    parameters = with_some_tables(
        forest_parameters(forest), 4, levels_per_stage=levels_per_stage, registered=frozenset(registered)
    )
    assert len(parameters.stages) == 2
    assert parameters.sums_in_block_ram
    networks = [parameters.network, *(stage.network for stage in parameters.stages)]
    inside = sum(-(-network.depth // levels_per_stage) for network in networks) if levels_per_stage else 0
    # Two stages of tables and one of sums take two clocks each; three sums of nine votes need two levels of adders.
    latency = 3 * 2 + inside + ("sums" in registered) + ("score" in registered) + 1
    dut = parameters.circuit()
    assert (dut.latency, dut.interval) == (latency, 1)
    answer_every_clock(dut, _payloads(rows), _answers(forest, rows))


def answer_every_clock(dut, payloads, expected):
    """A flow goes in every clock, and each answer comes in the clock that the latency says."""

    async def run(ctx):
        ctx.set(dut.o.ready, 1)
        for cycle in range(len(payloads) + dut.latency):
            ctx.set(dut.i.valid, cycle < len(payloads))
            if cycle < len(payloads):
                ctx.set(dut.i.payload, payloads[cycle])
                assert ctx.get(dut.i.ready)
            assert ctx.get(dut.o.valid) == (cycle >= dut.latency)
            if cycle >= dut.latency:
                answer = ctx.get(dut.o.payload)
                assert (answer.score, answer.verdict) == expected[cycle - dut.latency]
            await ctx.tick()

    simulate(dut, run, limit_cycles=len(payloads) + dut.latency + 2)


def test_gaps_between_flows_do_not_mix_answers():
    forest = grown_forest(trees=5, depth=3)
    rows = rows_for(forest, 30, 9)
    payloads, gaps = _payloads(rows), random.Random(4)
    dut = UnrolledParameters.of(forest_parameters(forest), levels_per_stage=2).circuit()
    answers = []

    async def feed(ctx):
        for payload in payloads:
            await ctx.tick().repeat(1 + gaps.randrange(9))
            await stream_put(ctx, dut.i, [payload])

    async def read(ctx):
        for _ in rows:
            answer = await stream_get(ctx, dut.o)
            answers.append((answer.score, answer.verdict))

    simulate(dut, feed, read, limit_cycles=600)
    assert answers == _answers(forest, rows)


def test_a_chain_of_a_thousand_tests():
    nodes = [Node(0, 1000 - at // 2, at + 2, at + 1) if at % 2 == 0 else Leaf(at % 3 - 1) for at in range(2000)]
    forest = Forest(name="chain", columns=(Column("f0", 12),), trees=(Tree(1, (*nodes, Leaf(5))),))
    forest.verify(catalogue=False)
    rows = rows_for(forest, 50, 1)
    assert run_stalled(forest_parameters(forest), _payloads(rows), 1) == _answers(forest, rows)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the models in ../shared/bench")
def test_vote16d4_decides_as_scikit_learn():
    forest, rows, decisions = peer_model("vote16d4")
    dut = UnrolledParameters.of(forest_parameters(forest), levels_per_stage=1).circuit()
    spam = []

    async def feed(ctx):
        await stream_put(ctx, dut.i, _payloads(rows))

    async def read(ctx):
        spam.extend([int((await stream_get(ctx, dut.o)).verdict == 1) for _ in rows])

    simulate(dut, feed, read, limit_cycles=3 * len(rows))
    assert len(spam) == 2000
    assert spam == decisions.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_widths": ()}, r"^Feature widths must be at least one and positive, not \(\)$"),
        ({"feature_widths": (4, 0)}, r"^Feature widths must be at least one and positive, not \(4, 0\)$"),
        ({"trees": ()}, "^Trees must be at least one, not none$"),
        ({"lo": 2, "hi": 1}, "^Band must have lo <= hi, not 2 > 1$"),
        ({"feature_widths": (3,)}, r"^Tree 0, node 0: threshold must fit unsigned\(3\), not 9$"),
        ({"trees": (Tree(1, (Node(1, 9, 1, 2), Leaf(0), Leaf(1))),)}, "^Tree 0, node 0: feature must be below 1"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    right = {"feature_widths": (4,), "trees": (Tree(1, (Node(0, 9, 1, 2), Leaf(-1), Leaf(1))),)}
    with pytest.raises(ValueError, match=message):
        ForestParameters(**right | changes)


def test_unknown_boundary_is_named():
    parameters = forest_parameters(grown_forest(trees=1, depth=1))
    with pytest.raises(ValueError, match=r"^Registered boundaries must be among \(.*\), not \['sum'\]$"):
        UnrolledParameters.of(parameters, registered=frozenset({"sum"}))


def test_stages_and_network_must_fit_together():
    parameters = with_some_tables(forest_parameters(grown_forest(trees=24, depth=3)), 4)
    with pytest.raises(ValueError, match=r"^The network must read the \d+ outputs before it, not \d+$"):
        replace(parameters, stages=parameters.stages[:1])
    with pytest.raises(ValueError, match=r"^A stage must read the \d+ outputs before it, not \d+$"):
        replace(parameters, stages=parameters.stages[1:])


def test_votes_for_classes_are_not_added_up_in_block_ram():
    parameters = UnrolledParameters.of(forest_parameters(grown_class_forest()))
    with pytest.raises(ValueError, match="^Votes for several classes must not be added up in block RAM$"):
        replace(parameters, sums_in_block_ram=True, rom=HALVES)


def test_tables_come_with_the_shape_of_a_block_ram():
    parameters = UnrolledParameters.of(forest_parameters(grown_forest()))
    with pytest.raises(ValueError, match="^Tables in block RAM must come with the shape of one$"):
        replace(parameters, sums_in_block_ram=True)
