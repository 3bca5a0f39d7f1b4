"""Proofs of ranked forests: good ones are proved, and faults in table, search, collector and trees are found."""

import dataclasses
import json
import re

import pytest
from hypothesis import assume, given, settings

import compiler
from compiler.emit import rtlil_text
from compiler.errors import CheckFailed
from compiler.exporting import FOREST_MODULE
from compiler.forest import Leaf, Node
from compiler.passes import simplify
from compiler.plan import forest_parameters
from compiler.proof.prove import prove
from compiler.proof.ranked import prove_ranked
from compiler.proof.same_trees import check_same_trees
from hdl.forest_ranked import RankedForest, RankedParameters
from hdl.forest_unrolled import UnrolledParameters
from hdl.rank_table import ranked
from tests.forests import class_forests, forests, grown_class_forest, grown_forest

pytest.importorskip("z3", reason="needs the optional z3-solver")

FOREST = grown_forest(names=("maxpl", "spl", "rslas", "mintw"), trees=5, depth=3)
TABLE, _ = ranked(forest_parameters(FOREST))


def made_of(forest, **options):
    table, of_ranks = ranked(forest_parameters(forest))
    return RankedParameters(table=table, unrolled=UnrolledParameters.of(of_ranks, **options))


def text_of(parameters):
    return rtlil_text(RankedForest(parameters=parameters), FOREST_MODULE)


def proof_of(text, directory, forest, parameters):
    (directory / "design.il").write_text(text)
    return prove_ranked(directory / "design.il", FOREST_MODULE, forest, parameters)


@settings(max_examples=12, deadline=None)
@given(forest=forests())
def test_all_shapes_are_proved(forest, tmp_path_factory):
    assume(forest_parameters(forest).thresholds)
    parameters = made_of(forest, levels_per_stage=1)
    proof = proof_of(text_of(parameters), tmp_path_factory.mktemp("circuit"), forest, parameters)
    assert (proof.trees, proof.thresholds) == (len(forest.trees), len(forest_parameters(forest).thresholds))


@settings(max_examples=4, deadline=None)
@given(forest=class_forests())
def test_classes_are_proved(forest, tmp_path_factory):
    assume(forest_parameters(forest).thresholds)
    parameters = made_of(forest)
    assert proof_of(text_of(parameters), tmp_path_factory.mktemp("circuit"), forest, parameters)


@pytest.fixture(scope="module")
def parameters():
    return made_of(FOREST, levels_per_stage=2)


@pytest.fixture(scope="module")
def text(parameters):
    return text_of(parameters)


def with_word(text, at, change):
    """RTLIL with one word of the table changed."""
    begin = text.index(f"module \\{FOREST_MODULE}.encoder.thresholds\n")
    width = int(re.compile(r"memory width (\d+)").search(text, begin)[1])
    found = re.compile(r"connect \\DATA \d+'([01]+)").search(text, begin)
    end = found.end(1) - at * width
    word = change(int(text[end - width : end], 2)) % (1 << width)
    return f"{text[: end - width]}{word:0{width}b}{text[end:]}"


@pytest.mark.parametrize("feature", range(len(TABLE.depths)))
@pytest.mark.parametrize("off", [-1, 1])
def test_a_threshold_off_by_one_is_found(text, parameters, tmp_path, feature, off):
    found = TABLE.thresholds[feature]
    at = len(found) // 2
    changed = with_word(text, TABLE.bases[feature] + 1 + at, lambda word: word + off)
    name = FOREST.columns[feature].name
    value = found[at] + (off > 0)
    message = rf"tree (\d), node (\d+): the threshold of {name} is {found[at]}, the table's {found[at] + off}, for "
    with pytest.raises(CheckFailed, match=rf"{message}{name} = {value}$") as failure:
        proof_of(changed, tmp_path, FOREST, parameters)
    tree, node = map(int, re.search(message, str(failure.value)).groups())
    assert FOREST.trees[tree].nodes[node][:2] == (feature, found[at])


def test_a_threshold_behind_the_last_is_found(text, parameters, tmp_path):
    feature = next(at for at, found in enumerate(TABLE.thresholds) if len(found) + 1 < 1 << TABLE.depths[at])
    changed = with_word(text, TABLE.bases[feature] + (1 << TABLE.depths[feature]) - 1, lambda word: word - 1)
    with pytest.raises(CheckFailed, match=f"the threshold of {FOREST.columns[feature].name} is 262143, the table's"):
        proof_of(changed, tmp_path, FOREST, parameters)


def test_a_flipped_leaf_is_found_with_a_flow_that_reaches_it(text, parameters, tmp_path):
    at, leaf = next((at, node) for at, node in enumerate(FOREST.trees[2].nodes) if isinstance(node, Leaf))
    nodes = list(FOREST.trees[2].nodes)
    nodes[at] = Leaf(-leaf.value)
    other = dataclasses.replace(
        FOREST, trees=(*FOREST.trees[:2], FOREST.trees[2]._replace(nodes=tuple(nodes)), *FOREST.trees[3:])
    )
    # That another test is needed then is a fault of another kind.
    if simplify(other).thresholds() == simplify(FOREST).thresholds():
        with pytest.raises(CheckFailed, match=rf"tree 2, node {at}: the vote is ") as failure:
            proof_of(text, tmp_path, other, parameters)
        values = {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", str(failure.value))}
        place, features = 0, [values.get(column.name, 0) for column in FOREST.columns]
        while isinstance(node := nodes[place], Node):
            place = node.left if features[node.feature] <= node.threshold else node.right
        assert place == at
    else:
        with pytest.raises(CheckFailed):
            proof_of(text, tmp_path, other, parameters)


FAULTS = {
    "encoder": {
        "the comparison": (r"cell \$gt ", lambda line: line.replace("$gt", "$ge"), "bit 0 of the rank of|is wrong"),
        "the first feature at the start": (
            r"attribute \\init (\d+)'0+\n  wire width \d+ \\index\n",
            lambda lines: lines.replace("'0", "'1", 1),
            "at the start",
        ),
        "ready": (
            r"connect \\A (\$\d+) \[0\]\n    connect \\B (\$\d+) \[0\]\n    connect \\Y \\i__ready",
            lambda lines: re.sub(r"B \$\d+", "B " + re.search(r"A (\$\d+)", lines)[1].replace("\\", ""), lines),
            "i.ready",
        ),
    },
    "collector": {
        "a field": (
            r"assign \$\d+ \[2:0\] \\i__payload \[2:0\]",
            lambda line: line.replace("\\i__payload [2:0]", "{ \\i__payload [1] \\i__payload [1:0] }"),
            "fields",
        ),
        "ready": (
            r"connect \\A \\o__valid \[0\]\n    connect \\Y \\i__ready",
            lambda lines: lines.replace("\\o__valid [0]", "1'0"),
            "i.ready|fields|whole",
        ),
        "the last": (r"switch \\i__payload \[\d\]", lambda _: "switch 1'0", "whole|lost or comes twice"),
    },
}
"""Of the module: what is found, what comes in its place, and what is said of it."""


@pytest.mark.parametrize(("module", "fault"), [(module, fault) for module in FAULTS for fault in FAULTS[module]])
def test_a_fault_in_the_search_is_found(text, parameters, tmp_path, module, fault):
    pattern, change, message = FAULTS[module][fault]
    begin = text.index(f"module \\{FOREST_MODULE}.{module}\n")
    found = re.compile(pattern).search(text, begin)
    if found is None:
        pytest.fail(f"{fault}: not in the circuit")
    changed = text[: found.start()] + change(found[0]) + text[found.end() :]
    with pytest.raises(CheckFailed, match=message):
        proof_of(changed, tmp_path, FOREST, parameters)


def test_a_fault_in_the_passes_is_found():
    forest = grown_forest(trees=3, depth=3)
    simple = simplify(forest)
    check_same_trees(forest, simple)
    tree = simple.trees[1]
    at = next(at for at, node in enumerate(tree.nodes) if isinstance(node, Leaf))
    nodes = [Leaf(-node.value) if place == at else node for place, node in enumerate(tree.nodes)]
    wrong = dataclasses.replace(simple, trees=(simple.trees[0], tree._replace(nodes=tuple(nodes)), simple.trees[2]))
    with pytest.raises(CheckFailed, match=r"tree 1, node \d+: the passes changed its vote"):
        check_same_trees(forest, wrong)


@pytest.mark.parametrize(
    ("forest", "top"),
    [(FOREST, "forest"), (FOREST, "probe"), (grown_class_forest(), "forest")],
    ids=["alone", "in a probe", "of several classes"],
)
def test_an_export_is_proved_and_says_so(forest, top, tmp_path):
    compiler.export(forest, tmp_path / "core", board="icebreaker", top=top, architecture="ranked")
    prove(tmp_path / "core")
    written = json.loads((tmp_path / "core" / "manifest.json").read_text())["evidence"]["proved"]
    assert (written["equal"], written["trees"]) == (True, len(forest.trees))
    assert written["thresholds"] == len(forest_parameters(forest).thresholds)
