"""Every rule of a forest, by the message that breaking it gives."""

import dataclasses

import pytest
from hypothesis import given

from compiler.errors import InputError
from compiler.forest import Band, Column, Leaf, Node, Tree
from tests.forests import columns, forests, one_tree

PLACE = "^forest 'one tree'"


def tree(*nodes, weight=1):
    return {"trees": (Tree(weight, nodes),)}


LEAVES = (Leaf(-1), Leaf(1))

BROKEN = {
    "no columns": ({"columns": ()}, r": columns must name at least one feature, not \(\)$"),
    "column not in the catalogue": (
        {"columns": (Column("size", 16), *columns("syn"))},
        ", column 0: feature 'size' is not in the catalogue",
    ),
    "column of another width": (
        {"columns": (Column("maxpl", 12), *columns("syn"))},
        ", column 0: feature 'maxpl' must be 16 bits with 0 of them fraction, as in the catalogue, not 12 with 0$",
    ),
    "column of another scale": (
        {"columns": (Column("spl", 18, 3), *columns("syn"))},
        ", column 0: feature 'spl' must be 18 bits with 2 of them fraction, as in the catalogue, not 18 with 3$",
    ),
    "wide column": (
        {"columns": (Column("maxpl", 25), *columns("syn"))},
        ", column 0: feature 'maxpl' must be 1 to 24 bits wide, not 25$",
    ),
    "fraction wider than the column": (
        {"columns": (Column("maxpl", 16, 17), *columns("syn"))},
        ", column 0: feature 'maxpl' must have 0 to 16 fraction bits, not 17$",
    ),
    "column without a name": ({"columns": (Column("", 1),)}, ", column 0: name must be a word, not ''$"),
    "column twice": ({"columns": columns("maxpl", "maxpl")}, ": feature 'maxpl' must be one column, not 2$"),
    "response in a forward-only forest": (
        {"columns": columns("maxpl", "rsyn"), "directions": "forward"},
        ", column 1: feature 'rsyn' must not be of the response, because the forest is forward-only$",
    ),
    "one class": ({"classes": ("ham",)}, r": classes must be two names or more, or none, not \['ham'\]$"),
    "a class without a name": ({"classes": ("ham", "")}, r": classes must be two names or more, or none, not"),
    "a class twice": ({"classes": ("ham", "ham")}, ": class 'ham' must be one class, not 2$"),
    "a class without trees": ({"classes": ("ham", "spam")}, ": class 'spam' must have a tree that votes for it$"),
    "a tree of no class": (
        {"trees": (Tree(1, (Leaf(1),), 1),)},
        ", tree 0: class index must be from 0 to 0, not 1$",
    ),
    "a band with classes": (
        {
            "classes": ("ham", "spam"),
            "trees": (Tree(1, (Leaf(1),)), Tree(1, (Leaf(1),), 1)),
            "band": Band(0, 1),
        },
        r": band must be 0 to 0 with classes, not \(0, 1\)$",
    ),
    "no trees": ({"trees": ()}, ": trees must hold at least one tree, not none$"),
    "tree without nodes": (tree(), ", tree 0: nodes must hold at least one node, not none$"),
    "weight 0": (tree(*LEAVES, weight=0), ", tree 0: weight must be above 0, not 0$"),
    "weight not an integer": (tree(Leaf(1), weight=0.7), ", tree 0: weight must be above 0, not 0.7$"),
    "unknown column": (
        tree(Node(2, 5, 1, 2), *LEAVES),
        ", tree 0, node 0: feature must be a column from 0 to 1, not 2$",
    ),
    "threshold too large": (
        tree(Node(0, 70000, 1, 2), *LEAVES),
        r", tree 0, node 0: threshold 70000 exceeds feature 'maxpl' \(unsigned\(16\)\)$",
    ),
    "threshold negative": (tree(Node(0, -1, 1, 2), *LEAVES), ", tree 0, node 0: threshold -1 is below 0$"),
    "threshold not an integer": (
        tree(Node(0, 1.5, 1, 2), *LEAVES),
        ", tree 0, node 0: threshold must be an integer, not 1.5$",
    ),
    "child that is not there": (
        tree(Node(0, 5, 1, 3), *LEAVES),
        ", tree 0, node 0: child must be a node from 0 to 2, not 3$",
    ),
    "shared child": (tree(Node(0, 5, 1, 1), Leaf(1)), ", tree 0, node 0: child 1 is shared with node 0$"),
    "cycle through the root": (tree(Node(0, 5, 0, 1), Leaf(1)), ", tree 0, node 0: child must not be the root$"),
    "cycle out of reach": (
        tree(Leaf(1), Node(0, 5, 1, 2), Leaf(1)),
        ", tree 0, node 1: cannot be reached from the root$",
    ),
    "leaf out of reach": (
        tree(Node(0, 5, 1, 2), *LEAVES, Leaf(1)),
        ", tree 0, node 3: cannot be reached from the root$",
    ),
    "leaf not an integer": (tree(Leaf(0.5)), ", tree 0, node 0: leaf value must be an integer, not 0.5$"),
    "leaf of true": (tree(Leaf(True)), ", tree 0, node 0: leaf value must be an integer, not True$"),
    "something else": (tree("root"), ", tree 0, node 0: must be a node or a leaf, not 'root'$"),
    "band upside down": ({"band": Band(3, 2)}, ": band must have lo <= hi, not 3 > 2$"),
    "band not of integers": ({"band": Band(0.0, 1)}, ": band must be two integers, not 0.0 and 1$"),
    "no ports": ({"ports": ()}, ": ports must name at least one port, or be null for all$"),
    "port 0": ({"ports": (25, 0)}, ": port must be from 1 to 65535, not 0$"),
    "orientation": ({"orientation": "last"}, ": orientation must be initiator or first, not 'last'$"),
    "directions": ({"directions": "back"}, ": directions must be both or forward, not 'back'$"),
    "min_packets": ({"min_packets": -1}, ": min_packets must be 0 or more, not -1$"),
    "validation_rows": ({"validation_rows": None}, ": validation_rows must be 0 or more, not None$"),
    "prefix": ({"prefix": 1}, ": prefix must be 0 or from 2 to 255, not 1$"),
    "prefix below min_packets": ({"prefix": 4, "min_packets": 5}, ": min_packets must be at most prefix, 4, not 5$"),
    "monitor_only": ({"monitor_only": 1}, ": monitor_only must be true or false, not 1$"),
    "score_fraction": ({"score_fraction": 32}, ": score_fraction must be from 0 to 31, not 32$"),
    "score_error": ({"score_error": float("nan")}, ": score_error must be a finite float of 0 or more, not nan$"),
    "wide score": (
        tree(Leaf(-2), weight=2**30),
        ": score must fit a signed integer of 32 bits, but reaches 2147483648$",
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_rule_is_named(rule):
    changes, message = BROKEN[rule]
    with pytest.raises(InputError, match=PLACE + message):
        one_tree(**changes).verify()


def test_a_later_tree_is_named_by_its_number():
    trees = (*one_tree().trees * 3, Tree(1, (Node(0, 5, 1, 2), Node(0, 70000, 3, 4), *[Leaf(1)] * 3)))
    with pytest.raises(InputError, match="tree 3, node 1: threshold 70000 exceeds feature 'maxpl'"):
        one_tree(trees=trees).verify()


@given(forest=forests(catalogue=True))
def test_drawn_forests_keep_the_rules(forest):
    forest.verify()


ODD = {
    "spam out of reach": ({"band": Band(0, 1)}, "no flow can be SPAM: the score reaches 1, the band 1"),
    "background out of reach": (
        {"band": Band(-1, 0)},
        "no flow can be BACKGROUND: the score reaches down to -1, the band to -1",
    ),
    "unused feature": ({"columns": columns("maxpl", "syn", "fin")}, "feature 'fin' is in no node"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_oddity_is_a_warning(oddity):
    changes, message = ODD[oddity]
    assert one_tree(**changes).verify() == [f"forest 'one tree': {message}"]


def test_an_error_that_can_change_a_decision_is_a_warning():
    (warning,) = one_tree(score_fraction=3, score_error=0.125).verify()
    assert warning == (
        "forest 'one tree': decisions can differ from the model's where its score is within 0.125 of the band "
        "(score_error, 1 of the score's last place)"
    )


def test_an_error_too_small_to_change_a_decision_gives_no_warning():
    # The scores are -1 and 1, the band is 0: the distance is 1.
    assert one_tree(score_error=0.99).verify() == []


def stumps(*leaves):
    """A forest with one stump for each class."""
    trees = tuple(Tree(1, (Node(0, 9, 1, 2), Leaf(low), Leaf(high)), at) for at, (low, high) in enumerate(leaves))
    names = tuple(f"class {at}" for at in range(len(leaves)))
    return one_tree(columns=columns("maxpl"), trees=trees, classes=names)


def test_a_class_that_never_wins_is_a_warning():
    assert stumps((0, 3), (2, 3)).verify() == []
    assert stumps((3, 4), (0, 4)).verify() == []
    (warning,) = stumps((3, 4), (0, 3)).verify()
    assert warning.endswith("no flow can be of class 'class 1': another always has the higher score")
    (warning,) = stumps((0, 3), (4, 5)).verify()
    assert "no flow can be of class 'class 0'" in warning


def test_an_error_that_can_change_a_class_is_a_warning():
    near = dataclasses.replace(stumps((0, 8), (4, 4), (8, 0)), score_error=0.5)
    (warning,) = near.verify()
    assert warning.endswith(
        "decisions can differ from the model's where its two highest scores are within 0.5 of each other "
        "(score_error, 0.5 of the score's last place)"
    )
    # Differences lie 8 apart, the nearest to 0 at 4 or at 2.
    assert dataclasses.replace(stumps((0, 8), (4, 4)), score_error=3.5).verify() == []
    assert dataclasses.replace(stumps((0, 8), (4, 4)), score_error=4.0).verify() != []
    assert dataclasses.replace(stumps((0, 8), (6, 6)), score_error=1.5).verify() == []
    assert dataclasses.replace(stumps((0, 8), (6, 6)), score_error=2.0).verify() != []


def test_an_ordinary_forest_gives_no_warning():
    assert one_tree().verify() == []
