"""The probe in software: items in, classified flow records and counters out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from compiler.features import CATALOGUE, accumulators_of
from compiler.forest import Forest
from hdl.accumulator import PACKETS
from hdl.item import FrameOutcome, ItemKind
from hdl.verdict import Verdict, VerdictReason

from .flow_record import FlowRecord
from .flow_table import FlowTable, TableParameters
from .headers import decode_frame
from .items import Item, key_of_setup
from .table_loading import TableLoading

__all__ = ["ProbeRecord", "SoftwareProbe", "feature_values"]

_BATCH = 4096
"""Records that are scored at once."""


class ProbeRecord(NamedTuple):
    """A flow record with what the forest said about it. The score stands even where the verdict is UNCERTAIN.

    Without tables no forest says anything: the score is 0, and ``forest`` the one before.
    """

    flow: FlowRecord
    features: tuple[int, ...]
    score: int
    verdict: Verdict
    reason: VerdictReason
    forest: Forest


def feature_values(flow: FlowRecord, names: Iterable[str]) -> tuple[int, ...]:
    """The named features of a flow."""
    return tuple(CATALOGUE[name].value(flow.forward, flow.response, flow.duration_ms) for name in names)


class SoftwareProbe:
    """Runs items through headers, flow table, features and forest, and counts everything.

    Records come in the order in which the table emits them; they are scored in batches, so they come a little later
    than the item that caused them.

    Parameters
    ----------
    forest:
        Classifies; its features, ports, orientation and least number of packets set the probe up.
    sets, ways, idle_ms, active_ms, linger_ms:
        Of the flow table, see :class:`TableParameters`.
    short_records:
        Flows of too few packets leave as records too, unclassified, instead of being only counted.
    checksum:
        Frames whose IPv4 header has a wrong checksum are not used.
    anonymised:
        Keyed pseudonyms are kept in place of addresses.
    key:
        64-bit secret key of the hash.
    loading:
        Takes the chunks of table images; without it they are bad items.

    Attributes
    ----------
    forest:
        In use.
    table:
        The flow table.
    """

    def __init__(
        self,
        forest: Forest,
        *,
        sets: int | None = None,
        ways: int = 4,
        idle_ms: int = 120_000,
        active_ms: int = 1_800_000,
        linger_ms: int = 2_000,
        short_records: bool = False,
        checksum: bool = False,
        anonymised: bool = False,
        key: int = 0,
        loading: TableLoading | None = None,
    ):
        self.forest = forest
        self.loading = loading
        self._short_records, self._checksum = short_records, checksum
        self.table = FlowTable(
            TableParameters(
                sets=sets,
                ways=ways,
                idle_ms=idle_ms,
                active_ms=active_ms,
                linger_ms=linger_ms,
                ports=None if forest.ports is None else frozenset(forest.ports),
                orientation=forest.orientation,
                accumulators=accumulators_of(forest.feature_names),
                anonymised=anonymised,
                early=forest.prefix,
            ),
            key,
        )
        self._counts: Counter[str] = Counter()

    def run(self, items: Iterable[Item]) -> Iterator[ProbeRecord]:
        """The exported records of these items. The table keeps what no flush emptied."""
        batch: list[FlowRecord] = []
        for item in items:
            if item is not None and item.kind.is_chunk and self.loading is not None:
                # Records are of the forest that was in use when they left the table.
                yield from self._classify(batch)
                batch = []
                self.loading.take(item)
                self.forest = self.loading.forest
                continue
            batch += self._table_records(item)
            if len(batch) >= _BATCH:
                yield from self._classify(batch)
                batch = []
        yield from self._classify(batch)

    @property
    def counters(self) -> dict[str, int]:
        """Items, frames by outcome, records by fate; ``frames_*`` add up to ``frames`` (:meth:`is_conserved`)."""
        outcomes = {f"frames_{outcome.name.lower()}": self.table.outcomes[outcome] for outcome in FrameOutcome}
        del outcomes["frames_used"]
        names = ("bad_items", "ticks", "flushes", "frames", "records_exported", "records_unexported")
        names += tuple(f"verdict_{verdict.name.lower()}" for verdict in Verdict)
        names += tuple(f"reason_{reason.name.lower()}" for reason in VerdictReason)
        return (
            {name: self._counts[name] for name in names}
            | outcomes
            | {name: self._counts[name] for name in ("frames_exported", "frames_unexported")}
            | {"frames_in_table": self.table.frames_in_table}
        )

    def is_conserved(self) -> bool:
        """Whether every frame is accounted for, as it must be whenever a run has ended."""
        counters = self.counters
        parts = sum(count for name, count in counters.items() if name.startswith("frames_"))
        return parts == counters["frames"]

    def _table_records(self, item: Item | None) -> list[FlowRecord]:
        if item is None or item.kind.is_chunk:
            self._counts["bad_items"] += 1
            return []
        if item.kind == ItemKind.SETUP:
            records = self.table.item(ItemKind.FLUSH, item.time_ms)
            self.table.restart(key_of_setup(item))
            return records
        if item.kind != ItemKind.FRAME:
            self._counts["ticks" if item.kind == ItemKind.TICK else "flushes"] += 1
            return self.table.item(item.kind, item.time_ms)
        self._counts["frames"] += 1
        outcome, packet = decode_frame(item.body, item.wire_length, self.table.parameters.ports, self._checksum)
        return self.table.item(item.kind, item.time_ms, outcome, packet)

    def _classify(self, flows: list[FlowRecord]) -> Iterator[ProbeRecord]:
        exported = []
        for flow in flows:
            fate = "unexported" if self._is_short(flow) and not self._short_records else "exported"
            self._counts[f"records_{fate}"] += 1
            # Those of an early record are counted with the flow's end.
            self._counts[f"frames_{fate}"] += 0 if flow.early else flow.packets
            if fate == "exported":
                exported.append(flow)
        if not exported:
            return
        names = self.forest.feature_names
        rows = np.array([feature_values(flow, names) for flow in exported], np.int64)
        scores = self.forest.score(rows)
        if self._unclassified:
            scores = np.zeros_like(scores)
        verdicts = self.forest.verdicts(scores)
        for flow, row, score, decided in zip(exported, rows, scores, verdicts, strict=True):
            reason = self._uncertain_reason(flow)
            if reason in (VerdictReason.SHORT, VerdictReason.EARLY):
                score = 0
            if reason is None:
                verdict = Verdict(int(decided))
                reason = VerdictReason.BAND if verdict is Verdict.UNCERTAIN else VerdictReason.DECIDED
            else:
                verdict = Verdict.UNCERTAIN
            self._counts[f"verdict_{verdict.name.lower()}"] += 1
            self._counts[f"reason_{reason.name.lower()}"] += 1
            yield ProbeRecord(flow, tuple(row.tolist()), int(score), verdict, reason, self.forest)

    def _is_short(self, flow: FlowRecord) -> bool:
        return flow.packets < self.forest.min_packets

    @property
    def _unclassified(self) -> bool:
        """The forest has no tables."""
        return self.loading is not None and self.loading.incomplete

    def _uncertain_reason(self, flow: FlowRecord) -> VerdictReason | None:
        """Why the score is not to be trusted, None when it decides."""
        if self._is_short(flow):
            return VerdictReason.SHORT
        if self.forest.prefix and flow.packets >= self.forest.prefix and not flow.early:
            return VerdictReason.EARLY
        if self._unclassified:
            return VerdictReason.OVERLOAD
        if not flow.syn:
            return VerdictReason.MIDFLOW
        needed = (flow.forward,) if self.forest.directions == "forward" else (flow.forward, flow.response)
        if any(side[PACKETS] == 0 for side in needed):
            return VerdictReason.ONE_SIDED
        return None
