"""IPFIX messages (RFC 7011) as a collector reads them: strict, and knowing no element by name."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from compiler.information_elements import Element

__all__ = [
    "Collector",
    "DataRecord",
    "FieldSpecifier",
    "IpfixMessage",
    "MessageHeader",
    "Template",
    "Undecodable",
]

MESSAGE_HEADER_BYTES = 16
MAX_MESSAGE_BYTES = 0xFFFF
_SET_HEADER_BYTES = 4
_VERSION = 10
_TEMPLATE_SET, _OPTIONS_TEMPLATE_SET, _FIRST_DATA_SET = 2, 3, 256
_ENTERPRISE_BIT = 0x8000
_VARIABLE = 0xFFFF
_LONG = 0xFF


class MessageHeader(NamedTuple):
    """``sequence`` counts the data records that the domain has sent before this message, modulo 2³²."""

    export_seconds: int
    sequence: int
    domain: int


class FieldSpecifier(NamedTuple):
    """One field of a template; a ``size`` of 65535 says that each value brings its own."""

    element: Element
    size: int


class Template(NamedTuple):
    """The first ``scopes`` fields of an options template are its scope; a template of data has none."""

    fields: tuple[FieldSpecifier, ...]
    scopes: int = 0

    @property
    def least_bytes(self) -> int:
        """Of a record; what is left of a set after its records is shorter."""
        return sum(1 if field.size == _VARIABLE else field.size for field in self.fields)

    @property
    def repeated(self) -> Element | None:
        """An element that stands in it twice, if any does."""
        seen = set()
        return next((f.element for f in self.fields if f.element in seen or seen.add(f.element)), None)


class DataRecord(NamedTuple):
    """One record; its values as they came, most significant byte first."""

    template: int
    options: bool
    values: Mapping[Element, bytes]

    def unsigned(self, element: Element) -> int:
        return int.from_bytes(self.values[element], "big")

    def signed(self, element: Element) -> int:
        return int.from_bytes(self.values[element], "big", signed=True)


class Undecodable(NamedTuple):
    """A set of data that cannot be read yet, and why."""

    template: int
    reason: str


class IpfixMessage(NamedTuple):
    """One message.

    Attributes
    ----------
    missing: data records that came from no message although the sequence number says that they were sent before
    restarted: the sequence number went back, so the exporter has started again
    """

    header: MessageHeader
    records: tuple[DataRecord, ...]
    undecodable: tuple[Undecodable, ...]
    missing: int = 0
    restarted: bool = False


class Collector:
    """Reads the messages of one transport session.

    Attributes
    ----------
    templates: by domain, then by number
    """

    def __init__(self):
        self.templates: dict[int, dict[int, Template]] = {}
        # What the sequence number of the next message must be, by domain; not there when a set could not be counted.
        self._next_sequence: dict[int, int] = {}

    def read(self, message: bytes) -> IpfixMessage:
        """The records of a message.

        Raises
        ------
        ValueError
            When it is malformed; then nothing of it has been taken in.
        """
        header = _header(message)
        # A copy, so that a message that turns out malformed leaves no template behind.
        templates = dict(self.templates.get(header.domain, {}))
        records: list[DataRecord] = []
        undecodable: list[Undecodable] = []
        for number, begin, end in _sets(message):
            if number in (_TEMPLATE_SET, _OPTIONS_TEMPLATE_SET):
                _read_templates(message, begin, end, templates, options=number == _OPTIONS_TEMPLATE_SET)
            elif (template := templates.get(number)) is None:
                undecodable.append(Undecodable(number, "its template has not come"))
            elif template.repeated is not None:
                undecodable.append(Undecodable(number, f"its template repeats element {template.repeated.number}"))
            else:
                records += _read_records(message, begin, end, number, template)
        self.templates[header.domain] = templates
        missing, restarted = self._check_sequence(header, None if undecodable else len(records))
        return IpfixMessage(header, tuple(records), tuple(undecodable), missing, restarted)

    def _check_sequence(self, header: MessageHeader, count: int | None) -> tuple[int, bool]:
        expected = self._next_sequence.pop(header.domain, header.sequence)
        if count is not None:
            self._next_sequence[header.domain] = header.sequence + count & 0xFFFF_FFFF
        ahead = header.sequence - expected & 0xFFFF_FFFF
        # More than half of the way round is a step back.
        return (0, True) if ahead >> 31 else (ahead, False)


def _header(message: bytes) -> MessageHeader:
    if len(message) < MESSAGE_HEADER_BYTES:
        raise ValueError(f"A message must have a header of {MESSAGE_HEADER_BYTES} bytes, not {len(message)}, at byte 0")
    if (version := _number(message, 0, 2)) != _VERSION:
        raise ValueError(f"The version must be {_VERSION}, not {version}, at byte 0")
    if (length := _number(message, 2, 2)) != len(message):
        raise ValueError(f"The length must be the {len(message)} bytes of the message, not {length}, at byte 2")
    return MessageHeader(_number(message, 4, 4), _number(message, 8, 4), _number(message, 12, 4))


def _sets(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Number of every set, and where its records begin and end."""
    at = MESSAGE_HEADER_BYTES
    while at < len(message):
        if len(message) - at < _SET_HEADER_BYTES:
            raise ValueError(f"A set must have a header of {_SET_HEADER_BYTES} bytes, at byte {at}")
        number, length = _number(message, at, 2), _number(message, at + 2, 2)
        if number not in (_TEMPLATE_SET, _OPTIONS_TEMPLATE_SET) and number < _FIRST_DATA_SET:
            raise ValueError(f"The number of a set must be 2, 3 or at least 256, not {number}, at byte {at}")
        if not _SET_HEADER_BYTES < length <= len(message) - at:
            raise ValueError(f"A set must hold a record and end in its message, not after {length} bytes, at byte {at}")
        yield number, at + _SET_HEADER_BYTES, at + length
        at += length


def _read_templates(message: bytes, at: int, end: int, templates: dict[int, Template], *, options: bool) -> None:
    """Take in the templates of a set. A template without fields withdraws the one of its number, or all by kind."""
    while end - at >= _SET_HEADER_BYTES:
        number, count = _number(message, at, 2), _number(message, at + 2, 2)
        if count == 0 and number == (_OPTIONS_TEMPLATE_SET if options else _TEMPLATE_SET):
            for known in [known for known, template in templates.items() if bool(template.scopes) == options]:
                del templates[known]
            at += 4
            continue
        if number < _FIRST_DATA_SET:
            raise ValueError(f"The number of a template must be at least {_FIRST_DATA_SET}, not {number}, at byte {at}")
        if count == 0:
            templates.pop(number, None)
            at += 4
            continue
        begin, scopes = at, 0
        at += 4
        if options:
            scopes = _bounded(message, at, 2, end)
            if not 1 <= scopes <= count:
                raise ValueError(
                    f"A template of {count} fields must have 1 to {count} scopes, not {scopes}, at byte {at}"
                )
            at += 2
        fields = []
        for _ in range(count):
            coded, size = _bounded(message, at, 2, end), _bounded(message, at + 2, 2, end)
            at += 4
            enterprise = None
            if coded & _ENTERPRISE_BIT:
                enterprise = _bounded(message, at, 4, end)
                at += 4
            fields.append(FieldSpecifier(Element(coded & ~_ENTERPRISE_BIT, enterprise), size))
        template = Template(tuple(fields), scopes)
        if template.least_bytes == 0:
            raise ValueError(f"Records of a template must have bytes, at byte {begin}")
        templates[number] = template
    _check_padding(message, at, end)


def _read_records(message: bytes, at: int, end: int, number: int, template: Template) -> Iterator[DataRecord]:
    first = at
    while end - at >= template.least_bytes:
        values = {}
        for element, size in template.fields:
            if size == _VARIABLE:
                size = _bounded(message, at, 1, end)
                at += 1
                if size == _LONG:
                    size = _bounded(message, at, 2, end)
                    at += 2
            if at + size > end:
                raise ValueError(f"Element {element.number} must end in its set, at byte {at}")
            values[element] = bytes(message[at : at + size])
            at += size
        yield DataRecord(number, template.scopes > 0, values)
    if at == first:
        raise ValueError(f"A set must hold a record of at least {template.least_bytes} bytes, at byte {at}")
    _check_padding(message, at, end)


def _check_padding(message: bytes, at: int, end: int) -> None:
    if any(message[at:end]):
        raise ValueError(f"Padding must be zero, at byte {at}")


def _bounded(message: bytes, at: int, size: int, end: int) -> int:
    if at + size > end:
        raise ValueError(f"A record must end in its set, at byte {at}")
    return _number(message, at, size)


def _number(message: bytes, at: int, size: int) -> int:
    return int.from_bytes(message[at : at + size], "big")
