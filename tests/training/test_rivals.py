"""Stump, small tree and principal components."""

import numpy as np

from training.cross_fitting import cross_scores
from training.detection import detection_at
from training.flow_set import FlowSet
from training.rivals import learn_pca, stump_learner, tree_learner


def flow_set(spam_values, ham_values):
    """Flows of one feature that tells and of one that does not, each of a sender of its own."""
    maxpl = np.array([*spam_values, *ham_values])
    count = len(maxpl)
    X = np.column_stack([np.arange(count) % 7, maxpl])
    labels = np.array(["spam"] * len(spam_values) + ["ham"] * len(ham_values))
    return FlowSet("made", ("sp", "maxpl"), X, np.array([f"s{at}" for at in range(count)]), labels, np.full(count, ""))


def test_the_stump_takes_feature_and_side_that_catch_most_within_the_budget():
    # Nine of ten spam flows are short; so is one of a hundred others.
    flows = flow_set([60] * 90 + [900] * 10, [61] * 1 + [800] * 99)
    stump = stump_learner(100)(flows)
    assert (stump.feature, stump.sign) == ("maxpl", -1)
    assert stump.said(-61) == "SPAM when maxpl < 61"
    assert detection_at(stump(flows)[:100], stump(flows)[100:], 0) == 0.9
    long = flow_set([900] * 50, [60] * 100)
    assert stump_learner(100)(long).sign == 1


def test_two_splits_catch_what_lies_between():
    flows = flow_set([300] * 100, [100] * 60 + [700] * 60)
    for learner, caught in ((tree_learner(100), 1.0), (stump_learner(100), 0.0)):
        scores = cross_scores(flows, learner, seed=1)
        found = detection_at(scores[flows.is_spam], scores[flows.is_legitimate], 100)
        assert abs(found - caught) < 0.05


def test_principal_components_tell_what_a_line_tells():
    generator = np.random.default_rng(0)
    flows = flow_set(generator.integers(0, 400, 100), generator.integers(300, 900, 100))
    scores = learn_pca(flows)(flows)
    assert scores[flows.is_spam].mean() > scores[flows.is_legitimate].mean()
    assert detection_at(scores[flows.is_spam], scores[flows.is_legitimate], 1000) > 0.5
