"""Leak tests see what trees remember of senders, and what tells the classes by itself."""

import numpy as np

from compiler.features import CATALOGUE
from training.fitting import FitParameters
from training.flow_set import FlowSet
from training.leaks import LEAKS, leaks_of, warnings_of

FEATURES = tuple(dict.fromkeys(("maxpl", "spl2", *(name for names in LEAKS.values() for name in names))))


def made(*, stack_tells: bool) -> FlowSet:
    """Eighty senders of spam or of ham, ten flows each; a sender has one TTL and window."""
    generator = np.random.default_rng(5)
    sender = np.repeat(np.arange(80), 10)
    spam = sender % 2 == 1
    of_sender = {name: generator.integers(30, 250, 80) for name in ("maxttl", "mintw")}
    if stack_tells:
        of_sender["maxttl"] = np.where(np.arange(80) % 2, 40, 200)
    X = np.zeros((800, len(FEATURES)), np.int64)
    for at, name in enumerate(FEATURES):
        X[:, at] = of_sender[name][sender] if name in of_sender else generator.integers(0, 100, 800)
    X[:, FEATURES.index("maxpl")] += 60 * spam
    assert all(X[:, at].max() < 1 << CATALOGUE[name].bits for at, name in enumerate(FEATURES))
    names = np.array([f"s{number}" for number in sender])
    return FlowSet("made", FEATURES, X, names, np.where(spam, "spam", "ham"), np.full(800, ""))


def found(flows):
    leaks = leaks_of("made", flows, FitParameters(trees=11, seed=2), ("maxpl", "spl2"))
    return {(leak.task, leak.features): leak for leak in leaks}, warnings_of(leaks)


def test_a_split_by_flow_shows_what_trees_remember():
    leaks, warnings = found(made(stack_tells=False))
    stack = leaks["spam against ham", "TTL and window of the client"]
    assert stack.by_flow > 0.85
    assert not stack.above_chance
    assert stack.chance[0] < stack.by_sender.value < stack.chance[1]
    assert leaks["spam against ham", "features of the forest"].above_chance
    assert any("trees remember senders" in said and "TTL" in said for said in warnings)
    assert not any("a leak may explain" in said for said in warnings)


def test_a_stack_that_tells_the_class_is_a_leak():
    leaks, warnings = found(made(stack_tells=True))
    stack = leaks["spam against ham", "TTL and window of the client"]
    assert stack.above_chance
    assert stack.by_sender.value > 0.95
    assert any("a leak may explain" in said and "TTL" in said for said in warnings)
    assert not leaks["spam against ham", "lengths of the server"].above_chance
