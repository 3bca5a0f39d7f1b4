"""nfdump, nfstream and Zeek: what each of them says about a flow.

nfdump: ``nfdump -o csv`` or ``-o json`` (1.7), of NetFlow or IPFIX. nfstream: ``NFStreamer(…, accounting_mode=1)`` and
``to_csv`` (6.6). Zeek: conn.log with tabs or as JSON.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from .imported_flow import ImportedFlow, Side
from .tables import ForeignRow, csv_rows, is_json, json_rows, zeek_rows

__all__ = ["READERS", "read_nfdump", "read_nfstream", "read_zeek"]

_TCP = 6
_FLAGS = "CEUAPRSF"
_FLAG_OF = {"U": "URG", "A": "ACK", "P": "PSH", "R": "RST", "S": "SYN", "F": "FIN"}
_NFDUMP_CSV = ("ts", "td", "sa", "da", "sp", "dp", "pr", "flg", "ipkt", "ibyt", "opkt", "obyt")
_PAIR_S = 120.0
"""The two directions of a flow begin within so many seconds."""
_MOST_WAITING = 1 << 20
_NFSTREAM_SIDES = ("src2dst", "dst2src")
_NFSTREAM = (
    *("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "bidirectional_first_seen_ms"),
    "bidirectional_duration_ms",
    *(f"{side}_{name}" for side in _NFSTREAM_SIDES for name in ("packets", "bytes")),
)
_ZEEK = (
    *("ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "duration", "history"),
    *("orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes"),
)


def read_nfdump(path: Path, zone: tzinfo) -> Iterator[ImportedFlow]:
    """Flows of nfdump; it writes times of the clock on the wall, so ``zone`` says which.

    Exporters send one record a direction or one for both. Of one-way records two that are each other's reverse become
    one flow, of which the first is forward; in those of both ways the flags are of both, so no direction has them.
    """
    waiting: OrderedDict[tuple, ImportedFlow] = OrderedDict()
    for flow in map(_of_json if is_json(path) else _of_csv, _nfdump_rows(path), _forever(zone)):
        if flow is None:
            continue
        if flow.response.packets:
            yield flow
            continue
        reverse = (flow.server_ip, flow.server_port, flow.client_ip, flow.client_port)
        other = waiting.pop(reverse, None)
        if other is not None and abs(other.start_s - flow.start_s) <= _PAIR_S:
            yield _paired(other, flow)
            continue
        if other is not None:
            yield other
        key = (flow.client_ip, flow.client_port, flow.server_ip, flow.server_port)
        if before := waiting.pop(key, None):
            yield before
        waiting[key] = flow
        if len(waiting) > _MOST_WAITING:
            yield waiting.popitem(last=False)[1]
    yield from waiting.values()


def _forever(zone: tzinfo) -> Iterator[tzinfo]:
    while True:
        yield zone


def _nfdump_rows(path: Path) -> Iterator[ForeignRow]:
    return json_rows(path) if is_json(path) else csv_rows(path, _NFDUMP_CSV, end="Summary")


def _of_csv(row: ForeignRow, zone: tzinfo) -> ImportedFlow | None:
    if row.text("pr") not in ("TCP", "6"):
        return None
    sides = [(row.number(f"{way}pkt"), row.number(f"{way}byt")) for way in "io"]
    ends = (row.text("sa"), row.number("sp"), row.text("da"), row.number("dp"))
    return _nfdump_flow(row.time_s("ts", zone), ends, row.decimal("td"), sides, row.text("flg"))


def _of_json(row: ForeignRow, zone: tzinfo) -> ImportedFlow | None:
    if row.number("proto") != _TCP:
        return None
    version = 4 if row.tells("src4_addr") else 6
    ends = (
        *(row.text(f"src{version}_addr"), row.number("src_port")),
        *(row.text(f"dst{version}_addr"), row.number("dst_port")),
    )
    ways = [way for way in ("in", "out") if row.tells(f"{way}_packets")]
    sides = [(row.number(f"{way}_packets"), row.number(f"{way}_bytes")) for way in ways]
    start_s = row.time_s("first", zone)
    return _nfdump_flow(start_s, ends, row.time_s("last", zone) - start_s, [*sides, (0, 0)][:2], row.text("tcp_flags"))


def _nfdump_flow(
    start_s: float, ends: tuple[str, int, str, int], lasted_s: float, sides: list[tuple[int, int]], flags: str
) -> ImportedFlow:
    # No flag at all is no TCP packet, so it means that the exporter does not tell.
    told = {_FLAG_OF[name]: name in flags for name in _FLAGS if name in _FLAG_OF} if flags.strip(".") else {}
    both_ways = bool(sides[1][0])
    forward = Side(*sides[0], flags={} if both_ways else told)
    syn_seen = told.get("SYN")
    return ImportedFlow(start_s, *ends, round(1000 * lasted_s), forward, Side(*sides[1]), syn_seen)


def _paired(first: ImportedFlow, second: ImportedFlow) -> ImportedFlow:
    """One flow of two one-way records."""
    ends_ms = max(1000 * flow.start_s + flow.duration_ms for flow in (first, second))
    start_s = min(first.start_s, second.start_s)
    return replace(first, start_s=start_s, duration_ms=round(ends_ms - 1000 * start_s), response=second.forward)


def read_nfstream(path: Path, zone: tzinfo) -> Iterator[ImportedFlow]:
    """Flows of nfstream, whose forward direction is that of the first packet. ``zone`` is not asked for."""
    for row in csv_rows(path, _NFSTREAM):
        if row.number("protocol") != _TCP:
            continue
        forward, response = (_nfstream_side(row, side) for side in _NFSTREAM_SIDES)
        syn = forward.flags.get("SYN")
        yield ImportedFlow(
            row.number("bidirectional_first_seen_ms") / 1000,
            *(row.text("src_ip"), row.number("src_port"), row.text("dst_ip"), row.number("dst_port")),
            *(row.number("bidirectional_duration_ms"), forward, response),
            syn,
        )


def _nfstream_side(row: ForeignRow, side: str) -> Side:
    """Sizes and flags come with ``statistical_analysis=True`` alone."""
    packets, octets = row.number(f"{side}_packets"), row.number(f"{side}_bytes")
    if not row.tells(f"{side}_min_ps", f"{side}_syn_packets"):
        return Side(packets, octets)
    counts = {flag: row.number(f"{side}_{flag.lower()}_packets") for flag in _FLAG_OF.values()}
    least, largest = row.number(f"{side}_min_ps"), row.number(f"{side}_max_ps")
    return Side(packets, octets, least, largest, {flag: count > 0 for flag, count in counts.items()}, counts)


def read_zeek(path: Path, zone: tzinfo) -> Iterator[ImportedFlow]:
    """Flows of a conn.log, from originator to responder. ``zone`` is not asked for.

    Its history has a letter for what occurred, a capital one for the originator: S a SYN, H a SYN with ACK, F a FIN,
    R an RST. Letters of data and of pure ACKs do not say which flags those packets had.
    """
    for row in json_rows(path) if is_json(path) else zeek_rows(path, _ZEEK):
        if row.text("proto") != "tcp" or not row.tells("orig_pkts", "resp_pkts"):
            continue
        history = row.text("history") if row.tells("history") else None
        sides = []
        for name, letters in (("orig", "SHFR"), ("resp", "shfr")):
            syn, syn_ack, fin, rst = ((letter in history) if history is not None else None for letter in letters)
            flags = {} if history is None else {"SYN": syn or syn_ack, "FIN": fin, "RST": rst}
            sides.append(Side(row.number(f"{name}_pkts"), row.number(f"{name}_ip_bytes"), flags=flags))
        yield ImportedFlow(
            row.decimal("ts"),
            *(row.text("id.orig_h"), row.number("id.orig_p"), row.text("id.resp_h"), row.number("id.resp_p")),
            round(1000 * row.decimal("duration")) if row.tells("duration") else 0,
            *sides,
            None if history is None else "S" in history,
        )


READERS: dict[str, Callable[[Path, tzinfo], Iterator[ImportedFlow]]] = {
    "nfdump": read_nfdump,
    "nfstream": read_nfstream,
    "zeek": read_zeek,
}
"""Readers by the name of the tool."""
