"""Buffers between pins and signals."""

from amaranth.hdl import Module, Value
from amaranth.lib import io

__all__ = ["put_out", "taken_in"]


def taken_in(m: Module, pin: io.PortLike) -> Value:
    """What is at an input."""
    m.submodules += (buffer := io.Buffer("i", pin))
    return buffer.i


def put_out(m: Module, pin: io.PortLike, value: Value) -> None:
    """Drive an output."""
    m.submodules += (buffer := io.Buffer("o", pin))
    m.d.comb += buffer.o.eq(value)
