"""Whole captures through a compiled probe and its model, run after run, held to each other."""

import dataclasses
from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from boards import BOARDS
from compiler.plan import plan_forest
from compiler.probe_options import NO_OPTIONS, ProbeOptions
from compiler.probe_plan import probe_parameters
from hdl.item import FrameOutcome
from sim.capture import CapturedFrame
from sim.compiled_probe import CompiledProbe
from sim.export_records import ExportedCounters, ExportedRecord, ExportStream
from sim.ipfix_writer import probe_counters
from sim.items import epoch_of, items_of, setup_item
from sim.probe_check import as_exported
from sim.replay import ExportedProbe, software_probe

__all__ = ["CapturesProbe", "runs_of"]

BUILD_ID = 0x0BADCAFE
KEY = 0x0123456789ABCDEF
_RUN_MS = 1 << 32


def runs_of(frames: Iterable[CapturedFrame]) -> Iterator[list[CapturedFrame]]:
    """The frames in runs that are no longer than a run of a probe may last; most captures are one."""
    run: list[CapturedFrame] = []
    for frame in frames:
        if run and frame.time_ns // 1_000_000 - epoch_of(run[0]) >= _RUN_MS:
            yield run
            run = []
        run.append(frame)
    if run:
        yield run


class CapturesProbe:
    """The compiled probe of a forest on a board, and its model beside it.

    Parameters
    ----------
    table: changes of the table's rules
    """

    def __init__(self, forest, board: str, options: ProbeOptions = NO_OPTIONS, **table):
        target = BOARDS[board]
        plan = plan_forest(forest, target.device, target.clock_hz)
        parameters = probe_parameters(forest, target, plan, f"{BUILD_ID:08x}", options)
        # Whatever the link of the board does, here it waits: no record may be lost.
        parameters = dataclasses.replace(parameters, wait=True, table=dataclasses.replace(parameters.table, **table))
        self._model = software_probe(ExportedProbe(forest, parameters), KEY)
        self._circuit = CompiledProbe(parameters)
        self._line = ExportStream()
        self.outcomes: Tally[FrameOutcome] = Tally()

    def send(self, frames: Iterable[CapturedFrame], *, headers_only: bool = False) -> list[ExportedRecord]:
        """Send a capture and give its records, after they, the counters and conservation have been looked at.

        They come by their first packets: when a flow that has ended is swept, hangs on what was sent before.
        """
        records = [record for run in runs_of(frames) for record in self._send_run(run, headers_only)]
        return sorted(records, key=lambda record: (record.first_ms, record.initiator, record.responder))

    def _send_run(self, frames: list[CapturedFrame], headers_only: bool) -> list[ExportedRecord]:
        epoch_ms = epoch_of(frames[0])
        items = list(items_of(frames, epoch_ms=epoch_ms, gap_ticks=4, headers_only=headers_only))
        before = Tally(self._model.table.outcomes)
        wanted = self._model.run([setup_item(KEY, epoch_ms), *items])
        wanted = [as_exported(entry, epoch_ms, BUILD_ID) for entry in wanted]

        records, counters = [], None
        for sent in self._circuit.run(items, key=KEY, epoch_ms=epoch_ms):
            for entry in self._line.feed(sent):
                if isinstance(entry, ExportedRecord):
                    records.append(entry)
                elif isinstance(entry, ExportedCounters):
                    counters = entry
        assert (self._line.bad_frames, self._line.missing, self._line.undecodable) == (0, 0, {})

        assert records == wanted
        assert dict(counters.counters) == probe_counters(self._model)
        assert self._model.is_conserved()
        assert counters.frames == self._model.counters["frames"]
        now = Tally(self._model.table.outcomes) - before
        assert now.total() == len(frames)
        self.outcomes += now
        return records
