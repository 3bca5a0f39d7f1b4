"""forest.json: what is written is read again, and everything malformed is refused by name."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given

import compiler
from compiler.errors import InputError
from compiler.forest import Forest
from compiler.forest_json import forest_text, read_forest
from tests.forests import class_forests, forests, one_tree

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "forest_json.md"


@given(forest=forests(catalogue=True))
def test_round_trip(forest, tmp_path_factory):
    path = tmp_path_factory.mktemp("forest") / "forest.json"
    forest.to_json(path)
    again = Forest.from_json(path)
    assert again == forest
    assert again.id == forest.id
    assert forest_text(again) == path.read_text()


def test_all_fields_travel(tmp_path):
    forest = one_tree(
        ports=None,
        orientation="first",
        min_packets=5,
        prefix=8,
        validation_rows=4000,
        monitor_only=True,
        operating_point={"budget": 100, "upper": 73.5},
        provenance={"data": ["ö"]},
        score_fraction=17,
        score_error=0.0625,
    )
    forest.to_json(tmp_path / "f.json")
    assert compiler.load(tmp_path / "f.json") == forest


def test_the_documented_example_is_one(tmp_path):
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    (tmp_path / "f.json").write_text(example)
    assert read_forest(tmp_path / "f.json") == one_tree()


def test_version_1_is_read(tmp_path):
    document = json.loads(forest_text(one_tree()))
    del document["score_fraction"], document["score_error"], document["classes"], document["prefix"]
    (tmp_path / "f.json").write_text(json.dumps(document | {"version": 1}))
    assert read_forest(tmp_path / "f.json") == one_tree()


def test_version_3_is_read(tmp_path):
    document = json.loads(forest_text(one_tree()))
    del document["prefix"]
    (tmp_path / "f.json").write_text(json.dumps(document | {"version": 3}))
    assert read_forest(tmp_path / "f.json") == one_tree()


def test_version_2_is_read(tmp_path):
    document = json.loads(forest_text(one_tree(score_fraction=3, score_error=0.5)))
    del document["classes"], document["prefix"]
    (tmp_path / "f.json").write_text(json.dumps(document | {"version": 2}))
    assert read_forest(tmp_path / "f.json") == one_tree(score_fraction=3, score_error=0.5)


@given(forest=class_forests(catalogue=True))
def test_classes_travel(forest, tmp_path_factory):
    path = tmp_path_factory.mktemp("json") / "f.json"
    forest.to_json(path)
    assert read_forest(path) == forest


def test_a_forest_that_breaks_a_rule_is_not_written(tmp_path):
    with pytest.raises(InputError, match="weight must be above 0"):
        one_tree(trees=(one_tree().trees[0]._replace(weight=0),)).to_json(tmp_path / "f.json")
    assert list(tmp_path.iterdir()) == []


def changed(**changes):
    document = json.loads(forest_text(one_tree()))
    document.update(changes)
    return json.dumps({key: value for key, value in document.items() if value is not KeyError})


MALFORMED = {
    "not JSON": ("{", "not JSON: Expecting property name"),
    "not an object": ("[]", 'not a forest file: "format" must be "hedgerow-forest"'),
    "another format": (changed(format="other"), 'not a forest file: "format" must be "hedgerow-forest"'),
    "later version": (changed(version=5), "version must be 1, 2, 3 or 4, not 5$"),
    "no version": (changed(version=KeyError), "version must be 1, 2, 3 or 4, not None$"),
    "version true": (changed(version=True), "version must be 1, 2, 3 or 4, not True$"),
    "key twice": ('{"lo": 1, "lo": 2}', "not JSON: key 'lo' stands twice in one object$"),
    "NaN": (changed(provenance={"x": float("nan")}), "not JSON: NaN is not a number of JSON$"),
    "infinity": (changed(provenance={"x": float("inf")}), "not JSON: Infinity is not a number of JSON$"),
    "nested too deep": ("[" * 200_000, "not JSON: "),
    "missing field": (changed(lo=KeyError), "lo: is missing$"),
    "unknown field": (changed(colour="red"), "colour: is not a field of a forest file of this version$"),
    "float band": (changed(lo=0.0), "lo: must be an integer, not 0.0$"),
    "true as band": (changed(hi=True), "hi: must be an integer, not True$"),
    "name not a text": (changed(name=3), "name: must be a text, not 3$"),
    "monitor_only a number": (changed(monitor_only=0), "monitor_only: must be true or false, not 0$"),
    "ports a number": (changed(ports=25), "ports: must be a list, not 25$"),
    "port a text": (changed(ports=[25, "587"]), r"ports\[1\]: must be an integer, not '587'$"),
    "no ports field": (changed(ports=KeyError), "ports: is missing$"),
    "column a list": (changed(columns=[[]]), r"columns\[0\]: must be an object, not \[\]$"),
    "column without bits": (changed(columns=[{"name": "syn"}]), r"columns\[0\].bits: is missing$"),
    "tree a number": (changed(trees=[1]), r"trees\[0\]: must be an object, not 1$"),
    "node of three": (
        changed(trees=[{"weight": 1, "nodes": [[0, 1, 2], 1, 1]}]),
        r"trees\[0\].nodes\[0\]: must be a leaf's integer or \[feature, threshold, left, right\], not \[0, 1, 2\]$",
    ),
    "float threshold": (
        changed(trees=[{"weight": 1, "nodes": [[0, 1.0, 1, 2], 1, 1]}]),
        r"trees\[0\].nodes\[0\]: must be a leaf's integer or",
    ),
    "integer score_error": (changed(score_error=0), "score_error: must be a number with a point, not 0$"),
    "negative score_error": (changed(score_error=-0.5), "forest 'one tree': score_error must be a finite float"),
    "notes of version 2 in version 1": (
        changed(version=1, classes=KeyError, prefix=KeyError),
        "score_fraction: is not a field of a forest file",
    ),
    "classes of version 3 in version 2": (
        changed(version=2, prefix=KeyError),
        "classes: is not a field of a forest file",
    ),
    "prefix of version 4 in version 3": (changed(version=3), "prefix: is not a field of a forest file"),
    "class a number": (changed(classes=["ham", 1]), r"classes\[1\]: must be a text, not 1$"),
    "a tree without its class": (changed(classes=["ham", "spam"]), r"trees\[0\].class: is missing$"),
    "a class of a tree without classes": (
        changed(trees=[{"class": 0, "weight": 1, "nodes": [1]}]),
        r"trees\[0\].class: is not a field of a forest file of this version$",
    ),
    "leaf true": (changed(trees=[{"weight": 1, "nodes": [True]}]), r"trees\[0\].nodes\[0\]: must be a leaf's integer"),
    "field of a tree": (
        changed(trees=[{"weight": 1, "nodes": [1], "depth": 0}]),
        r"trees\[0\].depth: is not a field of a forest file of this version$",
    ),
    "a rule of forests": (
        changed(trees=[{"weight": 1, "nodes": [[0, 70000, 1, 2], -1, 1]}]),
        "forest 'one tree', tree 0, node 0: threshold 70000 exceeds feature 'maxpl'",
    ),
    "wrong id": (changed(id="00000000"), "id must be '[0-9a-f]{8}', the hash of what the file holds, not '00000000'$"),
    "changed band": (changed(hi=1), "id must be "),
}


@pytest.mark.parametrize("mistake", MALFORMED)
def test_malformed_file_is_refused(mistake, tmp_path):
    text, message = MALFORMED[mistake]
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: {message}"):
        read_forest(path)


def test_binary_file_is_refused(tmp_path):
    (tmp_path / "f.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="f.json: not UTF-8 text"):
        read_forest(tmp_path / "f.json")
