"""How much less records are than packets: frames on the wire, captured headers, flow records."""

from collections.abc import Mapping

from compiler.export_fields import export_messages
from compiler.features import UNIVERSAL, accumulators_of
from hdl.entry_layout import EntryLayout

from .captured import Captured
from .contents import PAPER, Content, Drawing, Note, Table, thousands
from .drawing import INK, QUIET, SERIES, finish, new_axes
from .paper import APPLICATION
from .study import Study
from .topic import Topic

__all__ = ["REDUCED", "REDUCTION", "record_bytes"]

REDUCED = ("minpl", "maxpl", "spl", "rminpl", "rmaxpl", "rspl", "fin", "syn", "rst", "psh", "ack", "urg")
"""The twelve features of the paper's reduced record."""

_MESSAGE_BYTES = 20
"""Headers of an IPFIX message and of the set in it, which a collector drops."""


def record_bytes(features: tuple[str, ...]) -> int:
    """Of the IPFIX record (IPv4) of a probe whose forest asks for these features."""
    layout = EntryLayout(accumulators_of(features))
    return len(export_messages(layout, forest_id=0, build_id=0).ipv4) - _MESSAGE_BYTES


def _contents(study: Study) -> list[Content]:
    record, reduced = record_bytes(UNIVERSAL), record_bytes(REDUCED)
    columns, measured = [], {}
    for name, source in study.sources.items():
        captured, flows = source.captured, source.rows
        if captured is not None:
            measured[name] = (captured.wire_bytes / flows, captured.header_bytes / flows, record)
        columns.append(_column(source.packets, flows, record, reduced, captured))
    rows = [
        (label, *(column[at] for column in columns), said)
        for at, (label, said) in enumerate(zip(_LABELS, _of_paper(), strict=True))
    ]
    contents: list[Content] = [Table("From packets to records", ("", *study.sources, PAPER), rows)]
    if measured:
        contents.append(_draw(measured))
    if lacking := [name for name in study.sources if name not in measured]:
        contents.append(
            Note(f"Bytes on the wire of {', '.join(lacking)}: --capture NAME=FILE does not name it.", left_out=True)
        )
    return contents


_LABELS = (
    "packets",
    "flows",
    "packets for a flow",
    "bytes on the wire",
    "bytes of captured headers",
    "bytes of a record, 24 universal features",
    "bytes of a record, 12 reduced features",
    "bytes of all records, universal",
    "wire / records",
    "headers / records",
)


def _column(packets: int, flows: int, record: int, reduced: int, captured: Captured | None) -> list[str]:
    if captured is None:
        of_capture = ("", "", "", "")
    else:
        of_capture = (
            thousands(captured.wire_bytes),
            thousands(captured.header_bytes),
            f"{captured.wire_bytes / (flows * record):.1f}",
            f"{captured.header_bytes / (flows * record):.1f}",
        )
    counts = thousands(packets), thousands(flows), f"{packets / flows:.1f}"
    sizes = str(record), str(reduced), thousands(flows * record)
    return [*counts, *of_capture[:2], *sizes, *of_capture[2:]]


def _of_paper() -> list[str]:
    packets, flows = APPLICATION["smtp_packets"], APPLICATION["smtp_flows"]
    a_record = APPLICATION["record_bytes"] / APPLICATION["records"]
    return [
        f"{thousands(packets)} (SMTP)",
        str(flows),
        f"{packets / flows:.1f}",
        "",
        f"{APPLICATION['header_bytes'] / APPLICATION['packets']:.1f} a packet",
        "",
        f"{a_record:.0f}",
        "",
        "",
        f"{_paper_headers() / a_record:.1f}",
    ]


def _paper_headers() -> float:
    """Bytes of headers for a flow."""
    a_packet = APPLICATION["header_bytes"] / APPLICATION["packets"]
    return a_packet * APPLICATION["smtp_packets"] / APPLICATION["smtp_flows"]


def _draw(measured: Mapping[str, tuple[float, float, float]]) -> Drawing:
    bars = [
        (f"{name}: {kind}", value, SERIES[at % len(SERIES)])
        for at, (name, values) in enumerate(measured.items())
        for kind, value in zip(("whole frames", "captured headers", "record"), values, strict=True)
    ]
    bars += [
        (f"{PAPER}: headers", _paper_headers(), QUIET),
        (f"{PAPER}: reduced record", APPLICATION["record_bytes"] / APPLICATION["records"], QUIET),
    ]
    figure, (axes,) = new_axes(7, 0.6 + 0.3 * len(bars))
    labels, values, colours = zip(*bars, strict=True)
    axes.barh(labels, values, color=colours, height=0.65)
    for at, value in enumerate(values):
        axes.annotate(f"{thousands(value)}", (value, at), (4, 0), textcoords="offset points", va="center", color=INK)
    axes.set_xscale("log")
    axes.set_xlim(10, max(values) * 4)
    axes.xaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("bytes for one flow (logarithmic)")
    axes.set_title("What a flow takes")
    return finish(
        figure,
        "reduction",
        "Bytes for one flow: frames, headers, record",
        "Mean over the flows of a source; a record holds the sums that the 24 universal features are made of.",
    )


REDUCTION = Topic(
    key="reduction",
    title="Packets, records, bytes",
    lead=lambda _: (
        "A probe sends a record for each flow in place of its packets. Flows are all rows of the file, labelled or "
        "not; records are those of the probe's IPFIX (IPv4), with the sums that its features are made of, addresses, "
        "times, verdict and score. Each leaves in a message of its own, whose headers, 20 bytes, are not counted."
    ),
    paper=(
        "Section IV: 50 million packets in 8 s, 4.44 GB of headers; 29.5 thousand of them SMTP, in 407 flows. Then "
        "176 thousand reduced records of twelve features, 18 MB. Its figures for one flow follow from these; its "
        "header bytes are those of all traffic."
    ),
    contents=_contents,
)
