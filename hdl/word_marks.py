"""WordMarks: what four bytes would mean at some places of a header, whatever they are.

Reading a word a clock, this is found out a clock before the word is read.
"""

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data

from hdl.protocols import ETHERTYPES, GREATEST_LENGTH, Header

__all__ = ["WordMarks", "mark"]


class WordMarks(data.Struct):
    """``leads``: the header behind an EtherType in the low half, LLC if it is a length; ``unknown``: it is neither.

    ``tracked``: one of two ports is a configured one; ``sum``: of both halves.
    """

    leads: Header
    unknown: 1
    tracked: 1
    sum: 17


def mark(m: Module, domain: str, word: Value, marks: data.View, *, ports: tuple[int, ...] | None) -> None:
    """Sets the marks of a word."""
    low, high = word[:16], word[16:]
    m.d[domain] += [
        marks.leads.eq(Header.LLC),
        marks.unknown.eq(0),
        marks.tracked.eq(Cat(half == port for port in ports or () for half in (low, high)).any()),
        marks.sum.eq(low + high),
    ]
    with m.Switch(low):
        for ethertype, header in ETHERTYPES.items():
            with m.Case(ethertype):
                m.d[domain] += marks.leads.eq(header)
        with m.Default():
            m.d[domain] += marks.unknown.eq(low > GREATEST_LENGTH)
