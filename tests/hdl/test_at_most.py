"""Comparison with a constant, for every value and every constant."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from hdl.at_most import at_most


@pytest.mark.parametrize("width", [1, 2, 5])
def test_at_most_is_right_for_every_value_and_constant(width):
    value, constants = Signal(width), range(-1, (1 << width) + 1)
    m = Module()
    answers = Signal(len(constants))
    m.d.comb += [answers[at].eq(at_most(value, constant)) for at, constant in enumerate(constants)]
    seen = []

    async def run(ctx):
        for number in range(1 << width):
            ctx.set(value, number)
            await ctx.delay(1e-6)
            seen.append([ctx.get(answers) >> at & 1 for at in range(len(constants))])

    simulator = Simulator(m)
    simulator.add_testbench(run)
    simulator.run()
    assert seen == [[int(number <= constant) for constant in constants] for number in range(1 << width)]
