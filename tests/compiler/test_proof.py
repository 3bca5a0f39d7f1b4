"""Proofs: good circuits are proved, and every planted fault is found and named."""

import dataclasses
import json
import re
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compiler
from compiler.emit import rtlil_text
from compiler.errors import CheckFailed, InputError
from compiler.exporting import FOREST_MODULE
from compiler.forest import Band, Column, Forest
from compiler.manifest import read_manifest
from compiler.plan import forest_parameters
from compiler.proof.netlist import Gate, Register, read_netlist
from compiler.proof.prove import prove
from compiler.proof.unrolled import prove_circuit
from hdl.forest_unrolled import BOUNDARIES, UnrolledParameters
from hdl.tree import Leaf, Node, Tree
from tests.forests import forests, grown_forest, one_tree

pytest.importorskip("z3", reason="needs the optional z3-solver")


def netlist_of(forest: Forest, directory, **options):
    """The circuit of a forest, read back from its RTLIL, and its latency."""
    circuit = UnrolledParameters.of(forest_parameters(forest), **options).circuit()
    (directory / "design.il").write_text(rtlil_text(circuit, FOREST_MODULE))
    return read_netlist(directory / "design.il", FOREST_MODULE), circuit.latency


@settings(max_examples=25, deadline=None)
@given(forest=forests(), registered=st.frozensets(st.sampled_from(BOUNDARIES)), levels=st.integers(0, 3))
def test_all_shapes_are_proved(forest, registered, levels, tmp_path_factory):
    directory = tmp_path_factory.mktemp("circuit")
    netlist, latency = netlist_of(forest, directory, registered=registered, levels_per_stage=levels)
    proof = prove_circuit(netlist, forest, latency)
    assert proof.trees == len(forest.trees)


FOREST = grown_forest(trees=5, depth=3)


@pytest.fixture(scope="module")
def circuit(tmp_path_factory):
    return netlist_of(FOREST, tmp_path_factory.mktemp("circuit"), registered=frozenset(BOUNDARIES), levels_per_stage=2)


def with_node(forest, tree, at, node):
    nodes = list(forest.trees[tree].nodes)
    nodes[at] = node
    trees = list(forest.trees)
    trees[tree] = trees[tree]._replace(nodes=tuple(nodes))
    return dataclasses.replace(forest, trees=tuple(trees))


def reached(forest, tree, features):
    """The leaf that a flow reaches."""
    at = 0
    while isinstance(node := forest.trees[tree].nodes[at], Node):
        at = node.left if features[node.feature] <= node.threshold else node.right
    return at


@pytest.mark.parametrize("tree", range(5))
@pytest.mark.parametrize("off", [-1, 1])
def test_a_threshold_off_by_one_is_found(circuit, tree, off):
    root = FOREST.trees[tree].nodes[0]
    other = with_node(FOREST, tree, 0, root._replace(threshold=max(root.threshold + off, 0)))
    if other == FOREST:
        pytest.skip("the threshold is 0")
    with pytest.raises(CheckFailed) as failure:
        prove_circuit(circuit[0], other, circuit[1])
    said = str(failure.value)
    # The counterexample holds: the two forests part there.
    assert f"tree {tree}, node " in said
    values = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", said)}
    features = [values.get(column.name, 0) for column in FOREST.columns]
    leaf = int(re.search(r"node (\d+):", said)[1])
    assert leaf == reached(other, tree, features) != reached(FOREST, tree, features)


def test_a_flipped_leaf_is_found(circuit):
    at = next(at for at, node in enumerate(FOREST.trees[2].nodes) if isinstance(node, Leaf))
    other = with_node(FOREST, 2, at, Leaf(-FOREST.trees[2].nodes[at].value))
    with pytest.raises(CheckFailed, match=rf"tree 2, node {at}: the vote is "):
        prove_circuit(circuit[0], other, circuit[1])


def test_a_wrong_weight_is_found(circuit):
    trees = list(FOREST.trees)
    trees[3] = trees[3]._replace(weight=trees[3].weight + 1)
    with pytest.raises(CheckFailed, match="tree 3"):
        prove_circuit(circuit[0], dataclasses.replace(FOREST, trees=tuple(trees)), circuit[1])


@pytest.mark.parametrize("band", [Band(-700, 410), Band(-710, 400)])
def test_a_wrong_band_is_found(circuit, band):
    # Steps of 10 so that a score lies between: one that no flow can make is no fault.
    with pytest.raises(CheckFailed, match=r"the verdict is not that of the band"):
        prove_circuit(circuit[0], dataclasses.replace(FOREST, band=band), circuit[1])


def test_each_missing_register_is_found(circuit):
    netlist, latency = circuit
    registers = [
        bit for bit in netlist.cone(netlist.net("o__payload")) if isinstance(netlist.drivers.get(bit), Register)
    ]
    assert len(registers) > 50
    for bit in registers[:: len(registers) // 12]:
        drivers = dict(netlist.drivers)
        drivers[bit] = Gate("$_BUF_", (drivers[bit].data,))
        with pytest.raises(
            CheckFailed, match="mixes flows|registers behind the input|valid bit|straight from a register"
        ):
            prove_circuit(dataclasses.replace(netlist, drivers=drivers), FOREST, latency)


def test_a_register_that_does_not_hold_is_found(circuit):
    netlist, latency = circuit
    bit = next(
        bit
        for bit in netlist.cone(netlist.net("total"))
        if isinstance(netlist.drivers.get(bit), Register) and netlist.drivers[bit].enable != "1"
    )
    drivers = {**netlist.drivers, bit: netlist.drivers[bit]._replace(enable="1")}
    with pytest.raises(CheckFailed, match="does not move with the pipeline"):
        prove_circuit(dataclasses.replace(netlist, drivers=drivers), FOREST, latency)


def changed(netlist, drivers):
    return dataclasses.replace(netlist, drivers={**netlist.drivers, **drivers})


def test_a_constant_answer_is_no_answer(tmp_path):
    """The range of the forest as it was trained may be wider than the score of the circuit."""
    forest = one_tree(
        trees=(Tree(1, (Node(1, 1, 1, 2), Node(0, 1400, 3, 4), Leaf(5002), Leaf(-1), Leaf(1))),),
    )
    netlist, latency = netlist_of(forest, tmp_path)
    prove_circuit(netlist, forest, latency)
    silent = {bit: netlist.drivers[bit]._replace(data="0") for bit in netlist.net("o__payload")}
    with pytest.raises(CheckFailed):
        prove_circuit(changed(netlist, silent), forest, latency)


def test_what_lies_behind_the_last_register_is_found(circuit):
    netlist, latency = circuit
    (valid,), (ready,), answer = netlist.net("o__valid"), netlist.net("i__ready"), netlist.net("o__payload")[2]
    inverted = {9999: netlist.drivers[valid], valid: Gate("$_NOT_", (9999,))}
    while_waiting = {
        9001: netlist.drivers[answer],
        9002: Gate("$_NOT_", (9001,)),
        answer: Gate("$_MUX_", (9002, 9001, ready)),
    }
    for fault in (inverted, while_waiting):
        with pytest.raises(CheckFailed):
            prove_circuit(changed(netlist, fault), FOREST, latency)


def test_a_constant_that_comes_late_is_found(circuit):
    netlist, latency = circuit
    bit = netlist.net("o__payload")[2]
    register = netlist.drivers[bit]
    chain = {9000: register._replace(data="1")}
    chain |= {9000 + at: register._replace(data=8999 + at) for at in range(1, 20)}
    # Set with the constant, which is 0 for the first flows: AND of the answer with it.
    chain |= {9100: Gate("$_AND_", (register.data, 9019)), bit: register._replace(data=9100)}
    with pytest.raises(CheckFailed, match="a constant comes too late"):
        prove_circuit(changed(netlist, chain), FOREST, latency)


def test_another_clock_is_found(circuit):
    netlist, latency = circuit
    bit = netlist.net("o__payload")[2]
    other = {bit: netlist.drivers[bit]._replace(clock=netlist.net("rst")[0])}
    with pytest.raises(CheckFailed, match="is not clocked by clk"):
        prove_circuit(changed(netlist, other), FOREST, latency)


@pytest.mark.parametrize(
    "line",
    [
        r"connect \i__payload [0] \i__payload [3]",
        r"connect \rst \i__valid",
        r"connect \o__valid \i__valid",
        r"connect \i__ready \i__valid",
        r"connect \i__valid \o__ready",
    ],
)
def test_a_short_is_found(tmp_path, line):
    circuit = UnrolledParameters.of(forest_parameters(FOREST)).circuit()
    text = rtlil_text(circuit, FOREST_MODULE)
    at = text.index("\nend\n", text.index(f"module \\{FOREST_MODULE}\n"))
    (tmp_path / "design.il").write_text(f"{text[:at]}\n  {line}{text[at:]}")
    with pytest.raises((CheckFailed, InputError)):
        prove_circuit(read_netlist(tmp_path / "design.il", FOREST_MODULE), FOREST, circuit.latency)


@pytest.mark.parametrize("shared", [False, True])
def test_trees_that_ask_the_same_are_proved(tmp_path, shared):
    """Equal trees share the bits of their codes, and so do those whose first tests are equal."""
    if shared:
        leaves = (Leaf(-9), Leaf(-2), Leaf(3), Leaf(8))
        trees = [
            Tree(1000 + at, (Node(0, 100, 1, 2), Node(1, 7 * at + 1, 3, 4), Node(2, 9 * at + 1, 5, 6), *leaves))
            for at in range(13)
        ]
    else:
        trees = [Tree(1000 + at, (Node(0, 100 + at // 2, 1, 2), Leaf(-1), Leaf(1))) for at in range(34)]
    forest = Forest(name="alike", columns=tuple(Column(f"f{at}", 16) for at in range(3)), trees=tuple(trees))
    netlist, latency = netlist_of(forest, tmp_path, levels_per_stage=1)
    assert prove_circuit(netlist, forest, latency).trees == len(trees)


def test_every_changed_gate_is_found(circuit):
    """Of 60 gates spread over the circuit, each turned into its opposite, none goes unnoticed."""
    netlist, latency = circuit
    gates = [bit for bit in netlist.cone(netlist.net("o__payload")) if isinstance(netlist.drivers.get(bit), Gate)]
    opposite = {"$_AND_": "$_OR_", "$_OR_": "$_AND_", "$_XOR_": "$_XNOR_", "$_NOT_": "$_BUF_"}
    changed = 0
    for bit in gates[:: len(gates) // 60]:
        kind = netlist.drivers[bit].kind
        if kind in opposite:
            drivers = {**netlist.drivers, bit: netlist.drivers[bit]._replace(kind=opposite[kind])}
            with pytest.raises(CheckFailed):
                prove_circuit(dataclasses.replace(netlist, drivers=drivers), FOREST, latency)
            changed += 1
    assert changed > 30


@pytest.fixture(scope="module", params=["forest", "probe"])
def exported(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("export") / request.param
    compiler.export(
        grown_forest(names=("maxpl", "rslas", "mintw"), trees=3), directory, board="icebreaker", top=request.param
    )
    return directory


def test_an_export_is_proved_and_says_so(exported):
    proof = prove(exported)
    written = json.loads((exported / "manifest.json").read_text())["evidence"]["proved"]
    assert (written["equal"], written["trees"], written["registers"]) == (True, 3, proof.registers)
    assert written["solver"].startswith("z3 ")
    assert len(written["assumptions"]) == 3


def test_a_changed_export_is_refused(exported, tmp_path):
    copied = shutil.copytree(exported, tmp_path / "copied")
    (copied / "design.il").write_text((copied / "design.il").read_text() + "# \n")
    with pytest.raises(InputError, match="design.il: is not as exported"):
        prove(copied)
    assert read_manifest(copied).evidence["proved"] == read_manifest(exported).evidence["proved"]
