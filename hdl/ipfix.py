"""IPFIX messages (RFC 7011) as programs of one step a byte, for the exporter to run.

A program is a list of messages. Which fields a message has is a table: information element, enterprise, size and
where the bytes come from. No field has a name here.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["MAX_RECORD_WORDS", "REVERSE_ENTERPRISE", "ExportField", "Live", "Message", "Opcode", "Source", "Step"]
__all__ += ["data_message", "template_message"]

REVERSE_ENTERPRISE = 29305
"""RFC 5103: this enterprise number makes an IANA element the same of the reverse direction."""

_VERSION = 10
_TEMPLATE_SET, _OPTIONS_TEMPLATE_SET = 2, 3
_ENTERPRISE_BIT = 0x8000


class Opcode(enum.IntEnum):
    """Where a byte of a message comes from, and what the operand of its step means."""

    LITERAL = 0
    """The operand."""
    RECORD = 1
    """Byte ``operand[:2]`` (0 the least significant) of word ``operand[2:]`` of the record."""
    TIME = 2
    """Byte ``operand[:3]`` of the epoch plus word ``operand[3:]`` of the record, in milliseconds."""
    COUNTER = 3
    """Byte ``operand[:3]`` of counter ``operand[3:]`` in the snapshot."""
    LIVE = 4
    """Byte ``operand[:2]`` of the :class:`Live` value ``operand[2:]``."""


class Live(enum.IntEnum):
    """Values of up to 32 bits that the exporter itself knows."""

    SECONDS = 0
    """Seconds since 1970."""
    SEQUENCE = 1
    """Data records sent so far."""
    SCORE = 2
    VERDICT = 3
    REASON = 4
    DIRECTION = 5
    """biflowDirection: 1 when the initiator is known by its SYN, else 0."""
    FILL = 6
    """Entries of the flow table in use."""
    FOREST = 7
    """Id of the forest in use, where it can change."""
    MONITOR_ONLY = 8
    """Whether that is for monitoring only."""

    @property
    def size(self) -> int:
        """Bytes that a field of it may have."""
        one = dict.fromkeys((Live.VERDICT, Live.REASON, Live.DIRECTION, Live.MONITOR_ONLY), 1)
        return (one | {Live.FILL: 2}).get(self, 4)


MAX_RECORD_WORDS = 64
"""What the operand of RECORD can reach; that of TIME reaches half as far."""


@dataclass(frozen=True)
class Source:
    """Where a field's bytes come from.

    Parameters
    ----------
    opcode: of every byte
    operands: of the least significant byte of each word, the most significant word first
    value: of a literal
    bytes: that there are, where a field may have more: those in front are zeros then
    """

    opcode: Opcode
    operands: tuple[int, ...] = ()
    value: int = 0
    bytes: int | None = None

    @classmethod
    def literal(cls, value: int) -> "Source":
        return cls(Opcode.LITERAL, value=value)

    @classmethod
    def record(cls, word: int, shift: int = 0, bytes: int | None = None) -> "Source":
        """Bits from ``shift`` on of a word of the record, the first being 0; ``bytes`` of them, or as the field has."""
        return cls(Opcode.RECORD, (word << 2 | shift // 8,), bytes=bytes)

    @classmethod
    def words(cls, words: Sequence[int]) -> "Source":
        """Whole words of the record, the most significant first."""
        return cls(Opcode.RECORD, tuple(word << 2 for word in words))

    @classmethod
    def time(cls, word: int) -> "Source":
        """The epoch plus a word of the record, one of the first 32."""
        return cls(Opcode.TIME, (word << 3,))

    @classmethod
    def counter(cls, index: int) -> "Source":
        return cls(Opcode.COUNTER, (index << 3,))

    @classmethod
    def live(cls, live: Live) -> "Source":
        return cls(Opcode.LIVE, (live << 2,))

    def steps(self, size: int) -> "list[Step]":
        """``size`` bytes, most significant first."""
        if self.opcode is Opcode.LITERAL:
            return [Step(Opcode.LITERAL, byte) for byte in self.value.to_bytes(size, "big")]
        taken = size if self.bytes is None else min(size, self.bytes)
        per_word = taken // len(self.operands)
        zeros = [Step(Opcode.LITERAL, 0)] * (size - taken)
        bytes_of = [
            Step(self.opcode, operand + byte) for operand in self.operands for byte in reversed(range(per_word))
        ]
        return zeros + bytes_of


@dataclass(frozen=True)
class Step:
    """One byte of a message."""

    opcode: Opcode
    operand: int
    last: bool = False


@dataclass(frozen=True)
class ExportField:
    """One field of a template.

    Parameters
    ----------
    element: number of the information element
    size: bytes
    source: where they come from
    enterprise: private enterprise number, None for an element of IANA's registry
    """

    element: int
    size: int
    source: Source
    enterprise: int | None = None

    @property
    def specifier(self) -> bytes:
        """Field specifier of a template."""
        if self.enterprise is None:
            return self.element.to_bytes(2, "big") + self.size.to_bytes(2, "big")
        element = _ENTERPRISE_BIT | self.element
        return element.to_bytes(2, "big") + self.size.to_bytes(2, "big") + self.enterprise.to_bytes(4, "big")


Message = tuple[Step, ...]


def template_message(
    domain: int,
    templates: dict[int, Sequence[ExportField]],
    options: dict[int, Sequence[ExportField]],
) -> Message:
    """A message that announces templates and options templates by number; the first field of an option is its scope."""
    template_records = b"".join(
        number.to_bytes(2, "big") + len(fields).to_bytes(2, "big") + _specifiers(fields)
        for number, fields in templates.items()
    )
    options_records = b"".join(
        number.to_bytes(2, "big") + len(fields).to_bytes(2, "big") + b"\0\1" + _specifiers(fields)
        for number, fields in options.items()
    )
    sets = _set(_TEMPLATE_SET, template_records) + _set(_OPTIONS_TEMPLATE_SET, options_records)
    return _message(domain, [Step(Opcode.LITERAL, byte) for byte in sets])


def data_message(domain: int, template: int, fields: Sequence[ExportField]) -> Message:
    """A message of one data record."""
    body = [step for field in fields for step in field.source.steps(field.size)]
    header = template.to_bytes(2, "big") + (4 + len(body)).to_bytes(2, "big")
    return _message(domain, [*(Step(Opcode.LITERAL, byte) for byte in header), *body])


def _specifiers(fields: Iterable[ExportField]) -> bytes:
    return b"".join(field.specifier for field in fields)


def _set(number: int, records: bytes) -> bytes:
    if not records:
        return b""  # a set must hold a record
    return number.to_bytes(2, "big") + (4 + len(records)).to_bytes(2, "big") + records


def _message(domain: int, sets: list[Step]) -> Message:
    length = 16 + len(sets)
    header = [
        *(Step(Opcode.LITERAL, byte) for byte in _VERSION.to_bytes(2, "big") + length.to_bytes(2, "big")),
        *Source.live(Live.SECONDS).steps(4),
        *Source.live(Live.SEQUENCE).steps(4),
        *(Step(Opcode.LITERAL, byte) for byte in domain.to_bytes(4, "big")),
    ]
    steps = header + sets
    return (*steps[:-1], Step(steps[-1].opcode, steps[-1].operand, last=True))
