"""Checks this export against itself: ``pytest`` on this directory, in an environment with Hedgerow installed.

The forest circuit is made again from forest.json and simulated clock by clock with every row of vectors.csv.
"""

from pathlib import Path

from sim.forest_check import ForestCheck

EXPORT = Path(__file__).parent


def test_files_are_the_exported_ones():
    assert ForestCheck(EXPORT).changed_files() == []


def test_circuit_is_the_exported_one():
    assert ForestCheck(EXPORT).circuit_unchanged()


def test_vectors_are_what_the_forest_answers():
    assert ForestCheck(EXPORT).wrong_vectors() == 0


def test_every_answer_comes_when_it_is_due():
    assert ForestCheck(EXPORT).simulate().mismatches == 0
