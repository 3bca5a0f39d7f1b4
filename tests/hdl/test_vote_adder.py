"""VoteCode and VoteAdder by themselves: codes, tables, constants, registers that hold."""

import random

import pytest
from amaranth.hdl import ClockDomain, Module, Shape
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.tree import Leaf, Node, Tree
from hdl.vote_adder import VoteAdder
from hdl.vote_code import TABLE_BITS, VoteCode


def stump(weight: int, *values: int) -> Tree:
    """A tree of these leaf values over one feature."""
    nodes: list[Node | Leaf] = []
    for at, value in enumerate(values[:-1]):
        nodes += [Node(0, at, 2 * at + 1, 2 * at + 2), Leaf(value)]
    return Tree(weight, (*nodes, Leaf(values[-1])))


@pytest.mark.parametrize(
    ("tree", "width", "lowest", "steps"),
    [
        (stump(7, 3), 0, 21, {0: 0}),
        (stump(2500, -1, 1), 1, -2500, {0: 0, 1: 5000}),
        (stump(2500, 1, -1), 1, -2500, {0: 0, 1: 5000}),
        (stump(2, 5, -3, 0), 2, -6, {0: 0, 1: 6, 2: 16}),
        (stump(1, *range(16)), 4, 0, {at: at for at in range(16)}),
    ],
)
def test_few_votes_travel_as_their_number(tree, width, lowest, steps):
    assert VoteCode.of(tree) == VoteCode(width, lowest, steps, True)


def test_many_votes_travel_as_they_are():
    code = VoteCode.of(stump(3, *range(-10, 7)))
    assert (code.width, code.lowest, code.tabulated) == (6, -30, False)
    assert code.steps == {3 * step: 3 * step for step in range(17)}


TREES = st.lists(
    st.builds(
        lambda weight, values: stump(weight, *values),
        st.integers(1, 4000),
        st.lists(st.integers(-40, 40), min_size=1, max_size=20),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=50)
@given(trees=TREES, registered=st.sets(st.sampled_from(["tables", "sums"])), seed=st.integers(0, 2**16))
def test_sum_equals_model(trees, registered, seed):
    rng = random.Random(seed)
    codes = tuple(map(VoteCode.of, trees))
    ends = [sum(pick(code.steps.values()) + code.lowest for code in codes) for pick in (min, max)]
    dut = VoteAdder(
        codes=codes, shape=Shape.cast(range(min(-1, ends[0]), ends[1] + 1)), registered=frozenset(registered)
    )
    inputs = [[rng.choice(list(code.steps)) for code in codes] for _ in range(12)]
    seen = []

    async def run(ctx):
        for cycle in range(len(inputs) + dut.latency):
            for at, number in enumerate(inputs[min(cycle, len(inputs) - 1)]):
                ctx.set(getattr(dut, f"code_{at}"), number)
            ctx.set(dut.enable, 0)
            await ctx.tick()  # nothing moves
            ctx.set(dut.enable, 1)
            if cycle >= dut.latency:
                await ctx.delay(1e-8)
                seen.append(ctx.get(dut.total))
            await ctx.tick()

    m = Module()
    m.submodules.dut = dut
    m.domains.sync = ClockDomain()  # without registers the adder has no clock of its own
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    assert seen == [VoteAdder.model(codes, numbers) for numbers in inputs]


def test_sixteen_trees_of_two_votes_make_four_tables():
    codes = (VoteCode.of(stump(1, -1, 1)),) * 16
    assert VoteAdder.latency_of(codes, frozenset({"tables", "sums"})) == 1 + 1
    assert VoteAdder.latency_of(codes * 4, frozenset({"tables", "sums"})) == 1 + 3
    assert TABLE_BITS == 4
