"""Tables of one feature: every kind gives every comparison for every value, and takes what it says."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.feature_tables import FeatureTables, choices
from compiler.lookup_choice import TableChoice, choose_tables
from compiler.lookup_network import with_tables
from hdl.forest_parameters import ForestParameters
from hdl.tree import Leaf, Node, Tree
from tests.lookups import HALVES, WHOLE


def of_thresholds(width, thresholds):
    """A forest with a tree of one test for each threshold: its votes are the comparisons."""
    trees = tuple(Tree(1, (Node(0, at, 1, 2), Leaf(1), Leaf(0))) for at in thresholds)
    return ForestParameters(feature_widths=(width,), trees=trees)


def comparisons(width, thresholds, tables, values):
    stages, network = with_tables(of_thresholds(width, thresholds), [tables])
    rows = (np.asarray(values)[:, None] >> np.arange(width) & 1).astype(bool)
    for stage in stages:
        rows = stage.evaluate(rows)
    return network.evaluate(rows), stages


def check(width, thresholds, tables, values):
    found, stages = comparisons(width, thresholds, tables, values)
    assert (found == (np.asarray(values)[:, None] <= np.array(thresholds))).all(), tables
    assert sum(tables.rom.block_rams(stage.tables) for stage in stages) == TableChoice(0, (tables,)).block_rams
    assert sum(len(stage.network.luts) for stage in stages) <= tables.cells


@st.composite
def features(draw):
    """A width and thresholds in ranges of any size, so that buckets are crowded and empty."""
    width = draw(st.integers(2, 24))
    most = draw(st.integers(1, width))
    greatest = st.integers(1, most).flatmap(lambda bits: st.integers(0, (1 << bits) - 1))
    return width, sorted(draw(st.sets(greatest, min_size=1, max_size=60)))


@settings(max_examples=40, deadline=None)
@given(feature=features(), rom=st.sampled_from([HALVES, WHOLE]), seed=st.integers(0, 2**16))
def test_every_choice_gives_every_comparison(feature, rom, seed):
    width, thresholds = feature
    near = {max(0, min((1 << width) - 1, at + off)) for at in thresholds for off in (-1, 0, 1)}
    ends = {number for bits in range(width + 1) for number in ((1 << bits) - 1, (1 << bits) % (1 << width))}
    drawn = np.random.default_rng(seed).integers(0, 1 << width, 300).tolist()
    values = sorted(near | ends | set(drawn))
    # Of many choices some: they differ by a bit more or less.
    found = list(choices(width, thresholds, rom))
    for tables in random.Random(seed).sample(found, min(6, len(found))):
        check(width, thresholds, tables, values)


@pytest.mark.parametrize("clamped", [False, True])
@pytest.mark.parametrize("address", [9, 10])
def test_all_values_of_a_feature(address, clamped):
    # At the end of a bucket, alone in one, two in one, next to each other and in the first and last.
    thresholds = [0, 7, 8, 63, 64, 65, 700, 702, 703, 2000, 3001, 4063, 4070]
    tables = FeatureTables(13, 12, address, clamped, tuple(thresholds), HALVES)
    assert tables.possible
    assert tables.per_bucket in (1, 2)
    check(13, thresholds, tables, range(1 << 13))


def test_a_clamped_address_needs_a_last_bucket_without_comparisons():
    assert not FeatureTables(13, 12, 9, True, (5, 4093), HALVES).possible
    assert FeatureTables(13, 12, 9, False, (5, 4093), HALVES).possible


@pytest.mark.parametrize("rom", [HALVES, WHOLE])
def test_more_block_rams_never_take_more_logic(rom):
    rng = np.random.default_rng(5)
    trees = [
        Tree(1, (Node(feature, int(at), 1, 2), Leaf(1), Leaf(0)))
        for feature, width in enumerate((8, 11, 16, 24))
        for at in np.unique(rng.integers(0, 1 << width, 40))
    ]
    choices = choose_tables(ForestParameters(feature_widths=(8, 11, 16, 24), trees=tuple(trees)), rom, 12)
    cells = [choice.cells for choice in choices]
    assert cells == sorted(cells, reverse=True)
    assert cells[-1] < cells[0] / 2
    assert choices[0].tables == (None,) * 4
    assert all(choice.block_rams <= limit for limit, choice in enumerate(choices))
