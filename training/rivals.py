"""Simple classifiers that a forest has to beat at the same number of false alarms; each gives a score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from .cross_fitting import Judge, Learner
from .detection import detection_at
from .flow_set import FlowSet

__all__ = ["PCA_COMPONENTS", "Stump", "learn_pca", "stump_learner", "tree_learner"]

PCA_COMPONENTS = 3
_CAUTIONS = (1, 3, 10, 30, 100)
"""How much more legitimate flows may count than spam when a tree is grown."""


@dataclass(frozen=True)
class Stump:
    """One feature with one threshold: its score is the feature, or its negative."""

    feature: str
    sign: int

    def __call__(self, flows: FlowSet) -> NDArray[np.int64]:
        return self.sign * flows.columns((self.feature,))[:, 0]

    def said(self, end: int) -> str:
        """The stump in words, when it calls spam what has a score above ``end``."""
        return f"SPAM when {self.feature} {'>' if self.sign > 0 else '<'} {self.sign * end}"


def stump_learner(budget: float) -> Learner:
    """The feature and the side of it that catch the most spam within the budget; the first of the best ones."""

    def learn(flows: FlowSet) -> Stump:
        spam, legitimate = flows.target == 1, flows.target == -1
        stumps = [Stump(feature, sign) for feature in flows.features for sign in (-1, 1)]
        caught = []
        for stump in stumps:
            scores = stump(flows)
            caught.append(detection_at(scores[spam], scores[legitimate], budget))
        return stumps[int(np.argmax(caught))]

    return learn


def tree_learner(budget: float, depth: int = 2) -> Learner:
    """A tree whose score is the share of spam in a leaf.

    It is grown several times, legitimate flows counting more and more; the one is taken that catches the most spam
    within the budget.
    """

    def learn(flows: FlowSet) -> Judge:
        taught = flows.teaching
        spam = taught.target == 1
        judges, caught = [], []
        for caution in _CAUTIONS:
            weight = np.where(spam, 1 / np.sum(spam), caution / np.sum(~spam)) * len(taught)
            tree = DecisionTreeClassifier(max_depth=depth, min_samples_leaf=5, random_state=0)
            tree.fit(taught.X, spam, sample_weight=weight)
            judges.append(lambda flows, tree=tree: tree.predict_proba(flows.X)[:, 1])
            scores = judges[-1](taught)
            caught.append(detection_at(scores[spam], scores[~spam], budget))
        return judges[int(np.argmax(caught))]

    return learn


def learn_pca(flows: FlowSet) -> Judge:
    """Logistic regression on the first principal components of the standardised features."""
    taught = flows.teaching
    components = min(PCA_COMPONENTS, taught.X.shape[1])
    model = make_pipeline(
        StandardScaler(),
        PCA(components, random_state=0),
        LogisticRegression(class_weight="balanced", max_iter=1000),
    ).fit(taught.X, taught.target == 1)
    return lambda flows: model.decision_function(flows.X)
