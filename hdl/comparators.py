"""Comparators: one bit for every distinct (feature, threshold) of a forest."""

import numpy as np
from amaranth.hdl import Const, Module, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

__all__ = ["Comparators", "at_most"]


def at_most(value: Value, constant: int) -> Value:
    """Whether an unsigned ``value`` is at most ``constant``, in AND and OR gates.

    Written with ``<=`` it would become a carry chain, which costs open flows several times the logic: a chain has one
    link a bit, while a LUT takes up to three bits of a constant comparison.
    """
    if constant < 0:
        return Const(0)
    holds: Value = Const(1)
    for bit in range(len(value)):
        # From the least significant bit on: a higher bit that differs from the constant's settles it.
        holds = ~value[bit] | holds if constant >> bit & 1 else ~value[bit] & holds
    return holds if constant >> len(value) == 0 else Const(1)


class Comparators(wiring.Component):
    """Compare features with constants, once for all trees.

    **Latency**: none, it is combinational.

    Parameters
    ----------
    layout:
        The features.
    thresholds:
        Pairs (feature, threshold); bit n of the output is for pair n.

    Attributes
    ----------
    features:
        In: the features.
    at_most:
        Out: bit n is set when feature <= threshold of pair n.
    """

    def __init__(self, *, layout: data.StructLayout, thresholds: tuple[tuple[int, int], ...]):
        self.thresholds = tuple(thresholds)
        super().__init__({"features": In(layout), "at_most": Out(len(self.thresholds))})

    @staticmethod
    def model(X: NDArray[np.int64], thresholds: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
        """The bits, one column for every pair, for every row of features."""
        columns = [X[:, feature] <= threshold for feature, threshold in thresholds]
        return np.array(columns, np.int64).reshape(len(thresholds), len(X)).T

    def elaborate(self, platform):
        m = Module()

        for index, (feature, threshold) in enumerate(self.thresholds):
            m.d.comb += self.at_most[index].eq(at_most(self.features[f"feature_{feature}"], threshold))

        return m
