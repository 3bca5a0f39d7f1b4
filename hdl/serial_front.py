"""SerialFront: items to records, one item after the other, in little logic."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from hdl.chunk_reader import ChunkReader
from hdl.flow_table import FlowTable, FlowTableParameters
from hdl.header_parser import HeaderParser
from hdl.probe_front import ProbeFront, item_shape
from hdl.set_up import SetUp
from hdl.tally import FrameTally

__all__ = ["SerialFront"]


class SerialFront(ProbeFront):
    """Header parser, set-up and flow table, which share one packet memory.

    The next item is read while the table works on the last one.

    Parameters
    ----------
    table: of the flow table
    checksum: the checksum of IPv4 headers is looked at
    loadable: table images come as items, and leave at ``image``
    """

    def __init__(self, *, table: FlowTableParameters, checksum: bool = False, loadable: bool = False):
        self._table, self._checksum, self._loadable = table, checksum, loadable
        super().__init__(items=item_shape(None), loadable=loadable)

    def elaborate(self, platform):
        m = Module()
        m.submodules.parser = parser = HeaderParser(
            ports=self._table.ports, chunks=self._loadable, checksum=self._checksum
        )
        m.submodules.frame_tally = frame_tally = FrameTally()
        m.submodules.set_up = set_up = SetUp()
        m.submodules.table = table = FlowTable(parameters=self._table)

        connect(m, flipped(self.i), parser.i)
        connect(m, parser.o, frame_tally.i)
        connect(m, frame_tally.event, flipped(self.event))
        if self._loadable:
            self._read_images(m)
        else:
            connect(m, frame_tally.o, set_up.i)
            connect(m, parser.packet, set_up.words)
        connect(m, set_up.o, table.i)
        connect(m, set_up.packet, table.packet)
        connect(m, table.o, flipped(self.o))

        m.d.comb += [
            self.ready.eq(table.ready & set_up.done),
            frame_tally.ready.eq(self.ready),
            set_up.quiet.eq(self.quiet),
            table.restart.eq(set_up.restart),
            table.key.eq(set_up.key),
            self.set_up.eq(set_up.done),
            self.epoch_ms.eq(set_up.epoch_ms),
            self.seconds.eq(set_up.seconds),
            self.tick.eq(frame_tally.tick),
            self.flush.eq(frame_tally.flush),
            self.fill.eq(table.fill),
        ]

        return m

    def _read_images(self, m):
        """Puts the reader of chunks before the set-up."""
        parts = m.submodules
        m.submodules.chunks = chunks = ChunkReader()
        connect(m, parts.parser.packet, chunks.words)
        connect(m, parts.frame_tally.o, chunks.i)
        connect(m, chunks.packet, parts.set_up.words)
        connect(m, chunks.o, parts.set_up.i)
        self._connect_images(m, chunks, self.image_quiet)
