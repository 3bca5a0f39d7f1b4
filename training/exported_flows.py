"""Flows that nobody has labelled: from files of flows, or from the records that a probe exports."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from compiler.errors import InputError
from compiler.features import CATALOGUE
from compiler.forest import Forest
from compiler.information_elements import element_of
from sim.export_records import ExportedRecord
from sim.identity import address_text
from sim.record_reader import read_ipfix_records

from .fitting import sources_of
from .flow_set import FlowSet, read_flow_set, said_of

__all__ = ["learnt_from", "read_flows_to_judge"]


def read_flows_to_judge(
    paths: Sequence[Path],
    forests: Sequence[Forest],
    servers: frozenset[str] = frozenset(),
    warn: Callable[[str], object] = lambda _: None,
) -> FlowSet:
    """The complete flows of these files with all features that the forests ask for, labelled or not.

    A file is one that ``training flows`` wrote, or IPFIX messages of a probe (.ipfix), whose records hold the
    accumulators that its own forest asks for. The forests must be for the same flows.

    Parameters
    ----------
    servers: of records, own ones: flows they open are put down to the other side
    """
    one = forests[0]
    for other in forests:
        for name in ("ports", "orientation", "prefix"):
            if getattr(one, name) != getattr(other, name):
                raise InputError(
                    f"forests {one.id} and {other.id} are for different flows: {name} {getattr(one, name)} "
                    f"and {getattr(other, name)}"
                )
        if other.classes:
            raise InputError(f"forest {other.name!r}: must be one of verdicts, not of {len(other.classes)} classes")
    features = tuple(dict.fromkeys(name for forest in forests for name in forest.feature_names))
    directions = "forward" if all(forest.directions == "forward" for forest in forests) else "both"
    ports = None if one.ports is None else frozenset(one.ports)
    parts = []
    for path in paths:
        if path.suffix == ".ipfix":
            parts.append(_exported(path, features, directions, one, servers, warn))
        else:
            parts.append(read_flow_set([path], features, ports, directions, labelled=False))
        if parts[-1].prefix != one.prefix:
            raise InputError(
                f"{path}: must hold {said_of(one.prefix)} as forest {one.id}, not {said_of(parts[-1].prefix)}"
            )
    return FlowSet.joined(parts)


def learnt_from(forest: Forest, paths: Sequence[Path]) -> list[str]:
    """Names of those of the files that the forest says it has learnt from."""
    known = {source["sha256"] for source in forest.provenance.get("flows", ())}
    return [source["file"] for source in sources_of(paths) if source["sha256"] in known]


def _exported(
    path: Path,
    features: tuple[str, ...],
    directions: str,
    forest: Forest,
    servers: frozenset[str],
    warn: Callable[[str], object],
) -> FlowSet:
    unread: Counter[str] = Counter()
    rows, senders, starts, identities, count = [], [], [], [], 0
    for record in read_ipfix_records(path, unread):
        # Of a probe that judges early the record of the first packets, which is the one that was judged.
        if record.early != bool(forest.prefix):
            continue
        count += 1
        sides = [sum(side.values()) > 0 for side in (record.forward, record.response)]
        one_sided = not (sides[0] and (directions == "forward" or sides[1]))
        if not record.biflow_direction or one_sided or record.packets < forest.min_packets:
            continue
        rows.append(_features_of(path, record, features))
        ends = [address_text(record.version, side.address) for side in (record.initiator, record.responder)]
        senders.append(ends[1] if ends[0] in servers else ends[0])
        starts.append(record.first_ms / 1000)
        identities.append(hash((record.first_ms, record.initiator, record.responder)))
    for reason, number in unread.items():
        warn(f"{path}: {number} records could not be read: {reason}")
    if not rows:
        raise InputError(f"{path}: must hold records of complete flows, but none of {count} is that")
    none = np.full(len(rows), "", "U1")
    return FlowSet(
        str(path),
        features,
        np.array(rows, np.int64),
        np.array(senders, str),
        none,
        none,
        forest.prefix,
        np.array(starts),
        np.array(identities, np.int64),
    )


def _features_of(path: Path, record: ExportedRecord, features: tuple[str, ...]) -> list[int]:
    duration_ms = record.last_ms - record.first_ms
    try:
        return [CATALOGUE[name].value(record.forward, record.response, duration_ms) for name in features]
    except KeyError as error:
        (missing,) = error.args
        name = next(name for name in features if missing in CATALOGUE[name].needs)
        number = element_of(missing, response=CATALOGUE[name].response).number
        raise InputError(
            f"{path}: records do not hold element {number}, which feature {name!r} needs; "
            "a probe exports what its own forest asks for"
        ) from None
