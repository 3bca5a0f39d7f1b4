"""Data for estimators: synthetic rows under catalogue names, labels that trees can learn in part, and rows that try
every threshold of a forest."""

import numpy as np

from compiler.features import CATALOGUE
from compiler.forest import Forest

__all__ = ["NAMES", "labels_of", "rows", "threshold_rows", "verdicts_agree"]

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
