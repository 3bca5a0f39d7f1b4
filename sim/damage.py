"""Damage: real frames made into what a tap sees on bad days, so that checks meet more than good flows."""

import random
from collections.abc import Iterable, Iterator

from hdl.accumulator import FLAG_BITS
from hdl.item import FrameOutcome

from .capture_source import CapturedFrame
from .headers import decode_frame
from .identity import Endpoints, endpoints_of

__all__ = ["damaged"]

_HEADERS = 54
"""Bytes of Ethernet, IPv4 and TCP without options: what is flipped lies in them."""

_FLIPPED, _CUT = 0.05, 0.05
_SYN = 1 << FLAG_BITS["SYN"]


def damaged(frames: Iterable[CapturedFrame], *, later_ns: int, seed: int) -> Iterator[CapturedFrame]:
    """The frames again, ``later_ns`` later.

    Of three flows one loses the packets with SYN, so that it is met midway, and one all packets of the side that did
    not send first. Of all frames a few have a byte of their headers flipped or end within them.
    """
    rng = random.Random(seed)
    flows: dict[Endpoints, int] = {}
    first_sender: dict[Endpoints, bool] = {}
    for frame in frames:
        outcome, packet = decode_frame(frame.data, frame.wire_length, None)
        if outcome is FrameOutcome.USED:
            endpoints, from_lower = endpoints_of(packet)
            loss = flows.setdefault(endpoints, len(flows)) % 3
            if loss == 1 and packet.flags & _SYN:
                continue
            if loss == 2 and first_sender.setdefault(endpoints, from_lower) != from_lower:
                continue
        data = bytearray(frame.data)
        chance = rng.random()
        if not data:
            pass
        elif chance < _FLIPPED:
            data[rng.randrange(min(_HEADERS, len(data)))] ^= 1 << rng.randrange(8)
        elif chance < _FLIPPED + _CUT:
            del data[rng.randrange(min(_HEADERS, len(data))) :]
        yield CapturedFrame(frame.time_ns + later_ns, frame.wire_length, bytes(data))
