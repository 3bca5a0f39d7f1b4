"""Networks of tables: what the builder leaves out, levels, evaluation, and what is refused."""

import itertools

import numpy as np
import pytest

from hdl.lut_network import FALSE, TRUE, Lut, LutNetwork, NetworkBuilder


def rows_of(inputs):
    """All values of some inputs, the first input in bit 0."""
    return np.array([values[::-1] for values in itertools.product((0, 1), repeat=inputs)], bool)


def test_a_table_reads_its_first_input_in_bit_0():
    network = LutNetwork(2, (Lut(0b0010, (2, 3)),), (4, 3, FALSE, TRUE))
    assert network.evaluate(rows_of(2)).astype(int).tolist() == [[0, 0, 0, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 0, 1]]


def test_levels_and_depth():
    network = LutNetwork(2, (Lut(0b1000, (2, 3)), Lut(0b0110, (4, 2)), Lut(0b01, (3,))), (5, 6))
    assert network.levels == (0, 0, 0, 0, 1, 2, 1)
    assert network.depth == 2
    assert LutNetwork(1, (), (2,)).depth == 0


def test_what_is_superfluous_is_left_out():
    builder = NetworkBuilder(3)
    a, b, c = builder.inputs
    conjunction = builder.lut(0b1000, (a, b))
    assert builder.lut(0b1000, (b, a)) == conjunction
    assert builder.lut(0b1000, (a, TRUE)) == a
    assert builder.lut(0b1000, (a, FALSE)) == FALSE
    assert builder.lut(0b1110, (a, a)) == a
    assert builder.lut(0b0110, (a, a)) == FALSE
    assert builder.lut(0b1001, (c, c)) == TRUE
    assert builder.lut(0b1111_0000, (a, b, c)) == c
    assert builder.select(c, a, a) == a
    assert builder.select(TRUE, a, b) == a
    assert builder.select(FALSE, a, b) == b
    builder.lut(0b0110, (a, c))
    assert builder.network([conjunction]).luts == (Lut(0b1000, (a, b)),)


def test_select():
    builder = NetworkBuilder(3)
    select, high, low = builder.inputs
    network = builder.network([builder.select(select, high, low)])
    rows = rows_of(3)
    assert network.evaluate(rows)[:, 0].tolist() == np.where(rows[:, 0], rows[:, 1], rows[:, 2]).tolist()


@pytest.mark.parametrize(
    ("luts", "outputs", "message"),
    [
        ((Lut(1, ()),), (), "Table 0 must have 1 to 4 inputs"),
        ((Lut(16, (2, 3)),), (), "Table 0 must have 1 to 4 inputs and a bit"),
        ((Lut(1, (4,)),), (), r"Table 0 must read nodes before it, not \(4,\)"),
        ((), (4,), r"Outputs must be nodes of the network, not \(4,\)"),
    ],
)
def test_wrong_networks_are_named(luts, outputs, message):
    with pytest.raises(ValueError, match=message):
        LutNetwork(2, luts, outputs)
