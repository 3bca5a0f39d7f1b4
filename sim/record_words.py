"""Between the words of a record, as the flow table emits them, and a FlowRecord."""

from collections.abc import Sequence

from hdl.entry_layout import EARLY_BIT, EntryLayout, EntryWord, StateBit
from hdl.verdict import EndReason

from .flow_record import FlowRecord
from .identity import Endpoint, Pseudonym

__all__ = ["flow_from_words", "words_of_flow"]

_WORD = 0xFFFF_FFFF


def flow_from_words(words: Sequence[int], layout: EntryLayout) -> FlowRecord:
    """The flow that a record describes; ``words`` begin with EntryWord.STATE."""

    def word(address: int) -> int:
        return words[address - EntryWord.STATE]

    def bit(position: StateBit) -> bool:
        return bool(word(EntryWord.STATE) >> position & 1)

    ipv6 = bit(StateBit.IPV6)

    def endpoint(first: int, shift: int) -> Endpoint:
        address = 0
        for index in range(layout.address_words(ipv6=ipv6)):
            address = address << 32 | word(first + index)
        if layout.anonymised:
            address = Pseudonym(address)
        return Endpoint(address, word(EntryWord.PORTS) >> shift & 0xFFFF)

    return FlowRecord(
        version=6 if ipv6 else 4,
        initiator=endpoint(EntryWord.INITIATOR, 16),
        responder=endpoint(EntryWord.RESPONDER, 0),
        initiator_high=bit(StateBit.INITIATOR_HIGH),
        first_ms=word(EntryWord.FIRST),
        last_ms=word(EntryWord.LAST),
        end_reason=EndReason(word(EntryWord.STATE) >> 8 & 7),
        early=bool(word(EntryWord.STATE) >> EARLY_BIT & 1),
        syn=bit(StateBit.SYN),
        fin_forward=bit(StateBit.FIN_FORWARD),
        fin_response=bit(StateBit.FIN_RESPONSE),
        closing=bit(StateBit.CLOSING),
        forward=layout.read(words, response=False),
        response=layout.read(words, response=True),
    )


def words_of_flow(flow: FlowRecord, layout: EntryLayout) -> list[int]:
    """The record that describes a flow; what :func:`flow_from_words` reads."""
    words = [0] * layout.record_words

    def put(address: int, value: int) -> None:
        words[address - EntryWord.STATE] |= value

    bits = {
        StateBit.VALID: True,
        StateBit.INITIATOR_HIGH: flow.initiator_high,
        StateBit.IPV6: flow.version == 6,
        StateBit.SYN: flow.syn,
        StateBit.FIN_FORWARD: flow.fin_forward,
        StateBit.FIN_RESPONSE: flow.fin_response,
        StateBit.CLOSING: flow.closing,
        StateBit.MANY: flow.packets > 1,
    }
    put(
        EntryWord.STATE,
        flow.early << EARLY_BIT | flow.end_reason << 8 | sum(value << position for position, value in bits.items()),
    )
    put(EntryWord.FIRST, flow.first_ms)
    put(EntryWord.LAST, flow.last_ms)
    put(EntryWord.PORTS, flow.initiator.port << 16 | flow.responder.port)
    count = layout.address_words(ipv6=flow.version == 6)
    for first, endpoint in ((EntryWord.INITIATOR, flow.initiator), (EntryWord.RESPONDER, flow.responder)):
        for index in range(count):
            put(first + index, endpoint.address >> 32 * (count - 1 - index) & _WORD)
    for begin, side in ((EntryWord.FORWARD, flow.forward), (layout.response, flow.response)):
        for index, word in enumerate(layout.place(side)):
            put(begin + index, word)
    return words
