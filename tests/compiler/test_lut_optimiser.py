"""Fewer tables, the same function."""

import numpy as np
import pytest

from compiler.blif import blif_text, parse_blif
from compiler.lut_optimiser import with_fewer_tables
from compiler.plan import forest_parameters
from hdl.forest_network import forest_network
from hdl.lut_network import LutNetwork
from tests.forests import grown_forest
from tests.hdl.test_lut_network import rows_of
from tests.hdl.test_lut_pipeline import random_network


@pytest.mark.parametrize("seed", range(4))
def test_all_inputs_of_random_networks(seed):
    network = random_network(seed, tables=60, inputs=10)
    fewer = with_fewer_tables(network)
    assert len(fewer.luts) < len(network.luts)
    assert (fewer.evaluate(rows_of(10)) == network.evaluate(rows_of(10))).all()


def test_a_forest_gets_smaller_and_always_the_same():
    network = forest_network(forest_parameters(grown_forest(trees=16)))
    fewer = with_fewer_tables(network)
    assert len(fewer.luts) < 0.95 * len(network.luts)
    rows = np.random.default_rng(1).random((2000, network.inputs)) < 0.5
    assert (fewer.evaluate(rows) == network.evaluate(rows)).all()
    assert with_fewer_tables(network) == fewer
    # What an export holds is read back as the very same circuit.
    assert parse_blif(blif_text(fewer)) == fewer


def test_a_network_without_tables_stays():
    network = LutNetwork(2, (), (3, 0, 1))
    assert with_fewer_tables(network) == network
