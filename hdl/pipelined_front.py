"""PipelinedFront: items to records, many packets under way at the same time."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from hdl.chunk_reader import ChunkReader
from hdl.flow_table_parameters import FlowTableParameters
from hdl.identity_lanes import IdentityLanes
from hdl.packet import ParsedItem
from hdl.parsed_set_up import ParsedSetUp
from hdl.pipelined_table import PipelinedFlowTable
from hdl.probe_front import Pipeline, ProbeFront, item_shape
from hdl.record_words import RecordWords
from hdl.stream_register import StreamRegister
from hdl.tally import FrameTally
from hdl.wide_parser import WideParser
from hdl.word_gather import WordGather
from hdl.word_parser import WordParser

__all__ = ["PipelinedFront"]

_MOST_UNDER_WAY = 64
"""More items than there is room for between set-up and table."""


class PipelinedFront(ProbeFront):
    """Parser, set-up, hashes side by side and the pipelined flow table.

    **Throughput**: what the slowest of them states.

    Parameters
    ----------
    pipeline: how wide it is
    table: of the flow table
    checksum: the checksum of IPv4 headers is looked at
    loadable: table images come as items, and leave at ``image``
    """

    def __init__(
        self, *, pipeline: Pipeline, table: FlowTableParameters, checksum: bool = False, loadable: bool = False
    ):
        self._pipeline, self._table, self._checksum, self._loadable = pipeline, table, checksum, loadable
        super().__init__(items=item_shape(pipeline), loadable=loadable)

    def elaborate(self, platform):
        m = Module()
        anonymised = self._table.layout.anonymised
        lanes = self._pipeline.anonymising_hashes if anonymised else self._pipeline.hashes
        self._parse(m)
        m.submodules.frame_tally = frame_tally = FrameTally(payload=ParsedItem)
        m.submodules.register = register = StreamRegister(shape=ParsedItem)
        m.submodules.set_up = set_up = ParsedSetUp()
        m.submodules.passed = passed = StreamRegister(shape=ParsedItem)
        m.submodules.hashes = hashes = IdentityLanes(lanes=lanes, pseudonyms=anonymised)
        m.submodules.table = table = PipelinedFlowTable(parameters=self._table)
        m.submodules.words = words = RecordWords(parameters=self._table)

        connect(m, m.submodules.parser.o, frame_tally.i)
        connect(m, frame_tally.event, flipped(self.event))
        connect(m, frame_tally.o, register.i)
        if self._loadable:
            self._read_images(m)
        else:
            connect(m, register.o, set_up.i)
        connect(m, set_up.o, passed.i)
        connect(m, passed.o, hashes.i)
        connect(m, hashes.o, table.i)
        connect(m, table.o, words.i)
        connect(m, words.o, flipped(self.o))

        m.d.comb += [
            self.ready.eq(table.ready & set_up.done),
            frame_tally.ready.eq(self.ready),
            set_up.quiet.eq(self.quiet & ~words.busy),
            set_up.flushed.eq(table.set_up),
            table.restart.eq(set_up.restart),
            hashes.key.eq(set_up.key),
            self.set_up.eq(set_up.done),
            self.epoch_ms.eq(set_up.epoch_ms),
            self.seconds.eq(set_up.seconds),
            self.tick.eq(table.tick),
            self.flush.eq(table.flush),
            self.fill.eq(table.fill),
            self.busy.eq(words.busy),
        ]

        return m

    def _read_images(self, m):
        """Puts the reader of chunks before the set-up, and finds out when all items behind it are done."""
        parts = m.submodules
        m.submodules.chunks = chunks = ChunkReader(payload=ParsedItem)
        connect(m, parts.register.o, chunks.i)
        connect(m, chunks.o, parts.set_up.i)
        under_way = Signal(range(_MOST_UNDER_WAY))
        entered, arrived = (stream.valid & stream.ready for stream in (parts.passed.i, parts.table.i))
        m.d.sync += under_way.eq(under_way + entered - arrived)
        done = (under_way == 0) & parts.table.idle & ~parts.words.busy
        self._connect_images(m, chunks, self.image_quiet & done)

    def _parse(self, m):
        """The parser for the width of the items."""
        options = {"ports": self._table.ports, "chunks": self._loadable, "checksum": self._checksum}
        if self._pipeline.item_bytes == 8:
            m.submodules.parser = parser = WideParser(**options)
            connect(m, flipped(self.i), parser.i)
            return
        m.submodules.parser = parser = WordParser(**options)
        if self._pipeline.item_bytes == 4:
            connect(m, flipped(self.i), parser.i)
        else:
            m.submodules.gather = gather = WordGather()
            connect(m, flipped(self.i), gather.i)
            connect(m, gather.o, parser.i)
