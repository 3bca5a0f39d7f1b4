"""Networks as BLIF text: there and back, and what is no such text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.blif import blif_text, parse_blif
from compiler.errors import InputError
from hdl.lut_network import Lut, LutNetwork
from tests.hdl.test_lut_network import rows_of
from tests.hdl.test_lut_pipeline import random_network


@given(seed=st.integers(0, 2**20))
def test_there_and_back(seed):
    network = random_network(seed)
    assert parse_blif(blif_text(network)) == network


@given(seed=st.integers(0, 2**20))
def test_tables_in_any_order(seed):
    network = random_network(seed)
    head, *tables = blif_text(network).removesuffix(".end\n").split("\n.names ")
    random.Random(seed).shuffle(tables)
    shuffled = parse_blif("\n.names ".join([head, *tables]))
    assert (len(shuffled.luts), shuffled.depth) == (len(network.luts), network.depth)
    assert (shuffled.evaluate(rows_of(network.inputs)) == network.evaluate(rows_of(network.inputs))).all()


def test_rows_of_other_writers():
    text = ".model m # as ABC has it\n.inputs i0 \\\n i1\n.outputs o0\n.names a b o0\n1- 1\n-1 1\n"
    text += ".names i0 a\n1 1\n.names i1 b\n0 1\n.end\n"
    assert parse_blif(text) == LutNetwork(2, (Lut(0b01, (3,)), Lut(0b1110, (2, 4))), (5,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".model m\n.latch a b\n", "n.blif: '.latch' is not of a network of tables"),
        (".inputs x\n.outputs o0\n", "n.blif: inputs must be i0 to i0"),
        (".inputs i0\n.outputs o0\n.names a o0\n1 1\n", "n.blif: 'a' is read and made nowhere"),
        (".inputs i0\n.outputs o0\n", "n.blif: output o0 is made nowhere"),
        (".inputs i0\n.outputs o0\n.names a o0\n1 1\n.names o0 a\n1 1\n", "n.blif: must not have a cycle"),
    ],
)
def test_wrong_text_is_named(text, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        parse_blif(text, "n.blif")
