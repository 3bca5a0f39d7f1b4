"""Proofs of circuits with tables in block RAM: all shapes are proved, and a wrong word of any table is found."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.emit import rtlil_text
from compiler.errors import CheckFailed, InputError
from compiler.exporting import FOREST_MODULE
from compiler.forest import Node
from compiler.plan import forest_parameters
from compiler.proof.netlist import read_netlist
from compiler.proof.rom import Lookup
from compiler.proof.unrolled import prove_circuit
from hdl.forest_unrolled import BOUNDARIES
from tests.forests import class_forests, forests, grown_forest
from tests.lookups import HALVES, WHOLE, with_some_tables

pytest.importorskip("z3", reason="needs the optional z3-solver")


def read_back(parameters, directory):
    """The netlist of a circuit from its RTLIL, and its latency."""
    circuit = parameters.circuit()
    (directory / "design.il").write_text(rtlil_text(circuit, FOREST_MODULE))
    return read_netlist(directory / "design.il", FOREST_MODULE), circuit.latency


@settings(max_examples=15, deadline=None)
@given(
    forest=st.one_of(forests(), class_forests(most_classes=3)),
    rom=st.sampled_from([HALVES, WHOLE]),
    registered=st.frozensets(st.sampled_from(BOUNDARIES)),
    levels=st.integers(0, 3),
    seed=st.integers(0, 2**16),
)
def test_all_shapes_are_proved(forest, rom, registered, levels, seed, tmp_path_factory):
    parameters = with_some_tables(forest_parameters(forest), seed, rom, registered=registered, levels_per_stage=levels)
    netlist, latency = read_back(parameters, tmp_path_factory.mktemp("circuit"))
    proof = prove_circuit(netlist, forest, latency, table_bits=parameters.vote_table_bits)
    assert proof.trees == len(forest.trees)


FOREST = grown_forest(names=("maxpl", "rslas", "mintw"), trees=12, depth=3)
PARAMETERS = with_some_tables(forest_parameters(FOREST), 9, registered=frozenset({"score"}), levels_per_stage=3)


def test_the_circuit_has_tables_of_all_kinds():
    held = {table.holds.split(" of ")[0] for rom in PARAMETERS.roms.values() for table in rom}
    assert held == {"buckets", "comparisons", "votes"}
    assert len(PARAMETERS.stages) == 2


def with_wrong_word(stage, at):
    """The circuit whose table has every bit of the word wrong that a flow of zeros looks up."""
    row = np.zeros((1, PARAMETERS.stages[0].network.inputs), bool)
    for before in PARAMETERS.stages[:stage]:
        row = before.evaluate(row)
    changed = PARAMETERS.stages[stage]
    tables = list(changed.tables)
    start = sum(table.address_width for table in tables[:at])
    address = changed.network.evaluate(row)[0, start : start + tables[at].address_width]
    words = list(tables[at].words)
    words[int(address @ (1 << np.arange(len(address))))] ^= (1 << tables[at].width) - 1
    tables[at] = replace(tables[at], words=tuple(words))
    stages = list(PARAMETERS.stages)
    stages[stage] = replace(changed, tables=tuple(tables))
    return replace(PARAMETERS, stages=tuple(stages))


@pytest.mark.parametrize("stage", [0, 1])
def test_a_wrong_word_is_found(tmp_path, stage):
    tables = PARAMETERS.stages[stage].tables
    for at, table in {0: tables[0], len(tables) - 1: tables[-1]}.items():
        wrong = with_wrong_word(stage, at)
        netlist, latency = read_back(wrong, tmp_path)
        with pytest.raises(CheckFailed) as failure:
            prove_circuit(netlist, FOREST, latency, table_bits=wrong.vote_table_bits)
        said = str(failure.value)
        tree, node = map(int, re.search(r"tree (\d+), node (\d+): the vote is ", said).groups())
        feature = int(re.search(r"feature (\d+)", table.holds)[1])
        # The counterexample asks for the feature whose table is wrong, and the tree goes where the message says.
        values = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", said)}
        assert FOREST.columns[feature].name in values
        assert reached(tree, [values.get(column.name, 0) for column in FOREST.columns]) == node


def reached(tree, features):
    at, nodes = 0, FOREST.trees[tree].nodes
    while isinstance(node := nodes[at], Node):
        at = node.left if features[node.feature] <= node.threshold else node.right
    return at


@pytest.fixture(scope="module")
def circuit(tmp_path_factory):
    return read_back(PARAMETERS, tmp_path_factory.mktemp("circuit"))


def prove_changed(circuit, drivers):
    netlist, latency = circuit
    netlist = replace(netlist, drivers=netlist.drivers | drivers)
    prove_circuit(netlist, FOREST, latency, table_bits=PARAMETERS.vote_table_bits)


@pytest.mark.parametrize("code", [0, 300, 511])
def test_a_wrong_sum_is_found(circuit, code):
    lookups = {
        bit: driver
        for bit, driver in circuit[0].drivers.items()
        if isinstance(driver, Lookup) and driver.name.startswith("adder.rom_0")
    }
    prove_changed(circuit, {})
    bit, lookup = next(iter(lookups.items()))
    with pytest.raises(CheckFailed, match=r"trees? .*code"):
        prove_changed(circuit, {bit: lookup._replace(table=lookup.table ^ 1 << code)})


def test_a_rom_that_does_not_hold_is_found(circuit):
    netlist = circuit[0]
    bit = next(-bit for bit, driver in netlist.drivers.items() if isinstance(driver, Lookup))
    with pytest.raises(CheckFailed, match="does not move with the pipeline"):
        prove_changed(circuit, {bit: netlist.drivers[bit]._replace(enable="1")})


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"(cell \$meminit_v2 [^\n]*\n(?:(?!end\n)[^\n]*\n)*?    connect \\DATA \d+')[01]", r"\1x"),
        (r"(cell \$memrd_v2 [^\n]*\n(?:    parameter [^\n]*\n)*?    parameter \\CLK_POLARITY )1", r"\g<1>0"),
    ],
)
def test_what_is_no_plain_rom_is_refused(tmp_path, pattern, instead):
    text, count = re.subn(pattern, instead, rtlil_text(PARAMETERS.circuit(), FOREST_MODULE), count=1)
    assert count == 1
    (tmp_path / "design.il").write_text(text)
    with pytest.raises(InputError, match="is no table of constants with registers that only an enable holds$"):
        read_netlist(tmp_path / "design.il", FOREST_MODULE)
