"""The fields of the IPFIX records that a probe sends, and the messages made of them."""

from collections.abc import Iterable
from typing import NamedTuple

from hdl.accumulator import PACKETS, Accumulator
from hdl.entry_layout import EARLY_BIT, WORD_BITS, EntryLayout, EntryWord
from hdl.exporter import ExporterParameters
from hdl.ipfix import ExportField, Live, Source, data_message, template_message
from hdl.tally import Counter, counters_of

from .information_elements import COUNTERS, Element, Iana, Own, element_of, own

__all__ = ["COUNTERS_TEMPLATE", "IPV4_TEMPLATE", "IPV6_TEMPLATE", "export_messages"]

IPV4_TEMPLATE, IPV6_TEMPLATE, COUNTERS_TEMPLATE = 256, 257, 258
_TCP = 6

_ADDRESSES = {
    4: (Element(Iana.sourceIPv4Address), Element(Iana.destinationIPv4Address)),
    6: (Element(Iana.sourceIPv6Address), Element(Iana.destinationIPv6Address)),
}


def export_messages(
    layout: EntryLayout,
    *,
    forest_id: int,
    build_id: int,
    monitor_only: bool = False,
    loadable: bool = False,
    early: bool = False,
) -> ExporterParameters:
    """All messages of a probe; the build id is the observation domain too, since templates belong to it.

    Those of a probe whose forest can be loaded tell of the one in use, and what only such a probe counts; those of a
    probe that judges flows early say of every record whether it is early.
    """
    forest = _ForestSources(
        id=Source.live(Live.FOREST) if loadable else Source.literal(forest_id),
        monitor_only=Source.live(Live.MONITOR_ONLY) if loadable else Source.literal(int(monitor_only)),
    )
    record = {
        IPV4_TEMPLATE: _record_fields(layout, 4, forest, build_id, early),
        IPV6_TEMPLATE: _record_fields(layout, 6, forest, build_id, early),
    }
    counters = _counter_fields(counters_of(loadable=loadable, early=early), forest, build_id)
    return ExporterParameters(
        templates=template_message(build_id, record, {COUNTERS_TEMPLATE: counters}),
        counters=data_message(build_id, COUNTERS_TEMPLATE, counters),
        ipv4=data_message(build_id, IPV4_TEMPLATE, record[IPV4_TEMPLATE]),
        ipv6=data_message(build_id, IPV6_TEMPLATE, record[IPV6_TEMPLATE]),
        live_forest=loadable,
    )


class _ForestSources(NamedTuple):
    """Where messages take from what they say of the forest."""

    id: Source
    monitor_only: Source


def _field(element: Element, size: int, source: Source) -> ExportField:
    return ExportField(element.number, size, source, element.enterprise)


def _iana(element: Iana, size: int, source: Source) -> ExportField:
    return _field(Element(element), size, source)


def _word(word: int, shift: int = 0, bytes: int | None = None) -> Source:
    return Source.record(word - EntryWord.STATE, shift, bytes)


def _addresses(layout: EntryLayout, version: int) -> list[ExportField]:
    words = layout.address_words(ipv6=version == 6)

    def field(element: Element, first: EntryWord) -> ExportField:
        return _field(element, 4 * words, Source.words([first - EntryWord.STATE + index for index in range(words)]))

    if layout.anonymised:
        fields = [_iana(Iana.ipVersion, 1, Source.literal(version))]
        elements = own(Own.sourcePseudonym), own(Own.destinationPseudonym)
    else:
        fields = []
        elements = _ADDRESSES[version]
    return fields + [
        field(element, first)
        for element, first in zip(elements, (EntryWord.INITIATOR, EntryWord.RESPONDER), strict=True)
    ]


def _record_fields(
    layout: EntryLayout, version: int, forest: _ForestSources, build_id: int, early: bool
) -> list[ExportField]:
    return [
        *_addresses(layout, version),
        _iana(Iana.sourceTransportPort, 2, _word(EntryWord.PORTS, 16)),
        _iana(Iana.destinationTransportPort, 2, _word(EntryWord.PORTS)),
        _iana(Iana.protocolIdentifier, 1, Source.literal(_TCP)),
        _iana(Iana.flowStartMilliseconds, 8, Source.time(EntryWord.FIRST - EntryWord.STATE)),
        _iana(Iana.flowEndMilliseconds, 8, Source.time(EntryWord.LAST - EntryWord.STATE)),
        _iana(Iana.flowEndReason, 1, _word(EntryWord.STATE, 8)),
        _iana(Iana.biflowDirection, 1, Source.live(Live.DIRECTION)),
        *_accumulator_fields(layout, response=False),
        *_accumulator_fields(layout, response=True),
        _field(own(Own.verdict), 1, Source.live(Live.VERDICT)),
        _field(own(Own.verdictReason), 1, Source.live(Live.REASON)),
        _field(own(Own.score), 4, Source.live(Live.SCORE)),
        _field(own(Own.forestId), 4, forest.id),
        _field(own(Own.buildId), 4, Source.literal(build_id)),
        _field(own(Own.monitorOnly), 1, forest.monitor_only),
        *([_field(own(Own.early), 1, _word(EntryWord.STATE, EARLY_BIT))] if early else []),
    ]


def _accumulator_fields(layout: EntryLayout, *, response: bool) -> list[ExportField]:
    block = layout.response if response else EntryWord.FORWARD

    def field(accumulator: Accumulator) -> ExportField:
        slot = layout.slots[accumulator]
        element = element_of(accumulator, response=response)
        if slot.width > WORD_BITS:
            return _field(element, 8, Source.words([block + slot.word + part - EntryWord.STATE for part in (1, 0)]))
        stored = 4 if slot.width > 16 else slot.width // 8  # readers know integers of 1, 2, 4 and 8 bytes
        # Collectors that count packets, pmacct's among them, want four bytes at least.
        size = 4 if accumulator == PACKETS else stored
        source = _word(block + slot.word, slot.shift, stored)
        return _field(element, size, source)

    return [field(accumulator) for accumulator in layout.accumulators]


def _counter_fields(counted: Iterable[Counter], forest: _ForestSources, build_id: int) -> list[ExportField]:
    return [
        _iana(Iana.observationDomainId, 4, Source.literal(build_id)),
        _iana(Iana.observationTimeSeconds, 4, Source.live(Live.SECONDS)),
        _field(own(Own.forestId), 4, forest.id),
        _field(own(Own.flowTableFill), 2, Source.live(Live.FILL)),
        *(_field(own(COUNTERS[counter]), 8, Source.counter(counter)) for counter in counted),
    ]
