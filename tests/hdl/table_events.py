"""Items for flow tables, and the records that the model makes of them."""

from hdl.item import ItemKind
from sim.flow_table import FlowTable as FlowTableModel
from sim.flow_table import TableParameters
from sim.headers import decode_frame
from sim.items import Item
from sim.made_frames import tcp_frame

__all__ = ["KEY", "PORTS", "model_records", "random_items"]

PORTS = (25,)
KEY = 0x0123456789ABCDEF


def random_items(rng, count, *, hosts=3, step_ms=300):
    """Items of few hosts and ports, so that flows meet, close, time out and collide."""
    time = 0
    endpoints = [(rng.randbytes(4), port) for port in (25, 1000, 1001) for _ in range(hosts)]
    endpoints += [(rng.randbytes(16), port) for port in (25, 1000)]
    for _ in range(count):
        time = max(0, time + rng.choice((0, 0, 1, step_ms, 3 * step_ms, -step_ms)))
        if rng.random() < 0.1:
            yield Item(ItemKind.TICK, time)
            continue
        if rng.random() < 0.01:
            yield Item(ItemKind.FLUSH, time)
            continue
        source, destination = rng.choice(endpoints), rng.choice(endpoints)
        if len(source[0]) != len(destination[0]):
            continue
        flags = rng.choice((0x02, 0x02, 0x12, 0x12, 0x10, 0x18, 0x18, 0x10, 0x11, 0x11, 0x04, 0x14, 0x29))
        frame, wire_length = tcp_frame(
            source=source[0],
            destination=destination[0],
            source_port=source[1],
            destination_port=destination[1],
            flags=flags,
            window=rng.getrandbits(16),
            ttl=rng.getrandbits(8),
            payload=rng.choice((0, 5, 1400, 60000)),
        )
        yield Item(ItemKind.FRAME, time, wire_length, frame)
    yield Item(ItemKind.FLUSH, time)


def model_records(items, parameters, orientation="initiator"):
    model = FlowTableModel(
        TableParameters(
            sets=parameters.sets,
            ways=parameters.ways,
            idle_ms=parameters.idle_ms,
            active_ms=parameters.active_ms,
            linger_ms=parameters.linger_ms,
            ports=None if parameters.ports is None else frozenset(parameters.ports),
            orientation=orientation,
            accumulators=parameters.layout.accumulators,
            anonymised=parameters.layout.anonymised,
            early=parameters.early,
        ),
        KEY,
    )
    records = []
    for item in items:
        outcome, packet = None, None
        if item.kind is ItemKind.FRAME:
            outcome, packet = decode_frame(item.body, item.wire_length, model.parameters.ports)
        records += model.item(item.kind, item.time_ms, outcome, packet)
    return records
