"""A pipeline of tables equals its network, in the clock that its latency says, and holds."""

import random

import numpy as np
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from hypothesis import given, settings
from hypothesis import strategies as st

from boards.ice40 import ICE40
from boards.synthesis import synthesise_alone
from compiler.emit import rtlil_text
from hdl.lut_network import Lut, LutNetwork, NetworkBuilder
from hdl.lut_pipeline import LutPipeline


def random_network(seed, tables=30, inputs=6):
    rng = random.Random(seed)
    builder = NetworkBuilder(inputs)
    nodes = [0, 1, *builder.inputs]
    for _ in range(tables):
        reads = rng.choices(nodes[-12:], k=rng.randint(1, 4))
        nodes.append(builder.lut(rng.getrandbits(1 << len(reads)), reads))
    return builder.network(rng.choices(nodes, k=5))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**20), levels_per_stage=st.integers(0, 3))
def test_equals_the_network_under_stalls(seed, levels_per_stage):
    network, rng = random_network(seed), random.Random(seed)
    rows = np.array([[rng.random() < 0.5 for _ in range(network.inputs)] for _ in range(20)])
    expected = [sum(int(bit) << at for at, bit in enumerate(row)) for row in network.evaluate(rows)]
    dut = LutPipeline(network=network, levels_per_stage=levels_per_stage)
    taken, seen = [], []

    async def run(ctx):
        while len(seen) < len(rows):
            moves = rng.random() < 0.7
            ctx.set(dut.enable, moves)
            ctx.set(dut.i, sum(int(bit) << at for at, bit in enumerate(rows[min(len(taken), len(rows) - 1)])))
            if moves:
                taken.append(1)
                if len(taken) > dut.latency:
                    seen.append(ctx.get(dut.o))
            await ctx.tick()

    # Without registers it has no clock of its own.
    m = Module()
    m.domains.sync = ClockDomain("sync")
    m.submodules.dut = dut
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(run)
    simulator.run()
    assert seen == expected


def test_latency_is_a_clock_for_every_stage():
    network = LutNetwork(2, (Lut(0b1000, (2, 3)), Lut(0b0110, (4, 2)), Lut(0b0110, (5, 3))), (6,))
    assert [LutPipeline.latency_of(network, levels) for levels in (0, 1, 2, 3, 9)] == [0, 3, 2, 1, 1]


def test_a_table_becomes_one_cell_and_no_reset(tmp_path):
    # A select by a constant arm, which synthesis turns into a reset where it can.
    builder = NetworkBuilder(8)
    bits = builder.inputs
    gated = [builder.lut(0b1000, (bits[at], builder.lut(0b0110, (bits[at + 1], bits[at + 2])))) for at in range(5)]
    network = builder.network(gated)
    dut = LutPipeline(network=network, levels_per_stage=1)
    (tmp_path / "pipeline.il").write_text(rtlil_text(dut, "pipeline"))
    cells = synthesise_alone(tmp_path / "pipeline.il", "pipeline", ICE40)
    assert cells["lut4"] <= len(network.luts)
    assert cells["carry"] == 0


def test_registers_that_no_table_leads_to():
    builder = NetworkBuilder(3)
    a, b, c = builder.inputs
    first = builder.lut(0b1000, [a, b])
    second = builder.lut(0b0110, [first, c])
    network = builder.network([second])
    # Behind both tables, and one for the input that waits; of two levels a stage the first is read at once.
    assert (LutPipeline.registers_of(network, 1), LutPipeline.lone_registers_of(network, 1)) == (3, 1)
    assert (LutPipeline.registers_of(network, 2), LutPipeline.lone_registers_of(network, 2)) == (1, 0)
    assert (LutPipeline.registers_of(network, 0), LutPipeline.lone_registers_of(network, 0)) == (0, 0)
    both = builder.network([first, second])
    assert (LutPipeline.registers_of(both, 2), LutPipeline.lone_registers_of(both, 2)) == (2, 1)
