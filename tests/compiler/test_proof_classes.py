"""Proofs of forests of several classes: good circuits are proved, and every planted fault is found and named."""

import dataclasses
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compiler
from compiler.emit import rtlil_text
from compiler.errors import CheckFailed, InputError
from compiler.exporting import FOREST_MODULE
from compiler.plan import forest_parameters
from compiler.proof.netlist import Comparison, Gate, Register, read_netlist
from compiler.proof.prove import prove
from compiler.proof.unrolled import prove_circuit
from hdl.forest_unrolled import CLASS_BOUNDARIES, UnrolledParameters
from hdl.tree import Leaf
from sim.forest_check import check_forest
from tests.forests import class_forests, grown_class_forest

pytest.importorskip("z3", reason="needs the optional z3-solver")


def netlist_of(forest, directory, **options):
    """The circuit of a forest, read back from its RTLIL, and its latency."""
    circuit = UnrolledParameters.of(forest_parameters(forest), **options).circuit()
    (directory / "design.il").write_text(rtlil_text(circuit, FOREST_MODULE))
    return read_netlist(directory / "design.il", FOREST_MODULE), circuit.latency


@settings(max_examples=25, deadline=None)
@given(forest=class_forests(), registered=st.frozensets(st.sampled_from(CLASS_BOUNDARIES)), levels=st.integers(0, 3))
def test_all_shapes_are_proved(forest, registered, levels, tmp_path_factory):
    directory = tmp_path_factory.mktemp("circuit")
    netlist, latency = netlist_of(forest, directory, registered=registered, levels_per_stage=levels)
    assert prove_circuit(netlist, forest, latency).trees == len(forest.trees)


def with_many_leaves(forest):
    """Small leaves of all kinds, so that all bits of the scores change and ties are many."""
    rng = random.Random(1)

    def leaf(node):
        return Leaf(rng.randint(-5, 5)) if isinstance(node, Leaf) else node

    trees = (tree._replace(weight=1, nodes=tuple(map(leaf, tree.nodes))) for tree in forest.trees)
    return dataclasses.replace(forest, trees=tuple(trees))


FOREST = with_many_leaves(grown_class_forest(5, trees=3, depth=3))


@pytest.fixture(scope="module")
def circuit(tmp_path_factory):
    return netlist_of(
        FOREST, tmp_path_factory.mktemp("circuit"), registered=frozenset(CLASS_BOUNDARIES), levels_per_stage=2
    )


def with_tree(forest, at, **changes):
    trees = list(forest.trees)
    trees[at] = trees[at]._replace(**changes)
    return dataclasses.replace(forest, trees=tuple(trees))


def changed(netlist, drivers):
    return dataclasses.replace(netlist, drivers={**netlist.drivers, **drivers})


def test_the_whole_is_proved(circuit):
    assert prove_circuit(circuit[0], FOREST, circuit[1]).trees == 15


def test_many_classes_are_proved(tmp_path):
    forest = grown_class_forest(20, trees=2, depth=2)
    netlist, latency = netlist_of(forest, tmp_path, levels_per_stage=1)
    assert prove_circuit(netlist, forest, latency).trees == 40


def test_a_vote_for_another_class_is_found(circuit):
    other = with_tree(FOREST, 7, class_index=3)
    with pytest.raises(CheckFailed, match="^class 'class [23]': "):
        prove_circuit(circuit[0], other, circuit[1])


def test_a_wrong_leaf_and_a_wrong_weight_are_found(circuit):
    nodes = list(FOREST.trees[4].nodes)
    at = next(at for at, node in enumerate(nodes) if isinstance(node, Leaf))
    nodes[at] = Leaf(-nodes[at].value)
    with pytest.raises(CheckFailed, match=rf"tree 4, node {at}: the vote is "):
        prove_circuit(circuit[0], with_tree(FOREST, 4, nodes=tuple(nodes)), circuit[1])
    with pytest.raises(CheckFailed, match=r"^class 'class 1': .* a word that is not the votes of .*tree 6 with code"):
        prove_circuit(circuit[0], with_tree(FOREST, 6, weight=2), circuit[1])


def comparisons(netlist):
    return [bit for bit, driver in netlist.drivers.items() if isinstance(driver, Comparison)]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    "fault",
    [
        lambda driver: driver._replace(kind="$le"),  # the right one wins ties
        lambda driver: driver._replace(signed=False),
        lambda driver: driver._replace(a=driver.b, b=driver.a),
        lambda driver: driver._replace(a=("0", *driver.a[1:])),
        lambda driver: Gate("$_BUF_", ("0",)),
    ],
)
def test_a_wrong_comparison_is_found(circuit, number, fault):
    netlist, latency = circuit
    bits = comparisons(netlist)
    assert len(bits) == 4
    drivers = {bits[number]: fault(netlist.drivers[bits[number]])}
    with pytest.raises(CheckFailed, match="of class [0-4].* with score .* the circuit goes on with score"):
        prove_circuit(changed(netlist, drivers), FOREST, latency)


def test_a_score_of_another_class_is_found(circuit):
    """Two neighbours that have changed places keep every sum, but neither their indices nor their ties."""
    netlist, latency = circuit
    nets = {**netlist.nets, "sum_1": netlist.net("sum_2"), "sum_2": netlist.net("sum_1")}
    with pytest.raises(CheckFailed):
        prove_circuit(dataclasses.replace(netlist, nets=nets), FOREST, latency)


def test_every_changed_gate_is_found(circuit):
    """Of 60 gates spread over the circuit, and all of the choices, each turned into its opposite, all are noticed."""
    netlist, latency = circuit
    payload = netlist.net("o__payload")
    gates = [bit for bit in netlist.cone(payload) if isinstance(netlist.drivers.get(bit), Gate)]
    choices = [
        bit for bit in gates if netlist.drivers[bit].kind == "$_MUX_" and "winner" in str(netlist.names.get(bit))
    ]
    assert len(choices) > 20
    opposite = {"$_AND_": "$_OR_", "$_OR_": "$_AND_", "$_XOR_": "$_XNOR_", "$_NOT_": "$_BUF_"}
    count = 0
    for bit in {*gates[:: len(gates) // 60], *choices}:
        kind, reads = netlist.drivers[bit]
        # Two cases of a table may be tested for at once where one of them goes before the other: that is no fault.
        if "simplemap_reduce" in str(netlist.names.get(bit)):
            continue
        if kind in opposite:
            fault = Gate(opposite[kind], reads)
        elif kind == "$_MUX_" and reads[0] != reads[1]:
            fault = Gate(kind, (reads[1], reads[0], reads[2]))
        else:
            continue
        with pytest.raises(CheckFailed):
            prove_circuit(changed(netlist, {bit: fault}), FOREST, latency)
        count += 1
    assert count > 50


def test_each_missing_register_is_found(circuit):
    netlist, latency = circuit
    registers = [
        bit for bit in netlist.cone(netlist.net("o__payload")) if isinstance(netlist.drivers.get(bit), Register)
    ]
    for bit in registers[:: len(registers) // 12]:
        with pytest.raises(
            CheckFailed, match="mixes flows|registers behind the input|valid bit|straight from a register"
        ):
            prove_circuit(changed(netlist, {bit: Gate("$_BUF_", (netlist.drivers[bit].data,))}), FOREST, latency)


def test_an_export_is_checked_and_proved(tmp_path):
    compiler.export(
        grown_class_forest(names=("maxpl", "rslas", "mintw")), tmp_path / "e", board="icebreaker", top="forest"
    )
    assert check_forest(tmp_path / "e").mismatches == 0
    proof = prove(tmp_path / "e")
    manifest = json.loads((tmp_path / "e" / "manifest.json").read_text())
    assert manifest["evidence"]["proved"]["trees"] == proof.trees == 12
    assert manifest["forest"]["classes"] == ["class 0", "class 1", "class 2"]
    assert [field["name"] for field in manifest["answer"]] == ["score", "class_index"]


def test_a_probe_of_classes_is_refused(tmp_path):
    message = "^forest 'grown': tells 3 classes apart, but the records of a probe carry a verdict: export it with --top"
    with pytest.raises(InputError, match=message):
        compiler.export(grown_class_forest(names=("maxpl", "rslas")), tmp_path / "e", board="icebreaker")
    assert list(tmp_path.iterdir()) == []
