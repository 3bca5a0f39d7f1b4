"""Sampled captures: what is measured of one packet in so many is not what a probe measures, so they are refused."""

from pathlib import Path

import numpy as np

from compiler.errors import InputError
from hdl.accumulator import FLAG_BITS, PACKETS, Accumulator
from sim.flow_columns import FlowColumns

__all__ = ["half_handshakes", "refuse_sampled"]

_SYN = Accumulator("add", "one", FLAG_BITS["SYN"])
_PACKETS = 3
"""Packets of each direction that a flow has to have, so that it was no attempt that failed."""
_FLOWS = 5
_MOST = 0.1


def half_handshakes(flows: FlowColumns) -> tuple[int, int]:
    """Of how many flows with packets both ways a SYN of one side was seen and none of the other, and of how many.

    A tap sees both or, of a flow that was there before it, none; a sampler chooses packets, whatever they are.
    """
    talked = (flows.forward[PACKETS] >= _PACKETS) & (flows.response[PACKETS] >= _PACKETS)
    opened, answered = flows.forward[_SYN] > 0, flows.response[_SYN] > 0
    return int(np.sum(talked & (opened != answered))), int(np.sum(talked & (opened | answered)))


def refuse_sampled(path: Path, flows: FlowColumns) -> None:
    """Raise :class:`~compiler.errors.InputError` when flows look like those of sampled packets."""
    half, known = half_handshakes(flows)
    if known >= _FLOWS and half > _MOST * known:
        raise InputError(
            f"{path}: {half} of {known} flows have the SYN of one side alone: packets were sampled or lost, "
            "and features of sampled flows are not those that a probe measures"
        )
