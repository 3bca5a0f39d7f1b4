"""Proofs of walkers: good ones are proved, and every planted fault is found and named."""

import dataclasses
import json
import re
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compiler
from compiler.commands.prove import prove_command
from compiler.emit import rtlil_text
from compiler.errors import CheckFailed, InputError
from compiler.exporting import FOREST_MODULE
from compiler.forest import Band
from compiler.forest_json import read_forest
from compiler.manifest import read_manifest
from compiler.plan import forest_parameters
from compiler.proof.netlist import Gate, Register
from compiler.proof.prove import prove
from compiler.proof.quiet import quiet
from compiler.proof.walker import prove_walker
from compiler.proof.walker_netlist import read_walker
from hdl.forest_walker import ForestWalker
from hdl.tree import Leaf, Node
from hdl.walker_parameters import WalkerParameters
from hdl.walker_table import WalkerTable
from tests.forests import forests, grown_forest

pytest.importorskip("z3", reason="needs the optional z3-solver")


def text_of(forest, **options):
    """The circuit of a forest as RTLIL, and its parameters."""
    parameters = WalkerParameters.of(forest_parameters(forest), **options)
    return rtlil_text(ForestWalker(parameters=parameters), FOREST_MODULE), parameters


def read_back(text, directory):
    (directory / "design.il").write_text(text)
    return read_walker(directory / "design.il", FOREST_MODULE)


@settings(max_examples=12, deadline=None)
@given(forest=forests(), stages=st.sampled_from((2, 3, 4)), lanes=st.integers(1, 3))
def test_all_shapes_are_proved(forest, stages, lanes, tmp_path_factory):
    text, parameters = text_of(forest, stages=stages, lanes=lanes)
    proof = prove_walker(read_back(text, tmp_path_factory.mktemp("circuit")), forest, parameters)
    assert (proof.trees, proof.lanes, proof.stages) == (len(forest.trees), lanes, stages)


@pytest.mark.parametrize("stages", [2, 3, 4])
@pytest.mark.parametrize("tables", [{}, {"loadable": True}, {"loadable": True, "double": True}])
def test_walkers_whose_tables_can_be_loaded_are_proved(stages, tables, tmp_path):
    forest = grown_forest(trees=5, depth=3)
    text, parameters = text_of(forest, stages=stages, lanes=2, **tables)
    assert prove_walker(read_back(text, tmp_path), forest, parameters).lanes == 2


def test_a_large_walker_is_proved_in_seconds(tmp_path):
    forest = grown_forest(trees=60, depth=5)
    text, parameters = text_of(forest)
    assert prove_walker(read_back(text, tmp_path), forest, parameters).seconds < 60


FOREST = grown_forest(trees=5, depth=3)
TABLE = WalkerTable.of(forest_parameters(FOREST))
FIRST = TABLE.rows[0].pointer


@pytest.fixture(scope="module")
def text():
    return text_of(FOREST, lanes=2)


@pytest.fixture(scope="module")
def circuit(text, tmp_path_factory):
    return read_back(text[0], tmp_path_factory.mktemp("circuit")), text[1]


def place_of_word(text, memory, at):
    """Where in the RTLIL one word of a table of the first lane stands."""
    begin = text.index(f"module \\{FOREST_MODULE}.lane_0.{memory}\n")
    width = int(re.compile(r"memory width (\d+)").search(text, begin)[1])
    found = re.compile(r"connect \\DATA \d+'([01]+)").search(text, begin)
    end = found.end(1) - at * width
    return slice(end - width, end)


def with_word(text, memory, at, change):
    """RTLIL with one word of a table of the first lane changed."""
    place = place_of_word(text, memory, at)
    width = place.stop - place.start
    word = change(int(text[place], 2)) % (1 << width)
    return f"{text[: place.start]}{word:0{width}b}{text[place.stop :]}"


def leaf_of(tree, features):
    at = 0
    while isinstance(node := tree.nodes[at], Node):
        at = node.left if features[node.feature] <= node.threshold else node.right
    return at


@pytest.mark.parametrize("tree", range(5))
@pytest.mark.parametrize("off", [-1, 1])
def test_a_threshold_off_by_one_is_found(text, tmp_path, tree, off):
    row = TABLE.rows[FIRST + tree]
    changed = read_back(with_word(text[0], "thresholds", FIRST + tree, lambda word: word + off), tmp_path)
    with pytest.raises(CheckFailed, match=rf"lane_0: tree {tree}, node \d+: the vote is ") as failure:
        prove_walker(changed, FOREST, text[1])
    # The counterexample holds: it comes to that leaf, and lies where the two thresholds part.
    values = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", str(failure.value))}
    features = [values.get(column.name, 0) for column in FOREST.columns]
    leaf = int(re.search(r"node (\d+):", str(failure.value))[1])
    assert leaf == leaf_of(FOREST.trees[tree], features)
    assert features[row.feature] == row.threshold + (off < 0)


def link_bits(field):
    """The bit of a link that says so of the left side, and the same of the right."""
    layout = text_of(FOREST)[1].size.link_layout
    return [layout[side].offset + layout[side].shape[field].offset for side in ("left", "right")]


@pytest.mark.parametrize("field", ["number", "is_leaf"])
@pytest.mark.parametrize("side", [0, 1])
def test_a_flipped_leaf_is_found(text, tmp_path, field, side):
    leaves = [
        at for at, row in enumerate(TABLE.rows) if row.left.is_leaf and row.right.is_leaf and row.left != row.right
    ]
    at = leaves[0]
    flipped = with_word(text[0], "links", at, lambda word: word ^ 1 << link_bits(field)[side])
    with pytest.raises(CheckFailed, match=r"tree \d, node \d+: the vote is |is a gate|comes back|comes to the gate"):
        prove_walker(read_back(flipped, tmp_path), FOREST, text[1])


@pytest.mark.parametrize("tree", range(5))
def test_a_wrong_weight_is_found(text, tmp_path, tree):
    size = text[1].size
    side = size.side_layout.const({"number": 0, "is_leaf": 1}).as_bits()
    at = side | (FIRST + tree + 1) << size.side_layout.size
    with pytest.raises(CheckFailed, match=rf"tree {tree}, node \d+: the vote is (-?\d+), the circuit's "):
        prove_walker(read_back(with_word(text[0], "votes", at, lambda word: word + 1), tmp_path), FOREST, text[1])


@pytest.mark.parametrize("root", [1, 0])
@pytest.mark.parametrize("off", [-3000, 3000])
def test_a_wrong_row_of_the_band_is_found(text, tmp_path, root, off):
    size = text[1].size
    side = size.side_layout.const({"number": 0, "is_leaf": 1}).as_bits()
    at = side | (-root % (1 << size.root_bits)) << size.side_layout.size
    changed = with_word(text[0], "votes", at, lambda word: word + off)
    with pytest.raises(CheckFailed, match=r"the verdict on score -?\d+ is -?\d, not |more than \d+ bits hold"):
        prove_walker(read_back(changed, tmp_path), FOREST, text[1])


@pytest.mark.parametrize("band", [Band(-700, 410), Band(-710, 400), Band(-3000, 400), Band(-700, 3000)])
def test_a_wrong_band_is_found(circuit, band):
    with pytest.raises(CheckFailed, match=r"the verdict on score -?\d+ is -?\d, not -?\d: it is not that of the band"):
        prove_walker(circuit[0], dataclasses.replace(FOREST, band=band), circuit[1])


@pytest.mark.parametrize("row", [0, FIRST])
def test_a_wrong_pointer_is_found(text, tmp_path, row):
    changed = with_word(text[0], "links", row, lambda word: word ^ 2)
    with pytest.raises(CheckFailed, match=r"tree \d, node \d+: the vote is|a walk (must visit|comes|asks)|at the gate"):
        prove_walker(read_back(changed, tmp_path), FOREST, text[1])


def test_a_pair_that_is_swapped_is_found(text, tmp_path):
    pointer = TABLE.rows[FIRST].pointer
    changed = text[0]
    for memory in ("selectors", "thresholds", "links"):
        left, right = (place_of_word(changed, memory, at) for at in (pointer, pointer + 1))
        # The later word stands before the earlier one.
        changed = changed[: right.start] + changed[left] + changed[right] + changed[left.stop :]
    with pytest.raises(CheckFailed, match=r"tree 0, node \d+: the vote is "):
        prove_walker(read_back(changed, tmp_path), FOREST, text[1])


def test_another_forest_is_found(circuit):
    at = next(at for at, node in enumerate(FOREST.trees[2].nodes) if isinstance(node, Leaf))
    nodes = list(FOREST.trees[2].nodes)
    nodes[at] = Leaf(-nodes[at].value)
    trees = (*FOREST.trees[:2], FOREST.trees[2]._replace(nodes=tuple(nodes)), *FOREST.trees[3:])
    with pytest.raises(CheckFailed, match=rf"tree 2, node {at}: the vote is "):
        prove_walker(circuit[0], dataclasses.replace(FOREST, trees=trees), circuit[1])
    with pytest.raises(CheckFailed, match="a walk must visit 6 roots, not 7"):
        prove_walker(circuit[0], dataclasses.replace(FOREST, trees=FOREST.trees[1:]), circuit[1])


LANE_FAULTS = {
    "a stage is missing": (
        r"cell \$dff \$\d+\n(?:.*\n){3}.*\n    connect \\Q \\walk_1\n  end\n",
        lambda cell: f"connect \\walk_1 {re.search(r'D (.*)', cell)[1]}\n",
        "walk",
    ),
    "the order of the threshold's halves": (
        r"connect \\A { (\\read_data\S+ \[\d+:\d+\]) 1'1 }",
        lambda line: line.replace("1'1", "1'0"),
        "behind a step|before the last leaf",
    ),
    "another comparison": (
        r"cell \$lt \$\d+\n(?:.*\n)+?  end\n",
        lambda cell: cell.replace("$lt", "$le"),
        "the sign of the score",
    ),
}
"""Of the module of a lane: what is found, what comes in its place, and what is said of it."""


@pytest.mark.parametrize("fault", LANE_FAULTS)
def test_a_changed_lane_is_found(text, tmp_path, fault):
    pattern, change, message = LANE_FAULTS[fault]
    begin = text[0].index(f"module \\{FOREST_MODULE}.lane_0\n")
    found = re.compile(pattern).search(text[0], begin)
    changed = text[0][: found.start()] + change(found[0]) + text[0][found.end() :]
    with pytest.raises(CheckFailed, match=message):
        prove_walker(read_back(changed, tmp_path), FOREST, text[1])


def test_a_memory_that_is_not_read_in_each_clock_is_found(text, tmp_path):
    begin = text[0].index(f"module \\{FOREST_MODULE}.lane_1.votes\n")
    at = text[0].index("connect \\EN 1'1", begin)
    changed = f"{text[0][:at]}connect \\EN \\write_enable [0]{text[0][at + 15 :]}"
    with pytest.raises(CheckFailed, match="memory lane_1.votes.words: pin RD_EN is not as it must be"):
        read_back(changed, tmp_path)


def driven(netlist, bit, driver):
    return dataclasses.replace(netlist, drivers={**netlist.drivers, bit: driver})


def test_swapped_verdict_bits_are_found(circuit):
    netlist, parameters = circuit
    *score, low, high, classified = netlist.net("lane_0.o__payload")
    nets = {**netlist.nets, "lane_0.o__payload": (*score, high, low, classified)}
    with pytest.raises(CheckFailed, match="the verdict that is answered is "):
        prove_walker(dataclasses.replace(netlist, nets=nets), FOREST, parameters)


def with_memory(netlist, name, **pins):
    memory = netlist.memories[name]._replace(**pins)
    return dataclasses.replace(netlist, memories={**netlist.memories, name: memory})


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ("read_address", "behind a step|before the last leaf"),
        ("write_address", "where a feature is written"),
    ],
)
def test_a_bank_without_its_lap_is_found(circuit, pins, message):
    netlist, parameters = circuit
    address = list(getattr(netlist.memories["lane_0.flows"], pins))
    address[parameters.size.index_bits] = "0"
    with pytest.raises(CheckFailed, match=message):
        prove_walker(with_memory(netlist, "lane_0.flows", **{pins: tuple(address)}), FOREST, parameters)


def test_tables_that_are_written_are_found(circuit):
    netlist, parameters = circuit
    enables = ("1", *netlist.memories["lane_1.links"].enables[1:])
    with pytest.raises(CheckFailed, match="lane_1: links are written though no image comes"):
        prove_walker(with_memory(netlist, "lane_1.links", enables=enables), FOREST, parameters)


def test_a_memory_of_another_width_is_found(circuit):
    netlist, parameters = circuit
    words = netlist.memories["lane_1.votes"].read_data[:-1]
    with pytest.raises(CheckFailed, match="lane_1: votes must have words of 15 bits, not 14"):
        prove_walker(with_memory(netlist, "lane_1.votes", read_data=words), FOREST, parameters)


@pytest.mark.parametrize("always", ["0", "1"])
def test_a_lane_that_does_not_know_when_it_is_full_is_found(circuit, always):
    netlist, parameters = circuit
    changed = driven(netlist, netlist.net("lane_1.i__ready")[0], Gate("$_BUF_", (always,)))
    with pytest.raises(CheckFailed, match=r"lane_1: (i\.ready behind a clock is|a feature is taken though all)"):
        prove_walker(changed, FOREST, parameters)


@pytest.mark.parametrize(
    ("name", "message"),
    [("for_input", "whose turn it is behind a flow"), ("for_output", "whose turn it is behind an answer")],
)
def test_a_lane_out_of_turn_is_found(circuit, name, message):
    netlist, parameters = circuit
    bit, free = netlist.net(name)[0], 1_000_000
    turned = driven(netlist, free, Gate("$_NOT_", (bit,)))
    with pytest.raises(CheckFailed, match=message):
        prove_walker(driven(turned, bit, netlist.drivers[bit]._replace(data=free)), FOREST, parameters)


@pytest.mark.parametrize("name", ["walk_1", "written", "index"])
def test_a_wrong_start_is_found(circuit, name):
    netlist, parameters = circuit
    bit = netlist.net(f"lane_0.{name}")[0]
    initial = {**netlist.initial, bit: not netlist.initial[bit]}
    with pytest.raises(CheckFailed, match="at the start"):
        prove_walker(dataclasses.replace(netlist, initial=initial), FOREST, parameters)


def test_each_missing_or_doubled_register_is_found(circuit):
    """Of the state of a lane that anything depends on."""
    netlist, parameters = circuit
    flows = netlist.memories["lane_0.flows"]
    used = (*netlist.net("o__payload"), *netlist.net("o__valid"), *flows.write_address, *flows.read_address)
    used += tuple(bit for name in ("votes", "links") for bit in netlist.memories[f"lane_0.{name}"].read_address)
    lane = {bit for name, bits in netlist.nets.items() if name.startswith("lane_0.") for bit in bits}
    registers = [bit for bit in netlist.cone(used) if bit in lane and isinstance(netlist.drivers.get(bit), Register)]
    free = 1_000_000
    still = quiet(netlist, {netlist.net("rst")[0]: False})
    tried = 0
    for bit in [bit for bit in registers if bit not in still][::9]:
        register = netlist.drivers[bit]
        doubled = driven(driven(netlist, free, register), bit, register._replace(data=free))
        changes = [doubled]
        stops = frozenset(other for other in netlist.drivers if isinstance(netlist.drivers[other], Register)) - {bit}
        behind = netlist.cone((register.data,), stops | {bit})
        if not any(bit in netlist.reads(other) for other in behind if other not in stops):
            changes.append(driven(netlist, bit, Gate("$_BUF_", (register.data,))))
        for changed in changes:
            with pytest.raises(CheckFailed):
                prove_walker(changed, FOREST, parameters)
            tried += 1
    assert tried >= 10


def test_what_is_loaded_is_quiet_only_while_nothing_comes(tmp_path):
    text, _ = text_of(FOREST, loadable=True, double=True)
    netlist = read_back(text, tmp_path)
    (reset,), (offered,) = netlist.net("rst"), netlist.net("table__valid")
    enable = netlist.memories["lane_0.links"].enables[0]
    assert quiet(netlist, {reset: False, offered: False})[enable] is False
    assert enable not in quiet(netlist, {reset: False})


@pytest.fixture(scope="module", params=["forest", "probe", "loadable"])
def exported(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("export") / request.param
    compiler.export(
        grown_forest(names=("maxpl", "rslas", "mintw"), trees=3),
        directory,
        board="icebreaker",
        top="probe" if request.param == "probe" else "forest",
        architecture="walker",
        loadable=request.param == "loadable",
    )
    return directory


def test_an_export_is_proved_and_says_so(exported):
    proof = prove(exported)
    written = json.loads((exported / "manifest.json").read_text())["evidence"]["proved"]
    stages = read_manifest(exported).architecture["stages"]
    assert (written["equal"], written["trees"], written["lanes"], written["stages"]) == (True, 3, 1, stages)
    assert written["rows"] == proof.rows > len(read_forest(exported / "forest.json").trees)
    assert written["solver"].startswith("z3 ")
    loadable = read_manifest(exported).architecture["loadable"]
    assert ("no image of another forest is offered" in written["assumptions"]) == loadable


def test_the_command_says_what_was_proved(exported, capsys):
    prove_command(exported)
    assert re.search(
        r"equal for all inputs: 3 trees, their sum and the band, \d+ rows, the steps and turns of 1 lane, ",
        capsys.readouterr().out.replace("\n", " "),
    )


def test_a_circuit_that_is_no_walker_is_refused(tmp_path):
    (tmp_path / "design.il").write_text(f"module \\{FOREST_MODULE}\n  wire input 0 \\clk\nend\n")
    with pytest.raises(InputError, match="has no net 'i__payload'"):
        prove_walker(read_walker(tmp_path / "design.il", FOREST_MODULE), FOREST, text_of(FOREST)[1])


def test_a_walker_in_a_probe_that_can_be_loaded_is_proved(loadable_probe, tmp_path):
    directory = shutil.copytree(loadable_probe, tmp_path / "probe")
    proof = prove(directory)
    assert proof.trees == 3
    assert "no image of another forest is offered" in read_manifest(directory).evidence["proved"]["assumptions"]
