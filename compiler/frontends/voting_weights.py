"""The weights of a VotingClassifier as fractions."""

import math
from fractions import Fraction

from sklearn.ensemble import VotingClassifier

from ..errors import InputError

__all__ = ["voting_weights"]


def voting_weights(estimator: VotingClassifier) -> list[Fraction]:
    """One weight for each of ``estimators_``, in their order; 1 where none were given."""
    if estimator.weights is None:
        return [Fraction(1)] * len(estimator.estimators_)
    pairs = zip(estimator.estimators, estimator.weights, strict=True)
    weights = [float(weight) for (_, part), weight in pairs if part != "drop"]
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
        raise InputError(f"weights must not be below 0, nor all be 0, not {weights}")
    return [Fraction(weight) for weight in weights]
