"""Comparisons with constants: right on both sides of every threshold, shared, and few."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hdl.lut_network import FALSE, TRUE, NetworkBuilder
from hdl.threshold_network import add_thresholds


def network_of(width, thresholds):
    builder = NetworkBuilder(width)
    nodes = add_thresholds(builder, builder.inputs, thresholds)
    return builder.network([nodes[threshold] for threshold in sorted(thresholds)])


def bits_of(values, width):
    return np.array([[value >> bit & 1 for bit in range(width)] for value in values], bool).reshape(len(values), width)


@pytest.mark.parametrize("width", range(1, 7))
def test_all_values_against_all_thresholds(width):
    values = range(1 << width)
    seen = network_of(width, set(values)).evaluate(bits_of(values, width))
    assert seen.tolist() == [[value <= threshold for threshold in values] for value in values]


THRESHOLDS = st.integers(1, 24).flatmap(
    lambda width: st.tuples(
        st.just(width), st.sets(st.integers(0, width).flatmap(lambda w: st.integers(0, (1 << w) - 1)), max_size=40)
    )
)


@given(drawn=THRESHOLDS)
@example(drawn=(24, {0, (1 << 24) - 1, 1 << 23, (1 << 23) - 1}))
def test_both_sides_of_every_threshold(drawn):
    width, thresholds = drawn
    near = {value + step for value in thresholds for step in (-1, 0, 1)} | {0, (1 << width) - 1}
    values = sorted(value for value in near if 0 <= value < 1 << width)
    seen = network_of(width, thresholds).evaluate(bits_of(values, width))
    assert seen.tolist() == [[value <= threshold for threshold in sorted(thresholds)] for value in values]


def test_what_always_or_never_holds_is_a_constant():
    builder = NetworkBuilder(5)
    assert add_thresholds(builder, builder.inputs, {-1, 31, 15}) == {-1: FALSE, 31: TRUE, 15: builder.lut(0b01, [6])}


def test_sharing_saves_tables():
    """A chain by itself takes six tables for 19 bits that matter; 61 thresholds within 2000 share most of that."""
    thresholds = set(range(1000, 3000, 33))
    assert len(network_of(20, {1033}).luts) == 6
    assert len(network_of(20, thresholds).luts) < 2.6 * len(thresholds)
