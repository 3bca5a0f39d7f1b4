"""Comparison with a constant in AND and OR gates."""

from amaranth.hdl import Const, Value

__all__ = ["at_least", "at_most"]


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


def at_least(value: Value, constant: int) -> Value:
    """Whether an unsigned value has reached a constant, without a carry chain."""
    return ~at_most(value, constant - 1)
