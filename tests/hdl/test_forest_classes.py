"""The forest of several classes equals Forest.answer, keeps latency and interval as stated, and the stream law."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.forest import Forest, Leaf, Node, Tree
from compiler.plan import forest_parameters
from hdl.forest_parameters import ForestParameters
from hdl.forest_unrolled import CLASS_BOUNDARIES, UnrolledParameters
from sim.testbench import simulate
from tests.forests import class_forests, columns, grown_class_forest, rows_for
from tests.lookups import with_some_tables
from tests.stalled import stalled


def _payloads(rows):
    return [{f"feature_{at}": value for at, value in enumerate(row)} for row in rows.tolist()]


def _answers(forest, rows):
    return list(zip(*(part.tolist() for part in forest.answer(rows)), strict=True))


def run_stalled(parameters, payloads, seed, **registers):
    """Answers under random stalls on both sides; the stream law is watched meanwhile."""
    return run_circuit(UnrolledParameters.of(parameters, **registers).circuit(), payloads, seed)


def run_circuit(dut, payloads, seed):
    limit = 20 * len(payloads) + 100
    return stalled(dut, payloads, len(payloads), ("score", "class_index"), seed, limit_cycles=limit)


@settings(max_examples=50)
@given(
    forest=class_forests(),
    registered=st.frozensets(st.sampled_from(CLASS_BOUNDARIES)),
    levels_per_stage=st.integers(0, 4),
    seed=st.integers(0, 2**16),
)
def test_equals_forest_answer_under_stalls(forest, registered, levels_per_stage, seed):
    forest.verify(catalogue=False)
    rows = rows_for(forest, 25, seed)
    registers = {"registered": registered, "levels_per_stage": levels_per_stage}
    answers = run_stalled(forest_parameters(forest), _payloads(rows), seed, **registers)
    assert answers == _answers(forest, rows)


def test_tables_in_block_ram_give_the_same_answers():
    forest = grown_class_forest(names=("maxpl", "minttl", "slas"))
    rows = rows_for(forest, 25, 5)
    parameters = with_some_tables(
        forest_parameters(forest), 4, registered=frozenset(CLASS_BOUNDARIES), levels_per_stage=2
    )
    assert parameters.stages
    assert run_circuit(parameters.circuit(), _payloads(rows), 6) == _answers(forest, rows)


@pytest.mark.parametrize(
    ("registered", "levels_per_stage", "latency"),
    [
        ((), 0, 1),
        ((), 99, 2),
        (("sums",), 0, 2),
        (("tables", "sums"), 0, 3),
        (("score", "maxima"), 0, 3),
        (("score", "maxima"), 99, 4),
        (CLASS_BOUNDARIES, 99, 6),
    ],
)
def test_latency_and_interval_are_as_stated(registered, levels_per_stage, latency):
    """The classes have 16, 5 and 1 trees, so that the sums of two have to wait for the third."""
    grown = grown_class_forest(1, trees=22, depth=3)
    trees = [tree._replace(class_index=(at >= 16) + (at >= 21)) for at, tree in enumerate(grown.trees)]
    forest = Forest(name="uneven", columns=grown.columns, trees=tuple(trees), classes=("a", "b", "c"))
    rows = rows_for(forest, 40, 3)
    expected, payloads = _answers(forest, rows), _payloads(rows)
    parameters = UnrolledParameters.of(
        forest_parameters(forest), registered=frozenset(registered), levels_per_stage=levels_per_stage
    )
    dut = parameters.circuit()
    assert (dut.latency, dut.interval) == (latency, 1)

    async def run(ctx):
        ctx.set(dut.o.ready, 1)
        for cycle in range(len(rows) + latency):
            ctx.set(dut.i.valid, cycle < len(rows))
            if cycle < len(rows):
                ctx.set(dut.i.payload, payloads[cycle])
                assert ctx.get(dut.i.ready)
            assert ctx.get(dut.o.valid) == (cycle >= latency)
            if cycle >= latency:
                answer = ctx.get(dut.o.payload)
                assert (answer.score, answer.class_index) == expected[cycle - latency]
            await ctx.tick()

    simulate(dut, run, limit_cycles=len(rows) + latency + 2)


def test_parameters_say_what_is_wrong():
    tree = Tree(1, (Node(0, 1, 1, 2), Leaf(0), Leaf(1)))
    with pytest.raises(ValueError, match="^Trees must be of each of 2 scores, of several classes at least 2$"):
        ForestParameters(feature_widths=(4,), trees=(tree,), classes=2)
    with pytest.raises(ValueError, match="^Trees must be of each of 1 scores, of several classes at least 2$"):
        ForestParameters(feature_widths=(4,), trees=(tree, tree._replace(class_index=1)))
    two = Forest(name="two", columns=columns("maxpl"), trees=(tree, tree._replace(class_index=1)), classes=("a", "b"))
    with pytest.raises(ValueError, match="^Registered boundaries must be among .*'maxima'.*, not .'verdict'.$"):
        UnrolledParameters.of(forest_parameters(two), registered=frozenset({"verdict"}))
