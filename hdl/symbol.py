"""Symbols: bytes as a line brings them, which waits for nobody, and where a run of them ends."""

from amaranth.lib import data, stream

__all__ = ["Symbol", "symbol_signature"]


class Symbol(data.Struct):
    """A byte, or the end of a run of bytes; ``error`` says that something is wrong with it."""

    data: 8
    end: 1
    error: 1


def symbol_signature() -> stream.Signature:
    """Symbols that must be taken in the clock in which they come."""
    return stream.Signature(Symbol, always_ready=True)
