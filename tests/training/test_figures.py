"""The figures of a forest."""

import numpy as np

from compiler.forest import Leaf, Node, Tree
from tests.forests import one_tree
from training.figures import draw_forest, feature_use

# maxpl <= 1400 asks for syn too, so of these flows all are asked for maxpl and a quarter for syn.
_X = np.array([[1000, 1], [1500, 1], [1500, 0], [1401, 0]])


def test_feature_use_counts_the_tests_on_the_paths():
    assert feature_use(one_tree(), _X) == {"maxpl": 100.0, "syn": 25.0}


def test_feature_use_weighs_by_the_weight_of_the_tree():
    by_syn = Tree(3, (Node(1, 0, 1, 2), Leaf(-1), Leaf(1)))
    forest = one_tree(trees=(*one_tree().trees, by_syn))
    assert feature_use(forest, _X) == {"syn": 100.0, "maxpl": 100 * 4 / 13}


def test_picture(tmp_path):
    forest = one_tree()
    scores = forest.score(_X)
    path = tmp_path / "forest.png"
    draw_forest(path, forest, _X, {"spam": scores[:2], "legitimate": scores[2:], "other": scores[:0]})
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]
