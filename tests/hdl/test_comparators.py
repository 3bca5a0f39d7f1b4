"""Comparators against their model, and without a single carry."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.sim import Simulator

from boards.ice40 import synthesise_alone
from compiler.emit import rtlil_text
from compiler.plan import forest_parameters
from hdl.comparators import Comparators, at_most
from tests.forests import grown_forest


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


def test_circuit_equals_model():
    layout = data.StructLayout({"feature_0": 8, "feature_1": 24, "feature_2": 1})
    thresholds = ((0, 0), (0, 37), (0, 255), (1, 0x00FFFF), (1, 0x812345), (2, 0), (2, 1))
    dut = Comparators(layout=layout, thresholds=thresholds)
    rng = np.random.default_rng(5)
    rows = rng.integers(0, [256, 1 << 24, 2], (300, 3))
    rows[:7] = [[t if feature == at else 0 for at in range(3)] for feature, t in thresholds]
    expected = Comparators.model(rows, thresholds)
    seen = []

    async def run(ctx):
        for row in rows.tolist():
            ctx.set(dut.features, dict(zip(layout.members, row, strict=True)))
            await ctx.delay(1e-6)
            seen.append([ctx.get(dut.at_most) >> at & 1 for at in range(len(thresholds))])

    simulator = Simulator(dut)
    simulator.add_testbench(run)
    simulator.run()
    assert seen == expected.tolist()


def test_comparators_use_no_carry_chain(tmp_path):
    parameters = forest_parameters(grown_forest(trees=8))
    dut = Comparators(layout=parameters.features_layout, thresholds=parameters.thresholds)
    (tmp_path / "comparators.il").write_text(rtlil_text(dut, "comparators"))
    cells = synthesise_alone(tmp_path / "comparators.il", "comparators")
    assert cells["carry"] == 0
    assert cells["lut4"] > 0
