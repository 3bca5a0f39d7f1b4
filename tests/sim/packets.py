"""Packets between few endpoints, so that flows meet, close, time out and crowd each other."""

from hypothesis import strategies as st

from hdl.accumulator import FLAG_BITS
from hdl.item import FrameOutcome, ItemKind
from sim.headers import Packet

__all__ = ["CLIENT", "SERVER", "events", "flags", "packet"]

CLIENT, SERVER = (0x0A000001, 40000), (0x0A000009, 25)


def flags(names: str) -> int:
    """The flags byte of these flags: ``"SYN ACK"``."""
    return sum(1 << FLAG_BITS[name] for name in names.split())


def packet(sender=CLIENT, receiver=SERVER, names="ACK", *, version=4, length=40, window=1000, ttl=64) -> Packet:
    return Packet(version, sender[0], receiver[0], sender[1], receiver[1], length, window, ttl, flags(names))


_ENDPOINT = st.tuples(st.integers(1, 4), st.sampled_from([25, 1000, 2000]))
_FLAGS = st.sampled_from(["SYN", "SYN ACK", "ACK", "ACK", "PSH ACK", "FIN ACK", "FIN ACK", "RST", "URG", ""])
_PACKET = st.builds(
    packet,
    _ENDPOINT,
    _ENDPOINT,
    _FLAGS,
    version=st.sampled_from([4, 4, 6]),
    length=st.integers(40, 65535),
    window=st.integers(0, 65535),
    ttl=st.integers(0, 255),
)
_STEP = st.sampled_from([0, 0, 1, 10, 50, 300, -20])
_EVENT = st.one_of(
    st.tuples(st.just(ItemKind.FRAME), _STEP, st.just(FrameOutcome.USED), _PACKET),
    st.tuples(st.just(ItemKind.FRAME), _STEP, st.just(FrameOutcome.USED), _PACKET),
    st.tuples(
        st.just(ItemKind.FRAME),
        _STEP,
        st.sampled_from([o for o in FrameOutcome if o is not FrameOutcome.USED]),
        st.none(),
    ),
    st.tuples(st.just(ItemKind.TICK), _STEP, st.none(), st.none()),
    st.tuples(st.sampled_from([ItemKind.TICK] * 9 + [ItemKind.FLUSH]), _STEP, st.none(), st.none()),
)


@st.composite
def events(draw, max_size=80):
    """Arguments of FlowTable.item, one tuple an item; times mostly rise."""
    time_ms, made = 0, []
    for kind, step, outcome, a_packet in draw(st.lists(_EVENT, max_size=max_size)):
        time_ms = max(0, time_ms + step)
        made.append((kind, time_ms, outcome, a_packet))
    return made
