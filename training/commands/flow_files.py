"""Reading the files of flows that a command learns from."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from compiler.cli import warn
from compiler.errors import InputError

from ..evaluation import known_senders
from ..flow_set import FlowSet, read_flow_set

__all__ = ["counted_once", "read_flows", "read_parts", "warn_of_common"]


def counted_once(flows: FlowSet) -> FlowSet:
    """The flows without those of the same endpoints and start as one before, which a warning counts."""
    first = flows.is_first
    if repeated := int(np.sum(~first)):
        warn(f"{flows.name}: {repeated} flows came more than once, by endpoints and start, and count once")
        return flows.select(first)
    return flows


def read_parts(
    paths: Sequence[Path], features: tuple[str, ...], ports: frozenset[int] | None, directions: str = "both"
) -> tuple[FlowSet, np.ndarray]:
    """The flows of all files, each once, and the number of the file that each is of."""
    for path in paths:
        if paths.count(path) > 1:
            raise InputError(f"{path}: is given twice")
    each = [read_flow_set([path], features, ports, directions) for path in paths]
    flows = FlowSet.joined(each)
    number = np.repeat(np.arange(len(each)), [len(part) for part in each])
    return counted_once(flows), number[flows.is_first]


def read_flows(
    paths: Sequence[Path], features: tuple[str, ...], ports: frozenset[int] | None, directions: str = "both"
) -> FlowSet:
    """The flows of all files, each once."""
    return read_parts(paths, features, ports, directions)[0]


def warn_of_common(sources: Mapping[str, FlowSet]) -> None:
    """Count flows and senders that two sources have in common."""
    for one, other in combinations(sources, 2):
        if flows := len(np.intersect1d(sources[one].identity, sources[other].identity)):
            warn(f"{flows} flows are in both {one} and {other}, so figures across the two are not of unseen flows")
    for warning in known_senders(sources):
        warn(warning)
