"""From the words of a record, as the flow table emits them, to a FlowRecord."""

from collections.abc import Sequence

from hdl.entry_layout import EntryLayout, EntryWord, StateBit
from hdl.verdict import EndReason

from .flow_record import FlowRecord
from .identity import Endpoint

__all__ = ["flow_from_words"]


def flow_from_words(words: Sequence[int], layout: EntryLayout) -> FlowRecord:
    """The flow that a record describes; ``words`` begin with EntryWord.STATE."""

    def word(address: int) -> int:
        return words[address - EntryWord.STATE]

    def bit(position: StateBit) -> bool:
        return bool(word(EntryWord.STATE) >> position & 1)

    version, count = (6, 4) if bit(StateBit.IPV6) else (4, 1)

    def endpoint(first: int, shift: int) -> Endpoint:
        address = 0
        for index in range(count):
            address = address << 32 | word(first + index)
        return Endpoint(address, word(EntryWord.PORTS) >> shift & 0xFFFF)

    return FlowRecord(
        version=version,
        initiator=endpoint(EntryWord.INITIATOR, 16),
        responder=endpoint(EntryWord.RESPONDER, 0),
        initiator_high=bit(StateBit.INITIATOR_HIGH),
        first_ms=word(EntryWord.FIRST),
        last_ms=word(EntryWord.LAST),
        end_reason=EndReason(word(EntryWord.STATE) >> 8 & 7),
        syn=bit(StateBit.SYN),
        fin_forward=bit(StateBit.FIN_FORWARD),
        fin_response=bit(StateBit.FIN_RESPONSE),
        closing=bit(StateBit.CLOSING),
        forward=layout.read(words, response=False),
        response=layout.read(words, response=True),
    )
