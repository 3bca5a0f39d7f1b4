"""Numbers as people read them: fixed-point values in their unit, clocks, times."""

from hdl.tree import Node

from ..forest import Column

__all__ = ["condition", "count", "frequency", "in_unit", "per_second", "time_text", "value_text"]


def value_text(raw: int, fraction: int) -> str:
    """An integer with so many bits behind the point, exactly: 470 with 2 is 117.5."""
    if not fraction:
        return str(raw)
    return f"{raw / 2**fraction:.{fraction}f}".rstrip("0").rstrip(".")


def in_unit(raw: int, column: Column) -> str:
    """A value of a feature with its unit."""
    return f"{value_text(raw, column.fraction)} {column.unit}".rstrip()


def condition(node: Node, column: Column) -> str:
    """What a node asks of its feature."""
    return f"≤ {in_unit(node.threshold, column)}"


def count(number: int, thing: str) -> str:
    """A number of things."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def frequency(hz: float) -> str:
    """A clock."""
    return f"{hz / 1e6:.4g} MHz"


def time_text(seconds: float) -> str:
    """A time with the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def per_second(rate: float) -> str:
    """A rate; above a million in millions."""
    return f"{rate / 1e6:.4g} million/s" if rate >= 1e6 else f"{rate:.0f}/s"
