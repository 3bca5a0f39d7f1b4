"""ProbeFront: what stands before the record buffer of a probe, from items to records, whichever way it is built."""

from dataclasses import dataclass

from amaranth.hdl import Module, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.chunk_reader import ChunkReader
from hdl.exporter import EPOCH_BITS
from hdl.item import framed, framed_words
from hdl.tally import event_signature

__all__ = ["Pipeline", "ProbeFront", "item_shape"]


@dataclass(frozen=True)
class Pipeline:
    """How many packets are under way at the same time, where they come faster than one after the other can be handled.

    Parameters
    ----------
    item_bytes: that come in a clock, 1, 4 or 8; those of 4 and 8 are padded, see :func:`~hdl.item.padded`
    hashes: packets whose identity is found at the same time; 49 clocks each for IPv4, 85 for IPv6
    anonymising_hashes: in place of ``hashes`` where pseudonyms are made too; 111 clocks each for IPv4, 183 for IPv6
    """

    item_bytes: int = 1
    hashes: int = 1
    anonymising_hashes: int = 1

    def __post_init__(self):
        if self.item_bytes not in (1, 4, 8):
            raise ValueError(f"Items must come by 1, 4 or 8 bytes a clock, not {self.item_bytes!r}")


def item_shape(pipeline: Pipeline | None) -> data.StructLayout:
    """Payload of the item stream of a probe."""
    return framed(8) if pipeline is None or pipeline.item_bytes == 1 else framed_words(pipeline.item_bytes)


class ProbeFront(wiring.Component):
    """Ports of :class:`~hdl.serial_front.SerialFront` and :class:`~hdl.pipelined_front.PipelinedFront`.

    Attributes
    ----------
    i: items
    o: records, 32-bit words
    event: frames, counted by what became of them
    ready: the table is clear and there was a set-up
    set_up, epoch_ms, seconds: there was a set-up, and what it and the last tick said
    tick, flush: high for one clock when one has been handled
    fill: entries of the table in use
    busy: a record may be on its way to ``o``
    quiet: no record waits behind ``o``
    image, image_event, image_ended, image_loaded, image_refused, image_quiet: if ``loadable``, see
        :class:`~hdl.chunk_reader.ChunkReader`

    Parameters
    ----------
    items: payload of the item stream
    loadable: table images come as items, and leave at ``image``
    """

    def __init__(self, *, items: data.StructLayout, loadable: bool):
        images = {
            "image": Out(stream.Signature(framed(8))),
            "image_event": Out(event_signature()),
            "image_ended": Out(1),
            "image_loaded": In(1),
            "image_refused": In(1),
            "image_quiet": In(1),
        }
        super().__init__(
            {
                "i": In(stream.Signature(items)),
                "o": Out(stream.Signature(framed(32))),
                "event": Out(event_signature()),
                "ready": Out(1),
                "set_up": Out(1),
                "epoch_ms": Out(EPOCH_BITS),
                "seconds": Out(32),
                "tick": Out(1),
                "flush": Out(1),
                "fill": Out(16),
                "busy": Out(1),
                "quiet": In(1),
            }
            | (images if loadable else {})
        )

    def _connect_images(self, m: Module, chunks: ChunkReader, quiet: Value):
        """Leads images from their reader to the outside."""
        connect(m, chunks.table, flipped(self.image))
        connect(m, chunks.event, flipped(self.image_event))
        m.d.comb += [
            chunks.quiet.eq(quiet),
            chunks.loaded.eq(self.image_loaded),
            chunks.refused.eq(self.image_refused),
            self.image_ended.eq(chunks.ended),
        ]
