"""Data for estimators: synthetic rows under catalogue names, labels that trees can learn in part, and rows that try
every threshold of a forest."""

import numpy as np

from compiler.features import CATALOGUE
from compiler.forest import Forest

__all__ = ["NAMES", "classes_agree", "classes_of", "labels_of", "rows", "threshold_rows", "verdicts_agree"]

NAMES = ["maxpl", "spl", "syn", "minttl"]
_WIDTHS = np.array([CATALOGUE[name].bits for name in NAMES])


def rows(count: int, seed: int) -> np.ndarray:
    """Rows of shape (count, 4), small and large values of every width."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << rng.integers(0, _WIDTHS + 1, (count, 4)))


def labels_of(X: np.ndarray, seed: int = 2, wrong: float = 0.1) -> np.ndarray:
    """False and True; a share of them is ``wrong``, so that leaves are not pure."""
    noise = np.random.default_rng(seed).random(len(X)) < wrong
    return (X[:, 0] > X[:, 1]) ^ (X[:, 2] == 1) ^ noise


def classes_of(X: np.ndarray, seed: int = 2, wrong: float = 0.1) -> np.ndarray:
    """0 to 3; a share of them is at random."""
    rng = np.random.default_rng(seed)
    learnt = 2 * (X[:, 0] > X[:, 1]) + (X[:, 2] ^ (X[:, 3] > 20))
    return np.where(rng.random(len(X)) < wrong, rng.integers(0, 4, len(X)), learnt)


def threshold_rows(forest: Forest, X: np.ndarray) -> np.ndarray:
    """For every threshold a row of X with that feature at the threshold, one above it and one below it."""
    made = []
    for column, thresholds in enumerate(forest.thresholds()):
        greatest = (1 << forest.columns[column].bits) - 1
        for place, threshold in enumerate(sorted(thresholds)):
            for value in {max(threshold - 1, 0), threshold, min(threshold + 1, greatest)}:
                row = X[(7 * place + column) % len(X)].copy()
                row[column] = value
                made.append(row)
    return np.array(made).reshape(-1, X.shape[1])


def verdicts_agree(forest: Forest, is_spam, X: np.ndarray) -> None:
    """Compare every verdict with the model's own, a function of rows, on X, on fresh rows and at the thresholds.

    Only where the score is within its stated error of the band may a verdict differ; without error, nowhere.
    """
    sure = forest.score_error * 2**forest.score_fraction
    for tried in (X, rows(2000, 77), threshold_rows(forest, X)):
        if len(tried):
            wrong = forest.decide(tried) != np.where(is_spam(tried), 1, -1)
            assert not (wrong & (np.abs(forest.score(tried)) > sure)).any()
            assert forest.score_error or not wrong.any()
            assert wrong.mean() < 0.01


def classes_agree(forest: Forest, predict, X: np.ndarray, real=None) -> None:
    """Compare every class with the model's own on X, on fresh rows and at the thresholds.

    Only where the two highest scores are within their stated error of each other may a class differ; without error,
    nowhere. ``real`` gives the model's own scores, shape (rows, classes), whose differences keep the bound.
    """
    sure = forest.score_error * 2**forest.score_fraction
    names = np.array(forest.classes)
    for tried in (X, rows(2000, 77), threshold_rows(forest, X)):
        if not len(tried):
            continue
        scores = forest.score(tried)
        wrong = names[forest.decide(tried)] != np.asarray(predict(tried)).astype(str)
        first, second = np.sort(scores, axis=1)[:, :-3:-1].T
        assert not (wrong & (first - second > sure)).any()
        assert forest.score_error or not wrong.any()
        assert wrong.mean() < 0.01
        if real is not None:
            off = scores / 2**forest.score_fraction - real(tried)
            assert (off.max(axis=1) - off.min(axis=1)).max() <= forest.score_error
